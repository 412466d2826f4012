//! The history as JSON, for auditors.

use copymend_remediation::incident::IncidentOf;
use copymend_remediation::records::{
    ApprovalRecord, ChangeRecord, Ended, IncidentRecord, PauseRecord, Record, RecordKind,
    RecordsAsked, RecordsFound, RefusalRecord, state_slug,
};
use jiff::Timestamp;
use serde_json::{Value, json};

pub(super) fn all(asked: &RecordsAsked, found: &RecordsFound, now: Timestamp) -> Value {
    let kinds = RecordKind::ALL
        .into_iter()
        .filter(|kind| asked.wants(*kind));
    let records = found.records.iter().map(|record| of_record(record, now));
    json!({
        "history": 1,
        "since": asked.since,
        "until": asked.until,
        "resource": asked.resource,
        "account": asked.account,
        "kinds": kinds.map(RecordKind::slug).collect::<Vec<_>>(),
        "records": records.collect::<Vec<_>>(),
        "goes_on_before": found.goes_on_before,
        "unreadable": found.unreadable,
    })
}

pub(super) fn one(record: &ChangeRecord) -> Value {
    json!({ "history": 1, "records": [of_change(record)] })
}

fn of_record(record: &Record, now: Timestamp) -> Value {
    match record {
        Record::Incident(incident) => of_incident(incident, record.at()),
        Record::Change(change) => of_change(change),
        Record::Refusal(refusal) => of_refusal(refusal, record.at()),
        Record::Pause(pause) => of_pause(pause, record.at(), now),
        Record::Approval(approval) => of_approval(approval, record.at(), now),
    }
}

fn of_incident(incident: &IncidentRecord, at: Timestamp) -> Value {
    let of = IncidentOf::of_fingerprint(&incident.fingerprint);
    json!({
        "kind": RecordKind::Incident.slug(),
        "at": at,
        "fingerprint": incident.fingerprint,
        "confirmed": of.map(|of| of.is_confirmed),
        "cause": of.map(|of| of.cause),
        "resource": of.map(|of| of.resource),
        "account": of.map(|of| of.account),
        "grantee": of.and_then(|of| of.grantee),
        "open": incident.open.as_ref().map(|open| json!({
            "count": open.count,
            "outcome": open.outcome,
            "first_seen": open.first_seen,
            "last_seen": open.last_seen,
        })),
        "ended": incident.ended.as_ref().map(|ended| json!({
            "count": ended.count,
            "outcome": ended.outcome,
            "first_seen": ended.first_seen,
            "at": ended.at,
        })),
    })
}

fn of_change(record: &ChangeRecord) -> Value {
    let change = &record.change;
    json!({
        "kind": RecordKind::Change.slug(),
        "at": change.at,
        "id": change.id,
        "state": state_slug(record.state),
        "resource": change.resource,
        "grantee": change.grantee,
        "account": change.account,
        "before": change.before,
        "after": change.after,
        "statements": change.statements,
        "certificate": record.certificate(),
        "copy_job_id": change.copy_job_id,
        "made_by": change.made_by,
        "undoes": change.undoes,
        "allows_again": change.allows_again,
        "undone_by": record.undone_by,
        "undo": record.undo_command(),
        "grounds": change.grounds,
    })
}

fn of_refusal(refusal: &RefusalRecord, at: Timestamp) -> Value {
    json!({
        "kind": RecordKind::Refusal.slug(),
        "at": at,
        "resource": refusal.resource,
        "grantee": refusal.grantee,
        "account": refusal.account,
        "change_id": refusal.change_id,
        "undone_by": refusal.undone_by,
        "made_by": refusal.made_by,
        "refused_at": refusal.at,
        "in_force": refusal.lifted.is_none(),
        "lifted": refusal.lifted.as_ref().map(of_end),
        "allow_again": refusal.lift_command(),
    })
}

fn of_pause(record: &PauseRecord, at: Timestamp, now: Timestamp) -> Value {
    json!({
        "kind": RecordKind::Pause.slug(),
        "at": at,
        "reason": record.pause.reason,
        "since": record.pause.since,
        "until": record.pause.until,
        "made_by": record.pause.by,
        "in_force": record.is_in_force(now),
        "lifted": record.lifted.as_ref().map(of_end),
    })
}

fn of_approval(record: &ApprovalRecord, at: Timestamp, now: Timestamp) -> Value {
    let request = &record.request;
    json!({
        "kind": RecordKind::Approval.slug(),
        "at": at,
        "plan": request.id(),
        "hash": request.hash,
        "plan_hash": request.plan,
        "copy_job_id": request.copy_job_id,
        "account": request.account,
        "region": request.region,
        "resource": request.resource,
        "grantee": request.grantee,
        "asked_at": request.asked_at,
        "expires_at": request.expires_at,
        "state": record.standing(now),
        "answered": record.state.answered(),
        "outcome": record.outcome(),
    })
}

fn of_end(ended: &Ended) -> Value {
    json!({ "at": ended.at, "by": ended.by })
}
