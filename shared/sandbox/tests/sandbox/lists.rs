//! AWS Backup's lists in memory, and what a world says for them.

use std::collections::BTreeSet;

use copymend_diagnosis::CopyJobState;
use copymend_remediation::ports::{CallErrorKind, CallResult, Location};
use copymend_sandbox::{Sandbox, World};
use copymend_survey::{CopyJobQuery, Lists as _, Page, RecoveryPointQuery, TagComparison};
use serde_json::{Value, json};

use crate::small::{POINT, ROLE, SOURCE_VAULT, VAULT, load, with, world};

const REGION: &str = "/accounts/111122223333/regions/us-east-1";

fn here() -> Location {
    Location::new("111122223333".parse().unwrap(), "us-east-1")
}

fn there() -> Location {
    Location::new("444455556666".parse().unwrap(), "eu-west-1")
}

/// A composite backup with two parts, one of which can't be copied, and a plan.
fn rich() -> Value {
    let point = |id: &str| {
        json!({
            "arn": format!("arn:aws:ec2:us-east-1::snapshot/snap-{id}"),
            "resource_arn": format!("arn:aws:ec2:us-east-1:111122223333:volume/vol-{id}"),
            "resource_type": "EBS",
            "encryption_key_arn": "arn:aws:kms:us-east-1:111122223333:key/11111111-1111-4111-8111-111111111111",
            "creation_date": "2026-10-01T05:00:00Z",
            "lifecycle": {"delete_after_days": 35, "move_to_cold_storage_after_days": 7},
        })
    };
    let job = |id: &str, point: &str| {
        json!({
            "id": id,
            "recovery_point_arn": point,
            "source_vault_arn": SOURCE_VAULT,
            "destination_vault_arn": VAULT,
            "iam_role_arn": ROLE,
            "creation_date": "2026-11-01T03:00:00Z",
            "created_by_backup_job_id": "backup-1",
        })
    };
    let mut world = world();
    let points = world.pointer_mut(&format!("{REGION}/vaults/prod/recovery_points"));
    points
        .and_then(Value::as_array_mut)
        .unwrap()
        .extend(["part", "other", "third"].map(point));
    let mut part = job("part", "arn:aws:ec2:us-east-1::snapshot/snap-part");
    part["parent_job_id"] = json!("whole");
    let mut broken = job("broken", "arn:aws:ec2:us-east-1::snapshot/snap-none");
    broken["parent_job_id"] = json!("whole");
    world["copy_jobs"] = json!([job("whole", POINT), part, broken]);
    with(
        world,
        &format!("{REGION}/backup_plans"),
        json!({"plan-1": {
            "rules": [{
                "id": "rule-1",
                "target_vault": "prod",
                "copy_actions": [{"destination_vault_arn": VAULT}],
            }],
            "selections": {"selection-1": {
                "iam_role_arn": ROLE,
                "resources": ["*"],
                "conditions": {"string_like": [{"key": "stage", "value": "prod*"}]},
            }},
        }}),
    )
}

async fn all<T, F>(mut page: impl FnMut(Option<String>) -> F) -> (Vec<T>, usize)
where
    F: Future<Output = CallResult<Page<T>>>,
{
    let (mut items, mut pages, mut from) = (Vec::new(), 0, None);
    loop {
        let found = page(from).await.unwrap();
        pages += 1;
        items.extend(found.items);
        from = found.next;
        if from.is_none() {
            return (items, pages);
        }
    }
}

