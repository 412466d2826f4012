//! The sandbox's feature table against AWS's page, and against the diagnosis's, which was made
//! apart from it.

use copymend_diagnosis::Cause;
use copymend_diagnosis::features::{CopySupport, PlannedCopy, support_of};
use copymend_sandbox::{NewCopy, World};
use serde_json::{Value, json};

use crate::small::{copy, load};

const MANAGED: &str = "arn:aws:backup:REGION:111122223333:recovery-point:1a2b3c4d";

/// Type, recovery point and resource, as AWS writes them.
const BACKUPS: [(&str, &str, &str); 20] = [
    (
        "EBS",
        "arn:aws:ec2:REGION::snapshot/snap-0a1b",
        "arn:aws:ec2:REGION:111122223333:volume/vol-0a1b",
    ),
    (
        "EC2",
        "arn:aws:ec2:REGION::image/ami-0a1b",
        "arn:aws:ec2:REGION:111122223333:instance/i-0a1b",
    ),
    ("S3", MANAGED, "arn:aws:s3:::orders"),
    (
        "EFS",
        MANAGED,
        "arn:aws:elasticfilesystem:REGION:111122223333:file-system/fs-1",
    ),
    (
        "RDS",
        "arn:aws:rds:REGION:111122223333:snapshot:awsbackup:job-1",
        "arn:aws:rds:REGION:111122223333:db:orders",
    ),
    (
        "RDS",
        "arn:aws:rds:REGION:111122223333:cluster-snapshot:awsbackup:job-1",
        "arn:aws:rds:REGION:111122223333:cluster:orders",
    ),
    (
        "Aurora",
        "arn:aws:rds:REGION:111122223333:cluster-snapshot:awsbackup:job-1",
        "arn:aws:rds:REGION:111122223333:cluster:orders",
    ),
    (
        "Aurora DSQL",
        MANAGED,
        "arn:aws:dsql:REGION:111122223333:cluster/orders",
    ),
    (
        "DocumentDB",
        "arn:aws:rds:REGION:111122223333:cluster-snapshot:awsbackup:job-1",
        "arn:aws:rds:REGION:111122223333:cluster:orders",
    ),
    (
        "Neptune",
        "arn:aws:rds:REGION:111122223333:cluster-snapshot:awsbackup:job-1",
        "arn:aws:rds:REGION:111122223333:cluster:orders",
    ),
    (
        "FSx",
        "arn:aws:fsx:REGION:111122223333:backup/backup-0a1b",
        "arn:aws:fsx:REGION:111122223333:file-system/fs-0a1b",
    ),
    (
        "FSx",
        "arn:aws:fsx:REGION:111122223333:backup/backup-0a1b",
        "arn:aws:fsx:REGION:111122223333:volume/fs-0a1b/fsvol-1",
    ),
    (
        "DynamoDB",
        "arn:aws:dynamodb:REGION:111122223333:table/orders/backup/1",
        "arn:aws:dynamodb:REGION:111122223333:table/orders",
    ),
    (
        "DynamoDB",
        MANAGED,
        "arn:aws:dynamodb:REGION:111122223333:table/orders",
    ),
    (
        "Timestream",
        MANAGED,
        "arn:aws:timestream:REGION:111122223333:database/orders",
    ),
    (
        "CloudFormation",
        MANAGED,
        "arn:aws:cloudformation:REGION:111122223333:stack/web/1",
    ),
    (
        "SAP HANA on Amazon EC2",
        MANAGED,
        "arn:aws:ssm-sap:REGION:111122223333:HANA/app/DB/x",
    ),
    (
        "Redshift",
        "arn:aws:redshift:REGION:111122223333:snapshot:warehouse/1",
        "arn:aws:redshift:REGION:111122223333:cluster:warehouse",
    ),
    (
        "Redshift Serverless",
        "arn:aws:redshift-serverless:REGION:111122223333:snapshot/1",
        "arn:aws:redshift-serverless:REGION:111122223333:namespace/1",
    ),
    (
        "EKS",
        "arn:aws:backup:REGION:111122223333:recovery-point:composite:eks/prod-1",
        "arn:aws:eks:REGION:111122223333:cluster/prod",
    ),
];

