//! What people are told, and on which channels.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use crate::digest::{self, Digest};
use crate::handler::{HandlerError, Invocation};
use crate::ledger::{CountState, Finish, JobEntry, Ledger, LeftOut};
use crate::ports::{CallError, Clock, Notifier, Reads};
use crate::preflight::PreflightNews;
use crate::report::Report;
use crate::test_message::TestMessage;
use crate::turns::{LONG_WAIT, SHORT_WAIT, too_many_wait, wait_for_turn};

/// What the ledger keeps of a message that was sent on every channel.
const SENT: &str = "sent";
/// A channel whose failure may pass is tried so often by one invocation.
const TRIES: u32 = 3;
const BETWEEN_TRIES: Duration = Duration::from_secs(1);
/// What must be left of an invocation for another try at a message: one call may take 15 seconds.
const TIME_FOR_A_TRY: SignedDuration = SignedDuration::from_secs(20);

/// What people are told.
#[derive(Clone, Copy, Debug)]
pub enum Message<'m> {
    /// What became of one event.
    Report(&'m Report),
    /// The summary of messages that were left out.
    LeftOut(&'m LeftOut),
    /// That the way to people works.
    Test(&'m TestMessage),
    /// What a preflight found that people don't know yet.
    Preflight(&'m PreflightNews),
    /// What happened since the last digest.
    Digest(&'m Digest),
}

impl Message<'_> {
    /// The same when a message is sent again, so that a reader can tell.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Report(report) => id_of_report(report),
            Self::LeftOut(left_out) => {
                let whose = if left_out.of.is_confirmed {
                    ""
                } else {
                    "unverified-"
                };
                let (account, first) = (left_out.of.account, left_out.first_at.as_second());
                format!("left-out-{whose}{account}/{first}")
            }
            Self::Test(message) => format!("test-message/{}", message.at.strftime("%F")),
            Self::Preflight(news) => format!("preflight/{}", news.id),
            Self::Digest(digest) => digest::id_of(digest.at),
        }
    }
}

fn id_of_report(report: &Report) -> String {
    let outcome = report.outcome;
    match report.copy_job_id() {
        Some(id) if report.verified => format!("{id}/{outcome}"),
        // A made-up event must not look like a repetition of the real one.
        Some(id) => format!("unverified-{id}/{outcome}"),
        None => format!("{}/{}/{outcome}", report.event, report.diagnosis.cause),
    }
}

/// A way to people, or to what works for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// The SNS topic that people and programs subscribe to.
    Topic,
    /// The SNS topic of chats, for Amazon Q Developer in chat applications.
    Chat,
    /// The event bus of Amazon EventBridge on which every message is an event.
    ReportBus,
    /// The log, where nothing else is set.
    Log,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 4] = [Self::Topic, Self::Chat, Self::ReportBus, Self::Log];

    /// The stable name.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Chat => "chat",
            Self::ReportBus => "report-bus",
            Self::Log => "log",
        }
    }

    /// The channel of this name.
    #[must_use]
    pub fn of_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.slug() == slug)
    }

    /// Whether people are told, and it is not only written down. Whether a rule takes an event from the
    /// bus isn't known.
    #[must_use]
    const fn tells_somebody(self) -> bool {
        match self {
            Self::Topic | Self::Chat => true,
            Self::ReportBus | Self::Log => false,
        }
    }

    /// Whether too many messages a second are lost there: more than ten suspend a subscription of Amazon
    /// SNS by e-mail, and Amazon Q Developer in chat applications throttles them (both documented).
    pub(crate) const fn is_paced(self) -> bool {
        match self {
            Self::Topic | Self::Chat => true,
            Self::ReportBus | Self::Log => false,
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.slug())
    }
}

/// Channels, each once.
pub type Channels = BTreeSet<Channel>;

/// Whether somebody outside is told on these channels.
#[must_use]
pub fn tells_somebody(channels: &Channels) -> bool {
    channels.iter().any(|channel| channel.tells_somebody())
}

/// How far a message came.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// The channels that took it, and those that need not.
    pub(crate) on: Channels,
    /// Why others didn't.
    pub(crate) failed: BTreeMap<Channel, CallError>,
}

