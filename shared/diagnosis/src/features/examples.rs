//! Backups of every type, with ARNs as AWS writes them, for the tests of the table.

use copymend_policy::Arn;

pub(super) fn arn(text: &str) -> Arn {
    text.parse().unwrap()
}

/// The recovery point and the resource of a backup of each type, with ARNs as AWS writes them.
pub(super) fn example(resource_type: &str) -> (Arn, Arn) {
    let managed =
        "arn:aws:backup:eu-west-1:111122223333:recovery-point:1a2b3c4d-1a2b-1a2b-1a2b-1a2b3c4d5e6f";
    let (point, resource) = match resource_type {
        "EBS" | "Storage Gateway" => (
            "arn:aws:ec2:eu-west-1::snapshot/snap-0a1b2c3d4e5f60718",
            "arn:aws:ec2:eu-west-1:111122223333:volume/vol-0a1b2c3d4e5f60718",
        ),
        "EC2" | "Windows VSS" => (
            "arn:aws:ec2:eu-west-1::image/ami-0a1b2c3d4e5f60718",
            "arn:aws:ec2:eu-west-1:111122223333:instance/i-0a1b2c3d4e5f60718",
        ),
        "RDS" => (
            "arn:aws:rds:eu-west-1:111122223333:snapshot:awsbackup:job-1",
            "arn:aws:rds:eu-west-1:111122223333:db:orders",
        ),
        "Aurora" | "DocumentDB" | "Neptune" => (
            "arn:aws:rds:eu-west-1:111122223333:cluster-snapshot:awsbackup:job-1",
            "arn:aws:rds:eu-west-1:111122223333:cluster:orders",
        ),
        "FSx" => (
            "arn:aws:fsx:eu-west-1:111122223333:backup/backup-0a1b",
            "arn:aws:fsx:eu-west-1:111122223333:file-system/fs-0a1b",
        ),
        "Redshift" => (
            "arn:aws:redshift:eu-west-1:111122223333:snapshot:warehouse/awsbackup:job-1",
            "arn:aws:redshift:eu-west-1:111122223333:cluster:warehouse",
        ),
        "Redshift Serverless" => (
            "arn:aws:redshift-serverless:eu-west-1:111122223333:snapshot/1",
            "arn:aws:redshift-serverless:eu-west-1:111122223333:namespace/1",
        ),
        "EKS" => (
            "arn:aws:backup:eu-west-1:111122223333:recovery-point:composite:eks/prod-1",
            "arn:aws:eks:eu-west-1:111122223333:cluster/prod",
        ),
        "CloudFormation" => (
            managed,
            "arn:aws:cloudformation:eu-west-1:111122223333:stack/web/1",
        ),
        "DynamoDB" => (
            managed,
            "arn:aws:dynamodb:eu-west-1:111122223333:table/orders",
        ),
        _ => (managed, "arn:aws:s3:::orders"),
    };
    (arn(point), arn(resource))
}

/// The backups that the table excludes, however they are told apart: type, recovery point and
/// resource, destination, and whether the destination vault is logically air-gapped.
pub(super) fn excluded() -> Vec<(&'static str, (Arn, Arn), &'static str, bool)> {
    let other_account = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr";
    let other_region = "arn:aws:backup:eu-central-1:111122223333:backup-vault:dr";
    let same = "arn:aws:backup:eu-west-1:111122223333:backup-vault:second";
    let managed = "arn:aws:backup:eu-west-1:111122223333:recovery-point:1a2b3c4d";
    let cluster = "arn:aws:rds:eu-west-1:111122223333:cluster:orders";
    let like_its_type = [
        ("Redshift", other_region, false),
        ("Redshift", same, false),
        ("Redshift Serverless", other_account, false),
        ("CloudFormation", other_account, false),
        ("RDS", other_account, true),
        (
            "Neptune",
            "arn:aws:backup:af-south-1:444455556666:backup-vault:dr",
            false,
        ),
        (
            "FSx",
            "arn:aws:backup:me-central-1:111122223333:backup-vault:dr",
            false,
        ),
        (
            "EBS",
            "arn:aws-cn:backup:cn-north-1:111122223333:backup-vault:dr",
            false,
        ),
    ];
    let unlike_it = [
        (
            "DynamoDB",
            "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/backup/1",
            "arn:aws:dynamodb:eu-west-1:111122223333:table/orders",
            other_region,
            false,
        ),
        (
            "RDS",
            "arn:aws:rds:eu-west-1:111122223333:cluster-snapshot:awsbackup:job-1",
            cluster,
            other_region,
            false,
        ),
        // Copied out of a logically air-gapped vault, a backup has an ARN of AWS Backup: the
        // resource tells the cluster.
        ("RDS", managed, cluster, other_region, false),
        (
            "EKS",
            "arn:aws:backup:eu-west-1:111122223333:recovery-point:eks/prod-1",
            "arn:aws:eks:eu-west-1:111122223333:cluster/prod",
            other_region,
            false,
        ),
        (
            "SAP HANA on Amazon EC2",
            managed,
            "arn:aws:ssm-sap:eu-west-1:111122223333:HANA/app/DB/x",
            other_account,
            true,
        ),
    ];
    let like = like_its_type.map(|(kind, to, air_gapped)| (kind, example(kind), to, air_gapped));
    let unlike = unlike_it.map(|(kind, point, resource, to, air_gapped)| {
        (kind, (arn(point), arn(resource)), to, air_gapped)
    });
    like.into_iter().chain(unlike).collect()
}
