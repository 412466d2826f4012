//! What AWS Backup can't copy, and another way to the same end.

use super::{ADMITTED, Entry, Pages, Remedy, Shown, console, page, rules, vault};
use crate::advice::{Case, is_plain, step, two_hops};
use crate::assess::{Checked, confirmed, not_checkable};
use crate::facts::{Facts, SourceKey};
use crate::features::{
    CopySupport, FEATURE_TABLE_DATE, Obstacle, PlannedCopy, is_listed, stays_unencrypted,
    support_of,
};
use crate::job::BackupCopy;

pub(super) static UNSUPPORTED: Entry = Entry {
    slug: "unsupported-resource-type",
    title: "This resource type does not support this copy",
    happens: "AWS Backup cannot do this copy of this resource type: to another account, to another Region, to a logically \
        air-gapped vault, or at all.",
    found: "The copy is looked up in AWS's table of features by resource and Region, a copy of which is part of Copymend. \
        A logically air-gapped vault takes no unencrypted backups of Aurora, DocumentDB and Neptune.",
    also: ADMITTED,
    messages: rules! {
        // Documented: "Feature is not supported for provided resource type.", also for logically
        // air-gapped vaults.
        First 200 ["not supported for provided resource type\
             |not supported for the provided resource type|not supported for this resource type\
             |not supported for resource type|resource type is not supported\
             |resource type not supported|unsupported resource type|resource type is unsupported\
             |resource type does not support|not supported for the resource type"]
            => "This resource type cannot do this copy.";
        // Documented: "Copy job from … to … cannot be initiated for … resources."
        First 210 ["copy job", "cannot be initiated for|could not be initiated for"]
            => "This resource type cannot do this copy.";
        // Documented: "not supported by logically air-gapped backup vault".
        First 220 ["air-gapped|air gapped|airgapped", "not supported|unsupported|does not support\
             |cannot be copied"] => "A logically air-gapped vault does not take this resource.";
        // Inferred from the feature table: which copies a type supports.
        First 230 ["cross-region|cross region|cross-account|cross account|copy action|copy jobs\
             |copies|copying|copy of|copy is|copy operation|backup copy", "is not supported for\
             |are not supported for|does not support cross|do not support cross|not support copy\
             |not support copies|copy is not supported|copying is not supported\
             |copies are not supported|copy action is not supported|single copy action\
             |copy operation is not supported|does not support backup copy"]
            not ["continuous backup|default key|aws managed key"]
            => "This resource type cannot do this copy.";
        // Documented: RDS does not copy the snapshots of a Multi-AZ DB cluster. The wording is
        // inferred.
        First 240 ["copying snapshots|copying backups|copying recovery points",
            "is not supported|are not supported"]
            not ["error copying|failed copying|continuous|point-in-time|pitr|default key\
                 |aws managed|encrypted"] => "This resource type cannot do this copy.";
        // Documented: backups in cold storage or archive tiers cannot be copied. The wording is
        // inferred.
        First 250 ["cold storage|cold tier|archive tier|archived recovery point|in archive\
             |archived snapshot", "not be copied|cannot copy|not supported|unable to copy"]
            => "A backup in cold storage or in the archive cannot be copied.";
    },
    shown: Shown::ByFacts(100, check, is_open),
    families: &[],
    remedy: Remedy::Advise,
    who: |case| case.backup_owner(),
    steps,
    console: console::source_vault_or_settings,
    page: Pages::ByCase(page::FEATURES, |case| {
        (case.obstacle() == Some(Obstacle::BasicDynamoDb)).then_some(page::ADVANCED_DYNAMODB)
    }),
};

fn check(copy: &BackupCopy, facts: &Facts) -> Checked {
    let unnamed = || not_checkable("the job names no resource type");
    let resource_type = copy.resource_type.as_ref().ok_or_else(unnamed)?;
    if facts.is_into_air_gapped_vault() && is_plain_cluster(Some(resource_type), facts) {
        return Ok(confirmed(
            "a logically air-gapped vault takes no unencrypted backups of Aurora, DocumentDB and Neptune",
        ));
    }
    let air_gapped = facts.is_into_air_gapped_vault();
    Ok(match support(resource_type, copy, air_gapped) {
        CopySupport::Unsupported(why) => confirmed(format!(
            "{why} (AWS's feature table of {FEATURE_TABLE_DATE})"
        )),
        // AWS knows better than a copied table: a Region or an engine may differ.
        CopySupport::Supported => not_checkable(format!(
            "the feature table of {FEATURE_TABLE_DATE} lists this copy of {resource_type} as supported"
        )),
        CopySupport::NotListed => not_checkable(format!(
            "the feature table of {FEATURE_TABLE_DATE} has no row for this copy of {resource_type}"
        )),
    })
}

fn support(resource_type: &str, copy: &BackupCopy, logically_air_gapped: bool) -> CopySupport {
    support_of(&PlannedCopy {
        resource_type,
        recovery_point: &copy.source_recovery_point,
        resource: copy.resource.as_ref(),
        source_vault: &copy.source_vault,
        destination_vault: &copy.destination_vault,
        logically_air_gapped,
    })
}

