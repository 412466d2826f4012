//! AWS Backup's lists on the wire.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use copymend_sandbox::{Sandbox, World};
use serde_json::{Value, json};

use super::{WORKLOADS, answer, signed};
use crate::server::{App, Pace, router};
use crate::upstream::Upstream;

pub(super) const REGION: &str = "us-east-1";
pub(super) const PLAN: &str = "9d1c2e3f-0a1b-4c2d-8e3f-4a5b6c7d8e9f";

/// The default world with a plan, whose rule made some of the backups.
pub(super) fn world() -> World {
    let mut world: Value = serde_json::from_str(World::default_json()).expect("JSON");
    let region = &mut world["accounts"][WORKLOADS]["regions"][REGION];
    region["backup_plans"] = json!({
        PLAN: {
            "name": "daily",
            "rules": [{
                "id": "rule-1",
                "target_vault": "prod",
                "lifecycle": {"delete_after_days": 35},
                "copy_actions": [{
                    "destination_vault_arn": "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr",
                    "lifecycle": {"delete_after_days": 90},
                }],
            }],
            "selections": {"selection-1": {
                "iam_role_arn": "arn:aws:iam::111122223333:role/BackupRole",
                "resources": ["arn:aws:ec2:*:*:volume/*"],
                "tags": [{"key": "backup", "value": "daily"}],
                "conditions": {"string_not_equals": [{"key": "stage", "value": "test"}]},
            }},
        },
        "orgs/7f1c2e3f": {"rules": []},
    });
    let vaults = region["vaults"].as_object_mut().expect("vaults");
    for (at, vault) in vaults.values_mut().enumerate() {
        let points = vault["recovery_points"].as_array_mut();
        for point in points.into_iter().flatten() {
            point["creation_date"] = json!(format!("2026-10-{:02}T05:00:00Z", at % 28 + 1));
            point["lifecycle"] = json!({"delete_after_days": 35});
        }
    }
    World::from_json(&world.to_string()).expect("a world")
}

fn served(world: World, pace: Pace) -> Router {
    router(App::at_pace(Sandbox::new(world), Upstream::new(None), pace))
}

async fn get(router: &Router, account: &str, path: &str) -> (StatusCode, Value) {
    let request = signed("backup", REGION, account)
        .uri(path)
        .body(Body::empty())
        .expect("a request");
    let (status, _, text) = answer(router, request).await;
    (status, serde_json::from_str(&text).expect("JSON"))
}

async fn told(router: &Router, path: &str) -> Value {
    let (status, answer) = get(router, WORKLOADS, path).await;
    assert_eq!(status, StatusCode::OK, "{path}: {answer}");
    answer
}

/// Every item of a list, page by page.
async fn all(router: &Router, path: &str, list: &str, size: usize) -> Vec<Value> {
    let mark = if path.contains('?') { '&' } else { '?' };
    let mut items = Vec::new();
    let mut token = String::new();
    loop {
        let page = told(router, &format!("{path}{mark}maxResults={size}{token}")).await;
        let found = page[list].as_array().expect("a list");
        assert!(found.len() <= size);
        items.extend(found.iter().cloned());
        match page["NextToken"].as_str() {
            None => return items,
            Some(next) => token = format!("&nextToken={next}"),
        }
    }
}

fn ids(items: &[Value], name: &str) -> BTreeSet<String> {
    items
        .iter()
        .map(|item| item[name].as_str().expect("an id").to_owned())
        .collect()
}

#[tokio::test]
async fn every_list_holds_the_same_in_pages_of_every_size() {
    let router = served(world(), Pace::default());
    for (path, list, id) in [
        ("/copy-jobs/", "CopyJobs", "CopyJobId"),
        ("/backup-jobs/", "BackupJobs", "BackupJobId"),
        ("/restore-jobs/", "RestoreJobs", "RestoreJobId"),
        ("/backup-vaults/", "BackupVaultList", "BackupVaultName"),
        ("/resources/", "Results", "ResourceArn"),
        ("/backup/plans/", "BackupPlansList", "BackupPlanId"),
        (
            "/backup-vaults/prod/recovery-points/",
            "RecoveryPoints",
            "RecoveryPointArn",
        ),
    ] {
        let whole = all(&router, path, list, 1_000).await;
        assert!(!whole.is_empty(), "{path}");
        for size in [1, 3] {
            let pages = all(&router, path, list, size).await;
            assert_eq!(pages.len(), whole.len(), "{path}");
            assert_eq!(ids(&pages, id), ids(&whole, id), "{path}");
            assert_eq!(ids(&pages, id).len(), whole.len(), "{path}");
        }
    }
}

