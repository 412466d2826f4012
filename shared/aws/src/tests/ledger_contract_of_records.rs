//! The part of the contract that is about looking back: what is on record, by time, by resource and
//! by account.

use std::collections::BTreeSet;

use copymend_policy::AccountId;
use copymend_remediation::ledger::{
    Change, ChangeState, Count, CountedAs, Counting, Ledger, Pause, Refusal,
};
use copymend_remediation::records::{
    ChangeRecord, Ended, EndedIncident, IncidentRecord, OpenIncident, PauseRecord, Record,
    RecordKind, RecordsAsked, RecordsFound, RefusalRecord,
};
use jiff::Timestamp;

use super::at;

const VAULT: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:records";
const OTHER: &str = "arn:aws:backup:eu-west-1:777788889999:backup-vault:records";
const ROLE: &str = "arn:aws:iam::111122223333:role/Backup";
const INCIDENT: &str = "destination-vault-policy#arn:aws:backup:eu-west-1:444455556666:backup-vault:records#111122223333#arn:aws:iam::111122223333:role/Backup";
const PERSON: &str = "arn:aws:sts::444455556666:assumed-role/Admin/anna";

/// Noon of a day that no other part of the contract writes on.
fn noon(day: i64) -> Timestamp {
    at((100 + day) * 24 * 3_600)
}

/// The days from one to another, both whole.
fn days(first: i64, last: i64) -> RecordsAsked {
    let half = jiff::SignedDuration::from_hours(12);
    RecordsAsked {
        since: noon(first) - half,
        until: noon(last) + half,
        resource: None,
        account: None,
        kinds: BTreeSet::new(),
        enough: 1_000,
    }
}

async fn ask(ledger: &impl Ledger, asked: &RecordsAsked) -> RecordsFound {
    let found = ledger.records(asked).await.unwrap();
    assert_eq!(found.unreadable, Vec::<String>::new());
    found
}

async fn all(ledger: &impl Ledger, asked: &RecordsAsked) -> Vec<Record> {
    let found = ask(ledger, asked).await;
    assert_eq!(found.goes_on_before, None);
    found.records
}

fn names(records: &[Record]) -> Vec<(&'static str, &str)> {
    let records = records.iter();
    records
        .map(|record| (record.kind().slug(), record.id()))
        .collect()
}

async fn seen(ledger: &impl Ledger, fingerprint: &str, job: &str, outcome: &str, now: Timestamp) {
    ledger.begin_job(job, "r", now, now).await.unwrap();
    let count = Count {
        fingerprint,
        copy_job_id: job,
        outcome,
        counting: Counting::First,
        is_due: false,
        is_quiet: false,
    };
    let occurrence = ledger.count_occurrence(count, now).await.unwrap();
    let counted = CountedAs {
        fingerprint: fingerprint.to_owned(),
        outcome: outcome.to_owned(),
        occurrence,
    };
    ledger.record_count(job, "r", &counted).await.unwrap();
}

fn change(id: &str, resource: &str, now: Timestamp) -> Change {
    Change {
        resource: resource.to_owned(),
        grantee: ROLE.to_owned(),
        account: Some("111122223333".to_owned()),
        at: now,
        ..super::change(id, "record-job", 0)
    }
}

async fn write(ledger: &impl Ledger, change: &Change) {
    ledger.intend_change(change, "r", None).await.unwrap();
    let sids = [format!("CopymendOf{}", change.id)];
    ledger.confirm_change(change, &sids, None).await.unwrap();
}

pub(super) async fn on_record(ledger: &impl Ledger) {
    incidents(ledger).await;
    changes(ledger).await;
    pauses(ledger).await;
    questions(ledger).await;
}