/// A Region of every kind that the page tells apart.
const REGIONS: [(&str, &str); 11] = [
    ("aws", "eu-west-1"),
    ("aws", "us-west-2"),
    ("aws", "eu-south-1"),
    ("aws", "ap-southeast-3"),
    ("aws", "ap-southeast-5"),
    ("aws", "ap-southeast-6"),
    ("aws", "me-south-1"),
    ("aws-cn", "cn-north-1"),
    ("aws-cn", "cn-northwest-1"),
    ("aws-us-gov", "us-gov-west-1"),
    ("aws-us-gov", "us-gov-east-1"),
];

/// A recovery point of each kind, on its way.
#[derive(Clone, Copy)]
struct Journey {
    from: (&'static str, &'static str),
    to: (&'static str, &'static str),
    account: &'static str,
    air_gapped: bool,
}

impl Journey {
    fn arn(self, text: &str) -> String {
        let (partition, region) = self.from;
        text.replace("arn:aws:", &format!("arn:{partition}:"))
            .replace("REGION", region)
    }

    fn vaults(self) -> [String; 2] {
        let vault = |(partition, region): (&str, &str), account: &str, name: &str| {
            format!("arn:{partition}:backup:{region}:{account}:backup-vault:{name}")
        };
        [
            vault(self.from, "111122223333", "prod"),
            vault(self.to, self.account, "dr"),
        ]
    }

    /// The recovery point of a backup, with an id of its own.
    fn point(self, backup: usize) -> String {
        format!("{}-{backup}", self.arn(BACKUPS[backup].1))
    }

    /// A world in which nothing but the type and the places can stop a copy.
    fn world(self) -> World {
        let admit = json!({"Effect": "Allow", "Principal": "*", "Action": "backup:CopyIntoBackupVault", "Resource": "*"});
        // A logically air-gapped vault takes some types only where they are encrypted, which is no
        // matter of the table.
        let (partition, region) = self.from;
        let key = "33333333-3333-4333-8333-333333333333";
        let key_arn = format!("arn:{partition}:kms:{region}:111122223333:key/{key}");
        let points: Vec<Value> = BACKUPS
            .iter()
            .enumerate()
            .map(|(backup, (kind, _, resource))| {
                let mut point = json!({"arn": self.point(backup), "resource_arn": self.arn(resource),
                    "resource_type": kind, "encrypted": false});
                if ["Aurora", "DocumentDB", "Neptune"].contains(kind) {
                    point["encrypted"] = json!(true);
                    point["encryption_key_arn"] = json!(key_arn);
                }
                point
            })
            .collect();
        let everyone =
            json!({"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"});
        let open = json!({"policy": {"Statement": [everyone]}});
        let mut dr = json!({"policy": {"Statement": [admit]}});
        if self.air_gapped {
            dr["vault_type"] = json!("LOGICALLY_AIR_GAPPED_BACKUP_VAULT");
        } else {
            let key = format!(
                "arn:{}:kms:{}:{}:key/22222222-2222-4222-8222-222222222222",
                self.to.0, self.to.1, self.account
            );
            dr["encryption_key_arn"] = json!(key);
        }
        let mut accounts = json!({"111122223333": {"partition": self.from.0,
            "roles": {"BackupRole": {"managed_policies": ["AWSBackupServiceRolePolicyForBackup"]}},
            "regions": {self.from.1: {"vaults": {"prod": {"recovery_points": points}}, "keys": {key: open}}}}});
        let regions = &mut accounts[self.account]["regions"][self.to.1];
        regions["vaults"]["dr"] = dr;
        regions["keys"]["22222222-2222-4222-8222-222222222222"] = json!({});
        accounts[self.account]["partition"] = json!(self.to.0);
        let mut members = json!({"111122223333": "o-exampleorgid/r-ab12/"});
        members[self.account] = json!("o-exampleorgid/r-ab12/");
        load(&json!({"accounts": accounts, "organizations": [{
            "id": "o-exampleorgid", "management_account": "999988887777",
            "cross_account_backup_enabled": true, "member_accounts": members}]}))
    }

