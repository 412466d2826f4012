//! The organization of the two accounts.

use super::{Finding, SAME_ACCOUNT, confirmed, ruled_out, unreadable};
use crate::fact::Fact;
use crate::facts::Facts;
use crate::job::Failure;

pub(super) fn membership(failure: &Failure, facts: &Facts) -> Finding {
    if !failure.is_cross_account() {
        return ruled_out(SAME_ACCOUNT);
    }
    match (&facts.source_organization, &facts.destination_organization) {
        (Fact::Known(None), _) => confirmed(format!(
            "account {} is in no organization",
            failure.job().account
        )),
        (_, Fact::Known(None)) => confirmed(format!(
            "account {} is in no organization",
            failure.destination_account()
        )),
        (Fact::Known(Some(source)), Fact::Known(Some(destination))) => {
            if source.id == destination.id {
                ruled_out(format!("both accounts are in {}", source.id))
            } else {
                confirmed(format!(
                    "the source is in {}, the destination in {}",
                    source.id, destination.id
                ))
            }
        }
        (Fact::Unknown(why), _) | (_, Fact::Unknown(why)) => unreadable(why),
    }
}

/// The flag matters between accounts alone (AWS Backup, "Creating backup copies across AWS accounts", documented).
pub(super) fn feature(failure: &Failure, facts: &Facts) -> Finding {
    if !failure.is_cross_account() {
        return ruled_out(SAME_ACCOUNT);
    }
    match &facts.cross_account_backup {
        Fact::Unknown(why) => unreadable(why),
        Fact::Known(true) => ruled_out("cross-account backup is on"),
        Fact::Known(false) => confirmed("isCrossAccountBackupEnabled is false"),
    }
}
