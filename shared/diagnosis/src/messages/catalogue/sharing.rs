//! Texts about organizations, tags and what may be shared: access denied by name, not by permission.

use super::Rule;
use super::wording::AT_DESTINATION;
use crate::Cause;

pub(super) const FIRST: &[Rule] = &[
    // Documented: "The tag policy does not allow the specified value for the following tag key". First, because a tag key
    // is free text.
    Rule::new(
        &[
            &["tag policy", "tag policies", "tagpolic"],
            &[
                "does not allow",
                "not allowed",
                "violates",
                "violated",
                "violation",
                "not compliant",
                "not comply",
                "noncompliant",
                "non-compliant",
                "prevents",
                "rejected",
                "tagpolicyexception",
                "tagpolicyerror",
                "enforce",
                "denied by",
                "blocked by",
            ],
        ],
        &[Cause::TagPolicy],
        "The message names the tag policy of the organization.",
    ),
    // Documented: "We are unable to copy resource tags to your backup because of the Internal Failure."
    Rule::new(
        &[
            &[
                "copy resource tags",
                "copy tags",
                "copy the resource tags",
                "copy the tags",
                "copying resource tags",
            ],
            &["internal failure", "internal error", "internalfailure"],
        ],
        &[Cause::TagPolicy, Cause::ServiceFault],
        "The tags could not be copied; above all a tag policy of the organization causes this text.",
    ),
    // Documented text, meaning inferred: the recovery point is there but not usable, or gone.
    Rule::new(
        &[
            &[
                "copy resource tags",
                "copy tags",
                "copy the resource tags",
                "copy the tags",
                "copying resource tags",
            ],
            &["is unavailable", "is not available"],
        ],
        &[Cause::ResourceState, Cause::SourceNotFound],
        "The tags could not be copied because a recovery point was not available.",
    ),
    // Documented: "Both source and destination account must be a member of the same organization."
    Rule::new(
        &[
            &[
                "same organization",
                "same aws organization",
                "same amazon organization",
                "same organisation",
                "an organization",
                "any organization",
                "an aws organization",
                "your organization",
                "the organization",
                "an organisation",
            ],
            &[
                "must be a member",
                "must be member",
                "must both be",
                "must belong",
                "must be in the same",
                "must be part",
                "must be within",
                "should be in the same",
                "should be a member",
                "not in the same",
                "not in an org",
                "not in your org",
                "not a member",
                "not member",
                "not a part of",
                "not part of",
                "not belong",
                "not within the same",
                "need to be in the same",
                "need to be member",
                "have to be in the same",
                "outside of your org",
                "outside your org",
                "is outside the org",
                "is outside of the org",
                "are outside the org",
                "are outside of the org",
                "no longer a member",
                "not both in",
                "not both member",
            ],
        ],
        &[Cause::OrganizationMembership],
        "The message says that the accounts are not in the same organization.",
    ),
    // Seen: error code and text of AWS Organizations.
    Rule::new(
        &[&[
            "awsorganizationsnotinuse",
            "different organizations",
            "different aws organizations",
            "organizations not in use",
        ]],
        &[Cause::OrganizationMembership],
        "The message says that an account is in no organization, or in another one.",
    ),
    // Documented: "Cross-account copy feature is not enabled for the current organization."
    Rule::new(
        &[
            &[
                "cross-account copy",
                "cross account copy",
                "cross-account backup",
                "cross account backup",
            ],
            &[
                "copy feature is disabled",
                "backup feature is disabled",
                "copy is not enabled",
                "backup is not enabled",
                "copy is disabled",
                "backup is disabled",
                "feature is not enabled",
                "copy has not been enabled",
                "backup has not been enabled",
                "feature has not been enabled",
                "backup is turned off",
                "copy is turned off",
                "feature is turned off",
                "feature is not turned on",
                "backup is not turned on",
                "not enabled for the current org",
                "not enabled for your org",
                "not enabled for the org",
                "not enabled for this org",
                "not enabled in your org",
                "not enabled in the org",
                "must be enabled",
                "must be turned on",
                "is not enabled in the management account",
                "is not enabled by the management account",
            ],
        ],
        &[Cause::CrossAccountBackupDisabled],
        "The message says that cross-account backup is off in the organization.",
    ),
    Rule::new(
        &[&[
            "feature is not enabled for the current org",
            "iscrossaccountbackupenabled is false",
        ]],
        &[Cause::CrossAccountBackupDisabled],
        "The message says that cross-account backup is off in the organization.",
    ),
    // Documented: the destination vault "is encrypted with the default Backup service managed key".
    Rule::new(
        &[&[
            "default backup service managed key",
            "default aws backup service managed key",
            "only the contents of a backup vault encrypted by",
            "default backup service-managed key",
        ]],
        &[Cause::DestinationVaultKey],
        "The destination vault is encrypted with the default service key.",
    ),
    Rule::new(
        &[
            &[
                "vault is encrypted with the default",
                "vault is encrypted with an aws managed key",
                "vault is encrypted with the aws managed key",
                "vault is encrypted with aws/backup",
                "vault uses the default",
                "vault is encrypted with an aws owned key",
                "vault is encrypted with an aws-owned key",
            ],
            &[
                "cannot",
                "not supported",
                "failed",
                "not be copied",
                "not allowed",
            ],
        ],
        &[Cause::DestinationVaultKey],
        "The vault is encrypted with a key that is not the customer's own.",
    ),
    // Documented: "Storage Gateway backup copies require a user-created backup vault and key at destination."
    Rule::new(
        &[&[
            "user-created backup vault",
            "user created backup vault",
            "user-created vault and key",
        ]],
        &[Cause::DestinationVaultKey],
        "The copy needs a vault and a key of your own at the destination.",
    ),
    // Documented: "The default vault cannot be a destination". The wording is inferred.
    Rule::new(
        &[
            &["default vault", "default backup vault"],
            &[
                "cannot be used as",
                "cannot be a",
                "not supported as",
                "not be the destination",
                "not be a destination",
                "not allowed as",
            ],
        ],
        &[Cause::DestinationVaultKey],
        "The default vault cannot be the destination.",
    ),
    // Seen: RDS on a copy to another Region without a key. EC2: "Creating an unencrypted copy from an encrypted snapshot is
    // not supported."
    Rule::new(
        &[&[
            "must specify new kms key",
            "must specify a new kms key",
            "must specify a kms key",
            "specify new kms key for cross",
            "unencrypted copy from an encrypted",
        ]],
        &[Cause::DestinationVaultKey],
        "A copy of an encrypted snapshot to another Region needs a key there.",
    ),
    // Seen: RDS names the key of the copy "target KMS key".
    Rule::new(
        &[
            AT_DESTINATION,
            &[
                "does not exist",
                "not enabled",
                "disabled",
                "not accessible",
                "pending",
                "not found",
                "not have permission",
                "denied",
                "unavailable",
                "not be used",
                "not usable",
            ],
        ],
        &[Cause::DestinationVaultKey],
        "The key of the destination vault cannot be used.",
    ),
    // Documented: "Snapshots encrypted with the AWS managed key can't be shared", "Encrypted snapshots with Amazon EBS
    // default key cannot be shared". Seen: RDS "… with the default service key for RDS".
    Rule::new(
        &[
            &[
                "aws managed key",
                "aws managed cmk",
                "aws managed kms",
                "aws managed customer master",
                "aws-managed key",
                "aws-managed kms",
                "aws-managed cmk",
                "amazon managed key",
                "ebs default kms",
                "default ebs key",
                "default aws key",
                "default kms key",
                "default aws kms key",
                "default aws managed",
                "default encryption key",
                "default service key",
                "default rds key",
                "default cmk",
                "default key",
                "default master key",
                "alias/aws/",
                "aws/ebs",
                "aws/rds",
            ],
            &[
                "not be shared",
                "cannot share",
                "unable to share",
                "not be copied",
                "cannot copy",
                "currently not supported",
                "is not supported",
                "are not supported",
                "unable to copy",
                "not shareable",
                "not support cross-account",
            ],
        ],
        &[Cause::AwsManagedKey],
        "The backup is encrypted with an AWS managed key, which cannot be shared.",
    )
    .unless(&[
        "vault is encrypted with",
        "default backup service managed key",
    ]),
    // Documented: "Images from AWS Marketplace cannot be copied to another AWS account."
    Rule::new(
        &[
            &["marketplace"],
            &[
                "cannot",
                "can not",
                "not be copied",
                "not allowed",
                "not permitted",
                "not eligible",
                "not supported",
                "accept terms",
                "need to subscribe",
                "not subscribed",
                "must subscribe",
                "restricted",
                "unable to",
            ],
        ],
        &[Cause::Licensing],
        "The image comes from AWS Marketplace and cannot go to another account.",
    ),
    // Seen: EC2 on images with billing or product codes.
    Rule::new(
        &[
            &[
                "billing product",
                "billingproduct",
                "billing code",
                "product code",
            ],
            &[
                "cannot",
                "can not",
                "not be copied",
                "not allowed",
                "not permitted",
                "not supported",
                "not authorized",
                "not have permission",
                "unable to",
                "failed",
            ],
        ],
        &[Cause::Licensing],
        "The image carries a billing or product code that forbids the copy.",
    ),
    // Documented: "You do not have permission to access the storage of this ami."
    Rule::new(
        &[
            &["access the storage of"],
            &[
                "not have",
                "denied",
                "cannot",
                "unable to",
                "not authorized",
            ],
        ],
        &[Cause::ShareRevoked],
        "The temporary sharing that AWS Backup needs was taken back.",
    ),
    // Documented: "Failed to unshare snapshot".
    Rule::new(
        &[&[
            "failed to unshare",
            "unable to unshare",
            "could not unshare",
            "cannot unshare",
            "failed to un-share",
            "error unsharing",
        ]],
        &[Cause::ShareCleanup],
        "AWS Backup could not take back its temporary sharing.",
    ),
];
