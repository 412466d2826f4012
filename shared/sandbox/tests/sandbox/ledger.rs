//! The ledger in memory behaves as the table does: both pass one contract.

use copymend_remediation::ledger::{
    Count, Counting, Finish, JobEntry, JobProgress, Ledger, RetryClaim, RetryClaimed,
};
use copymend_sandbox::MemoryLedger;
use jiff::{SignedDuration, Timestamp};

use crate::ledger_contract::ledger_contract;
use crate::small::{POINT, VAULT};

fn start() -> Timestamp {
    "2026-11-02T23:30:00Z".parse().unwrap()
}

#[tokio::test]
async fn the_contract_of_every_ledger_holds() {
    ledger_contract(&MemoryLedger::default()).await;
}

/// The table forgets by its time to live; memory by comparing times.
#[tokio::test]
async fn what_is_old_is_forgotten() {
    let ledger = MemoryLedger::default();
    let later = start() + SignedDuration::from_hours(24 * 91);
    let begin = |at| ledger.begin_job("j", "a", at, at);
    begin(start()).await.unwrap();
    ledger
        .finish_job("j", "a", &Finish::with("advised"), start())
        .await
        .unwrap();
    assert_eq!(
        begin(start()).await.unwrap(),
        JobEntry::Done("advised".to_owned())
    );
    assert_eq!(
        begin(later).await.unwrap(),
        JobEntry::Started(JobProgress::default())
    );
    let occurrence = Count {
        fingerprint: "f",
        copy_job_id: "j",
        outcome: "advised",
        counting: Counting::First,
        is_due: false,
        is_quiet: false,
    };
    let count = |at| ledger.count_occurrence(occurrence, at);
    assert_eq!(count(start()).await.unwrap().count, 1);
    assert_eq!(count(later).await.unwrap().count, 1);
    let (point, vault) = (POINT.parse().unwrap(), VAULT.parse().unwrap());
    let retry = async |job, at| {
        let claim = RetryClaim {
            failed_job: job,
            recovery_point: &point,
            destination: &vault,
            budget: 1,
            anew_after: None,
            source: "111122223333".parse().unwrap(),
            source_budget: 10,
            known: None,
            begin: None,
            message: None,
        };
        ledger.claim_retry(&claim, at).await
    };
    assert_eq!(retry("1", start()).await.unwrap(), RetryClaimed::Attempt(1));
    assert_eq!(
        retry("2", start()).await.unwrap(),
        RetryClaimed::BudgetUsedUp
    );
    assert_eq!(retry("2", later).await.unwrap(), RetryClaimed::Attempt(1));
}
