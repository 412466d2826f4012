//! The destination vault's key.

use copymend_diagnosis::Cause;
use serde_json::json;

use super::super::healthy::ROLE_ARN;
use super::{Break, Draft, Place, Shape};

/// Everything of the key.
const WHOLE: &[Place] = &[Place::VaultKey, Place::VaultKeyPolicy, Place::VaultKeyDeny];

fn of_customer(shape: Shape) -> bool {
    shape.has_vault_key()
}

fn is_used(shape: Shape) -> bool {
    shape.job_role_uses_vault_key() || shape.linked_role_uses_vault_key()
}

pub(super) const WAYS: &[Break] = &[
    Break {
        name: "vault-on-the-default-key",
        cause: Cause::DestinationVaultKey,
        is_rule: true,
        places: &[Place::Vault, Place::VaultKey],
        applies: |shape| {
            !shape.enters_air_gapped() && (!shape.is_fully_managed() || shape.leaves_air_gapped())
        },
        make: |draft| draft.remove(&in_vault(draft)),
        mend: |draft| draft.restore(&in_vault(draft)),
    },
    Break {
        name: "vault-key-gone",
        cause: Cause::DestinationVaultKey,
        is_rule: true,
        places: WHOLE,
        applies: of_customer,
        make: |draft| draft.remove(&draft.places.vault_key.clone()),
        mend: |draft| draft.restore(&draft.places.vault_key.clone()),
    },
    Break {
        name: "vault-key-disabled",
        cause: Cause::DestinationVaultKey,
        is_rule: true,
        places: &[Place::VaultKey],
        applies: of_customer,
        make: |draft| draft.set(&in_key(draft, "state"), json!("Disabled")),
        mend: |draft| draft.restore(&in_key(draft, "state")),
    },
    Break {
        name: "vault-key-admits-nobody",
        cause: Cause::DestinationVaultKey,
        is_rule: true,
        places: &[Place::VaultKeyPolicy],
        applies: is_used,
        make: |draft| {
            drop_both(draft);
            keep_owner_off(draft);
        },
        mend: restore_all,
    },
    Break {
        name: "vault-key-gives-no-grant",
        cause: Cause::DestinationVaultKey,
        is_rule: true,
        places: &[Place::VaultKeyPolicy],
        applies: is_used,
        make: |draft| {
            draft.drop_statement(&draft.places.vault_key.clone(), "Grant");
            keep_owner_off(draft);
        },
        mend: restore_all,
    },
    Break {
        name: "vault-key-admits-another-role",
        cause: Cause::DestinationVaultKey,
        is_rule: true,
        places: &[Place::VaultKeyPolicy],
        applies: is_used,
        make: |draft| {
            let other = format!("{ROLE_ARN}Other");
            for sid in ["Use", "Grant"] {
                draft.change_statement(&draft.places.vault_key.clone(), sid, |statement| {
                    statement.insert("Principal".to_owned(), json!({"AWS": other}));
                });
            }
            keep_owner_off(draft);
        },
        mend: restore_all,
    },
    Break {
        name: "vault-key-denies-grants",
        cause: Cause::DestinationVaultKey,
        is_rule: true,
        places: &[Place::VaultKeyDeny],
        applies: is_used,
        make: |draft| {
            let deny = json!({"Sid": "NoGrants", "Effect": "Deny", "Principal": "*", "Action": "kms:CreateGrant",
                "Resource": "*"});
            draft.add_statement(&draft.places.vault_key.clone(), deny);
        },
        mend: |draft| draft.drop_statement(&draft.places.vault_key.clone(), "NoGrants"),
    },
];

fn in_vault(draft: &Draft) -> String {
    format!("{}/encryption_key_arn", draft.places.vault)
}

fn in_key(draft: &Draft, field: &str) -> String {
    format!("{}/{field}", draft.places.vault_key)
}

fn drop_both(draft: &mut Draft) {
    for sid in ["Use", "Grant"] {
        draft.drop_statement(&draft.places.vault_key.clone(), sid);
    }
}

/// What the key delegates to its own account would let roles of it use the key by their own
/// policies.
fn keep_owner_off(draft: &mut Draft) {
    draft.change_statement(&draft.places.vault_key.clone(), "Owner", |statement| {
        let administration = json!(["kms:Describe*", "kms:Get*", "kms:List*", "kms:Put*"]);
        statement.insert("Action".to_owned(), administration);
    });
}

fn restore_all(draft: &mut Draft) {
    for sid in ["Owner", "Use", "Grant"] {
        draft.restore_statement(&draft.places.vault_key.clone(), sid);
    }
}