#[tokio::test]
async fn a_token_goes_on_while_the_world_changes_and_fits_its_list_alone() {
    let sandbox = Sandbox::new(world());
    let router = router(App::at_pace(
        sandbox.clone(),
        Upstream::new(None),
        Pace::default(),
    ));
    let path = "/backup-vaults/prod/recovery-points/";
    let whole = all(&router, path, "RecoveryPoints", 1_000).await;
    let first = told(&router, &format!("{path}?maxResults=2")).await;
    let gone = first["RecoveryPoints"][0]["RecoveryPointArn"].as_str();
    let gone: copymend_policy::Arn = gone.expect("an ARN").parse().expect("an ARN");
    let vault = "arn:aws:backup:us-east-1:111122223333:backup-vault:prod";
    let vault = vault.parse().expect("a vault");
    sandbox.with_world(|world| assert!(world.remove_recovery_point(&vault, &gone)));
    let token = first["NextToken"].as_str().expect("a token");
    let rest = format!("{path}?nextToken={token}");
    let rest = told(&router, &rest).await;
    assert_eq!(
        rest["RecoveryPoints"].as_array().expect("a list").len() + 2,
        whole.len()
    );
    for other in [
        format!("/copy-jobs/?nextToken={token}"),
        format!("{path}?nextToken=2"),
        format!("{path}?nextToken={}", token.replace(['0', '1'], "2")),
    ] {
        let (status, answer) = get(&router, WORKLOADS, &other).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{other}");
        assert_eq!(answer["__type"], "InvalidParameterValueException");
    }
}

#[tokio::test]
async fn filters_leave_what_they_name() {
    let router = served(world(), Pace::default());
    let jobs = all(&router, "/copy-jobs/", "CopyJobs", 1_000).await;
    let counted = |name: &str, value: &Value| jobs.iter().filter(|job| job[name] == *value).count();
    let some = jobs
        .iter()
        .find(|job| job["State"] == "FAILED" && job["ResourceType"] == "EBS")
        .expect("a job");
    for (parameter, name) in [
        ("state", "State"),
        ("resourceArn", "ResourceArn"),
        ("resourceType", "ResourceType"),
        ("destinationVaultArn", "DestinationBackupVaultArn"),
        ("messageCategory", "MessageCategory"),
        ("sourceRecoveryPointArn", "SourceRecoveryPointArn"),
        ("accountId", "AccountId"),
    ] {
        let value = some[name].as_str().expect("text");
        let encoded: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
        let path = format!("/copy-jobs/?{parameter}={encoded}");
        let found = all(&router, &path, "CopyJobs", 1_000).await;
        assert_eq!(found.len(), counted(name, &some[name]), "{path}");
        assert!(!found.is_empty());
    }
    for (path, list) in [
        ("/copy-jobs/?createdAfter=2100-01-01T00:00:00Z", "CopyJobs"),
        (
            "/copy-jobs/?completeBefore=2000-01-01T00:00:00Z",
            "CopyJobs",
        ),
        ("/copy-jobs/?parentJobId=none", "CopyJobs"),
        ("/backup-jobs/?state=COMPLETED", "BackupJobs"),
        ("/restore-jobs/?status=RUNNING", "RestoreJobs"),
        (
            "/backup-vaults/prod/recovery-points/?createdAfter=2100-01-01T00:00:00Z",
            "RecoveryPoints",
        ),
        (
            "/backup-vaults/prod/recovery-points/?backupPlanId=none",
            "RecoveryPoints",
        ),
        (
            "/backup-vaults/?vaultType=RESTORE_ACCESS_BACKUP_VAULT",
            "BackupVaultList",
        ),
    ] {
        assert_eq!(told(&router, path).await[list], json!([]), "{path}");
    }
}

