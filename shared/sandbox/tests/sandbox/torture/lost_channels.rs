//! A channel that is lost keeps nobody from hearing on the others, once, and stops nothing.

use copymend_remediation::digest::{DIGEST_DETAIL_TYPE, DigestState};
use copymend_remediation::ledger::Turns;
use copymend_remediation::message::Channel;
use copymend_remediation::ports::{CallErrorKind, Clock, Reads};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::{Messages, Mode, Settings};
use copymend_remediation::{CopyRemediator, HandlerError, Invocation};
use copymend_sandbox::{Sandbox, World};
use jiff::SignedDuration;
use serde_json::json;

use super::faulty::Faulty;
use super::{ENTRY, TIMEOUT, settings};

const CHANNELS: [Channel; 3] = [Channel::Topic, Channel::Chat, Channel::ReportBus];
const SOURCE: &str = "111122223333";
const VAULT: &str = "destination-vault-policy";
/// A failure that passes, but not in this test, and two that don't.
const KINDS: [CallErrorKind; 3] = [
    CallErrorKind::Throttled,
    CallErrorKind::AccessDenied,
    CallErrorKind::Failed,
];
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

fn scene() -> Faulty {
    let sandbox = Sandbox::new(World::default_world());
    sandbox.notifier().set_channels(CHANNELS);
    Faulty::new(sandbox)
}

async fn pass(environment: &Faulty, time: SignedDuration) {
    environment.clock().sleep(time.unsigned_abs()).await;
}

fn invocation(environment: &Faulty, id: &str) -> Invocation {
    Invocation {
        id: id.to_owned(),
        deadline: environment.clock().now() + TIMEOUT,
    }
}

async fn deliver(
    environment: &Faulty,
    settings: &Settings,
    name: &str,
    id: &str,
) -> Result<Report, HandlerError> {
    let event = environment.sandbox().event_named(name).unwrap();
    CopyRemediator::new(environment.clone(), settings.clone())
        .handle(&event, &invocation(environment, id))
        .await
}

/// The event is delivered until it is handled, three times at most, as Lambda does.
async fn fails(environment: &Faulty, settings: &Settings, name: &str) -> Option<Report> {
    for delivery in 0..3 {
        let id = format!("{name}-{delivery}");
        if let Ok(report) = deliver(environment, settings, name, &id).await {
            return Some(report);
        }
        pass(environment, ENTRY).await;
    }
    None
}

/// Copies of one account that failed.
fn names(environment: &Faulty) -> Vec<String> {
    environment.sandbox().with_world(|world| {
        let jobs = world.copy_jobs().iter();
        jobs.filter(|job| job.source_vault.arn().account() == SOURCE)
            .filter_map(|job| job.name.clone())
            .collect()
    })
}

/// The messages that a channel took, by their ids.
fn heard(environment: &Faulty, channel: Channel) -> Vec<String> {
    let taken = environment.sandbox().notifier().taken().into_iter();
    taken
        .filter(|(on, _)| *on == channel)
        .map(|(_, id)| id)
        .collect()
}

fn observing(source_message_budget: u32) -> Settings {
    Settings {
        mode: Mode::Observe,
        source_message_budget,
        ..settings()
    }
}

#[tokio::test]
async fn a_channel_that_is_denied_fails_no_event() {
    for lost in CHANNELS {
        for kind in [CallErrorKind::AccessDenied, CallErrorKind::Failed] {
            let environment = scene();
            environment.lose(&[lost], kind);
            let sandbox = environment.sandbox();
            let before = sandbox.with_world(|world| world.copy_jobs().len());
            let first = deliver(&environment, &settings(), VAULT, "first").await;
            let report = first.unwrap_or_else(|error| panic!("{lost}, {kind:?}: {error}"));
            assert_eq!(report.outcome, Outcome::RepairedAndRetried, "{lost}");
            let said = format!("people were not told on the channel {lost}: ");
            let said = report.notes.iter().filter(|note| note.starts_with(&said));
            assert_eq!(said.count(), 1, "{:?}", report.notes);
            pass(&environment, ENTRY).await;
            environment.lose(&[], kind);
            let again = deliver(&environment, &settings(), VAULT, "again").await;
            assert_eq!(again.unwrap().outcome, Outcome::AlreadyHandled, "{lost}");
            for channel in CHANNELS {
                let times = heard(&environment, channel).len();
                assert_eq!(times, usize::from(channel != lost), "{lost}: {channel}");
            }
            assert_eq!(sandbox.writes().len(), 2, "the policy and the copy");
            let after = sandbox.with_world(|world| world.copy_jobs().len());
            assert_eq!(after, before + 1, "{lost}");
        }
    }
}

/// A rule may take the event from the bus, or none does.
#[tokio::test]
async fn an_event_fails_that_people_heard_of_nowhere() {
    for kind in KINDS {
        let environment = scene();
        environment.lose(&[Channel::Topic, Channel::Chat], kind);
        for delivery in ["first", "second"] {
            let failed = deliver(&environment, &settings(), VAULT, delivery).await;
            assert!(matches!(failed, Err(HandlerError::Call(_))), "{kind:?}");
            pass(&environment, ENTRY).await;
        }
        environment.lose(&[], kind);
        deliver(&environment, &settings(), VAULT, "third")
            .await
            .unwrap();
        for channel in CHANNELS {
            assert_eq!(heard(&environment, channel).len(), 1, "{kind:?}: {channel}");
        }
    }
}

