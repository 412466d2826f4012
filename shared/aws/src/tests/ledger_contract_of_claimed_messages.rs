//! The message about a copy that is started again, claimed together with the retry.

use copymend_diagnosis::BackupVaultArn;
use copymend_policy::{AccountId, Arn};
use copymend_remediation::ledger::{
    CountState, CountedOfSource, Counting, JobEntry, Ledger, MessageClaim, Occurrence, Origin,
    RecallAsked, RecalledIncident, RetryClaim, RetryClaimed, RetryRecord, StartedAgain,
    StartedAgainEnd,
};
use copymend_remediation::message::{Channel, Channels};
use jiff::SignedDuration;

use super::{at, count, new, occurrence_of};

const POINT: &str = "arn:aws:ec2:us-east-1::snapshot/snap-claimed";
const VAULT: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:claimed";
const INCIDENT: &str = "destination-vault-policy#claimed";
/// Long after every other part of the contract: nobody waits for a turn.
const LATER: i64 = 900_000;

fn source() -> AccountId {
    "555566667777".parse().unwrap()
}

/// The incident, and how many messages there were about the account's copies and about all.
async fn known(
    ledger: &impl Ledger,
    incident: &str,
    seconds: i64,
) -> (Option<RecalledIncident>, u32, u32) {
    let asked = RecallAsked {
        copy_job_id: "c-any".to_owned(),
        source: source(),
        recovery_point: None,
        destination: VAULT.parse().unwrap(),
        grantee: "anybody".to_owned(),
        fingerprint: incident.to_owned(),
        key_grantee: None,
        key_fingerprint: None,
        wants_writes: false,
    };
    let known = ledger.recall(&asked, "z", at(seconds)).await.unwrap();
    (
        known.incident.unwrap(),
        known.messages.unwrap(),
        known.messages_of_all.unwrap(),
    )
}

/// Room for a message: of the account and of all accounts, and whether it takes a turn.
#[derive(Clone, Copy)]
struct Room(u32, u32, bool);

async fn claim(
    ledger: &impl Ledger,
    (job, incident): (&str, &str),
    (number, since): (u64, u64),
    Room(budget, budget_of_all, takes_turn): Room,
    seconds: i64,
) -> RetryClaimed {
    let point: Arn = format!("{POINT}-{job}").parse().unwrap();
    let vault: BackupVaultArn = VAULT.parse().unwrap();
    let occurrence = Occurrence {
        count: number,
        previous_outcome: Some("retried".to_owned()),
        since,
    };
    let claim = RetryClaim {
        failed_job: job,
        recovery_point: &point,
        destination: &vault,
        budget: 2,
        anew_after: None,
        source: source(),
        source_budget: 2,
        known: None,
        begin: Some(("a", at(seconds + 60))),
        message: Some(MessageClaim {
            fingerprint: incident,
            occurrence: &occurrence,
            budget,
            budget_of_all,
            takes_turn,
        }),
    };
    ledger.claim_retry(&claim, at(seconds)).await.unwrap()
}

