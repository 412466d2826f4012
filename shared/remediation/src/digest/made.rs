//! From what is on record to a digest.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::refusals::Refusals;
use super::{Changed, Digest, Failing, OldestCopies, OpenQuestion, Part, Recovered};
use crate::approval::RequestState;
use crate::incident::IncidentOf;
use crate::ledger::{ChangeState, Pause};
use crate::records::{
    ApprovalRecord, ChangeRecord, IncidentRecord, OpenIncident, Record, RecordsFound,
};
use crate::report::Outcome;
use crate::settings::Mode;

/// What there is to say, as it is gathered.
#[derive(Debug, Default)]
struct Gathered {
    /// What people are asked about: it stands with the questions.
    asked: BTreeSet<String>,
    /// What people said no to.
    refusals: Refusals,
    questions: Vec<OpenQuestion>,
    unanswered: u64,
    new: Vec<Failing>,
    still_failing: Vec<Failing>,
    not_seen_again: Vec<Failing>,
    under_way: Vec<Failing>,
    repaired: Vec<Changed>,
    undone: Vec<Changed>,
    recovered: Vec<Recovered>,
}

/// What a fingerprint is of.
struct Of {
    cause: String,
    resource: String,
    account: Option<String>,
    grantee: Option<String>,
    is_confirmed: bool,
}

impl Of {
    fn fingerprint(fingerprint: &str) -> Self {
        match IncidentOf::of_fingerprint(fingerprint) {
            Some(of) => Self {
                cause: of.cause.to_owned(),
                resource: of.resource.to_owned(),
                account: Some(of.account.to_owned()),
                grantee: of.grantee.map(ToOwned::to_owned),
                is_confirmed: of.is_confirmed,
            },
            None => Self {
                cause: "other".to_owned(),
                resource: fingerprint.to_owned(),
                account: None,
                grantee: None,
                is_confirmed: true,
            },
        }
    }
}

impl Gathered {
    fn add(&mut self, record: Record, since: Timestamp, now: Timestamp) {
        match record {
            Record::Incident(incident) => self.add_incident(incident, since),
            Record::Change(record) => self.add_change(*record),
            // That in force is asked for, however long ago it was set; refusals are taken first.
            Record::Pause(_) | Record::Refusal(_) => {}
            Record::Approval(record) => self.add_approval(*record, since, now),
        }
    }

    fn add_incident(&mut self, incident: IncidentRecord, since: Timestamp) {
        if let Some(ended) = incident.ended.filter(|ended| ended.at >= since) {
            let of = Of::fingerprint(&incident.fingerprint);
            self.recovered.push(Recovered {
                cause: of.cause,
                resource: of.resource,
                account: of.account,
                grantee: of.grantee,
                count: ended.count,
                at: ended.at,
            });
        }
        let Some(open) = incident.open else {
            return;
        };
        if self.asked.contains(&incident.fingerprint) {
            return;
        }
        let is_seen = open.last_seen >= since;
        if self
            .refusals
            .is_about(&incident.fingerprint, &open, is_seen)
        {
            return;
        }
        let is_new = open.first_seen >= since;
        let needs_a_person =
            Outcome::recorded(&open.outcome).is_none_or(Outcome::leaves_something_to_do);
        let failing = failing(&incident.fingerprint, open);
        match (is_seen, needs_a_person, is_new) {
            (true, false, _) => self.under_way.push(failing),
            (true, true, true) => self.new.push(failing),
            (true, true, false) => self.still_failing.push(failing),
            (false, true, _) => self.not_seen_again.push(failing),
            // It was told then.
            (false, false, _) => {}
        }
    }

    fn add_change(&mut self, record: ChangeRecord) {
        let change = record.change;
        let undone = change.undoes.clone();
        let changed = Changed {
            id: undone.clone().unwrap_or(change.id),
            resource: change.resource,
            grantee: change.grantee,
            at: change.at,
            made_by: change.made_by,
            is_unclear: record.state == ChangeState::Intended,
        };
        match undone {
            Some(_) => self.undone.push(changed),
            // It stands with the undo.
            None if record.state == ChangeState::Undone => {}
            None => self.repaired.push(changed),
        }
    }

