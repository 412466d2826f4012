//! The job role and what stands over it.

use copymend_diagnosis::Cause;
use serde_json::{Value, json};

use super::super::healthy::{ORGANIZATION, ROLE, SOURCE};
use super::{Break, Draft, Place, always, document};

const ROLES: &str = "/accounts/111122223333/roles";

pub(super) const WAYS: &[Break] = &[
    Break {
        name: "role-gone",
        cause: Cause::JobRoleMissing,
        is_rule: true,
        places: &[
            Place::Role,
            Place::Trust,
            Place::RolePolicies,
            Place::Boundary,
        ],
        applies: always,
        make: |draft| draft.remove(ROLE),
        mend: |draft| draft.restore(ROLE),
    },
    Break {
        name: "role-under-another-path",
        cause: Cause::JobRoleMissing,
        is_rule: true,
        places: &[Place::Role],
        applies: always,
        make: |draft| draft.set(&in_role("path"), json!("/service-role/")),
        mend: |draft| draft.restore(&in_role("path")),
    },
    Break {
        name: "role-trusts-another-service",
        cause: Cause::JobRoleTrust,
        is_rule: true,
        places: &[Place::Trust],
        applies: always,
        make: |draft| {
            draft.set(
                &in_role("trust_policy"),
                trust("lambda.amazonaws.com", &json!({})),
            );
        },
        mend: |draft| draft.restore(&in_role("trust_policy")),
    },
    Break {
        name: "role-trusts-another-account",
        cause: Cause::JobRoleTrust,
        is_rule: true,
        places: &[Place::Trust],
        applies: always,
        make: |draft| {
            let condition = json!({"StringEquals": {"aws:SourceAccount": "999988887777"}});
            draft.set(
                &in_role("trust_policy"),
                trust("backup.amazonaws.com", &condition),
            );
        },
        mend: |draft| draft.restore(&in_role("trust_policy")),
    },
    Break {
        name: "role-without-policies",
        cause: Cause::JobRolePermission,
        is_rule: true,
        places: &[Place::RolePolicies],
        applies: always,
        make: |draft| draft.set(&in_role("managed_policies"), json!([])),
        mend: |draft| draft.restore(&in_role("managed_policies")),
    },
    Break {
        name: "role-may-not-copy-into-vaults",
        cause: Cause::JobRolePermission,
        is_rule: true,
        places: &[Place::RolePolicies],
        applies: always,
        make: |draft| own_policy(draft, &json!(["backup:CopyFromBackupVault", "kms:*"])),
        mend: restore_policies,
    },
    Break {
        name: "role-may-not-use-keys",
        cause: Cause::JobRolePermission,
        is_rule: true,
        places: &[Place::RolePolicies],
        // In one account, a key's policy that names the role is enough; another account's never is.
        applies: |shape| {
            shape.job_role_uses_vault_key() && (shape.foreign_vault_key || shape.cross_account)
        },
        make: |draft| {
            own_policy(
                draft,
                &json!(["backup:CopyFromBackupVault", "backup:CopyIntoBackupVault"]),
            );
        },
        mend: restore_policies,
    },
    Break {
        name: "role-is-denied-the-copy",
        cause: Cause::JobRolePermission,
        is_rule: true,
        places: &[Place::RolePolicies],
        applies: always,
        make: |draft| {
            let deny = json!({"Effect": "Deny", "Action": "backup:Copy*", "Resource": "*"});
            draft.set(&in_role("policies"), json!({"deny": document(&deny)}));
        },
        mend: |draft| draft.restore(&in_role("policies")),
    },
    Break {
        name: "boundary-without-copies",
        cause: Cause::PermissionsBoundary,
        is_rule: true,
        places: &[Place::Boundary],
        applies: always,
        make: |draft| {
            let allow = json!({"Effect": "Allow", "Action": ["kms:*", "backup:CopyFromBackupVault"], "Resource": "*"});
            boundary(draft, &[allow]);
        },
        mend: |draft| draft.restore(&in_role("permissions_boundary")),
    },
    Break {
        name: "boundary-denies-copies",
        cause: Cause::PermissionsBoundary,
        is_rule: true,
        places: &[Place::Boundary],
        applies: always,
        make: |draft| {
            let allow = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
            let deny =
                json!({"Effect": "Deny", "Action": "backup:CopyFromBackupVault", "Resource": "*"});
            boundary(draft, &[allow, deny]);
        },
        mend: |draft| draft.restore(&in_role("permissions_boundary")),
    },
    Break {
        name: "control-policy-on-the-unit",
        cause: Cause::ServiceControlPolicy,
        is_rule: true,
        places: &[Place::ServiceControl],
        applies: always,
        make: |draft| {
            let deny =
                json!({"Effect": "Deny", "Action": "backup:CopyIntoBackupVault", "Resource": "*"});
            control(draft, "ou-ab12-11111111", &deny);
        },
        mend: restore_control,
    },
    Break {
        name: "control-policy-on-targets-of-copies",
        cause: Cause::ServiceControlPolicy,
        is_rule: true,
        places: &[Place::ServiceControl],
        applies: always,
        make: |draft| {
            let condition = json!({"ForAllValues:ArnNotLike": {"backup:CopyTargets": "arn:aws:backup:*:*:backup-vault:cab-*"}});
            let deny = json!({"Effect": "Deny", "Action": "backup:CopyFromBackupVault", "Resource": "*",
                "Condition": condition});
            control(draft, SOURCE, &deny);
        },
        mend: restore_control,
    },
    Break {
        name: "control-policy-on-tags-of-vaults",
        cause: Cause::ServiceControlPolicy,
        is_rule: true,
        places: &[Place::ServiceControl],
        applies: always,
        make: |draft| {
            let deny = json!({"Effect": "Deny", "Action": "backup:CopyIntoBackupVault", "Resource": "*",
                "Condition": {"Null": {"aws:ResourceTag/DestinationBackupVault": "true"}}});
            control(draft, "r-ab12", &deny);
        },
        mend: restore_control,
    },
    Break {
        name: "resource-control-policy-on-keys",
        cause: Cause::ResourceControlPolicy,
        is_rule: true,
        places: &[Place::ResourceControl],
        applies: |shape| {
            let usual = shape.job_role_uses_source_key();
            // Which principal uses the key of a fully managed type isn't known, unless an
            // air-gapped vault is involved.
            let is_known =
                !shape.is_fully_managed() || shape.leaves_air_gapped() || shape.enters_air_gapped();
            shape.job_role_uses_vault_key() || (usual && is_known)
        },
        make: |draft| {
            let deny =
                json!({"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"});
            let policy =
                json!([{"name": "keys", "targets": ["r-ab12"], "policy": document(&deny)}]);
            draft.set(&format!("{ORGANIZATION}/resource_control_policies"), policy);
        },
        mend: |draft| draft.restore(&format!("{ORGANIZATION}/resource_control_policies")),
    },
];

