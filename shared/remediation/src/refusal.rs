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
        concerns
            && !plan.has_before(&granted.sid)
            && !is_still_admitted(granted, &grantee, plan, failure, facts)
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
                "somebody removed {sid}, by which Copymend had admitted `{admitted}` of account {account}: nothing is written for this account until the \
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

/// Whether the policy admits a grantee although our statement is gone: then somebody only said it otherwise. What can't be
/// evaluated isn't admitted.
fn is_still_admitted(
    granted: &Granted,
    planned: &str,
    plan: &Plan,
    failure: &Failure,
    facts: &Facts,
) -> bool {
    if granted.grantee == planned {
        return plan.access_before == Access::Allowed;
    }
    if granted.account != account_of(&plan.target, failure).as_str() {
        return false;
    }
    let policy = plan.before.as_ref();
    let access = match (&plan.target, &facts.source_key) {
        (Target::Vault(_), _) => match granted.grantee.parse::<RoleArn>() {
            Ok(role) => vault_access_of(policy, &role, failure, facts),
            Err(_) => return false,
        },
        (Target::Key(_), SourceKey::Key(key)) => match (policy, key_grantee(&granted.grantee)) {
            (Some(policy), Some((_, Some(service)))) => {
                key_access_through(policy, &key.arn, &key.tags, Some(service), failure, facts)
            }
            (Some(_), Some((_, None)) | None) | (None, _) => return false,
        },
        (Target::Key(_), SourceKey::NotEncrypted | SourceKey::Unknown(_)) => return false,
    };
    access == Access::Allowed
}
