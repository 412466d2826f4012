//! Which resource types can be copied how: AWS Backup's feature table, as data.
//!
//! Source: AWS Backup developer guide, "Feature availability by resource" [documented], as read in 2026. Single-action copies
//! across Region and account for RDS, Aurora, DocumentDB and Neptune came in early 2026; older pages still deny them.

use copymend_policy::{Arn, ViaService};

/// When the table was read.
pub const FEATURE_TABLE_DATE: &str = "2026-02";

/// What the table says of one copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopySupport {
    /// The table lists it.
    Supported,
    /// The table excludes it, for this reason.
    Unsupported(&'static str),
    /// The table has no row for the type.
    NotListed,
}

#[derive(Clone, Copy)]
enum Row {
    Everywhere,
    CrossRegionOnly,
    Never(&'static str),
}

const TABLE: &[(&str, Row)] = &[
    ("Aurora", Row::Everywhere),
    ("Aurora DSQL", Row::Everywhere),
    ("DSQL", Row::Everywhere),
    ("CloudFormation", Row::CrossRegionOnly),
    ("DocumentDB", Row::Everywhere),
    ("DynamoDB", Row::Everywhere),
    ("EBS", Row::Everywhere),
    ("EC2", Row::Everywhere),
    ("EFS", Row::Everywhere),
    ("EKS", Row::Everywhere),
    ("FSx", Row::Everywhere),
    ("Neptune", Row::Everywhere),
    ("RDS", Row::Everywhere),
    (
        "Redshift",
        Row::Never("Redshift backups cannot be copied by AWS Backup"),
    ),
    (
        "Redshift Serverless",
        Row::Never("Redshift Serverless backups cannot be copied by AWS Backup"),
    ),
    ("S3", Row::Everywhere),
    ("SAP HANA on Amazon EC2", Row::Everywhere),
    ("Storage Gateway", Row::Everywhere),
    ("Timestream", Row::Everywhere),
    ("VirtualMachine", Row::Everywhere),
];

/// What the table says of copying this recovery point.
#[must_use]
pub fn copy_support(
    resource_type: &str,
    recovery_point: &Arn,
    cross_region: bool,
    cross_account: bool,
) -> CopySupport {
    if recovery_point.service() == "dynamodb" {
        return CopySupport::Unsupported(
            "DynamoDB backups can be copied only once advanced DynamoDB backup is on, and only those made since",
        );
    }
    let row = TABLE
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(resource_type));
    match row {
        Some((_, Row::Everywhere)) => CopySupport::Supported,
        Some((_, Row::Never(why))) => CopySupport::Unsupported(why),
        Some((_, Row::CrossRegionOnly)) if cross_account => CopySupport::Unsupported(
            "this type can be copied to another Region, but not to another account",
        ),
        Some((_, Row::CrossRegionOnly)) if cross_region => CopySupport::Supported,
        Some((_, Row::CrossRegionOnly)) | None => CopySupport::NotListed,
    }
}

/// Whether AWS Backup manages the backup fully: then its ARN begins with `arn:aws:backup`, and the key is the source
/// vault's, not the resource's (AWS Backup developer guide, "Encryption" and "Full AWS Backup management" [documented]).
#[must_use]
pub fn is_fully_managed(recovery_point: &Arn) -> bool {
    recovery_point.service() == "backup"
}

/// The service through which the destination's service-linked role uses the source key: `kms:ViaService` in
/// `AWSBackupServiceLinkedRolePolicyForBackup` [documented]. Storage Gateway backups are EBS snapshots. That DocumentDB and
/// Neptune go through `rds` is [inferred] from their snapshot ARNs. `None` for types that don't go that way.
#[must_use]
pub fn via_service(recovery_point: &Arn) -> Option<ViaService> {
    match recovery_point.service() {
        "ec2" => Some(ViaService::Ec2),
        "rds" => Some(ViaService::Rds),
        "fsx" => Some(ViaService::Fsx),
        _ => None,
    }
}
