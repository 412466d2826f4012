//! The guards of any write: whose copy it is, and when it failed.

use copymend_diagnosis::{Facts, Failure};
use jiff::{SignedDuration, Timestamp};

use super::{
    DESTINATION_ALLOWED, FAILURE_IS_RECENT, MODE, SOURCE_ALLOWED, STARTED_BY_BACKUP_PLAN,
    VERIFIED_FAILURE, allowed, guard, nobody_opted_out,
};
use crate::ledger::Origin;
use crate::plan::Target;
use crate::report::GuardResult;
use crate::settings::{Admits, ArnPattern, Mode, Settings};

/// A failure may be this far ahead of our clock: AWS Backup's own differs, and a job's times are rounded.
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

/// The guards of every write, also of starting a copy again. `admits` is whom a change would admit beside this copy.
#[must_use]
pub fn guards_of_any_write(
    failure: &Failure,
    settings: &Settings,
    started_by: StartedBy,
    admits: Admits,
    now: Timestamp,
) -> Vec<GuardResult> {
    let job = failure.job();
    vec![
        guard(
            VERIFIED_FAILURE,
            true,
            format!("DescribeCopyJob confirms that job {} failed", job.id),
        ),
        guard(
            MODE,
            settings.mode == Mode::Repair,
            format!("COPYMEND_MODE is {}", settings.mode),
        ),
        started_by_backup_plan(started_by, settings),
        failure_is_recent(failure, settings, now),
        source_allowed(failure, settings, admits),
        allowed(
            DESTINATION_ALLOWED,
            "COPYMEND_ALLOWED_DESTINATIONS",
            &settings.allowed_destinations,
            job.destination_vault.as_str(),
        ),
    ]
}

fn started_by_backup_plan(started_by: StartedBy, settings: &Settings) -> GuardResult {
    let who = match started_by {
        StartedBy::BackupPlan => "a backup plan started the copy",
        StartedBy::OwnRetry(Some(Origin::BackupPlan)) => {
            "the copy is our own retry of one that a backup plan started"
        }
        StartedBy::OwnRetry(Some(Origin::OnDemand)) => {
            "the copy is our own retry of one that someone started on demand"
        }
        StartedBy::OwnRetry(None) => {
            "the copy is our own retry, and it is not on record who started the first one"
        }
        StartedBy::Someone => "someone started the copy on demand",
    };
    match started_by.origin() {
        Origin::BackupPlan => guard(STARTED_BY_BACKUP_PLAN, true, who),
        Origin::OnDemand => guard(
            STARTED_BY_BACKUP_PLAN,
            settings.allow_on_demand,
            if settings.allow_on_demand {
                format!("{who}, which COPYMEND_ALLOW_ON_DEMAND admits")
            } else {
                format!("{who}; COPYMEND_ALLOW_ON_DEMAND is not true")
            },
        ),
    }
}

/// What failed long ago may not be wanted any more, and its record may be replayed by anyone.
fn failure_is_recent(failure: &Failure, settings: &Settings, now: Timestamp) -> GuardResult {
    let name = FAILURE_IS_RECENT;
    let Some(failed) = failure.job().completed else {
        return guard(name, false, "AWS Backup does not say when the copy failed");
    };
    let hours = settings.max_age_hours;
    let age = now.duration_since(failed);
    if age < -CLOCKS_DIFFER {
        return guard(
            name,
            false,
            format!("the copy failed at {failed}, which is yet to come"),
        );
    }
    let minutes = age.as_mins().max(0);
    guard(
        name,
        age <= SignedDuration::from_hours(i64::from(hours)),
        format!(
            "the copy failed at {failed}, {} hours and {} minutes ago; COPYMEND_MAX_AGE_HOURS is {hours}",
            minutes / 60,
            minutes % 60
        ),
    )
}

/// Whether the copy, and everyone else whom the change would admit, is of a listed route.
fn source_allowed(failure: &Failure, settings: &Settings, admits: Admits) -> GuardResult {
    let job = failure.job();
    let (role, vault) = (&job.role, &job.destination_vault);
    let entries = &settings.allowed_sources;
    if entries.is_empty() {
        let detail = "COPYMEND_ALLOWED_SOURCES is empty, which admits nothing";
        return guard(SOURCE_ALLOWED, false, detail);
    }
    if role.arn().account() != job.account.as_str() {
        let detail = format!("`{role}` is not a role of account {}", job.account);
        return guard(SOURCE_ALLOWED, false, detail);
    }
    let mut listed = entries.iter().filter(|entry| entry.admits(role, vault));
    let first = listed.clone().next();
    match (first, listed.find(|entry| entry.covers(admits))) {
        (_, Some(entry)) => guard(
            SOURCE_ALLOWED,
            true,
            format!("`{}` admits `{role}` into `{vault}`", entry.as_str()),
        ),
        (Some(entry), None) => guard(
            SOURCE_ALLOWED,
            false,
            format!(
                "`{}` admits `{role}`, but the scope {} would admit others, too",
                entry.as_str(),
                settings.vault_scope
            ),
        ),
        (None, None) => guard(
            SOURCE_ALLOWED,
            false,
            format!("COPYMEND_ALLOWED_SOURCES does not admit `{role}` into `{vault}`"),
        ),
    }
}

/// The entries of the three lists that admit a change of this target, each with its setting's name.
pub(crate) fn entries_that_admit(
    failure: &Failure,
    target: &Target,
    settings: &Settings,
) -> Vec<String> {
    match target {
        Target::Vault(_) => entries(failure, settings.vault_scope.into(), settings),
        Target::Key(key) => {
            let mut entries = entries_of_the_copy(failure, settings);
            entries.extend(entry_of(
                "COPYMEND_ALLOWED_KEYS",
                &settings.allowed_keys,
                key.as_str(),
            ));
            entries
        }
    }
}

/// The entries that admit this copy and nobody else.
pub(crate) fn entries_of_the_copy(failure: &Failure, settings: &Settings) -> Vec<String> {
    entries(failure, Admits::ThisRole, settings)
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

/// The guards of a retry that changes no policy.
#[must_use]
pub fn guards_of_retry(facts: &Facts) -> Vec<GuardResult> {
    vec![nobody_opted_out(facts)]
}
