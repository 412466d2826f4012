//! Looking back in a ledger of 100,000 items: how often the table is asked, and what it reads.

use std::collections::BTreeSet;

use aws_config::Region;
use copymend_remediation::ledger::{Change, ChangeState, Grounds, Records};
use copymend_remediation::ports::CallErrorKind;
use copymend_remediation::records::{Record, RecordKind, RecordsAsked, RecordsFound};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::ledger_table::{Asked, Table};
use super::parsed;
use crate::item::{expiry, write_change};
use crate::{DynamoLedger, config};

const ITEMS: usize = 100_000;
/// Of 400 days, one a day for each of so many vaults.
const VAULTS: usize = 5;
const DAYS: i64 = 400;
/// On one day so many incidents began and ended: more than a page of the index holds.
const STORM: usize = 6_000;

fn now() -> Timestamp {
    parsed("2026-11-22T12:00:00Z")
}

fn days_ago(days: i64) -> Timestamp {
    now() - SignedDuration::from_hours(24 * days)
}

fn vault(number: usize) -> String {
    format!("arn:aws:backup:eu-west-1:44445555666{number}:backup-vault:dr")
}

fn role(account: usize) -> String {
    format!("arn:aws:iam::1111{account:08}:role/service-role/AWSBackupDefaultServiceRole")
}

fn change(vault: usize, days: i64) -> Change {
    let policy = "x".repeat(2_000);
    Change {
        id: format!("job-{vault}-{days}"),
        resource: self::vault(vault),
        grantee: role(vault),
        account: Some(format!("1111{vault:08}")),
        before: Some(policy.clone()),
        after: Some(policy),
        statements: vec!["{\"Sid\":\"a\"}".to_owned()],
        at: days_ago(days),
        copy_job_id: format!("job-{vault}"),
        undoes: None,
        allows_again: false,
        made_by: None,
        grounds: Grounds::default(),
    }
}

/// An incident of a vault and a source account, last seen so many days ago.
fn incident(vault: usize, account: usize, days: i64) -> serde_json::Value {
    let (vault, role) = (self::vault(vault), role(account));
    let (first, last) = (days_ago(days + 10), days_ago(days));
    let number = |number: i64| json!({ "N": number.to_string() });
    json!({
        "pk": { "S": format!("incident#destination-vault-policy#{vault}#1111{account:08}#{role}") },
        "schema": { "N": "2" },
        "occurrences": { "N": "7" },
        "outcome": { "S": "refused" },
        "first_seen": number(first.as_millisecond()),
        "last_seen": number(last.as_millisecond()),
        "policy_of": { "S": vault },
        "day": { "S": last.strftime("%F").to_string() },
        "at": { "S": first.to_string() },
        "expires_at": { "N": expiry(last, 90).as_n().unwrap() },
    })
}

/// 2,000 changes, 6,450 incidents, and copy jobs.
async fn ledger() -> (DynamoLedger, Table) {
    let table = Table::default();
    for vault in 0..VAULTS {
        for days in 0..DAYS {
            let item = write_change(&change(vault, days), ChangeState::Written);
            table.put_item(&item);
        }
        for days in 0..90 {
            table.put(incident(vault, usize::try_from(days).unwrap(), days));
        }
    }
    for number in 0..STORM {
        table.put(incident(number % VAULTS, 1_000 + number, 50));
    }
    for number in table.len()..ITEMS {
        table.put(json!({
            "pk": { "S": format!("job#1DE46DC6-1784-4B3F-8A2D-{number:012}") },
            "schema": { "N": "2" },
            "job_state": { "S": "done" },
            "outcome": { "S": "retried" },
        }));
    }
    assert_eq!(table.len(), ITEMS);
    let config = config::loader(table.client())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(aws_credential_types::Credentials::new(
            "KEY", "secret", None, None, "test",
        ))
        .load()
        .await;
    (DynamoLedger::new(&config, "ledger"), table)
}

fn last_days(days: i64) -> RecordsAsked {
    RecordsAsked {
        since: days_ago(days),
        until: now() + SignedDuration::from_secs(1),
        resource: None,
        account: None,
        kinds: BTreeSet::new(),
        enough: usize::MAX,
    }
}

fn count(found: &RecordsFound, kind: RecordKind) -> usize {
    assert_eq!(found.unreadable, Vec::<String>::new());
    let records = found.records.iter();
    records.filter(|record| record.kind() == kind).count()
}

