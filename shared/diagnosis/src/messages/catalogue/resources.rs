//! Texts about resource types, Regions, images and states.

use super::Rule;
use crate::Cause;

pub(super) const FIRST: &[Rule] = &[
    // Documented: AWS Backup makes no copies of continuous backups on demand; "Bucket … already has continuous backup
    // enabled for another vault".
    Rule::new(
        &[
            &[
                "continuous backup",
                "continuous recovery point",
                "point-in-time recovery",
                "pitr",
            ],
            &[
                "already has",
                "already enabled",
                "not be copied",
                "cannot copy",
                "not support",
                "unable to copy",
                "on demand",
                "on-demand",
                "not allowed",
                "unsupported",
            ],
        ],
        &[Cause::ContinuousBackup],
        "A continuous backup stands in the way.",
    ),
    // Documented: "Feature is not supported for provided resource type.", also for logically air-gapped vaults.
    Rule::new(
        &[&[
            "not supported for provided resource type",
            "not supported for the provided resource type",
            "not supported for this resource type",
            "not supported for resource type",
            "resource type is not supported",
            "resource type not supported",
            "unsupported resource type",
            "resource type is unsupported",
            "resource type does not support",
            "not supported for the resource type",
        ]],
        &[Cause::UnsupportedResourceType],
        "This resource type cannot do this copy.",
    ),
    // Documented: "Copy job from … to … cannot be initiated for … resources."
    Rule::new(
        &[
            &["copy job"],
            &["cannot be initiated for", "could not be initiated for"],
        ],
        &[Cause::UnsupportedResourceType],
        "This resource type cannot do this copy.",
    ),
    // Documented: "not supported by logically air-gapped backup vault".
    Rule::new(
        &[
            &["air-gapped", "air gapped", "airgapped"],
            &[
                "not supported",
                "unsupported",
                "does not support",
                "cannot be copied",
            ],
        ],
        &[Cause::UnsupportedResourceType],
        "A logically air-gapped vault does not take this resource.",
    ),
    // Inferred from the feature table: which copies a type supports.
    Rule::new(
        &[
            &[
                "cross-region",
                "cross region",
                "cross-account",
                "cross account",
                "copy action",
                "copy jobs",
                "copies",
                "copying",
                "copy of",
                "copy is",
                "copy operation",
                "backup copy",
            ],
            &[
                "is not supported for",
                "are not supported for",
                "does not support cross",
                "do not support cross",
                "not support copy",
                "not support copies",
                "copy is not supported",
                "copying is not supported",
                "copies are not supported",
                "copy action is not supported",
                "single copy action",
                "copy operation is not supported",
                "does not support backup copy",
            ],
        ],
        &[Cause::UnsupportedResourceType],
        "This resource type cannot do this copy.",
    )
    .unless(&["continuous backup", "default key", "aws managed key"]),
    // Documented: RDS does not copy the snapshots of a Multi-AZ DB cluster. The wording is inferred.
    Rule::new(
        &[
            &[
                "copying snapshots",
                "copying backups",
                "copying recovery points",
            ],
            &["is not supported", "are not supported"],
        ],
        &[Cause::UnsupportedResourceType],
        "This resource type cannot do this copy.",
    )
    .unless(&[
        "error copying",
        "failed copying",
        "continuous",
        "point-in-time",
        "pitr",
        "default key",
        "aws managed",
        "encrypted",
    ]),
    // Documented: backups in cold storage or archive tiers cannot be copied. The wording is inferred.
    Rule::new(
        &[
            &[
                "cold storage",
                "cold tier",
                "archive tier",
                "archived recovery point",
                "in archive",
                "archived snapshot",
            ],
            &[
                "not be copied",
                "cannot copy",
                "not supported",
                "unable to copy",
            ],
        ],
        &[Cause::UnsupportedResourceType],
        "A backup in cold storage or in the archive cannot be copied.",
    ),
    // Documented: "The snapshot requires a target option group with the following options: …".
    Rule::new(
        &[
            &["option group"],
            &[
                "target option group",
                "requires",
                "required",
                "must specify",
                "must be",
                "does not exist",
                "not found",
                "persistent",
                "incompatible",
                "following options",
                "not available in",
                "need to specify",
            ],
        ],
        &[Cause::OptionGroup],
        "The snapshot needs an option group at the destination.",
    ),
    // Documented: "The AWS Access Key Id needs a subscription for the service". Seen: OptInRequired.
    Rule::new(
        &[&[
            "needs a subscription for the service",
            "need a subscription for the service",
            "optinrequired:",
            "not subscribed to this service",
            "not subscribed to the service",
            "region is not enabled",
            "region not enabled",
            "region is disabled",
            "region disabled",
            "region that is not enabled",
            "not opted in",
            "not opted-in",
            "opt in to the region",
            "opt-in region is",
            "must opt in",
            "is not enabled in region",
            "account is not enabled in the region",
            "region has not been enabled",
            "regiondisabledexception",
        ]],
        &[Cause::RegionOptIn],
        "The account is not enabled in the Region.",
    )
    .unless(&["marketplace", "kms key"]),
    // Inferred: "Region me-south-1 must be enabled". The names of Regions end in a digit.
    Rule::new(
        &[
            &[
                "region must be enabled",
                "-1 must be enabled",
                "-2 must be enabled",
                "-3 must be enabled",
                "-4 must be enabled",
                "-5 must be enabled",
                "-6 must be enabled",
                "-7 must be enabled",
            ],
            &["region"],
        ],
        &[Cause::RegionOptIn],
        "The account is not enabled in the Region.",
    )
    .unless(&[
        "kms key",
        "feature",
        "cross-account",
        "cross account",
        "cross-region",
        "in region",
        "in the region",
        "protection",
    ]),
    // Seen: what a Region that is not enabled answers.
    Rule::new(
        &[&[
            "security token included in the request is invalid",
            "unrecognizedclientexception",
            "not able to validate the provided access credentials",
        ]],
        &[Cause::RegionOptIn, Cause::Transient],
        "A Region that is not enabled does not know the account's credentials.",
    ),
];

