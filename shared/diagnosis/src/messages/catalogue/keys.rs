//! Texts about KMS keys. Asked before a generic "does not exist", because they hold that phrase too.

use super::Rule;
use super::wording::{AT_DESTINATION, KEY_NAMES, NOT_ALLOWED, OR_EXPLICIT_DENY, OTHER_POLICIES};
use crate::Cause;

/// What says that a text may speak of another key than the source's, or of another policy than the key's.
const ANOTHER_KEY: &[&str] = &[
    "performance insights",
    "key of the target",
    "replica kms",
    "rotation",
    "destination vault",
    "destination backup",
    "destination kms",
    "destination key",
    "destination account's",
    "target vault",
    "target backup",
    "target kms",
    "vault's",
    "for the destination",
    "bucket",
    " topic",
    " secret",
    " s3",
    "of the vault",
    "aws managed",
    "aws-managed",
    "alias/aws/",
    "aws/ebs",
    "aws/rds",
];

pub(super) const RULES: &[Rule] = &[
    // Documented: "Given key ID is not accessible. You must have DescribeKey permissions on the default key". It appears
    // for a key policy that admits nobody and for the default key.
    Rule::new(
        &[
            &[
                "key id is not accessible",
                "key is not accessible",
                "must have describekey permission",
            ],
            &[
                "default cmk",
                "default key",
                "default kms key",
                "default customer master key",
            ],
        ],
        &[
            Cause::SourceKeyPolicy,
            Cause::AwsManagedKey,
            Cause::SourceKeyState,
            Cause::KeyNotFound,
        ],
        "The key cannot be used from the destination account.",
    )
    .unless(AT_DESTINATION),
    // Documented: "Given key ID is not accessible".
    Rule::new(
        &[
            &[
                "not accessible",
                "inaccessible",
                "kmskeynotaccessible",
                "unable to access",
                "not be accessed",
            ],
            &[
                "key id",
                "kms key",
                "encryption key",
                "customer managed key",
                "cmk",
                "kmskeynotaccessible",
                ":key/",
                "keyid",
            ],
        ],
        &[
            Cause::SourceKeyPolicy,
            Cause::SourceKeyState,
            Cause::AwsManagedKey,
            Cause::KeyNotFound,
        ],
        "The key cannot be used from the destination account.",
    )
    .unless(AT_DESTINATION),
    // Documented: RDS "The source snapshot KMS key [arn] does not exist, is not enabled or you do not have permissions to
    // access it", whatever the order of its parts.
    Rule::new(
        &[
            &["or you do not have permission"],
            &["not enabled"],
            &[
                "not exist",
                "not enabled or you do not",
                "not enabled, or you do not",
            ],
            &["kms key", "cmk", "encryption key"],
        ],
        &[
            Cause::SourceKeyPolicy,
            Cause::SourceKeyState,
            Cause::KeyNotFound,
            Cause::AwsManagedKey,
        ],
        "The key of the source snapshot cannot be used from the destination account.",
    )
    .unless_either(AT_DESTINATION, ANOTHER_KEY),
    // Documented: "KMS key is either disabled or pending deletion or access to KMS key is denied".
    Rule::new(
        &[&[
            "disabled, pending deletion",
            "disabled or pending deletion",
            "disabled or is pending deletion",
        ]],
        &[
            Cause::SourceKeyState,
            Cause::SourceKeyPolicy,
            Cause::KeyNotFound,
            Cause::DestinationVaultKey,
        ],
        "The key is disabled, pending deletion or out of reach.",
    )
    .unless(AT_DESTINATION),
    // Seen: KMS "arn:… is pending deletion.", "… is disabled.", "… is pending import."
    Rule::new(
        &[
            &[
                "is disabled",
                "in an invalid state",
                "pendingdeletion",
                "pendingimport",
                "is pending replica deletion",
                "pendingreplicadeletion",
                "pending deletion",
                "pending import",
                "scheduled for deletion",
                "has been disabled",
                "was disabled",
                "is currently disabled",
                "in state disabled",
                "state: disabled",
                "not in the enabled state",
                "key material has expired",
                "kmsinvalidstate",
                "disabledexception",
            ],
            KEY_NAMES,
        ],
        &[Cause::SourceKeyState],
        "The key is disabled or waits for deletion or import.",
    )
    .unless_either(
        AT_DESTINATION,
        &["either disabled or pending deletion", "access key"],
    ),
    // Inferred: the same for what is not enabled, unless that is one of several things.
    Rule::new(
        &[&["is not enabled"], KEY_NAMES],
        &[Cause::SourceKeyState],
        "The key is disabled or waits for deletion or import.",
    )
    .unless_either(
        AT_DESTINATION,
        &[
            "or you do not have permission",
            "either disabled or pending deletion",
            "access key",
            "non existent, in the wrong",
        ],
    ),
    // Seen: "KMS Key arn:… non existent, in the wrong region, or not enabled".
    Rule::new(
        &[&["non existent, in the wrong region"], &["kms key"]],
        &[Cause::KeyNotFound, Cause::SourceKeyState],
        "The key does not exist here or is not enabled.",
    ),
    // Documented pattern "kms key" with an access text: the message says that the key refuses. The wording is inferred.
    Rule::new(
        &[&[
            "access to kms key is denied",
            "access to the kms key is denied",
            "access to kms key denied",
            "access denied to kms key",
            "access denied to the kms key",
            "access to the key is denied",
            "access denied for kms key",
        ]],
        &[
            Cause::SourceKeyPolicy,
            Cause::JobRolePermission,
            Cause::SourceKeyDeny,
        ],
        "The message says that access to the key is denied.",
    )
    .unless_either(
        ANOTHER_KEY,
        &[
            "key of the destination",
            "key of destination",
            "either disabled or pending deletion",
            " role",
            " user ",
            " sns",
            "grant was",
            "destination region",
            "denied by",
            "denied due to",
            "denied because",
            "denied: ",
            " lacks ",
        ],
    ),
    // The same with other words between: what is denied, and by what, is less sure, so advice comes first.
    Rule::new(
        &[
            &[
                "access to kms key",
                "access to the kms key",
                "access to key arn:aws",
                "access to the key arn:aws",
            ],
            &["is denied", "was denied"],
        ],
        &[
            Cause::JobRolePermission,
            Cause::SourceKeyPolicy,
            Cause::SourceKeyDeny,
        ],
        "The message says that access to the key is denied.",
    )
    .unless_either(
        AT_DESTINATION,
        &[
            "either disabled or pending deletion",
            // Something else may be what denies or is denied.
            "denied by",
            "denied due to an scp",
            "denied due to a service control",
            "denied due to a resource control",
            "denied due to an rcp",
            "denied due to the organization's",
            "because no",
            "destination vault",
            "destination backup vault",
            "bucket",
            "access to the vault",
            "access to the backup",
            "access to the snapshot",
            "is granted",
            "was granted",
            "has access to",
        ],
    ),
    // Seen: KMS "Invalid keyId 'x'", also with an alias.
    Rule::new(
        &[&["invalid keyid"]],
        &[Cause::KeyNotFound],
        "KMS does not know the key.",
    ),
    // Seen: KMS to a caller of another account "… because the resource does not exist in this Region, no resource-based
    // policies allow access, or a resource-based policy explicitly denies access". Adds to the grammar.
    Rule::new(
        &[&["no resource-based policies allow access"], &["kms:"]],
        &[
            Cause::SourceKeyPolicy,
            Cause::KeyNotFound,
            Cause::SourceKeyDeny,
        ],
        "The key does not exist in this Region or its policy does not let the caller in.",
    ),
    // Seen: KMS "The ciphertext refers to a customer master key that does not exist, … or you are not allowed to access."
    Rule::new(
        &[
            &[
                "or you are not allowed to access",
                "or that you are not allowed to access",
            ],
            // An access key and an API key are no keys of KMS.
            &["kms key", "customer master key", "cmk", "encryption key"],
        ],
        &[
            Cause::SourceKeyPolicy,
            Cause::KeyNotFound,
            Cause::JobRolePermission,
        ],
        "The key does not exist here or does not let the caller in.",
    )
    .unless_either(AT_DESTINATION, ANOTHER_KEY),
    // Inferred: a key policy named in plain words. The words must stand together, for a text may name several policies.
    Rule::new(
        &[
            &[
                "key policy does not",
                "key policy of arn:aws",
                "key policy of the source key",
                "key policy of the source snapshot",
                "key policy of the kms key does not",
                "key policy of the key does not",
            ],
            NOT_ALLOWED,
        ],
        &[
            Cause::SourceKeyPolicy,
            Cause::JobRolePermission,
            Cause::DestinationVaultKey,
        ],
        "The message says that the key policy does not allow the use.",
    )
    .unless_either(
        ANOTHER_KEY,
        &[
            "to perform",
            "key policy allows",
            "boundary",
            "secretsmanager",
            " allows it",
            " permits it",
            "key of the destination",
            "key of destination",
        ],
    ),
    Rule::new(
        &[&["key policy"], NOT_ALLOWED],
        &[
            Cause::JobRolePermission,
            Cause::SourceKeyPolicy,
            Cause::DestinationVaultKey,
        ],
        "The message speaks of a policy that does not allow the use of a key.",
    )
    .unless(&["to perform"]),
    Rule::new(
        &[&[
            "key policy denies",
            "denied by the key policy",
            "denied by key policy",
        ]],
        &[Cause::SourceKeyDeny],
        "The message says that the key policy denies the use.",
    ),
    Rule::new(
        &[
            &["key policy", "key's policy"],
            &["explicitly den", "explicit den"],
        ],
        &[Cause::SourceKeyDeny],
        "The message says that the key policy denies the use.",
    )
    .unless_either(
        OTHER_POLICIES,
        &[
            "authorized to perform:",
            "authorised to perform:",
            "no explicit den",
            "not explicitly den",
            OR_EXPLICIT_DENY,
        ],
    ),
];
