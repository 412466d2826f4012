//! What people should do about a cause: who, where, and in which order.

use serde::Serialize;

use crate::cause::Cause;
use crate::event::CopyJobEvent;
use crate::facts::{Facts, SourceKey};
use crate::features::is_fully_managed;

/// Steps for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// Who must act, and in which account.
    pub who: String,
    /// What to do, in order.
    pub steps: Vec<String>,
    /// AWS's page on it.
    pub page: &'static str,
}

const ACROSS_ACCOUNTS: &str = "https://docs.aws.amazon.com/aws-backup/latest/devguide/create-cross-account-backup.html";
const VAULT_POLICY: &str = "https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault-access-policy.html";
const ENCRYPTION: &str = "https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html";
const FEATURES: &str = "https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-feature-availability.html";
const ROLES: &str = "https://docs.aws.amazon.com/aws-backup/latest/devguide/iam-service-roles.html";
const KEY_POLICIES: &str = "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html";
const KEY_STATES: &str = "https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html";
const ACCESS_DENIED: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html";
const VAULT_LOCK: &str = "https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html";
const TAG_POLICIES: &str = "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_tag-policies.html";
const QUOTAS: &str = "https://docs.aws.amazon.com/aws-backup/latest/devguide/aws-backup-limits.html";
const JOBS: &str = "https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html";
const POINT_IN_TIME: &str = "https://docs.aws.amazon.com/aws-backup/latest/devguide/point-in-time-recovery.html";
const ALLOWED_AMIS: &str = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-allowed-amis.html";

/// The names that advice fills in.
struct Names<'c> {
    event: &'c CopyJobEvent,
    key: String,
}

impl Names<'_> {
    fn source_account(&self) -> &str {
        self.event.source_vault.arn().account()
    }

    fn source_region(&self) -> &str {
        self.event.source_vault.region()
    }

    fn destination_account(&self) -> &str {
        self.event.destination_vault.arn().account()
    }

    fn destination_region(&self) -> &str {
        self.event.destination_vault.region()
    }

    fn vault(&self) -> &str {
        self.event.destination_vault.name()
    }

    fn role_owner(&self) -> String {
        format!("The owner of the job role, account {}", self.source_account())
    }

    fn destination_owner(&self) -> String {
        format!(
            "The owner of the destination vault, account {}, {}",
            self.destination_account(),
            self.destination_region()
        )
    }

    fn key_owner(&self) -> String {
        format!("The owner of the key `{}`", self.key)
    }

    fn organization_administrator(&self) -> String {
        "The administrator of the organization, in the management account".to_owned()
    }
}

/// The advice for a cause. `facts` are absent for an event that could not be verified. Vault names and ARNs come from
/// types that refuse control characters, so the text can't be forged by an event.
#[must_use]
pub fn advise(cause: Cause, event: &CopyJobEvent, facts: Option<&Facts>) -> Advice {
    let key = match facts.map(|facts| &facts.source_key) {
        Some(SourceKey::Key(key)) => key.arn.to_string(),
        Some(SourceKey::NotEncrypted | SourceKey::Unknown(_)) | None => "the key of the source backup".to_owned(),
    };
    let names = Names { event, key };
    let (who, steps, page) = advice_for(cause, &names);
    Advice { who, steps, page }
}