#[tokio::test]
async fn parameters_that_cannot_be_are_refused() {
    let router = served(world(), Pace::default());
    for path in [
        "/copy-jobs/?maxResults=0",
        "/copy-jobs/?maxResults=1001",
        "/copy-jobs/?maxResults=many",
        "/copy-jobs/?state=BROKEN",
        "/copy-jobs/?resourceType=E%20BS",
        "/copy-jobs/?accountId=1",
        "/copy-jobs/?createdAfter=yesterday",
        "/copy-jobs/?byState=FAILED",
        "/restore-jobs/?status=PARTIAL",
        "/backup-vaults/?vaultType=BOX",
        &format!("/backup/plans/{PLAN}/?MaxScheduledRunsPreview=11"),
    ] {
        let (status, answer) = get(&router, WORKLOADS, path).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {answer}");
        assert_eq!(answer["__type"], "InvalidParameterValueException", "{path}");
    }
    for path in ["/backup/plans/none/", "/backup/plans/none/selections/"] {
        let (_, answer) = get(&router, WORKLOADS, path).await;
        assert_eq!(answer["__type"], "ResourceNotFoundException", "{path}");
    }
    // AWS Backup doesn't say that a vault isn't there.
    let path = "/backup-vaults/none/recovery-points/";
    let (_, answer) = get(&router, WORKLOADS, path).await;
    assert_eq!(answer["__type"], "AccessDeniedException");
}

#[tokio::test]
async fn plans_and_selections_are_told_as_aws_tells_them() {
    let router = served(world(), Pace::default());
    let path = format!("/backup/plans/{PLAN}/?MaxScheduledRunsPreview=2");
    let plan = told(&router, &path).await;
    assert_eq!(plan["BackupPlan"]["BackupPlanName"], "daily");
    let rule = &plan["BackupPlan"]["Rules"][0];
    assert_eq!(rule["ScheduleExpression"], "cron(0 5 ? * * *)");
    assert_eq!(rule["CopyActions"][0]["Lifecycle"]["DeleteAfterDays"], 90);
    assert_eq!(plan["ScheduledRunsPreview"][1]["RuleId"], "rule-1");
    let selection = told(
        &router,
        &format!("/backup/plans/{PLAN}/selections/selection-1"),
    )
    .await;
    assert_eq!(
        selection["BackupSelection"]["Conditions"]["StringNotEquals"],
        json!([{"ConditionKey": "aws:ResourceTag/stage", "ConditionValue": "test"}])
    );
    assert_eq!(
        selection["BackupSelection"]["ListOfTags"][0]["ConditionType"],
        "STRINGEQUALS"
    );
    // The id of an organization's plan has a slash, which SDKs encode.
    let plan = told(&router, "/backup/plans/orgs%2F7f1c2e3f/").await;
    assert_eq!(plan["BackupPlanId"], "orgs/7f1c2e3f");
}

#[tokio::test]
async fn recovery_points_have_their_dates_and_resources_their_newest_one() {
    let router = served(world(), Pace::default());
    let path = "/backup-vaults/prod/recovery-points/";
    let points = all(&router, path, "RecoveryPoints", 1_000).await;
    for point in &points {
        let created = point["CreationDate"].as_i64().expect("seconds");
        let deleted = point["CalculatedLifecycle"]["DeleteAt"].as_i64();
        assert_eq!(deleted, Some(created + 35 * 86_400));
        assert_eq!(point["VaultType"], "BACKUP_VAULT");
    }
    let resources = all(&router, "/resources/", "Results", 1_000).await;
    let newest: BTreeMap<&str, i64> = resources
        .iter()
        .map(|found| {
            let time = found["LastBackupTime"].as_i64().expect("seconds");
            (found["ResourceArn"].as_str().expect("an ARN"), time)
        })
        .collect();
    for point in &points {
        let resource = point["ResourceArn"].as_str().expect("an ARN");
        // The vault holds copies of other accounts' resources, too.
        if let Some(time) = newest.get(resource) {
            assert!(*time >= point["CreationDate"].as_i64().expect("seconds"));
        }
    }
}

