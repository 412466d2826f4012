//! Which records are wanted, and which were found.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use copymend_policy::AccountId;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Record, RecordKind, utc_day};

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
            RecordKind::Incident
            | RecordKind::Change
            | RecordKind::Refusal
            | RecordKind::Approval => true,
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
}
