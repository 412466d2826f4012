//! The route in two copies, where one copy to another Region and another account at once is
//! refused.

use copymend_policy::Arn;
use serde_json::json;

use super::{Case, step};
use crate::access::COPY_INTO_BACKUP_VAULT;
use crate::causes::{key_policy_steps, vault_policy};
use crate::features::{CopySupport, PlannedCopy, support_of};
use crate::resource::BackupVaultArn;

/// The name of the vault in between.
const VAULT: &str = "copymend-hop";

/// A vault in between: where, and what the two copies are.
struct Hop {
    vault: BackupVaultArn,
    /// Whether the first copy changes the Region, and the second the account.
    region_first: bool,
}

fn hop(case: &Case<'_>, account: &str, region: &str, region_first: bool) -> Option<Hop> {
    let arn = format!(
        "arn:{}:backup:{region}:{account}:backup-vault:{VAULT}",
        case.partition()
    );
    let hop = Hop {
        vault: arn.parse().ok()?,
        region_first,
    };
    let planned = case.planned_copy()?;
    let first = PlannedCopy {
        destination_vault: &hop.vault,
        logically_air_gapped: false,
        ..planned
    };
    let second = PlannedCopy {
        source_vault: &hop.vault,
        ..planned
    };
    [first, second].iter().all(is_supported).then_some(hop)
}

fn is_supported(copy: &PlannedCopy<'_>) -> bool {
    match support_of(copy) {
        // A type that the table doesn't list may still be copied; AWS said no to the single action
        // only.
        CopySupport::Supported | CopySupport::NotListed => true,
        CopySupport::Unsupported(_) => false,
    }
}

/// The statements that let the other account use the key of the vault in between. Empty without a
/// verified job, and for types whose keys Copymend doesn't edit.
fn key_statements(case: &Case<'_>) -> Vec<String> {
    if case.is_verified() && case.via_service().is_some() {
        key_policy_steps::statements_in(case.partition(), case)
    } else {
        Vec::new()
    }
}

/// Both copies, with their commands. Empty where the copy doesn't change both, or where a hop isn't
/// possible either.
pub(crate) fn two_hops(case: &Case<'_>) -> Vec<String> {
    let Some(point) = case.recovery_point() else {
        return Vec::new();
    };
    if !case.is_cross_account() || !case.is_cross_region() {
        return Vec::new();
    }
    let region_first = hop(case, case.source_account(), case.region(), true);
    let account_first = hop(case, case.account(), case.source_region(), false);
    match (region_first, account_first) {
        (Some(hop), other) => {
            let mut steps = commands(case, &hop, point);
            if other.is_some() {
                steps.push(format!(
                    "Or the other way round: first to a vault of account {} in Region {}, whose access policy admits the job role, then, from \
                     account {}, to Region {}.",
                    case.account(),
                    case.source_region(),
                    case.account(),
                    case.region()
                ));
            }
            steps
        }
        (None, Some(hop)) => commands(case, &hop, point),
        (None, None) => Vec::new(),
    }
}

/// Two copies where the backup is under an AWS managed key: the first, within the account, is under
/// the key of the vault in between (AWS Backup, "Encryption for backup copies", documented), and the
/// second is of that copy. Empty where it isn't possible. That the first is stored until it is
/// deleted, and paid for, is documented (AWS Backup pricing).
pub(crate) fn through_own_key(case: &Case<'_>) -> Vec<String> {
    let Some(point) = case.recovery_point() else {
        return Vec::new();
    };
    let account = case.source_account();
    let Some(hop) = hop(case, account, case.region(), true)
        .or_else(|| hop(case, account, case.source_region(), true))
    else {
        return Vec::new();
    };
    let (source_region, region) = (case.source_region(), hop.vault.region());
    let mut steps = vec![
        step!("Go in two copies, of which the first is under a key of yours. Create a vault under a customer managed key, in account \
             {account}, Region {region}";
            "KEY=$(aws kms create-key --region {region} --query KeyMetadata.Arn --output text)\n\
             aws backup create-backup-vault --region {region} --backup-vault-name {VAULT} --encryption-key-arn $KEY"),
    ];
    if case.is_cross_account() {
        steps.extend(share_key(case, region));
    }
    steps.extend([
        step!("The first copy, within account {account}";
            "JOB=$(aws backup start-copy-job --region {source_region} --recovery-point-arn {point} --source-backup-vault-name {} \
             --destination-backup-vault-arn {} --iam-role-arn {}{} --query CopyJobId --output text)\n\
             aws backup describe-copy-job --region {source_region} --copy-job-id $JOB --query \
             CopyJob.[State,DestinationRecoveryPointArn] --output text",
            case.source_vault(), hop.vault, case.role_word(), case.lifecycle()),
        step!("Once its state is COMPLETED, the second copy, to vault `{}` in account {}, with HOP set to the ARN shown", case.vault(),
            case.account();
            "aws backup start-copy-job --region {region} --recovery-point-arn $HOP --source-backup-vault-name {VAULT} \
             --destination-backup-vault-arn {} --iam-role-arn {}{}",
            case.event().destination_vault, case.role_word(), case.lifecycle()),
        step!("It costs the storage of one more copy until that is deleted, the key each month, and between Regions the transfer. Once the \
             second copy is COMPLETED, delete the first";
            "aws backup delete-recovery-point --region {region} --backup-vault-name {VAULT} --recovery-point-arn $HOP"),
    ]);
    steps
}

