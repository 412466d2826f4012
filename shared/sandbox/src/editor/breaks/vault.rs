//! The destination vault.

use copymend_diagnosis::Cause;
use serde_json::{Value, json};

use super::super::healthy::COPY;
use super::{Break, Draft, Place, Shape, across_accounts, always};

/// Everything of the vault.
const WHOLE: &[Place] = &[
    Place::Vault,
    Place::VaultAllow,
    Place::VaultDeny,
    Place::Lock,
    Place::VaultKey,
];

pub(super) const WAYS: &[Break] = &[
    Break {
        name: "vault-gone",
        cause: Cause::VaultNotFound,
        is_rule: true,
        places: WHOLE,
        applies: always,
        make: |draft| draft.remove(&draft.places.vault.clone()),
        mend: |draft| draft.restore(&draft.places.vault.clone()),
    },
    Break {
        name: "default-vault",
        cause: Cause::DestinationVaultKey,
        is_rule: true,
        places: WHOLE,
        applies: |shape: Shape| shape.cross_account && !shape.enters_air_gapped(),
        make: |draft| {
            let vault = draft.json().pointer(&draft.places.vault).cloned();
            draft.remove(&draft.places.vault.clone());
            draft.set(&default_vault(draft), vault.unwrap_or(Value::Null));
            let arn = draft.places.vault_arn.replace(":dr", ":Default");
            draft.set(&format!("{COPY}/destination_vault_arn"), json!(arn));
        },
        mend: |draft| {
            draft.remove(&default_vault(draft));
            draft.restore(&draft.places.vault.clone());
            draft.restore(&format!("{COPY}/destination_vault_arn"));
        },
    },
    Break {
        name: "vault-allow-missing",
        cause: Cause::DestinationVaultPolicy,
        is_rule: true,
        places: &[Place::VaultAllow],
        applies: across_accounts,
        make: |draft| draft.drop_statement(&draft.places.vault.clone(), "Admit"),
        mend: restore_allow,
    },
    Break {
        name: "vault-without-policy",
        cause: Cause::DestinationVaultPolicy,
        is_rule: true,
        places: &[Place::VaultAllow, Place::VaultDeny],
        applies: across_accounts,
        make: |draft| draft.remove(&in_vault(draft, "policy")),
        mend: |draft| draft.restore(&in_vault(draft, "policy")),
    },
    Break {
        name: "vault-allows-another-account",
        cause: Cause::DestinationVaultPolicy,
        is_rule: true,
        places: &[Place::VaultAllow],
        applies: across_accounts,
        make: |draft| {
            change_allow(
                draft,
                "Principal",
                json!({"AWS": "arn:aws:iam::222233334444:root"}),
            );
        },
        mend: restore_allow,
    },
    Break {
        name: "vault-allows-another-organization",
        cause: Cause::DestinationVaultPolicy,
        is_rule: true,
        places: &[Place::VaultAllow],
        applies: across_accounts,
        make: |draft| {
            let other = json!({"StringEquals": {"aws:PrincipalOrgID": "o-otherorgid00"}});
            change_allow(draft, "Condition", other);
        },
        mend: restore_allow,
    },
    Break {
        name: "vault-allows-another-role",
        cause: Cause::DestinationVaultPolicy,
        is_rule: true,
        places: &[Place::VaultAllow],
        applies: across_accounts,
        make: |draft| {
            let other =
                json!({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/Other"}});
            change_allow(draft, "Condition", other);
        },
        mend: restore_allow,
    },
    Break {
        name: "vault-denies-everybody",
        cause: Cause::DestinationVaultDeny,
        is_rule: true,
        places: &[Place::VaultDeny],
        applies: always,
        make: |draft| deny(draft, &json!({})),
        mend: |draft| draft.drop_statement(&draft.places.vault.clone(), "Nobody"),
    },
    Break {
        name: "vault-denies-other-accounts",
        cause: Cause::DestinationVaultDeny,
        is_rule: true,
        places: &[Place::VaultDeny],
        applies: always,
        make: |draft| {
            deny(
                draft,
                &json!({"StringNotEquals": {"aws:PrincipalAccount": "222233334444"}}),
            );
        },
        mend: |draft| draft.drop_statement(&draft.places.vault.clone(), "Nobody"),
    },
    Break {
        name: "retention-too-short",
        cause: Cause::RetentionOutOfRange,
        is_rule: true,
        places: &[Place::Lock],
        applies: always,
        make: |draft| draft.set(&in_vault(draft, "lock"), json!({"min_retention_days": 90})),
        mend: |draft| draft.restore(&in_vault(draft, "lock")),
    },
    Break {
        name: "retention-too-long",
        cause: Cause::RetentionOutOfRange,
        is_rule: true,
        places: &[Place::Lock],
        applies: always,
        make: |draft| {
            let lock = json!({"min_retention_days": 7, "max_retention_days": 30});
            draft.set(&in_vault(draft, "lock"), lock);
        },
        mend: |draft| draft.restore(&in_vault(draft, "lock")),
    },
];

fn in_vault(draft: &Draft, field: &str) -> String {
    format!("{}/{field}", draft.places.vault)
}

fn default_vault(draft: &Draft) -> String {
    draft.places.vault.replace("/vaults/dr", "/vaults/Default")
}

fn change_allow(draft: &mut Draft, element: &str, value: Value) {
    let vault = draft.places.vault.clone();
    draft.change_statement(&vault, "Admit", |statement| {
        statement.insert(element.to_owned(), value);
    });
}

fn restore_allow(draft: &mut Draft) {
    draft.restore_statement(&draft.places.vault.clone(), "Admit");
}

fn deny(draft: &mut Draft, condition: &Value) {
    let statement = json!({"Sid": "Nobody", "Effect": "Deny", "Principal": "*", "Action": "backup:CopyIntoBackupVault",
        "Resource": "*", "Condition": condition});
    draft.add_statement(&draft.places.vault.clone(), statement);
}
