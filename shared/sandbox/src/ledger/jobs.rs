//! A job's entry, taken by the one who handles it.

use copymend_remediation::ledger::{JobEntry, JobProgress, RecalledJob};
use copymend_remediation::ports::CallResult;
use jiff::Timestamp;

use super::MemoryLedger;
use super::state::{Job, JobState, State};

impl MemoryLedger {
    pub(super) fn enter(
        &self,
        copy_job_id: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> CallResult<JobEntry> {
        let mut state = self.begin("ledger:BeginJob", copy_job_id)?;
        let progress = match state.job_as_recalled(copy_job_id, owner, now) {
            RecalledJob::Free(progress) => progress,
            RecalledJob::InProgress => return Ok(JobEntry::InProgress),
            RecalledJob::Done(outcome) => return Ok(JobEntry::Done(outcome)),
        };
        let unclear = JobProgress {
            is_count_unclear: true,
            ..progress.clone()
        };
        hold(&mut state, copy_job_id, owner, until, &unclear);
        Ok(JobEntry::Started(progress))
    }

    pub(super) fn take(
        &self,
        copy_job_id: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> CallResult<Option<JobProgress>> {
        let mut state = self.begin("ledger:TakeJob", copy_job_id)?;
        let known = state.jobs.get(copy_job_id);
        if let Some(Job {
            state: JobState::Begun { owner: by, until },
            ..
        }) = known
            && *until > now
            && by != owner
        {
            return Ok(None);
        }
        let progress = known.map(|job| job.progress.clone()).unwrap_or_default();
        hold(&mut state, copy_job_id, owner, until, &progress);
        Ok(Some(progress))
    }
}

/// The entry is this owner's until then.
pub(super) fn hold(
    state: &mut State,
    copy_job_id: &str,
    owner: &str,
    until: Timestamp,
    progress: &JobProgress,
) {
    let job = Job {
        state: JobState::Begun {
            owner: owner.to_owned(),
            until,
        },
        progress: progress.clone(),
    };
    state.jobs.insert(copy_job_id.to_owned(), job);
}
