//! Plots: bars beside their numbers, and days side by side.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::shown::Shown;

/// So many bars are drawn; the others are one.
const BARS: usize = 10;
/// A plot of days is so high.
const HEIGHT: u64 = 100;
/// The distance from one day to the next.
const STEP: usize = 10;

/// A plot.
pub(crate) struct Chart {
    /// What it shows.
    pub(crate) title: &'static str,
    /// The name of what is counted, such as `jobs`.
    pub(crate) unit: &'static str,
    /// The column whose values the bars are, if rows can be chosen by them.
    pub(crate) column: Option<&'static str>,
    /// Its form.
    pub(crate) form: Form,
}

/// How a plot looks.
pub(crate) enum Form {
    /// Bars below each other, the longest first.
    Bars(Vec<Bar>),
    /// Days beside each other.
    Days(Vec<Day>),
}

/// A bar with its number.
pub(crate) struct Bar {
    /// What it stands for.
    pub(crate) name: Shown,
    /// How many.
    pub(crate) count: u64,
    /// Its length in percent of the longest. What stands for many has none: it isn't to be compared.
    pub(crate) percent: u64,
    /// Whether it stands for all that have no bar of their own.
    pub(crate) is_rest: bool,
}

/// A day with its number.
pub(crate) struct Day {
    /// The day.
    pub(crate) name: Shown,
    /// How many.
    pub(crate) count: u64,
    /// Where its bar begins.
    pub(crate) x: usize,
    /// Where it begins, from above.
    pub(crate) y: u64,
    /// How high it is.
    pub(crate) height: u64,
}

impl Chart {
    /// Bars of what was counted; the longest first.
    pub(crate) fn bars<N: Ord + AsRef<str>>(
        title: &'static str,
        unit: &'static str,
        column: Option<&'static str>,
        counts: HashMap<N, u64>,
    ) -> Self {
        let mut counts: Vec<(N, u64)> = counts.into_iter().collect();
        counts
            .sort_by(|(one, of_one), (other, of_other)| of_other.cmp(of_one).then(one.cmp(other)));
        let rest = counts.split_off(counts.len().min(BARS));
        let longest = counts.first().map_or(0, |(_, count)| *count);
        let bar = |name: Shown, count: u64, is_rest: bool| Bar {
            name,
            count,
            percent: share(count, longest, 100),
            is_rest,
        };
        let mut bars: Vec<Bar> = counts
            .iter()
            .map(|(name, count)| bar(Shown::inline(name.as_ref()), *count, false))
            .collect();
        if !rest.is_empty() {
            let name = Shown::inline(&format!("{} more", rest.len()));
            bars.push(bar(name, rest.iter().map(|(_, count)| count).sum(), true));
        }
        Self {
            title,
            unit,
            column,
            form: Form::Bars(bars),
        }
    }

    /// Days from the first to the last, also those on which nothing was.
    pub(crate) fn days(
        title: &'static str,
        unit: &'static str,
        column: Option<&'static str>,
        counts: &BTreeMap<Date, u64>,
    ) -> Self {
        let highest = counts.values().copied().max().unwrap_or(0);
        let whole = match (counts.keys().next(), counts.keys().next_back()) {
            (Some(first), Some(last)) if days_between(*first, *last) <= MOST_DAYS => first
                .series(jiff::Span::new().days(1))
                .take_while(|day| day <= last)
                .collect(),
            // A gap that nobody could look through isn't drawn.
            (_, _) => counts.keys().copied().collect::<Vec<_>>(),
        };
        let days = whole.into_iter().enumerate().map(|(place, date)| {
            let count = counts.get(&date).copied().unwrap_or(0);
            let height = share(count, highest, HEIGHT);
            Day {
                name: day(date),
                count,
                x: place * STEP,
                y: HEIGHT - height,
                height,
            }
        });
        Self {
            title,
            unit,
            column,
            form: Form::Days(days.collect()),
        }
    }

