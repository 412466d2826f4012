//! What is on record, for whoever looks back: incidents, changes, refusals, pauses and approvals, by time, by
//! resource or by account, the newest first.
//!
//! A record is found under the UTC day on which something last happened to it. So one day's records
//! are one partition of an index, and a day that is over is never read again for a later one.

mod asked;

use copymend_policy::{AccountId, Arn, Certificate};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

pub use asked::{RecordsAsked, RecordsFound};

use crate::approval::{ApprovalRequest, RequestState};
use crate::change::change_recorded;
use crate::incident::IncidentOf;
use crate::ledger::{Change, ChangeState, Pause};
use crate::plan::Target;
use crate::ports::CallResult;

/// What a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordKind {
    /// Copies that failed for one reason at one resource.
    Incident,
    /// A write to a policy, or an undo of one.
    Change,
    /// A grantee that is not admitted again after an undo.
    Refusal,
    /// A person stopped every write.
    Pause,
    /// A plan that people were asked about.
    Approval,
}

impl RecordKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Incident,
        Self::Change,
        Self::Refusal,
        Self::Pause,
        Self::Approval,
    ];

    /// The stable name.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Incident => "incident",
            Self::Change => "change",
            Self::Refusal => "refusal",
            Self::Pause => "pause",
            Self::Approval => "approval",
        }
    }
}

/// An incident as it stands: it goes on, or it is over, or both: it began anew after its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentRecord {
    /// What it is counted under, as [`IncidentOf`] takes it apart.
    pub fingerprint: String,
    /// What was seen since it began last. `None` once it is over.
    pub open: Option<OpenIncident>,
    /// The last time that it was over: a copy that was started again worked. Earlier ones aren't
    /// kept.
    pub ended: Option<EndedIncident>,
}

/// What was seen of an incident since it began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIncident {
    /// How often.
    pub count: u64,
    /// The last outcome's slug.
    pub outcome: String,
    /// When it was seen first.
    pub first_seen: Timestamp,
    /// When it was seen last.
    pub last_seen: Timestamp,
}

/// An incident that was over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedIncident {
    /// How often it had been seen.
    pub count: u64,
    /// The last outcome's slug.
    pub outcome: String,
    /// When it was seen first.
    pub first_seen: Timestamp,
    /// When it was over.
    pub at: Timestamp,
}

/// A change as the ledger has it by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRecord {
    /// The change.
    pub change: Change,
    /// How far it came.
    pub state: ChangeState,
    /// The change that took it back. Absent too where a version before this record took it back.
    pub undone_by: Option<String>,
}

impl ChangeRecord {
    /// The command that takes it back, where that can be done. What was only intended may have been
    /// written all the same.
    #[must_use]
    pub fn undo_command(&self) -> Option<String> {
        let is_standing = match self.state {
            ChangeState::Intended | ChangeState::Written => self.change.undoes.is_none(),
            ChangeState::Undone => false,
        };
        let has_policy = match Target::of_resource(&self.change.resource) {
            Some(Target::VaultPolicy(_) | Target::KeyPolicy(_)) => true,
            Some(Target::ServiceLinkedRole(_)) | None => false,
        };
        (is_standing && has_policy).then(|| format!("copymend undo {}", self.change.id))
    }

    /// The proof that it only added its statements, made again from the texts on record. `None` for
    /// an undo, and where the texts don't prove it.
    #[must_use]
    pub fn certificate(&self) -> Option<Certificate> {
        change_recorded(&self.change, false).certificate
    }
}

/// The stable name of a change's state.
#[must_use]
pub const fn state_slug(state: ChangeState) -> &'static str {
    match state {
        ChangeState::Intended => "intended",
        ChangeState::Written => "written",
        ChangeState::Undone => "undone",
    }
}

/// When, and by whom, something ended that a person had set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// The ARN that AWS knows the person by, where it is on record.
    pub by: Option<String>,
}

