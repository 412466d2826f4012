//! Reads that are made once, also by many at once.

use copymend_diagnosis::{BackupCopy, CopyJob, CopyJobEvent, Failure};
use copymend_remediation::decide::Decision;
use copymend_remediation::investigate::investigate;
use copymend_remediation::outlook::outlook;
use copymend_remediation::ports::{Backup, CallErrorKind, Location, Reads};
use copymend_remediation::read_once::ReadOnce;
use copymend_remediation::settings::{Mode, Settings};
use copymend_sandbox::{Sandbox, World};

/// The job of `events/source-key-policy.json`.
const JOB: &str = "D097FE10-D403-589C-9237-F348A729DDFA";

fn sandbox() -> Sandbox {
    Sandbox::new(World::default_world())
}

async fn described(sandbox: &Sandbox) -> CopyJob {
    let account = "111122223333".parse().unwrap();
    let at = Location::new(account, "us-east-1");
    let job = sandbox.backup().describe_copy_job(&at, JOB).await;
    job.unwrap().unwrap()
}

fn asked(sandbox: &Sandbox) -> u64 {
    sandbox.calls().counts().values().sum()
}

#[tokio::test]
async fn two_investigations_of_one_route_ask_what_one_asks() {
    let alone = sandbox();
    let described = described(&alone).await;
    let copy = BackupCopy::try_from(&described).unwrap();
    let before = asked(&alone);
    let facts = Box::pin(investigate(&alone, &copy)).await;
    let wanted = asked(&alone) - before;

    let shared = sandbox();
    let once = ReadOnce::of(&shared);
    let (first, second) = tokio::join!(
        Box::pin(investigate(&once, &copy)),
        Box::pin(investigate(&once, &copy))
    );
    let third = Box::pin(investigate(&once, &copy)).await;
    let unknown = |facts: &copymend_diagnosis::Facts| format!("{:?}", facts.unknown());
    for again in [&first, &second, &third] {
        assert_eq!(again.source_key, facts.source_key);
        assert_eq!(again.vault_policy, facts.vault_policy);
        assert_eq!(unknown(again), unknown(&facts));
    }
    assert!(wanted > 10);
    assert!(asked(&shared) <= wanted, "{:?}", shared.calls().counts());
}

#[tokio::test]
async fn a_failure_that_passes_is_asked_again_and_another_is_kept() {
    for (kind, times) in [
        (CallErrorKind::Throttled, 2),
        (CallErrorKind::AccessDenied, 1),
    ] {
        let sandbox = sandbox();
        let vault = described(&sandbox).await.destination_vault;
        sandbox.fail("backup:DescribeBackupVault", kind);
        let once = ReadOnce::of(&sandbox);
        for _ in 0..2 {
            let answer = once.describe_backup_vault(&vault).await;
            assert_eq!(answer.unwrap_err().kind, kind);
        }
        let count = sandbox.calls().count("backup:DescribeBackupVault");
        assert_eq!(count, times, "{kind:?}");
    }
}

#[tokio::test]
async fn an_outlook_is_what_the_handler_would_decide_and_writes_nothing() {
    let sandbox = sandbox();
    let described = described(&sandbox).await;
    let failure = Failure::verify(&CopyJobEvent::of_job(String::new(), &described), described);
    let failure = failure.unwrap();
    let settings = Settings {
        mode: Mode::Repair,
        allowed_destinations: vec!["*".parse().unwrap()],
        allowed_keys: vec!["*".parse().unwrap()],
        allowed_sources: vec!["*".parse().unwrap()],
        ..Settings::default()
    };
    let now = failure.job().completed.unwrap();
    let outlook = outlook(&sandbox, &failure, &settings, now).await;
    assert!(
        matches!(outlook.decided.decision, Decision::Repair(_)),
        "{outlook:?}"
    );
    assert!(outlook.resource.contains(":key/"), "{}", outlook.resource);
    let start = format!(
        "source-key-policy#{}#{}#",
        outlook.resource,
        failure.job().account
    );
    assert!(
        outlook.fingerprint.starts_with(&start),
        "{}",
        outlook.fingerprint
    );
    let none = Settings {
        allowed_keys: Vec::new(),
        ..settings
    };
    let refused = copymend_remediation::outlook::outlook(&sandbox, &failure, &none, now).await;
    assert!(
        matches!(refused.decided.decision, Decision::Refuse(_)),
        "{refused:?}"
    );
}