/// An incident is found under the day on which it was seen last, and its end stays on record.
async fn incidents(ledger: &impl Ledger) {
    seen(ledger, INCIDENT, "record-1", "refused", noon(0)).await;
    seen(ledger, INCIDENT, "record-2", "retried", noon(1)).await;
    let mut expected = IncidentRecord {
        fingerprint: INCIDENT.to_owned(),
        open: Some(OpenIncident {
            count: 2,
            outcome: "retried".to_owned(),
            first_seen: noon(0),
            last_seen: noon(1),
        }),
        ended: None,
    };
    assert_eq!(all(ledger, &days(0, 0)).await, [], "it went on since");
    let found = |first, last| async move { all(ledger, &days(first, last)).await };
    assert_eq!(found(1, 1).await, [Record::Incident(expected.clone())]);
    assert_eq!(found(0, 9).await, [Record::Incident(expected.clone())]);

    let closed = ledger.close_incident("record-2").await.unwrap().unwrap();
    let forget = ledger.forget_incident(&closed, "record-2", noon(2));
    forget.await.unwrap();
    assert_eq!(ledger.close_incident("record-2").await.unwrap(), None);
    expected.ended = Some(EndedIncident {
        count: 2,
        outcome: "retried".to_owned(),
        first_seen: noon(0),
        at: noon(2),
    });
    expected.open = None;
    assert_eq!(found(0, 1).await, []);
    assert_eq!(found(2, 2).await, [Record::Incident(expected.clone())]);

    // It begins anew.
    seen(ledger, INCIDENT, "record-3", "advised", noon(3)).await;
    expected.open = Some(OpenIncident {
        count: 1,
        outcome: "advised".to_owned(),
        first_seen: noon(3),
        last_seen: noon(3),
    });
    assert_eq!(found(0, 2).await, []);
    assert_eq!(found(3, 3).await, [Record::Incident(expected)]);
}

/// A change knows what took it back, and a refusal is found under the day of its undo, and once it is
/// lifted under that one.
async fn changes(ledger: &impl Ledger) {
    let written = change("record-change", VAULT, noon(10));
    write(ledger, &written).await;
    let record = |change: &Change, state, undone_by: Option<&str>| ChangeRecord {
        change: change.clone(),
        state,
        undone_by: undone_by.map(ToOwned::to_owned),
    };
    let of = |record: &ChangeRecord| Record::Change(Box::new(record.clone()));
    let before = record(&written, ChangeState::Written, None);
    assert_eq!(all(ledger, &days(10, 10)).await, [of(&before)]);
    let intended = change("record-intent", OTHER, noon(14));
    ledger.intend_change(&intended, "r", None).await.unwrap();

    let undo = Change {
        undoes: Some("record-change".to_owned()),
        made_by: Some(PERSON.to_owned()),
        ..change("record-undo", VAULT, noon(11))
    };
    write(ledger, &undo).await;
    let after = record(&written, ChangeState::Undone, Some("record-undo"));
    assert_eq!(all(ledger, &days(10, 10)).await, [of(&after)]);
    let by_id = ledger.change_record("record-change").await.unwrap();
    assert_eq!(by_id, Some(after));
    assert_eq!(ledger.change_record("none").await.unwrap(), None);
    let mut refusal = RefusalRecord {
        resource: VAULT.to_owned(),
        grantee: ROLE.to_owned(),
        account: Some("111122223333".to_owned()),
        change_id: "record-change".to_owned(),
        undone_by: Some("record-undo".to_owned()),
        made_by: Some(PERSON.to_owned()),
        at: Some(noon(11)),
        lifted: None,
    };
    let undo = of(&record(&undo, ChangeState::Written, None));
    assert_eq!(
        all(ledger, &days(11, 11)).await,
        [undo.clone(), Record::Refusal(refusal.clone())]
    );
    let in_force = Refusal {
        change_id: "record-change".to_owned(),
        grantee: ROLE.to_owned(),
    };
    let lift = || ledger.lift_refusal(VAULT, &in_force, Some(PERSON), noon(12));
    lift().await.unwrap();
    // Lifted before: nothing is taken down twice.
    let again = ledger.lift_refusal(VAULT, &in_force, None, noon(13));
    again.await.unwrap();
    refusal.lifted = Some(Ended {
        at: noon(12),
        by: Some(PERSON.to_owned()),
    });
    assert_eq!(all(ledger, &days(11, 11)).await, [undo]);
    assert_eq!(all(ledger, &days(12, 13)).await, [Record::Refusal(refusal)]);
}

