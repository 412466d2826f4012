//! Weak signs: texts that say little. Asked only when nothing else spoke, and never with a repairable cause first.

use super::Rule;
use crate::Cause;

/// Words of texts that tell of a success, or deny the failure.
const SUCCESS: &[&str] = &[
    "completed successfully",
    "copy completed",
    "job completed",
    "was successful",
    "succeeded",
    "successfully copied",
    "no errors",
    "without errors",
    "no access denied",
    "not access denied",
    "without access denied",
    "never access denied",
    "no longer access denied",
    "not denied",
    "no limit exceeded",
    "not kms",
    "no kms",
    "resolved",
];

/// A denial that speaks of a key and says no more.
const KMS_DENIED: &[&str] = &["kms access denied", "kms key access denied"];

pub(super) const RULES: &[Rule] = &[
    // Seen: DynamoDB puts it before what KMS said, whatever that was.
    Rule::new(
        &[KMS_DENIED],
        &[
            Cause::JobRolePermission,
            Cause::SourceKeyPolicy,
            Cause::SourceKeyDeny,
        ],
        "Access to a key was denied; the message does not say why.",
    )
    .unless(SUCCESS),
    // Documented patterns "access denied" and "not authorized to": the text names neither action nor policy. The job role
    // comes first because its repair is advice.
    Rule::new(
        &[&[
            "access denied",
            "access is denied",
            "access was denied",
            "not authorized to",
            "is not authorized",
            "are not authorized",
            "unauthorized to",
        ]],
        &[
            Cause::JobRolePermission,
            Cause::DestinationVaultPolicy,
            Cause::ServiceControlPolicy,
            Cause::PermissionsBoundary,
        ],
        "Access was denied; the message names neither the action nor the policy.",
    )
    .unless_either(SUCCESS, KMS_DENIED),
    Rule::new(
        &[&["access to the"], &["is denied", "was denied"]],
        &[Cause::JobRolePermission],
        "Access was denied; the message names neither the action nor the policy.",
    )
    .unless(SUCCESS),
    // Seen: a bare error code.
    Rule::new(
        &[&["accessdeniedexception:", "accessdenied:"]],
        &[Cause::JobRolePermission],
        "Access was denied; the message says no more.",
    )
    .unless(SUCCESS),
    // Documented pattern "kms key", with a word of failure.
    Rule::new(
        &[
            &["kms key", "kms_key_error", "kms error"],
            &[
                "error",
                "fail",
                "denied",
                "unable to",
                "cannot",
                "could not",
            ],
        ],
        &[
            Cause::SourceKeyState,
            Cause::SourceKeyPolicy,
            Cause::JobRolePermission,
        ],
        "The message blames a KMS key and says no more.",
    )
    .unless(SUCCESS),
    // Documented pattern "resource not found" and its kin without a noun are read by `missing`. What is left:
    Rule::new(
        &[&["try again later", "retry later", "please retry"]],
        &[Cause::Transient],
        "The message asks to try again later.",
    )
    .unless(SUCCESS),
    Rule::new(
        &[
            &[
                "tag policy",
                "copy resource tags",
                "copy the tags",
                "tag_copy_error",
            ],
            &[
                "unable to",
                "fail",
                "could not",
                "cannot",
                "denied",
                "error",
            ],
        ],
        &[Cause::TagPolicy, Cause::TagLimit, Cause::JobRolePermission],
        "The tags could not be copied.",
    )
    .unless(SUCCESS),
];
