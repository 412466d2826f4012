//! How many messages there are when ten thousand copies fail within five minutes, and how many a
//! second: more than ten a second suspend an e-mail subscription.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use copymend_remediation::digest::DIGEST_DETAIL_TYPE;
use copymend_remediation::ports::{Clock, Reads};
use copymend_remediation::settings::{Messages, Mode, Settings};
use copymend_remediation::sweep::SWEEP_DETAIL_TYPE;
use copymend_remediation::{CopyRemediator, Invocation};
use copymend_sandbox::{Sandbox, World};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::faulty::Faulty;
use super::settings;

const DESTINATION: &str = "444455556666";
/// As many functions as work at the same time.
const FUNCTIONS: usize = 50;
/// Within this time all events arrive.
const STORM: SignedDuration = SignedDuration::from_mins(5);
/// What a function needs for a copy before it tells people.
const WORK: SignedDuration = SignedDuration::from_secs(1);
/// What suspends a subscription.
const TOO_MANY_A_SECOND: usize = 10;

/// So many failures for so many causes, of so many source accounts.
#[derive(Clone, Copy, Debug)]
struct Flood {
    failures: usize,
    causes: usize,
    accounts: usize,
}

fn account(number: usize) -> String {
    format!("{:012}", 100_000_000_000_usize + number)
}

fn job(number: usize) -> String {
    format!("11111111-2222-4333-0000-{number:012}")
}

impl Flood {
    /// Each cause is a vault that doesn't admit the copies of one account.
    fn world(self) -> World {
        let key = "22222222-2222-4222-8222-222222222222";
        let vault = json!({
            "encryption_key_arn": format!("arn:aws:kms:eu-west-1:{DESTINATION}:key/{key}")
        });
        let vaults: serde_json::Map<String, Value> = (0..self.causes)
            .map(|cause| (format!("dr-{cause}"), vault.clone()))
            .collect();
        let path = "o-exampleorgid/r-ab12/";
        let mut accounts = json!({
            "999988887777": {},
            DESTINATION: {"regions": {"eu-west-1": {"vaults": vaults, "keys": {key: {}}}}}
        });
        let mut members = json!({ DESTINATION: path });
        let mut points: BTreeMap<usize, Vec<Value>> = BTreeMap::new();
        let mut jobs = Vec::new();
        for failure in 0..self.failures {
            let cause = failure % self.causes;
            let number = cause % self.accounts;
            let account = account(number);
            let point = format!("arn:aws:ec2:us-east-1::snapshot/snap-{failure:017x}");
            points.entry(number).or_default().push(json!({
                "arn": point,
                "resource_arn": format!("arn:aws:ec2:us-east-1:{account}:volume/vol-{failure:017x}"),
                "resource_type": "EBS"
            }));
            jobs.push(json!({
                "id": job(failure),
                "recovery_point_arn": point,
                "source_vault_arn": format!("arn:aws:backup:us-east-1:{account}:backup-vault:prod"),
                "destination_vault_arn": format!("arn:aws:backup:eu-west-1:{DESTINATION}:backup-vault:dr-{cause}"),
                "iam_role_arn": format!("arn:aws:iam::{account}:role/BackupRole"),
                "creation_date": "2026-11-01T03:00:00Z",
                "created_by": {
                    "backup_plan_arn": format!("arn:aws:backup:us-east-1:{account}:backup-plan:plan"),
                    "backup_plan_id": "plan",
                    "backup_rule_id": "rule"
                }
            }));
        }
        for (number, points) in points {
            let account = account(number);
            members[&account] = json!(path);
            accounts[&account] = json!({
                "roles": {"BackupRole": {"managed_policies": ["AWSBackupServiceRolePolicyForBackup"]}},
                "regions": {"us-east-1": {"vaults": {"prod": {"recovery_points": points}}}}
            });
        }
        let world = json!({
            "organizations": [{
                "id": "o-exampleorgid",
                "management_account": "999988887777",
                "cross_account_backup_enabled": true,
                "member_accounts": members
            }],
            "accounts": accounts,
            "copy_jobs": jobs
        });
        World::from_json(&world.to_string()).unwrap()
    }
}

/// What became of a flood.
#[derive(Debug)]
struct Told {
    /// Messages about single incidents, before the hour was over.
    single: usize,
    /// Summaries of those that were left out, after the hour.
    summaries: usize,
    /// Deliveries that ended because too many messages waited: they are delivered again.
    delivered_again: usize,
    /// The most messages in any second.
    peak: usize,
    digests: usize,
}

impl Told {
    /// Turns are kept, each account has one summary at most, and nothing waits for too long.
    fn is_bounded(&self, of: Flood, name: &str) {
        assert!(
            self.peak <= 4 && self.summaries <= of.accounts && self.delivered_again == 0,
            "{of:?} {name}: {self:?}"
        );
    }
}

/// The most moments within any second.
fn peak(mut times: Vec<Timestamp>) -> usize {
    times.sort();
    let second = SignedDuration::from_secs(1);
    (0..times.len())
        .map(|first| {
            let from = times[first];
            times[first..]
                .iter()
                .take_while(|time| time.duration_since(from) < second)
                .count()
        })
        .max()
        .unwrap_or_default()
}

