//! The digest of weeks that the handlers made on the sandbox.

use std::time::Duration;

use copymend_remediation::CopyRemediator;
use copymend_remediation::Invocation;
use copymend_remediation::digest::{
    DIGEST_DETAIL_TYPE, Digest, DigestState, Failing, MOST_OF_EACH, OldestCopies, OldestCopy, Part,
};
use copymend_remediation::ledger::{Ledger, Pause};
use copymend_remediation::ports::{Clock, Reads};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::{Mode, Settings};
use copymend_remediation::undo::{UndoRequest, undo};
use copymend_report::email_of_digest;
use copymend_sandbox::{NewCopy, Sandbox, World};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::every_message::approving;
use crate::readable::problems;
use crate::samples::{event, settings};

const DAY: Duration = Duration::from_hours(24);

struct Week {
    sandbox: Sandbox,
}

impl Week {
    fn new() -> Self {
        Self {
            sandbox: Sandbox::new(World::default_world()),
        }
    }

    fn invocation(&self, id: &str) -> Invocation {
        Invocation {
            id: id.to_owned(),
            deadline: self.sandbox.clock().now() + SignedDuration::from_mins(2),
        }
    }

    async fn handle(&self, settings: Settings, event: &Value, outcome: Outcome) -> Report {
        let remediator = CopyRemediator::new(self.sandbox.clone(), settings);
        let id = event["id"].as_str().unwrap();
        let report = remediator.handle(event, &self.invocation(id)).await;
        let report = report.unwrap();
        assert_eq!(report.outcome, outcome, "{report:#?}");
        report
    }

    /// The event of the same copy, which is made now and fails again.
    fn again(&self, event: &Value) -> Value {
        let created = self.sandbox.clock().now();
        let id = self.sandbox.with_world(|world| {
            let job = event["detail"]["copyJobId"].as_str().unwrap();
            let copy = NewCopy {
                created,
                ..NewCopy::again(world.copy_job(job).unwrap())
            };
            world.start_copy(copy).unwrap().id.clone()
        });
        self.sandbox.event_for(&id).unwrap()
    }

    fn wait(&self, time: Duration) {
        self.sandbox.clock().advance(time);
    }

    async fn digest(&self, mode: Mode) -> Digest {
        let remediator = CopyRemediator::new(self.sandbox.clone(), settings(mode));
        let event = json!({"source": "copymend", "detail-type": DIGEST_DETAIL_TYPE});
        let before = self.sandbox.notifier().digests().len();
        let invocation = self.invocation("digest");
        let answer = remediator.send_digest(&event, &invocation).await.unwrap();
        assert_eq!(answer.digest, DigestState::Sent);
        let again = remediator.send_digest(&event, &invocation).await.unwrap();
        assert_eq!(again.digest, DigestState::SentBefore);
        let digests = self.sandbox.notifier().digests();
        assert_eq!(digests.len(), before + 1);
        digests.last().unwrap().clone()
    }
}

fn written(digest: &Digest) -> String {
    let email = email_of_digest(digest);
    assert_eq!(problems(&email), Vec::<String>::new(), "{}", email.body);
    format!("{}\n\n{}", email.subject, email.body)
}

#[tokio::test]
async fn a_week_without_anything_is_told_in_a_line() {
    let week = Week::new();
    let digest = week.digest(Mode::Repair).await;
    assert!(digest.is_empty());
    insta::assert_snapshot!(written(&digest));
}