/// The message is claimed with the retry, or nothing is.
pub(super) async fn claimed_messages(ledger: &impl Ledger) {
    for (number, job) in ["c-1", "c-2", "c-3"].into_iter().enumerate() {
        ledger
            .begin_job(job, "z", at(LATER), at(LATER + 60))
            .await
            .unwrap();
        let occurrence = occurrence_of(INCIDENT, job, "retried", Counting::First);
        let counted = count(ledger, occurrence, "z", LATER).await;
        assert_eq!(counted.count, u64::try_from(number).unwrap() + 1);
    }
    let (incident, messages, all) = known(ledger, INCIDENT, LATER).await;
    let incident = incident.unwrap();
    assert_eq!((incident.count, incident.since, messages), (3, 3, 0));
    let nothing = async |why: &str| {
        let (incident, now, of_all) = known(ledger, INCIDENT, LATER).await;
        let since = incident.unwrap().since;
        assert_eq!((since, now, of_all), (3, messages, all), "{why}");
        // Nor is the job begun.
        let begun = ledger.begin_job("c-4", "b", at(LATER), at(LATER)).await;
        let begun = begun.unwrap();
        assert_eq!(begun, new(), "{why}");
        ledger
            .abandon_job("c-4", "b", CountState::Clear)
            .await
            .unwrap();
    };
    // One retry of the account: one more is all that its budget has, so that none may be counted before.
    let counted = ledger.count_of_source(CountedOfSource::Retries, source(), 1, at(LATER));
    assert_eq!(counted.await, Ok(true));
    let next = (4, 3);
    let of = ("c-4", INCIDENT);
    let room = Room(1, all + 1, true);
    for (why, of, next, room) in [
        ("of the account", of, next, Room(0, all + 1, true)),
        ("of all accounts", of, next, Room(1, all, true)),
        ("somebody looked", of, (4, 2), room),
        (
            "not open",
            ("c-4", "destination-vault-policy#never"),
            next,
            room,
        ),
    ] {
        let refused = claim(ledger, of, next, room, LATER).await;
        assert_eq!(refused, RetryClaimed::NoRoomForMessage, "{why}");
        nothing(why).await;
    }
    // The turns that are at once are others'.
    for _ in 0..2 {
        let turn = ledger.take_turn(at(LATER), SignedDuration::ZERO).await;
        assert_eq!(turn, Ok(Some(at(LATER))));
    }
    known(ledger, INCIDENT, LATER).await;
    let refused = claim(ledger, of, next, room, LATER).await;
    assert_eq!(refused, RetryClaimed::NoRoomForMessage, "no turn");
    nothing("no turn").await;
    let without_turn = Room(1, all + 1, false);
    let claimed = claim(ledger, of, next, without_turn, LATER).await;
    assert_eq!(claimed, RetryClaimed::Attempt(1), "needs no turn");
    let (incident, messages, of_all) = known(ledger, INCIDENT, LATER).await;
    let incident = incident.unwrap();
    assert_eq!(
        (incident.count, incident.since),
        (3, 4),
        "looked at, not counted"
    );
    assert_eq!((messages, of_all), (1, all + 1));
    let begun = ledger.begin_job("c-4", "b", at(LATER), at(LATER)).await;
    assert_eq!(begun.unwrap(), JobEntry::InProgress);
    end(ledger).await;
    turns(ledger).await;
}

/// The end remembers on which channels people were told, and leaves the look as it is.
async fn end(ledger: &impl Ledger) {
    let told = Channels::from([Channel::Topic, Channel::ReportBus]);
    let record = RetryRecord {
        original_job: "c-4".to_owned(),
        origin: Some(Origin::BackupPlan),
        after_change: None,
    };
    let occurrence = Occurrence {
        count: 4,
        previous_outcome: Some("retried".to_owned()),
        since: 3,
    };
    let started = StartedAgain {
        owner: "a",
        retried_job: "c-4-again",
        record: &record,
        count: occurrence_of(INCIDENT, "c-4", "retried", Counting::First),
        occurrence: &occurrence,
        told: &told,
    };
    let ended = ledger.finish_started_again(&started, at(LATER)).await;
    assert_eq!(ended, Ok(StartedAgainEnd::Finished));
    let kept = ledger.progress_of_job("c-4").await.unwrap().unwrap();
    assert_eq!(kept.told, told);
    assert_eq!(kept.counted.unwrap().occurrence, occurrence);
    let (incident, ..) = known(ledger, INCIDENT, LATER).await;
    let incident = incident.unwrap();
    assert_eq!((incident.count, incident.since), (4, 4));
}

/// A turn that is claimed is taken, after a silence and behind another one, and none where those at once are others'.
async fn turns(ledger: &impl Ledger) {
    let long_after = LATER + 4 * 3600;
    let room = Room(9, 1_000, true);
    let turn = ledger.take_turn(at(long_after), SignedDuration::ZERO);
    assert_eq!(turn.await, Ok(Some(at(long_after))), "the first");
    known(ledger, INCIDENT, long_after).await;
    let of = ("c-5", INCIDENT);
    let claimed = claim(ledger, of, (5, 4), room, long_after).await;
    assert_eq!(claimed, RetryClaimed::Attempt(1), "the second");
    let none = ledger.take_turn(at(long_after), SignedDuration::ZERO);
    assert_eq!(none.await, Ok(None), "the third isn't at once");
    known(ledger, INCIDENT, long_after).await;
    let of = ("c-6", INCIDENT);
    let refused = claim(ledger, of, (6, 5), room, long_after).await;
    assert_eq!(refused, RetryClaimed::NoRoomForMessage);
    let silent = long_after + 10;
    known(ledger, INCIDENT, silent).await;
    let claimed = claim(ledger, of, (6, 5), room, silent).await;
    assert_eq!(claimed, RetryClaimed::Attempt(1), "after a silence");
    let behind = ledger.take_turn(at(silent), SignedDuration::ZERO).await;
    assert_eq!(behind, Ok(Some(at(silent))), "one of two is left");
    let none = ledger.take_turn(at(silent), SignedDuration::ZERO).await;
    assert_eq!(none, Ok(None));
}
