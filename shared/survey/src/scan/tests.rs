//! Folding: any paging, order and repetition of rows gives the same answer.

use copymend_diagnosis::advisor::JobKind;
use copymend_diagnosis::{Cause, CopyJob, CopyJobState};
use copymend_remediation::ports::Location;
use jiff::Timestamp;
use proptest::prelude::*;

use super::{Act, Fold, Scan, Scope, Stopped, json, text};
use crate::listed::{ListedCopyJob, ListedJob, PlanCreator};
use crate::lists::Page;
use crate::not_read::NotRead;

const KEY_MESSAGE: &str = "Given key ID is not accessible";
const BUSY_MESSAGE: &str = "Copy job failed because of an internal error. Please try again later";

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn since() -> Timestamp {
    parsed("2026-11-01T00:00:00Z")
}

fn at() -> Location {
    Location::new(parsed("111122223333"), "eu-west-1")
}

fn scope() -> Scope {
    Scope {
        places: vec![at()],
        since: since(),
        with_jobs: true,
    }
}

fn row(id: &str, account: &str, vault: &str, message: &str, hours: i64) -> ListedCopyJob {
    let time = since() + jiff::SignedDuration::from_hours(hours);
    ListedCopyJob {
        job: CopyJob {
            id: id.to_owned(),
            account: parsed(account),
            region: "eu-west-1".to_owned(),
            state: CopyJobState::Failed,
            status_message: message.to_owned(),
            message_category: None,
            source_vault: parsed(&format!(
                "arn:aws:backup:eu-west-1:{account}:backup-vault:source"
            )),
            source_recovery_point: parsed("arn:aws:ec2:eu-west-1::snapshot/snap-1"),
            destination_vault: parsed(&format!(
                "arn:aws:backup:eu-central-1:999999999999:backup-vault:{vault}"
            )),
            role: parsed(&format!("arn:aws:iam::{account}:role/CopyRole")),
            resource: None,
            resource_type: Some("EBS".to_owned()),
            backup_plan: Some("plan".to_owned()),
            lifecycle: None,
            parent_job_id: None,
            is_parent: false,
            completed: Some(time),
            size_bytes: None,
        },
        created: Some(time),
        destination_recovery_point: None,
        creator: PlanCreator::default(),
        created_by_backup_job: None,
        failed_children: 0,
    }
}

fn parent(id: &str, failed_children: u64) -> ListedCopyJob {
    let mut row = row(id, "111122223333", "dr", "some children failed", 5);
    row.job.state = CopyJobState::Partial;
    row.job.is_parent = true;
    row.failed_children = failed_children;
    row
}

fn child(id: &str, parent: &str) -> ListedCopyJob {
    let mut row = row(id, "111122223333", "dr", KEY_MESSAGE, 4);
    row.job.parent_job_id = Some(parent.to_owned());
    row
}

fn page<T>(items: Vec<T>) -> Page<T> {
    Page {
        items,
        unreadable: Vec::new(),
        next: None,
    }
}

fn folded(pages: impl IntoIterator<Item = Vec<ListedCopyJob>>) -> Scan {
    let mut fold = Fold::new(since(), true);
    for items in pages {
        fold.copy_jobs(&at(), page(items));
    }
    finish(fold)
}

fn finish(fold: Fold) -> Scan {
    fold.finish(&scope(), false, parsed("2026-11-30T00:00:00Z"), None)
}

#[test]
fn copies_of_one_cause_at_one_vault_are_one_incident_with_its_accounts() {
    let scan = folded([vec![
        row("1", "111122223333", "dr", KEY_MESSAGE, 1),
        row("2", "111122223333", "dr", KEY_MESSAGE, 9),
        row("3", "444455556666", "dr", KEY_MESSAGE, 3),
        row("4", "444455556666", "other", KEY_MESSAGE, 3),
        row("5", "444455556666", "dr", "Abort signal detected", 3),
    ]]);
    let counts: Vec<_> = scan
        .incidents
        .iter()
        .map(|one| (one.count, one.cause, one.accounts.len()))
        .collect();
    assert_eq!(
        counts,
        [
            (3, Cause::SourceKeyPolicy, 2),
            (1, Cause::SourceKeyPolicy, 1),
            (1, Cause::Unknown, 1)
        ]
    );
    let first = &scan.incidents[0];
    assert_eq!(first.example.job, "2", "the newest one");
    assert_eq!(first.first_seen, Some(parsed("2026-11-01T01:00:00Z")));
    assert_eq!(first.last_seen, Some(parsed("2026-11-01T09:00:00Z")));
    assert_eq!(first.would.act, Act::Repair);
    assert!(first.from_message && !first.confirmed);
    // As the ledger counts them.
    let vault = "arn:aws:backup:eu-central-1:999999999999:backup-vault:dr";
    let named: Vec<_> = first.fingerprints.iter().collect();
    assert_eq!(
        named,
        [
            &format!("source-key-policy#{vault}#111122223333"),
            &format!("source-key-policy#{vault}#444455556666")
        ]
    );
}

