//! What is done about a failed copy. Pure: from the diagnosis, the facts, the settings, and what
//! the ledger remembers.

use copymend_diagnosis::access::{Access, is_source_keys_user_unknown, key_access};
use copymend_diagnosis::{
    BackupCopy, Cause, Diagnosis, Fact, Facts, Failure, ImageKeys, KeyFacts, SourceKey, Tags,
};
use copymend_policy::PolicyDocument;

use crate::change::recorded_statements;
use crate::guards::{
    Act, Guard, GuardResult, Question, Stage, all_passed, ask, failed, only_mode_failed,
};
use crate::history::{EarlierRepair, History};
use crate::ledger::{Change, ChangeState};
use crate::plan::{Plan, holds, plan};
use crate::settings::Settings;

/// What is done.
#[derive(Clone, Debug)]
pub enum Decision {
    /// Repair, and start the copy again. The guards that need a lease are asked before the write.
    Repair(Box<Plan>),
    /// Only the mode stands in the way: people are shown what would be repaired, or, without a
    /// plan, that the copy would be started again.
    Propose(Option<Box<Plan>>),
    /// Start the copy again, with nothing to repair; or report that an earlier delivery did.
    Retry,
    /// What could not be read for a reason that passes is read again later, and decided then. Where
    /// the event can't be put off, it is this that is decided now.
    ReadAgain(Box<Self>),
    /// An earlier delivery has repaired the policy, and didn't come to its end: start the copy
    /// again, if its guards let it.
    Resume(Box<Change>, ChangeState),
    /// People must act.
    Advise,
    /// There is a repair, and a guard forbids it; none where it could not be planned.
    Refuse(Option<Box<Plan>>),
    /// Nothing is to be done.
    Nothing,
}

/// A decision, and what it rests on.
#[derive(Clone, Debug)]
pub struct Decided {
    /// What is done.
    pub decision: Decision,
    /// The guards that were asked, in their order.
    pub guards: Vec<GuardResult>,
    /// Whether people get no statement to paste, because no owner listed the copy.
    pub is_of_unlisted_source: bool,
}

/// What was found out about a failed copy.
#[derive(Debug)]
pub enum Investigated {
    /// Another copy's repair admits it: nothing was read but whether that stands, and whether an
    /// owner opted out.
    StillAdmitted {
        /// The repair.
        by: Box<EarlierRepair>,
        /// The tags of the destination vault.
        vault_tags: Fact<Tags>,
        /// The tags of the source key, where there is one.
        key_tags: Option<Fact<Tags>>,
    },
    /// The facts.
    Whole(Box<Facts>),
}

/// Decides what is done about a failed copy.
///
/// What isn't known never repairs, observe mode never writes, and a guard that failed never lets a
/// write pass.
#[must_use]
pub fn decide(
    failure: &Failure,
    diagnosis: &Diagnosis,
    investigated: &Investigated,
    settings: &Settings,
    history: &History,
) -> Decided {
    let facts = investigated.facts();
    let question = Question {
        facts,
        ..Question::of(Act::about(diagnosis.cause()), failure, settings, history)
    };
    let decided = |decision, guards| Decided {
        decision,
        guards,
        is_of_unlisted_source: false,
    };
    if failure.job().is_parent {
        return decided(Decision::Nothing, Vec::new());
    }
    let as_retry = Question {
        act: Act::Retry,
        ..question
    };
    if let (Some(facts), Some((change, state))) = (facts, &history.intended)
        && is_there(change, failure, facts)
    {
        let guards = ask(&as_retry, BEFORE_A_LEASE);
        return decided(Decision::Resume(Box::new(change.clone()), *state), guards);
    }
    if history.retried_as.is_some() {
        // It is started: no guard undoes that.
        return decided(Decision::Retry, Vec::new());
    }
    let Some(facts) = facts else {
        return retry_or_advise(&as_retry);
    };
    let cause = diagnosis.cause();
    let is_confirmed = diagnosis.confirmed_cause() == Some(cause);
    match question.act {
        Act::VaultPolicy | Act::KeyPolicy if is_confirmed && diagnosis.is_proposed(cause) => {
            decide_repair(cause, &question)
        }
        Act::KeyPolicy
            if diagnosis.is_proposed(cause) && is_owners_choice(failure.copy(), facts) =>
        {
            decide_repair(cause, &question)
        }
        Act::ServiceLinkedRole if is_confirmed && settings.create_service_linked_role => {
            decide_repair(cause, &question)
        }
        Act::VaultPolicy | Act::KeyPolicy | Act::ServiceLinkedRole => {
            // Nobody gets a statement to paste for a copy that no owner listed, also where the
            // facts don't confirm the cause.
            let guards = ask(&question, &[Stage::Copy]);
            let is_of_unlisted_source = failed(&guards, Guard::SourceAllowed);
            Decided {
                decision: Decision::Advise,
                guards: if is_of_unlisted_source {
                    guards
                } else {
                    Vec::new()
                },
                is_of_unlisted_source,
            }
        }
        Act::Retry if cause.is_retryable() => retry_or_advise(&as_retry),
        Act::Retry => decided(Decision::Advise, Vec::new()),
    }
}

