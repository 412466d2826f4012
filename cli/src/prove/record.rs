//! The record of a run: what AWS answered, with every id masked.

use copymend_aws::Exchange;
use copymend_diagnosis::RoleArn;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::facts::seen_of;
use super::mask::Masks;
use super::pair::Pair;
use super::seen::Seen;

/// The version of the record's form.
const VERSION: u32 = 1;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Proved,
    NotProved,
    Stopped,
}

impl Ended {
    const fn slug(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::NotProved => "not-proved",
            Self::Stopped => "stopped",
        }
    }
}

/// What a run notes as it goes.
#[derive(Debug)]
pub(crate) struct Notes {
    started: Timestamp,
    timeline: Vec<(Timestamp, String)>,
    reports: Vec<Value>,
}

impl Notes {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            started: now,
            timeline: Vec::new(),
            reports: Vec::new(),
        }
    }

    pub(crate) fn at(&mut self, what: impl Into<String>) {
        self.timeline.push((Timestamp::now(), what.into()));
    }

    pub(crate) fn report(&mut self, report: Value) {
        self.reports.push(report);
    }

    fn seconds(&self, at: Timestamp) -> f64 {
        at.duration_since(self.started).as_secs_f64()
    }
}

/// What a record is about.
pub(crate) struct About<'a> {
    pub(crate) run: &'a str,
    pub(crate) pair: &'a Pair,
    pub(crate) role: &'a RoleArn,
    pub(crate) with_key: bool,
    pub(crate) deployed: bool,
    pub(crate) result: Ended,
}

/// The record, masked.
pub(crate) fn record(about: &About<'_>, notes: &Notes, seen: &Seen) -> Value {
    let (source, destination) = (&about.pair.source, &about.pair.destination);
    let timeline = notes
        .timeline
        .iter()
        .map(|(at, what)| json!({"at": notes.seconds(*at), "what": what}));
    let mut answers: Vec<(Timestamp, Value)> = Vec::new();
    for (side, exchanges) in about.pair.exchanges() {
        answers.extend(told(notes, side, &exchanges));
    }
    answers.sort_by_key(|(at, _)| *at);
    let answers = answers.into_iter().map(|(_, answer)| answer);
    let record = json!({
        "copymend_prove": VERSION,
        "program": concat!("copymend ", env!("CARGO_PKG_VERSION")),
        "about": "What AWS answered to one run of `copymend prove`. Ids of accounts, resources, roles and organizations are masked.",
        "run": about.run,
        "started": notes.started,
        "result": about.result.slug(),
        "with_key": about.with_key,
        "repaired_by": if about.deployed { "the deployed function" } else { "the function's handler in this process" },
        "source_region": source.region(),
        "destination_region": destination.region(),
        "facts": seen_of(seen),
        "timeline": timeline.collect::<Vec<_>>(),
        "reports": notes.reports,
        "answers": answers.collect::<Vec<_>>(),
    });
    let accounts = (source.account(), destination.account());
    let mut masks = Masks::new(accounts.0.as_str(), accounts.1.as_str());
    masks.hide(about.role.name(), "job-role");
    masks.value(record)
}

/// The answers, where one that repeats the one before it is told once.
fn told(notes: &Notes, side: &str, exchanges: &[Exchange]) -> Vec<(Timestamp, Value)> {
    let mut told: Vec<(&Exchange, usize, Timestamp)> = Vec::new();
    for exchange in exchanges {
        match told.last_mut() {
            Some((last, times, until)) if is_same(last, exchange) => {
                *times = times.saturating_add(1);
                *until = exchange.at;
            }
            _ => told.push((exchange, 1, exchange.at)),
        }
    }
    let told = told.into_iter().map(|(exchange, times, until)| {
        let answer = serde_json::from_str(&exchange.body)
            .unwrap_or_else(|_| Value::from(exchange.body.as_str()));
        let value = json!({
            "at": notes.seconds(exchange.at),
            "until": notes.seconds(until),
            "times": times,
            "side": side,
            "service": exchange.service,
            "operation": exchange.operation,
            "status": exchange.status,
            "error": exchange.error,
            "milliseconds": exchange.milliseconds,
            "answer": answer,
        });
        (exchange.at, value)
    });
    told.collect()
}

fn is_same(one: &Exchange, other: &Exchange) -> bool {
    let of = |exchange: &Exchange| {
        (
            exchange.service.clone(),
            exchange.operation.clone(),
            exchange.status,
            // The id of each request is another one.
            exchange
                .body
                .split_once("</requestId>")
                .map_or_else(|| exchange.body.clone(), |(_, rest)| rest.to_owned()),
        )
    };
    of(one) == of(other)
}