#[test]
fn an_incident_knows_its_days_and_what_the_newest_job_shows() {
    let scan = folded([vec![
        row("1", "111122223333", "dr", KEY_MESSAGE, 1),
        row("2", "111122223333", "dr", KEY_MESSAGE, 23),
        row("3", "444455556666", "dr", KEY_MESSAGE, 25),
    ]]);
    let [incident] = scan.incidents.as_slice() else {
        panic!("{:?}", scan.incidents);
    };
    let days: Vec<_> = incident
        .days
        .iter()
        .map(|(day, count)| (day.to_string(), *count))
        .collect();
    assert_eq!(
        days,
        [("2026-11-01".to_owned(), 2), ("2026-11-02".to_owned(), 1)]
    );
    let details = &incident.details;
    assert_eq!(details.candidates[0].cause, Cause::SourceKeyPolicy);
    assert!(!details.candidates[0].why.is_empty());
    // Without facts nothing is planned, and the steps are those of the newest job's account.
    assert_eq!(details.change, None);
    let advice = details.advice.as_ref().unwrap();
    assert!(advice.steps.concat().contains("444455556666"), "{advice:?}");
    // The JSON is as it was.
    assert!(!json(&scan).unwrap().contains("candidates"));
}

#[test]
fn a_parent_counts_with_what_failed_in_it_and_is_not_listed_by_itself() {
    // Both children are listed: they alone count.
    let scan = folded([vec![parent("p", 2)], vec![child("a", "p"), child("b", "p")]]);
    assert_eq!((scan.jobs(), scan.incidents.len()), (2, 1));
    // AWS says that three failed.
    let scan = folded([vec![child("a", "p"), child("b", "p"), parent("p", 3)]]);
    assert_eq!(scan.jobs(), 3);
    let partial: Vec<_> = scan
        .incidents
        .iter()
        .map(|one| one.problem.as_str())
        .collect();
    assert_eq!(partial, ["failed", "partial"]);
    // Nothing but the parent is known.
    assert_eq!(folded([vec![parent("p", 0)]]).jobs(), 1);
    // AWS doesn't say how many, and one is listed.
    assert_eq!(folded([vec![parent("p", 0), child("a", "p")]]).jobs(), 1);
}

#[test]
fn what_did_not_fail_or_is_older_does_not_count_even_if_aws_lists_it() {
    let mut completed = row("1", "111122223333", "dr", "", 1);
    completed.job.state = CopyJobState::Completed;
    let mut running = row("2", "111122223333", "dr", "", 1);
    running.job.state = CopyJobState::Created;
    let old = row("3", "111122223333", "dr", KEY_MESSAGE, -1);
    let scan = folded([vec![completed, running, old]]);
    assert!(scan.incidents.is_empty());
    assert_eq!(text(&scan, None), "nothing failed\n");
}

#[test]
fn a_job_counts_by_its_end_whenever_it_was_made() {
    let made_before = |hours| Some(since() - jiff::SignedDuration::from_hours(hours));
    let mut waited = row("1", "111122223333", "dr", KEY_MESSAGE, 1);
    waited.created = made_before(30);
    let mut without_end = row("2", "111122223333", "dr", KEY_MESSAGE, 1);
    (without_end.created, without_end.job.completed) = (made_before(1), None);
    assert_eq!(folded([vec![waited, without_end]]).incidents[0].count, 1);

    let failed = |id, ended| ListedJob {
        created: made_before(30),
        completed: ended,
        ..service_job(id, JobKind::Backup, "EXPIRED")
    };
    let mut fold = Fold::new(since(), false);
    let jobs = vec![failed("a", Some(since())), failed("b", made_before(1))];
    fold.service_jobs(&at(), page(jobs));
    assert_eq!(finish(fold).incidents[0].count, 1);
}