    /// Whether there is nothing to draw.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.form {
            Form::Bars(bars) => bars.is_empty(),
            Form::Days(days) => days.is_empty(),
        }
    }

    /// How wide the drawing of days is.
    pub(crate) fn width(&self) -> usize {
        match &self.form {
            Form::Bars(_) => 0,
            Form::Days(days) => days.len().max(FEWEST_DAYS) * STEP,
        }
    }

    /// The plot of days in a sentence.
    pub(crate) fn sentence(&self) -> String {
        let Form::Days(days) = &self.form else {
            return String::new();
        };
        let most = days.iter().max_by_key(|day| day.count);
        match (days.first(), most, days.last()) {
            (Some(first), Some(most), Some(last)) => format!(
                "{} {} from {} to {}; most on {}: {}",
                days.iter().map(|day| day.count).sum::<u64>(),
                self.unit,
                first.name,
                last.name,
                most.name,
                most.count
            ),
            (_, _, _) => String::new(),
        }
    }
}

/// Room for so many days: one alone would be as wide as the plot.
const FEWEST_DAYS: usize = 14;
/// More days aren't drawn one by one.
const MOST_DAYS: i32 = 92;

fn days_between(first: Date, last: Date) -> i32 {
    first.until(last).map_or(i32::MAX, |span| span.get_days())
}

/// A day as it is written everywhere.
pub(crate) fn day(date: Date) -> Shown {
    Shown::inline(&date.to_string())
}

/// The day of a time, in UTC.
pub(crate) fn day_of(time: Timestamp) -> Date {
    Offset::UTC.to_datetime(time).date()
}

/// The part of `whole` that `part` is, of `of`. What is there is seen: at least one.
fn share(part: u64, whole: u64, of: u64) -> u64 {
    if part == 0 || whole == 0 {
        return 0;
    }
    let share = u128::from(part) * u128::from(of) / u128::from(whole);
    u64::try_from(share).unwrap_or(of).clamp(1, of)
}

/// Counts by name.
pub(crate) fn tally<N: Eq + std::hash::Hash>(
    named: impl IntoIterator<Item = (N, u64)>,
) -> HashMap<N, u64> {
    let mut counts = HashMap::new();
    for (name, number) in named {
        *counts.entry(name).or_insert(0) += number;
    }
    counts
}

/// How many bars a plot has, for tests.
#[cfg(test)]
pub(crate) fn sum(chart: &Chart) -> u64 {
    match &chart.form {
        Form::Bars(bars) => bars.iter().map(|bar| bar.count).sum(),
        Form::Days(days) => days.iter().map(|day| day.count).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bars_are_drawn_and_the_others_are_one() {
        let counts = tally((1..=15_u64).map(|number| (format!("v{number:02}"), number)));
        let chart = Chart::bars("By vault", "jobs", None, counts);
        let Form::Bars(bars) = &chart.form else {
            panic!("no bars");
        };
        assert_eq!(bars.len(), BARS + 1);
        assert_eq!((bars[0].name.as_str(), bars[0].percent), ("v15", 100));
        assert_eq!((bars[10].name.as_str(), bars[10].count), ("5 more", 15));
        assert!(bars[10].is_rest);
        assert_eq!(sum(&chart), 120);
        assert!(Chart::bars::<String>("", "", None, HashMap::new()).is_empty());
    }

    #[test]
    fn what_is_there_is_seen_however_little_it_is() {
        assert_eq!(share(1, 1_000_000, 100), 1);
        assert_eq!(share(0, 5, 100), 0);
        assert_eq!(share(5, 5, 100), 100);
        assert_eq!(share(u64::MAX, u64::MAX, 100), 100);
    }

    #[test]
    fn days_without_anything_have_their_place() {
        let date = |day: &str| day.parse::<Date>().unwrap();
        let counts = BTreeMap::from([(date("2026-10-31"), 4), (date("2026-11-02"), 1)]);
        let chart = Chart::days("By day", "jobs", None, &counts);
        let Form::Days(days) = &chart.form else {
            panic!("no days");
        };
        let drawn: Vec<_> = days
            .iter()
            .map(|day| (day.name.as_str(), day.count, day.x, day.y, day.height))
            .collect();
        assert_eq!(
            drawn,
            [
                ("2026-10-31", 4, 0, 0, 100),
                ("2026-11-01", 0, 10, 100, 0),
                ("2026-11-02", 1, 20, 75, 25)
            ]
        );
        assert_eq!(
            chart.sentence(),
            "5 jobs from 2026-10-31 to 2026-11-02; most on 2026-10-31: 4"
        );
        let far = BTreeMap::from([(date("1970-01-01"), 4), (date("2026-11-02"), 1)]);
        let chart = Chart::days("By day", "jobs", None, &far);
        assert_eq!(chart.width(), 14 * STEP);
    }
}