impl Sent {
    /// Gives up channels that failed like this, where people heard of the message on another one, now or
    /// `before`: they need not take it, so that nobody tries for ever. Answers a sentence for each.
    pub(crate) fn give_up(
        &mut self,
        before: &Channels,
        is_given_up: impl Fn(&CallError) -> bool,
    ) -> Vec<String> {
        if !tells_somebody(&self.on) && !tells_somebody(before) {
            return Vec::new();
        }
        let failed = std::mem::take(&mut self.failed).into_iter();
        let (given_up, left): (BTreeMap<_, _>, _) =
            failed.partition(|(_, error)| is_given_up(error));
        self.failed = left;
        self.on.extend(given_up.keys());
        said_of(given_up)
    }

    /// Gives up every channel that failed, also where nobody heard of the message on another one. Answers a
    /// sentence for each.
    pub(crate) fn give_up_all(self) -> Vec<String> {
        said_of(self.failed)
    }

    /// The channels whose failure may pass.
    fn left(&self) -> Channels {
        let left = self.failed.iter().filter(|(_, error)| error.may_pass());
        left.map(|(&channel, _)| channel).collect()
    }

    /// The same after another attempt at the channels that were left.
    fn after(mut self, again: Self) -> Self {
        self.failed.retain(|_, error| is_for_good(error));
        self.failed.extend(again.failed);
        self.on.extend(again.on);
        self
    }

    /// Why it isn't everywhere.
    pub(crate) fn error(self) -> Option<CallError> {
        self.failed.into_values().next()
    }
}

fn said_of(given_up: BTreeMap<Channel, CallError>) -> Vec<String> {
    let said = given_up.into_iter().map(|(channel, error)| {
        tracing::error!(%channel, %error, "a message was not sent on this channel, and won't be");
        format!("people were not told on the channel {channel}: {error}")
    });
    said.collect()
}

/// Whether trying a channel again, now or by another delivery, leads nowhere.
pub(crate) const fn is_for_good(error: &CallError) -> bool {
    !error.may_pass()
}

/// Sends a message on every channel that hasn't taken it yet, on all of them at once.
pub(crate) async fn send(notifier: &impl Notifier, message: Message<'_>, taken: &Channels) -> Sent {
    let left = notifier.channels();
    let sending = left
        .difference(taken)
        .map(|&channel| async move { (channel, notifier.send(message, channel).await) });
    let mut sent = Sent::default();
    for (channel, answer) in join_all(sending).await {
        match answer {
            Ok(()) => {
                sent.on.insert(channel);
            }
            Err(error) => {
                tracing::warn!(%channel, %error, "a message was not sent");
                sent.failed.insert(channel, error);
            }
        }
    }
    sent
}

/// Sends a message that has its turn, and tries channels again whose failure may pass.
async fn send_with_tries<E: Reads>(
    environment: &E,
    message: Message<'_>,
    taken: &Channels,
) -> Sent {
    let mut sent = send(environment.notifier(), message, taken).await;
    for _ in 1..TRIES {
        let left = sent.left();
        if left.is_empty() {
            break;
        }
        environment.clock().sleep(BETWEEN_TRIES).await;
        let others = others(environment, &left);
        if let Some(ledger) = environment.ledger() {
            match wait_for_turn(environment, ledger, &others, SHORT_WAIT).await {
                Ok(true) => {}
                Ok(false) | Err(_) => break,
            }
        }
        sent = sent.after(send(environment.notifier(), message, &others).await);
    }
    sent
}

/// Sends a message of what a person did, which waits for no turn, and tries channels again whose failure may
/// pass, while there is time. Nothing here fails: what was done is done. Answers what is to be said of the
/// channels that didn't take it.
pub(crate) async fn send_at_once<E: Reads>(
    environment: &E,
    message: Message<'_>,
    deadline: Timestamp,
) -> Vec<String> {
    let mut sent = send(environment.notifier(), message, &Channels::new()).await;
    for _ in 1..TRIES {
        let left = sent.left();
        let time = deadline.duration_since(environment.clock().now());
        if left.is_empty() || time < TIME_FOR_A_TRY {
            break;
        }
        environment.clock().sleep(BETWEEN_TRIES).await;
        let others = others(environment, &left);
        sent = sent.after(send(environment.notifier(), message, &others).await);
    }
    sent.give_up_all()
}