/// Whether the backup is one that a logically air-gapped vault doesn't take because it isn't
/// encrypted (AWS Backup, "Logically air-gapped vaults", considerations, documented).
fn is_plain_cluster(resource_type: Option<&str>, facts: &Facts) -> bool {
    resource_type.is_some_and(stays_unencrypted) && facts.source_key == SourceKey::NotEncrypted
}

/// Whether it depends on what wasn't read: on the kind of the destination vault, or on whether the
/// backup is encrypted.
fn is_open(copy: &BackupCopy, facts: &Facts) -> bool {
    let Some(resource_type) = copy.resource_type.as_deref() else {
        return false;
    };
    let may_be_plain = stays_unencrypted(resource_type)
        && matches!(
            facts.source_key,
            SourceKey::NotEncrypted | SourceKey::Unknown(_)
        );
    let refuses = || {
        matches!(
            support(resource_type, copy, true),
            CopySupport::Unsupported(_)
        )
    };
    match facts.enters_air_gapped_vault() {
        Some(true) => may_be_plain,
        None => may_be_plain || refuses(),
        Some(false) => false,
    }
}

const CHECK: &str = "Compare the type and both Regions with AWS's feature tables, by resource and by Region: they change about every month.";

fn steps(case: &Case<'_>) -> Vec<String> {
    let obstacle = case.obstacle();
    let mut steps = Vec::new();
    if let Some(obstacle) = obstacle {
        steps.push(format!(
            "By AWS's feature table of {FEATURE_TABLE_DATE}, {}.",
            obstacle.why()
        ));
    }
    let resource_type = case.event().resource_type.as_deref();
    let plain_cluster = case.facts().is_some_and(|facts| {
        facts.is_into_air_gapped_vault() && is_plain_cluster(resource_type, facts)
    });
    steps.extend(match obstacle {
        None if plain_cluster => vault::another(
            case,
            "A logically air-gapped vault takes no unencrypted backups of Aurora, DocumentDB and Neptune. Copy to a standard \
             backup vault instead, or restore the cluster encrypted under a customer managed key and back it up again",
        ),
        Some(Obstacle::Partition) => other_partition(case),
        Some(Obstacle::BasicDynamoDb) => advanced_dynamodb(case),
        Some(Obstacle::RdsMultiAzCluster) => multi_az_cluster(case),
        Some(Obstacle::EksClusterState) => composite(case),
        Some(Obstacle::Type(_)) => own_service(case),
        Some(Obstacle::OtherAccount) => nested(case),
        Some(Obstacle::LogicallyAirGapped) => {
            vault::another(case, "Copy to a standard backup vault instead")
        }
        Some(Obstacle::Region(_)) => around_the_region(case),
        None => listed(case),
    });
    steps.push(CHECK.to_owned());
    steps
}

/// The table lists the copy, or doesn't know the type.
fn listed(case: &Case<'_>) -> Vec<String> {
    let both = case.is_cross_account() && case.is_cross_region();
    let mut steps = Vec::new();
    let kind = case
        .event()
        .resource_type
        .as_deref()
        .filter(|kind| is_plain(kind));
    if let Some(kind) = kind
        && is_listed(kind)
    {
        steps.push(format!(
            "AWS's feature table of {FEATURE_TABLE_DATE} lists this copy of {kind}. An engine, a storage tier or a Region may still exclude \
             it; backups in cold storage or an archive tier cannot be copied."
        ));
    }
    if both {
        steps.push(
            "To another Region and another account in a single action: RDS, Aurora, DocumentDB and Neptune can do that since October 2025. \
             Older pages that deny it are out of date."
                .to_owned(),
        );
        steps.push(case.start_again_with(
            "Start the copy again, to see whether AWS still refuses it",
            "",
        ));
        steps.extend(two_hops(case));
    }
    if case.is_type("RDS") {
        steps.push(
            "Backups of RDS Multi-AZ DB clusters cannot be copied at all, those of Multi-AZ DB instances can. See which of them this is, \
             by whether the resource is a cluster or a db."
                .to_owned(),
        );
    }
    steps
}

fn other_partition(case: &Case<'_>) -> Vec<String> {
    vec![format!(
        "Move the data itself, in the way of its service: restore the backup in account {}, export it to files, and load them in account \
         {}, Region {}.",
        case.source_account(),
        case.account(),
        case.region()
    )]
}

fn advanced_dynamodb(case: &Case<'_>) -> Vec<String> {
    let (account, region) = (case.source_account(), case.source_region());
    let mut steps = vec![
        step!("Turn advanced DynamoDB backup on, in account {account}; only backups made since can be copied";
        "aws backup update-region-settings --region {region} --resource-type-opt-in-preference DynamoDB=true \
         --resource-type-management-preference DynamoDB=true"),
    ];
    steps.push(match case.resource() {
        Some(table) => step(
            "Back the table up again; the backup plan copies that backup",
            &case.back_up(table.as_str()),
        ),
        None => "Back the table up again; the backup plan copies that backup.".to_owned(),
    });
    steps
}

