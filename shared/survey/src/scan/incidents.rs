//! What people and programs get.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use copymend_diagnosis::Cause;
use copymend_remediation::incident::fingerprint;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::fold::{Alike, Copies, Fold};
use super::gather::Scope;
use super::tally::Tally;
use super::would;
use crate::details::Details;
use crate::not_read::NotRead;

/// What Copymend does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// It repairs a policy or a role, and starts the copy again.
    Repair,
    /// It starts the copy again.
    Retry,
    /// It tells people what to do.
    Advise,
    /// A guard forbids what it could do.
    Refuse,
    /// Nothing is to be done.
    Nothing,
}

/// What Copymend would do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Would {
    /// In a word.
    pub act: Act,
    /// In a sentence; of an advice the first step. A command may follow on lines of its own.
    pub text: String,
}

impl Would {
    pub(super) fn new(act: Act, text: &str) -> Self {
        Self {
            act,
            text: text.to_owned(),
        }
    }
}

/// One of the jobs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Its id: the newest one's.
    pub job: String,
    /// Its account.
    pub account: String,
    /// Its Region.
    pub region: String,
    /// What AWS said.
    pub message: String,
}

/// Jobs that failed for one cause at one vault or key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Incident {
    /// `copy`, `backup` or `restore`.
    pub kind: &'static str,
    /// What is wrong with them, such as `failed`.
    pub problem: String,
    /// The cause.
    pub cause: Cause,
    /// The cause in a sentence.
    pub title: &'static str,
    /// The vault, key or role.
    pub resource: String,
    /// How many jobs, by account.
    pub accounts: BTreeMap<String, u64>,
    /// The Regions.
    pub regions: BTreeSet<String>,
    /// How many jobs.
    pub count: u64,
    /// When the first one failed.
    pub first_seen: Option<Timestamp>,
    /// When the last one failed.
    pub last_seen: Option<Timestamp>,
    /// Whether the message alone says so, and no fact was read.
    pub from_message: bool,
    /// Whether the facts confirm the cause.
    pub confirmed: bool,
    /// How many reads of the investigation told nothing.
    pub unknown_facts: usize,
    /// What Copymend would do.
    pub would: Would,
    /// What the ledger counts these copies under.
    pub fingerprints: BTreeSet<String>,
    /// The newest one.
    pub example: Example,
    /// How many jobs, by day, in UTC. Those that tell no time are of no day.
    #[serde(skip)]
    pub days: BTreeMap<Date, u64>,
    /// What it rests on and what to do, as the newest one shows it.
    #[serde(skip)]
    pub details: Box<Details>,
}

/// How far a scan came that was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stopped {
    /// The accounts and Regions that were done.
    pub places_read: usize,
    /// The routes that were investigated.
    pub routes_investigated: usize,
    /// The routes that would have been.
    pub routes: usize,
}

/// What failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Jobs that ended later than this.
    pub since: Timestamp,
    /// When it was looked at.
    pub until: Timestamp,
    /// The accounts and Regions.
    pub places: usize,
    /// Whether facts were read.
    pub with_facts: bool,
    /// The incidents: the largest first.
    pub incidents: Vec<Incident>,
    /// What could not be read.
    pub not_read: Vec<NotRead>,
    /// Rows that can't be understood, the first ones.
    pub unreadable: Vec<String>,
    /// How many rows can't be understood.
    pub unreadable_count: u64,
    /// What else people should know.
    pub notes: Vec<String>,
    /// How far it came, where it was stopped.
    pub stopped: Option<Stopped>,
}

/// What is one line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Line {
    kind: &'static str,
    problem: String,
    cause: Cause,
    resource: String,
    from_message: bool,
    act: Act,
}

