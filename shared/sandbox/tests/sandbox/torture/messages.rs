//! Many copies of one account fail for many reasons: an hour has so many messages and no more, and
//! one summary tells of the rest.

use std::time::Duration;

use copymend_remediation::ledger::{LeftOut, MessagesOf};
use copymend_remediation::ports::{CallErrorKind, Clock, Reads};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::{Mode, Settings};
use copymend_remediation::sweep::SWEEP_DETAIL_TYPE;
use copymend_remediation::{CopyRemediator, HandlerError, Invocation};
use copymend_sandbox::{Sandbox, World};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::faulty::{FAULTS, Fault, Faulty};
use super::settings;

const SOURCE: &str = "111122223333";
const OTHER: &str = "222233334444";
const DESTINATION: &str = "444455556666";
const VAULTS: usize = 110;
const HOUR: Duration = Duration::from_hours(1);

fn job(account: &str, vault: usize) -> String {
    format!("11111111-2222-4333-{vault:04}-{account}")
}

/// Every copy goes into a vault of its own, which doesn't admit it: an incident of its own.
fn world() -> World {
    let key = "22222222-2222-4222-8222-222222222222";
    let vault = json!({
        "encryption_key_arn": format!("arn:aws:kms:eu-west-1:{DESTINATION}:key/{key}")
    });
    let vaults: serde_json::Map<String, Value> = (0..VAULTS)
        .map(|number| (format!("dr-{number}"), vault.clone()))
        .collect();
    let mut accounts = json!({
        "999988887777": {},
        DESTINATION: {"regions": {"eu-west-1": {"vaults": vaults, "keys": {key: {}}}}}
    });
    let mut jobs = Vec::new();
    for account in [SOURCE, OTHER] {
        let point = format!("arn:aws:ec2:us-east-1::snapshot/snap-{account:0>17}");
        accounts[account] = json!({
            "roles": {"BackupRole": {"managed_policies": ["AWSBackupServiceRolePolicyForBackup"]}},
            "regions": {"us-east-1": {"vaults": {"prod": {"recovery_points": [{
                "arn": point,
                "resource_arn": format!("arn:aws:ec2:us-east-1:{account}:volume/vol-0123456789abcdef0"),
                "resource_type": "EBS"
            }]}}}}
        });
        jobs.extend((0..VAULTS).map(|number| json!({
            "id": job(account, number),
            "recovery_point_arn": point,
            "source_vault_arn": format!("arn:aws:backup:us-east-1:{account}:backup-vault:prod"),
            "destination_vault_arn": format!("arn:aws:backup:eu-west-1:{DESTINATION}:backup-vault:dr-{number}"),
            "iam_role_arn": format!("arn:aws:iam::{account}:role/BackupRole"),
            "creation_date": "2026-11-01T03:00:00Z",
            "created_by": {
                "backup_plan_arn": format!("arn:aws:backup:us-east-1:{account}:backup-plan:plan"),
                "backup_plan_id": "plan",
                "backup_rule_id": "rule"
            }
        })));
    }
    let path = "o-exampleorgid/r-ab12/";
    let world = json!({
        "organizations": [{
            "id": "o-exampleorgid",
            "management_account": "999988887777",
            "cross_account_backup_enabled": true,
            "member_accounts": {SOURCE: path, OTHER: path, DESTINATION: path}
        }],
        "accounts": accounts,
        "copy_jobs": jobs
    });
    World::from_json(&world.to_string()).unwrap()
}

struct Scene {
    sandbox: Sandbox,
    environment: Faulty,
    settings: Settings,
}

impl Scene {
    fn new(settings: Settings) -> Self {
        let sandbox = Sandbox::new(world());
        Self {
            environment: Faulty::new(sandbox.clone()).with_still_clock(),
            sandbox,
            settings,
        }
    }

    fn observing(source_message_budget: u32) -> Self {
        Self::new(Settings {
            mode: Mode::Observe,
            source_message_budget,
            ..settings()
        })
    }

    /// Handles an event, in a task of its own: a death is `None`.
    async fn handle(&self, event: Value) -> Option<Result<Report, HandlerError>> {
        let remediator = CopyRemediator::new(self.environment.clone(), self.settings.clone());
        let invocation = self.invocation(event["id"].as_str().unwrap());
        let task = tokio::spawn(async move { remediator.handle(&event, &invocation).await });
        task.await.ok()
    }

