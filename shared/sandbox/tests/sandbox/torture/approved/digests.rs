//! A digest says that nobody has to act only where that is so, whatever happened before it begins.

use copymend_remediation::copy_age::{CopyAgeAnswer, CopyAgeState, VaultAge};
use copymend_remediation::digest::{DIGEST_DETAIL_TYPE, Digest, DigestAnswer, keep_copy_ages};
use copymend_report::email_of_digest;
use serde_json::{Value, json};

use super::*;

const WEEK: i64 = 7 * 24;

async fn answered(environment: &Faulty, event: &Value, id: &str) -> (DigestAnswer, Digest) {
    let remediator = CopyRemediator::new(environment.clone(), approving());
    let answer = remediator
        .send_digest(event, &invocation(environment, id))
        .await;
    let answer = answer.unwrap();
    let digests = environment.sandbox().notifier().digests();
    (answer, digests.last().unwrap().clone())
}

async fn digest(environment: &Faulty, id: &str) -> Digest {
    let event = json!({"source": "copymend", "detail-type": DIGEST_DETAIL_TYPE});
    answered(environment, &event, id).await.1
}

/// The body in one line: the lines of an e-mail are broken.
fn words(digest: &Digest) -> String {
    let email = email_of_digest(digest);
    let body: Vec<&str> = email.body.split_whitespace().collect();
    format!("{} | {}", email.subject, body.join(" "))
}

async fn pass(environment: &Faulty, hours: i64) {
    let time = SignedDuration::from_hours(hours).unsigned_abs();
    environment.clock().sleep(time).await;
}

/// A plan stays a question for as long as it can be answered, and then is one that nobody answered: in
/// one digest.
#[tokio::test]
async fn a_plan_of_an_earlier_week_still_waits_or_was_not_answered() {
    for (hours, waits, unanswered) in [(72, 0, 1), (720, 1, 0)] {
        let (_, environment) = scene();
        let settings = Settings {
            approval_hours: hours,
            ..approving()
        };
        let event = environment.sandbox().event_named(VAULT).unwrap();
        let remediator = CopyRemediator::new(environment.clone(), settings);
        let asked = remediator
            .handle(&event, &invocation(&environment, "asked"))
            .await;
        asked.unwrap();
        pass(&environment, 1).await;
        let first = digest(&environment, "first").await;
        assert_eq!((first.questions.count, first.unanswered), (1, 0));
        assert_eq!(first.needs_a_person(), 1, "{first:#?}");

        pass(&environment, WEEK).await;
        let second = digest(&environment, "second").await;
        let (questions, in_vain) = (second.questions.count, second.unanswered);
        assert_eq!((questions, in_vain), (waits, unanswered), "{second:#?}");
        assert_eq!(second.not_seen_again.count, unanswered, "{second:#?}");
        assert_eq!(second.needs_a_person(), 1, "{second:#?}");

        pass(&environment, WEEK).await;
        let third = digest(&environment, "third").await;
        assert_eq!((third.questions.count, third.unanswered), (waits, 0));
        assert_eq!(third.needs_a_person(), 1, "{third:#?}");
    }
}

#[tokio::test]
async fn what_was_not_seen_again_is_told_until_it_is_a_month_old() {
    let (_, environment) = scene();
    let settings = Settings {
        mode: Mode::Observe,
        ..settings()
    };
    let event = environment.sandbox().event_named(VAULT).unwrap();
    let remediator = CopyRemediator::new(environment.clone(), settings);
    let seen = remediator
        .handle(&event, &invocation(&environment, "seen"))
        .await;
    seen.unwrap();
    pass(&environment, 24).await;
    let first = digest(&environment, "first").await;
    assert_eq!((first.new.count, first.not_seen_again.count), (1, 0));
    for week in 0..4 {
        pass(&environment, WEEK).await;
        let next = digest(&environment, &format!("week-{week}")).await;
        assert_eq!(next.new.count + next.still_failing.count, 0, "{next:#?}");
        assert_eq!(next.not_seen_again.count, 1, "{next:#?}");
        assert!(!next.is_empty());
        let words = words(&next);
        assert!(words.contains("1 thing needs a person"), "{words}");
        assert!(words.contains("NOT SEEN AGAIN"), "{words}");
    }
    pass(&environment, WEEK).await;
    let last = digest(&environment, "last").await;
    assert!(last.is_empty(), "{last:#?}");
}

/// A copy that is too old needs a person, though nothing failed.
#[tokio::test]
async fn copies_that_are_too_old_need_a_person() {
    for (worst, over, needed) in [(None, 0, 1), (Some(400_000), 3, 1), (Some(3_600), 0, 0)] {
        let (_, environment) = scene();
        let measured = CopyAgeAnswer {
            objective_seconds: Some(93_600),
            vaults: vec![VaultAge {
                vault: "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr".to_owned(),
                worst_age_seconds: worst,
                over_objective: over,
            }],
            ..CopyAgeAnswer::blank(CopyAgeState::Measured, environment.clock().now())
        };
        let kept = keep_copy_ages(&environment, &measured, &invocation(&environment, "ages")).await;
        kept.unwrap();
        let digest = digest(&environment, "digest").await;
        assert_eq!(digest.needs_a_person(), needed, "{digest:#?}");
        assert_eq!(digest.is_empty(), needed == 0);
        let words = words(&digest);
        assert_eq!(words.contains("copymend rpo"), needed == 1, "{words}");
    }
}

