//! What is asked and done at once.

use std::sync::PoisonError;

use copymend_diagnosis::KeyArn;
use copymend_policy::AccountId;
use copymend_remediation::ledger::{
    BeforeWrite, Count, CountedAs, CountedOfSource, CountedRetries, Counting, JobProgress,
    KeyAdmission, MessageClaim, MessagesOf, OF_ALL_ACCOUNTS, Occurrence, PolicyHistory,
    RecallAsked, Recalled, RecalledIncident, RecalledJob, Refusal, RetryClaim, RetryClaimed,
    RetryRecord, StartedAgain, StartedAgainEnd,
};
use copymend_remediation::ports::CallResult;
use jiff::Timestamp;

use super::jobs::hold;
use super::state::{Counted, JobState, State};
use super::{MemoryLedger, is_over};

impl MemoryLedger {
    /// The refusals that were lifted for a resource, each with when and by whom.
    #[must_use]
    pub fn lifted(&self, resource: &str) -> Vec<(Refusal, Timestamp, Option<String>)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let policy = state.policies.get(resource);
        policy.map_or_else(Vec::new, |policy| policy.lifted().to_vec())
    }

    pub(super) fn recall_at_once(
        &self,
        asked: &RecallAsked,
        owner: &str,
        now: Timestamp,
    ) -> CallResult<Recalled> {
        let recalled = {
            let state = self.begin("ledger:Recall", &asked.copy_job_id)?;
            state.recalled(asked, owner, now)
        };
        let vault = asked.destination.as_str();
        let part = |operation, resource| self.calls.part(operation, resource);
        Ok(Recalled {
            pause: part("ledger:Pause", "pause").and(recalled.pause),
            retry: part("ledger:RetryOf", &asked.copy_job_id).and(recalled.retry),
            admission: part("ledger:AdmittedAt", vault).and(recalled.admission),
            key_admission: part("ledger:AdmittedAt", "key").and(recalled.key_admission),
            writes: recalled.writes.map(|writes| self.parts_of(vault, writes)),
            ..recalled
        })
    }

    /// What was written to a resource, as far as none of its parts is made to fail.
    pub(super) fn parts_of(&self, resource: &str, known: BeforeWrite) -> BeforeWrite {
        let part = |operation| self.calls.part(operation, resource);
        BeforeWrite {
            history: part("ledger:PolicyHistory").and(known.history),
            source_writes: part("ledger:CountedOfSource").and(known.source_writes),
            pause: known.pause,
        }
    }
}

impl State {
    pub(super) fn recalled(&self, asked: &RecallAsked, owner: &str, now: Timestamp) -> Recalled {
        let vault = asked.destination.to_string();
        let retries = |point: &String| {
            let counted = self.retries.get(&(point.clone(), vault.clone()));
            let counted = counted.cloned().unwrap_or_default();
            CountedRetries {
                jobs: counted.jobs,
                after_changes: counted.after_changes.into_iter().collect(),
            }
        };
        let point = asked.recovery_point.as_ref().map(ToString::to_string);
        let counted = |what: CountedOfSource, account: Option<AccountId>| {
            let counted = self.sources.get(&(what, account?, what.period(now)));
            Some(counted.copied().unwrap_or_default())
        };
        let messages_of = MessagesOf {
            account: asked.source,
            is_confirmed: true,
        };
        let incident = |fingerprint: &str| {
            let incident = self.incidents.get(fingerprint);
            let incident = incident.filter(|counted| !is_over(counted.at, now));
            incident.map(|counted| RecalledIncident {
                count: counted.count,
                since: counted.since,
                outcome: Some(counted.outcome.clone()).filter(|_| counted.closed_by.is_none()),
            })
        };
        let of_account = |key: &str| {
            let key: Result<KeyArn, _> = key.parse();
            key.is_ok_and(|key| key.account_id() == Some(asked.source))
        };
        let keys = self.admitted.iter().filter(|((key, grantee), _)| {
            asked.key_grantee.as_ref() == Some(grantee) && of_account(key)
        });
        let key_admission = keys.max_by_key(|(_, admission)| admission.at);
        Recalled {
            job: Ok(self.job_as_recalled(&asked.copy_job_id, owner, now)),
            pause: Ok(self.pause.clone().filter(|pause| pause.holds(now))),
            settings: Ok(self.settings.clone()),
            retry: Ok(self.retried.get(&asked.copy_job_id).cloned()),
            retries: point.as_ref().map(|point| Ok(retries(point))),
            admission: Ok(self
                .admitted
                .get(&(vault.clone(), asked.grantee.clone()))
                .cloned()),
            key_admission: Ok(key_admission.map(|((key, _), admission)| KeyAdmission {
                key: key.clone(),
                admission: admission.clone(),
            })),
            incident: Ok(incident(&asked.fingerprint)),
            key_incident: Ok(asked.key_fingerprint.as_deref().and_then(incident)),
            writes: asked
                .wants_writes
                .then(|| self.before_write(&vault, asked.source, now)),
            messages: counted(CountedOfSource::Messages, Some(asked.source)),
            messages_of_all: counted(CountedOfSource::AllMessages, OF_ALL_ACCOUNTS.parse().ok()),
            has_opted_out_key: self.opted_out.contains(&asked.source),
            left_out_since: self
                .left_out
                .get(&messages_of)
                .map(|(left_out, _)| left_out.first_at),
        }
    }

