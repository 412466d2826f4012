//! What the adapter of AWS Backup's lists makes of the answers, over real connections: the same as the
//! sandbox's port tells.

use copymend_aws::{AwsLists, Reach};
use copymend_diagnosis::advisor::JobKind;
use copymend_policy::Arn;
use copymend_remediation::ports::{CallErrorKind, CallResult, Location};
use copymend_remediation::settings::Deployment;
use copymend_sandbox::{Sandbox, World};
use copymend_survey::{
    CopyJobQuery, JobQuery, ListedCopyJob, Lists, Page, RecoveryPointQuery, TaggedResources,
};
use serde_json::{Value, json};

use super::WORKLOADS;
use super::adapters::{config, served};
use super::lists::{PLAN, REGION, world};
use crate::server::{App, Pace, router};
use crate::upstream::Upstream;

/// The sandbox, and the adapter that reads it over the wire.
async fn both() -> (Sandbox, AwsLists, Location) {
    both_of(world()).await
}

async fn both_of(world: World) -> (Sandbox, AwsLists, Location) {
    let sandbox = Sandbox::new(world);
    let app = App::at_pace(sandbox.clone(), Upstream::new(None), Pace::default());
    let url = served(router(app)).await;
    let reach = Reach::default();
    let config = config(&url, WORKLOADS, REGION).await;
    let reached = reach
        .enter_with(config, &Deployment::default())
        .await
        .expect("a way in");
    let at = Location::new(WORKLOADS.parse().expect("an account"), REGION);
    assert_eq!(reached.places, std::slice::from_ref(&at));
    (sandbox, reached.lists, at)
}

async fn all<T, F>(mut page: impl FnMut(Option<String>) -> F) -> Vec<T>
where
    F: Future<Output = CallResult<Page<T>>>,
{
    let (mut items, mut from) = (Vec::new(), None);
    loop {
        let found = page(from).await.expect("a page");
        assert_eq!(found.unreadable, Vec::<String>::new());
        items.extend(found.items);
        from = found.next;
        if from.is_none() {
            return items;
        }
    }
}

/// Every copy job. A job that is done has the category `SUCCESS` on the wire, and none in the port; and
/// a time on the wire is a number with a fraction, so that its last millisecond may be lost.
async fn copy_jobs(lists: &impl Lists, at: &Location) -> Vec<ListedCopyJob> {
    let query = CopyJobQuery {
        state: None,
        created_after: "2020-01-01T00:00:00Z".parse().expect("a time"),
    };
    let mut jobs = all(|from| lists.list_copy_jobs(at, &query, from)).await;
    for job in &mut jobs {
        let category = &mut job.job.message_category;
        *category = category.take().filter(|category| category != "SUCCESS");
        job.created = whole(job.created);
        job.job.completed = whole(job.job.completed);
    }
    jobs
}

fn whole(time: Option<jiff::Timestamp>) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_second(time?.as_second()).ok()
}

#[tokio::test]
async fn the_wire_tells_what_the_port_tells() {
    let (sandbox, aws, at) = both().await;
    assert_eq!(copy_jobs(&aws, &at).await, copy_jobs(&sandbox, &at).await);
    for kind in [JobKind::Backup, JobKind::Restore] {
        let query = JobQuery {
            kind,
            created_after: "2020-01-01T00:00:00Z".parse().expect("a time"),
        };
        let of_wire = all(|from| aws.list_jobs(&at, &query, from)).await;
        let of_port = all(|from| sandbox.list_jobs(&at, &query, from)).await;
        assert_eq!(of_wire, of_port);
        assert!(!of_wire.is_empty());
    }
    assert_eq!(
        all(|from| aws.list_backup_plans(&at, from)).await,
        all(|from| sandbox.list_backup_plans(&at, from)).await
    );
    assert_eq!(
        aws.get_backup_plan(&at, PLAN)
            .await
            .map(|plan| plan.map(|plan| plan.rules)),
        sandbox
            .get_backup_plan(&at, PLAN)
            .await
            .map(|plan| plan.map(|plan| plan.rules))
    );
    assert_eq!(aws.get_backup_plan(&at, "none").await, Ok(None));
    assert_eq!(
        all(|from| aws.list_backup_selections(&at, PLAN, from)).await,
        all(|from| sandbox.list_backup_selections(&at, PLAN, from)).await
    );
    assert_eq!(
        aws.get_backup_selection(&at, PLAN, "selection-1").await,
        sandbox.get_backup_selection(&at, PLAN, "selection-1").await
    );
    assert_eq!(
        all(|from| aws.list_backup_vaults(&at, from)).await,
        all(|from| sandbox.list_backup_vaults(&at, from)).await
    );
    assert_eq!(
        all(|from| aws.list_protected_resources(&at, from)).await,
        all(|from| sandbox.list_protected_resources(&at, from)).await
    );
    for query in [
        RecoveryPointQuery::default(),
        RecoveryPointQuery {
            created_after: Some("2026-10-05T00:00:00Z".parse().expect("a time")),
            ..RecoveryPointQuery::default()
        },
    ] {
        assert_eq!(
            all(|from| aws.list_recovery_points(&at, "prod", &query, from)).await,
            all(|from| sandbox.list_recovery_points(&at, "prod", &query, from)).await
        );
    }
}

