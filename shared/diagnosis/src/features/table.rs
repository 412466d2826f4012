//! AWS Backup's feature table, one row a resource type.
//!
//! Source: AWS Backup developer guide, "AWS Backup feature availability", the table "Feature
//! availability by resource" with its footnotes, and for the Regions the considerations below the
//! table "Feature availability by AWS Region" (documented). Read in a copy whose document history
//! ends on 24 September 2026. That edition differs from older ones:
//!
//! - RDS, Aurora, DocumentDB and Neptune go to another Region and another account in a single
//!   action since 23 October 2025;
//! - DocumentDB is copied from and to opt-in Regions since 26 August 2026;
//! - FSx for ONTAP is copied, and accounts in China copy to each other, since 27 August 2026.

use super::regions::{BAHRAIN_AND_UAE, CHINA, Limit, NEPTUNE_ACROSS_REGIONS, Reach, Regions};

/// Which copies of a type the table lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copies {
    /// To another Region, to another account, and to both in a single action. That types without a
    /// footnote do both at once too is (inferred): the table has no column for it.
    Everywhere,
    /// To another Region, but not to another account.
    OtherRegion,
    /// None, in no scenario: not even to another vault of the same account and Region.
    None(&'static str),
}

/// What the table says of one resource type.
pub(super) struct Row {
    /// The names of the type, as AWS Backup's API writes them and as its pages do. Compared without
    /// spaces, hyphens and letter case.
    pub(super) names: &'static [&'static str],
    /// Which copies it lists.
    pub(super) copies: Copies,
    /// Whether AWS Backup manages the backups fully. Then their ARNs begin with `arn:aws:backup`.
    #[cfg_attr(
        not(test),
        expect(
            dead_code,
            reason = "the tests hold this column against the ARNs of backups, which tell it"
        )
    )]
    pub(super) fully_managed: bool,
    /// Whether it may go to a logically air-gapped vault.
    pub(super) logically_air_gapped: bool,
    /// Where it may not.
    pub(super) limits: &'static [Limit],
}

const fn everywhere(names: &'static [&'static str]) -> Row {
    Row {
        names,
        copies: Copies::Everywhere,
        fully_managed: false,
        logically_air_gapped: true,
        limits: &[],
    }
}

const fn managed(names: &'static [&'static str]) -> Row {
    Row {
        fully_managed: true,
        ..everywhere(names)
    }
}

const fn never(names: &'static [&'static str], why: &'static str) -> Row {
    Row {
        copies: Copies::None(why),
        logically_air_gapped: false,
        ..everywhere(names)
    }
}

const NOT_IN_THE_MIDDLE_EAST: Limit = Limit {
    reach: Reach::OtherRegion,
    regions: Regions::These(BAHRAIN_AND_UAE),
    why: "Amazon FSx backups cannot be copied to or from another Region in Middle East (Bahrain) and Middle East (UAE)",
};