/// How many messages the topic takes of events that come after the settings were changed.
async fn heard_of_changed_settings(lost: &[Channel], kind: CallErrorKind) -> usize {
    let environment = scene();
    let before = Settings {
        messages: Messages::NeedsAction,
        ..observing(60)
    };
    let after = Settings {
        max_age_hours: 80,
        ..before.clone()
    };
    let names = names(&environment);
    let (first, later) = names.split_first().unwrap();
    assert!(later.len() > 10, "{names:?}");
    fails(&environment, &before, first).await.unwrap();
    environment.lose(lost, kind);
    let known = heard(&environment, Channel::Topic).len();
    for name in later {
        fails(&environment, &after, name).await;
        pass(&environment, MINUTE).await;
    }
    heard(&environment, Channel::Topic).len() - known
}

#[tokio::test]
async fn changed_settings_are_told_once_on_a_channel_that_works() {
    let undisturbed = heard_of_changed_settings(&[], CallErrorKind::Failed).await;
    for kind in KINDS {
        for lost in [Channel::Chat, Channel::ReportBus] {
            let count = heard_of_changed_settings(&[lost], kind).await;
            assert_eq!(count, undisturbed, "{lost} {kind:?}");
        }
    }
}

/// Messages that were left out, and a channel that is lost before they are summed up.
async fn sums_up(lost: &[Channel], kind: CallErrorKind) -> (Vec<u64>, Vec<String>) {
    let environment = scene();
    let settings = observing(0);
    let names = names(&environment);
    let (first, later) = names.split_at(6);
    for name in first {
        fails(&environment, &settings, name).await.unwrap();
    }
    assert_eq!(heard(&environment, Channel::Topic), [""; 0]);
    pass(&environment, DAY).await;
    environment.lose(lost, kind);
    for name in later.iter().take(6) {
        fails(&environment, &settings, name).await.unwrap();
        pass(&environment, MINUTE).await;
    }
    let summaries = environment.sandbox().notifier().summaries();
    let counts = summaries.iter().map(|summary| summary.count).collect();
    (counts, heard(&environment, Channel::Topic))
}

#[tokio::test]
async fn what_was_summed_up_on_a_channel_that_works_is_forgotten() {
    let undisturbed = sums_up(&[], CallErrorKind::Failed).await;
    assert_eq!(undisturbed.1.len(), 1, "{undisturbed:?}");
    for kind in KINDS {
        for lost in [Channel::Chat, Channel::ReportBus] {
            assert_eq!(sums_up(&[lost], kind).await, undisturbed, "{lost} {kind:?}");
        }
    }
}

#[tokio::test]
async fn a_report_that_is_left_out_is_sent_on_the_bus() {
    let environment = scene();
    let names = names(&environment);
    let mut told = 0;
    for name in names.iter().take(6) {
        let report = fails(&environment, &observing(0), name).await.unwrap();
        let is_left_out = |note: &String| note.contains("a summary tells of this one");
        told += usize::from(report.notes.iter().any(is_left_out));
    }
    assert!(told > 1, "{told}");
    assert_eq!(heard(&environment, Channel::ReportBus).len(), told);
    for people in [Channel::Topic, Channel::Chat] {
        assert_eq!(heard(&environment, people), [""; 0], "{people}");
    }
    // Nor does the bus fail an event that a summary tells of.
    for kind in KINDS {
        let environment = scene();
        environment.lose(&[Channel::ReportBus], kind);
        let report = deliver(&environment, &observing(0), &names[0], "one").await;
        let notes = report.unwrap().notes;
        let said = "people were not told on the channel report-bus";
        assert!(notes.iter().any(|note| note.contains(said)), "{notes:?}");
    }
}

#[tokio::test]
async fn the_digest_goes_on_from_what_it_told_on_a_channel_that_works() {
    for kind in KINDS {
        for lost in [Channel::Chat, Channel::ReportBus] {
            let environment = scene();
            fails(&environment, &settings(), VAULT).await.unwrap();
            environment.lose(&[lost], kind);
            let mut states = Vec::new();
            for week in 0..3 {
                pass(&environment, DAY * 7).await;
                for delivery in 0..2 {
                    let event = json!({"source": "copymend", "detail-type": DIGEST_DETAIL_TYPE});
                    let invocation = invocation(&environment, &format!("{week}-{delivery}"));
                    let answer = CopyRemediator::new(environment.clone(), settings())
                        .send_digest(&event, &invocation)
                        .await;
                    states.push(answer.unwrap().digest);
                }
            }
            let week = [DigestState::Sent, DigestState::SentBefore];
            assert_eq!(states, week.repeat(3), "{lost} {kind:?}");
            let digests = environment.sandbox().notifier().digests();
            assert_eq!(digests.len(), 3, "{lost} {kind:?}");
            for pair in digests.windows(2) {
                let gap = pair[1].since.duration_since(pair[0].at).abs();
                assert!(gap <= MINUTE, "{lost} {kind:?}: {gap}");
            }
        }
    }
}

#[tokio::test]
async fn a_clock_that_was_ahead_stops_no_message() {
    let environment = scene();
    let ledger = environment.sandbox().ledger().unwrap();
    let later = environment.clock().now() + SignedDuration::from_hours(1);
    ledger.take_turn(later, MINUTE).await.unwrap();
    deliver(&environment, &settings(), VAULT, "first")
        .await
        .unwrap();
    assert_eq!(heard(&environment, Channel::Topic).len(), 1);
}
