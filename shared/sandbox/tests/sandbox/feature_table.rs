//! The sandbox's feature table against AWS's page, and against the diagnosis's, which was made apart from it.

use copymend_diagnosis::Cause;
use copymend_diagnosis::features::{CopySupport, PlannedCopy, support_of};
use copymend_sandbox::NewCopy;
use serde_json::{Value, json};

use crate::small::{copy, run};

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

struct Asked {
    backup: (&'static str, &'static str, &'static str),
    from: (&'static str, &'static str),
    to: (&'static str, &'static str),
    account: &'static str,
    air_gapped: bool,
}

impl Asked {
    fn arn(&self, text: &str) -> String {
        let (partition, region) = self.from;
        text.replace("arn:aws:", &format!("arn:{partition}:"))
            .replace("REGION", region)
    }

    fn vaults(&self) -> [String; 2] {
        let vault = |(partition, region): (&str, &str), account: &str, name: &str| {
            format!("arn:{partition}:backup:{region}:{account}:backup-vault:{name}")
        };
        [
            vault(self.from, "111122223333", "prod"),
            vault(self.to, self.account, "dr"),
        ]
    }

    /// A world in which nothing but the type and the places can stop the copy, and its copy.
    fn judged(&self) -> Option<Cause> {
        let [source, destination] = self.vaults();
        let (kind, point, resource) = self.backup;
        let admit = json!({"Effect": "Allow", "Principal": "*", "Action": "backup:CopyIntoBackupVault", "Resource": "*"});
        let mut source_point = json!({"arn": self.arn(point), "resource_arn": self.arn(resource), "resource_type": kind,
            "encrypted": false});
        // A logically air-gapped vault takes these only where they are encrypted, which is no matter of the table.
        if ["Aurora", "DocumentDB", "Neptune"].contains(&kind) {
            let (partition, region) = self.from;
            source_point["encrypted"] = json!(true);
            source_point["encryption_key_arn"] = json!(format!(
                "arn:{partition}:kms:{region}:111122223333:key/33333333-3333-4333-8333-333333333333"
            ));
        }
        let everyone =
            json!({"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"});
        let open = json!({"policy": {"Statement": [everyone]}});
        let points = json!({"recovery_points": [source_point]});
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
        let source_key = json!({"33333333-3333-4333-8333-333333333333": open});
        let keys = json!({"22222222-2222-4222-8222-222222222222": {}, "33333333-3333-4333-8333-333333333333": open});
        let mut accounts = json!({"111122223333": {"partition": self.from.0,
            "roles": {"BackupRole": {"managed_policies": ["AWSBackupServiceRolePolicyForBackup"]}},
            "regions": {self.from.1: {"vaults": {"prod": points}, "keys": source_key}}}});
        let regions = &mut accounts[self.account]["regions"][self.to.1];
        regions["vaults"]["dr"] = dr;
        regions["keys"] = keys;
        accounts[self.account]["partition"] = json!(self.to.0);
        let world = json!({"accounts": accounts, "organizations": self.organization()});
        let copy = NewCopy {
            recovery_point: self.arn(point).parse().unwrap(),
            source_vault: source.parse().unwrap(),
            destination_vault: destination.parse().unwrap(),
            role: self
                .arn("arn:aws:iam::111122223333:role/BackupRole")
                .parse()
                .unwrap(),
            ..copy()
        };
        run(&world, copy)
            .failure()
            .and_then(|failure| failure.cause)
    }

    fn organization(&self) -> Value {
        let mut members = json!({"111122223333": "o-exampleorgid/r-ab12/"});
        members[self.account] = json!("o-exampleorgid/r-ab12/");
        json!([{"id": "o-exampleorgid", "management_account": "999988887777",
            "cross_account_backup_enabled": true, "member_accounts": members}])
    }

    /// What the diagnosis's table says.
    fn diagnosed(&self) -> bool {
        let [source, destination] = self.vaults();
        let (kind, point, resource) = self.backup;
        let planned = PlannedCopy {
            resource_type: kind,
            recovery_point: &self.arn(point).parse().unwrap(),
            resource: Some(&self.arn(resource).parse().unwrap()),
            source_vault: &source.parse().unwrap(),
            destination_vault: &destination.parse().unwrap(),
            logically_air_gapped: self.air_gapped,
        };
        !matches!(support_of(&planned), CopySupport::Unsupported(_))
    }
}

/// Two tables that were read from the page apart from each other.
#[test]
fn both_tables_say_the_same_of_every_type_between_regions_of_every_kind() {
    let (mut asked, mut refused) = (0, 0);
    for backup in BACKUPS {
        for from in REGIONS {
            for to in REGIONS.into_iter().filter(|to| to.0 == from.0) {
                for account in ["111122223333", "444455556666"] {
                    for air_gapped in [false, true] {
                        let copy = Asked {
                            backup,
                            from,
                            to,
                            account,
                            air_gapped,
                        };
                        let supported = copy.judged() != Some(Cause::UnsupportedResourceType);
                        let what = format!(
                            "{} from {} to {} in {account}, {air_gapped}",
                            backup.0, from.1, to.1
                        );
                        assert_eq!(supported, copy.diagnosed(), "{what}");
                        asked += 1;
                        refused += u32::from(!supported);
                    }
                }
            }
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
    let backup = |number: usize| BACKUPS[number];
    let (here, there) = (REGIONS[0], REGIONS[1]);
    for (number, account, air_gapped, ticked) in [
        (0, "444455556666", true, true),
        (4, "444455556666", false, true),
        // "Multi-AZ clusters do not currently support any copy operations", in the same account neither.
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
        let asked = Asked {
            backup: backup(number),
            from: here,
            to: there,
            account,
            air_gapped,
        };
        let supported = asked.judged() != Some(Cause::UnsupportedResourceType);
        assert_eq!(
            supported, ticked,
            "{} in {account}, {air_gapped}",
            asked.backup.0
        );
    }
}