/// More resources than one call takes, one of them a bucket, and one without tags.
#[tokio::test]
async fn the_tags_of_resources_come_a_hundred_a_call() {
    let volume = |number: usize| format!("arn:aws:ec2:{REGION}:{WORKLOADS}:volume/vol-{number}");
    let bucket = "arn:aws:s3:::invoices";
    let mut file: Value = serde_json::from_str(World::default_json()).expect("JSON");
    let mut tags: serde_json::Map<String, Value> = (0..150)
        .map(|number| (volume(number), json!({"number": number.to_string()})))
        .collect();
    tags.insert(bucket.to_owned(), json!({"tier": "gold"}));
    file["accounts"][WORKLOADS]["regions"][REGION]["resource_tags"] = tags.into();
    let world = World::from_json(&file.to_string()).expect("a world");
    let (sandbox, aws, at) = both_of(world).await;
    let mut asked: Vec<Arn> = (0..151)
        .map(|number| volume(number).parse().expect("an ARN"))
        .collect();
    asked.push(bucket.parse().expect("an ARN"));
    let told = aws.tags_of_resources(&at, &asked).await.expect("tags");
    assert_eq!(told.len(), 151);
    assert_eq!(told[&asked[149]]["number"], "149");
    assert_eq!(told[&asked[151]]["tier"], "gold");
    assert_eq!(sandbox.tags_of_resources(&at, &asked).await, Ok(told));
}

#[tokio::test]
async fn a_refusal_on_the_wire_is_a_refusal_of_the_port() {
    let (_, aws, _) = both().await;
    let nowhere = Location::new("123123123123".parse().expect("an account"), REGION);
    let refused = aws.list_backup_vaults(&nowhere, None).await;
    let error = refused.expect_err("a refusal");
    assert_eq!(error.kind, CallErrorKind::AccessDenied, "{error}");
}

#[tokio::test]
async fn a_page_that_leads_to_itself_ends_the_list() {
    let again = || axum::routing::get(async || axum::Json(json!({"NextToken": "again"})));
    let app = App::at_pace(Sandbox::new(world()), Upstream::new(None), Pace::default());
    let lists = axum::Router::new()
        .route("/copy-jobs", again())
        .route("/backup/plans", again())
        .route("/backup-vaults/{name}/recovery-points", again());
    let url = served(lists.fallback_service(router(app))).await;
    let config = config(&url, WORKLOADS, REGION).await;
    let reach = Reach::default();
    let reached = reach
        .enter_with(config, &Deployment::default())
        .await
        .expect("a way in");
    let at = Location::new(WORKLOADS.parse().expect("an account"), REGION);
    let lists = reached.lists;
    let from = || Some("again".to_owned());

    let query = CopyJobQuery {
        state: None,
        created_after: "2020-01-01T00:00:00Z".parse().expect("a time"),
    };
    let first = lists.list_copy_jobs(&at, &query, None).await;
    assert_eq!(first.expect("a page").next, from());
    let jobs = lists.list_copy_jobs(&at, &query, from()).await;
    let error = jobs.expect_err("no page");
    assert_eq!(error.kind, CallErrorKind::Unreadable);
    assert!(error.to_string().contains("leads to itself"), "{error}");

    let query = RecoveryPointQuery::default();
    let points = lists.list_recovery_points(&at, "prod", &query, from());
    assert_eq!(points.await.expect_err("no page").kind, error.kind);
    let plans = lists.list_backup_plans(&at, from());
    assert_eq!(plans.await.expect_err("no page").kind, error.kind);
}