    fn invocation(&self, id: &str) -> Invocation {
        Invocation {
            id: id.to_owned(),
            deadline: self.sandbox.clock().now() + SignedDuration::from_mins(2),
        }
    }

    async fn fail(&self, account: &str, vault: usize) -> Option<Result<Report, HandlerError>> {
        let event = self.sandbox.event_for(&job(account, vault)).unwrap();
        self.handle(event).await
    }

    async fn must_fail(&self, account: &str, vault: usize) -> Report {
        self.fail(account, vault).await.unwrap().unwrap()
    }

    /// An event of a job that AWS Backup doesn't know.
    async fn forge(&self, vault: usize) -> Report {
        let mut event = self.sandbox.event_for(&job(SOURCE, vault)).unwrap();
        event["detail"]["copyJobId"] = json!(format!("made-up-{vault}"));
        self.handle(event).await.unwrap().unwrap()
    }

    async fn sweep(&self, account: &str) {
        let remediator = CopyRemediator::new(self.environment.clone(), self.settings.clone());
        // No copies are listed there.
        let event = json!({
            "detail-type": SWEEP_DETAIL_TYPE,
            "detail": {"accounts": [account], "regions": ["eu-central-1"]}
        });
        let swept = remediator.sweep(&event, &self.invocation("sweep")).await;
        assert_eq!(swept.unwrap().errors, Vec::<String>::new());
    }

    fn told(&self) -> usize {
        self.sandbox.notifier().sent().len()
    }

    fn told_of(&self, account: &str) -> Vec<Report> {
        let sent = self.sandbox.notifier().sent().into_iter();
        let of = sent.map(|sent| sent.report);
        of.filter(|report| report.copy_job_id().unwrap().ends_with(account))
            .collect()
    }

    fn summaries(&self) -> Vec<LeftOut> {
        self.sandbox.notifier().summaries()
    }

    fn next_hour(&self) {
        self.sandbox.clock().advance(HOUR);
    }
}

fn of(account: &str, is_confirmed: bool) -> MessagesOf {
    MessagesOf {
        account: account.parse().unwrap(),
        is_confirmed,
    }
}

#[tokio::test]
async fn a_hundred_incidents_in_an_hour_are_a_few_messages_and_a_summary() {
    let scene = Scene::new(Settings {
        source_message_budget: 5,
        ..settings()
    });
    let writes = usize::try_from(scene.settings.source_write_budget).unwrap();
    let start = scene.sandbox.clock().now();
    let mut left_out = 0;
    // A second apart, so that each message has its turn at once.
    for vault in 0..100 {
        scene.sandbox.clock().advance(Duration::from_secs(1));
        let report = scene.must_fail(SOURCE, vault).await;
        left_out += usize::from(report.notes.iter().any(|note| note.contains("a summary")));
    }
    assert_eq!(left_out, 100 - writes - 5);
    let told = scene.told_of(SOURCE);
    let repairs = told
        .iter()
        .filter(|report| report.outcome == Outcome::RepairedAndRetried);
    assert_eq!(repairs.count(), writes);
    assert_eq!(told.len(), writes + 5);
    assert_eq!(scene.summaries(), []);
    // Another account has a count of its own.
    scene.must_fail(OTHER, 0).await;
    assert_eq!(scene.told_of(OTHER).len(), 1);

    scene.next_hour();
    scene.must_fail(OTHER, 1).await;
    assert_eq!(
        scene.summaries(),
        [],
        "nothing of this account was left out"
    );
    for vault in 100..VAULTS - 1 {
        scene.must_fail(SOURCE, vault).await;
    }
    let expected = LeftOut {
        of: of(SOURCE, true),
        count: 75,
        causes: [("destination-vault-policy".to_owned(), 75)].into(),
        copy_jobs: (25..30).map(|vault| job(SOURCE, vault)).collect(),
        first_at: start + SignedDuration::from_secs(26),
        last_at: start + SignedDuration::from_secs(100),
    };
    assert_eq!(scene.summaries(), [expected]);
    assert_eq!(scene.told_of(SOURCE).len(), writes + 10);
    // Four more than the next hour's messages: the sweep tells of them.
    scene.next_hour();
    scene.sweep(OTHER).await;
    assert_eq!(scene.summaries().len(), 1);
    scene.sweep(SOURCE).await;
    scene.sweep(SOURCE).await;
    let counts: Vec<u64> = scene.summaries().iter().map(|sent| sent.count).collect();
    assert_eq!(counts, [75, 4]);
}