/// Every pause stays on record, with its end.
async fn pauses(ledger: &impl Ledger) {
    let pause = |reason: &str, since, until| Pause {
        reason: reason.to_owned(),
        since,
        until,
        by: Some(PERSON.to_owned()),
    };
    let first = pause("audit", noon(20), None);
    let second = pause("freeze", noon(21), Some(noon(30)));
    let over = pause("over by itself", noon(31), Some(noon(32)));
    ledger.set_pause(&first).await.unwrap();
    ledger.set_pause(&second).await.unwrap();
    assert!(ledger.lift_pause(None, noon(22)).await.unwrap());
    assert!(!ledger.lift_pause(None, noon(22)).await.unwrap());
    ledger.set_pause(&over).await.unwrap();
    assert!(ledger.lift_pause(Some(PERSON), noon(33)).await.unwrap());
    let record = |pause: &Pause, lifted| {
        Record::Pause(PauseRecord {
            pause: pause.clone(),
            lifted,
        })
    };
    let end = |at, by: Option<&str>| {
        let by = by.map(ToOwned::to_owned);
        Some(Ended { at, by })
    };
    assert_eq!(
        all(ledger, &days(20, 40)).await,
        [
            record(&over, None),
            record(&second, end(noon(22), None)),
            record(&first, end(noon(21), Some(PERSON))),
        ]
    );
    assert_eq!(all(ledger, &days(20, 20)).await, [], "replaced since");
}

async fn questions(ledger: &impl Ledger) {
    let of_resource = RecordsAsked {
        resource: Some(VAULT.to_owned()),
        ..days(0, 40)
    };
    let expected = [
        ("refusal", "record-change"),
        ("change", "record-undo"),
        ("change", "record-change"),
        ("incident", INCIDENT),
    ];
    assert_eq!(names(&all(ledger, &of_resource).await), expected);
    let few = RecordsAsked {
        enough: 2,
        ..of_resource.clone()
    };
    let found = ask(ledger, &few).await;
    assert_eq!(names(&found.records), expected.split_at(2).0);
    let start = days(11, 11).since;
    assert_eq!(found.goes_on_before, Some(start));
    let rest = RecordsAsked {
        until: start,
        ..few
    };
    let found = ask(ledger, &rest).await;
    assert_eq!(names(&found.records), expected.split_at(2).1);

    let account = |account: &str| -> AccountId { account.parse().unwrap() };
    let of_account = |of: &str| RecordsAsked {
        account: Some(account(of)),
        ..days(0, 40)
    };
    let intent = ("change", "record-intent");
    let [a, b, c, d] = expected;
    for (of, expected) in [
        // The source of all of them, and the owner of either vault.
        ("111122223333", vec![intent, a, b, c, d]),
        ("444455556666", expected.to_vec()),
        ("777788889999", vec![intent]),
        ("999999999999", vec![]),
    ] {
        let found = all(ledger, &of_account(of)).await;
        assert_eq!(names(&found), expected, "{of}");
    }
    let both = RecordsAsked {
        account: Some(account("777788889999")),
        ..of_resource.clone()
    };
    assert_eq!(all(ledger, &both).await, []);
    for (kind, expected) in [
        (RecordKind::Incident, vec![d]),
        (RecordKind::Refusal, vec![a]),
        (RecordKind::Pause, vec![]),
    ] {
        let kinds: BTreeSet<_> = [kind].into();
        let asked = RecordsAsked {
            kinds: kinds.clone(),
            ..of_resource.clone()
        };
        assert_eq!(names(&all(ledger, &asked).await), expected, "{kind:?}");
        let found = all(
            ledger,
            &RecordsAsked {
                kinds,
                ..days(0, 40)
            },
        )
        .await;
        let count = [expected.len(), 3][usize::from(kind == RecordKind::Pause)];
        assert_eq!(found.len(), count, "{kind:?}");
    }
    // To the moment: what happened before isn't there, nor what began at the end.
    let at_noon = |since: i64, until: i64| RecordsAsked {
        since: noon(since),
        until: noon(until),
        ..days(0, 0)
    };
    assert_eq!(names(&all(ledger, &at_noon(3, 10)).await), [d]);
    assert_eq!(names(&all(ledger, &at_noon(10, 11)).await), [c]);
    assert_eq!(all(ledger, &at_noon(10, 10)).await, []);
}