/// Whether the key's policy lacks what AWS documents for a type that AWS Backup manages fully. Which
/// principal of the destination uses the key isn't known, so that nothing is confirmed: whether the
/// whole account is admitted is the owner's choice, which the guard `key-principal-known` asks for.
fn is_owners_choice(copy: &BackupCopy, facts: &Facts) -> bool {
    let SourceKey::Key(key) = &facts.source_key else {
        return false;
    };
    is_source_keys_user_unknown(copy, facts)
        && key.policy.known().is_some_and(|policy| {
            let access = key_access(policy, &key.arn, &key.tags, copy, facts);
            matches!(access, Access::Missing { .. })
        })
}

pub(crate) fn retry_or_advise(question: &Question<'_>) -> Decided {
    let guards = ask(question, BEFORE_A_LEASE);
    let decision = if all_passed(&guards) {
        Decision::Retry
    } else if only_mode_failed(&guards) {
        Decision::Propose(None)
    } else {
        Decision::Advise
    };
    Decided {
        decision,
        guards,
        is_of_unlisted_source: false,
    }
}

/// Whether the change that an earlier delivery of this event was about to write is made: its
/// statements are in the policy, or the role exists.
fn is_there(change: &Change, failure: &Failure, facts: &Facts) -> bool {
    let statements = recorded_statements(change);
    let is_whole = statements.len() == change.statements.len();
    let holds_them = is_whole
        && policy_of(change, failure, facts).is_some_and(|policy| holds(policy, &statements));
    let role = facts.service_linked_role.known().and_then(Option::as_ref);
    holds_them || role.is_some_and(|role| role.arn.as_str() == change.resource)
}

/// The policy that a change is about, as it was read now.
fn policy_of<'f>(
    change: &Change,
    failure: &Failure,
    facts: &'f Facts,
) -> Option<&'f PolicyDocument> {
    if change.resource == failure.job().destination_vault.as_str() {
        return facts.vault_policy.known()?.as_ref();
    }
    let named = match &facts.source_key {
        SourceKey::Key(key) => Some(key.as_ref()),
        SourceKey::NotEncrypted | SourceKey::Unknown(_) => None,
    };
    let others: &[KeyFacts] = match &facts.image_keys {
        ImageKeys::Others(keys) => keys,
        ImageKeys::NotApplicable | ImageKeys::Unknown(_) => &[],
    };
    named
        .into_iter()
        .chain(others)
        .find(|key| key.arn.as_str() == change.resource)?
        .policy
        .known()
}

/// What is asked before anything is done. What was written before is asked for when the decision is
/// carried out: in repair mode under the lease, after a fresh read of the policy. Held against a
/// policy that was read before another invocation wrote it, our own statement would look as if
/// somebody had removed it.
const BEFORE_A_LEASE: &[Stage] = &[Stage::Copy, Stage::Change];

fn decide_repair(cause: Cause, question: &Question<'_>) -> Decided {
    let Question {
        failure, settings, ..
    } = *question;
    let planned = question
        .facts
        .map(|facts| plan(cause, failure, facts, settings));
    let question = Question {
        plan: planned.as_ref().map(Result::as_ref),
        ..*question
    };
    let guards = ask(&question, BEFORE_A_LEASE);
    let is_of_unlisted_source = failed(&guards, Guard::SourceAllowed);
    let decision = match planned {
        Some(Ok(plan)) if all_passed(&guards) => Decision::Repair(Box::new(plan)),
        Some(Ok(plan)) if only_mode_failed(&guards) => Decision::Propose(Some(Box::new(plan))),
        planned => Decision::Refuse(planned.and_then(Result::ok).map(Box::new)),
    };
    Decided {
        decision,
        guards,
        is_of_unlisted_source,
    }
}