/// The ledger forgets a job after 30 days. Where it doesn't know until when people were told, the digest
/// tells of as much as any does.
#[tokio::test]
async fn a_month_is_told_as_a_whole_where_the_last_digest_is_forgotten() {
    let (sandbox, environment) = scene();
    let event = sandbox.event_named(VAULT).unwrap();
    let remediator = CopyRemediator::new(environment.clone(), settings());
    let repaired = remediator
        .handle(&event, &invocation(&environment, "repair"))
        .await;
    assert_eq!(repaired.unwrap().outcome, Outcome::RepairedAndRetried);
    pass(&environment, 30 * 24).await;
    let digest = digest(&environment, "digest").await;
    assert_eq!(digest.repaired.count, 1, "{digest:#?}");
    let days = digest.at.duration_since(digest.since);
    assert_eq!(days, SignedDuration::from_hours(31 * 24));
}

/// A person has decided: it stands with what people refused alone, also where copies fail on.
#[tokio::test]
async fn a_plan_that_a_person_refused_needs_nobody() {
    let (_, environment) = scene();
    let plan = asked(&environment, VAULT).await;
    let no = answer(&environment, &plan, Reply::Refuse, &owner(), "no").await;
    no.unwrap();
    pass(&environment, 1).await;
    let first = digest(&environment, "first").await;
    assert_eq!(first.needs_a_person(), 0, "{first:#?}");
    assert_eq!(first.refused.count, 1, "{first:#?}");
    assert!(!first.refused.first[0].is_failing_since);

    pass(&environment, WEEK).await;
    let again = fails_anew(&environment, VAULT, "again").await.unwrap();
    assert_eq!(again.outcome, Outcome::Refused, "{again:#?}");
    pass(&environment, 1).await;
    let second = digest(&environment, "second").await;
    assert_eq!(second.needs_a_person(), 0, "{second:#?}");
    assert_eq!(second.refused.count, 1, "{second:#?}");
    assert!(words(&second).contains("copies failed for it since"));

    pass(&environment, WEEK).await;
    let third = digest(&environment, "third").await;
    assert!(third.is_empty(), "{third:#?}");

    // Once the no is lifted, a person has to see to it that the copy is made.
    let lifted = allow_again(&environment, &plan, None).await;
    assert!(lifted.unwrap().is_some());
    pass(&environment, 24).await;
    let fourth = digest(&environment, "fourth").await;
    assert_eq!((fourth.refused.count, fourth.not_seen_again.count), (0, 1));
}

#[tokio::test]
async fn each_grantee_at_one_vault_is_named() {
    let (_, environment) = scene();
    let plan = asked(&environment, VAULT).await;
    let ledger = environment.sandbox().ledger().unwrap().clone();
    let request = ledger.request(&plan).await.unwrap().unwrap().0;
    let grantee = request.grantee.unwrap();
    pass(&environment, 73).await;
    let digest = digest(&environment, "digest").await;
    let failing = &digest.new.first[0];
    assert_eq!(failing.grantee.as_ref(), Some(&grantee), "{digest:#?}");
    let words = words(&digest);
    assert!(
        words.contains(&format!(", of {grantee}: seen once")),
        "{words}"
    );
}

#[tokio::test]
async fn days_that_cannot_be_are_told() {
    for (days, hours) in [
        (json!(1), Some(24)),
        (json!(31), Some(31 * 24)),
        (json!(null), None),
        (json!(0), None),
        (json!(-1), None),
        (json!(32), None),
        (json!(1_000_000_000_u64), None),
        (json!("3"), None),
        (json!(3.0), None),
    ] {
        let (_, environment) = scene();
        digest(&environment, "before").await;
        pass(&environment, 2 * WEEK).await;
        let event = json!({"source": "copymend", "detail-type": DIGEST_DETAIL_TYPE, "detail": {"days": days}});
        let (answer, digest) = answered(&environment, &event, "digest").await;
        let is_noted = hours.is_none() && !days.is_null();
        assert_eq!(
            answer.notes.len(),
            usize::from(is_noted),
            "{days}: {answer:?}"
        );
        assert_eq!(answer.notes, digest.notes);
        let said = format!("Note: the event's days, {days}, are not a whole number from 1 to 31");
        let words = words(&digest);
        assert_eq!(words.contains(&said), is_noted, "{days}: {words}");
        let window = digest.at.duration_since(digest.since);
        let asked = hours.map_or(
            SignedDuration::from_hours(2 * WEEK) + SignedDuration::from_secs(10),
            SignedDuration::from_hours,
        );
        assert_eq!(window, asked, "{days}");
    }
}
