//! Steps that work as things stand.

use serde_json::{Value, json};

use super::samples::*;
use super::tests::lines;
use super::words::text;
use super::*;
use crate::fact::Fact;

#[test]
fn every_copy_is_started_with_the_lifecycle_of_its_job() {
    let lifecycle = crate::Lifecycle {
        move_to_cold_storage_after_days: Some(30),
        delete_after_days: Some(365),
        ..crate::Lifecycle::default()
    };
    let with = Facts {
        lifecycle: Some(lifecycle),
        ..facts()
    };
    let option = " --lifecycle MoveToColdStorageAfterDays=30,DeleteAfterDays=365";
    let mut seen = 0;
    for cause in Cause::ALL {
        for kind in ["EBS", "RDS", "Redshift"] {
            let event = event(SNAPSHOT, kind);
            let starts = |facts| -> Vec<String> {
                let advice = advise(*cause, &event, Some(facts));
                let lines = lines(&advice).filter(|line| line.contains("start-copy-job"));
                lines.map(ToOwned::to_owned).collect()
            };
            for line in starts(&with) {
                // A retention that the vault accepts is the one thing to change there.
                let wanted = if *cause == Cause::RetentionOutOfRange {
                    " --lifecycle DeleteAfterDays=35"
                } else {
                    option
                };
                assert_eq!(line.matches(" --lifecycle ").count(), 1, "{cause}: {line}");
                assert!(line.contains(wanted), "{cause}: {line}");
                seen += 1;
            }
            if *cause != Cause::RetentionOutOfRange {
                let without = starts(&facts());
                assert!(
                    without.iter().all(|line| !line.contains("--lifecycle")),
                    "{cause}"
                );
            }
        }
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn a_backup_under_an_aws_managed_key_goes_in_two_copies_and_it_is_told_what_that_costs() {
    let advice = advise(
        Cause::AwsManagedKey,
        &event(SNAPSHOT, "EBS"),
        Some(&facts()),
    );
    let text = text(&advice);
    let places = [
        "create-backup-vault --region eu-central-1 --backup-vault-name copymend-hop",
        "--destination-backup-vault-arn arn:aws:backup:eu-central-1:111122223333:backup-vault:copymend-hop",
        "--recovery-point-arn $HOP --source-backup-vault-name copymend-hop",
        "It costs the storage of one more copy until that is deleted",
        "delete-recovery-point --region eu-central-1 --backup-vault-name copymend-hop",
        "start-restore-job",
    ]
    .map(|part| text.find(part).unwrap_or_else(|| panic!("{part}: {text}")));
    assert!(places.is_sorted(), "{text}");
}

#[test]
fn a_vault_of_another_partition_is_no_matter_of_policies() {
    let event = event_with(
        SNAPSHOT,
        &json!({"destinationBackupVaultArn": "arn:aws-cn:backup:cn-north-1:444455556666:backup-vault:dr"}),
    );
    for cause in [Cause::DestinationVaultPolicy, Cause::SourceKeyPolicy] {
        let advice = advise(cause, &event, Some(&facts()));
        assert_eq!(advice.steps.len(), 1, "{cause}");
        assert!(
            advice.steps[0].contains("from one partition to another"),
            "{cause}"
        );
    }
}

#[test]
fn a_vault_without_a_policy_gets_a_whole_new_one() {
    let facts = Facts {
        vault_policy: Fact::Known(None),
        ..facts()
    };
    let advice = advise(
        Cause::DestinationVaultPolicy,
        &event(SNAPSHOT, "EBS"),
        Some(&facts),
    );
    let document = lines(&advice).find(|line| line.starts_with('{')).unwrap();
    let policy = copymend_policy::PolicyDocument::parse(document).unwrap();
    assert_eq!(policy.statements().len(), 1);
    assert!(text(&advice).contains("put-backup-vault-access-policy"));
    assert!(!text(&advice).contains("get-backup-vault-access-policy"));
}

#[test]
fn a_key_in_a_region_that_must_be_enabled_needs_regional_credentials() {
    let with_key_in = |region: &str| {
        let mut facts = facts();
        if let crate::facts::SourceKey::Key(key) = &mut facts.source_key {
            key.arn = format!(
                "arn:aws:kms:{region}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
            )
            .parse()
            .unwrap();
        }
        text(&advise(
            Cause::SourceKeyPolicy,
            &event(SNAPSHOT, "EBS"),
            Some(&facts),
        ))
    };
    let opt_in = with_key_in("me-south-1");
    assert!(
        opt_in.contains("get-region-opt-status --region-name me-south-1")
            && opt_in.contains("AWS_STS_REGIONAL_ENDPOINTS=regional"),
        "{opt_in}"
    );
    assert!(!with_key_in("eu-west-1").contains("AWS_STS_REGIONAL_ENDPOINTS"));
}

/// What stands in the policy already decides about the steps: the Sid of a repair, a deleted
/// principal, an organization that is nearly the right one, a condition.
#[test]
fn a_policy_as_it_stands_changes_the_steps() {
    let policy = |statements: &Value| {
        let policy = json!({ "Version": "2012-10-17", "Statement": statements });
        Fact::Known(Some(
            copymend_policy::PolicyDocument::parse(&policy.to_string()).unwrap(),
        ))
    };
    let event = event(SNAPSHOT, "EBS");
    let sid = {
        let bare = advise(
            Cause::DestinationVaultPolicy,
            &event,
            Some(&Facts {
                vault_policy: Fact::Known(None),
                ..facts()
            }),
        );
        let document: Value = lines(&bare)
            .find_map(|line| serde_json::from_str(line).ok())
            .unwrap();
        document["Statement"][0]["Sid"].as_str().unwrap().to_owned()
    };
    let statement = |principal: &str| {
        json!({ "Sid": sid, "Effect": "Allow", "Principal": { "AWS": principal }, "Action": "backup:CopyIntoBackupVault",
            "Resource": "*", "Condition": { "StringEquals": { "aws:PrincipalOrgID": "o-exampelorgid" } } })
    };
    let facts_with = |statements: &Value| Facts {
        vault_policy: policy(statements),
        ..facts()
    };
    let text_of =
        |cause, statements: &Value| text(&advise(cause, &event, Some(&facts_with(statements))));
    let standing = text_of(
        Cause::DestinationVaultPolicy,
        &json!([statement("AROAEXAMPLEEXAMPLE111")]),
    );
    for part in ["AROAEXAMPLEEXAMPLE111", "o-exampelorgid", "n2\""] {
        assert!(standing.contains(part), "{part}: {standing}");
    }
    assert!(!standing.contains(&format!("\"{sid}\"")), "{standing}");
    let deny = json!([{ "Effect": "Deny", "Principal": "*", "Action": "backup:*", "Resource": "*",
        "Condition": { "ArnNotEquals": { "aws:PrincipalArn": ["arn:aws:iam::444455556666:role/Admin"] } } }]);
    let except = text_of(Cause::DestinationVaultDeny, &deny);
    assert!(except.contains("to the list of its values"), "{except}");
}