#[tokio::test]
async fn a_mixed_week_is_told_once_with_what_needs_a_person_first() {
    let week = Week::new();
    let managed = event("aws-managed-key");
    let repair = || settings(Mode::Repair);
    week.handle(repair(), &managed, Outcome::Advised).await;
    week.wait(Duration::from_mins(1));
    let first = week.digest(Mode::Repair).await;
    assert_eq!((first.new.count, first.still_failing.count), (1, 0));

    week.wait(3 * DAY);
    let managed = week.again(&managed);
    week.handle(repair(), &managed, Outcome::Advised).await;
    let policy = week.again(&event("destination-vault-policy"));
    let repaired = week.handle(repair(), &policy, Outcome::RepairedAndRetried);
    let repaired = repaired.await;
    week.wait(Duration::from_mins(30));
    let worked = week.sandbox.event_for(&repaired.retried_job.unwrap());
    week.handle(repair(), &worked.unwrap(), Outcome::Recovered)
        .await;
    let other = week.again(&event("source-key-policy"));
    let change = week
        .handle(repair(), &other, Outcome::RepairedAndRetried)
        .await;
    week.wait(Duration::from_mins(30));
    let request = UndoRequest {
        change: change.changes[0].id.as_deref(),
        asked_by: Some("arn:aws:iam::111122223333:user/somebody"),
        ..UndoRequest::default()
    };
    let invocation = week.invocation("undo");
    undo(&week.sandbox, request, &invocation).await.unwrap();
    let nobody = Settings {
        allowed_keys: Vec::new(),
        ..repair()
    };
    let rds = week.again(&event("source-key-policy-rds"));
    week.handle(nobody, &rds, Outcome::Refused).await;
    let asked = week.again(&event("destination-vault-policy-2"));
    week.handle(approving(), &asked, Outcome::Planned).await;
    let since = week.sandbox.clock().now();
    let pause = Pause {
        reason: "a change freeze".to_owned(),
        since,
        until: None,
        by: None,
    };
    let ledger = week.sandbox.ledger().unwrap();
    ledger.set_pause(&pause).await.unwrap();
    week.wait(Duration::from_mins(10));

    let digest = week.digest(Mode::Repair).await;
    assert!(digest.since > first.since);
    assert_eq!(digest.still_failing.count, 1);
    assert_eq!(digest.recovered.count, 1);
    assert_eq!(digest.undone.count, 1);
    assert_eq!(digest.refused.count, 1);
    assert_eq!(digest.questions.count, 1);
    assert!(digest.pause.is_some());
    insta::assert_snapshot!(written(&digest));

    // What is over is not told again.
    ledger.lift_pause(None, since).await.unwrap();
    week.wait(7 * DAY);
    let next = week.digest(Mode::Repair).await;
    assert_eq!((next.new.count, next.repaired.count), (0, 0), "{next:#?}");
    // What nobody is known to have put right is: what was asked in vain, too.
    assert_eq!((next.still_failing.count, next.questions.count), (0, 0));
    assert_eq!((next.not_seen_again.count, next.unanswered), (3, 1));
    assert_eq!(next.needs_a_person(), 3, "{next:#?}");
    insta::assert_snapshot!("not_seen_again", written(&next));
}

/// However much there is, it stays readable.
#[tokio::test]
async fn a_digest_of_ten_thousand_incidents_is_short() {
    let week = Week::new();
    let mut digest = week.digest(Mode::Observe).await;
    let at = digest.at;
    let failing = |number: usize| Failing {
        cause: "destination-vault-policy".to_owned(),
        resource: format!("arn:aws:backup:eu-west-1:444455556666:backup-vault:{number:0>50}"),
        account: Some("111122223333".to_owned()),
        grantee: None,
        is_confirmed: number > 2,
        count: 1_000,
        outcome: "advised".to_owned(),
        first_seen: at,
        last_seen: at,
    };
    digest.new = Part {
        count: 10_000,
        first: (0..MOST_OF_EACH).map(failing).collect(),
    };
    digest.causes = [("destination-vault-policy".to_owned(), 10_000)].into();
    digest.accounts = [("111122223333".to_owned(), 10_000)].into();
    digest.oldest_copies = Some(OldestCopies {
        at,
        objective_seconds: Some(93_600),
        vaults: vec![OldestCopy {
            vault: "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr".to_owned(),
            worst_age_seconds: Some(400_000),
            over_objective: 12,
        }],
        vaults_too_old: Some(1),
    });
    digest.read_from = Some(at);
    digest.unreadable = 2;
    let written = written(&digest);
    assert!(written.lines().count() < 90, "{written}");
    let words: Vec<&str> = written.split_whitespace().collect();
    let words = words.join(" ");
    for said in [
        "10001 things need a person",
        "9990 more",
        "destination-vault-policy: 10000",
        "4 days old",
        "2 records",
    ] {
        assert!(words.contains(said), "{said} {written}");
    }
}
