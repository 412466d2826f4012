//! AWS's pages that advice points to. Each was seen in a copy of the documentation of 2026.

macro_rules! pages {
    ($($guide:literal { $($name:ident = $page:literal;)* })*) => {$($(
        pub(crate) const $name: &str =
            concat!("https://docs.aws.amazon.com/", $guide, "/", $page, ".html");
    )*)*};
}

pages! {
    "aws-backup/latest/devguide" {
        ACROSS_ACCOUNTS = "create-cross-account-backup";
        ACROSS_REGIONS = "cross-region-backup";
        COPIES = "recov-point-create-a-copy";
        VAULT_POLICY = "create-a-vault-access-policy";
        VAULTS = "create-a-vault";
        VAULT_LOCK = "vault-lock";
        ENCRYPTION = "encryption";
        FEATURES = "backup-feature-availability";
        ADVANCED_DYNAMODB = "advanced-ddb-backup";
        ROLES = "iam-service-roles";
        MANAGED_POLICIES = "security-iam-awsmanpol";
        SERVICE_LINKED_ROLE = "using-service-linked-roles-AWSServiceRoleForBackup";
        QUOTAS = "aws-backup-limits";
        JOBS = "backup-dashboards";
        TROUBLESHOOTING = "troubleshooting";
        POINT_IN_TIME = "point-in-time-recovery";
        API_PERMISSIONS = "access-control";
    }
    "kms/latest/developerguide" {
        KEY_POLICIES = "key-policy-modifying-external-accounts";
        KEY_STATES = "key-state";
    }
    "IAM/latest/UserGuide" {
        ACCESS_DENIED = "troubleshoot_access-denied";
        BOUNDARIES = "access_policies_boundaries";
    }
    "vpc/latest/privatelink" { ENDPOINT_POLICIES = "vpc-endpoints-access"; }
    "organizations/latest/userguide" {
        SERVICE_CONTROL = "orgs_manage_policies_scps";
        RESOURCE_CONTROL = "orgs_manage_policies_rcps";
        TAG_POLICIES = "orgs_manage_policies_tag-policies";
    }
    "accounts/latest/reference" { REGIONS = "manage-acct-regions"; }
    "AWSEC2/latest/UserGuide" { ALLOWED_AMIS = "ec2-allowed-amis"; }
}