fn others<E: Reads>(environment: &E, left: &Channels) -> Channels {
    let channels = environment.notifier().channels();
    channels.difference(left).copied().collect()
}

/// Tells of a report that is left to a summary on those channels alone where no number of messages is
/// too many. The summary tells everybody else, so that nothing here fails. Answers what is to be said of
/// the channels that didn't take it.
pub(crate) async fn send_where_unpaced<E: Reads>(
    environment: &E,
    message: Message<'_>,
) -> Vec<String> {
    let channels = environment.notifier().channels().into_iter();
    let paced: Channels = channels.filter(|channel| channel.is_paced()).collect();
    let mut sent = send_with_tries(environment, message, &paced).await;
    sent.give_up(&Channels::from(Channel::ALL), |_| true)
}

/// Who sent a message that is sent once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SentOnce {
    /// This invocation.
    Now,
    /// An earlier one.
    Before,
    /// Another one is about to.
    ByAnother,
}

/// Sends a message once on each channel, however often it is asked for: the ledger keeps under this id
/// which of them took it. One that fails is tried again alone, three times in all. Once people heard of the
/// message on one channel it counts as sent, and what failed is an error in the log: whoever waits for the
/// others would tell it again and again. Without a ledger it is sent on all of them.
///
/// # Errors
///
/// Where the ledger fails, or people heard of it on no channel: then another delivery has to ask again.
pub async fn send_once<E: Reads>(
    environment: &E,
    id: &str,
    invocation: &Invocation,
    message: Message<'_>,
) -> Result<SentOnce, HandlerError> {
    let clock = environment.clock();
    let Some(ledger) = environment.ledger() else {
        return send_unrecorded(environment, message).await;
    };
    let (owner, until) = (&invocation.id, invocation.held_until());
    let taken = match ledger.begin_job(id, owner, clock.now(), until).await {
        Ok(JobEntry::Started(progress)) => progress.told,
        Ok(JobEntry::InProgress) => return Ok(SentOnce::ByAnother),
        Ok(JobEntry::Done(_)) => return Ok(SentOnce::Before),
        Err(error) if error.may_pass() => return Err(error.into()),
        // Rather one message too many than none.
        Err(error) => {
            tracing::warn!(%error, id, "whether a message was sent before is not known");
            return send_unrecorded(environment, message).await;
        }
    };
    let has_its_turn = wait_for_turn(environment, ledger, &taken, LONG_WAIT).await;
    let (on, failed) = match has_its_turn {
        Ok(true) => {
            let mut sent = send_with_tries(environment, message, &taken).await;
            sent.give_up(&taken, |_| true);
            (sent.on.clone(), sent.error())
        }
        Ok(false) => (Channels::new(), Some(too_many_wait(id))),
        Err(error) => (Channels::new(), Some(error)),
    };
    // A message that is sent twice does no harm.
    let closed = if failed.is_none() {
        ledger
            .finish_job(id, owner, &Finish::with(SENT), clock.now())
            .await
    } else {
        let marked = if on.is_empty() {
            Ok(())
        } else {
            ledger.record_told(id, owner, &on).await
        };
        marked.and(ledger.abandon_job(id, owner, CountState::Clear).await)
    };
    if let Err(error) = closed {
        tracing::warn!(%error, id, "how far a message came is not recorded");
    }
    failed.map_or(Ok(SentOnce::Now), |error| Err(error.into()))
}

async fn send_unrecorded<E: Reads>(
    environment: &E,
    message: Message<'_>,
) -> Result<SentOnce, HandlerError> {
    let none = Channels::new();
    let mut sent = send_with_tries(environment, message, &none).await;
    sent.give_up(&none, |_| true);
    sent.error()
        .map_or(Ok(SentOnce::Now), |error| Err(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_found_by_its_name() {
        for channel in Channel::ALL {
            assert_eq!(Channel::of_slug(channel.slug()), Some(channel));
        }
        assert_eq!(Channel::of_slug("pager"), None);
    }
}