/// The rows of the table.
pub(super) static TABLE: &[Row] = &[
    everywhere(&["EC2", "Amazon EC2"]),
    // Backups of EC2 instances that are consistent for Windows applications.
    everywhere(&["Windows VSS"]),
    Row {
        // The table of services by Region says so of S3 in China; it wasn't changed when copies
        // between accounts came there.
        limits: &[Limit {
            reach: Reach::OtherAccount,
            regions: Regions::These(CHINA),
            why: "Amazon S3 backups cannot be copied to another account in China",
        }],
        ..managed(&["S3", "Amazon S3"])
    },
    everywhere(&["EBS", "Amazon EBS"]),
    Row {
        logically_air_gapped: false,
        ..everywhere(&["RDS", "Amazon RDS"])
    },
    everywhere(&["Aurora", "Amazon Aurora"]),
    managed(&["Aurora DSQL", "Amazon Aurora DSQL", "DSQL"]),
    managed(&["EFS", "Amazon EFS"]),
    // Lustre, Windows File Server and OpenZFS, which AWS Backup calls alike. OpenZFS may not go to
    // a logically air-gapped vault, but nothing in the job tells it from the others.
    Row {
        limits: &[NOT_IN_THE_MIDDLE_EAST],
        ..everywhere(&["FSx", "Amazon FSx"])
    },
    everywhere(&["Storage Gateway", "AWS Storage Gateway"]),
    everywhere(&["DocumentDB", "Amazon DocumentDB"]),
    Row {
        limits: &[
            Limit {
                reach: Reach::OtherAccount,
                regions: Regions::OptIn,
                why: "Neptune backups cannot be copied to another account where a Region needs opt-in",
            },
            Limit {
                reach: Reach::OtherRegion,
                regions: Regions::OptInExcept(NEPTUNE_ACROSS_REGIONS),
                why: "Neptune backups can be copied to or from another Region in only some of the Regions that need opt-in",
            },
            Limit {
                reach: Reach::LogicallyAirGapped,
                regions: Regions::These(&["ap-southeast-3"]),
                why: "Neptune backups cannot be copied to a logically air-gapped vault in Asia Pacific (Jakarta)",
            },
        ],
        ..everywhere(&["Neptune", "Amazon Neptune"])
    },
    // Redshift has no row in AWS's table; support "should not be assumed unless explicitly
    // mentioned", so it counts as having none (inferred).
    never(
        &["Redshift", "Amazon Redshift"],
        "Amazon Redshift backups cannot be copied by AWS Backup",
    ),
    never(
        &["Redshift Serverless", "Amazon Redshift Serverless"],
        "Amazon Redshift Serverless backups cannot be copied by AWS Backup",
    ),
    Row {
        limits: &[Limit {
            reach: Reach::OtherAccount,
            regions: Regions::OptIn,
            why: "Timestream backups cannot be copied to another account where a Region needs opt-in",
        }],
        ..managed(&["Timestream", "Amazon Timestream"])
    },
    managed(&["VirtualMachine", "Virtual machines", "VMware"]),
    // The table has no tick for full management, AWS's page on encryption lists the type with the
    // fully managed ones. The ARN of a backup decides.
    Row {
        copies: Copies::OtherRegion,
        logically_air_gapped: false,
        ..everywhere(&["CloudFormation", "AWS CloudFormation"])
    },
    // With advanced features; see ADVANCED_DYNAMODB.
    managed(&["DynamoDB", "Amazon DynamoDB"]),
    Row {
        logically_air_gapped: false,
        ..managed(&[
            "SAP HANA on Amazon EC2",
            "SAP HANA",
            "SAP HANA databases on Amazon EC2 instances",
        ])
    },
    // Composite: each backup inside the cluster's follows its own type.
    Row {
        limits: &[Limit {
            reach: Reach::LogicallyAirGapped,
            regions: Regions::These(BAHRAIN_AND_UAE),
            why: "Amazon EKS backups cannot be copied to a logically air-gapped vault in Middle East (Bahrain) and Middle East (UAE)",
        }],
        ..managed(&["EKS", "Amazon EKS"])
    },
];

/// Rows that an ARN tells from the type's other ones.
pub(super) const RDS_MULTI_AZ_CLUSTER: Row = never(
    &["RDS Multi-AZ cluster"],
    "backups of RDS Multi-AZ DB clusters cannot be copied at all, not even by Amazon RDS",
);
/// See [`RDS_MULTI_AZ_CLUSTER`].
pub(super) const BASIC_DYNAMODB: Row = never(
    &["DynamoDB without advanced features"],
    "DynamoDB backups can be copied only once advanced DynamoDB backup is on, and only those made since",
);
/// See [`RDS_MULTI_AZ_CLUSTER`].
pub(super) const EKS_CLUSTER_STATE: Row = never(
    &["EKS cluster state"],
    "the cluster state of an Amazon EKS backup cannot be copied by itself; copy the composite backup that it belongs to",
);
/// See [`RDS_MULTI_AZ_CLUSTER`].
pub(super) const FSX_ONTAP: Row = Row {
    limits: &[
        NOT_IN_THE_MIDDLE_EAST,
        Limit {
            reach: Reach::OtherRegionOrAccount,
            regions: Regions::These(&["ap-southeast-6", "cn-north-1", "cn-northwest-1"]),
            why: "FSx for ONTAP backups cannot be copied to another Region or account in Asia Pacific (New Zealand) and in China",
        },
    ],
    ..everywhere(&["FSx for ONTAP"])
};