type Parts = (String, Vec<String>, &'static str);

fn advice_for(cause: Cause, names: &Names<'_>) -> Parts {
    match cause {
        Cause::DestinationVaultPolicy
        | Cause::DestinationVaultDeny
        | Cause::DestinationVaultKey
        | Cause::RetentionOutOfRange
        | Cause::VaultNotFound
        | Cause::ServiceLinkedRole => destination(cause, names),
        Cause::SourceKeyPolicy
        | Cause::SourceKeyDeny
        | Cause::SourceKeyState
        | Cause::KeyNotFound
        | Cause::AwsManagedKey => key(cause, names),
        Cause::JobRolePermission
        | Cause::JobRoleTrust
        | Cause::JobRoleMissing
        | Cause::PermissionsBoundary
        | Cause::SessionPolicy
        | Cause::VpcEndpointPolicy => identity(cause, names),
        Cause::OrganizationMembership
        | Cause::CrossAccountBackupDisabled
        | Cause::ServiceControlPolicy
        | Cause::ResourceControlPolicy
        | Cause::TagPolicy
        | Cause::RegionOptIn => organization(cause, names),
        Cause::UnsupportedResourceType
        | Cause::TagLimit
        | Cause::Concurrency
        | Cause::Quota
        | Cause::Transient
        | Cause::ServiceFault
        | Cause::ResourceState
        | Cause::ScheduleWindow
        | Cause::SourceNotFound
        | Cause::Licensing
        | Cause::AllowedAmis
        | Cause::ShareRevoked
        | Cause::ShareCleanup
        | Cause::OptionGroup
        | Cause::ContinuousBackup
        | Cause::Unknown => other(cause, names),
    }
}

fn destination(cause: Cause, names: &Names<'_>) -> Parts {
    let vault = names.vault();
    let region = names.destination_region();
    let (steps, page) = match cause {
        Cause::DestinationVaultDeny => (
            vec![
                format!("Read the access policy of vault `{vault}`: aws backup get-backup-vault-access-policy --backup-vault-name {vault} --region {region}"),
                "Find the Deny that matches the copy; the evidence quotes it. It was put there on purpose: ask its author before changing it.".to_owned(),
                format!("If the copy should be allowed, except the role `{}` from that Deny. Copymend never removes a Deny.", names.event.role),
            ],
            VAULT_POLICY,
        ),
        Cause::DestinationVaultKey => (
            vec![
                format!("Vault `{vault}` is encrypted with a default service key or one that cannot be used; a vault's key cannot be changed afterwards."),
                format!("Create a vault with a customer managed key: aws backup create-backup-vault --backup-vault-name {vault}-cmk --encryption-key-arn KEY_ARN --region {region}"),
                "Point the copy action of the backup plan at the new vault, and give it an access policy that admits the source.".to_owned(),
            ],
            ENCRYPTION,
        ),
        Cause::RetentionOutOfRange => (
            vec![
                format!("Read the range: aws backup describe-backup-vault --backup-vault-name {vault} --region {region} (MinRetentionDays, MaxRetentionDays)."),
                "Set the retention of the copy action in the backup plan inside that range. Copymend never touches a vault lock.".to_owned(),
            ],
            VAULT_LOCK,
        ),
        Cause::VaultNotFound => (
            vec![
                format!("Check that vault `{vault}` exists: aws backup describe-backup-vault --backup-vault-name {vault} --region {region}"),
                "Create it with a customer managed key, or correct the destination in the backup plan.".to_owned(),
            ],
            ACROSS_ACCOUNTS,
        ),
        Cause::ServiceLinkedRole => (
            vec![
                "Create the role: aws iam create-service-linked-role --aws-service-name backup.amazonaws.com".to_owned(),
                "Start the copy again. A key policy that names the role can be saved only once the role exists.".to_owned(),
            ],
            ACROSS_ACCOUNTS,
        ),
        _ => (
            vec![
                format!("Allow `backup:CopyIntoBackupVault` to the role `{}` in the access policy of vault `{vault}`. Keep every other statement.", names.event.role),
                format!("Read the policy first: aws backup get-backup-vault-access-policy --backup-vault-name {vault} --region {region}"),
                format!("Write it back with one statement more: aws backup put-backup-vault-access-policy --backup-vault-name {vault} --region {region} --policy file://policy.json"),
                "Start the copy again.".to_owned(),
            ],
            VAULT_POLICY,
        ),
    };
    (names.destination_owner(), steps, page)
}

fn key(cause: Cause, names: &Names<'_>) -> Parts {
    let key = &names.key;
    let (steps, page) = match cause {
        Cause::SourceKeyDeny => (
            vec![
                format!("Read the key policy: aws kms get-key-policy --key-id {key} --policy-name default"),
                "Find the Deny that matches; the evidence quotes it. It was put there on purpose: ask its author before changing it. Copymend never removes a Deny.".to_owned(),
            ],
            KEY_POLICIES,
        ),
        Cause::SourceKeyState => (
            vec![
                format!("Read the state of the key: aws kms describe-key --key-id {key}"),
                "If it was disabled or scheduled for deletion by mistake, enable it or cancel the deletion. Copymend never does either.".to_owned(),
                "Start the copy again.".to_owned(),
            ],
            KEY_STATES,
        ),
        Cause::KeyNotFound => (
            vec![
                format!("Check whether the key exists: aws kms describe-key --key-id {key}"),
                "A backup whose key is gone cannot be read any more. Back the resource up again under a key that exists, then copy that backup.".to_owned(),
            ],
            KEY_STATES,
        ),
        Cause::AwsManagedKey => (
            vec![
                "Back the resource up, if that is not done.".to_owned(),
                "Restore the backup under a customer managed key.".to_owned(),
                "Back the restored resource up again.".to_owned(),
                format!("Copy that backup to account {}. An AWS managed key cannot be shared, and its policy cannot be changed.", names.destination_account()),
            ],
            ENCRYPTION,
        ),
        _ => {
            let mut steps = Vec::new();
            if is_fully_managed_event(names.event) {
                steps.push("This type is encrypted with the key of the source vault. Which principal of the destination uses it is not documented, so Copymend does not edit that policy by itself.".to_owned());
            }
            steps.extend([
                format!("Allow the role AWSServiceRoleForBackup of account {} to use the key: kms:DescribeKey; kms:ReEncryptFrom, kms:GenerateDataKeyWithoutPlaintext and kms:ListGrants; and kms:CreateGrant with kms:GrantIsForAWSResource.", names.destination_account()),
                format!("Read the policy first: aws kms get-key-policy --key-id {key} --policy-name default. Keep every other statement."),
                "Start the copy again.".to_owned(),
            ]);
            (steps, ACROSS_ACCOUNTS)
        }
    };
    (names.key_owner(), steps, page)
}

fn is_fully_managed_event(event: &CopyJobEvent) -> bool {
    event.source_recovery_point.as_ref().is_some_and(is_fully_managed)
}

fn identity(cause: Cause, names: &Names<'_>) -> Parts {
    let role = &names.event.role;
    let name = role.name();
    let (steps, page) = match cause {
        Cause::JobRoleTrust => (
            vec![
                format!("Let AWS Backup assume `{role}`: its trust policy needs {{\"Effect\":\"Allow\",\"Principal\":{{\"Service\":\"backup.amazonaws.com\"}},\"Action\":\"sts:AssumeRole\"}}."),
                format!("Read it first: aws iam get-role --role-name {name}"),
            ],
            ROLES,
        ),
        Cause::JobRoleMissing => (
            vec![
                format!("Check the role: aws iam get-role --role-name {name}. Compare the whole ARN, with the path, to `{role}`."),
                "AWS's default role has the path `service-role/`: `role/service-role/AWSBackupDefaultServiceRole`. A role of the same name without that path is another role.".to_owned(),
                "Create the role, or name the right one in the backup plan.".to_owned(),
            ],
            ROLES,
        ),
        Cause::PermissionsBoundary => (
            vec![
                format!("Read the boundary of `{role}`: aws iam get-role --role-name {name} (PermissionsBoundary)."),
                "Allow the refused action in the boundary, or use a role without it.".to_owned(),
            ],
            ACCESS_DENIED,
        ),
        Cause::SessionPolicy => (
            vec!["The session that made the call carries a session policy that does not allow it. Widen that policy, or make the call without it.".to_owned()],
            ACCESS_DENIED,
        ),
        Cause::VpcEndpointPolicy => (
            vec!["The call went through a VPC endpoint whose policy does not allow it. Allow the refused action there.".to_owned()],
            ACCESS_DENIED,
        ),
        _ => (
            vec![
                format!("Give `{role}` the refused action. A copy needs backup:CopyFromBackupVault on the recovery point and backup:CopyIntoBackupVault on the destination vault."),
                format!("The AWS managed policy AWSBackupServiceRolePolicyForBackup has both: aws iam attach-role-policy --role-name {name} --policy-arn arn:{}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup", role.partition()),
                "Amazon S3 needs AWSBackupServiceRolePolicyForS3Backup and AWSBackupServiceRolePolicyForS3Restore besides; the default role does not have them.".to_owned(),
            ],
            ROLES,
        ),
    };
    (names.role_owner(), steps, page)
}

fn organization(cause: Cause, names: &Names<'_>) -> Parts {
    let who = names.organization_administrator();
    let (steps, page) = match cause {
        Cause::OrganizationMembership => (
            vec![
                format!("Check both accounts, {} and {}: aws organizations describe-organization in each must show the same id.", names.source_account(), names.destination_account()),
                "Invite the account that is outside, or copy to an account of the same organization. AWS Backup copies between accounts of one organization only.".to_owned(),
            ],
            ACROSS_ACCOUNTS,
        ),
        Cause::CrossAccountBackupDisabled => (
            vec![
                "Turn cross-account backup on: aws backup update-global-settings --global-settings isCrossAccountBackupEnabled=true".to_owned(),
                "Wait up to 15 minutes, then start the copy again.".to_owned(),
            ],
            ACROSS_ACCOUNTS,
        ),
        Cause::ServiceControlPolicy => (
            vec![
                format!("A service control policy blocks `{}`. The message names the policy if AWS gave its ARN; otherwise look at each level from the root to account {}.", names.event.role, names.source_account()),
                "Except the job role, or allow the action, if the copy is wanted.".to_owned(),
            ],
            ACCESS_DENIED,
        ),
        Cause::ResourceControlPolicy => (
            vec!["A resource control policy blocks the call. Look at each level from the root to the account that owns the resource, and except the call if it is wanted.".to_owned()],
            ACCESS_DENIED,
        ),
        Cause::RegionOptIn => (
            vec![format!("Enable the Region for the account: aws account enable-region --region-name {} in account {}.", names.destination_region(), names.destination_account())],
            ACROSS_ACCOUNTS,
        ),
        _ => (
            vec![
                format!("See what the tag policy allows, in account {}: aws organizations describe-effective-policy --policy-type TAG_POLICY", names.destination_account()),
                "Compare the tags of the resource and of the recovery point. Correct the value, or allow it in the tag policy.".to_owned(),
            ],
            TAG_POLICIES,
        ),
    };
    (who, steps, page)
}

fn other(cause: Cause, names: &Names<'_>) -> Parts {
    let operator = format!("The owner of the backups, account {}, {}", names.source_account(), names.source_region());
    let (steps, page) = match cause {
        Cause::UnsupportedResourceType => (
            vec![
                "Look the resource type up in AWS's feature table; what a copy supports depends on type, Region and account.".to_owned(),
                "If both hops are supported one by one, copy to the other Region first and to the other account from there.".to_owned(),
                "For DynamoDB, turn advanced features on and back the table up again.".to_owned(),
            ],
            FEATURES,
        ),
        Cause::TagLimit => (vec!["A resource may have 50 tags. Remove some from the resource or from the plan's recovery point tags.".to_owned()], TAG_POLICIES),
        Cause::Concurrency => (vec!["Too many copies of this resource run at once. The copy can be started again once one has ended; spread the plan's copy actions if this recurs.".to_owned()], QUOTAS),
        Cause::Quota => (vec!["Delete what is not needed any more, or ask for a higher quota in Service Quotas.".to_owned()], QUOTAS),
        Cause::Transient => (vec!["Start the copy again. If it fails in the same way after an hour, treat it as a new failure.".to_owned()], JOBS),
        Cause::ServiceFault => (vec!["Start the copy again. If it recurs, open a case with AWS Support and give it the job's id.".to_owned()], JOBS),
        Cause::ResourceState => (vec!["Wait until the resource is available, then start the copy again.".to_owned()], JOBS),
        Cause::ScheduleWindow => (vec!["Move the plan's start window away from the maintenance and backup windows of the database.".to_owned()], JOBS),
        Cause::SourceNotFound => (vec!["The recovery point or its resource is gone. Back the resource up again; check that the lifecycle does not delete backups before they are copied.".to_owned()], JOBS),
        Cause::Licensing => (vec!["Images from AWS Marketplace cannot be copied to another account. Subscribe in that account and back up the volumes instead of the image.".to_owned()], FEATURES),
        Cause::AllowedAmis => (vec![format!("Allowed AMIs hides the image. Admit account {} in the Allowed AMIs setting of account {}, {}.", names.source_account(), names.destination_account(), names.destination_region())], ALLOWED_AMIS),
        Cause::ShareRevoked => (vec!["Something took back the sharing that AWS Backup makes for the time of the copy. Except calls made by AWS Backup (`invokedBy` is `backup.amazonaws.com`) from the automation that reverts sharing.".to_owned()], ACROSS_ACCOUNTS),
        Cause::ShareCleanup => (vec!["The copy may be whole, but the snapshot is still shared. Stop sharing it by hand, and check what keeps AWS Backup from doing so.".to_owned()], ACROSS_ACCOUNTS),
        Cause::OptionGroup => (vec!["The snapshot carries a persistent option, such as TDE. Make an option group with that option at the destination; AWS Backup cannot choose one for a copy, so copy this snapshot with Amazon RDS itself.".to_owned()], FEATURES),
        Cause::ContinuousBackup => (vec!["A continuous backup cannot be copied on demand, and a bucket can have one only. Copy a snapshot backup, or end the other continuous backup.".to_owned()], POINT_IN_TIME),
        _ => (
            vec![
                "Copymend does not know this message. Read it in the report; it is there word for word.".to_owned(),
                format!("Look at the job: aws backup describe-copy-job --copy-job-id {} --region {}", names.event.copy_job_id, names.source_region()),
                "Report the message, so that the next release knows it.".to_owned(),
            ],
            JOBS,
        ),
    };
    (operator, steps, page)
}
