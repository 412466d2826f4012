use std::collections::BTreeSet;

use serde_json::json;

use super::examples::{arn, example, excluded};
use super::*;
use crate::advice::samples::{event_with, facts, failure};
use crate::messages::explain;
use crate::{BackupVault, Cause, Fact, Verdict, diagnose};

const NOT_SUPPORTED: &str = "Feature is not supported for provided resource type.";

fn vault(region: &str, account: &str) -> BackupVaultArn {
    let partition = match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        region if region.starts_with("eusc-") => "aws-eusc",
        region if region.starts_with("us-iso-") => "aws-iso",
        _ => "aws",
    };
    format!("arn:{partition}:backup:{region}:{account}:backup-vault:v")
        .parse()
        .unwrap()
}

/// What the table says of a copy of a type between two Regions, to the same or another account.
fn between(
    resource_type: &str,
    from: &str,
    to: &str,
    account: &str,
    air_gapped: bool,
) -> CopySupport {
    let (point, resource) = example(resource_type);
    support_of(&PlannedCopy {
        resource_type,
        recovery_point: &point,
        resource: Some(&resource),
        source_vault: &vault(from, "111122223333"),
        destination_vault: &vault(to, account),
        logically_air_gapped: air_gapped,
    })
}

#[test]
fn the_message_of_a_copy_that_the_table_excludes_is_confirmed() {
    for (resource_type, (point, resource), destination, air_gapped) in excluded() {
        let message = format!("Copy job failed. {NOT_SUPPORTED}");
        let event = event_with(
            point.as_str(),
            &json!({
                "resourceType": resource_type,
                "resourceArn": resource,
                "destinationBackupVaultArn": destination,
                "statusMessage": message,
            }),
        );
        let mut facts = facts();
        facts.destination_vault = Fact::Known(Some(BackupVault {
            vault_type: air_gapped.then(|| "LOGICALLY_AIR_GAPPED_BACKUP_VAULT".to_owned()),
            ..BackupVault::default()
        }));
        let diagnosis = diagnose(&failure(&event), &explain(&message), &facts);
        assert_eq!(
            diagnosis.confirmed_cause(),
            Some(Cause::UnsupportedResourceType),
            "{resource_type} {point} to {destination}: {:?}",
            diagnosis.candidates()
        );
        let evidence = &diagnosis.candidates()[0].evidence;
        assert!(evidence[0].contains(FEATURE_TABLE_DATE), "{evidence:?}");
    }
}

#[test]
fn the_message_of_a_copy_that_the_table_lists_is_not_confirmed() {
    for row in TABLE.iter().filter(|row| row.copies == Copies::Everywhere) {
        let (point, resource) = example(row.names[0]);
        let event = event_with(
            point.as_str(),
            &json!({"resourceType": row.names[0], "resourceArn": resource, "statusMessage": NOT_SUPPORTED}),
        );
        let diagnosis = diagnose(&failure(&event), &explain(NOT_SUPPORTED), &facts());
        let found = diagnosis
            .candidates()
            .iter()
            .find(|candidate| candidate.cause == Cause::UnsupportedResourceType)
            .unwrap();
        assert_eq!(found.verdict, Verdict::NotCheckable, "{}", row.names[0]);
    }
}

#[test]
fn a_type_has_one_row_and_each_name_finds_it() {
    let mut seen = BTreeSet::new();
    for row in TABLE {
        for name in row.names {
            assert!(std::ptr::eq(row_of(name).unwrap(), row), "{name}");
            assert!(
                seen.insert(name.to_lowercase().replace([' ', '-'], "")),
                "{name} twice"
            );
        }
    }
    for (written, name) in [
        ("StorageGateway", "Storage Gateway"),
        ("virtual-machine", "VirtualMachine"),
        ("ebs", "EBS"),
    ] {
        assert!(
            row_of(name).is_some_and(|row| std::ptr::eq(row, row_of(written).unwrap())),
            "{written}"
        );
    }
    assert!(!is_listed("Snowball"));
}

#[test]
fn full_management_agrees_with_the_arns_of_the_backups() {
    for row in TABLE {
        let (point, _) = example(row.names[0]);
        // The documentation disagrees with itself about CloudFormation; the ARN decides.
        if row.names[0] != "CloudFormation" {
            assert_eq!(
                row.fully_managed,
                is_fully_managed(&point),
                "{}",
                row.names[0]
            );
        }
    }
}

/// The columns as AWS's page has them: cross-Region, cross-account, full management, logically
/// air-gapped vault.
#[test]
fn the_columns_are_those_of_the_page() {
    let columns = |name: &str| {
        let row = row_of(name).unwrap();
        [
            !matches!(row.copies, Copies::None(_)),
            row.copies == Copies::Everywhere,
            row.fully_managed,
            row.logically_air_gapped,
        ]
    };
    for name in [
        "EC2",
        "EBS",
        "Aurora",
        "FSx",
        "Storage Gateway",
        "DocumentDB",
        "Neptune",
        "Windows VSS",
    ] {
        assert_eq!(columns(name), [true, true, false, true], "{name}");
    }
    for name in [
        "S3",
        "Aurora DSQL",
        "EFS",
        "Timestream",
        "VirtualMachine",
        "DynamoDB",
        "EKS",
    ] {
        assert_eq!(columns(name), [true, true, true, true], "{name}");
    }
    assert_eq!(columns("RDS"), [true, true, false, false]);
    assert_eq!(columns("SAP HANA on Amazon EC2"), [true, true, true, false]);
    assert_eq!(columns("CloudFormation"), [true, false, false, false]);
    for name in ["Redshift", "Redshift Serverless"] {
        assert_eq!(columns(name), [false, false, false, false], "{name}");
    }
}

