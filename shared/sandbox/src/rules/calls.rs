//! The calls that AWS Backup makes for a copy.

use copymend_policy::{AccountId, Decision, Request, evaluate};

use super::{Refusal, Verdict};
use crate::call::{Call, Caller};
use crate::copies::NewCopy;
use crate::world::{PolicyText, World};

/// A call for a copy. Where the resource's ARN names no Region it goes to the source's (inferred).
pub(super) fn call<'a>(
    copy: &'a NewCopy,
    caller: &'a Caller,
    action: &'a str,
    resource: &'a str,
    owner: Option<AccountId>,
) -> Call<'a> {
    Call {
        caller,
        action,
        resource,
        owner,
        region: copy.source_vault.region(),
        at: copy.created,
        via_service: None,
    }
}

/// A denial of the same call that AWS still remembers.
pub(super) fn not_denied_lately(world: &World, call: Call<'_>) -> Verdict {
    match world.denials.standing(call) {
        None => Ok(()),
        Some(failure) => Err(Refusal {
            failure: failure.clone(),
            call: None,
        }),
    }
}

/// What the policy of a resource says. All keys of a request are known here, so that only one thing
/// is open: whether a Deny with `NotPrincipal` hits a principal that it names without the account.
/// AWS says that it might (documented: IAM `reference_policies_elements_notprincipal`); here it
/// does (inferred).
pub(super) fn says(policy: Option<&PolicyText>, request: &Request) -> Decision {
    let document = policy.and_then(|policy| policy.document().ok());
    match document.map(|document| evaluate(document, request)) {
        None => Decision::ImplicitlyDenied,
        Some(Decision::Unknown { .. }) => Decision::ExplicitlyDenied { statement: 0 },
        Some(
            decision @ (Decision::Allowed { .. }
            | Decision::ImplicitlyDenied
            | Decision::ExplicitlyDenied { .. }),
        ) => decision,
    }
}
