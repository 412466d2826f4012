//! The ledger in memory.

mod approvals;
mod jobs;
mod left_out;
mod preflights;
mod recall;
mod records;
mod state;
mod turns;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use copymend_policy::AccountId;
use copymend_remediation::ledger::{
    Admission, BeforeWrite, Change, ChangeState, ClosedIncident, Count, CountState, CountedAs,
    CountedOfSource, Finish, JobEntry, JobProgress, Lease, LeaseAfter, Ledger, Occurrence, Pause,
    PolicyHistory, RecallAsked, Recalled, RecordedSettings, Refusal, RetryClaim, RetryClaimed,
    RetryRecord, SettingsNotice, StartedAgain, StartedAgainEnd, ended_for_all,
};
use copymend_remediation::message::Channels;
use copymend_remediation::ports::CallResult;
use jiff::{SignedDuration, Timestamp};

use self::state::{JobState, State};
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
    async fn recall(
        &self,
        asked: &RecallAsked,
        owner: &str,
        now: Timestamp,
    ) -> CallResult<Recalled> {
        self.recall_at_once(asked, owner, now)
    }

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
        finish: &Finish,
        now: Timestamp,
    ) -> CallResult<()> {
        let mut state = self.begin("ledger:FinishJob", copy_job_id)?;
        if let Some(job) = state.job_of(copy_job_id, owner) {
            if let Some(counted) = &finish.counted {
                job.progress.remember(counted);
            }
            job.progress.told.extend(&finish.told);
            job.state = JobState::Done {
                outcome: finish.outcome.clone(),
                at: now,
            };
        }
        Ok(())
    }

    async fn abandon_job(
        &self,
        copy_job_id: &str,
        owner: &str,
        count: CountState,
    ) -> CallResult<()> {
        let mut state = self.begin("ledger:AbandonJob", copy_job_id)?;
        if let Some(job) = state.job_of(copy_job_id, owner) {
            job.progress.is_count_unclear = count == CountState::Unclear;
            job.state = JobState::Begun {
                owner: owner.to_owned(),
                until: Timestamp::UNIX_EPOCH,
            };
        }
        Ok(())
    }

    async fn count_occurrence(&self, count: Count<'_>, now: Timestamp) -> CallResult<Occurrence> {
        let mut state = self.begin("ledger:CountOccurrence", count.fingerprint)?;
        Ok(state.count_aloud(&count, now))
    }

    async fn record_count(
        &self,
        copy_job_id: &str,
        owner: &str,
        counted: &CountedAs,
    ) -> CallResult<()> {
        let mut state = self.begin("ledger:RecordCount", copy_job_id)?;
        if let Some(job) = state.job_of(copy_job_id, owner) {
            job.progress.remember(counted);
        }
        Ok(())
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

    async fn count_of_source(
        &self,
        what: CountedOfSource,
        source: AccountId,
        budget: u32,
        now: Timestamp,
    ) -> CallResult<bool> {
        let mut state = self.begin("ledger:CountOfSource", source.as_str())?;
        Ok(state.count_of_source(what, source, budget, now))
    }

    async fn policy_history(&self, resource: &str, now: Timestamp) -> CallResult<PolicyHistory> {
        let state = self.begin("ledger:PolicyHistory", resource)?;
        Ok(state
            .policies
            .get(resource)
            .map_or_else(PolicyHistory::default, |policy| policy.history(now)))
    }

    async fn before_write(
        &self,
        resource: &str,
        source: AccountId,
        now: Timestamp,
    ) -> CallResult<BeforeWrite> {
        let known = {
            let state = self.begin("ledger:BeforeWrite", resource)?;
            state.before_write(resource, source, now)
        };
        let pause = self
            .calls
            .part("ledger:Pause", "pause")
            .and(known.pause.clone());
        Ok(BeforeWrite {
            pause,
            ..self.parts_of(resource, known)
        })
    }

    async fn intend_change(
        &self,
        change: &Change,
        owner: &str,
        source: Option<(AccountId, u32)>,
    ) -> CallResult<bool> {
        let mut state = self.begin("ledger:IntendChange", &change.resource)?;
        if let Some((source, budget)) = source
            && !state.count_of_source(CountedOfSource::Writes, source, budget, change.at)
        {
            return Ok(false);
        }
        state.changes.retain(|(known, _)| known.id != change.id);
        state.changes.push((change.clone(), ChangeState::Intended));
        let policy = state.policies.entry(change.resource.clone()).or_default();
        policy.count(change.at);
        if change.undoes.is_none()
            && let Some(job) = state.job_of(&change.copy_job_id, owner)
        {
            job.progress.change_id = Some(change.id.clone());
        }
        Ok(true)
    }

    async fn confirm_change(
        &self,
        change: &Change,
        sids: &[String],
        under: Option<(&Lease, LeaseAfter)>,
    ) -> CallResult<()> {
        let mut state = self.begin("ledger:ConfirmChange", &change.resource)?;
        let lease = under.map(|(lease, _)| lease);
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
        if let Some((lease, LeaseAfter::GivenBack)) = under {
            state.leases.remove(lease.resource());
        }
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

    async fn record_opted_out_key(&self, source: AccountId, _now: Timestamp) -> CallResult<()> {
        let mut state = self.begin("ledger:RecordOptedOutKey", source.as_str())?;
        state.opted_out.insert(source);
        Ok(())
    }

    async fn claim_retry(
        &self,
        claim: &RetryClaim<'_>,
        now: Timestamp,
    ) -> CallResult<RetryClaimed> {
        let mut state = self.begin("ledger:ClaimRetry", claim.recovery_point.as_str())?;
        Ok(state.claim_retry(claim, now))
    }

    async fn record_retried_job(
        &self,
        retried_job: &str,
        record: &RetryRecord,
        _now: Timestamp,
    ) -> CallResult<()> {
        let mut state = self.begin("ledger:RecordRetriedJob", retried_job)?;
        state.record_retried_job(retried_job, record);
        Ok(())
    }

    async fn finish_started_again(
        &self,
        started: &StartedAgain<'_>,
        now: Timestamp,
    ) -> CallResult<StartedAgainEnd> {
        let mut state = self.begin("ledger:FinishStartedAgain", started.retried_job)?;
        Ok(state.finish_started_again(started, now))
    }

    async fn retry_of(&self, copy_job_id: &str) -> CallResult<Option<RetryRecord>> {
        let state = self.begin("ledger:RetryOf", copy_job_id)?;
        Ok(state.retried.get(copy_job_id).cloned())
    }
}