#[tokio::test]
async fn every_question_reads_the_index_and_never_the_table() {
    let (ledger, table) = ledger().await;

    // What a weekly digest asks: eight days begin in a week.
    let week = ledger.records(&last_days(7)).await.unwrap();
    let (changes, incidents) = (RecordKind::Change, RecordKind::Incident);
    assert_eq!((count(&week, changes), count(&week, incidents)), (40, 40));
    let asked = table.asked();
    let expected = Asked {
        queries: 8,
        batches: 8,
        keys: 80,
        items: 80,
    };
    assert_eq!(asked, expected);
    assert!(
        week.records
            .is_sorted_by(|one, other| one.at() >= other.at())
    );

    // One resource, over all its time.
    let of_resource = RecordsAsked {
        resource: Some(vault(3)),
        ..last_days(DAYS)
    };
    let found = ledger.records(&of_resource).await.unwrap();
    assert_eq!(count(&found, changes), 400);
    let asked = table.asked();
    let of_storm = STORM / VAULTS;
    assert_eq!(count(&found, incidents), 90 + of_storm);
    assert_eq!((asked.queries, asked.items), (1, 490 + of_storm));

    // The first page of it: it ends with the day that has enough.
    let few = RecordsAsked {
        enough: 50,
        ..of_resource.clone()
    };
    let found = ledger.records(&few).await.unwrap();
    assert_eq!(found.records.len(), 50);
    assert!(found.goes_on_before.is_some());
    let asked = table.asked();
    assert_eq!((asked.queries, asked.items), (1, 50));

    // One account, in three months: the keys tell which incidents are of it, so that only those and
    // the changes are read.
    let of_account = RecordsAsked {
        account: Some(parsed("111100000003")),
        ..last_days(89)
    };
    let found = ledger.records(&of_account).await.unwrap();
    assert_eq!(count(&found, changes), 90);
    let asked = table.asked();
    // A page more for the day of the storm.
    assert_eq!(asked.queries, 90 + 1);
    assert!(asked.keys > STORM, "{asked:?}");
    assert_eq!(asked.items, count(&found, incidents) + 90 * VAULTS);

    // One kind: the others aren't read.
    let kinds = [RecordKind::Refusal].into();
    let refusals = RecordsAsked {
        kinds,
        ..last_days(6)
    };
    assert_eq!(ledger.records(&refusals).await.unwrap().records, []);
    let asked = table.asked();
    assert_eq!((asked.queries, asked.batches), (7, 0));

    // No more days are asked for than a handful ahead, once there is enough.
    let newest = RecordsAsked {
        enough: 10,
        ..last_days(DAYS)
    };
    let found = ledger.records(&newest).await.unwrap();
    assert_eq!(found.records.len(), 10);
    assert!(table.asked().queries <= 9);
}

/// What an answer leaves out is asked for again; what is left out of each answer is an error, and no
/// gap.
#[tokio::test(start_paused = true)]
async fn items_that_are_throttled_are_asked_for_again() {
    let (ledger, table) = ledger().await;
    table.throttle(3);
    let found = ledger.records(&last_days(1)).await.unwrap();
    assert_eq!(count(&found, RecordKind::Change), 10);
    assert_eq!(table.asked().batches, 2 + 3);
    table.throttle(100);
    let error = ledger.records(&last_days(1)).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Throttled);
}

/// An incident that a version before this one counted is found under the day on which it began. What
/// can't be read is named.
#[tokio::test]
async fn items_of_other_versions_are_found_or_named() {
    let table = Table::default();
    let mut old = incident(1, 1, 3);
    old["day"]["S"] = json!("2026-11-09");
    old.as_object_mut().unwrap().remove("policy_of");
    table.put(old);
    let mut newer = incident(2, 2, 3);
    newer["schema"]["N"] = json!("3");
    table.put(newer.clone());
    let mut broken = incident(3, 3, 3);
    broken.as_object_mut().unwrap().remove("first_seen");
    table.put(broken.clone());
    let config = config::loader(table.client())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(aws_credential_types::Credentials::new(
            "KEY", "secret", None, None, "test",
        ))
        .load()
        .await;
    let ledger = DynamoLedger::new(&config, "ledger");
    let found = ledger.records(&last_days(20)).await.unwrap();
    let [Record::Incident(incident)] = found.records.as_slice() else {
        panic!("{found:?}");
    };
    assert!(incident.fingerprint.contains("111100000001"));
    let pk = |item: &serde_json::Value| item["pk"]["S"].as_str().unwrap().to_owned();
    let unreadable: BTreeSet<_> = found.unreadable.into_iter().collect();
    assert_eq!(unreadable, [pk(&newer), pk(&broken)].into());
}

/// A table that was made before the index was: the error names it.
#[tokio::test]
async fn an_index_that_is_missing_is_an_error() {
    let wire = super::wire::Wire::default();
    wire.always(
        "Query",
        super::wire::typed_error(
            "ValidationException",
            "The table does not have the specified index: by-resource",
        ),
    );
    let config = super::config_on(&wire).await;
    let ledger = DynamoLedger::new(&config, "ledger");
    let asked = RecordsAsked {
        resource: Some(vault(1)),
        ..last_days(1)
    };
    let error = ledger.records(&asked).await.unwrap_err();
    assert!(error.to_string().contains("by-resource"), "{error}");
}
