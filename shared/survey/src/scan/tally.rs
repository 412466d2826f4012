//! How many jobs, and when.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

/// How many jobs, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) count: u64,
    /// The times of the first and the last one, as far as AWS tells any.
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    /// How many on each day. Empty while all of them are of `first`'s day, or tell no time: of
    /// the many tallies of recovery points hardly one needs more.
    days: BTreeMap<Date, u64>,
}

impl Tally {
    /// So many jobs at one time.
    pub(super) fn of(count: u64, at: Option<Timestamp>) -> Self {
        Self {
            count,
            first: at,
            last: at,
            days: BTreeMap::new(),
        }
    }

    /// Takes another one's jobs in.
    pub(super) fn add(&mut self, other: &Self) {
        let is_of_one_day = self.days.is_empty()
            && other.days.is_empty()
            && self.first.map(day_of) == other.first.map(day_of);
        if !is_of_one_day {
            let mut days = self.days();
            for (day, count) in other.days() {
                *days.entry(day).or_default() += count;
            }
            self.days = days;
        }
        self.count += other.count;
        self.first = match (self.first, other.first) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self.last = self.last.max(other.last);
    }

    /// How many jobs on each day, in UTC. Jobs that tell no time are of no day.
    pub(super) fn days(&self) -> BTreeMap<Date, u64> {
        match self.first {
            Some(first) if self.days.is_empty() => BTreeMap::from([(day_of(first), self.count)]),
            Some(_) | None => self.days.clone(),
        }
    }
}

fn day_of(time: Timestamp) -> Date {
    Offset::UTC.to_datetime(time).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Tally {
        Tally::of(1, Some(time.parse().unwrap()))
    }

    fn sum(tallies: impl IntoIterator<Item = Tally>) -> Tally {
        let mut sum = Tally::of(0, None);
        for tally in tallies {
            sum.add(&tally);
        }
        sum
    }

    #[test]
    fn each_job_is_of_its_day_whatever_the_order() {
        let jobs = [
            at("2026-11-01T00:00:00Z"),
            at("2026-11-01T23:59:59Z"),
            at("2026-11-02T00:00:00Z"),
            Tally::of(2, None),
        ];
        let days = BTreeMap::from([
            ("2026-11-01".parse().unwrap(), 2),
            ("2026-11-02".parse().unwrap(), 1),
        ]);
        for turn in 0..jobs.len() {
            let mut jobs = jobs.clone();
            jobs.rotate_left(turn);
            let [one, two, three, four] = jobs;
            let all = sum([one.clone(), two.clone(), three.clone(), four.clone()]);
            assert_eq!((all.count, all.days()), (5, days.clone()), "{turn}");
            let in_pairs = sum([sum([one, two]), sum([three, four])]);
            assert_eq!(in_pairs, all, "{turn}");
        }
    }

    #[test]
    fn jobs_of_one_day_need_no_list_of_days() {
        let mut tally = at("2026-11-01T00:00:00Z");
        tally.add(&at("2026-11-01T12:00:00Z"));
        assert!(tally.days.is_empty());
    }
}