/// The refusal that an undo left. There is one for each resource and grantee: the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalRecord {
    /// The vault or key.
    pub resource: String,
    /// Who isn't admitted.
    pub grantee: String,
    /// The account that the grantee belongs to, where it is on record.
    pub account: Option<String>,
    /// The change that was taken back.
    pub change_id: String,
    /// The undo.
    pub undone_by: Option<String>,
    /// Who took it back, where it is on record.
    pub made_by: Option<String>,
    /// When. Absent where only its end is on record.
    pub at: Option<Timestamp>,
    /// When it was lifted; `None` while it is in force.
    pub lifted: Option<Ended>,
}

impl RefusalRecord {
    /// The command that lifts it, while it is in force.
    #[must_use]
    pub fn lift_command(&self) -> Option<String> {
        let is_in_force = self.lifted.is_none();
        is_in_force.then(|| format!("copymend undo --allow-again {}", self.change_id))
    }
}

/// A pause, and its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PauseRecord {
    /// The pause.
    pub pause: Pause,
    /// When a person ended it, or put another in its place. Its own `until` ends it too.
    pub lifted: Option<Ended>,
}

impl PauseRecord {
    /// Whether it still holds.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.lifted.is_none() && self.pause.holds(now)
    }
}

/// A plan that people were asked about, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalRecord {
    /// The question.
    pub request: ApprovalRequest,
    /// The answer.
    pub state: RequestState,
}

impl ApprovalRecord {
    /// What came of a yes, once it was carried out.
    #[must_use]
    pub fn outcome(&self) -> Option<&str> {
        match &self.state {
            RequestState::Done { outcome, .. } => Some(outcome),
            RequestState::Waiting
            | RequestState::InProgress { .. }
            | RequestState::Refused { .. } => None,
        }
    }

    /// How it stands, in a word.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> &'static str {
        match &self.state {
            RequestState::Waiting if now >= self.request.expires_at => "expired",
            RequestState::Waiting => "waiting",
            RequestState::InProgress { .. } => "in progress",
            RequestState::Done { .. } => "approved",
            RequestState::Refused { .. } => "refused",
        }
    }
}

/// Something on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// An incident.
    Incident(IncidentRecord),
    /// A change.
    Change(Box<ChangeRecord>),
    /// A refusal.
    Refusal(RefusalRecord),
    /// A pause.
    Pause(PauseRecord),
    /// A plan that people were asked about.
    Approval(Box<ApprovalRecord>),
}

impl Record {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> RecordKind {
        match self {
            Self::Incident(_) => RecordKind::Incident,
            Self::Change(_) => RecordKind::Change,
            Self::Refusal(_) => RecordKind::Refusal,
            Self::Pause(_) => RecordKind::Pause,
            Self::Approval(_) => RecordKind::Approval,
        }
    }

