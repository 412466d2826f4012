//! Which resource types can be copied how: AWS Backup's feature table, as data.
//!
//! The rows are in `table`, the limits of Regions in `regions`, each with its source. AWS changes
//! the table about every month: what it excludes is shown to be so as of [`FEATURE_TABLE_DATE`].

#[cfg(test)]
mod examples;
mod regions;
mod table;
#[cfg(test)]
mod tests;

use copymend_policy::{Arn, ViaService};

use crate::resource::BackupVaultArn;
use regions::{Journey, LIMITS};
use table::{
    BASIC_DYNAMODB, Copies, EKS_CLUSTER_STATE, FSX_ONTAP, RDS_MULTI_AZ_CLUSTER, Row, TABLE,
};

/// The month of the edition of AWS's table that is used here.
pub const FEATURE_TABLE_DATE: &str = "2026-09";

/// The partitions whose Regions the table has.
const PARTITIONS: &[&str] = &["aws", "aws-cn", "aws-us-gov", "aws-eusc"];

/// What the table says of one copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopySupport {
    /// The table lists it.
    Supported,
    /// The table excludes it, for this reason.
    Unsupported(&'static str),
    /// The table has no row for the type, or no such Region.
    NotListed,
}

/// A copy, as far as the table looks at it.
#[derive(Clone, Copy, Debug)]
pub struct PlannedCopy<'c> {
    /// The kind of resource, as AWS Backup calls it.
    pub resource_type: &'c str,
    /// The recovery point to copy.
    pub recovery_point: &'c Arn,
    /// The resource that was backed up. It tells RDS Multi-AZ clusters and FSx for ONTAP from the
    /// other kinds of their type.
    pub resource: Option<&'c Arn>,
    /// The vault that the copy comes from.
    pub source_vault: &'c BackupVaultArn,
    /// The vault that the copy goes to.
    pub destination_vault: &'c BackupVaultArn,
    /// Whether the copy goes to a logically air-gapped vault. Where that isn't known, `false`
    /// leaves those limits out.
    pub logically_air_gapped: bool,
}

/// Why the table excludes a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// The vaults are in different partitions.
    Partition,
    /// A DynamoDB backup without advanced features.
    BasicDynamoDb,
    /// A backup of an RDS Multi-AZ DB cluster.
    RdsMultiAzCluster,
    /// The cluster state inside an EKS backup.
    EksClusterState,
    /// The type has no copies.
    Type(&'static str),
    /// The type has no copies to another account.
    OtherAccount,
    /// The type may not go to a logically air-gapped vault.
    LogicallyAirGapped,
    /// A Region forbids it.
    Region(&'static str),
}

impl Obstacle {
    /// Why, in a few words.
    pub(crate) const fn why(self) -> &'static str {
        match self {
            Self::Partition => {
                "copies stay inside a partition: none goes into or out of China, AWS GovCloud (US) or the European Sovereign Cloud"
            }
            Self::BasicDynamoDb => reason(&BASIC_DYNAMODB),
            Self::RdsMultiAzCluster => reason(&RDS_MULTI_AZ_CLUSTER),
            Self::EksClusterState => reason(&EKS_CLUSTER_STATE),
            Self::OtherAccount => {
                "this type can be copied to another Region, but not to another account"
            }
            Self::LogicallyAirGapped => {
                "this type cannot be copied to a logically air-gapped vault"
            }
            Self::Type(why) | Self::Region(why) => why,
        }
    }
}

const fn reason(row: &Row) -> &'static str {
    match row.copies {
        Copies::None(why) => why,
        Copies::Everywhere | Copies::OtherRegion => "",
    }
}

/// Whether the table has a row for a type.
pub(crate) fn is_listed(resource_type: &str) -> bool {
    row_of(resource_type).is_some()
}

/// What the table says of a copy, with the Regions, the accounts and the kind of vault that it goes
/// to.
#[must_use]
pub fn support_of(copy: &PlannedCopy<'_>) -> CopySupport {
    if let Some(obstacle) = obstacle(copy) {
        return CopySupport::Unsupported(obstacle.why());
    }
    let is_listed = row_for(copy).is_some_and(|(row, _)| match row.copies {
        Copies::Everywhere => true,
        Copies::OtherRegion => copy.is_cross_region(),
        Copies::None(_) => false,
    });
    if is_listed && PARTITIONS.contains(&copy.source_vault.partition()) {
        CopySupport::Supported
    } else {
        CopySupport::NotListed
    }
}

/// Why the table excludes a copy, if it does.
pub(crate) fn obstacle(copy: &PlannedCopy<'_>) -> Option<Obstacle> {
    if copy.source_vault.partition() != copy.destination_vault.partition() {
        return Some(Obstacle::Partition);
    }
    let (row, special) = row_for(copy)?;
    let journey = Journey {
        from: copy.source_vault.region(),
        to: copy.destination_vault.region(),
        other_account: copy.is_cross_account(),
        logically_air_gapped: copy.logically_air_gapped,
    };
    let mut limits = row.limits.iter().chain(LIMITS);
    match row.copies {
        Copies::None(why) => Some(special.unwrap_or(Obstacle::Type(why))),
        Copies::OtherRegion if journey.other_account => Some(Obstacle::OtherAccount),
        Copies::Everywhere | Copies::OtherRegion
            if copy.logically_air_gapped && !row.logically_air_gapped =>
        {
            Some(Obstacle::LogicallyAirGapped)
        }
        Copies::Everywhere | Copies::OtherRegion => limits
            .find(|limit| journey.is_stopped_by(limit))
            .map(|limit| Obstacle::Region(limit.why)),
    }
}

