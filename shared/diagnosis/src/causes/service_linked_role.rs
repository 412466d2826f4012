//! The service-linked role of AWS Backup in the destination account.

use super::{ADMITTED, Entry, Family, Pages, Remedy, Repairable, Shown, console, page, rules};
use crate::advice::{Case, step};
use crate::assess::{Checked, across_accounts, confirmed, ruled_out};
use crate::facts::Facts;
use crate::job::BackupCopy;
use crate::messages::wording::SERVICE_LINKED_ROLE_NOT_ASSUMED;

pub(super) static MISSING: Entry = Entry {
    slug: "service-linked-role",
    title: "AWSServiceRoleForBackup is missing in the destination account",
    happens: "The role AWSServiceRoleForBackup does the destination's part of a copy between accounts. AWS Backup \
        creates it when the account first uses the service. The account never did, or someone deleted the role.",
    found: "AWS IAM is asked for the role in the destination account.",
    also: ADMITTED,
    messages: rules! {
        // Inferred: the service-linked role in plain words. Reports and RestoreTesting have roles
        // of their own.
        Others 140 ["role awsserviceroleforbackup|role 'awsserviceroleforbackup\
             |role \"awsserviceroleforbackup|name awsserviceroleforbackup\
             |/backup.amazonaws.com/awsserviceroleforbackup|backup service-linked role\
             |backup service linked role|service-linked role for aws backup\
             |service-linked role of aws backup|service-linked role for backup\
             |service linked role for aws backup", "does not exist|is missing\
             |missing service-linked role|not found|not be found|not been created|must be created\
             |must exist|create the service-linked role|was not created|not present\
             |no service-linked role"]
            not ["authorized to perform:|permission|awsserviceroleforbackupreports\
                 |awsserviceroleforbackuprestoretesting| key|alias|polic|snapshot|assumed-role/\
                 |vault does not exist|exists"] => "AWS Backup's service-linked role is missing.";
        // Inferred: by its bare name. In an ARN the path decides: see above.
        Others 150 ["awsserviceroleforbackup is missing|awsserviceroleforbackup role is missing\
             |awsserviceroleforbackup is not present|awsserviceroleforbackup was not created\
             |awsserviceroleforbackup must be created\
             |missing service-linked role awsserviceroleforbackup"]
            not [":role/|assumed-role/|awsserviceroleforbackupreports\
                 |awsserviceroleforbackuprestoretesting|permission|polic"]
            => "AWS Backup's service-linked role is missing.";
        // Seen: "The provided role …/AWSServiceRoleForBackup cannot be assumed by AWS Backup."
        Others 160 [SERVICE_LINKED_ROLE_NOT_ASSUMED] besides [JobRoleMissing, JobRoleTrust]
            => "AWS Backup's service-linked role is missing.";
    },
    shown: Shown::ByFacts(150, missing, |_, facts| {
        facts.service_linked_role.unknown().is_some()
    }),
    families: &[Family::Role, Family::Key],
    remedy: Remedy::Repair(Repairable::ServiceLinkedRole),
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

/// The role does the destination's part of a copy between accounts alone (AWS Backup, "Creating
/// backup copies across AWS accounts", documented).
fn missing(copy: &BackupCopy, facts: &Facts) -> Checked {
    across_accounts(copy)?;
    Ok(match facts.service_linked_role.read()? {
        Some(role) => ruled_out(format!("`{}` exists", role.arn)),
        None => confirmed(format!(
            "AWSServiceRoleForBackup is missing in account {}",
            copy.destination_account
        )),
    })
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
    step!("Create AWSServiceRoleForBackup in account {}", case.account();
        "aws iam create-service-linked-role --aws-service-name backup.amazonaws.com")
}