#[tokio::test]
async fn short_pages_hold_everything_once_in_no_order_with_empty_ones_among_them() {
    let sandbox = Sandbox::new(load(&rich()));
    let in_pages = sandbox.clone().in_pages_of(1);
    let query = RecoveryPointQuery::default();
    let at = here();
    let (whole, pages) = all(|from| sandbox.list_recovery_points(&at, "prod", &query, from)).await;
    assert_eq!((whole.len(), pages), (4, 1));
    let (found, pages) = all(|from| in_pages.list_recovery_points(&at, "prod", &query, from)).await;
    assert_eq!(found, whole);
    assert_eq!(pages, 6, "two of them are empty");
    let first = in_pages
        .list_recovery_points(&at, "prod", &query, None)
        .await;
    let second = in_pages
        .list_recovery_points(&at, "prod", &query, first.unwrap().next)
        .await
        .unwrap();
    assert!(second.items.is_empty() && second.next.is_some());

    let refused = in_pages
        .list_recovery_points(&at, "prod", &query, Some("no token".to_owned()))
        .await
        .unwrap_err();
    assert_eq!(refused.kind, CallErrorKind::Rejected);
    let absent = in_pages
        .list_recovery_points(&at, "none", &query, None)
        .await
        .unwrap_err();
    assert_eq!(absent.kind, CallErrorKind::AccessDenied);
}

#[tokio::test]
async fn a_composite_copy_of_which_a_part_failed_is_partial() {
    let sandbox = Sandbox::new(load(&rich()));
    let query = |state| CopyJobQuery {
        state,
        created_after: "2026-10-01T00:00:00Z".parse().unwrap(),
    };
    let at = here();
    let every = query(None);
    let (jobs, _) = all(|from| sandbox.list_copy_jobs(&at, &every, from)).await;
    let job = |id: &str| of(&jobs, id);
    let whole = job("whole");
    assert_eq!(whole.job.state, CopyJobState::Partial);
    assert_eq!((whole.job.is_parent, whole.failed_children), (true, 1));
    assert_eq!(job("part").job.parent_job_id.as_deref(), Some("whole"));
    assert_eq!(job("part").job.state, CopyJobState::Completed);
    assert_eq!(job("broken").job.state, CopyJobState::Failed);
    assert_eq!(whole.created_by_backup_job.as_deref(), Some("backup-1"));
    let partial = query(Some(CopyJobState::Partial));
    let (partial, _) = all(|from| sandbox.list_copy_jobs(&at, &partial, from)).await;
    assert_eq!(partial.len(), 1);

    let at = there();
    let query = RecoveryPointQuery::default();
    let (copies, _) = all(|from| sandbox.list_recovery_points(&at, "dr", &query, from)).await;
    assert_eq!(copies.len(), 2);
    let copy_of = |job: &str| {
        let arn = of(&jobs, job).destination_recovery_point.as_ref();
        copies.iter().find(|copy| Some(&copy.arn) == arn).unwrap()
    };
    assert_eq!(
        (copy_of("whole").status.as_str(), copy_of("whole").is_parent),
        ("PARTIAL", true)
    );
    assert_eq!(copy_of("part").parent.as_ref(), Some(&copy_of("whole").arn));
    // A copy has its source's date, and the lifecycle where it has none of its own.
    let part = copy_of("part");
    assert_eq!(part.created, Some("2026-10-01T05:00:00Z".parse().unwrap()));
    assert_eq!(
        part.deleted_at,
        Some("2026-11-05T05:00:00Z".parse().unwrap())
    );
    assert_eq!(part.source_vault, Some(SOURCE_VAULT.parse().unwrap()));
    // What has no date was made when it was first copied.
    assert_eq!(
        copy_of("whole").created,
        Some("2026-11-01T03:00:00Z".parse().unwrap())
    );
}

fn of<'j>(
    jobs: &'j [copymend_survey::ListedCopyJob],
    id: &str,
) -> &'j copymend_survey::ListedCopyJob {
    jobs.iter().find(|job| job.job.id == id).unwrap()
}