impl Fold {
    /// What was found, whether everything was read or not.
    #[must_use]
    pub fn finish(
        mut self,
        scope: &Scope,
        with_facts: bool,
        until: Timestamp,
        stopped: Option<Stopped>,
    ) -> Scan {
        // Where it was stopped, parents still wait.
        self.end_of_copies();
        let copies = std::mem::take(&mut self.copies);
        let jobs = std::mem::take(&mut self.jobs);
        let mut lines: HashMap<Line, Incident> = HashMap::new();
        let incidents = copies
            .iter()
            .map(|(alike, copies)| of_copies(alike, copies));
        let incidents = incidents.chain(jobs.into_iter().map(|(alike, jobs)| {
            let message = jobs.sample.status_message.clone();
            let example = Example {
                job: jobs.sample.id.clone(),
                account: alike.account.to_string(),
                region: alike.region.clone(),
                message: message.clone(),
            };
            let would = would::unknown(&message);
            Incident {
                kind: alike.kind.name(),
                problem: alike.problem,
                cause: alike.cause,
                resource: alike.resource,
                from_message: true,
                would,
                ..incident(alike.cause, &jobs.tally, example)
            }
        }));
        for incident in incidents {
            let line = Line {
                kind: incident.kind,
                problem: incident.problem.clone(),
                cause: incident.cause,
                resource: incident.resource.clone(),
                from_message: incident.from_message,
                act: incident.would.act,
            };
            match lines.get_mut(&line) {
                Some(known) => known.add(incident),
                None => {
                    lines.insert(line, incident);
                }
            }
        }
        let mut incidents: Vec<Incident> = lines.into_values().collect();
        incidents.sort_by(|one, other| {
            let order = |incident: &Incident| {
                (
                    std::cmp::Reverse(incident.count),
                    std::cmp::Reverse(incident.last_seen),
                    incident.cause.slug(),
                )
            };
            let by_name = |incident: &Incident| {
                (
                    incident.kind,
                    incident.resource.clone(),
                    incident.problem.clone(),
                    incident.would.act,
                )
            };
            order(one)
                .cmp(&order(other))
                .then_with(|| by_name(one).cmp(&by_name(other)))
        });
        self.not_read
            .sort_by(|one, other| place_of(one).cmp(&place_of(other)));
        self.unreadable.sort_unstable();
        self.notes.sort_unstable();
        Scan {
            since: scope.since,
            until,
            places: scope.places.len(),
            with_facts,
            incidents,
            not_read: self.not_read,
            unreadable: self.unreadable,
            unreadable_count: self.unreadable_count,
            notes: self.notes,
            stopped,
        }
    }
}

fn place_of(line: &NotRead) -> (&str, &str, &str) {
    (&line.account, &line.region, &line.operation)
}

fn incident(cause: Cause, tally: &Tally, example: Example) -> Incident {
    Incident {
        kind: "copy",
        problem: "failed".to_owned(),
        cause,
        title: cause.title(),
        resource: String::new(),
        accounts: BTreeMap::from([(example.account.clone(), tally.count)]),
        regions: BTreeSet::from([example.region.clone()]),
        count: tally.count,
        first_seen: tally.first,
        last_seen: tally.last,
        from_message: true,
        confirmed: false,
        unknown_facts: 0,
        would: Would::new(Act::Nothing, ""),
        fingerprints: BTreeSet::new(),
        example,
        days: tally.days(),
        details: Box::default(),
    }
}

fn of_copies(alike: &Alike, copies: &Copies) -> Incident {
    let job = &copies.sample.job;
    let example = Example {
        job: job.id.clone(),
        account: alike.account.to_string(),
        region: alike.region.clone(),
        message: job.status_message.clone(),
    };
    let problem = if alike.is_parent { "partial" } else { "failed" };
    if let Some(judged) = &copies.judged {
        return Incident {
            problem: problem.to_owned(),
            resource: judged.resource.clone(),
            from_message: false,
            confirmed: judged.is_confirmed,
            unknown_facts: judged.unknown,
            would: judged.would.clone(),
            fingerprints: BTreeSet::from([judged.fingerprint.clone()]),
            details: judged.details.clone(),
            ..incident(judged.cause, &copies.tally, example)
        };
    }
    let cause = alike.words.best();
    let resource = alike.destination_vault.as_str();
    let named = fingerprint(cause, resource, alike.account.as_str(), None);
    Incident {
        problem: problem.to_owned(),
        resource: resource.to_owned(),
        would: would::of_message(cause, &copies.sample),
        fingerprints: BTreeSet::from([named]),
        details: Box::new(Details::of_message(cause, job)),
        ..incident(cause, &copies.tally, example)
    }
}

impl Incident {
    /// Adds jobs of the same line. The newest speaks for all.
    fn add(&mut self, other: Self) {
        // Ids may be the same in two accounts or Regions.
        let newest = |incident: &Self| {
            let Example {
                job,
                account,
                region,
                ..
            } = &incident.example;
            (
                incident.last_seen,
                job.clone(),
                account.clone(),
                region.clone(),
            )
        };
        let is_newer = newest(&other) > newest(self);
        for (account, count) in other.accounts {
            *self.accounts.entry(account).or_default() += count;
        }
        for (day, count) in other.days {
            *self.days.entry(day).or_default() += count;
        }
        self.regions.extend(other.regions);
        self.fingerprints.extend(other.fingerprints);
        self.count += other.count;
        self.first_seen = match (self.first_seen, other.first_seen) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self.last_seen = self.last_seen.max(other.last_seen);
        self.confirmed &= other.confirmed;
        self.unknown_facts = self.unknown_facts.max(other.unknown_facts);
        if is_newer {
            self.example = other.example;
            self.would = other.would;
            self.details = other.details;
        }
    }
}