    /// Whether the sandbox lets a backup be copied.
    fn is_let_pass(self, world: &mut World, backup: usize) -> bool {
        let [source, destination] = self.vaults();
        let role = self.arn("arn:aws:iam::111122223333:role/BackupRole");
        let job = world.start_copy(NewCopy {
            recovery_point: self.point(backup).parse().unwrap(),
            source_vault: source.parse().unwrap(),
            destination_vault: destination.parse().unwrap(),
            role: role.parse().unwrap(),
            ..copy()
        });
        let failure = job.unwrap().failure();
        failure.and_then(|failure| failure.cause) != Some(Cause::UnsupportedResourceType)
    }

    /// What the diagnosis's table says.
    fn is_diagnosed_as_supported(self, backup: usize) -> bool {
        let [source, destination] = self.vaults();
        let (kind, _, resource) = BACKUPS[backup];
        let planned = PlannedCopy {
            resource_type: kind,
            recovery_point: &self.point(backup).parse().unwrap(),
            resource: Some(&self.arn(resource).parse().unwrap()),
            source_vault: &source.parse().unwrap(),
            destination_vault: &destination.parse().unwrap(),
            logically_air_gapped: self.air_gapped,
        };
        !matches!(support_of(&planned), CopySupport::Unsupported(_))
    }
}

/// Between Regions of every kind, in one account and across two, into both kinds of vaults.
fn journeys() -> impl Iterator<Item = Journey> {
    let pairs = REGIONS
        .into_iter()
        .flat_map(|from| REGIONS.into_iter().map(move |to| (from, to)))
        .filter(|(from, to)| from.0 == to.0);
    pairs.flat_map(|(from, to)| {
        [
            ("111122223333", false),
            ("111122223333", true),
            ("444455556666", false),
            ("444455556666", true),
        ]
        .map(|(account, air_gapped)| Journey {
            from,
            to,
            account,
            air_gapped,
        })
    })
}

/// Two tables that were read from the page apart from each other.
#[test]
fn both_tables_say_the_same_of_every_type_between_regions_of_every_kind() {
    let (mut asked, mut refused) = (0, 0);
    for journey in journeys() {
        let mut world = journey.world();
        for (backup, (kind, ..)) in BACKUPS.iter().enumerate() {
            let passes = journey.is_let_pass(&mut world, backup);
            let Journey {
                from,
                to,
                account,
                air_gapped,
            } = journey;
            assert_eq!(
                passes,
                journey.is_diagnosed_as_supported(backup),
                "{kind} from {} to {} in {account}, {air_gapped}",
                from.1,
                to.1
            );
            asked += 1;
            refused += u32::from(!passes);
        }
    }
    assert!(
        asked > 4_000 && refused > 500 && refused < asked,
        "{refused} of {asked}"
    );
}

/// By the page alone.
#[test]
fn what_the_page_refuses_is_refused_and_what_it_ticks_is_not() {
    for (backup, account, air_gapped, ticked) in [
        (0, "444455556666", true, true),
        (4, "444455556666", false, true),
        // "Multi-AZ clusters do not currently support any copy operations", in the same account
        // neither.
        (5, "111122223333", false, false),
        (4, "444455556666", true, false),
        (11, "444455556666", false, true),
        (12, "111122223333", false, false),
        (13, "444455556666", true, true),
        (15, "111122223333", false, true),
        (15, "444455556666", false, false),
        (16, "444455556666", true, false),
        (17, "111122223333", false, false),
        (18, "111122223333", false, false),
    ] {
        let journey = Journey {
            from: REGIONS[0],
            to: REGIONS[1],
            account,
            air_gapped,
        };
        assert_eq!(
            journey.is_let_pass(&mut journey.world(), backup),
            ticked,
            "{} in {account}, {air_gapped}",
            BACKUPS[backup].0
        );
    }
}
