//! Which resource types can be copied how: AWS Backup's feature table, as data.
//!
//! The rows are in `table`, the limits of Regions in `regions`, each with its source. AWS changes the table about every month:
//! what it excludes is shown to be so as of [`FEATURE_TABLE_DATE`].

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
    /// The resource that was backed up. It tells RDS Multi-AZ clusters and FSx for ONTAP from the other kinds of their type.
    pub resource: Option<&'c Arn>,
    /// The vault that the copy comes from.
    pub source_vault: &'c BackupVaultArn,
    /// The vault that the copy goes to.
    pub destination_vault: &'c BackupVaultArn,
    /// Whether the copy goes to a logically air-gapped vault. Where that isn't known, `false` leaves those limits out.
    pub logically_air_gapped: bool,
}

/// What the table says of one resource type.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a column of AWS's table"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeFeatures {
    /// Whether it can be copied to another Region.
    pub cross_region: bool,
    /// Whether it can be copied to another account.
    pub cross_account: bool,
    /// Whether it can be copied to another Region and another account in a single action. Documented for RDS, Aurora, DocumentDB
    /// and Neptune, whose older pages deny it; for the others (inferred).
    pub single_action: bool,
    /// Whether AWS Backup manages the backups fully: an ARN of its own, the key of the vault.
    pub fully_managed: bool,
    /// Whether it may go to a logically air-gapped vault.
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

/// What the table says of a type. `None` where it has no row.
#[must_use]
pub fn type_features(resource_type: &str) -> Option<TypeFeatures> {
    row_of(resource_type).map(features)
}

const fn features(row: &Row) -> TypeFeatures {
    let (cross_region, cross_account) = match row.copies {
        Copies::Everywhere => (true, true),
        Copies::OtherRegion => (true, false),
        Copies::None(_) => (false, false),
    };
    TypeFeatures {
        cross_region,
        cross_account,
        single_action: cross_region && cross_account,
        fully_managed: row.fully_managed,
        logically_air_gapped: row.logically_air_gapped,
    }
}

/// What the table says of copying this recovery point, Regions left aside. See [`support_of`], which looks at them too.
#[must_use]
pub fn copy_support(
    resource_type: &str,
    recovery_point: &Arn,
    cross_region: bool,
    cross_account: bool,
) -> CopySupport {
    let Some((row, special)) = row_for(resource_type, recovery_point, None) else {
        return CopySupport::NotListed;
    };
    match type_obstacle(row, special, cross_account, false) {
        Some(obstacle) => CopySupport::Unsupported(obstacle.why()),
        None if row.copies == Copies::OtherRegion && !cross_region => CopySupport::NotListed,
        None => CopySupport::Supported,
    }
}

/// What the table says of a copy, with the Regions, the accounts and the kind of vault that it goes to.
#[must_use]
pub fn support_of(copy: &PlannedCopy<'_>) -> CopySupport {
    if let Some(obstacle) = obstacle(copy) {
        return CopySupport::Unsupported(obstacle.why());
    }
    let is_known = PARTITIONS.contains(&copy.source_vault.partition());
    match copy_support(
        copy.resource_type,
        copy.recovery_point,
        copy.is_cross_region(),
        copy.is_cross_account(),
    ) {
        CopySupport::Supported if is_known => CopySupport::Supported,
        CopySupport::Unsupported(why) => CopySupport::Unsupported(why),
        CopySupport::Supported | CopySupport::NotListed => CopySupport::NotListed,
    }
}

/// Why the table excludes a copy, if it does.
pub(crate) fn obstacle(copy: &PlannedCopy<'_>) -> Option<Obstacle> {
    if copy.source_vault.partition() != copy.destination_vault.partition() {
        return Some(Obstacle::Partition);
    }
    let (row, special) = row_for(copy.resource_type, copy.recovery_point, copy.resource)?;
    let journey = Journey {
        from: copy.source_vault.region(),
        to: copy.destination_vault.region(),
        other_account: copy.is_cross_account(),
        logically_air_gapped: copy.logically_air_gapped,
    };
    type_obstacle(
        row,
        special,
        journey.other_account,
        copy.logically_air_gapped,
    )
    .or_else(|| {
        let limits = row.limits.iter().chain(LIMITS);
        limits
            .into_iter()
            .find(|limit| journey.is_stopped_by(limit))
            .map(|limit| Obstacle::Region(limit.why))
    })
}