#[test]
fn regions_limit_copies_as_the_page_says() {
    let (own, other) = ("111122223333", "444455556666");
    for (resource_type, from, to, account, air_gapped, supported) in [
        // Copies between accounts in China exist since August 2026, but not of S3; none leaves
        // China.
        ("EBS", "cn-north-1", "cn-northwest-1", other, false, true),
        ("S3", "cn-north-1", "cn-north-1", other, false, false),
        ("S3", "cn-north-1", "cn-northwest-1", own, false, true),
        ("EBS", "cn-north-1", "eu-west-1", own, false, false),
        // AWS GovCloud (US): only between its two Regions.
        ("EBS", "us-gov-west-1", "us-gov-east-1", other, false, true),
        ("EBS", "us-gov-west-1", "us-west-2", own, false, false),
        (
            "EBS",
            "eusc-de-east-1",
            "eusc-de-east-1",
            other,
            false,
            false,
        ),
        // DocumentDB in opt-in Regions exists since August 2026.
        ("DocumentDB", "eu-west-1", "ap-east-1", other, false, true),
        // Neptune: not between accounts where opt-in is needed, between Regions in some.
        ("Neptune", "eu-west-1", "eu-central-1", other, false, true),
        ("Neptune", "eu-west-1", "ap-east-1", other, false, false),
        ("Neptune", "eu-west-1", "ap-east-1", own, false, true),
        ("Neptune", "eu-west-1", "eu-south-1", own, false, false),
        (
            "Timestream",
            "eu-south-1",
            "eu-south-1",
            other,
            false,
            false,
        ),
        ("FSx", "me-south-1", "eu-west-1", own, false, false),
        ("FSx", "me-south-1", "me-south-1", other, false, true),
        // Logically air-gapped vaults.
        ("EBS", "eu-west-1", "eu-west-1", other, true, true),
        ("EBS", "eu-west-1", "ca-west-1", other, true, false),
        ("EBS", "ca-west-1", "ca-west-1", own, true, true),
        (
            "Neptune",
            "ap-southeast-3",
            "ap-southeast-3",
            own,
            true,
            false,
        ),
        ("EKS", "eu-west-1", "me-south-1", own, true, false),
    ] {
        let found = between(resource_type, from, to, account, air_gapped);
        let case = format!("{resource_type} from {from} to {to} in {account}: {found:?}");
        assert_ne!(found, CopySupport::NotListed, "{case}");
        assert_eq!(found == CopySupport::Supported, supported, "{case}");
    }
    // A partition that the page doesn't have.
    assert_eq!(
        between("EBS", "us-iso-east-1", "us-iso-west-1", own, false),
        CopySupport::NotListed
    );
}

#[test]
fn fsx_for_ontap_is_copied_but_not_everywhere() {
    let point = arn("arn:aws:fsx:eu-west-1:111122223333:backup/backup-0a1b");
    let volume = arn("arn:aws:fsx:eu-west-1:111122223333:volume/fs-0a1b/fsvol-0a1b");
    let to = |region: &str| {
        support_of(&PlannedCopy {
            resource_type: "FSx",
            recovery_point: &point,
            resource: Some(&volume),
            source_vault: &vault("ap-southeast-2", "111122223333"),
            destination_vault: &vault(region, "111122223333"),
            logically_air_gapped: false,
        })
    };
    assert_eq!(to("eu-west-1"), CopySupport::Supported);
    assert!(matches!(to("ap-southeast-6"), CopySupport::Unsupported(why) if why.contains("ONTAP")));
    assert!(matches!(to("me-central-1"), CopySupport::Unsupported(_)));
}

#[test]
fn where_no_region_limits_a_copy_the_type_alone_decides() {
    for (resource_type, to, account, expected) in [
        ("EBS", "eu-central-1", "444455556666", "supported"),
        (
            "CloudFormation",
            "eu-central-1",
            "111122223333",
            "supported",
        ),
        (
            "CloudFormation",
            "eu-central-1",
            "444455556666",
            "unsupported",
        ),
        ("CloudFormation", "eu-west-1", "111122223333", "not listed"),
        ("Redshift", "eu-west-1", "111122223333", "unsupported"),
        (
            "Something new",
            "eu-central-1",
            "444455556666",
            "not listed",
        ),
    ] {
        let found = match between(resource_type, "eu-west-1", to, account, false) {
            CopySupport::Supported => "supported",
            CopySupport::Unsupported(_) => "unsupported",
            CopySupport::NotListed => "not listed",
        };
        assert_eq!(found, expected, "{resource_type} to {to} in {account}");
    }
}

#[test]
fn every_reason_completes_a_sentence() {
    let limits = TABLE
        .iter()
        .chain([&FSX_ONTAP])
        .flat_map(|row| row.limits)
        .chain(LIMITS);
    let never = [&RDS_MULTI_AZ_CLUSTER, &BASIC_DYNAMODB, &EKS_CLUSTER_STATE].map(reason);
    let types = TABLE.iter().map(reason).filter(|why| !why.is_empty());
    for why in limits.map(|limit| limit.why).chain(never).chain(types) {
        assert!(!why.is_empty() && !why.ends_with('.'), "{why}");
    }
}

#[test]
fn the_regions_that_need_opt_in_are_not_twice() {
    let regions: BTreeSet<&str> = regions::OPT_IN.iter().copied().collect();
    assert_eq!(regions.len(), regions::OPT_IN.len());
    for region in regions::NEPTUNE_ACROSS_REGIONS
        .iter()
        .chain(regions::BAHRAIN_AND_UAE)
    {
        assert!(regions.contains(region), "{region}");
    }
}
