//! The organization, and the service-linked role of the destination.
//!
//! An account has enabled the Regions that its vaults are in: disabling a Region "will remove all IAM
//! access to any resources that reside in that Region" (documented: Account Management API
//! reference, `DisableRegion`), so that no copy could begin or end there (inferred).

use copymend_diagnosis::Cause;
use serde_json::json;

use super::super::healthy::ORGANIZATION;
use super::{Break, Place, Shape, across_accounts, always};

const DESTINATION: &str = "/organizations/0/member_accounts/444455556666";
const ELSEWHERE: &str = "/organizations/1/member_accounts/444455556666";

pub(super) const WAYS: &[Break] = &[
    Break {
        name: "destination-in-no-organization",
        cause: Cause::OrganizationMembership,
        is_rule: true,
        places: &[Place::Membership],
        applies: across_accounts,
        make: |draft| draft.remove(DESTINATION),
        mend: |draft| draft.restore(DESTINATION),
    },
    Break {
        name: "destination-in-another-organization",
        cause: Cause::OrganizationMembership,
        is_rule: true,
        places: &[Place::Membership],
        applies: across_accounts,
        make: |draft| {
            draft.remove(DESTINATION);
            draft.set(ELSEWHERE, json!("o-acquired2024/r-zz99/"));
        },
        mend: |draft| {
            draft.restore(ELSEWHERE);
            draft.restore(DESTINATION);
        },
    },
    Break {
        name: "feature-off",
        cause: Cause::CrossAccountBackupDisabled,
        is_rule: true,
        places: &[Place::Feature],
        applies: across_accounts,
        make: |draft| draft.set(&feature(), json!(false)),
        mend: |draft| draft.restore(&feature()),
    },
    Break {
        name: "linked-role-missing",
        cause: Cause::ServiceLinkedRole,
        is_rule: true,
        places: &[Place::ServiceLinkedRole],
        applies: across_accounts,
        make: |draft| draft.set("/accounts/444455556666/service_linked_role", json!(false)),
        mend: |draft| draft.restore("/accounts/444455556666/service_linked_role"),
    },
    Break {
        name: "tag-value-not-allowed",
        cause: Cause::TagPolicy,
        is_rule: true,
        places: &[Place::TagPolicy],
        applies: always,
        make: |draft| {
            let rule =
                json!({"Stage": {"values": ["test", "staging-*"], "enforced_for": ENFORCED_FOR}});
            draft.set(&tag_policies(), rule);
        },
        mend: |draft| draft.restore(&tag_policies()),
    },
    Break {
        name: "tag-key-in-another-case",
        cause: Cause::TagPolicy,
        is_rule: true,
        places: &[Place::TagPolicy],
        applies: always,
        make: |draft| {
            let rule = json!({"STAGE": {"values": [], "enforced_for": ENFORCED_FOR}});
            draft.set(&tag_policies(), rule);
        },
        mend: |draft| draft.restore(&tag_policies()),
    },
    Break {
        name: "destination-not-enabled-in-the-keys-region",
        cause: Cause::RegionOptIn,
        is_rule: true,
        places: &[Place::OptIn],
        applies: |shape: Shape| {
            let fully_managed = shape.is_fully_managed() && !shape.leaves_air_gapped();
            shape.opt_in_region
                && shape.cross_region
                && shape.cross_account
                && shape.linked_role_uses_source_key()
                && !fully_managed
        },
        make: |draft| draft.set(ENABLED, json!(["af-south-1"])),
        mend: |draft| draft.restore(ENABLED),
    },
    Break {
        name: "source-not-enabled-in-the-keys-region",
        cause: Cause::RegionOptIn,
        is_rule: true,
        places: &[Place::OptIn],
        applies: |shape: Shape| {
            shape.opt_in_region
                && shape.cross_region
                && shape.cross_account
                && shape.enters_air_gapped()
                && shape.job_role_uses_vault_key()
        },
        make: |draft| draft.set("/accounts/111122223333/enabled_opt_in_regions", json!([])),
        mend: |draft| draft.restore("/accounts/111122223333/enabled_opt_in_regions"),
    },
];

const ENABLED: &str = "/accounts/444455556666/enabled_opt_in_regions";
/// Every type that a backup of some shape is.
const ENFORCED_FOR: [&str; 5] = ["ec2:*", "rds:*", "fsx:*", "backup:*", "redshift:*"];

fn feature() -> String {
    format!("{ORGANIZATION}/cross_account_backup_enabled")
}

fn tag_policies() -> String {
    format!("{ORGANIZATION}/tag_policies")
}