impl PlannedCopy<'_> {
    fn is_cross_region(&self) -> bool {
        self.source_vault.region() != self.destination_vault.region()
    }

    fn is_cross_account(&self) -> bool {
        self.source_vault.arn().account() != self.destination_vault.arn().account()
    }
}

fn type_obstacle(
    row: &Row,
    special: Option<Obstacle>,
    cross_account: bool,
    logically_air_gapped: bool,
) -> Option<Obstacle> {
    match row.copies {
        Copies::None(why) => Some(special.unwrap_or(Obstacle::Type(why))),
        Copies::OtherRegion if cross_account => Some(Obstacle::OtherAccount),
        Copies::Everywhere | Copies::OtherRegion => (logically_air_gapped
            && !row.logically_air_gapped)
            .then_some(Obstacle::LogicallyAirGapped),
    }
}

/// Names compare by their letters and digits alone: the API writes `Storage Gateway`, its documentation also `StorageGateway`.
fn row_of(resource_type: &str) -> Option<&'static Row> {
    let letters = |text: &str| -> String {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|character| character.to_ascii_lowercase())
            .collect()
    };
    let wanted = letters(resource_type);
    TABLE
        .iter()
        .find(|row| row.names.iter().any(|name| letters(name) == wanted))
}

/// The row of a backup. Some kinds share the name of a type and differ in their ARNs:
///
/// - a DynamoDB backup without advanced features keeps an ARN of DynamoDB (AWS Backup, "Advanced DynamoDB backup", documented);
/// - an RDS Multi-AZ cluster is a `cluster`, an instance a `db` (AWS Backup, "Amazon RDS Multi-Availability Zone backups",
///   documented); that its snapshots are `cluster-snapshot` follows from the ARN formats of Amazon RDS (documented);
/// - the cluster state of an EKS backup is `recovery-point:eks/…`, the composite `recovery-point:composite:eks/…` (AWS Backup,
///   "Amazon EKS backups", documented);
/// - FSx for ONTAP is backed up by the volume, the others by the file system: (inferred) from the resources in
///   `AWSBackupServiceRolePolicyForBackup`.
fn row_for(
    resource_type: &str,
    recovery_point: &Arn,
    resource: Option<&Arn>,
) -> Option<(&'static Row, Option<Obstacle>)> {
    let row = row_of(resource_type);
    let is = |name: &str| row.is_some_and(|row| row.names.contains(&name));
    let resource_is = |prefix: &str| resource.is_some_and(|arn| arn.resource().starts_with(prefix));
    if recovery_point.service() == "dynamodb" {
        return Some((&BASIC_DYNAMODB, Some(Obstacle::BasicDynamoDb)));
    }
    if is("RDS")
        && (resource_is("cluster:") || recovery_point.resource().starts_with("cluster-snapshot:"))
    {
        return Some((&RDS_MULTI_AZ_CLUSTER, Some(Obstacle::RdsMultiAzCluster)));
    }
    if is("EKS") && recovery_point.resource().starts_with("recovery-point:eks/") {
        return Some((&EKS_CLUSTER_STATE, Some(Obstacle::EksClusterState)));
    }
    if is("FSx") && resource_is("volume/") {
        return Some((&FSX_ONTAP, None));
    }
    Some((row?, None))
}

/// Whether AWS Backup manages the backup fully: then its ARN begins with `arn:aws:backup`, and the key is the source
/// vault's, not the resource's (AWS Backup developer guide, "Encryption" and "Full AWS Backup management", documented).
#[must_use]
pub fn is_fully_managed(recovery_point: &Arn) -> bool {
    recovery_point.service() == "backup"
}

/// The service through which the destination's service-linked role uses the source key: `kms:ViaService` in
/// `AWSBackupServiceLinkedRolePolicyForBackup` (documented). Storage Gateway backups are EBS snapshots. That DocumentDB and
/// Neptune go through `rds` is (inferred) from their snapshot ARNs. `None` for types that don't go that way.
#[must_use]
pub fn via_service(recovery_point: &Arn) -> Option<ViaService> {
    match recovery_point.service() {
        "ec2" => Some(ViaService::Ec2),
        "rds" => Some(ViaService::Rds),
        "fsx" => Some(ViaService::Fsx),
        _ => None,
    }
}