    /// How a job stands for an owner who would begin it.
    pub(super) fn job_as_recalled(
        &self,
        copy_job_id: &str,
        owner: &str,
        now: Timestamp,
    ) -> RecalledJob {
        let known = self.jobs.get(copy_job_id);
        match known.map(|job| &job.state) {
            Some(JobState::Done { outcome, at }) if !is_over(*at, now) => {
                return RecalledJob::Done(outcome.clone());
            }
            Some(JobState::Begun { owner: by, until }) if *until > now && by != owner => {
                return RecalledJob::InProgress;
            }
            Some(JobState::Done { .. } | JobState::Begun { .. }) | None => {}
        }
        // What is done and old is forgotten altogether.
        let known = known.filter(|job| matches!(job.state, JobState::Begun { .. }));
        RecalledJob::Free(known.map(|job| job.progress.clone()).unwrap_or_default())
    }

    pub(super) fn before_write(
        &self,
        resource: &str,
        source: AccountId,
        now: Timestamp,
    ) -> BeforeWrite {
        let what = CountedOfSource::Writes;
        let counted = self.sources.get(&(what, source, what.period(now)));
        let policy = self.policies.get(resource);
        BeforeWrite {
            history: Ok(policy.map_or_else(PolicyHistory::default, |policy| policy.history(now))),
            source_writes: Ok(counted.copied().unwrap_or_default()),
            pause: Ok(self.pause.clone().filter(|pause| pause.holds(now))),
        }
    }

    /// `false` where the budget is used up.
    pub(super) fn count_of_source(
        &mut self,
        what: CountedOfSource,
        source: AccountId,
        budget: u32,
        now: Timestamp,
    ) -> bool {
        let counted = self
            .sources
            .entry((what, source, what.period(now)))
            .or_default();
        let is_within = *counted < budget;
        if is_within {
            *counted = counted.saturating_add(1);
        }
        is_within
    }

    fn has_room(
        &self,
        what: CountedOfSource,
        source: AccountId,
        budget: u32,
        now: Timestamp,
    ) -> bool {
        let counted = self.sources.get(&(what, source, what.period(now)));
        counted.copied().unwrap_or_default() < budget
    }

    /// `false`, and nothing claimed, where there is no room for the message.
    fn claim_message(
        &mut self,
        message: &MessageClaim<'_>,
        source: AccountId,
        now: Timestamp,
    ) -> bool {
        let Ok(all) = OF_ALL_ACCOUNTS.parse() else {
            return false;
        };
        let budgets = [
            (CountedOfSource::Messages, source, message.budget),
            (CountedOfSource::AllMessages, all, message.budget_of_all),
        ];
        let have_room = budgets
            .iter()
            .all(|&(what, account, budget)| self.has_room(what, account, budget, now));
        let has_turn = !message.takes_turn || self.next_turn(now) == now;
        let incident = self.incidents.get_mut(message.fingerprint);
        let incident = incident.filter(|counted| {
            counted.closed_by.is_none()
                && !is_over(counted.at, now)
                && counted.since == message.occurrence.since
        });
        let Some(incident) = incident.filter(|_| have_room && has_turn) else {
            return false;
        };
        incident.since = message.occurrence.count;
        for (what, account, budget) in budgets {
            self.count_of_source(what, account, budget, now);
        }
        if message.takes_turn {
            self.take_next_turn(now);
        }
        true
    }

