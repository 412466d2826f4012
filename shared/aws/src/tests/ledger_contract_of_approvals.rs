//! The part of the contract that is about plans that wait for a person.

use copymend_remediation::agreement::PlanHash;
use copymend_remediation::approval::{Answered, ApprovalRequest, RequestState};
use copymend_remediation::ledger::{Ledger, Refusal};
use copymend_remediation::records::{Record, RecordKind, RecordsAsked};

use super::at;

const VAULT: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:asked";

fn request(digits: &str, job: &str, asked: i64, until: i64) -> ApprovalRequest {
    let hash: PlanHash = digits.repeat(32).parse().unwrap();
    ApprovalRequest {
        hash,
        plan: hash,
        copy_job_id: job.to_owned(),
        account: "111122223333".parse().unwrap(),
        region: "eu-west-1".to_owned(),
        resource: Some(VAULT.to_owned()),
        grantee: Some("arn:aws:iam::111122223333:role/Backup".to_owned()),
        incident: "destination-vault-policy#asked".to_owned(),
        asked_at: at(asked),
        expires_at: at(until),
    }
}

fn answered(by: &str, seconds: i64) -> Answered {
    Answered {
        by: format!("arn:aws:iam::444455556666:user/{by}"),
        at: at(seconds),
    }
}

pub(super) async fn approvals(ledger: &impl Ledger) {
    let first = request("01", "job-1", 0, 100);
    let second = request("02", "job-2", 50, 150);
    asked(ledger, &first, &second).await;
    answers(ledger, &first).await;
    holds_nobody_back(ledger).await;
    let refusal = Refusal {
        change_id: Refusal::of_plan(&second.id()),
        grantee: second.grantee.clone().unwrap(),
    };
    refuses(ledger, &second, &refusal).await;
    on_record(ledger, &second, &refusal).await;
}

async fn asked(ledger: &impl Ledger, first: &ApprovalRequest, second: &ApprovalRequest) {
    let id = first.id();
    assert_eq!(ledger.request(&id).await.unwrap(), None);
    assert!(ledger.keep_request(first, true).await.unwrap());
    let waiting = Some((first.clone(), RequestState::Waiting));
    assert_eq!(ledger.request(&id).await.unwrap(), waiting);
    let typed = id.replace('-', "").to_lowercase();
    assert_eq!(ledger.request(&typed).await.unwrap(), waiting);
    for other in [
        "",
        "7K3F",
        "7K3F-9Q2M-X4TD",
        "../../../..",
        "7K3F-9Q2M-X4T#",
    ] {
        assert_eq!(ledger.request(other).await.unwrap(), None, "{other}");
    }
    // While a question is open, another job's isn't asked; the same job's may be, and a question that
    // has to be asked is.
    assert!(!ledger.keep_request(second, true).await.unwrap());
    assert_eq!(ledger.request(&second.id()).await.unwrap(), None);
    let again = request("03", "job-1", 60, 160);
    assert!(ledger.keep_request(&again, true).await.unwrap());
    assert!(ledger.keep_request(second, false).await.unwrap());
    let later = request("04", "job-3", 150, 250);
    assert!(
        ledger.keep_request(&later, true).await.unwrap(),
        "its time is over"
    );
}

async fn answers(ledger: &impl Ledger, first: &ApprovalRequest) {
    let id = first.id();
    let taken = RequestState::InProgress {
        answered: answered("mary", 10),
        owner: "a".to_owned(),
        until: at(70),
    };
    let others = RequestState::InProgress {
        answered: answered("john", 10),
        owner: "b".to_owned(),
        until: at(70),
    };
    let put = |before: RequestState, after: RequestState| {
        let first = first.clone();
        async move {
            ledger
                .answer_request(&first, &before, &after, None)
                .await
                .unwrap()
        }
    };
    assert!(put(RequestState::Waiting, taken.clone()).await);
    // The same request, sent again by the SDK.
    assert!(put(RequestState::Waiting, taken.clone()).await);
    assert!(!put(RequestState::Waiting, others.clone()).await);
    // Keeping it once more, in a call whose answer was lost, takes no answer back.
    assert!(ledger.keep_request(first, false).await.unwrap());
    assert_eq!(
        ledger.request(&id).await.unwrap(),
        Some((first.clone(), taken.clone()))
    );
    assert!(
        put(taken.clone(), others.clone()).await,
        "it was read as it is"
    );
    let done = RequestState::Done {
        answered: answered("mary", 10),
        outcome: "repaired-and-retried".to_owned(),
    };
    assert!(!put(taken, done.clone()).await);
    assert!(put(others, done.clone()).await);
    assert_eq!(
        ledger.request(&id).await.unwrap(),
        Some((first.clone(), done))
    );
}

