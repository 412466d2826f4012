//! What is on record, for whoever looks back: incidents, changes, refusals and pauses, by time, by
//! resource or by account, the newest first.
//!
//! A record is found under the UTC day on which something last happened to it. So one day's records
//! are one partition of an index, and a day that is over is never read again for a later one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use copymend_policy::{AccountId, Arn, Certificate};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::change::change_recorded;
use crate::incident::IncidentOf;
use crate::ledger::{Change, ChangeState, Pause};
use crate::plan::Target;
use crate::ports::CallResult;

/// What a record is of. `copymend approve` and `refuse` will add theirs here: a plan that a person
/// answered.
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
}

impl RecordKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Incident, Self::Change, Self::Refusal, Self::Pause];

    /// The stable name.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Incident => "incident",
            Self::Change => "change",
            Self::Refusal => "refusal",
            Self::Pause => "pause",
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
        }
    }

    /// What tells it from others of its kind: a change's id, an incident's fingerprint, the change
    /// whose undo left a refusal, the reason of a pause.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Incident(incident) => &incident.fingerprint,
            Self::Change(record) => &record.change.id,
            Self::Refusal(refusal) => &refusal.change_id,
            Self::Pause(record) => &record.pause.reason,
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

/// Which records are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordsAsked {
    /// From this moment on.
    pub since: Timestamp,
    /// Before this moment.
    pub until: Timestamp,
    /// About this resource alone.
    pub resource: Option<String>,
    /// About this account alone, whatever its part is.
    pub account: Option<AccountId>,
    /// Of these kinds alone; empty for every kind.
    pub kinds: BTreeSet<RecordKind>,
    /// So many are enough: no earlier day is read once there are as many. The days that are read are
    /// answered whole.
    pub enough: usize,
}

impl RecordsAsked {
    /// Whether a kind is wanted.
    #[must_use]
    pub fn wants(&self, kind: RecordKind) -> bool {
        let is_about_all = self.resource.is_none() && self.account.is_none();
        let may_be = match kind {
            RecordKind::Incident | RecordKind::Change | RecordKind::Refusal => true,
            RecordKind::Pause => is_about_all,
        };
        may_be && (self.kinds.is_empty() || self.kinds.contains(&kind))
    }

    /// Whether a record is wanted. An incident is where it went on in that time.
    #[must_use]
    pub fn admits(&self, record: &Record) -> bool {
        let resource = self.resource.as_deref();
        self.wants(record.kind())
            && record.at() >= self.since
            && record.began() < self.until
            && resource.is_none_or(|resource| record.resource() == Some(resource))
            && self.account.is_none_or(|account| record.concerns(account))
    }

    /// The UTC days from the last to the first.
    pub fn days(&self) -> impl Iterator<Item = Date> + use<> {
        let first = utc_day(self.since);
        // `until` itself is no more wanted.
        let before = Timestamp::from_nanosecond(self.until.as_nanosecond() - 1);
        let last = utc_day(before.unwrap_or(self.until));
        std::iter::successors(Some(last), |day| day.yesterday().ok())
            .take_while(move |day| *day >= first)
    }
}

/// The records that were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordsFound {
    /// The newest first.
    pub records: Vec<Record>,
    /// Where more than enough was found: the beginning of the last day that was read. What was
    /// before it is found by asking again until then.
    pub goes_on_before: Option<Timestamp>,
    /// Items that can't be read, by their keys: a later version wrote them, or they are broken.
    pub unreadable: Vec<String>,
}

impl RecordsFound {
    /// What is wanted of records that are all at hand.
    #[must_use]
    pub fn of(asked: &RecordsAsked, all: Vec<Record>) -> Self {
        let mut days: BTreeMap<Reverse<Date>, Vec<Record>> = BTreeMap::new();
        for record in all {
            days.entry(Reverse(utc_day(record.at())))
                .or_default()
                .push(record);
        }
        let (first, wanted) = (utc_day(asked.since), asked.days().next());
        let mut found = Self::default();
        for (Reverse(day), records) in days {
            if day < first || wanted.is_none_or(|last| day > last) {
                continue;
            }
            let records = records.into_iter();
            let records = records.filter(|record| asked.admits(record)).collect();
            if found.add_day(asked, day, records) {
                break;
            }
        }
        found
    }

    /// Adds the records of one day, which is earlier than those before. Answers whether that is
    /// enough.
    pub fn add_day(&mut self, asked: &RecordsAsked, day: Date, mut records: Vec<Record>) -> bool {
        records.sort_by(|one, other| {
            let key = |record: &Record| (Reverse(record.at()), record.kind());
            key(one)
                .cmp(&key(other))
                .then_with(|| one.id().cmp(other.id()))
        });
        self.records.append(&mut records);
        let is_enough = self.records.len() >= asked.enough && day > utc_day(asked.since);
        if is_enough {
            let start = day.to_zoned(TimeZone::UTC);
            self.goes_on_before = start.ok().map(|start| start.timestamp());
        }
        is_enough
    }
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

    fn asked(since: &str, until: &str) -> RecordsAsked {
        RecordsAsked {
            since: since.parse().unwrap(),
            until: until.parse().unwrap(),
            resource: None,
            account: None,
            kinds: BTreeSet::new(),
            enough: 1,
        }
    }

    #[test]
    fn the_days_are_those_that_the_time_touches() {
        for (since, until, days) in [
            ("2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z", vec![]),
            ("2026-11-01T00:00:00Z", "2026-11-01T00:00:01Z", vec![1]),
            ("2026-11-01T23:59:59Z", "2026-11-03T00:00:00Z", vec![2, 1]),
            (
                "2026-11-01T23:59:59Z",
                "2026-11-03T00:00:01Z",
                vec![3, 2, 1],
            ),
        ] {
            let found = asked(since, until).days().map(Date::day);
            assert_eq!(found.collect::<Vec<_>>(), days, "{since} {until}");
        }
    }

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