    /// What tells it from others of its kind: a change's id, an incident's fingerprint, the change
    /// whose undo left a refusal, the reason of a pause, the copy job of a plan.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Incident(incident) => &incident.fingerprint,
            Self::Change(record) => &record.change.id,
            Self::Refusal(refusal) => &refusal.change_id,
            Self::Pause(record) => &record.pause.reason,
            Self::Approval(record) => &record.request.copy_job_id,
        }
    }

    /// When something last happened to it. An undo of a change is a record of its own.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        let last = match self {
            Self::Incident(incident) => {
                let open = incident.open.as_ref().map(|open| open.last_seen);
                open.max(incident.ended.as_ref().map(|ended| ended.at))
            }
            Self::Change(record) => Some(record.change.at),
            Self::Refusal(refusal) => refusal.at.max(refusal.lifted.as_ref().map(|end| end.at)),
            Self::Pause(record) => {
                let lifted = record.lifted.as_ref().map(|end| end.at);
                Some(record.pause.since).max(lifted)
            }
            Self::Approval(record) => {
                let answered = record.state.answered().map(|answered| answered.at);
                Some(record.request.asked_at).max(answered)
            }
        };
        last.unwrap_or_default()
    }

    /// When it began: for an incident that goes on, when it was seen first.
    #[must_use]
    pub fn began(&self) -> Timestamp {
        match self {
            Self::Incident(incident) => {
                let open = incident.open.as_ref().map(|open| open.first_seen);
                let ended = incident.ended.as_ref().map(|ended| ended.first_seen);
                open.or(ended).unwrap_or_default()
            }
            Self::Change(_) | Self::Refusal(_) | Self::Pause(_) => self.at(),
            Self::Approval(record) => record.request.asked_at,
        }
    }

    /// What it is about: a vault, a key or a role. A pause is about everything.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        match self {
            Self::Incident(incident) => {
                Some(IncidentOf::of_fingerprint(&incident.fingerprint)?.resource)
            }
            Self::Change(record) => Some(&record.change.resource),
            Self::Refusal(refusal) => Some(&refusal.resource),
            Self::Pause(_) => None,
            Self::Approval(record) => record.request.resource.as_deref(),
        }
    }

    /// Whether it is about an account: as the owner of the resource, or as the one whose copies fail
    /// or are admitted.
    #[must_use]
    pub fn concerns(&self, account: AccountId) -> bool {
        let is = |one: Option<&str>| one == Some(account.as_str());
        let owns = |resource: &str| owner(resource) == Some(account);
        match self {
            Self::Incident(incident) => fingerprint_concerns(&incident.fingerprint, account),
            Self::Change(record) => {
                let change = &record.change;
                is(change.account.as_deref())
                    || owns(&change.resource)
                    || admits(&change.grantee, account)
            }
            Self::Refusal(refusal) => {
                is(refusal.account.as_deref())
                    || owns(&refusal.resource)
                    || admits(&refusal.grantee, account)
            }
            Self::Pause(_) => false,
            Self::Approval(record) => {
                let request = &record.request;
                request.account == account
                    || request.resource.as_deref().is_some_and(owns)
                    || request
                        .grantee
                        .as_deref()
                        .is_some_and(|grantee| admits(grantee, account))
            }
        }
    }
}

/// Whether an incident is about an account. What can't be taken apart may be.
#[must_use]
pub fn fingerprint_concerns(fingerprint: &str, account: AccountId) -> bool {
    IncidentOf::of_fingerprint(fingerprint).is_none_or(|of| {
        of.account == account.as_str()
            || owner(of.resource) == Some(account)
            || of.grantee.is_some_and(|grantee| admits(grantee, account))
    })
}

fn owner(resource: &str) -> Option<AccountId> {
    resource.parse::<Arn>().ok()?.account_id()
}

/// Whether a grantee, in the ledger's words, belongs to an account.
fn admits(grantee: &str, account: AccountId) -> bool {
    owner(grantee) == Some(account) || grantee.split('/').next() == Some(account.as_str())
}

/// The UTC day of a moment.
#[must_use]
pub fn utc_day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// The part of the ledger that answers what is on record.
pub trait Records: Send + Sync {
    /// What is on record, from an index: never by reading the whole table. The index is read a
    /// moment late, so what was written in the last second may be missing.
    ///
    /// # Errors
    ///
    /// A call that failed, also where the table has no such index yet.
    fn records(
        &self,
        asked: &RecordsAsked,
    ) -> impl Future<Output = CallResult<RecordsFound>> + Send;

    /// A change by its id, with what took it back.
    fn change_record(
        &self,
        id: &str,
    ) -> impl Future<Output = CallResult<Option<ChangeRecord>>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_is_about_the_accounts_that_its_fingerprint_names() {
        let vault = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr";
        let key = "arn:aws:kms:eu-west-1:111122223333:key/1";
        let is = |fingerprint: &str, account: &str| {
            fingerprint_concerns(fingerprint, account.parse().unwrap())
        };
        for (fingerprint, accounts, others) in [
            (
                format!("unverified#vault-not-found#{vault}#111122223333"),
                vec!["111122223333", "444455556666"],
                "777788889999",
            ),
            (
                format!("source-key-policy#{key}#111122223333#444455556666/documented"),
                vec!["111122223333", "444455556666"],
                "777788889999",
            ),
        ] {
            for account in accounts {
                assert!(is(&fingerprint, account), "{fingerprint} {account}");
            }
            assert!(!is(&fingerprint, others), "{fingerprint}");
        }
        // What can't be taken apart is looked at.
        assert!(is(
            "advisor#unknown#CreateBackupVault#role#111122223333",
            "777788889999"
        ));
    }
}
