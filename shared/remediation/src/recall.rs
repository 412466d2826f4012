//! What the ledger knows of a failed copy when its event arrives: asked at once, while AWS Backup is asked
//! for the job.
//!
//! The question is made of the event, which nobody has confirmed yet. An answer counts for the confirmed
//! job alone where it was asked of the same: [`RecallAsked::is_of`].

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use copymend_diagnosis::{BackupVaultArn, CopyJobEvent, Failure, KeyArn};
use copymend_policy::{AccountId, Arn};
use jiff::Timestamp;

use crate::grantee::{grantee_of_key, grantee_of_vault};
use crate::incident::fingerprint;
use crate::ledger::{
    Admission, BeforeWrite, JobProgress, KeyAdmission, Ledger, Pause, RecordedSettings, RetryRecord,
};
use crate::plan::Target;
use crate::ports::CallResult;
use crate::settings::{Mode, Settings};

/// What is asked when an event arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecallAsked {
    /// The failed job.
    pub copy_job_id: String,
    /// Its account.
    pub source: AccountId,
    /// The recovery point that was copied, where the event names it.
    pub recovery_point: Option<Arn>,
    /// Where it was copied to.
    pub destination: BackupVaultArn,
    /// Whom a change of the destination vault's policy admits, in the ledger's words.
    pub grantee: String,
    /// The incident that a copy is counted in which that policy doesn't admit.
    pub fingerprint: String,
    /// Whom a change of a key's policy admits, in the ledger's words, where the event names a recovery point.
    pub key_grantee: Option<String>,
    /// The incident of copies that the policy of a key doesn't admit, where it is known which key that may be.
    pub key_fingerprint: Option<String>,
    /// Whether what was written to the vault's policy before is wanted, too: people are shown what a change
    /// would come to.
    pub wants_writes: bool,
}

impl RecallAsked {
    /// What is asked for an event. None where it names no account.
    pub(crate) fn of(event: &CopyJobEvent, settings: &Settings, keys: &LastKeys) -> Option<Self> {
        let source = event.account.parse().ok()?;
        let destination = event.destination_vault.clone();
        let grantee = grantee_of_vault(&event.role, source, settings);
        let target = Target::VaultPolicy(destination.clone());
        let into = destination.account_id();
        let key_grantee = into
            .zip(event.source_recovery_point.as_ref())
            .map(|(account, point)| grantee_of_key(account, point, settings));
        let key_fingerprint = key_grantee.as_ref().and_then(|grantee| {
            let target = Target::KeyPolicy(keys.of(source, grantee)?);
            let (cause, key) = (target.cause(), target.as_str());
            Some(fingerprint(cause, key, source.as_str(), Some(grantee)))
        });
        Some(Self {
            key_grantee,
            key_fingerprint,
            copy_job_id: event.copy_job_id.clone(),
            source,
            recovery_point: event.source_recovery_point.clone(),
            fingerprint: fingerprint(
                target.cause(),
                destination.as_str(),
                source.as_str(),
                Some(&grantee),
            ),
            destination,
            grantee,
            wants_writes: settings.mode != Mode::Repair,
        })
    }

    /// Whether it was asked of exactly this failure.
    pub(crate) fn is_of(&self, failure: &Failure, settings: &Settings) -> bool {
        let job = failure.job();
        self.copy_job_id == job.id
            && self.source == job.account
            && self.recovery_point.as_ref() == Some(&job.source_recovery_point)
            && self.destination == job.destination_vault
            && self.grantee == grantee_of_vault(&job.role, job.account, settings)
    }
}

