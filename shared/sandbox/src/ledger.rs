//! The ledger in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use copymend_diagnosis::BackupVaultArn;
use copymend_policy::Arn;
use copymend_remediation::ledger::{Change, JobEntry, Lease, Ledger, Occurrence, PolicyHistory};
use copymend_remediation::ports::CallResult;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::calls::Calls;

/// How long finished jobs, incidents and retries are remembered.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

#[derive(Clone, Debug)]
enum Job {
    Begun { owner: String, until: Timestamp },
    Done { outcome: String, at: Timestamp },
}

#[derive(Clone, Debug)]
struct Counted {
    count: u64,
    outcome: String,
    at: Timestamp,
}

#[derive(Clone, Debug, Default)]
struct Policy {
    sids: Vec<String>,
    days: BTreeMap<Date, u32>,
}

#[derive(Debug, Default)]
struct State {
    jobs: BTreeMap<String, Job>,
    incidents: BTreeMap<String, Counted>,
    leases: BTreeMap<String, Lease>,
    policies: BTreeMap<String, Policy>,
    changes: Vec<Change>,
    retries: BTreeMap<(String, String), (u32, Timestamp)>,
    retried: BTreeMap<String, (String, Timestamp)>,
}

/// A [`Ledger`] that forgets when the program ends. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryLedger {
    calls: Calls,
    state: Arc<Mutex<State>>,
}

fn is_over(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) > KEPT
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

impl MemoryLedger {
    pub(crate) fn new(calls: Calls) -> Self {
        Self {
            calls,
            state: Arc::default(),
        }
    }

    /// Counts the call; the table's operation is the same for every method, so each has a name of its own here.
    fn begin(&self, operation: &'static str, key: &str) -> CallResult<MutexGuard<'_, State>> {
        self.calls.begin(operation, key).fault()?;
        Ok(self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The recorded changes, oldest first.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.changes.clone()
    }
}

impl Ledger for MemoryLedger {
    async fn begin_job(
        &self,
        copy_job_id: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> CallResult<JobEntry> {
        let mut state = self.begin("ledger:BeginJob", copy_job_id)?;
        match state.jobs.get(copy_job_id) {
            Some(Job::Done { outcome, at }) if !is_over(*at, now) => {
                return Ok(JobEntry::Done(outcome.clone()));
            }
            Some(Job::Begun { owner: by, until }) if *until > now && by != owner => {
                return Ok(JobEntry::InProgress);
            }
            Some(Job::Done { .. } | Job::Begun { .. }) | None => {}
        }
        let begun = Job::Begun {
            owner: owner.to_owned(),
            until,
        };
        state.jobs.insert(copy_job_id.to_owned(), begun);
        Ok(JobEntry::Started)
    }

    async fn finish_job(&self, copy_job_id: &str, outcome: &str, now: Timestamp) -> CallResult<()> {
        let mut state = self.begin("ledger:FinishJob", copy_job_id)?;
        let done = Job::Done {
            outcome: outcome.to_owned(),
            at: now,
        };
        state.jobs.insert(copy_job_id.to_owned(), done);
        Ok(())
    }

    async fn abandon_job(&self, copy_job_id: &str, owner: &str) -> CallResult<()> {
        let mut state = self.begin("ledger:AbandonJob", copy_job_id)?;
        let is_ours = matches!(state.jobs.get(copy_job_id), Some(Job::Begun { owner: by, .. }) if by == owner);
        if is_ours {
            state.jobs.remove(copy_job_id);
        }
        Ok(())
    }

    async fn record_occurrence(
        &self,
        fingerprint: &str,
        outcome: &str,
        now: Timestamp,
    ) -> CallResult<Occurrence> {
        let mut state = self.begin("ledger:RecordOccurrence", fingerprint)?;
        let before = state
            .incidents
            .get(fingerprint)
            .filter(|counted| !is_over(counted.at, now));
        let count = before.map_or(1, |counted| counted.count.saturating_add(1));
        let previous_outcome = before.map(|counted| counted.outcome.clone());
        let counted = Counted {
            count,
            outcome: outcome.to_owned(),
            at: now,
        };
        state.incidents.insert(fingerprint.to_owned(), counted);
        Ok(Occurrence {
            count,
            previous_outcome,
        })
    }

    async fn acquire_lease(
        &self,
        resource: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> CallResult<Option<Lease>> {
        let mut state = self.begin("ledger:AcquireLease", resource)?;
        if state
            .leases
            .get(resource)
            .is_some_and(|lease| lease.until() > now && lease.owner() != owner)
        {
            return Ok(None);
        }
        let lease = Lease::recorded(resource.to_owned(), owner.to_owned(), until);
        state.leases.insert(resource.to_owned(), lease.clone());
        Ok(Some(lease))
    }

    async fn release_lease(&self, lease: Lease) -> CallResult<()> {
        let mut state = self.begin("ledger:ReleaseLease", lease.resource())?;
        if state.leases.get(lease.resource()) == Some(&lease) {
            state.leases.remove(lease.resource());
        }
        Ok(())
    }

    async fn policy_history(&self, resource: &str, now: Timestamp) -> CallResult<PolicyHistory> {
        let state = self.begin("ledger:PolicyHistory", resource)?;
        Ok(state
            .policies
            .get(resource)
            .map_or_else(PolicyHistory::default, |policy| PolicyHistory {
                sids: policy.sids.clone(),
                writes_today: policy.days.get(&day(now)).copied().unwrap_or_default(),
            }))
    }

    async fn record_change(&self, change: &Change, sids: &[String]) -> CallResult<()> {
        let mut state = self.begin("ledger:RecordChange", &change.resource)?;
        state.changes.retain(|known| known.id != change.id);
        state.changes.push(change.clone());
        let policy = state.policies.entry(change.resource.clone()).or_default();
        for sid in sids {
            if !policy.sids.contains(sid) {
                policy.sids.push(sid.clone());
            }
        }
        let writes = policy.days.entry(day(change.at)).or_default();
        *writes = writes.saturating_add(1);
        Ok(())
    }

    async fn count_retry(
        &self,
        recovery_point: &Arn,
        destination: &BackupVaultArn,
        budget: u32,
        now: Timestamp,
    ) -> CallResult<Option<u32>> {
        let mut state = self.begin("ledger:CountRetry", recovery_point.as_str())?;
        let pair = (recovery_point.to_string(), destination.to_string());
        let used = match state.retries.get(&pair) {
            Some((count, at)) if !is_over(*at, now) => *count,
            Some(_) | None => 0,
        };
        if used >= budget {
            return Ok(None);
        }
        let attempt = used.saturating_add(1);
        state.retries.insert(pair, (attempt, now));
        Ok(Some(attempt))
    }

    async fn record_retried_job(
        &self,
        retried_job: &str,
        original_job: &str,
        now: Timestamp,
    ) -> CallResult<()> {
        let mut state = self.begin("ledger:RecordRetriedJob", retried_job)?;
        state
            .retried
            .insert(retried_job.to_owned(), (original_job.to_owned(), now));
        Ok(())
    }

    async fn retry_of(&self, copy_job_id: &str) -> CallResult<Option<String>> {
        let state = self.begin("ledger:RetryOf", copy_job_id)?;
        Ok(state
            .retried
            .get(copy_job_id)
            .map(|(original, _)| original.clone()))
    }
}
