//! AWS's pages that advice points to. Each was seen in a copy of the documentation of 2026.

pub(super) const ACROSS_ACCOUNTS: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/create-cross-account-backup.html";
pub(super) const ACROSS_REGIONS: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/cross-region-backup.html";
pub(super) const COPIES: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/recov-point-create-a-copy.html";
pub(super) const VAULT_POLICY: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault-access-policy.html";
pub(super) const VAULTS: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault.html";
pub(super) const VAULT_LOCK: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html";
pub(super) const ENCRYPTION: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html";
pub(super) const FEATURES: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-feature-availability.html";
pub(super) const ROLES: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/iam-service-roles.html";
pub(super) const MANAGED_POLICIES: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/security-iam-awsmanpol.html";
pub(super) const SERVICE_LINKED_ROLE: &str = "https://docs.aws.amazon.com/aws-backup/latest/devguide/using-service-linked-roles-AWSServiceRoleForBackup.html";
pub(super) const QUOTAS: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/aws-backup-limits.html";
pub(super) const JOBS: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-dashboards.html";
pub(super) const TROUBLESHOOTING: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/troubleshooting.html";
pub(super) const POINT_IN_TIME: &str =
    "https://docs.aws.amazon.com/aws-backup/latest/devguide/point-in-time-recovery.html";
pub(super) const KEY_POLICIES: &str = "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html";
pub(super) const KEY_STATES: &str =
    "https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html";
pub(super) const ACCESS_DENIED: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html";
pub(super) const BOUNDARIES: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html";
pub(super) const ENDPOINT_POLICIES: &str =
    "https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html";
pub(super) const SERVICE_CONTROL: &str =
    "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html";
pub(super) const RESOURCE_CONTROL: &str =
    "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html";
pub(super) const TAG_POLICIES: &str = "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_tag-policies.html";
pub(super) const REGIONS: &str =
    "https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html";
pub(super) const ALLOWED_AMIS: &str =
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-allowed-amis.html";