pub(super) const RULES: &[Rule] = &[
    // Documented setting; the wording is inferred.
    Rule::new(
        &[
            &[
                "allowed amis",
                "allowed-amis",
                "allowed images",
                "imageallowlist",
            ],
            &["not", "blocked", "den", "prevent"],
        ],
        &[Cause::AllowedAmis],
        "The message names the Allowed AMIs setting.",
    ),
    // Seen: EC2's error code for an image that cannot be seen.
    Rule::new(
        &[&["invalidamiid", "ami is not available"]],
        &[Cause::AllowedAmis, Cause::SourceNotFound],
        "The image cannot be seen; above all the Allowed AMIs setting hides images.",
    )
    .unless(&["invalidamiid.unavailable"]),
    // Seen: IAM's error code for a role that is gone.
    Rule::new(
        &[&["nosuchentity"], &["role"]],
        &[Cause::JobRoleMissing],
        "IAM does not know the role.",
    )
    .unless(&["awsserviceroleforbackup"]),
    // Documented patterns: "Instance is not in state", "not in the available state", "Cannot snapshot volume".
    Rule::new(
        &[&[
            "is not in state",
            "not in the available state",
            "not in available state",
            "not in an available state",
            "not in state available",
            "not in the correct state",
            "not in a valid state",
            "in an invalid state",
            "is in invalid state",
            "cannot snapshot volume",
            "incorrectstate",
            "incorrect state",
            "invaliddbsnapshotstate",
            "invaliddbinstancestate",
            "invaliddbclusterstate",
            "invaliddbclustersnapshotstate",
            "invalid db instance state",
            "invalid db snapshot state",
            "must be in the available state",
            "must be in available state",
            "must be available",
            "must be in state",
            "is being deleted",
            "is currently being",
            "is currently in state",
            "not in a state",
            "is still creating",
            "is still being created",
            "creating state",
            "'creating' state",
            "\"creating\" state",
            "pending state",
            "'pending' state",
            "\"pending\" state",
            "copying state",
            "'copying' state",
            "\"copying\" state",
            "deleting state",
            "'deleting' state",
            "\"deleting\" state",
            "in state creating",
            "in state deleting",
            "in state expired",
            "in state partial",
            "in state pending",
            "recovery point is unavailable",
            "recovery point is not available",
            "snapshot is not available",
            "snapshot is not completed",
            "snapshot is in pending",
            "because it is not online",
            "is not in completed state",
            "is not in the completed state",
        ]],
        &[Cause::ResourceState],
        "The resource was not in a state that allows this.",
    )
    .unless(&["vss", "kmsinvalidstate", "copy resource tags"]),
    // Seen: error codes of resources that are gone.
    Rule::new(
        &[&[
            "invalidsnapshot.notfound:",
            "dbsnapshotnotfound",
            "dbclustersnapshotnotfound",
            "invalidvolume.notfound:",
            "filesystemnotfound",
            "backupnotfound",
        ]],
        &[Cause::SourceNotFound],
        "The snapshot or its resource is gone.",
    ),
];