/// Lets the other account use the key of the vault in between.
fn share_key(case: &Case<'_>, region: &str) -> Vec<String> {
    let statements = key_statements(case);
    if statements.is_empty() {
        return vec![format!(
            "Let AWSServiceRoleForBackup of account {} use that key: kms:DescribeKey, kms:ReEncryptFrom, \
             kms:GenerateDataKeyWithoutPlaintext, kms:ListGrants, and kms:CreateGrant if kms:GrantIsForAWSResource is true.",
            case.account()
        )];
    }
    let key = format!("--region {region} --key-id $KEY --policy-name default");
    let mut steps = vec![
        step!("Let account {} use that key: save its policy", case.account();
        "aws kms get-key-policy {key} --query Policy --output text > policy.json"),
    ];
    steps.extend(
        statements
            .iter()
            .map(|statement| step("Add this to the list `Statement` of policy.json", statement)),
    );
    steps.push(step!("Write the policy back";
        "aws kms put-key-policy {key} --policy file://policy.json"));
    steps
}

/// Lets the job role copy into the vault in between.
fn admit_role(case: &Case<'_>, region: &str) -> Vec<String> {
    let Some(statement) = vault_policy::statement(case) else {
        return vec![format!(
            "Give that vault an access policy that allows {COPY_INTO_BACKUP_VAULT} to the role `{}`.",
            case.role()
        )];
    };
    let policy = json!({ "Version": "2012-10-17", "Statement": [statement] });
    vec![
        step(
            "Save this as policy.json: the access policy of that vault, which admits the job role",
            &policy.to_string(),
        ),
        step!("Give it to that vault";
            "aws backup put-backup-vault-access-policy --region {region} --backup-vault-name {VAULT} --policy \
             file://policy.json"),
    ]
}

fn commands(case: &Case<'_>, hop: &Hop, point: &Arn) -> Vec<String> {
    let account = hop.vault.arn().account();
    let region = hop.vault.region();
    let way = if hop.region_first {
        format!("first to Region {region} within account {account}, then to the other account")
    } else {
        format!("first to account {account} within Region {region}, then to the other Region")
    };
    let mut steps = vec![
        step!("Go in two copies: {way}. Create a vault in between, in account {account}";
        "KEY=$(aws kms create-key --region {region} --query KeyMetadata.Arn --output text)\n\
         aws backup create-backup-vault --region {region} --backup-vault-name {VAULT} --encryption-key-arn $KEY"),
    ];
    if !hop.region_first {
        steps.extend(admit_role(case, region));
    } else if !case.is_fully_managed() {
        steps.extend(share_key(case, region));
    }
    let source_region = case.source_region();
    steps.push(step!("The first copy, in account {}", case.source_account();
        "JOB=$(aws backup start-copy-job --region {source_region} --recovery-point-arn {point} --source-backup-vault-name {} \
         --destination-backup-vault-arn {} --iam-role-arn {}{} --query CopyJobId --output text)\n\
         aws backup describe-copy-job --region {source_region} --copy-job-id $JOB --query \
         CopyJob.[State,DestinationRecoveryPointArn] --output text", case.source_vault(), hop.vault, case.role(), case.lifecycle()));
    let role = if hop.region_first {
        case.role().to_string()
    } else {
        format!(
            "arn:{}:iam::{account}:role/service-role/AWSBackupDefaultServiceRole",
            case.partition()
        )
    };
    steps.push(step!("Once its state is COMPLETED, the second copy, in account {account}, with HOP set to the ARN shown";
        "aws backup start-copy-job --region {region} --recovery-point-arn $HOP --source-backup-vault-name {VAULT} \
         --destination-backup-vault-arn {} --iam-role-arn {role}{}", case.event().destination_vault, case.lifecycle()));
    steps.push(format!(
        "In the backup plan of account {}, point the copy action at `{}`. A plan makes the first copy only: start the second one after each, \
         for example from an EventBridge rule on completed copy jobs.",
        case.source_account(),
        hop.vault
    ));
    steps
}