#[tokio::test]
async fn copymends_role_is_refused_what_it_may_not_list() {
    let mut file: Value = serde_json::from_str(World::default_json()).expect("JSON");
    let allow = |actions: Value| {
        json!({"policies": {"own": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": actions, "Resource": "*"}]}}})
    };
    let roles = file["accounts"][WORKLOADS]["roles"].as_object_mut();
    roles.expect("roles").insert(
        "Hub".to_owned(),
        allow(json!(["backup:ListCopyJobs", "sts:AssumeRole"])),
    );
    file["copymend"] = json!({"account": WORKLOADS, "role": "Hub", "member_role": "Reader"});
    let router = served(
        World::from_json(&file.to_string()).expect("a world"),
        Pace::default(),
    );
    told(&router, "/copy-jobs/").await;
    for path in ["/backup/plans/", "/backup-vaults/prod/recovery-points/"] {
        let (status, answer) = get(&router, WORKLOADS, path).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}: {answer}");
        assert_eq!(answer["__type"], "AccessDeniedException");
    }
    // There is no role to assume in the other account.
    let (status, answer) = get(&router, "444455556666", "/copy-jobs/").await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{answer}");
}

#[tokio::test]
async fn calls_beyond_awss_rates_are_throttled() {
    let pace = Pace {
        keeps_rates: true,
        ..Pace::default()
    };
    let router = served(world(), pace);
    let mut answers = Vec::new();
    for _ in 0..8 {
        answers.push(get(&router, WORKLOADS, "/backup-vaults/prod").await);
    }
    let throttled: Vec<_> = answers
        .iter()
        .filter(|(status, _)| *status == StatusCode::BAD_REQUEST)
        .collect();
    assert!((1..=3).contains(&throttled.len()), "{answers:?}");
    assert_eq!(throttled[0].1["__type"], "ThrottlingException");
    // Another Region has a rate of its own.
    told(&router, "/backup-vaults/").await;
}

#[tokio::test]
async fn calls_that_wait_side_by_side_wait_once() {
    let pace = Pace {
        calls_take: Some(Duration::from_millis(200)),
        ..Pace::default()
    };
    let router = served(world(), pace);
    let start = std::time::Instant::now();
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let router = router.clone();
            tokio::spawn(async move { told(&router, "/copy-jobs/").await })
        })
        .collect();
    for call in calls {
        call.await.expect("an answer");
    }
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(200) && took < Duration::from_millis(1_400));
}

async fn post(service: &str, target: Option<&str>, body: String) -> (StatusCode, String) {
    let mut request = signed(service, REGION, WORKLOADS).method("POST").uri("/");
    if let Some(target) = target {
        request = request.header("x-amz-target", target);
    }
    let router = served(world(), Pace::default());
    let request = request.body(Body::from(body)).expect("a request");
    let (status, _, text) = answer(&router, request).await;
    (status, text)
}

#[tokio::test]
async fn alone_the_sandbox_knows_callers_roles_keys_and_the_organization() {
    let sts = |body: &str| post("sts", None, body.to_owned());
    let (_, told) = sts("Action=GetCallerIdentity&Version=2011-06-15").await;
    assert!(told.contains("<Account>111122223333</Account>"), "{told}");
    let assume = |account: &str| {
        format!(
            "Action=AssumeRole&RoleArn=arn:aws:iam::{account}:role/copymend/CopymendReader&RoleSessionName=s"
        )
    };
    let (status, told) = sts(&assume("444455556666")).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    assert!(told.contains("<AccessKeyId>444455556666</AccessKeyId>"));
    let (status, told) = sts(&assume("123123123123")).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{told}");

    let (_, told) = post(
        "iam",
        None,
        "Action=GetRole&RoleName=BackupRole&Version=2010-05-08".to_owned(),
    )
    .await;
    assert!(told.contains("role/BackupRole</Arn>"), "{told}");
    let (status, _) = post("iam", None, "Action=GetRole&RoleName=None".to_owned()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    let target = "AWSOrganizationsV20161128.DescribeOrganization";
    let (_, told) = post("organizations", Some(target), "{}".to_owned()).await;
    assert!(
        told.contains("\"MasterAccountId\":\"999988887777\""),
        "{told}"
    );

    let key = world()
        .keys()
        .into_iter()
        .map(|(arn, _)| arn)
        .find(|arn| arn.account_id().is_some_and(|id| id.as_str() == WORKLOADS))
        .expect("a key");
    let input = json!({"KeyId": key, "PolicyName": "default"}).to_string();
    for (operation, part) in [
        ("DescribeKey", "\"KeyManager\""),
        ("GetKeyPolicy", "Statement"),
        ("ListKeyPolicies", "\"default\""),
        ("ListResourceTags", "\"Tags\""),
        ("ListAliases", "alias/"),
    ] {
        let target = format!("TrentService.{operation}");
        let (status, told) = post("kms", Some(&target), input.clone()).await;
        assert_eq!(status, StatusCode::OK, "{operation}: {told}");
        assert!(told.contains(part), "{operation}: {told}");
    }
}