#[tokio::test]
async fn plans_selections_vaults_and_resources_are_told() {
    let sandbox = Sandbox::new(load(&rich()));
    let at = here();
    let (plans, _) = all(|from| sandbox.list_backup_plans(&at, from)).await;
    assert_eq!(
        (plans[0].id.as_str(), plans[0].name.as_str()),
        ("plan-1", "plan-1")
    );
    let plan = sandbox
        .get_backup_plan(&at, "plan-1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        plan.rules[0].copy_actions[0].destination_vault.as_str(),
        VAULT
    );
    assert_eq!(plan.scheduled_runs.len(), 10);
    assert_eq!(sandbox.get_backup_plan(&at, "none").await.unwrap(), None);
    let (selections, _) = all(|from| sandbox.list_backup_selections(&at, "plan-1", from)).await;
    let selection = sandbox
        .get_backup_selection(&at, "plan-1", &selections[0].id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(selection.conditions[0].comparison, TagComparison::Like);
    let (vaults, _) = all(|from| sandbox.list_backup_vaults(&at, from)).await;
    assert_eq!(vaults[0].recovery_points, 4);
    let (resources, _) = all(|from| sandbox.list_protected_resources(&at, from)).await;
    let arns: BTreeSet<_> = resources.iter().map(|found| found.arn.as_str()).collect();
    assert_eq!(arns.len(), 4);
    // Copies of other accounts' resources aren't protected here.
    let at = there();
    let (resources, _) = all(|from| sandbox.list_protected_resources(&at, from)).await;
    assert!(resources.is_empty());
}

#[test]
fn what_plans_and_dates_cannot_be_is_refused_with_the_place() {
    let plan = |pointer: &str, value: Value| {
        with(rich(), &format!("{REGION}/backup_plans/{pointer}"), value)
    };
    for (world, words) in [
        (plan("plan-1/color", json!("red")), "unknown field `color`"),
        (
            plan("plan-1/rules/0/color", json!("red")),
            "unknown field `color`",
        ),
        (plan("no plan", json!({})), "backup_plans.no plan"),
        (
            plan(
                "plan-1/rules",
                json!([{"id": "a", "target_vault": "prod"}, {"id": "a", "target_vault": "prod"}]),
            ),
            "rules[1].id",
        ),
        (
            plan("plan-1/rules/0/lifecycle", json!({"delete_after_days": -2})),
            "rules[0].lifecycle",
        ),
        (
            plan("plan-1/selections/selection-1/resources", json!(["volume"])),
            "selections.selection-1.resources",
        ),
        (
            with(rich(), "/copy_jobs/1/parent_job_id", json!("none")),
            "copy_jobs[1].parent_job_id",
        ),
        (
            with(
                rich(),
                &format!("{REGION}/vaults/prod/recovery_points/0/parent_recovery_point_arn"),
                json!("arn:aws:ec2:us-east-1::snapshot/snap-none"),
            ),
            "recovery_points[0].parent_recovery_point_arn",
        ),
    ] {
        let error = World::from_json(&world.to_string())
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[test]
fn a_world_of_many_jobs_and_backups_loads_in_the_time_that_it_is_long() {
    let load_time = |number: usize| {
        let mut file = world();
        let points: Vec<Value> = (0..number)
            .map(|at| {
                json!({
                    "arn": format!("arn:aws:ec2:us-east-1::snapshot/snap-{at:017}"),
                    "resource_arn": "arn:aws:ec2:us-east-1:111122223333:volume/vol-0",
                    "resource_type": "EBS",
                })
            })
            .collect();
        let jobs: Vec<Value> = points
            .iter()
            .enumerate()
            .map(|(at, point)| {
                json!({
                    "id": format!("job-{at}"),
                    "name": format!("name-{at}"),
                    "recovery_point_arn": point["arn"],
                    "source_vault_arn": SOURCE_VAULT,
                    "destination_vault_arn": VAULT,
                    "iam_role_arn": ROLE,
                    "creation_date": "2026-11-01T03:00:00Z",
                    "faults": [{"message": "AMI snapshot copy failed"}],
                })
            })
            .collect();
        *file
            .pointer_mut(&format!("{REGION}/vaults/prod/recovery_points"))
            .unwrap() = points.into();
        file["copy_jobs"] = jobs.into();
        let text = file.to_string();
        let start = std::time::Instant::now();
        assert_eq!(World::from_json(&text).unwrap().copy_jobs().len(), number);
        start.elapsed()
    };
    let (few, many) = (load_time(500), load_time(4_000));
    // Eight times as many take about eight times as long; sixty-four times it would be otherwise.
    assert!(many < few * 30, "{few:?} {many:?}");
}