/// A cluster's snapshot can be restored to an instance, whose backups can be copied (Amazon RDS,
/// "Restoring from a Multi-AZ DB cluster snapshot to a DB instance", documented).
fn multi_az_cluster(case: &Case<'_>) -> Vec<String> {
    let (account, region) = (case.source_account(), case.source_region());
    let snapshot = case
        .recovery_point()
        .and_then(|point| point.resource().strip_prefix("cluster-snapshot:"));
    let restored = "copymend-restored";
    let arn = format!(
        "arn:{}:rds:{region}:{account}:db:{restored}",
        case.partition()
    );
    let mut steps = vec![match snapshot {
        Some(snapshot) => {
            step!("Restore the cluster's snapshot to a DB instance, in account {account}";
            "aws rds restore-db-instance-from-db-snapshot --region {region} --db-instance-identifier {restored} \
             --db-cluster-snapshot-identifier {snapshot}")
        }
        None => format!(
            "Restore the backup to a DB instance, in the AWS Backup console of account {account}, Region {region}."
        ),
    }];
    steps.push(step("Back the instance up", &case.back_up(&arn)));
    steps.push(case.copy_that("run the database as a Multi-AZ DB instance"));
    steps
}

fn composite(case: &Case<'_>) -> Vec<String> {
    let region = case.source_region();
    vec![
        match case.recovery_point() {
            Some(point) => {
                step!("Find the composite backup (ParentRecoveryPointArn), in account {}", case.source_account();
                "POINT=$(aws backup describe-recovery-point --region {region} --backup-vault-name {} --recovery-point-arn \
                 {point} --query ParentRecoveryPointArn --output text)", case.source_vault())
            }
            None => format!(
                "Find the composite backup in vault `{}`.",
                case.source_vault()
            ),
        },
        step(
            "Copy the composite backup; it takes the cluster state with it",
            &case.start_from("$POINT"),
        ),
    ]
}

/// The type has no copies in AWS Backup, but its service may have.
fn own_service(case: &Case<'_>) -> Vec<String> {
    let (from, to) = (case.source_region(), case.region());
    let mut steps = Vec::new();
    if case.is_type("Redshift") {
        let cluster = case
            .resource()
            .and_then(|resource| resource.resource().strip_prefix("cluster:"))
            .unwrap_or("$CLUSTER");
        if case.is_cross_region() {
            steps.push(step!("Let Amazon Redshift copy the cluster's snapshots to the other Region";
                "aws redshift enable-snapshot-copy --region {from} --cluster-identifier {cluster} --destination-region {to}"));
        }
        if case.is_cross_account() {
            steps.push(step!("Let account {} restore a snapshot, with SNAPSHOT set to one of those listed", case.account();
                "aws redshift describe-cluster-snapshots --region {to} --cluster-identifier {cluster} --query \
                 'Snapshots[].SnapshotIdentifier' --output text\n\
                 aws redshift authorize-snapshot-access --region {to} --snapshot-identifier $SNAPSHOT \
                 --account-with-restore-access {}", case.account()));
        }
    } else if case.is_cross_region() {
        steps.push(step!("Let Amazon Redshift Serverless copy the namespace's snapshots to the other Region, with NAMESPACE set \
             to one of those listed";
            "aws redshift-serverless list-namespaces --region {from} --query 'namespaces[].namespaceName' --output text\n\
             aws redshift-serverless create-snapshot-copy-configuration --region {from} --namespace-name $NAMESPACE \
             --destination-region {to}"));
    }
    steps.push(format!(
        "Take the copy action out of the backup plan of account {}, or the resource out of that plan.",
        case.source_account()
    ));
    steps
}

/// A stack's backup can't go to another account, but the backups of the resources inside it can,
/// each by its own type.
fn nested(case: &Case<'_>) -> Vec<String> {
    let region = case.source_region();
    let mut steps = Vec::new();
    if let Some(point) = case.recovery_point() {
        steps.push(step!("Copy the backups of the resources inside the stack instead. List them, in account {}",
            case.source_account();
            "aws backup list-recovery-points-by-backup-vault --region {region} --backup-vault-name {} \
             --by-parent-recovery-point-arn {point} --query 'RecoveryPoints[].[ResourceType,RecoveryPointArn]' --output text",
            case.source_vault()));
        steps.push(step(
            "Copy each whose type supports it, with POINT set to its ARN",
            &case.start_from("$POINT"),
        ));
    }
    steps.push(format!(
        "For the next backups, assign the resources inside the stack to a backup plan of their own in account {}; that plan can copy them.",
        case.source_account()
    ));
    steps
}

fn around_the_region(case: &Case<'_>) -> Vec<String> {
    if case.obstacle_without_vault_type() != case.obstacle() {
        return vault::another(case, "Copy to a standard backup vault instead");
    }
    let hops = two_hops(case);
    if !hops.is_empty() {
        return hops;
    }
    vec![format!(
        "Copy to a Region without this limit, and keep the copy there. If it must be in account {}: first to that Region within account {}, \
         then, inside that Region, to the other account.",
        case.account(),
        case.source_account()
    )]
}