#[tokio::test]
async fn made_up_events_silence_no_real_one() {
    let scene = Scene::observing(2);
    for vault in 0..10 {
        scene.forge(vault).await;
    }
    assert_eq!(scene.told(), 2);
    for vault in 0..4 {
        scene.must_fail(SOURCE, vault).await;
    }
    assert_eq!(scene.told_of(SOURCE).len(), 2);
    scene.next_hour();
    // What is ignored sums nothing up.
    scene.must_fail(SOURCE, 0).await;
    assert_eq!(scene.summaries(), []);
    scene.must_fail(SOURCE, 4).await;
    scene.sweep(SOURCE).await;
    let told: Vec<(bool, u64)> = scene
        .summaries()
        .iter()
        .map(|sent| (sent.of.is_confirmed, sent.count))
        .collect();
    assert_eq!(told, [(true, 2), (false, 8)]);
}

/// A ledger that doesn't answer silences nobody.
#[tokio::test]
async fn a_message_that_cannot_be_counted_is_sent() {
    for (operation, budget) in [("ledger:CountOfSource", 1), ("ledger:LeaveOut", 0)] {
        let scene = Scene::observing(budget);
        scene.sandbox.fail(operation, CallErrorKind::Throttled);
        scene.must_fail(SOURCE, 0).await;
        assert_eq!(scene.told(), 1, "{operation}");
    }
}

/// Three messages left out, and an hour that is over. The settings' first event has no notice.
async fn with_three_left_out() -> Scene {
    let scene = Scene::observing(1);
    for vault in 0..4 {
        scene.must_fail(SOURCE, vault).await;
    }
    scene.next_hour();
    scene
}

/// Whoever dies or fails between the claim and the end leaves the summary to a later event. It is
/// sent twice only where it was sent and that wasn't recorded.
#[tokio::test]
async fn a_summary_survives_every_fault() {
    let scene = with_three_left_out().await;
    let before = scene.environment.made().len();
    scene.must_fail(SOURCE, 4).await;
    let made = scene.environment.made().split_off(before);
    for (number, call) in made.iter().enumerate() {
        let is_of_summary = ["claim_left_out", "notify_left_out", "forget_left_out"];
        if !is_of_summary.contains(call) {
            continue;
        }
        for fault in FAULTS {
            let scene = with_three_left_out().await;
            scene.environment.break_call(number, fault);
            let delivered = scene.fail(SOURCE, 4).await;
            let is_killed = matches!(fault, Fault::KilledBefore | Fault::KilledAfter);
            assert_eq!(delivered.is_none(), is_killed, "{call} {fault:?}");
            if let Some(report) = delivered {
                assert_eq!(report.unwrap().outcome, Outcome::Planned);
            }
            // At once nobody else sums up; once the claim is over somebody does.
            for vault in 5..8 {
                scene.next_hour();
                scene.must_fail(SOURCE, vault).await;
            }
            let is_done = matches!(fault, Fault::AnswerLost(_) | Fault::KilledAfter);
            let times = match (*call, is_done) {
                ("notify_left_out", true) => 2,
                (_, _) => 1,
            };
            let summaries = scene.summaries();
            assert_eq!(summaries.len(), times, "{call} {fault:?}");
            for summary in summaries {
                assert_eq!(summary.count, 3, "{call} {fault:?}");
            }
        }
    }
    let summed_up = made
        .iter()
        .filter(|call| call.ends_with("left_out"))
        .count();
    assert_eq!(summed_up, 3, "{made:?}");
}

/// While somebody sums up, a message that would be left out is sent.
#[tokio::test]
async fn nothing_is_left_out_while_somebody_sums_up() {
    use copymend_remediation::ledger::LeftOutMessages;

    let scene = with_three_left_out().await;
    let (now, ledger) = (scene.sandbox.clock().now(), scene.sandbox.ledger().unwrap());
    let until = now + SignedDuration::from_mins(2);
    let claimed = ledger.claim_left_out(of(SOURCE, true), "dead", now, until);
    assert!(claimed.await.unwrap().is_some());
    let before = scene.told();
    for vault in 4..7 {
        scene.must_fail(SOURCE, vault).await;
    }
    assert_eq!(scene.told(), before + 3);
    assert_eq!(scene.summaries(), []);
    scene.sandbox.clock().advance(Duration::from_mins(2));
    scene.must_fail(SOURCE, 7).await;
    let counts: Vec<u64> = scene.summaries().iter().map(|sent| sent.count).collect();
    assert_eq!(counts, [4], "the last one was added to those of the dead");
}
