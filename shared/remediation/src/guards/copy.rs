//! The guards that need the copy alone: whose it is, when it failed, and where it goes.

#![expect(
    clippy::unnecessary_wraps,
    reason = "every check has the same signature"
)]

use copymend_diagnosis::{Fact, Failure};
use jiff::SignedDuration;

use super::owner::{allowed, entry_of_key};
use super::{Act, Answer, Question, not_known};
use crate::ledger::Origin;
use crate::plan::Target;
use crate::settings::{Admits, ArnPattern, Mode, Settings};

/// A failure may be this far ahead of our clock: AWS Backup's own differs, and a job's times are
/// rounded.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_hours(1);

/// Who started the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartedBy {
    /// A backup plan.
    BackupPlan,
    /// Copymend, as a retry. Who started the copy that it repeats, as far as the ledger knows.
    OwnRetry(Option<Origin>),
    /// Someone, on demand.
    Someone,
}

impl StartedBy {
    /// Who started the first copy of the chain. What nobody knows isn't taken for a backup plan.
    #[must_use]
    pub const fn origin(self) -> Origin {
        match self {
            Self::BackupPlan | Self::OwnRetry(Some(Origin::BackupPlan)) => Origin::BackupPlan,
            Self::OwnRetry(Some(Origin::OnDemand) | None) | Self::Someone => Origin::OnDemand,
        }
    }
}

pub(super) fn verified_failure(question: &Question<'_>) -> Answer {
    let id = &question.failure.job().id;
    Some((
        true,
        format!("DescribeCopyJob confirms that job {id} failed"),
    ))
}

pub(super) fn mode(question: &Question<'_>) -> Answer {
    if let Some(agreement) = &question.history.agreement {
        return Some(agreement.answers(question));
    }
    let mode = question.settings.mode;
    Some((mode == Mode::Repair, format!("COPYMEND_MODE is {mode}")))
}

pub(super) fn destination_allowed(question: &Question<'_>) -> Answer {
    Some(allowed(
        "COPYMEND_ALLOWED_DESTINATIONS",
        &question.settings.allowed_destinations,
        question.failure.job().destination_vault.as_str(),
    ))
}

pub(super) fn started_by_backup_plan(question: &Question<'_>) -> Answer {
    let (started_by, settings) = (question.history.started_by, question.settings);
    let who = match started_by {
        StartedBy::BackupPlan => "a backup plan started the copy",
        StartedBy::OwnRetry(Some(Origin::BackupPlan)) => {
            "the copy is our own retry of one that a backup plan started"
        }
        StartedBy::OwnRetry(Some(Origin::OnDemand)) => {
            "the copy is our own retry of one that someone started on demand"
        }
        StartedBy::OwnRetry(None) => {
            "the copy is our own retry, and who started the first one is not known: the ledger has no record of it"
        }
        StartedBy::Someone => "someone started the copy on demand",
    };
    Some(match started_by.origin() {
        Origin::BackupPlan => (true, who.to_owned()),
        Origin::OnDemand if settings.allow_on_demand => (
            true,
            format!("{who}, which COPYMEND_ALLOW_ON_DEMAND admits"),
        ),
        Origin::OnDemand => (
            false,
            format!("{who}; COPYMEND_ALLOW_ON_DEMAND is not true"),
        ),
    })
}

/// What failed long ago may not be wanted any more, and its record may be replayed by anyone.
pub(super) fn failure_is_recent(question: &Question<'_>) -> Answer {
    let Some(failed) = question.failure.job().completed else {
        let why = "AWS Backup does not say it";
        return Some(not_known("when the copy failed", why));
    };
    if question.history.is_asked_by_a_person {
        return Some(still_wanted(failed, question));
    }
    let hours = question.settings.max_age_hours;
    let age = question.now.duration_since(failed);
    if age < -CLOCKS_DIFFER {
        let detail = format!("the copy failed at {failed}, which is yet to come");
        return Some((false, detail));
    }
    let minutes = age.as_mins().max(0);
    Some((
        age <= SignedDuration::from_hours(i64::from(hours)),
        format!(
            "the copy failed at {failed}, {} hours and {} minutes ago; COPYMEND_MAX_AGE_HOURS is {hours}",
            minutes / 60,
            minutes % 60
        ),
    ))
}

