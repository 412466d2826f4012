//! AWS Backup's feature table, as AWS prints it: what the sandbox lets be copied where.
//!
//! Source (documented): AWS Backup developer guide, `backup-feature-availability`, the tables
//! "Feature availability by resource" and "Feature availability by AWS Region" with their footnotes
//! and considerations, in the edition of September 2026.

use copymend_policy::Arn;

/// A row of the table by resource, with the columns that matter for a copy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// As the page writes it.
    pub(super) name: &'static str,
    /// "Cross-Region backup".
    pub(super) cross_region: bool,
    /// "Cross-account backup".
    pub(super) cross_account: bool,
    /// "Logically air-gapped vault".
    pub(super) air_gapped: bool,
}

/// The rows: name, and the ticks for another Region (`R`), another account (`A`) and a logically
/// air-gapped vault (`L`).
const BY_RESOURCE: [(&str, &str); 24] = [
    ("Amazon EC2", "RAL"),
    ("Amazon S3", "RAL"),
    ("Amazon EBS", "RAL"),
    ("Amazon RDS DB instance", "RA"),
    // Ticked, and refused by footnote 3: "Multi-AZ clusters do not currently support any copy
    // operations".
    ("Amazon RDS cluster", ""),
    ("Amazon Aurora", "RAL"),
    ("Amazon Aurora DSQL", "RAL"),
    ("Amazon EFS", "RAL"),
    // And Windows File Server. OpenZFS has no tick for air-gapped vaults, but nothing in a backup
    // tells it from these.
    ("FSx for Lustre", "RAL"),
    ("FSx for ONTAP", "RAL"),
    ("AWS Storage Gateway", "RAL"),
    ("Amazon DocumentDB", "RAL"),
    ("Amazon Neptune", "RAL"),
    ("Amazon Redshift Serverless", ""),
    ("Amazon Timestream", "RAL"),
    ("Windows VSS", "RAL"),
    ("Virtual machines", "RAL"),
    ("AWS CloudFormation", "R"),
    ("Amazon DynamoDB", ""),
    ("DynamoDB with AWS Backup advanced features", "RAL"),
    ("SAP HANA databases on Amazon EC2 instances", "RA"),
    ("Amazon EKS", "RAL"),
    // No row: "Support for a feature or service should not be assumed unless explicitly mentioned."
    ("Amazon Redshift", ""),
    // The composite backup is copied, not its parts (documented: "Amazon EKS backups").
    ("Cluster state of Amazon EKS", ""),
];

/// The row of a backup; nothing for a type that the page doesn't know. Some kinds share the name of
/// a type: their ARNs tell them apart (documented: "Advanced DynamoDB backup", "Amazon RDS
/// Multi-Availability Zone backups", "Amazon EKS backups"; that FSx for ONTAP is backed up by the
/// volume is inferred).
pub(super) fn row(resource_type: &str, point: &Arn, resource: &Arn) -> Option<Row> {
    let letters: String = resource_type
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    let is_cluster = resource.resource().starts_with("cluster:")
        || point.resource().starts_with("cluster-snapshot:");
    let name = match letters
        .trim_start_matches("amazon")
        .trim_start_matches("aws")
    {
        "ec2" => "Amazon EC2",
        "s3" => "Amazon S3",
        "ebs" => "Amazon EBS",
        "rds" if is_cluster => "Amazon RDS cluster",
        "rds" => "Amazon RDS DB instance",
        "aurora" => "Amazon Aurora",
        "auroradsql" | "dsql" => "Amazon Aurora DSQL",
        "efs" => "Amazon EFS",
        "fsx" if resource.resource().starts_with("volume/") => "FSx for ONTAP",
        "fsx" => "FSx for Lustre",
        "storagegateway" => "AWS Storage Gateway",
        "documentdb" => "Amazon DocumentDB",
        "neptune" => "Amazon Neptune",
        "redshift" => "Amazon Redshift",
        "redshiftserverless" => "Amazon Redshift Serverless",
        "timestream" => "Amazon Timestream",
        "windowsvss" => "Windows VSS",
        "virtualmachine" | "virtualmachines" | "vmware" => "Virtual machines",
        "cloudformation" => "AWS CloudFormation",
        "dynamodb" if point.service() == "dynamodb" => "Amazon DynamoDB",
        "dynamodb" => "DynamoDB with AWS Backup advanced features",
        "saphana" | "saphanaonamazonec2" => "SAP HANA databases on Amazon EC2 instances",
        "eks" if point.resource().starts_with("recovery-point:eks/") => {
            "Cluster state of Amazon EKS"
        }
        "eks" => "Amazon EKS",
        _ => return None,
    };
    let (name, ticks) = BY_RESOURCE.into_iter().find(|(row, _)| *row == name)?;
    Some(Row {
        name,
        cross_region: ticks.contains('R'),
        cross_account: ticks.contains('A'),
        air_gapped: ticks.contains('L'),
    })
}

