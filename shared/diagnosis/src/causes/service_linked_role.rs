//! The service-linked role of AWS Backup in the destination account.

use super::{ADMITTED, Entry, Family, Pages, Remedy, console, page};
use crate::advice::{Case, step};
use crate::assess::{Finding, SAME_ACCOUNT, confirmed, ruled_out, unreadable};
use crate::fact::Fact;
use crate::facts::Facts;
use crate::job::Failure;

pub(super) static MISSING: Entry = Entry {
    slug: "service-linked-role",
    title: "AWSServiceRoleForBackup is missing in the destination account",
    happens: "The role AWSServiceRoleForBackup does the destination's part of a copy between accounts. AWS Backup creates it \
        when the account first uses the service, and someone may have deleted it.",
    found: "AWS IAM is asked for the role in the destination account.",
    also: ADMITTED,
    rank: Some(150),
    families: &[Family::Role, Family::Key],
    deny: None,
    remedy: Remedy::Repair,
    check: missing,
    unread: |facts| facts.service_linked_role.unknown().is_some(),
    who: |case| {
        format!(
            "An IAM administrator of the destination account {}",
            case.account()
        )
    },
    steps,
    console: |case| console::global(case, "iam/home#/roles"),
    page: Pages::One(page::SERVICE_LINKED_ROLE),
};

/// The role does the destination's part of a copy between accounts alone (AWS Backup, "Creating backup copies across AWS
/// accounts", documented).
fn missing(failure: &Failure, facts: &Facts) -> Finding {
    if !failure.is_cross_account() {
        return ruled_out(SAME_ACCOUNT);
    }
    match &facts.service_linked_role {
        Fact::Unknown(why) => unreadable(why),
        Fact::Known(Some(role)) => ruled_out(format!("`{}` exists", role.arn)),
        Fact::Known(None) => confirmed(format!(
            "AWSServiceRoleForBackup is missing in account {}",
            failure.destination_account()
        )),
    }
}

fn steps(case: &Case<'_>) -> Vec<String> {
    vec![
            create(case),
            "A key policy that names this role can be saved only once the role exists; so give the key its statements now, if it \
             lacks them."
                .to_owned(),
            case.start_again(),
    ]
}

pub(super) fn create(case: &Case<'_>) -> String {
    step(
        &format!(
            "Create AWSServiceRoleForBackup in account {}",
            case.account()
        ),
        "aws iam create-service-linked-role --aws-service-name backup.amazonaws.com",
    )
}
