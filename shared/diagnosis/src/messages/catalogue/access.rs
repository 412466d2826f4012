//! Texts about permissions and roles outside IAM's access-denied grammar.

use super::Rule;
use super::wording::{
    BLOCKS, DESTINATION_VAULT, DESTINATION_VAULT_POLICY_REFUSES, GRAMMAR, MISSING_PERMISSION,
    NO_STATEMENT_OF_IT, NOT_ALLOWED, NOT_ONLY_A_PERMISSION, NOT_THE_DESTINATION, OR_EXPLICIT_DENY,
    OTHER_POLICIES, SERVICE_LINKED_ROLE_NOT_ASSUMED, VAULT_POLICY,
};
use crate::Cause;

/// How a text says that a copy goes into a vault.
const INTO_IT: &[&str] = &[
    "copyintobackupvault",
    "copy into",
    "copies into",
    "copying into",
    "the copy",
];

pub(super) const RULES: &[Rule] = &[
    // Documented: "Access Denied trying to call AWS Backup service". It stands for the vault policy, for the job role's
    // missing CopyIntoBackupVault, and for a Deny in either place.
    Rule::new(
        &[
            &[
                "denied trying to call",
                "denied when trying to call",
                "denied while trying to call",
            ],
            // The service itself: the Backup gateway is another.
            &[
                "to call aws backup service",
                "to call the aws backup service",
                "to call amazon backup service",
                "to call the amazon backup service",
                "to call backup service",
                "to call the backup service",
            ],
        ],
        &[
            Cause::DestinationVaultPolicy,
            Cause::JobRolePermission,
            Cause::ServiceControlPolicy,
            Cause::DestinationVaultDeny,
        ],
        "The copy into the destination vault was refused; most often the vault's access policy does not admit the source.",
    )
    .unless_either(
        MISSING_PERMISSION,
        &[
            "not denied",
            "no access denied",
            "never denied",
            "backup service to ",
            "backup service for ",
            "backup service from ",
            "backup service api",
            "listtags",
            " lacks ",
            "gateway",
        ],
    ),
    // Inferred: the vault policy in plain words. The words must stand together, for a text may name several policies.
    Rule::new(
        &[DESTINATION_VAULT_POLICY_REFUSES, NOT_ALLOWED, INTO_IT],
        &[Cause::DestinationVaultPolicy, Cause::JobRolePermission],
        "The message says that the vault's access policy does not allow the copy.",
    )
    .unless_either(
        NOT_THE_DESTINATION,
        &["authorized to perform:", "denies", " role"],
    ),
    Rule::new(
        &[
            NO_STATEMENT_OF_IT,
            &["allows", "grants", "permits"],
            INTO_IT,
        ],
        &[Cause::DestinationVaultPolicy, Cause::JobRolePermission],
        "The message says that the vault's access policy does not allow the copy.",
    )
    .unless_either(
        NOT_THE_DESTINATION,
        &["authorized to perform:", "denies", "denied by", "is denied", " role"],
    ),
    // The same words apart: which policy refuses, and whose it is, stays open.
    Rule::new(
        &[DESTINATION_VAULT, VAULT_POLICY, NOT_ALLOWED],
        &[Cause::JobRolePermission, Cause::DestinationVaultPolicy],
        "The message speaks of a policy that does not allow the action.",
    )
    .unless(&["authorized to perform:", "denies"]),
    Rule::new(
        &[
            &["no statement in", "no statement of"],
            DESTINATION_VAULT,
            &["allows", "grants", "permits"],
        ],
        &[Cause::JobRolePermission, Cause::DestinationVaultPolicy],
        "The message speaks of a policy that does not allow the action.",
    )
    .unless(&["authorized to perform:", "denies", "denied by", "is denied"]),
    Rule::new(
        &[
            &["source vault", "source backup vault", "copyfrombackupvault"],
            VAULT_POLICY,
            &["explicitly den", "denies"],
        ],
        &[Cause::JobRolePermission],
        "The message says that the source vault's access policy denies the copy.",
    )
    .unless(&["authorized to perform:", "authorised to perform:"]),
    Rule::new(
        &[&[
            "vault policy denies",
            "access policy denies",
            "denied by the vault",
            "denied by the destination vault",
            "denied by the access policy",
        ]],
        &[Cause::DestinationVaultDeny],
        "The message says that the vault's access policy denies the copy.",
    )
    .unless_either(NOT_THE_DESTINATION, &["not denied by"]),
    Rule::new(
        &[VAULT_POLICY, &["explicitly den"], &["vault"]],
        &[Cause::DestinationVaultDeny],
        "The message says that the vault's access policy denies the copy.",
    )
    .unless_either(
        OTHER_POLICIES,
        &[
            "authorized to perform:",
            "authorised to perform:",
            "not explicitly den",
            "key policy",
            OR_EXPLICIT_DENY,
            "source vault",
            "source backup vault",
            "copyfrombackupvault",
            " topic",
            "opensearch",
        ],
    ),
    // Documented policy types, in plain words.
    Rule::new(
        &[
            &[
                "service control polic",
                "service-control polic",
                "scp",
                "scps",
            ],
            BLOCKS,
        ],
        &[Cause::ServiceControlPolicy],
        "The message names a service control policy of the organization.",
    )
    .unless(GRAMMAR),
    Rule::new(
        &[&["resource control polic", "rcp", "rcps"], BLOCKS],
        &[Cause::ResourceControlPolicy],
        "The message names a resource control policy of the organization.",
    )
    .unless(GRAMMAR),
    Rule::new(
        &[&["permissions boundar", "permission boundar"], BLOCKS],
        &[Cause::PermissionsBoundary],
        "The message names the permissions boundary of the caller.",
    )
    .unless(GRAMMAR),
    Rule::new(
        &[&["session polic"], BLOCKS],
        &[Cause::SessionPolicy],
        "The message names a session policy.",
    )
    .unless(GRAMMAR),
    Rule::new(
        &[
            &[
                "vpc endpoint polic",
                "vpc-endpoint polic",
                "endpoint policy",
            ],
            BLOCKS,
        ],
        &[Cause::VpcEndpointPolicy],
        "The message names the policy of a VPC endpoint.",
    )
    .unless(GRAMMAR),
    // Inferred: the service-linked role in plain words. Reports and RestoreTesting have roles of their own.
    Rule::new(
        &[
            &[
                "role awsserviceroleforbackup",
                "role 'awsserviceroleforbackup",
                "role \"awsserviceroleforbackup",
                "name awsserviceroleforbackup",
                "/backup.amazonaws.com/awsserviceroleforbackup",
                "backup service-linked role",
                "backup service linked role",
                "service-linked role for aws backup",
                "service-linked role of aws backup",
                "service-linked role for backup",
                "service linked role for aws backup",
            ],
            &[
                "does not exist",
                "is missing",
                "missing service-linked role",
                "not found",
                "not be found",
                "not been created",
                "must be created",
                "must exist",
                "create the service-linked role",
                "was not created",
                "not present",
                "no service-linked role",
            ],
        ],
        &[Cause::ServiceLinkedRole],
        "AWS Backup's service-linked role is missing.",
    )
    .unless(&[
        "authorized to perform:",
        "permission",
        "awsserviceroleforbackupreports",
        "awsserviceroleforbackuprestoretesting",
        " key",
        "alias",
        "polic",
        "snapshot",
        "assumed-role/",
        "vault does not exist",
        "exists",
    ]),
    // Inferred: by its bare name. In an ARN the path decides: see above.
    Rule::new(
        &[&[
            "awsserviceroleforbackup is missing",
            "awsserviceroleforbackup role is missing",
            "awsserviceroleforbackup is not present",
            "awsserviceroleforbackup was not created",
            "awsserviceroleforbackup must be created",
            "missing service-linked role awsserviceroleforbackup",
        ]],
        &[Cause::ServiceLinkedRole],
        "AWS Backup's service-linked role is missing.",
    )
    .unless(&[
        ":role/",
        "assumed-role/",
        "awsserviceroleforbackupreports",
        "awsserviceroleforbackuprestoretesting",
        "permission",
        "polic",
    ]),
    // Seen: "The provided role …/AWSServiceRoleForBackup cannot be assumed by AWS Backup."
    Rule::new(
        &[SERVICE_LINKED_ROLE_NOT_ASSUMED],
        &[
            Cause::ServiceLinkedRole,
            Cause::JobRoleMissing,
            Cause::JobRoleTrust,
        ],
        "AWS Backup's service-linked role is missing.",
    ),
    // Documented: "IAM Role … cannot be assumed by AWS Backup".
    Rule::new(
        &[&[
            "cannot be assumed",
            "can not be assumed",
            "could not be assumed",
            "not be assumed by",
            "is not assumable",
        ]],
        &[Cause::JobRoleTrust, Cause::JobRoleMissing],
        "AWS Backup cannot assume the role.",
    )
    .unless(SERVICE_LINKED_ROLE_NOT_ASSUMED),
    // Seen in many services: "Unable to assume role", "not authorized to assume IAM Role".
    Rule::new(
        &[
            &[
                "unable to assume",
                "not able to assume",
                "not authorized to assume",
                "could not assume",
                "cannot assume",
                "failed to assume",
                "failure to assume",
                "not allowed to assume",
                "error assuming",
                "not have permission to assume",
                "not have permissions to assume",
            ],
            &["role"],
        ],
        &[Cause::JobRoleTrust, Cause::JobRoleMissing],
        "The role could not be assumed.",
    ),
    Rule::new(
        &[
            &["trust policy", "trust relationship"],
            &[
                "does not allow",
                "not include",
                "not trust",
                "missing",
                "not permit",
                "not valid",
                "invalid",
                "misconfigured",
                "denies",
                "no role trust policy",
                "must allow",
                "should allow",
            ],
        ],
        &[Cause::JobRoleTrust],
        "The message names the trust policy of the role.",
    )
    .unless(GRAMMAR),
    // Documented: "You are not authorized to perform this operation.", with or without an encoded message.
    Rule::new(
        &[&[
            "not authorized to perform this",
            "not authorised to perform this",
            "not authorized to perform the requested",
            "not authorized to perform the operation",
            "not authorized to perform that",
            "encoded authorization failure message",
        ]],
        &[
            Cause::JobRolePermission,
            Cause::ServiceControlPolicy,
            Cause::PermissionsBoundary,
        ],
        "The role is not allowed the operation.",
    )
    .unless(&[
        "authorized to perform:",
        "because no ",
        "in a service control policy",
    ]),
    // Documented: "Access denied exception while trying to list tags".
    Rule::new(
        &[&[
            "access denied exception while trying to",
            "access denied exception when trying to",
            "access denied while trying to",
            "access denied when trying to",
            "accessdenied exception while trying to",
            "access denied trying to",
        ]],
        &[Cause::JobRolePermission],
        "The job role was refused an action.",
    )
    .unless(&[
        "access denied trying to call",
        "access denied when trying to call",
        "access denied while trying to call",
    ]),
    // Seen: "Not authorized to use key arn:…". The key policy may refuse it too.
    Rule::new(
        &[
            MISSING_PERMISSION,
            &[":key/", "use key", "use the key", "kms key"],
        ],
        &[
            Cause::JobRolePermission,
            Cause::SourceKeyPolicy,
            Cause::PermissionsBoundary,
        ],
        "The message says that a permission for the key is missing.",
    )
    .unless(NOT_ONLY_A_PERMISSION),
    // Documented patterns "does not have permission", "missing permission"; texts "does not have sufficient permissions",
    // "Customer credential miss permission".
    Rule::new(
        &[MISSING_PERMISSION],
        &[Cause::JobRolePermission, Cause::PermissionsBoundary],
        "The message says that a permission is missing.",
    )
    .unless(NOT_ONLY_A_PERMISSION),
    // Seen: "Insufficient privileges to perform this action.", "… to create a backup vault." A database says so too.
    Rule::new(
        &[
            &["insufficient privileges"],
            &[
                "backup",
                "kms",
                "recovery point",
                "privileges to perform this",
            ],
        ],
        &[Cause::JobRolePermission, Cause::PermissionsBoundary],
        "The message says that a permission is missing.",
    )
    .unless_either(NOT_ONLY_A_PERMISSION, &["ora-0"]),
    // The same with the action that only the vault policy and the job role can allow.
    Rule::new(
        &[
            &["copyintobackupvault"],
            &[
                "not have permission",
                "missing permission",
                "lacks permission",
                "lacks the",
                "insufficient permission",
                "not have sufficient permission",
                "not have the permission",
                "not have the required permission",
            ],
        ],
        &[Cause::JobRolePermission, Cause::DestinationVaultPolicy],
        "The message says that a permission is missing.",
    )
    .unless(GRAMMAR),
];
