//! AWS's pages that advice points to. Each was seen in a copy of the documentation of 2026.

pub(crate) const ACROSS_ACCOUNTS: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/create-cross-account-backup.html";
pub(crate) const ACROSS_REGIONS: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/cross-region-backup.html";
pub(crate) const COPIES: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/recov-point-create-a-copy.html";
pub(crate) const VAULT_POLICY: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault-access-policy.html";
pub(crate) const VAULTS: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault.html";
pub(crate) const VAULT_LOCK: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html";
pub(crate) const ENCRYPTION: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html";
pub(crate) const FEATURES: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-feature-availability.html";
pub(crate) const ADVANCED_DYNAMODB: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/advanced-ddb-backup.html";
pub(crate) const ROLES: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/iam-service-roles.html";
pub(crate) const MANAGED_POLICIES: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/security-iam-awsmanpol.html";
pub(crate) const SERVICE_LINKED_ROLE: &str = "https://docs.aws.amazon.com/aws-backup/latest/devguide/using-service-linked-roles-AWSServiceRoleForBackup.html";
pub(crate) const QUOTAS: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/aws-backup-limits.html";
pub(crate) const JOBS: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html";
pub(crate) const TROUBLESHOOTING: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/troubleshooting.html";
pub(crate) const POINT_IN_TIME: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/point-in-time-recovery.html";
pub(crate) const KEY_POLICIES: &str = "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html";
pub(crate) const KEY_STATES: &str =
    "https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html";
pub(crate) const ACCESS_DENIED: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html";
pub(crate) const BOUNDARIES: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html";
pub(crate) const ENDPOINT_POLICIES: &str =
    "https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html";
pub(crate) const SERVICE_CONTROL: &str =
    "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html";
pub(crate) const RESOURCE_CONTROL: &str =
    "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html";
pub(crate) const TAG_POLICIES: &str = "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_tag-policies.html";
pub(crate) const REGIONS: &str =
    "https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html";
pub(crate) const ALLOWED_AMIS: &str =
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-allowed-amis.html";
pub(crate) const API_PERMISSIONS: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/access-control.html";