fn service_job(id: &str, kind: JobKind, state: &str) -> ListedJob {
    ListedJob {
        kind,
        id: id.to_owned(),
        account: parsed("111122223333"),
        region: "eu-west-1".to_owned(),
        state: state.to_owned(),
        status_message: "something".to_owned(),
        message_category: None,
        validation_status: None,
        resource: None,
        resource_type: None,
        vault: Some(parsed(
            "arn:aws:backup:eu-west-1:111122223333:backup-vault:v",
        )),
        role: None,
        created: Some(since()),
        completed: None,
    }
}

#[test]
fn jobs_that_ended_well_only_in_name_count_too() {
    let with_issues = ListedJob {
        message_category: Some("TAG_COPY_ERROR".to_owned()),
        ..service_job("issues", JobKind::Backup, "COMPLETED")
    };
    let well = ListedJob {
        message_category: Some("SUCCESS".to_owned()),
        ..service_job("well", JobKind::Backup, "COMPLETED")
    };
    let not_valid = ListedJob {
        validation_status: Some("TIMED_OUT".to_owned()),
        ..service_job("validation", JobKind::Restore, "COMPLETED")
    };
    let spelt_otherwise = ListedJob {
        message_category: Some("Success".to_owned()),
        ..service_job("spelt", JobKind::Backup, "COMPLETED")
    };
    let valid = ListedJob {
        validation_status: Some("SUCCESSFUL".to_owned()),
        ..service_job("valid", JobKind::Restore, "COMPLETED")
    };
    let others = [
        "FAILED",
        "ABORTED",
        "EXPIRED",
        "PARTIAL",
        "RUNNING",
        "COMPLETED",
    ];
    let others = others.map(|state| service_job(state, JobKind::Backup, state));
    let mut jobs = vec![
        with_issues.clone(),
        well,
        spelt_otherwise,
        not_valid,
        valid,
        with_issues,
    ];
    jobs.extend(others);
    let mut fold = Fold::new(since(), false);
    fold.service_jobs(&at(), page(jobs));
    let mut problems: Vec<_> = finish(fold)
        .incidents
        .into_iter()
        .map(|one| (one.kind, one.problem, one.count))
        .collect();
    problems.sort();
    let expected = [
        ("backup", "aborted"),
        ("backup", "completed with issues: TAG_COPY_ERROR"),
        ("backup", "expired"),
        ("backup", "failed"),
        ("backup", "partial"),
        ("restore", "restore test: validation timed out"),
    ];
    assert_eq!(
        problems,
        expected.map(|(kind, problem)| (kind, problem.to_owned(), 1))
    );
}

fn with_everything() -> Scan {
    let mut fold = Fold::new(since(), false);
    let rows = vec![
        row("1", "111122223333", "dr", KEY_MESSAGE, 1),
        row("2", "444455556666", "dr", KEY_MESSAGE, 30),
        row("3", "111122223333", "copies", "Abort signal detected", 2),
        parent("p", 4),
    ];
    let unreadable = vec!["job-9: `State` is missing".to_owned()];
    let items = Page {
        unreadable,
        ..page(rows)
    };
    fold.copy_jobs(&at(), items);
    let failed = service_job("b", JobKind::Backup, "FAILED");
    fold.service_jobs(&at(), page(vec![failed]));
    let error = copymend_remediation::ports::CallError {
        operation: "backup:ListCopyJobs",
        resource: "777777777777".to_owned(),
        kind: copymend_remediation::ports::CallErrorKind::AccessDenied,
        detail: "AccessDeniedException: no".to_owned(),
    };
    let other = Location::new(parsed("777777777777"), "eu-west-1");
    fold.not_read(NotRead::of(&other, error, 2));
    let stopped = Stopped {
        places_read: 1,
        routes_investigated: 0,
        routes: 0,
    };
    let until = parsed("2026-11-30T00:00:00Z");
    fold.finish(&scope(), false, until, Some(stopped))
}

