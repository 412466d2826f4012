//! The keys of the source.

use copymend_diagnosis::Cause;
use serde_json::json;

use super::super::healthy::ROLE_ARN;
use super::super::shape::{Backup, VaultKind};
use super::{Break, Draft, Place, Shape};

/// Everything of the key.
const WHOLE: &[Place] = &[
    Place::SourceKey,
    Place::SourceKeyPolicy,
    Place::SourceKeyDeny,
];

const fn has_key(shape: Shape) -> bool {
    !matches!(shape.backup, Backup::PlainEbs) && !matches!(shape.source, VaultKind::AirGapped)
}

pub(super) const WAYS: &[Break] = &[
    Break {
        name: "source-key-managed-by-aws",
        cause: Cause::AwsManagedKey,
        is_rule: true,
        places: WHOLE,
        applies: |shape| {
            let leaves = shape.cross_account || shape.enters_air_gapped();
            has_key(shape)
                && leaves
                && !shape.is_fully_managed()
                && !shape.leaves_air_gapped()
                && !shape.foreign_source_key
        },
        make: |draft| {
            draft.set(&in_key(draft, "manager"), json!("AWS"));
            draft.remove(&in_key(draft, "policy"));
        },
        mend: |draft| {
            draft.restore(&in_key(draft, "manager"));
            draft.restore(&in_key(draft, "policy"));
        },
    },
    Break {
        name: "source-key-gone",
        cause: Cause::KeyNotFound,
        is_rule: true,
        places: WHOLE,
        applies: has_key,
        make: |draft| draft.remove(&draft.places.source_key.clone()),
        mend: |draft| draft.restore(&draft.places.source_key.clone()),
    },
    Break {
        name: "source-key-disabled",
        cause: Cause::SourceKeyState,
        is_rule: true,
        places: &[Place::SourceKey],
        applies: has_key,
        make: |draft| draft.set(&in_key(draft, "state"), json!("Disabled")),
        mend: |draft| draft.restore(&in_key(draft, "state")),
    },
    Break {
        name: "source-key-pending-deletion",
        cause: Cause::SourceKeyState,
        is_rule: true,
        places: &[Place::SourceKey],
        applies: has_key,
        make: |draft| draft.set(&in_key(draft, "state"), json!("PendingDeletion")),
        mend: |draft| draft.restore(&in_key(draft, "state")),
    },
    Break {
        name: "source-key-denies-grants",
        cause: Cause::SourceKeyDeny,
        is_rule: true,
        places: &[Place::SourceKeyDeny],
        applies: has_key,
        make: |draft| deny(draft, "kms:CreateGrant"),
        mend: |draft| draft.drop_statement(&draft.places.source_key.clone(), "NoUse"),
    },
    Break {
        name: "source-key-denies-to-be-described",
        cause: Cause::SourceKeyDeny,
        is_rule: true,
        places: &[Place::SourceKeyDeny],
        applies: has_key,
        make: |draft| deny(draft, "kms:DescribeKey"),
        mend: |draft| draft.drop_statement(&draft.places.source_key.clone(), "NoUse"),
    },
    Break {
        name: "source-key-admits-nobody",
        cause: Cause::SourceKeyPolicy,
        is_rule: true,
        places: &[Place::SourceKeyPolicy],
        applies: has_key,
        make: |draft| {
            for sid in ["Use", "Grant"] {
                draft.drop_statement(&draft.places.source_key.clone(), sid);
            }
        },
        mend: restore_both,
    },
    Break {
        name: "source-key-gives-no-grant",
        cause: Cause::SourceKeyPolicy,
        is_rule: true,
        places: &[Place::SourceKeyPolicy],
        applies: has_key,
        make: |draft| draft.drop_statement(&draft.places.source_key.clone(), "Grant"),
        mend: restore_both,
    },
    Break {
        name: "source-key-admits-another-role",
        cause: Cause::SourceKeyPolicy,
        is_rule: true,
        places: &[Place::SourceKeyPolicy],
        applies: has_key,
        make: |draft| admit_only(draft, &format!("{ROLE_ARN}Other")),
        mend: restore_both,
    },
    Break {
        name: "air-gapped-vaults-key-admits-the-job-role-alone",
        cause: Cause::SourceKeyPolicy,
        is_rule: true,
        places: &[Place::SourceKeyPolicy],
        applies: |shape| has_key(shape) && shape.leaves_air_gapped() && !shape.enters_air_gapped(),
        make: |draft| admit_only(draft, ROLE_ARN),
        mend: restore_both,
    },
    Break {
        name: "air-gapped-vaults-key-admits-the-linked-role-alone",
        cause: Cause::SourceKeyPolicy,
        is_rule: true,
        places: &[Place::SourceKeyPolicy],
        applies: |shape| has_key(shape) && shape.leaves_air_gapped() && !shape.enters_air_gapped(),
        make: |draft| admit_only(draft, &draft.places.linked_role.clone()),
        mend: restore_both,
    },
    Break {
        name: "second-snapshots-key-admits-nobody",
        cause: Cause::SourceKeyPolicy,
        is_rule: true,
        places: &[Place::SecondKey],
        applies: |shape| shape.backup == Backup::Image,
        make: |draft| {
            for sid in ["Use", "Grant"] {
                draft.drop_statement(&draft.places.second_key.clone(), sid);
            }
        },
        mend: |draft| {
            for sid in ["Use", "Grant"] {
                draft.restore_statement(&draft.places.second_key.clone(), sid);
            }
        },
    },
    Break {
        name: "second-snapshots-key-disabled",
        cause: Cause::SourceKeyState,
        is_rule: true,
        places: &[Place::SecondKey],
        applies: |shape| shape.backup == Backup::Image,
        make: |draft| {
            draft.set(
                &format!("{}/state", draft.places.second_key),
                json!("Disabled"),
            );
        },
        mend: |draft| draft.restore(&format!("{}/state", draft.places.second_key)),
    },
];

fn in_key(draft: &Draft, field: &str) -> String {
    format!("{}/{field}", draft.places.source_key)
}

fn deny(draft: &mut Draft, action: &str) {
    let statement = json!({"Sid": "NoUse", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"});
    draft.add_statement(&draft.places.source_key.clone(), statement);
}

fn admit_only(draft: &mut Draft, principal: &str) {
    for sid in ["Use", "Grant"] {
        draft.change_statement(&draft.places.source_key.clone(), sid, |statement| {
            statement.insert("Principal".to_owned(), json!({"AWS": principal}));
        });
    }
}

fn restore_both(draft: &mut Draft) {
    for sid in ["Use", "Grant"] {
        draft.restore_statement(&draft.places.source_key.clone(), sid);
    }
}
