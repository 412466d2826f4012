//! What is copied.

use copymend_diagnosis::Cause;
use serde_json::{Value, json};

use super::super::healthy::COPY;
use super::super::shape::Backup;
use super::{Break, Draft, Place, Shape, always};

pub(super) const WAYS: &[Break] = &[
    Break {
        name: "backup-gone",
        cause: Cause::SourceNotFound,
        is_rule: true,
        places: &[Place::Point, Place::Tags],
        applies: always,
        make: |draft| {
            let point = draft.json().pointer(&draft.places.point).cloned();
            let field = |name: &str| point.as_ref().and_then(|point| point.get(name)).cloned();
            for name in ["resource_arn", "resource_type"] {
                draft.set(
                    &format!("{COPY}/{name}"),
                    field(name).unwrap_or(Value::Null),
                );
            }
            draft.set(&points(draft), json!([]));
        },
        mend: |draft| {
            draft.restore(&format!("{COPY}/resource_arn"));
            draft.restore(&format!("{COPY}/resource_type"));
            draft.restore(&points(draft));
        },
    },
    Break {
        name: "type-without-copies",
        cause: Cause::UnsupportedResourceType,
        is_rule: true,
        // What is mended is a backup of another type, which has the same key: not an image with
        // several, nor one under its vault's.
        places: &[Place::Point, Place::SecondKey],
        applies: |shape| !shape.leaves_air_gapped() && !shape.is_fully_managed(),
        make: |draft| {
            let region = draft.places.source_region;
            let of = |resource: &str| {
                json!(format!("arn:aws:redshift:{region}:111122223333:{resource}"))
            };
            let arn = of("snapshot:sales/awsbackup-1");
            draft.set(&in_point(draft, "arn"), arn.clone());
            draft.set(&in_point(draft, "resource_arn"), of("cluster:sales"));
            draft.set(&in_point(draft, "resource_type"), json!("Redshift"));
            draft.remove(&in_point(draft, "snapshots"));
            draft.set(&format!("{COPY}/recovery_point_arn"), arn);
        },
        mend: |draft| {
            for name in ["arn", "resource_arn", "resource_type", "snapshots"] {
                draft.restore(&in_point(draft, name));
            }
            draft.restore(&format!("{COPY}/recovery_point_arn"));
        },
    },
    Break {
        name: "unencrypted-cluster-into-an-air-gapped-vault",
        cause: Cause::UnsupportedResourceType,
        is_rule: true,
        // What isn't encrypted has no key.
        places: &[
            Place::Point,
            Place::SourceKey,
            Place::SourceKeyPolicy,
            Place::SourceKeyDeny,
        ],
        applies: |shape: Shape| {
            shape.backup == Backup::Aurora
                && shape.enters_air_gapped()
                && !shape.leaves_air_gapped()
        },
        make: |draft| draft.remove(&in_point(draft, "encryption_key_arn")),
        mend: |draft| draft.restore(&in_point(draft, "encryption_key_arn")),
    },
    Break {
        name: "too-many-tags",
        cause: Cause::TagLimit,
        is_rule: true,
        places: &[Place::Tags],
        applies: always,
        make: |draft| {
            for number in 0..50 {
                draft.set(
                    &in_point(draft, &format!("tags/Key{number}")),
                    json!("value"),
                );
            }
        },
        mend: |draft| {
            for number in 0..50 {
                draft.restore(&in_point(draft, &format!("tags/Key{number}")));
            }
        },
    },
    Break {
        name: "source-vault-denies-copies-from-it",
        cause: Cause::SourceVaultDeny,
        is_rule: true,
        places: &[Place::SourceVaultPolicy],
        applies: always,
        make: |draft| {
            let deny = json!({"Sid": "NoCopyOut", "Effect": "Deny", "Principal": "*",
                "Action": "backup:CopyFromBackupVault", "Resource": "*"});
            draft.add_statement(&draft.places.source_vault.clone(), deny);
        },
        mend: |draft| draft.drop_statement(&draft.places.source_vault.clone(), "NoCopyOut"),
    },
    Break {
        name: "source-vault-lets-copies-go-elsewhere",
        cause: Cause::SourceVaultDeny,
        is_rule: true,
        places: &[Place::SourceVaultPolicy],
        applies: always,
        make: |draft| {
            let deny = json!({"Sid": "Elsewhere", "Effect": "Deny", "Principal": "*",
                "Action": "backup:CopyFromBackupVault", "Resource": "*", "Condition": {
                    "ForAllValues:ArnNotLike": {"backup:CopyTargets": "arn:aws:backup:*:*:backup-vault:cab-*"}}});
            draft.add_statement(&draft.places.source_vault.clone(), deny);
        },
        mend: |draft| draft.drop_statement(&draft.places.source_vault.clone(), "Elsewhere"),
    },
];

fn points(draft: &Draft) -> String {
    format!("{}/recovery_points", draft.places.source_vault)
}

fn in_point(draft: &Draft, field: &str) -> String {
    format!("{}/{field}", draft.places.point)
}
