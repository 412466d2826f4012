//! The ledger in memory.

mod approvals;
mod jobs;
mod left_out;
mod preflights;
mod records;
mod state;
mod turns;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use copymend_diagnosis::BackupVaultArn;
use copymend_policy::{AccountId, Arn};
use copymend_remediation::ledger::{
    Admission, Change, ChangeState, ClosedIncident, Count, CountedAs, CountedOfSource, Counting,
    JobEntry, JobProgress, Lease, Ledger, Occurrence, Pause, PolicyHistory, RecordedSettings,
    Refusal, RetryRecord, SettingsNotice, ended_for_all,
};
use copymend_remediation::message::Channels;
use copymend_remediation::ports::CallResult;
use jiff::{SignedDuration, Timestamp};

use self::state::{Counted, JobState, State};
use crate::calls::Calls;

/// How long finished jobs, incidents and retries are remembered.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A [`Ledger`] that forgets when the program ends. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryLedger {
    calls: Calls,
    state: Arc<Mutex<State>>,
}

fn is_over(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) > KEPT
}

impl MemoryLedger {
    pub(crate) fn new(calls: Calls) -> Self {
        Self {
            calls,
            state: Arc::default(),
        }
    }

    /// Counts the call; the table's operation is the same for every method, so each has a name of
    /// its own here.
    fn begin(&self, operation: &'static str, key: &str) -> CallResult<MutexGuard<'_, State>> {
        self.calls.begin(operation, key).fault()?;
        Ok(self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The refusals that were lifted for a resource, each with when and by whom.
    #[must_use]
    pub fn lifted(&self, resource: &str) -> Vec<(Refusal, Timestamp, Option<String>)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let policy = state.policies.get(resource);
        policy.map_or_else(Vec::new, |policy| policy.lifted().to_vec())
    }

    /// The changes that were written, undone ones included, oldest first.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state
            .changes
            .iter()
            .filter(|(_, state)| *state != ChangeState::Intended)
            .map(|(change, _)| change.clone())
            .collect()
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
        self.enter(copy_job_id, owner, now, until)
    }

    async fn take_job(
        &self,
        copy_job_id: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> CallResult<Option<JobProgress>> {
        self.take(copy_job_id, owner, now, until)
    }

    async fn progress_of_job(&self, copy_job_id: &str) -> CallResult<Option<JobProgress>> {
        let state = self.begin("ledger:ProgressOfJob", copy_job_id)?;
        Ok(state.jobs.get(copy_job_id).map(|job| job.progress.clone()))
    }

    async fn outcome_of_job(&self, copy_job_id: &str) -> CallResult<Option<String>> {
        let state = self.begin("ledger:OutcomeOfJob", copy_job_id)?;
        Ok(match state.jobs.get(copy_job_id).map(|job| &job.state) {
            Some(JobState::Done { outcome, .. }) => Some(outcome.clone()),
            Some(JobState::Begun { .. }) | None => None,
        })
    }

    async fn finish_job(
        &self,
        copy_job_id: &str,
        owner: &str,
        outcome: &str,
        now: Timestamp,
    ) -> CallResult<()> {
        let mut state = self.begin("ledger:FinishJob", copy_job_id)?;
        if let Some(job) = state.jobs.get_mut(copy_job_id)
            && matches!(&job.state, JobState::Begun { owner: by, .. } if by == owner)
        {
            job.state = JobState::Done {
                outcome: outcome.to_owned(),
                at: now,
            };
        }
        Ok(())
    }

    async fn abandon_job(&self, copy_job_id: &str, owner: &str) -> CallResult<()> {
        let mut state = self.begin("ledger:AbandonJob", copy_job_id)?;
        if let Some(job) = state.jobs.get_mut(copy_job_id)
            && let JobState::Begun { owner: by, until } = &mut job.state
            && by == owner
        {
            *until = Timestamp::UNIX_EPOCH;
        }
        Ok(())
    }

    async fn count_occurrence(&self, count: Count<'_>, now: Timestamp) -> CallResult<Occurrence> {
        let Count {
            fingerprint,
            copy_job_id,
            owner,
            outcome,
            counting,
            is_due,
            is_quiet,
        } = count;
        let mut state = self.begin("ledger:CountOccurrence", fingerprint)?;
        let before = state
            .incidents
            .get(fingerprint)
            .filter(|counted| !is_over(counted.at, now));
        let added = match counting {
            Counting::First => 1,
            Counting::Again => 0,
        };
        let count = before.map_or(1, |counted| counted.count.saturating_add(added));
        let occurrence = Occurrence {
            count,
            // After its end an incident begins anew for people, although it may not be forgotten
            // yet.
            previous_outcome: before
                .filter(|counted| counted.closed_by.is_none() && !is_due)
                .map(|counted| counted.outcome.clone()),
        };
        let counted = Counted {
            count,
            outcome: outcome.to_owned(),
            first_seen: before.map_or(now, |counted| counted.first_seen),
            at: now,
            closed_by: None,
            is_known: !is_quiet || before.is_some_and(|counted| counted.is_known),
        };
        state.ended.retain(|_, ended| !is_over(ended.at, now));
        state.incidents.insert(fingerprint.to_owned(), counted);
        if let Some(job) = state.job_of(copy_job_id, owner) {
            job.progress.counted = Some(CountedAs {
                fingerprint: fingerprint.to_owned(),
                outcome: outcome.to_owned(),
                occurrence: occurrence.clone(),
            });
            job.progress.told.clear();
        }
        Ok(occurrence)
    }

    async fn record_told(&self, copy_job_id: &str, owner: &str, on: &Channels) -> CallResult<()> {
        let mut state = self.begin("ledger:RecordTold", copy_job_id)?;
        if let Some(job) = state.job_of(copy_job_id, owner) {
            job.progress.told.extend(on);
        }
        Ok(())
    }

    async fn close_incident(&self, copy_job_id: &str) -> CallResult<Option<ClosedIncident>> {
        let mut state = self.begin("ledger:CloseIncident", copy_job_id)?;
        let fingerprint = state
            .jobs
            .get(copy_job_id)
            .and_then(|job| job.progress.counted.as_ref())
            .map(|counted| counted.fingerprint.clone());
        Ok(fingerprint.and_then(|fingerprint| {
            let counted = state.incidents.get_mut(&fingerprint)?;
            let closed_by = counted.closed_by.get_or_insert(copy_job_id.to_owned());
            (closed_by == copy_job_id).then_some(ClosedIncident {
                count: counted.count,
                first_seen: counted.first_seen,
                is_known: counted.is_known,
                fingerprint,
            })
        }))
    }

    async fn forget_incident(
        &self,
        incident: &ClosedIncident,
        copy_job_id: &str,
        now: Timestamp,
    ) -> CallResult<()> {
        let mut state = self.begin("ledger:ForgetIncident", &incident.fingerprint)?;
        state.end_incident(&incident.fingerprint, copy_job_id, now);
        Ok(())
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
            .is_some_and(|lease| lease.until() > ended_for_all(now) && lease.owner() != owner)
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

    async fn is_leased(&self, lease: &Lease) -> CallResult<bool> {
        let state = self.begin("ledger:IsLeased", lease.resource())?;
        Ok(state.leases.get(lease.resource()) == Some(lease))
    }

    async fn counted_of_source(
        &self,
        what: CountedOfSource,
        source: AccountId,
        now: Timestamp,
    ) -> CallResult<u32> {
        let state = self.begin("ledger:CountedOfSource", source.as_str())?;
        let counted = state.sources.get(&(what, source, what.period(now)));
        Ok(counted.copied().unwrap_or_default())
    }

    async fn count_of_source(
        &self,
        what: CountedOfSource,
        source: AccountId,
        budget: u32,
        now: Timestamp,
    ) -> CallResult<bool> {
        let mut state = self.begin("ledger:CountOfSource", source.as_str())?;
        let counted = state
            .sources
            .entry((what, source, what.period(now)))
            .or_default();
        let is_within = *counted < budget;
        if is_within {
            *counted = counted.saturating_add(1);
        }
        Ok(is_within)
    }

    async fn policy_history(&self, resource: &str, now: Timestamp) -> CallResult<PolicyHistory> {
        let state = self.begin("ledger:PolicyHistory", resource)?;
        Ok(state
            .policies
            .get(resource)
            .map_or_else(PolicyHistory::default, |policy| policy.history(now)))
    }

    async fn intend_change(&self, change: &Change, owner: &str) -> CallResult<()> {
        let mut state = self.begin("ledger:IntendChange", &change.resource)?;
        state.changes.retain(|(known, _)| known.id != change.id);
        state.changes.push((change.clone(), ChangeState::Intended));
        let policy = state.policies.entry(change.resource.clone()).or_default();
        policy.count(change.at);
        if change.undoes.is_none()
            && let Some(job) = state.job_of(&change.copy_job_id, owner)
        {
            job.progress.change_id = Some(change.id.clone());
        }
        Ok(())
    }

    async fn confirm_change(
        &self,
        change: &Change,
        sids: &[String],
        lease: Option<&Lease>,
    ) -> CallResult<()> {
        let mut state = self.begin("ledger:ConfirmChange", &change.resource)?;
        let place = state
            .changes
            .iter()
            .position(|(known, _)| known.id == change.id);
        let known = place.and_then(|place| state.changes.get(place));
        if known.is_some_and(|(_, state)| *state != ChangeState::Intended) {
            return Ok(());
        }
        if let Some(lease) = lease
            && state.leases.get(lease.resource()) != Some(lease)
        {
            return Err(lease.lost());
        }
        let policy = state.policies.get(&change.resource);
        let is_last = lease.is_some() || policy.is_none_or(|policy| policy.is_last_at(change.at));
        if !is_last && change.undoes.is_some() {
            return Err(change.undo_is_late());
        }
        let written = (change.clone(), ChangeState::Written);
        match place.and_then(|place| state.changes.get_mut(place)) {
            Some(known) => *known = written,
            None => state.changes.push(written),
        }
        if state
            .last_change
            .as_ref()
            .is_none_or(|(_, at)| *at <= change.at)
        {
            state.last_change = Some((change.id.clone(), change.at));
        }
        let pair = (change.resource.clone(), change.grantee.clone());
        if let Some(undone) = &change.undoes {
            state.admitted.remove(&pair);
            for (known, state) in &mut state.changes {
                if known.id == *undone {
                    *state = ChangeState::Undone;
                }
            }
        } else if is_last {
            let admission = Admission {
                at: change.at,
                change_id: Some(change.id.clone()),
            };
            state.admitted.insert(pair, admission);
        }
        state.refuse(change);
        let policy = state.policies.entry(change.resource.clone()).or_default();
        policy.confirm(change, sids, is_last);
        Ok(())
    }

    async fn lift_refusal(
        &self,
        resource: &str,
        refusal: &Refusal,
        lifted_by: Option<&str>,
        now: Timestamp,
    ) -> CallResult<()> {
        let mut state = self.begin("ledger:LiftRefusal", resource)?;
        let policy = state.policies.get_mut(resource);
        if policy.is_some_and(|policy| policy.lift(refusal, lifted_by, now)) {
            state.lift_refusal(resource, refusal, lifted_by, now);
        }
        Ok(())
    }

    async fn pause(&self, now: Timestamp) -> CallResult<Option<Pause>> {
        let state = self.begin("ledger:Pause", "pause")?;
        Ok(state.pause.clone().filter(|pause| pause.holds(now)))
    }

    async fn set_pause(&self, pause: &Pause) -> CallResult<()> {
        let mut state = self.begin("ledger:SetPause", "pause")?;
        state.set_pause(pause);
        Ok(())
    }

    async fn lift_pause(&self, lifted_by: Option<&str>, now: Timestamp) -> CallResult<bool> {
        let mut state = self.begin("ledger:LiftPause", "pause")?;
        state.end_pause(lifted_by, now);
        Ok(state.pause.take().is_some())
    }

    async fn claim_settings_notice(
        &self,
        settings: &RecordedSettings,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> CallResult<Option<SettingsNotice>> {
        let mut state = self.begin("ledger:ClaimSettingsNotice", "settings")?;
        let Some(recorded) = state.settings.clone() else {
            state.settings = Some(settings.clone());
            return Ok(None);
        };
        let is_anothers = state
            .settings_notice
            .as_ref()
            .is_some_and(|(by, until)| by != owner && *until > now);
        if recorded.hash == settings.hash {
            return Ok(None);
        }
        if !is_anothers {
            state.settings_notice = Some((owner.to_owned(), until));
        }
        Ok(Some(SettingsNotice {
            before: recorded,
            is_anothers,
        }))
    }

    async fn record_settings(&self, settings: &RecordedSettings, owner: &str) -> CallResult<()> {
        let mut state = self.begin("ledger:RecordSettings", "settings")?;
        let claimed = state.settings_notice.as_ref();
        if claimed.is_some_and(|(by, _)| by == owner) {
            state.settings = Some(settings.clone());
            state.settings_notice = None;
        }
        Ok(())
    }

    async fn change(&self, id: &str) -> CallResult<Option<(Change, ChangeState)>> {
        let state = self.begin("ledger:Change", id)?;
        Ok(state
            .changes
            .iter()
            .find(|(change, _)| change.id == id)
            .cloned())
    }

    async fn last_change(&self) -> CallResult<Option<String>> {
        let state = self.begin("ledger:LastChange", "last")?;
        Ok(state.last_change.as_ref().map(|(id, _)| id.clone()))
    }

    async fn admitted_at(&self, resource: &str, grantee: &str) -> CallResult<Option<Admission>> {
        let state = self.begin("ledger:AdmittedAt", resource)?;
        let pair = (resource.to_owned(), grantee.to_owned());
        Ok(state.admitted.get(&pair).cloned())
    }

    async fn count_retry(
        &self,
        recovery_point: &Arn,
        destination: &BackupVaultArn,
        failed_job: &str,
        budget: u32,
        anew_after: Option<&str>,
        now: Timestamp,
    ) -> CallResult<Option<u32>> {
        let mut state = self.begin("ledger:CountRetry", recovery_point.as_str())?;
        let pair = (recovery_point.to_string(), destination.to_string());
        let retries = state.retries.entry(pair).or_default();
        Ok(retries.count(failed_job, budget, anew_after, now))
    }

    async fn record_retried_job(
        &self,
        retried_job: &str,
        record: &RetryRecord,
        _now: Timestamp,
    ) -> CallResult<()> {
        let mut state = self.begin("ledger:RecordRetriedJob", retried_job)?;
        if let Some(job) = state.jobs.get_mut(&record.original_job) {
            job.progress.retried_as = Some(retried_job.to_owned());
        }
        state.retried.insert(retried_job.to_owned(), record.clone());
        Ok(())
    }

    async fn retry_of(&self, copy_job_id: &str) -> CallResult<Option<RetryRecord>> {
        let state = self.begin("ledger:RetryOf", copy_job_id)?;
        Ok(state.retried.get(copy_job_id).cloned())
    }
}