/// A person who asks for the copy now stands in for the age, as long as there is something to copy.
fn still_wanted(failed: jiff::Timestamp, question: &Question<'_>) -> (bool, String) {
    match question.facts.map(|facts| &facts.recovery_point) {
        Some(Fact::Known(Some(_))) => (
            true,
            format!(
                "the copy failed at {failed}; a person wants it now, and its recovery point exists"
            ),
        ),
        Some(Fact::Known(None)) => (
            false,
            format!("the copy failed at {failed}, and its recovery point does not exist any more"),
        ),
        Some(Fact::Unknown(why)) => not_known("whether the recovery point still exists", why),
        None => not_known("whether the recovery point still exists", "it was not read"),
    }
}

/// What can't be told to be small enough isn't started. AWS Backup's API doesn't say what the size of
/// a failed job is; 0 says nothing (inferred).
pub(super) fn copy_size(question: &Question<'_>) -> Answer {
    let Some(most) = question.settings.retry_max_bytes else {
        return Some((true, "COPYMEND_RETRY_MAX_BYTES sets no limit".to_owned()));
    };
    let size = question.failure.job().size_bytes.filter(|size| *size > 0);
    Some(match size {
        Some(size) => (
            size <= most,
            format!("the copy has {size} bytes; COPYMEND_RETRY_MAX_BYTES is {most}"),
        ),
        None => not_known(
            "the copy's size",
            format!("AWS Backup does not say it; COPYMEND_RETRY_MAX_BYTES is {most}"),
        ),
    })
}

/// Whether the copy, and everyone else whom the change would admit, is of a listed route.
pub(super) fn source_allowed(question: &Question<'_>) -> Answer {
    let settings = question.settings;
    let job = question.failure.job();
    let (role, vault) = (&job.role, &job.destination_vault);
    let admits = match question.act {
        Act::VaultPolicy => settings.vault_scope.into(),
        Act::KeyPolicy | Act::ServiceLinkedRole | Act::Retry => Admits::ThisRole,
    };
    let entries = &settings.allowed_sources;
    if entries.is_empty() {
        let detail = "COPYMEND_ALLOWED_SOURCES is empty, which admits nothing";
        return Some((false, detail.to_owned()));
    }
    if role.arn().account() != job.account.as_str() {
        let detail = format!("`{role}` is not a role of account {}", job.account);
        return Some((false, detail));
    }
    let mut listed = entries.iter().filter(|entry| entry.admits(role, vault));
    let first = listed.clone().next();
    Some(match (first, listed.find(|entry| entry.covers(admits))) {
        (_, Some(entry)) => (
            true,
            format!("`{}` admits `{role}` into `{vault}`", entry.as_str()),
        ),
        (Some(entry), None) => (
            false,
            format!(
                "`{}` admits `{role}`, but the scope {} would admit others, too",
                entry.as_str(),
                settings.vault_scope
            ),
        ),
        (None, None) => (
            false,
            format!("COPYMEND_ALLOWED_SOURCES does not admit `{role}` into `{vault}`"),
        ),
    })
}

/// The entries of the three lists that admit a change of this target, each with its setting's name.
pub(crate) fn entries_that_admit(
    failure: &Failure,
    target: &Target,
    settings: &Settings,
) -> Vec<String> {
    match target {
        Target::VaultPolicy(_) => entries(failure, settings.vault_scope.into(), settings),
        Target::ServiceLinkedRole(_) => entries(failure, Admits::ThisRole, settings),
        Target::KeyPolicy(key) => {
            let mut entries = entries(failure, Admits::ThisRole, settings);
            let source = failure.copy().account;
            let entry = entry_of_key(&settings.allowed_keys, key, source);
            entries.extend(entry.map(|entry| format!("COPYMEND_ALLOWED_KEYS: {}", entry.as_str())));
            entries
        }
    }
}

fn entries(failure: &Failure, admits: Admits, settings: &Settings) -> Vec<String> {
    let job = failure.job();
    let vault = &job.destination_vault;
    let source = settings
        .allowed_sources
        .iter()
        .find(|entry| entry.admits(&job.role, vault) && entry.covers(admits))
        .map(|entry| format!("COPYMEND_ALLOWED_SOURCES: {}", entry.as_str()));
    let destination = entry_of(
        "COPYMEND_ALLOWED_DESTINATIONS",
        &settings.allowed_destinations,
        vault.as_str(),
    );
    [source, destination].into_iter().flatten().collect()
}

fn entry_of(name: &str, patterns: &[ArnPattern], arn: &str) -> Option<String> {
    let entry = patterns.iter().find(|pattern| pattern.admits(arn))?;
    Some(format!("{name}: {}", entry.as_str()))
}