/// The Regions that an account must opt in to.
pub(crate) const OPT_IN: [&str; 17] = [
    "af-south-1",     // Africa (Cape Town)
    "ap-east-1",      // Asia Pacific (Hong Kong)
    "ap-east-2",      // Asia Pacific (Taipei)
    "ap-south-2",     // Asia Pacific (Hyderabad)
    "ap-southeast-3", // Asia Pacific (Jakarta)
    "ap-southeast-4", // Asia Pacific (Melbourne)
    "ap-southeast-5", // Asia Pacific (Malaysia)
    "ap-southeast-6", // Asia Pacific (New Zealand)
    "ap-southeast-7", // Asia Pacific (Thailand)
    "ca-west-1",      // Canada West (Calgary)
    "eu-central-2",   // Europe (Zurich)
    "eu-south-1",     // Europe (Milan)
    "eu-south-2",     // Europe (Spain)
    "il-central-1",   // Israel (Tel Aviv)
    "me-central-1",   // Middle East (UAE)
    "me-south-1",     // Middle East (Bahrain)
    "mx-central-1",   // Mexico (Central)
];

/// The opt-in Regions between which the page says that Neptune backups are copied.
const NEPTUNE: [&str; 6] = [
    "af-south-1",
    "ap-east-1",
    "ap-southeast-3",
    "il-central-1",
    "me-south-1",
    "me-central-1",
];

/// Footnote 1: Regions with no copy from another Region or account to a logically air-gapped vault.
const NO_COPY_TO_AIR_GAPPED: [&str; 10] = [
    "ap-southeast-5",
    "ca-west-1",
    "mx-central-1",
    "ap-southeast-7",
    "ap-east-2",
    "ap-southeast-6",
    "cn-north-1",
    "cn-northwest-1",
    "us-gov-east-1",
    "us-gov-west-1",
];

const MIDDLE_EAST: [&str; 2] = ["me-south-1", "me-central-1"];
const CHINA: [&str; 2] = ["cn-north-1", "cn-northwest-1"];
const JAKARTA: &str = "ap-southeast-3";
const NEW_ZEALAND: &str = "ap-southeast-6";

/// How far a copy goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Journey<'c> {
    pub(super) from: &'c str,
    pub(super) to: &'c str,
    pub(super) cross_account: bool,
}

impl Journey<'_> {
    fn is_cross_region(self) -> bool {
        self.from != self.to
    }

    /// Whether it begins or ends in one of these Regions. That both ends count, where the page
    /// names a Region, is inferred.
    fn touches(self, regions: &[&str]) -> bool {
        regions.contains(&self.from) || regions.contains(&self.to)
    }

    /// Whether AWS Backup doesn't make this copy of a backup of this row. A row without a tick in
    /// either of the first two columns has no copies "in any scenario, including same-Region and
    /// same-account copies".
    pub(super) fn is_excluded(self, row: Row) -> bool {
        let ticked = row.cross_region || row.cross_account;
        !ticked
            || (self.cross_account && !row.cross_account)
            || (self.is_cross_region() && !row.cross_region)
            || self.is_excluded_in_its_regions(row)
    }

    fn is_excluded_in_its_regions(self, row: Row) -> bool {
        let cross_region = self.is_cross_region();
        let elsewhere = cross_region || self.cross_account;
        let sovereign = [self.from, self.to]
            .iter()
            .any(|region| region.starts_with("eusc-"));
        if sovereign && elsewhere {
            return true;
        }
        match row.name {
            "Amazon S3" => self.cross_account && self.touches(&CHINA),
            "Amazon Timestream" => self.cross_account && self.touches(&OPT_IN),
            "Amazon Neptune" => {
                let closed = |region: &&&str| !NEPTUNE.contains(*region);
                let others: Vec<&str> = OPT_IN.iter().filter(closed).copied().collect();
                (self.cross_account && self.touches(&OPT_IN))
                    || (cross_region && self.touches(&others))
            }
            "FSx for Lustre" => cross_region && self.touches(&MIDDLE_EAST),
            "FSx for ONTAP" => {
                (cross_region && self.touches(&MIDDLE_EAST))
                    || (elsewhere && (self.touches(&CHINA) || self.touches(&[NEW_ZEALAND])))
            }
            _ => false,
        }
    }

    /// Whether a logically air-gapped vault takes it (footnotes 9 and 11, and footnote 1 of the
    /// table by Region).
    pub(super) fn may_enter_air_gapped_vault(self, row: Row) -> bool {
        let elsewhere = self.is_cross_region() || self.cross_account;
        let closed = match row.name {
            "Amazon Neptune" => self.to == JAKARTA,
            "Amazon EKS" => MIDDLE_EAST.contains(&self.to),
            _ => false,
        };
        row.air_gapped && !closed && !(elsewhere && NO_COPY_TO_AIR_GAPPED.contains(&self.to))
    }
}
