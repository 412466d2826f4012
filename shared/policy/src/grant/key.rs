//! What a key's policy must say so that the destination account can copy a backup encrypted with
//! it.

use serde_json::{Map, Value, json};

use super::name::names;
use super::statement::{NewStatement, condition, one_or_list};
use super::vault::check_organization;
use super::{GrantError, SID_PREFIX, check_partition};
use crate::arn::AccountId;

/// How much a key's policy allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KeyProfile {
    /// The destination's service-linked role, only what it can use (inferred from its managed
    /// policy, version 31; not tested against AWS).
    #[default]
    LeastPrivilege,
    /// What AWS's knowledge centre publishes, for the destination account, within the organization.
    Documented,
}

names!(
    KeyProfile,
    "a key profile",
    "least-privilege, documented",
    LeastPrivilege = "least-privilege",
    Documented = "documented"
);

/// The service that uses the key in a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ViaService {
    /// EBS volumes, EC2 instances, Storage Gateway volumes.
    Ec2,
    /// RDS, Aurora, Neptune (documented); `DocumentDB` (inferred).
    Rds,
    /// `FSx` file systems.
    Fsx,
}

names!(
    ViaService,
    "a service a key is used through",
    "ec2, rds, fsx",
    Ec2 = "ec2",
    Rds = "rds",
    Fsx = "fsx"
);

impl ViaService {
    /// The value of `kms:ViaService`. Any Region, because AWS does not say whether the source's or
    /// the destination's endpoint is used (unverified); the suffix is the same in every partition
    /// (inferred).
    fn pattern(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2.*.amazonaws.com",
            Self::Rds => "rds.*.amazonaws.com",
            Self::Fsx => "fsx.*.amazonaws.com",
        }
    }

    /// What `kms:ViaService` holds when the service calls KMS in `region`. The suffix is the same
    /// in every partition (inferred).
    #[must_use]
    pub fn endpoint(self, region: &str) -> String {
        self.pattern().replace('*', region)
    }

    fn title(self) -> &'static str {
        match self {
            Self::Ec2 => "Ec2",
            Self::Rds => "Rds",
            Self::Fsx => "Fsx",
        }
    }
}

/// Who shall be allowed to use a key for copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyGrant {
    /// The partition, such as `aws`.
    pub partition: String,
    /// The account the copy goes to.
    pub destination_account: AccountId,
    /// How much.
    pub profile: KeyProfile,
    /// For [`KeyProfile::LeastPrivilege`]: through which services. At least one.
    pub via_services: Vec<ViaService>,
    /// For [`KeyProfile::Documented`]: the organization, such as `o-abcde12345`, that the account
    /// must be in when it uses the key. Without it the account may use the key wherever it belongs
    /// later; such statements are only shown to people.
    pub organization_id: Option<String>,
}

/// The service-linked role AWS Backup copies with, in `account` (documented: AWS Backup
/// `using-service-linked-roles`).
#[must_use]
pub fn service_linked_role_arn(partition: &str, account: AccountId) -> String {
    format!(
        "arn:{partition}:iam::{account}:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup"
    )
}

/// Documented: AWS KMS developer guide, "AWS KMS condition keys", `kms:GrantIsForAWSResource`: true where
/// a service that is integrated with AWS KMS calls `kms:CreateGrant`, `kms:ListGrants` or
/// `kms:RevokeGrant` on the principal's behalf.
const FOR_RESOURCE: &str = "kms:GrantIsForAWSResource";
const VIA: &str = "kms:ViaService";
/// Documented: IAM `reference_policies_condition-keys`, "aws:PrincipalOrgID": part of each request
/// of a principal whose account is in an organization. A request that a service makes for such a
/// principal carries it, too (documented there); for AWS Backup's copies it is unverified.
const ORGANIZATION: &str = "aws:PrincipalOrgID";

impl KeyGrant {
    /// The statements of this grant.
    ///
    /// Least privilege: describe, use, grant. Documented: use, grant. [`NewStatement::actions`]
    /// says which of them a policy still lacks.
    pub fn statements(&self) -> Result<Vec<NewStatement>, GrantError> {
        check_partition(&self.partition)?;
        match self.profile {
            KeyProfile::LeastPrivilege => self.least_privilege(),
            KeyProfile::Documented => self.documented(),
        }
    }

    fn least_privilege(&self) -> Result<Vec<NewStatement>, GrantError> {
        let account = self.destination_account;
        let role = service_linked_role_arn(&self.partition, account);
        let mut services = self.via_services.clone();
        services.sort_unstable();
        services.dedup();
        if services.is_empty() {
            return Err(GrantError::NoService);
        }
        let titles: String = services.iter().map(|service| service.title()).collect();
        let via = one_or_list(services.iter().map(|service| service.pattern()));
        let principal = json!({ "AWS": role });
        let mut for_use = Map::new();
        condition(&mut for_use, "StringLike", VIA, via.clone());
        let mut for_grant = Map::new();
        condition(&mut for_grant, "Bool", FOR_RESOURCE, "true".into());
        condition(&mut for_grant, "StringLike", VIA, via);
        Ok(vec![
            NewStatement::build(
                format!("{SID_PREFIX}Describe{account}{titles}"),
                principal.clone(),
                &["kms:DescribeKey"],
                Map::new(),
            )?,
            NewStatement::build(
                format!("{SID_PREFIX}Use{account}{titles}"),
                principal.clone(),
                &[
                    "kms:ReEncryptFrom",
                    "kms:GenerateDataKeyWithoutPlaintext",
                    "kms:ListGrants",
                ],
                for_use,
            )?,
            NewStatement::build(
                format!("{SID_PREFIX}Grant{account}{titles}"),
                principal,
                &["kms:CreateGrant"],
                for_grant,
            )?,
        ])
    }

    fn documented(&self) -> Result<Vec<NewStatement>, GrantError> {
        let account = self.destination_account;
        let principal: Value =
            json!({ "AWS": format!("arn:{}:iam::{account}:root", self.partition) });
        let mut for_use = Map::new();
        let mut for_grant = Map::new();
        condition(&mut for_grant, "Bool", FOR_RESOURCE, "true".into());
        if let Some(id) = self.organization_id.as_deref() {
            let id = check_organization(id)?;
            condition(&mut for_use, "StringEquals", ORGANIZATION, id.into());
            condition(&mut for_grant, "StringEquals", ORGANIZATION, id.into());
        }
        // Both lists are AWS's: re:Post knowledge centre `backup-troubleshoot-cross-account-copy`,
        // the key policy's statements "Allow use of the key" and "Allow attachment of persistent
        // resources" (documented). The organization is ours.
        Ok(vec![
            NewStatement::build(
                format!("{SID_PREFIX}DocumentedUse{account}"),
                principal.clone(),
                &[
                    "kms:DescribeKey",
                    "kms:Encrypt",
                    "kms:Decrypt",
                    "kms:ReEncrypt*",
                    "kms:GenerateDataKey",
                    "kms:GenerateDataKeyWithoutPlaintext",
                ],
                for_use,
            )?,
            NewStatement::build(
                format!("{SID_PREFIX}DocumentedGrant{account}"),
                principal,
                &["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
                for_grant,
            )?,
        ])
    }
}
