//! AWS Backup's lists over the wire.

use std::time::Duration;

use copymend_diagnosis::CopyJobState;
use copymend_diagnosis::advisor::JobKind;
use copymend_remediation::ports::{CallErrorKind, Location};
use copymend_remediation::settings::Deployment;
use copymend_survey::{
    CopyJobQuery, JobQuery, Lists, PlanCreator, RecoveryPointQuery, SelectionCondition,
    TagComparison,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::wire::{Wire, assumed, json_error, ok, silence};
use super::{OTHER, OWN, config_on, own, parsed, source};
use crate::{AwsLists, Reach};

const COPIES: &str = "GET /copy-jobs";
const VAULTS: &str = "GET /backup-vaults";

async fn lists(wire: &Wire) -> AwsLists {
    let reached = Reach::default()
        .enter_with(config_on(wire).await, &Deployment::default())
        .await;
    reached.unwrap().lists
}

fn since() -> Timestamp {
    parsed("2026-11-01T00:00:00Z")
}

fn failed() -> CopyJobQuery {
    CopyJobQuery {
        state: Some(CopyJobState::Failed),
        created_after: since(),
    }
}

fn copy_job(id: &str) -> Value {
    json!({
        "AccountId": OWN,
        "CopyJobId": id,
        "SourceBackupVaultArn": "arn:aws:backup:eu-west-1:111122223333:backup-vault:source",
        "SourceRecoveryPointArn": "arn:aws:ec2:eu-west-1::snapshot/snap-1",
        "DestinationBackupVaultArn": "arn:aws:backup:eu-central-1:444455556666:backup-vault:dr",
        "ResourceArn": "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1",
        "ResourceType": "EBS",
        "CreationDate": 1_795_392_000.25,
        "State": "FAILED",
        "StatusMessage": "no",
        "IamRoleArn": "arn:aws:iam::111122223333:role/CopyRole",
        "CreatedBy": {"BackupPlanId": "plan-1", "BackupRuleId": "rule-1"},
        "CreatedByBackupJobId": "backup-1",
        "IsParent": true,
        "ChildJobsInState": {"FAILED": 2, "COMPLETED": 5}
    })
}

#[tokio::test]
async fn copy_jobs_are_asked_for_by_state_and_time_a_page_at_a_time() {
    let wire = Wire::default();
    let lists = lists(&wire).await;
    let first = json!({"CopyJobs": [copy_job("one")], "NextToken": "more"});
    wire.once(COPIES, ok(first.to_string()))
        .once(COPIES, ok("{}"));
    let page = lists.list_copy_jobs(&source(), &failed(), None).await;
    let page = page.unwrap();
    assert_eq!(page.next.as_deref(), Some("more"));
    let [row] = page.items.as_slice() else {
        panic!("{page:?}");
    };
    assert_eq!(row.job.id, "one");
    assert_eq!(row.created, Some(parsed("2026-11-23T00:00:00.25Z")));
    assert_eq!(
        row.creator,
        PlanCreator {
            plan_id: Some("plan-1".to_owned()),
            rule_id: Some("rule-1".to_owned())
        }
    );
    assert_eq!(row.created_by_backup_job.as_deref(), Some("backup-1"));
    assert_eq!((row.job.is_parent, row.failed_children), (true, 2));
    let last = lists
        .list_copy_jobs(&source(), &failed(), page.next)
        .await
        .unwrap();
    assert_eq!((last.items.len(), last.next), (0, None));
    let sent = wire.sent(COPIES);
    for part in [
        "state=FAILED",
        "createdAfter=2026-11-01T00%3A00%3A00Z",
        "maxResults=1000",
    ] {
        assert!(sent[0].uri.contains(part), "{part}: {}", sent[0].uri);
    }
    assert!(sent[1].uri.contains("nextToken=more"), "{}", sent[1].uri);
    assert!(sent[0].uri.starts_with("https://backup.eu-west-1."));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_does_not_hide_the_others() {
    let wire = Wire::default();
    let lists = lists(&wire).await;
    let mut newly = copy_job("two");
    newly["State"] = json!("NEWLY_MADE");
    let mut without = copy_job("three");
    without.as_object_mut().unwrap().remove("IamRoleArn");
    let rows = json!({"CopyJobs": [newly, copy_job("one"), without, {}]});
    wire.always(COPIES, ok(rows.to_string()));
    let page = lists.list_copy_jobs(&source(), &failed(), None).await;
    let page = page.unwrap();
    let ids: Vec<&str> = page.items.iter().map(|row| row.job.id.as_str()).collect();
    assert_eq!(ids, ["one"]);
    let [newly, without, empty] = page.unreadable.as_slice() else {
        panic!("{:?}", page.unreadable);
    };
    assert!(
        newly.contains("two") && newly.contains("NEWLY_MADE"),
        "{newly}"
    );
    assert!(without.contains("three") && without.contains("`IamRoleArn`"));
    assert!(empty.contains("is missing"), "{empty}");
}

#[tokio::test(start_paused = true)]
async fn a_throttled_page_is_asked_for_again_within_bounds() {
    let wire = Wire::default();
    let lists = lists(&wire).await;
    let throttled = || json_error(429, "ThrottlingException", "Rate exceeded");
    wire.once(COPIES, throttled())
        .once(COPIES, throttled())
        .once(COPIES, ok("{}"));
    let start = Instant::now();
    let page = lists.list_copy_jobs(&source(), &failed(), None).await;
    assert!(page.is_ok());
    assert_eq!(wire.sent(COPIES).len(), 3);
    // Half a second and a second, or half as long each.
    let time = start.elapsed();
    assert!(time >= Duration::from_millis(750) && time <= Duration::from_millis(1_510));

    wire.always(COPIES, throttled());
    let error = lists.list_copy_jobs(&source(), &failed(), None).await;
    assert_eq!(error.unwrap_err().kind, CallErrorKind::Throttled);
    assert_eq!(wire.sent(COPIES).len(), 11);
}

#[tokio::test(start_paused = true)]
async fn silence_is_asked_again_less_often_and_a_refusal_never() {
    let wire = Wire::default();
    let lists = lists(&wire).await;
    wire.always(COPIES, silence());
    let error = lists.list_copy_jobs(&source(), &failed(), None).await;
    assert_eq!(error.unwrap_err().kind, CallErrorKind::Timeout);
    assert_eq!(wire.sent(COPIES).len(), 3);
    wire.always(VAULTS, json_error(403, "AccessDeniedException", "no"));
    let error = lists.list_backup_vaults(&source(), None).await;
    assert_eq!(error.unwrap_err().kind, CallErrorKind::AccessDenied);
    assert_eq!(wire.sent(VAULTS).len(), 1);
}

#[tokio::test]
async fn another_account_is_asked_through_its_reader() {
    let wire = Wire::default();
    let lists = lists(&wire).await;
    wire.always("AssumeRole", assumed("READERKEY", OTHER))
        .always(COPIES, ok("{}"));
    let at = Location::new(parsed(OTHER), "eu-central-1");
    lists.list_copy_jobs(&at, &failed(), None).await.unwrap();
    let sent = &wire.sent(COPIES)[0];
    assert!(sent.authorization.contains("Credential=READERKEY/"));
    assert!(sent.uri.starts_with("https://backup.eu-central-1."));
    let assumed = &wire.sent("AssumeRole")[0].body;
    assert!(
        assumed.contains("role%2Fcopymend%2FCopymendReader"),
        "{assumed}"
    );
}

#[tokio::test]
async fn backup_and_restore_jobs_are_read_with_what_tells_of_issues() {
    let wire = Wire::default();
    let lists = lists(&wire).await;
    let backups = json!({"BackupJobs": [
        {"BackupJobId": "b", "AccountId": OWN, "State": "COMPLETED", "MessageCategory": "TAG_COPY_ERROR",
         "StatusMessage": "tags", "BackupVaultArn": "arn:aws:backup:eu-west-1:111122223333:backup-vault:v",
         "ResourceArn": "arn:aws:s3:::bucket", "ResourceType": "S3", "CreationDate": 1_795_392_000},
        {"BackupJobId": "c"}
    ]});
    let restores = json!({"RestoreJobs": [
        {"RestoreJobId": "r", "Status": "COMPLETED", "ValidationStatus": "FAILED",
         "SourceResourceArn": "arn:aws:s3:::bucket", "IamRoleArn": "arn:aws:iam::111122223333:role/R"}
    ]});
    wire.once("GET /backup-jobs", ok(backups.to_string()))
        .once("GET /restore-jobs", ok(restores.to_string()));
    let query = |kind| JobQuery {
        kind,
        created_after: since(),
    };
    let page = lists
        .list_jobs(&source(), &query(JobKind::Backup), None)
        .await
        .unwrap();
    let job = &page.items[0];
    assert_eq!(job.message_category.as_deref(), Some("TAG_COPY_ERROR"));
    assert_eq!((job.state.as_str(), job.account), ("COMPLETED", own()));
    assert_eq!(page.unreadable, ["c: `State` is missing"]);
    let page = lists
        .list_jobs(&source(), &query(JobKind::Restore), None)
        .await
        .unwrap();
    let job = &page.items[0];
    assert_eq!(job.validation_status.as_deref(), Some("FAILED"));
    assert_eq!(job.account, own());
    assert_eq!(
        job.resource.as_ref().unwrap().as_str(),
        "arn:aws:s3:::bucket"
    );
}

#[tokio::test]
async fn a_plan_is_read_with_its_copies_and_next_runs() {
    let wire = Wire::default();
    let lists = lists(&wire).await;
    let plan = json!({
        "BackupPlanId": "plan-1",
        "BackupPlan": {"BackupPlanName": "daily", "Rules": [{
            "RuleName": "night", "RuleId": "rule-1", "TargetBackupVaultName": "source",
            "ScheduleExpression": "cron(0 5 ? * * *)",
            "Lifecycle": {"DeleteAfterDays": 35},
            "CopyActions": [{
                "DestinationBackupVaultArn": "arn:aws:backup:eu-central-1:444455556666:backup-vault:dr",
                "Lifecycle": {"DeleteAfterDays": 90}
            }]
        }]},
        "ScheduledRunsPreview": [{"ExecutionTime": 1_795_392_000, "RuleId": "rule-1"}, {"RuleId": "rule-1"}]
    });
    wire.always("GET /backup/plans/plan-1", ok(plan.to_string()))
        .always(
            "GET /backup/plans",
            ok(r#"{"BackupPlansList":[{"BackupPlanId":"plan-1","BackupPlanName":"daily"}]}"#),
        )
        .always(
            "GET /backup/plans/gone",
            json_error(400, "ResourceNotFoundException", "gone"),
        );
    let listed = lists.list_backup_plans(&source(), None).await.unwrap();
    assert_eq!(listed.items[0].id, "plan-1");
    let plan = lists.get_backup_plan(&source(), "plan-1").await.unwrap();
    let plan = plan.unwrap();
    let rule = &plan.rules[0];
    assert_eq!(rule.lifecycle.as_ref().unwrap().delete_after_days, Some(35));
    assert_eq!(rule.copy_actions[0].destination_vault.name(), "dr");
    assert_eq!(plan.scheduled_runs.len(), 1, "a run without a time is none");
    assert!(
        wire.sent("GET /backup/plans/plan-1")[0]
            .uri
            .to_lowercase()
            .contains("maxscheduledrunspreview=10")
    );
    let gone = lists.get_backup_plan(&source(), "gone").await;
    assert_eq!(gone.unwrap(), None);
}

#[tokio::test]
async fn a_plan_that_does_not_say_where_to_is_unreadable() {
    let wire = Wire::default();
    let lists = lists(&wire).await;
    let plan = json!({"BackupPlan": {"BackupPlanName": "daily", "Rules": [
        {"RuleName": "night", "TargetBackupVaultName": "source", "CopyActions": [{}]}
    ]}});
    wire.always("GET /backup/plans/plan-1", ok(plan.to_string()));
    let error = lists.get_backup_plan(&source(), "plan-1").await;
    let error = error.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Unreadable);
    assert!(error.detail.contains("night") && error.detail.contains("DestinationBackupVaultArn"));
}

#[tokio::test]
async fn a_selection_keeps_its_resources_tags_and_conditions() {
    let wire = Wire::default();
    let lists = lists(&wire).await;
    let selection = json!({"BackupSelection": {
        "SelectionName": "all", "IamRoleArn": "arn:aws:iam::111122223333:role/CopyRole",
        "Resources": ["arn:aws:ec2:*:*:volume/*"], "NotResources": ["arn:aws:ec2:*:*:volume/vol-9"],
        "ListOfTags": [{"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": ""}],
        "Conditions": {"StringNotLike": [{"ConditionKey": "aws:ResourceTag/team", "ConditionValue": "x*"}]}
    }});
    let path = "GET /backup/plans/plan-1/selections";
    wire.always(&format!("{path}/s-1"), ok(selection.to_string()))
        .always(path, ok(r#"{"BackupSelectionsList":[{"SelectionId":"s-1","IamRoleArn":"arn:aws:iam::111122223333:role/CopyRole"},{"SelectionName":"x"}]}"#));
    let listed = lists
        .list_backup_selections(&source(), "plan-1", None)
        .await
        .unwrap();
    assert_eq!((listed.items.len(), listed.unreadable.len()), (1, 1));
    let selection = lists
        .get_backup_selection(&source(), "plan-1", "s-1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(selection.resources, ["arn:aws:ec2:*:*:volume/*"]);
    let condition = |comparison, key: &str, value: &str| SelectionCondition {
        comparison,
        key: key.to_owned(),
        value: value.to_owned(),
    };
    assert_eq!(
        selection.tags,
        [condition(TagComparison::Equals, "backup", "")]
    );
    assert_eq!(
        selection.conditions,
        [condition(TagComparison::NotLike, "team", "x*")]
    );
}

#[tokio::test]
async fn recovery_points_carry_where_they_came_from_and_when_they_go() {
    let wire = Wire::default();
    let lists = lists(&wire).await;
    let points = json!({"RecoveryPoints": [
        {"RecoveryPointArn": "arn:aws:ec2:eu-west-1::snapshot/snap-1", "Status": "COMPLETED",
         "SourceBackupVaultArn": "arn:aws:backup:eu-west-1:444455556666:backup-vault:source",
         "ResourceArn": "arn:aws:ec2:eu-west-1:444455556666:volume/vol-1", "ResourceType": "EBS",
         "CreationDate": 1_795_392_000, "CalculatedLifecycle": {"DeleteAt": 1_795_392_060},
         "EncryptionKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/1"},
        {"RecoveryPointArn": "arn:aws:ec2:eu-west-1::snapshot/snap-2"}
    ]});
    let path = "GET /backup-vaults/dr/recovery-points";
    wire.always(path, ok(points.to_string()));
    let query = RecoveryPointQuery {
        created_after: Some(since()),
        resource: Some(parsed("arn:aws:ec2:eu-west-1:444455556666:volume/vol-1")),
        backup_plan: Some("plan-1".to_owned()),
    };
    let page = lists
        .list_recovery_points(&source(), "dr", &query, None)
        .await
        .unwrap();
    let point = &page.items[0];
    assert_eq!(
        point.vault.as_str(),
        "arn:aws:backup:eu-west-1:111122223333:backup-vault:dr"
    );
    assert_eq!(point.source_vault.as_ref().unwrap().name(), "source");
    assert_eq!(point.deleted_at, Some(parsed("2026-11-23T00:01:00Z")));
    assert!(page.unreadable[0].contains("snap-2") && page.unreadable[0].contains("`Status`"));
    let uri = &wire.sent(path)[0].uri;
    for part in [
        "resourceArn=arn",
        "backupPlanId=plan-1",
        "createdAfter=2026",
    ] {
        assert!(uri.contains(part), "{part}: {uri}");
    }
}

#[tokio::test]
async fn vaults_and_protected_resources_are_listed() {
    let wire = Wire::default();
    let lists = lists(&wire).await;
    let vaults = json!({"BackupVaultList": [{
        "BackupVaultArn": "arn:aws:backup:eu-west-1:111122223333:backup-vault:v",
        "VaultType": "LOGICALLY_AIR_GAPPED_BACKUP_VAULT", "NumberOfRecoveryPoints": 7
    }, {"BackupVaultName": "w"}]});
    let resources = json!({"Results": [{"ResourceArn": "arn:aws:s3:::bucket", "ResourceType": "S3",
        "LastBackupTime": 1_795_392_000,
        "LastBackupVaultArn": "arn:aws:backup:eu-west-1:111122223333:backup-vault:v"}, {"ResourceType": "S3"}]});
    wire.always(VAULTS, ok(vaults.to_string()))
        .always("GET /resources", ok(resources.to_string()));
    let page = lists.list_backup_vaults(&source(), None).await.unwrap();
    assert_eq!(page.items[0].recovery_points, 7);
    assert_eq!(page.unreadable, ["w: `BackupVaultArn` is missing"]);
    let page = lists.list_protected_resources(&source(), None).await;
    let page = page.unwrap();
    assert_eq!(page.items[0].last_vault.as_ref().unwrap().name(), "v");
    assert_eq!(page.unreadable, ["`ResourceArn` is missing"]);
}