#[test]
fn a_pipe_gets_one_line_an_incident() {
    let text = text(&with_everything(), None);
    let lines: Vec<&str> = text.lines().collect();
    let head = lines[0].split_whitespace().next();
    assert_eq!(head, Some("COUNT"));
    assert!(lines[1].contains("source-key-policy") || lines[1].contains("(partial)"));
    assert!(text.contains("2 accounts") && text.contains("(from the message)"));
    assert!(text.contains("8 jobs in 4 incidents"), "{text}");
    assert!(text.contains("NOT READ  777777777777 eu-west-1: backup:ListCopyJobs"));
    assert!(text.contains("UNREADABLE  111122223333 eu-west-1: job-9"));
    assert!(text.contains("STOPPED  after 1 of 1 accounts and Regions"));
    assert!(lines.iter().all(|line| !line.ends_with(' ')));
}

#[test]
fn a_terminal_of_80_columns_gets_blocks_that_fit() {
    let scan = with_everything();
    for width in [80, 100, 120, 200] {
        let text = text(&scan, Some(width));
        for line in text.lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
        let whole: String = text.split_whitespace().collect();
        assert!(whole.contains("arn:aws:backup:eu-central-1:999999999999:backup-vault:dr"));
    }
}

#[test]
fn json_is_one_versioned_document() {
    let line = json(&with_everything()).unwrap();
    let document: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(document["scan"], 1);
    assert_eq!(document["jobs"], 8);
    assert_eq!(document["not_read"][0]["permission"], "backup:ListCopyJobs");
    assert_eq!(document["not_read"][0]["pages_read"], 2);
    assert!(document["not_read"][0]["do"].is_string());
    assert_eq!(document["stopped"]["places_read"], 1);
    let incidents = document["incidents"].as_array().unwrap();
    assert!(incidents.iter().all(|one| one["would"]["act"].is_string()));
}

fn any_row() -> impl Strategy<Value = ListedCopyJob> {
    let account = prop::sample::select(vec!["111122223333", "444455556666"]);
    let vault = prop::sample::select(vec!["dr", "copies"]);
    let message = prop::sample::select(vec![KEY_MESSAGE, BUSY_MESSAGE, "", "Access denied"]);
    let kind = 0..4_u8;
    (
        0..60_u32,
        account,
        vault,
        message,
        -5..700_i64,
        kind,
        0..3_u64,
    )
        .prop_map(|(id, account, vault, message, hours, kind, failed)| {
            // A job is the same wherever it is listed.
            let mut row = row(
                &format!(
                    "job-{id}-{account}-{vault}-{hours}-{kind}-{failed}-{}",
                    message.len()
                ),
                account,
                vault,
                message,
                hours,
            );
            let point = format!("arn:aws:ec2:eu-west-1::snapshot/snap-{}", id % 7);
            row.job.source_recovery_point = parsed(&point);
            match kind {
                0 => {
                    row.job.id = format!("parent-{}", id % 3);
                    row.job.account = parsed("111122223333");
                    row.job.region =
                        format!("{}-{hours}-{failed}-{vault}-{account}-{id}", message.len());
                    row.job.state = CopyJobState::Partial;
                    row.job.is_parent = true;
                    row.failed_children = failed;
                }
                1 => row.job.parent_job_id = Some(format!("parent-{}", id % 3)),
                _ => {}
            }
            row
        })
}

proptest! {
    #[test]
    fn any_paging_order_and_repetition_gives_the_same_scan(
        (rows, shuffled) in prop::collection::vec(any_row(), 0..80)
            .prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
        size in 1..30_usize,
        again in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let whole = folded([rows.clone()]);
        let mut pages: Vec<Vec<ListedCopyJob>> =
            shuffled.chunks(size).map(<[ListedCopyJob]>::to_vec).collect();
        if !rows.is_empty() {
            for (place, index) in again.iter().enumerate() {
                let copy = rows[index.index(rows.len())].clone();
                let to = place % pages.len();
                pages[to].push(copy);
            }
        }
        pages.push(Vec::new());
        prop_assert_eq!(folded(pages), whole);
    }
}