fn in_role(field: &str) -> String {
    format!("{ROLES}/BackupRole/{field}")
}

fn trust(service: &str, condition: &Value) -> Value {
    document(
        &json!({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole",
        "Condition": condition}),
    )
}

/// Puts one policy of its own in the place of the managed one.
fn own_policy(draft: &mut Draft, actions: &Value) {
    let allow = json!({"Effect": "Allow", "Action": actions, "Resource": "*"});
    draft.set(&in_role("managed_policies"), json!([]));
    draft.set(&in_role("policies"), json!({"own": document(&allow)}));
}

fn restore_policies(draft: &mut Draft) {
    draft.restore(&in_role("managed_policies"));
    draft.restore(&in_role("policies"));
}

fn boundary(draft: &mut Draft, statements: &[Value]) {
    let policy = json!({"Version": "2012-10-17", "Statement": statements});
    let boundary = json!({"arn": "arn:aws:iam::111122223333:policy/Boundary", "policy": policy});
    draft.set(&in_role("permissions_boundary"), boundary);
}

fn control(draft: &mut Draft, target: &str, statement: &Value) {
    let policy = json!([{"name": "control", "targets": [target], "policy": document(statement)}]);
    draft.set(&format!("{ORGANIZATION}/service_control_policies"), policy);
}

fn restore_control(draft: &mut Draft) {
    draft.restore(&format!("{ORGANIZATION}/service_control_policies"));
}
