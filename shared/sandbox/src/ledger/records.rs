//! What is on record, in memory.

use copymend_remediation::approval::{Answered, ApprovalRequest};
use copymend_remediation::ledger::{Change, ChangeState, Pause, Refusal};
use copymend_remediation::ports::CallResult;
use copymend_remediation::records::{
    ApprovalRecord, ChangeRecord, Ended, EndedIncident, IncidentRecord, OpenIncident, PauseRecord,
    Record, Records, RecordsAsked, RecordsFound, RefusalRecord,
};
use jiff::Timestamp;

use super::MemoryLedger;
use super::state::State;

impl State {
    pub(super) fn end_incident(&mut self, fingerprint: &str, copy_job_id: &str, now: Timestamp) {
        let counted = self.incidents.get(fingerprint);
        let closed = counted.filter(|counted| counted.closed_by.as_deref() == Some(copy_job_id));
        if let Some(counted) = closed {
            let ended = EndedIncident {
                count: counted.count,
                outcome: counted.outcome.clone(),
                first_seen: counted.first_seen,
                at: now,
            };
            self.ended.insert(fingerprint.to_owned(), ended);
            self.incidents.remove(fingerprint);
        }
    }

    pub(super) fn set_pause(&mut self, pause: &Pause) {
        self.pauses
            .retain(|record| record.pause.since != pause.since);
        self.end_pause(pause.by.as_deref(), pause.since);
        self.pause = Some(pause.clone());
        self.pauses.push(PauseRecord {
            pause: pause.clone(),
            lifted: None,
        });
    }

    /// Takes down that the pause is over: once its own time was, there is nothing to take down.
    pub(super) fn end_pause(&mut self, by: Option<&str>, now: Timestamp) {
        let last = self.pauses.last_mut();
        let in_force = last.filter(|last| last.lifted.is_none() && last.pause.holds(now));
        if let Some(record) = in_force {
            record.lifted = Some(ended(by, now));
        }
    }

    /// Takes down the refusal that an undo leaves.
    pub(super) fn refuse(&mut self, undo: &Change) {
        let Some(refusal) = undo.refusal() else {
            return;
        };
        let record = RefusalRecord {
            resource: undo.resource.clone(),
            grantee: refusal.grantee.clone(),
            account: undo.account.clone(),
            change_id: refusal.change_id,
            undone_by: Some(undo.id.clone()),
            made_by: undo.made_by.clone(),
            at: Some(undo.at),
            lifted: None,
        };
        self.refusals
            .insert((undo.resource.clone(), refusal.grantee), record);
    }

    /// Takes down the refusal that a no to a plan leaves.
    pub(super) fn refuse_plan(
        &mut self,
        request: &ApprovalRequest,
        refusal: &Refusal,
        answered: &Answered,
    ) {
        let resource = request.resource.clone().unwrap_or_default();
        let record = RefusalRecord {
            resource: resource.clone(),
            grantee: refusal.grantee.clone(),
            account: request.grantee_account().map(ToOwned::to_owned),
            change_id: refusal.change_id.clone(),
            undone_by: None,
            made_by: Some(answered.by.clone()),
            at: Some(answered.at),
            lifted: None,
        };
        self.refusals
            .insert((resource, refusal.grantee.clone()), record);
    }

    pub(super) fn lift_refusal(
        &mut self,
        resource: &str,
        refusal: &Refusal,
        by: Option<&str>,
        now: Timestamp,
    ) {
        let pair = (resource.to_owned(), refusal.grantee.clone());
        // Without a record of its beginning, only its end is on record.
        let record = self.refusals.entry(pair).or_insert_with(|| RefusalRecord {
            resource: resource.to_owned(),
            grantee: refusal.grantee.clone(),
            account: None,
            change_id: refusal.change_id.clone(),
            undone_by: None,
            made_by: None,
            at: None,
            lifted: None,
        });
        record.change_id.clone_from(&refusal.change_id);
        record.lifted = Some(ended(by, now));
    }

    fn incident_records(&self) -> impl Iterator<Item = Record> {
        let fingerprints = self.incidents.keys().chain(
            self.ended
                .keys()
                .filter(|fingerprint| !self.incidents.contains_key(*fingerprint)),
        );
        fingerprints.map(|fingerprint| {
            let open = self.incidents.get(fingerprint);
            Record::Incident(IncidentRecord {
                fingerprint: fingerprint.clone(),
                open: open.map(|counted| OpenIncident {
                    count: counted.count,
                    outcome: counted.outcome.clone(),
                    first_seen: counted.first_seen,
                    last_seen: counted.at,
                }),
                ended: self.ended.get(fingerprint).cloned(),
            })
        })
    }

    fn change_record(&self, change: &Change, state: ChangeState) -> ChangeRecord {
        let mut later = self.changes.iter().rev();
        let undo = later.find(|(undo, state)| {
            *state != ChangeState::Intended && undo.undoes.as_deref() == Some(&change.id)
        });
        ChangeRecord {
            change: change.clone(),
            state,
            undone_by: undo.map(|(undo, _)| undo.id.clone()),
        }
    }

    fn change_records(&self) -> impl Iterator<Item = Record> {
        let changes = self.changes.iter();
        changes.map(|(change, state)| Record::Change(Box::new(self.change_record(change, *state))))
    }
}

fn ended(by: Option<&str>, at: Timestamp) -> Ended {
    Ended {
        at,
        by: by.map(ToOwned::to_owned),
    }
}

impl Records for MemoryLedger {
    async fn records(&self, asked: &RecordsAsked) -> CallResult<RecordsFound> {
        let state = self.begin("ledger:Records", asked.resource.as_deref().unwrap_or("all"))?;
        let refusals = state.refusals.values().cloned().map(Record::Refusal);
        let pauses = state.pauses.iter().cloned().map(Record::Pause);
        let approvals = state.requests.values().map(|(request, state)| {
            let (request, state) = (request.clone(), state.clone());
            Record::Approval(Box::new(ApprovalRecord { request, state }))
        });
        let all = state.incident_records().chain(state.change_records());
        Ok(RecordsFound::of(
            asked,
            all.chain(refusals).chain(pauses).chain(approvals).collect(),
        ))
    }

    async fn change_record(&self, id: &str) -> CallResult<Option<ChangeRecord>> {
        let state = self.begin("ledger:ChangeRecord", id)?;
        let mut changes = state.changes.iter();
        let found = changes.find(|(change, _)| change.id == id);
        Ok(found.map(|(change, changed)| state.change_record(change, *changed)))
    }
}