    fn add_approval(&mut self, record: ApprovalRecord, since: Timestamp, now: Timestamp) {
        let request = record.request;
        match record.state {
            RequestState::Waiting if now < request.expires_at => {
                self.questions.push(OpenQuestion {
                    plan: request.id(),
                    account: request.account.to_string(),
                    expires_at: request.expires_at,
                    resource: request.resource,
                });
            }
            RequestState::Waiting if request.expires_at >= since => {
                self.unanswered = self.unanswered.saturating_add(1);
            }
            // An earlier digest told of it.
            RequestState::Waiting
            // What was refused is taken first.
            | RequestState::Refused { .. }
            | RequestState::InProgress { .. }
            | RequestState::Done { .. } => {}
        }
    }
}

fn failing(fingerprint: &str, open: OpenIncident) -> Failing {
    let of = Of::fingerprint(fingerprint);
    Failing {
        cause: of.cause,
        resource: of.resource,
        account: of.account,
        grantee: of.grantee,
        is_confirmed: of.is_confirmed,
        count: open.count,
        outcome: open.outcome,
        first_seen: open.first_seen,
        last_seen: open.last_seen,
    }
}

/// The incidents that an open question is about.
fn asked(records: &[Record], now: Timestamp) -> BTreeSet<String> {
    let requests = records.iter().filter_map(|record| match record {
        Record::Approval(record) if record.state == RequestState::Waiting => Some(&record.request),
        Record::Approval(_)
        | Record::Incident(_)
        | Record::Change(_)
        | Record::Refusal(_)
        | Record::Pause(_) => None,
    });
    requests
        .filter(|request| now < request.expires_at)
        .map(|request| request.incident.clone())
        .collect()
}

/// What AWS Backup confirmed first, then what was seen most.
fn most_first(mut all: Vec<Failing>) -> Vec<Failing> {
    all.sort_by(|one, other| {
        let key = |failing: &Failing| {
            (
                Reverse(failing.is_confirmed),
                Reverse(failing.count),
                Reverse(failing.last_seen),
            )
        };
        let names = |failing: &Failing| (failing.cause.clone(), failing.resource.clone());
        key(one)
            .cmp(&key(other))
            .then_with(|| names(one).cmp(&names(other)))
    });
    all
}

impl Digest {
    /// The digest of what was found, as of now. What is on record comes newest first. Of what was
    /// before `since` it tells what still waits for a person.
    #[must_use]
    pub(super) fn of(
        found: RecordsFound,
        (since, now): (Timestamp, Timestamp),
        mode: Mode,
        pause: Option<Pause>,
        oldest_copies: Option<OldestCopies>,
        notes: Vec<String>,
    ) -> Self {
        let mut gathered = Gathered {
            asked: asked(&found.records, now),
            refusals: Refusals::of(&found.records),
            ..Gathered::default()
        };
        for record in found.records {
            gathered.add(record, since, now);
        }
        let Gathered {
            asked: _,
            refusals,
            mut questions,
            unanswered,
            new,
            still_failing,
            not_seen_again,
            under_way,
            repaired,
            undone,
            recovered,
        } = gathered;
        questions.sort_by_key(|question| question.expires_at);
        let (mut causes, mut accounts) = (BTreeMap::new(), BTreeMap::new());
        for failing in new.iter().chain(&still_failing).chain(&not_seen_again) {
            *causes.entry(failing.cause.clone()).or_insert(0_u64) += 1;
            if let Some(account) = &failing.account {
                *accounts.entry(account.clone()).or_insert(0_u64) += 1;
            }
        }
        Self {
            at: now,
            since,
            mode,
            pause,
            questions: Part::of(questions),
            unanswered,
            new: Part::of(most_first(new)),
            still_failing: Part::of(most_first(still_failing)),
            not_seen_again: Part::of(most_first(not_seen_again)),
            under_way: Part::of(most_first(under_way)),
            repaired: Part::of(repaired),
            undone: Part::of(undone),
            refused: Part::of(refusals.told(since)),
            recovered: Part::of(recovered),
            causes,
            accounts: most(accounts),
            oldest_copies,
            read_from: found.goes_on_before,
            notes,
            unreadable: u64::try_from(found.unreadable.len()).unwrap_or(u64::MAX),
        }
    }
}

/// The accounts with the most: a digest stays small, however many there are.
fn most(accounts: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut accounts: Vec<_> = accounts.into_iter().collect();
    accounts.sort_by_key(|(account, count)| (Reverse(*count), account.clone()));
    accounts.into_iter().take(super::MOST_OF_EACH).collect()
}