    pub(super) fn claim_retry(&mut self, claim: &RetryClaim<'_>, now: Timestamp) -> RetryClaimed {
        if let Some((owner, _)) = claim.begin {
            match self.job_as_recalled(claim.failed_job, owner, now) {
                RecalledJob::Free(progress) if progress == JobProgress::default() => {}
                RecalledJob::Free(_) | RecalledJob::InProgress | RecalledJob::Done(_) => {
                    return RetryClaimed::NotFree;
                }
            }
        }
        let pair = (
            claim.recovery_point.to_string(),
            claim.destination.to_string(),
        );
        let mut retries = self.retries.get(&pair).cloned().unwrap_or_default();
        let attempt = retries.count(claim.failed_job, claim.budget, claim.anew_after, now);
        let Some(attempt) = attempt else {
            return RetryClaimed::BudgetUsedUp;
        };
        let what = CountedOfSource::Retries;
        if !self.has_room(what, claim.source, claim.source_budget, now) {
            return RetryClaimed::SourceBudgetUsedUp;
        }
        if let Some(message) = &claim.message
            && !self.claim_message(message, claim.source, now)
        {
            return RetryClaimed::NoRoomForMessage;
        }
        self.count_of_source(what, claim.source, claim.source_budget, now);
        self.retries.insert(pair, retries);
        if let Some((owner, until)) = claim.begin {
            let progress = JobProgress {
                is_count_unclear: true,
                ..JobProgress::default()
            };
            hold(self, claim.failed_job, owner, until, &progress);
        }
        RetryClaimed::Attempt(attempt)
    }

    pub(super) fn record_retried_job(&mut self, retried_job: &str, record: &RetryRecord) {
        if let Some(job) = self.jobs.get_mut(&record.original_job) {
            job.progress.retried_as = Some(retried_job.to_owned());
        }
        self.retried.insert(retried_job.to_owned(), record.clone());
    }

    pub(super) fn finish_started_again(
        &mut self,
        started: &StartedAgain<'_>,
        now: Timestamp,
    ) -> StartedAgainEnd {
        let (count, record) = (&started.count, started.record);
        let open = self.incidents.get(count.fingerprint);
        let open = open.filter(|counted| counted.closed_by.is_none() && !is_over(counted.at, now));
        let since = open.map(|counted| counted.since);
        let Some(job) = self.job_of(count.copy_job_id, started.owner) else {
            return StartedAgainEnd::TakenOver;
        };
        let Some(since) = since else {
            return StartedAgainEnd::IncidentOver;
        };
        job.progress.remember(&CountedAs {
            fingerprint: count.fingerprint.to_owned(),
            outcome: count.outcome.to_owned(),
            occurrence: started.occurrence.clone(),
        });
        job.progress.told.extend(started.told);
        job.state = JobState::Done {
            outcome: count.outcome.to_owned(),
            at: now,
        };
        self.record_retried_job(started.retried_job, record);
        self.count_aloud(count, now);
        if let Some(counted) = self.incidents.get_mut(count.fingerprint) {
            counted.since = since;
        }
        StartedAgainEnd::Finished
    }

    /// Counts an occurrence, and looks whether people are to be told.
    pub(super) fn count_aloud(&mut self, count: &Count<'_>, now: Timestamp) -> Occurrence {
        let Count {
            fingerprint,
            copy_job_id: _,
            outcome,
            counting,
            is_due,
            is_quiet,
        } = *count;
        let before = self
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
            since: before.map_or(0, |counted| counted.since),
        };
        let counted = Counted {
            count,
            outcome: outcome.to_owned(),
            first_seen: before.map_or(now, |counted| counted.first_seen),
            at: now,
            closed_by: None,
            is_known: !is_quiet || before.is_some_and(|counted| counted.is_known),
            since: match (counting, before) {
                // Its number was looked at when it was counted first.
                (Counting::Again, Some(before)) => before.since,
                (Counting::First | Counting::Again, _) => count,
            },
        };
        self.ended.retain(|_, ended| !is_over(ended.at, now));
        self.incidents.insert(fingerprint.to_owned(), counted);
        occurrence
    }
}