/// What the ledger knows of a failed copy. Read consistently, all at once; what can't be understood is an
/// error of its own.
#[derive(Clone, Debug)]
pub struct Recalled {
    /// How the job stands.
    pub job: CallResult<RecalledJob>,
    /// The pause in force.
    pub pause: CallResult<Option<Pause>>,
    /// The settings of the last event that people know of.
    pub settings: CallResult<Option<RecordedSettings>>,
    /// What the job repeats, if it is a retry of ours.
    pub retry: CallResult<Option<RetryRecord>>,
    /// The retries of this copy so far. Absent where no recovery point was named.
    pub retries: Option<CallResult<CountedRetries>>,
    /// When the vault's policy was last changed to admit the grantee.
    pub admission: CallResult<Option<Admission>>,
    /// The key that was changed last to admit the key's grantee.
    pub key_admission: CallResult<Option<KeyAdmission>>,
    /// The incident of copies that the vault's policy doesn't admit.
    pub incident: CallResult<Option<RecalledIncident>>,
    /// That of copies which the policy of the key doesn't admit that was asked for.
    pub key_incident: CallResult<Option<RecalledIncident>>,
    /// What was written to the vault's policy, where that was asked.
    pub writes: Option<BeforeWrite>,
    /// Messages about the source account's copies in this hour; none where that can't be read.
    pub messages: Option<u32>,
    /// Those about the copies of all accounts.
    pub messages_of_all: Option<u32>,
    /// Whether an owner is known to keep Copymend away from a key of the account's copies; also where that
    /// can't be read.
    pub has_opted_out_key: bool,
    /// Since when messages about the account's copies are left out and not summed up, where any are.
    pub left_out_since: Option<Timestamp>,
}

/// How a job stands, before anybody takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecalledJob {
    /// Nobody handles it; what earlier deliveries left.
    Free(JobProgress),
    /// Another invocation handles it.
    InProgress,
    /// It was handled; the outcome's slug.
    Done(String),
}

/// The retries of one copy so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CountedRetries {
    /// The failed jobs that were counted.
    pub jobs: Vec<String>,
    /// The changes after which they were counted anew.
    pub after_changes: Vec<String>,
}

/// An incident that is open, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecalledIncident {
    /// How often it was seen.
    pub count: u64,
    /// See [`Occurrence::since`](crate::ledger::Occurrence::since) of the next one.
    pub since: u64,
    /// The outcome that was recorded last. None once a retry has worked.
    pub outcome: Option<String>,
}

/// The keys that copies were last started again for after their repair, by source account and grantee: only a
/// hint of what to ask the ledger for.
#[derive(Debug, Default)]
pub(crate) struct LastKeys(Mutex<BTreeMap<(AccountId, String), KeyArn>>);

/// So many are remembered.
const MOST_KEYS: usize = 256;

impl LastKeys {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    fn of(&self, source: AccountId, grantee: &str) -> Option<KeyArn> {
        let keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.get(&(source, grantee.to_owned())).cloned()
    }

    /// Remembers a key.
    pub(crate) fn remember(&self, source: AccountId, grantee: &str, key: &KeyArn) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= MOST_KEYS {
            keys.clear();
        }
        keys.insert((source, grantee.to_owned()), key.clone());
    }
}

/// What was recalled for a failure, and with which question.
#[derive(Clone, Debug)]
pub(crate) struct Recollection {
    pub(crate) asked: RecallAsked,
    pub(crate) recalled: Recalled,
}

impl Recollection {
    /// Asks the ledger about an event.
    pub(crate) async fn ask<L: Ledger>(
        ledger: &L,
        event: &CopyJobEvent,
        (settings, keys): (&Settings, &LastKeys),
        (owner, now): (&str, Timestamp),
    ) -> Option<CallResult<Self>> {
        let asked = RecallAsked::of(event, settings, keys)?;
        let recalled = ledger.recall(&asked, owner, now).await;
        Some(recalled.map(|recalled| Self { asked, recalled }))
    }

    /// The incident of this fingerprint, where it was asked for and is open.
    pub(crate) fn incident(&self, fingerprint: &str) -> Option<&RecalledIncident> {
        let incident = if self.asked.fingerprint == fingerprint {
            &self.recalled.incident
        } else if self.asked.key_fingerprint.as_deref() == Some(fingerprint) {
            &self.recalled.key_incident
        } else {
            return None;
        };
        incident.as_ref().ok().and_then(Option::as_ref)
    }

    /// The same, once it was looked whether a repair for another copy admits this one: none does.
    pub(crate) fn without_admissions(mut self) -> Self {
        self.recalled.admission = Ok(None);
        self.recalled.key_admission = Ok(None);
        self
    }

    /// Whether a repair for another copy admits this one, as far as it is on record.
    pub(crate) const fn is_admitted(&self) -> bool {
        matches!(&self.recalled.admission, Ok(Some(_)))
            || matches!(&self.recalled.key_admission, Ok(Some(_)))
    }

    /// The same where it is about exactly this failure.
    pub(crate) fn of(self, failure: &Failure, settings: &Settings) -> Option<Self> {
        self.asked.is_of(failure, settings).then_some(self)
    }
}