impl PlannedCopy<'_> {
    fn is_cross_region(&self) -> bool {
        self.source_vault.region() != self.destination_vault.region()
    }

    fn is_cross_account(&self) -> bool {
        self.source_vault.arn().account() != self.destination_vault.arn().account()
    }
}

/// Names compare by their letters and digits alone: the API writes `Storage Gateway`, its
/// documentation also `StorageGateway`.
fn letters(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect()
}

fn row_of(resource_type: &str) -> Option<&'static Row> {
    let wanted = letters(resource_type);
    TABLE
        .iter()
        .find(|row| row.names.iter().any(|name| letters(name) == wanted))
}

/// The row of a backup. Some kinds share the name of a type and differ in their ARNs:
///
/// - a DynamoDB backup without advanced features keeps an ARN of DynamoDB (AWS Backup, "Advanced
///   DynamoDB backup", documented);
/// - an RDS Multi-AZ cluster is a `cluster`, an instance a `db` (AWS Backup, "Amazon RDS
///   Multi-Availability Zone backups", documented); that its snapshots are `cluster-snapshot`
///   follows from the ARN formats of Amazon RDS (documented);
/// - the cluster state of an EKS backup is `recovery-point:eks/…`, the composite
///   `recovery-point:composite:eks/…` (AWS Backup, "Amazon EKS backups", documented);
/// - FSx for ONTAP is backed up by the volume, the others by the file system: (inferred) from the
///   resources in `AWSBackupServiceRolePolicyForBackup`.
fn row_for(copy: &PlannedCopy<'_>) -> Option<(&'static Row, Option<Obstacle>)> {
    let row = row_of(copy.resource_type);
    let is = |name: &str| row.is_some_and(|row| row.names.contains(&name));
    let resource_is = |prefix: &str| {
        copy.resource
            .is_some_and(|arn| arn.resource().starts_with(prefix))
    };
    let point_is = |prefix: &str| copy.recovery_point.resource().starts_with(prefix);
    Some(if copy.recovery_point.service() == "dynamodb" {
        (&BASIC_DYNAMODB, Some(Obstacle::BasicDynamoDb))
    } else if is("RDS") && (resource_is("cluster:") || point_is("cluster-snapshot:")) {
        (&RDS_MULTI_AZ_CLUSTER, Some(Obstacle::RdsMultiAzCluster))
    } else if is("EKS") && point_is("recovery-point:eks/") {
        (&EKS_CLUSTER_STATE, Some(Obstacle::EksClusterState))
    } else if is("FSx") && resource_is("volume/") {
        (&FSX_ONTAP, None)
    } else {
        (row?, None)
    })
}

/// Whether AWS Backup manages the backup fully: then its ARN begins with `arn:aws:backup`, and the
/// key is the source vault's, not the resource's (AWS Backup developer guide, "Encryption" and
/// "Full AWS Backup management", documented).
#[must_use]
pub fn is_fully_managed(recovery_point: &Arn) -> bool {
    recovery_point.service() == "backup"
}

/// The types that AWS Backup doesn't manage fully (AWS Backup developer guide, "Feature availability
/// by resource", documented). A backup of one has an ARN of AWS Backup where it lies in a logically
/// air-gapped vault ("Logically air-gapped vaults", documented).
const OF_THEIR_OWN_SERVICE: [&str; 9] = [
    "EC2",
    "EBS",
    "Storage Gateway",
    "RDS",
    "Aurora",
    "DocumentDB",
    "Neptune",
    "FSx",
    "Redshift",
];

/// Whether a type is one that AWS Backup doesn't manage fully, by its name alone.
#[must_use]
pub fn is_of_own_service(resource_type: &str) -> bool {
    let name = letters(resource_type);
    OF_THEIR_OWN_SERVICE
        .iter()
        .any(|listed| letters(listed) == name)
}

/// Whether unencrypted backups of a type stay unencrypted when they are copied (AWS Backup developer
/// guide, "Encryption for backups", documented).
#[must_use]
pub fn stays_unencrypted(resource_type: &str) -> bool {
    ["Aurora", "DocumentDB", "Neptune"]
        .iter()
        .any(|listed| letters(listed) == letters(resource_type))
}

/// Whether accounts must enable this Region before they can use it.
#[must_use]
pub fn needs_opt_in(region: &str) -> bool {
    regions::OPT_IN.contains(&region)
}

/// The service through which the destination's service-linked role uses the source key:
/// `kms:ViaService` in `AWSBackupServiceLinkedRolePolicyForBackup` (documented). Storage Gateway
/// backups are EBS snapshots. That DocumentDB and Neptune go through `rds` is (inferred) from their
/// snapshot ARNs. `None` for types that don't go that way.
#[must_use]
pub fn via_service(recovery_point: &Arn) -> Option<ViaService> {
    match recovery_point.service() {
        "ec2" => Some(ViaService::Ec2),
        "rds" => Some(ViaService::Rds),
        "fsx" => Some(ViaService::Fsx),
        _ => None,
    }
}
