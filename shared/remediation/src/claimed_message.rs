//! The message about a copy that is started again because its incident was seen so often: claimed together with
//! the retry, so that of a storm the tenth event, the hundredth and so on ask the ledger no more often than the
//! others.

use std::sync::atomic::{AtomicBool, Ordering};

use copymend_diagnosis::Failure;

use crate::delivery::{Delivery, Ending, close};
use crate::fingerprint::fingerprint;
use crate::handler::{CopyRemediator, HandlerError};
use crate::history::History;
use crate::incident::count_and_record;
use crate::ledger::{Count, MessageClaim, Occurrence, RetryClaimed};
use crate::left_out::budget_of_all;
use crate::message::{Channels, Message, is_for_good, send};
use crate::ports::{CallResult, Environment, Notifier};
use crate::recall::{RecalledIncident, Recollection};
use crate::report::{Outcome, Report};
use crate::settings::Messages;
use crate::show::incident_of;

/// An occurrence that people have to hear of, as far as is known before the copy is started again.
#[derive(Debug)]
pub(crate) struct ToBeTold {
    fingerprint: String,
    occurrence: Occurrence,
    budget: u32,
    takes_turn: bool,
    may_be_claimed: AtomicBool,
}

impl ToBeTold {
    pub(crate) fn claim(&self) -> MessageClaim<'_> {
        MessageClaim {
            fingerprint: &self.fingerprint,
            occurrence: &self.occurrence,
            budget: self.budget,
            budget_of_all: budget_of_all(self.budget),
            takes_turn: self.takes_turn,
        }
    }

    /// Remembers whether it was claimed.
    pub(crate) fn remember(&self, claimed: &CallResult<RetryClaimed>) {
        let may_be_claimed = match claimed {
            Ok(
                RetryClaimed::BudgetUsedUp
                | RetryClaimed::SourceBudgetUsedUp
                | RetryClaimed::NoRoomForMessage,
            ) => false,
            // An attempt whose answer was lost may have claimed it. Otherwise the job isn't this delivery's.
            Ok(RetryClaimed::Attempt(_) | RetryClaimed::NotFree) | Err(_) => true,
        };
        self.may_be_claimed.store(may_be_claimed, Ordering::Relaxed);
    }

    /// Whether it is claimed, or nobody knows: then only this delivery tells of the number, or whichever counts
    /// the job next.
    pub(crate) fn may_be_claimed(&self) -> bool {
        self.may_be_claimed.load(Ordering::Relaxed)
    }

    /// Whether the message of this incident is claimed, of a copy that was started again.
    pub(crate) fn is_claimed(&self, fingerprint: &str) -> bool {
        self.may_be_claimed() && self.fingerprint == fingerprint
    }
}

impl<E: Environment> CopyRemediator<E> {
    /// Whether people will have to hear of it if the copy is started again, for the number alone, and have room
    /// for it. Where it is otherwise in the end, it is counted and told as any event.
    pub(crate) fn to_be_told(
        &self,
        failure: &Failure,
        history: &History,
        recollection: &Recollection,
    ) -> Option<ToBeTold> {
        let target = &history.earlier_repair.as_ref()?.target;
        match self.settings.messages {
            Messages::All => {}
            Messages::AfterLastRetry | Messages::NeedsAction => return None,
        }
        let of = incident_of(target, failure, &self.settings);
        let account = failure.job().account;
        let grantee = of.grantee.as_deref();
        let fingerprint = fingerprint(of.cause, &of.resource, account.as_str(), grantee);
        let occurrence = recollection
            .incident(&fingerprint)
            .map(RecalledIncident::next)?;
        let is_due_by_number = occurrence.is_worth_telling(Outcome::Retried)
            && !occurrence.is_changed_by(Outcome::Retried);
        let budget = self.settings.source_message_budget;
        let known = &recollection.recalled;
        let has_room = known.messages? < budget && known.messages_of_all? < budget_of_all(budget);
        let channels = self.environment.notifier().channels();
        (is_due_by_number && has_room).then(|| ToBeTold {
            fingerprint,
            occurrence,
            budget,
            takes_turn: channels.iter().any(|channel| channel.is_paced()),
            may_be_claimed: AtomicBool::new(false),
        })
    }

    /// Tells people of a copy that was started again, whose message is claimed. Answers the channels on which
    /// they know of it.
    ///
    /// # Errors
    ///
    /// Where a channel didn't take it: it is counted, and the job given up, so that another delivery tells those
    /// who don't know of it.
    pub(crate) async fn tell_as_claimed(
        &self,
        report: &mut Report,
        (count, occurrence): (Count<'_>, &Occurrence),
        delivery: &Delivery<'_>,
    ) -> Result<Channels, HandlerError> {
        let none = Channels::new();
        report.occurrences = Some(occurrence.count);
        let message = Message::Report(report);
        let mut sent = send(self.environment.notifier(), message, &none).await;
        report.notes.extend(sent.give_up(&none, is_for_good));
        let on = sent.on.clone();
        let Some(error) = sent.error() else {
            return Ok(on);
        };
        let Some(ledger) = self.environment.ledger() else {
            return Err(error.into());
        };
        let mut ending = Ending::after(&delivery.progress);
        ending.told = on;
        let counted = count_and_record(&self.environment, ledger, count, report, &mut ending);
        if let Err(error) = counted.await {
            tracing::warn!(%error, "the new job was not remembered: another delivery starts the same copy");
        }
        // The look is taken: whoever tells the others has to know that it is due, and says the same number.
        let occurrence = Occurrence {
            previous_outcome: None,
            ..occurrence.clone()
        };
        ending.count_as(count, occurrence);
        let (id, error) = (count.copy_job_id, Err(error.into()));
        let given_up = close(&self.environment, ledger, id, delivery, error, ending);
        given_up.await.map(|_| none)
    }
}