/// Fifty functions, each with a time of its own: the one whose time is the earliest takes the next
/// event. So what waits in one keeps none of the others from going on.
async fn flood(of: Flood, settings: Settings) -> Told {
    let sandbox = Sandbox::new(of.world());
    let start = sandbox.clock().now();
    let environment = Faulty::new(sandbox.clone());
    let functions: Vec<Arc<Mutex<Timestamp>>> = (0..FUNCTIONS)
        .map(|_| Arc::new(Mutex::new(start)))
        .collect();
    let between = STORM / i32::try_from(of.failures).unwrap();
    let mut waiting: std::collections::BinaryHeap<std::cmp::Reverse<(Timestamp, usize, i64)>> = (0
        ..of.failures)
        .map(|failure| {
            let arrives = start + between * i32::try_from(failure).unwrap();
            std::cmp::Reverse((arrives, failure, 0))
        })
        .collect();
    let mut delivered_again = 0;
    while let Some(std::cmp::Reverse((arrives, failure, deliveries))) = waiting.pop() {
        let free = functions
            .iter()
            .min_by_key(|time| *time.lock().unwrap())
            .unwrap();
        let begins = {
            let mut time = free.lock().unwrap();
            *time = arrives.max(*time) + WORK;
            *time
        };
        let environment = environment.clone().with_time(Arc::clone(free));
        let remediator = CopyRemediator::new(environment, settings.clone());
        let invocation = Invocation {
            id: format!("flood-{failure}"),
            deadline: begins + SignedDuration::from_mins(2),
        };
        let event = sandbox.event_for(&job(failure)).unwrap();
        // As AWS Lambda does: a minute later, then two.
        if remediator.handle(&event, &invocation).await.is_err() {
            delivered_again += 1;
            assert!(deliveries < 5, "the event of job {failure} is lost");
            let later = begins + SignedDuration::from_mins(deliveries + 1);
            waiting.push(std::cmp::Reverse((later, failure, deliveries + 1)));
        }
    }
    let single = sandbox.notifier().sent().len();
    // Sweeps of the next hours sum up what was left out.
    let all: Vec<String> = (0..of.accounts.min(of.causes)).map(account).collect();
    let after = start + SignedDuration::from_hours(1) + STORM;
    let time = Arc::new(Mutex::new(after));
    let remediator = CopyRemediator::new(
        environment.clone().with_time(Arc::clone(&time)),
        settings.clone(),
    );
    for hour in 0..24 {
        *time.lock().unwrap() = after + SignedDuration::from_hours(hour);
        let now = *time.lock().unwrap();
        let invocation = Invocation {
            id: format!("sweep-{hour}"),
            deadline: now + SignedDuration::from_mins(2),
        };
        let sweep = json!({
            "detail-type": SWEEP_DETAIL_TYPE,
            "detail": {"accounts": all, "regions": ["eu-central-1"]}
        });
        remediator.sweep(&sweep, &invocation).await.unwrap();
        let ends = *time.lock().unwrap();
        assert!(ends < invocation.deadline, "a sweep has its time");
    }
    let digest = json!({"source": "copymend", "detail-type": DIGEST_DETAIL_TYPE});
    let invocation = Invocation {
        id: "digest".to_owned(),
        deadline: *time.lock().unwrap() + SignedDuration::from_mins(2),
    };
    remediator.send_digest(&digest, &invocation).await.unwrap();
    let [told] = &sandbox.notifier().digests()[..] else {
        panic!("one digest");
    };
    let incidents = told.new.count + told.still_failing.count + told.under_way.count;
    assert_eq!(incidents, u64::try_from(of.causes).unwrap());
    let peak = peak(environment.sent_at());
    assert!(peak < TOO_MANY_A_SECOND, "{peak} messages in a second");
    Told {
        single,
        summaries: sandbox.notifier().summaries().len(),
        delivered_again,
        peak,
        digests: 1,
    }
}

/// Every row of the table in docs/digest.md.
async fn rows(failures: usize, causes: [usize; 3]) -> Vec<(Flood, &'static str, Told)> {
    let mut rows = Vec::new();
    for of_causes in causes {
        let mut accounts = vec![1, of_causes];
        accounts.dedup();
        for accounts in accounts {
            let of = Flood {
                failures,
                causes: of_causes,
                accounts,
            };
            for (name, mode, messages) in [
                ("observe, all", Mode::Observe, Messages::All),
                ("repair, all", Mode::Repair, Messages::All),
                ("repair, needs-action", Mode::Repair, Messages::NeedsAction),
            ] {
                let settings = Settings {
                    mode,
                    messages,
                    ..settings()
                };
                let told = flood(of, settings).await;
                println!("{of:?}, {name}: {told:?}");
                rows.push((of, name, told));
            }
        }
    }
    rows
}

#[tokio::test]
async fn a_thousand_failures_are_few_messages_and_never_ten_a_second() {
    for (of, name, told) in rows(1_000, [1, 10, 200]).await {
        // An incident is told once, and at its 10th, 100th and 1,000th time.
        let of_counts = of.causes * 3;
        assert!(
            told.single <= of_counts + 1 && told.digests == 1,
            "{of:?} {name}: {told:?}"
        );
        told.is_bounded(of, name);
    }
}

#[tokio::test]
#[ignore = "ten thousand events take a while in a debug build: `make torture` runs it"]
async fn ten_thousand_failures_are_few_messages_and_never_ten_a_second() {
    for (of, name, told) in rows(10_000, [1, 50, 1_000]).await {
        told.is_bounded(of, name);
    }
}