/// A question that was answered, or that nobody was told of, holds nobody back.
async fn holds_nobody_back(ledger: &impl Ledger) {
    let of = |incident: &str, request: ApprovalRequest| ApprovalRequest {
        incident: incident.to_owned(),
        account: "555566667777".parse().unwrap(),
        resource: None,
        grantee: None,
        ..request
    };
    let asked = of("answered", request("11", "job-1", 0, 100));
    assert!(ledger.keep_request(&asked, true).await.unwrap());
    let waits = of("answered", request("12", "job-2", 50, 150));
    assert!(!ledger.keep_request(&waits, true).await.unwrap());
    let is_done = RequestState::Done {
        answered: answered("mary", 20),
        outcome: "refused".to_owned(),
    };
    let is_put = ledger.answer_request(&asked, &RequestState::Waiting, &is_done, None);
    assert!(is_put.await.unwrap());
    assert!(ledger.keep_request(&waits, true).await.unwrap());
    let third = of("answered", request("13", "job-3", 50, 150));
    assert!(!ledger.keep_request(&third, true).await.unwrap());
    ledger.withdraw_request(&waits).await.unwrap();
    assert_eq!(ledger.request(&waits.id()).await.unwrap(), None);
    ledger.withdraw_request(&waits).await.unwrap();
    assert!(ledger.keep_request(&third, true).await.unwrap());
    // What was answered isn't withdrawn.
    ledger.withdraw_request(&asked).await.unwrap();
    let known = ledger.request(&asked.id()).await.unwrap();
    assert_eq!(known, Some((asked, is_done)));
}

async fn refuses(ledger: &impl Ledger, second: &ApprovalRequest, refusal: &Refusal) {
    let nobodys = request("05", "job-5", 0, 100);
    let refused = |is_told| RequestState::Refused {
        answered: answered("mary", 20),
        is_told,
    };
    let unknown = ledger
        .answer_request(
            &nobodys,
            &RequestState::Waiting,
            &refused(false),
            Some(refusal),
        )
        .await;
    assert!(!unknown.unwrap(), "there is no such request");
    let refusals = || async {
        let history = ledger.policy_history(VAULT, at(30)).await.unwrap();
        (history.refusals, history.writes_today, history.last_write)
    };
    assert_eq!(refusals().await, (vec![], 0, None));
    // A refusal is in force together with the state.
    let lost = ledger
        .answer_request(second, &refused(true), &refused(false), Some(refusal))
        .await;
    assert!(!lost.unwrap());
    assert_eq!(refusals().await.0, []);
    let no = ledger
        .answer_request(
            second,
            &RequestState::Waiting,
            &refused(false),
            Some(refusal),
        )
        .await;
    assert!(no.unwrap());
    assert_eq!(refusals().await, (vec![refusal.clone()], 0, None));
    let told = ledger
        .answer_request(second, &refused(false), &refused(true), None)
        .await;
    assert!(told.unwrap());
    assert_eq!(refusals().await.0, std::slice::from_ref(refusal));
    ledger
        .lift_refusal(
            VAULT,
            refusal,
            Some("arn:aws:iam::444455556666:user/mary"),
            at(40),
        )
        .await
        .unwrap();
    assert_eq!(refusals().await.0, []);
}

/// What was asked and answered is found by its resource, and by the account.
async fn on_record(ledger: &impl Ledger, refused: &ApprovalRequest, refusal: &Refusal) {
    let asked = |kind, resource: Option<&str>, account: Option<&str>| RecordsAsked {
        since: at(-1),
        until: at(3_600),
        resource: resource.map(ToOwned::to_owned),
        account: account.map(|account| account.parse().unwrap()),
        kinds: [kind].into(),
        enough: 100,
    };
    for (resource, account, count) in [
        (Some(VAULT), None, 4),
        (None, Some("111122223333"), 4),
        (None, Some("444455556666"), 4),
        (None, Some("777788889999"), 0),
        (
            Some("arn:aws:backup:eu-west-1:444455556666:backup-vault:other"),
            None,
            0,
        ),
    ] {
        let found = ledger
            .records(&asked(RecordKind::Approval, resource, account))
            .await
            .unwrap();
        assert_eq!(found.unreadable, [""; 0]);
        assert_eq!(found.records.len(), count, "{resource:?} {account:?}");
    }
    let found = ledger
        .records(&asked(RecordKind::Approval, Some(VAULT), None))
        .await
        .unwrap();
    let of_refused = found.records.iter().find_map(|record| match record {
        Record::Approval(approval) if approval.request == *refused => Some(approval),
        Record::Incident(_)
        | Record::Change(_)
        | Record::Refusal(_)
        | Record::Pause(_)
        | Record::Approval(_) => None,
    });
    assert_eq!(of_refused.unwrap().standing(at(50)), "refused");
    let found = ledger
        .records(&asked(RecordKind::Refusal, Some(VAULT), None))
        .await
        .unwrap();
    let [Record::Refusal(record)] = &found.records[..] else {
        panic!("{found:?}");
    };
    assert_eq!(record.change_id, refusal.change_id);
    assert_eq!(
        record.made_by.as_deref(),
        Some("arn:aws:iam::444455556666:user/mary")
    );
    assert_eq!(record.at, Some(at(20)));
    assert_eq!(record.account.as_deref(), Some("111122223333"));
    assert_eq!(record.lifted.as_ref().map(|end| end.at), Some(at(40)));
}
