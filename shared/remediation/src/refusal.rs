//! What was taken back stays back: an undo leaves a refusal, and a statement of ours that somebody removed by hand counts as one
//! for its whole account.

use copymend_diagnosis::access::{Access, key_access_through, vault_access_of};
use copymend_diagnosis::{Facts, Failure, RoleArn, SourceKey};

use crate::grantee::{account_of, grantee, key_grantee, overlaps};
use crate::guards::guard;
use crate::ledger::PolicyHistory;
use crate::plan::{Plan, Target};
use crate::report::GuardResult;
use crate::settings::Settings;

/// The guard that what was taken back fails.
pub const NOT_TAKEN_BACK: &str = "not-taken-back";

/// A statement of ours as the ledger knows it: written, and not undone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Granted {
    /// The statement's Sid.
    pub sid: String,
    /// The account that its grantee belongs to: the source account for a vault, the destination account for a key.
    pub account: String,
    /// Whom it admits, in the ledger's words.
    pub grantee: String,
}

/// A refusal in force: this grantee is not admitted to the resource again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// The change that was taken back.
    pub change_id: String,
    /// Whom it had admitted, in the ledger's words.
    pub grantee: String,
}

/// Whether a grantee may be admitted again after its statement was taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Again {
    /// It may not: an undo leaves a refusal. The default.
    #[default]
    Refused,
    /// It may, as if nothing had been taken back.
    Allowed,
}

/// The guard that an earlier undo, or a removal by hand, fails.
pub(crate) fn not_taken_back(
    plan: &Plan,
    history: &PolicyHistory,
    failure: &Failure,
    facts: &Facts,
    settings: &Settings,
) -> GuardResult {
    let grantee = grantee(&plan.target, failure, settings);
    let refused = history
        .refusals
        .iter()
        .find(|refusal| overlaps(&refusal.grantee, &grantee));
    if let Some(refusal) = refused {
        return guard(
            NOT_TAKEN_BACK,
            false,
            format!(
                "somebody took change {0} back, which admitted `{1}`; `copymend undo --allow-again {0}` lets it be admitted again",
                refusal.change_id, refusal.grantee
            ),
        );
    }
    let account = account_of(&plan.target, failure);
    let removed = history.granted.iter().find(|granted| {
        let concerns = granted.account == account.as_str() || overlaps(&granted.grantee, &grantee);
        // A vault's statement that somebody narrowed and left its Sid admits its grantee no more than one that is gone. Of a key our
        // statements may stand, and one of somebody else's be gone that they were to complete.
        let may_be_narrowed = match plan.target {
            Target::Vault(_) => plan.has_before(&granted.sid),
            Target::Key(_) => false,
        };
        concerns
            && match access_now(granted, &grantee, plan, failure, facts) {
                Some(Access::Allowed) => false,
                Some(Access::Missing { .. } | Access::Denied { .. }) => {
                    may_be_narrowed || !plan.has_before(&granted.sid)
                }
                Some(Access::Unknown { .. }) | None => !plan.has_before(&granted.sid),
            }
    });
    match removed {
        Some(Granted {
            sid,
            account,
            grantee: admitted,
        }) => guard(
            NOT_TAKEN_BACK,
            false,
            format!(
                "somebody removed or narrowed {sid}, by which Copymend had admitted `{admitted}` of account {account}: nothing is written for this account until the \
                 change is taken back with `copymend undo --allow-again`"
            ),
        ),
        None => guard(
            NOT_TAKEN_BACK,
            true,
            "nobody took back what admits this grantee or its account",
        ),
    }
}

/// What the policy answers to a grantee by now: where it admits it although our statement is gone, somebody only said it otherwise.
/// None where it can't be evaluated.
fn access_now(
    granted: &Granted,
    planned: &str,
    plan: &Plan,
    failure: &Failure,
    facts: &Facts,
) -> Option<Access> {
    if granted.grantee == planned {
        return Some(plan.access_before.clone());
    }
    if granted.account != account_of(&plan.target, failure).as_str() {
        return None;
    }
    let policy = plan.before.as_ref();
    match (&plan.target, &facts.source_key) {
        (Target::Vault(_), _) => match granted.grantee.parse::<RoleArn>() {
            Ok(role) => Some(vault_access_of(policy, &role, failure, facts)),
            Err(_) => None,
        },
        (Target::Key(_), SourceKey::Key(key)) => match (policy, key_grantee(&granted.grantee)) {
            (Some(policy), Some((_, Some(service)))) => Some(key_access_through(
                policy,
                &key.arn,
                &key.tags,
                Some(service),
                failure,
                facts,
            )),
            (Some(_), Some((_, None)) | None) | (None, _) => None,
        },
        (Target::Key(_), SourceKey::NotEncrypted | SourceKey::Unknown(_)) => None,
    }
}
