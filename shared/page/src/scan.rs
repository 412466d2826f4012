//! What failed, by incident.

use copymend_survey::scan::{Act, Incident, Scan, day, foot, how_sure, name_of_cause, would_do};

use crate::PageError;
use crate::chart::{self, Chart, tally};
use crate::html;
use crate::sections::of_details;
use crate::shown::{Shown, count, vault_or_other};
use crate::view::{Body, Cell, Column, Kind, Row, Section, Total, View};

const CAUSE: &str = "Cause";
const AT: &str = "Vault or key";
const ACCOUNTS: &str = "Accounts";
const DAYS: &str = "Days";

/// The page of a scan.
///
/// # Errors
/// Nothing that a scan can hold makes it fail; see [`PageError`].
pub fn scan(scan: &Scan) -> Result<String, PageError> {
    html::page(&view(scan))
}

pub(crate) fn view(scan: &Scan) -> View<'_> {
    let by = if scan.with_facts {
        "Each route was investigated, as the function does it."
    } else {
        "Each cause is what AWS's message suggests; no fact was read."
    };
    let incidents = &scan.incidents;
    View {
        title: Shown::ours("Failed copies"),
        about: vec![
            Shown::inline(&format!(
                "Jobs that ended from {} to {}, in {} accounts and Regions.",
                day(Some(scan.since)),
                day(Some(scan.until)),
                scan.places
            )),
            Shown::ours(by),
        ],
        row_is: "incident",
        rows_are: "incidents",
        totals: totals(scan),
        charts: vec![
            Chart::bars(
                "By cause",
                "jobs",
                Some(CAUSE),
                tally(incidents.iter().map(|one| (name_of_cause(one), one.count))),
            ),
            Chart::bars(
                "By account",
                "jobs",
                Some(ACCOUNTS),
                tally(incidents.iter().flat_map(|one| {
                    let accounts = one.accounts.iter();
                    accounts.map(|(account, count)| (account.as_str(), *count))
                })),
            ),
            Chart::bars(
                "By vault or key",
                "jobs",
                Some(AT),
                tally(
                    incidents
                        .iter()
                        .map(|one| (vault_or_other(&one.resource), one.count)),
                ),
            ),
            Chart::days(
                "By day",
                "jobs",
                Some(DAYS),
                &tally(incidents.iter().flat_map(|one| {
                    let days = one.days.iter();
                    days.map(|(day, count)| (*day, *count))
                }))
                .into_iter()
                .collect(),
            ),
        ],
        remarks: foot(scan).iter().map(|line| Shown::inline(line)).collect(),
        nothing: Shown::ours(if scan.not_read.is_empty() && scan.stopped.is_none() {
            "Nothing failed."
        } else {
            "Nothing failed in what was read."
        }),
        columns: vec![
            Column::filter(CAUSE, Kind::Text),
            Column::filter(AT, Kind::Text),
            Column::new("Jobs", Kind::Number),
            Column::new("First", Kind::Text),
            Column::new("Last", Kind::Text),
            Column::filter(ACCOUNTS, Kind::List),
            Column::filter("Regions", Kind::List),
            Column::filter("Copymend would", Kind::Text),
            Column::hidden(DAYS, Kind::List),
        ],
        rows: incidents.iter().map(row).collect(),
    }
}

fn totals(scan: &Scan) -> Vec<Total> {
    let jobs_of = |wanted: Act| {
        let incidents = scan.incidents.iter();
        incidents
            .filter(|one| one.would.act == wanted)
            .map(|one| one.count)
            .sum::<u64>()
    };
    vec![
        Total::bad("Jobs that failed", scan.jobs()),
        Total::bad("Incidents", count(scan.incidents.len())),
        Total::plain("Jobs to repair", Shown::number(jobs_of(Act::Repair))),
        Total::plain("Jobs to start again", Shown::number(jobs_of(Act::Retry))),
        Total::plain("Jobs for people", Shown::number(jobs_of(Act::Advise))),
        Total::plain("Jobs that guards hold", Shown::number(jobs_of(Act::Refuse))),
        Total::bad("Lists that could not be read", count(scan.not_read.len())),
    ]
}

/// What is done, in a word.
pub(crate) const fn act(act: Act) -> &'static str {
    match act {
        Act::Repair => "repair",
        Act::Retry => "retry",
        Act::Advise => "advise",
        Act::Refuse => "refuse",
        Act::Nothing => "nothing",
    }
}

fn row(incident: &Incident) -> Row<'_> {
    let texts = |texts: &mut dyn Iterator<Item = &String>| {
        Cell::List(texts.map(|text| Shown::inline(text)).collect())
    };
    Row {
        cells: vec![
            Cell::Text(Shown::inline(&name_of_cause(incident))),
            Cell::Text(vault_or_other(&incident.resource)),
            Cell::Number(incident.count),
            Cell::Text(Shown::inline(&day(incident.first_seen))),
            Cell::Text(Shown::inline(&day(incident.last_seen))),
            texts(&mut incident.accounts.keys()),
            texts(&mut incident.regions.iter()),
            Cell::Text(Shown::ours(act(incident.would.act))),
            Cell::List(incident.days.keys().map(|date| chart::day(*date)).collect()),
        ],
        sections: Box::new(move || sections(incident)),
    }
}

fn sections(incident: &Incident) -> Vec<Section> {
    let sure = match how_sure(incident) {
        sure if sure.is_empty() => "confirmed by the facts".to_owned(),
        sure => sure,
    };
    let what = [
        Shown::sentence(&format!("{} ({sure})", incident.title)),
        Shown::sentence(&format!("Copymend would: {}", would_do(incident))),
        Shown::inline(&format!("{AT}: {}", incident.resource)),
    ];
    let example = &incident.example;
    let of_example = [
        ("Job", example.job.as_str()),
        ("Account", example.account.as_str()),
        ("Region", example.region.as_str()),
        ("What AWS said", example.message.as_str()),
    ];
    let of_example = of_example
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (Shown::ours(name), Shown::inline(value)));
    let accounts = incident
        .accounts
        .iter()
        .filter(|_| incident.accounts.len() > 1);
    let accounts = accounts.map(|(account, jobs)| (Shown::inline(account), Shown::number(*jobs)));
    let mut sections: Vec<Section> = [
        Section::of("What failed", Body::Text(what.into())),
        Section::of("The newest job", Body::Pairs(of_example.collect())),
        Section::of("Jobs by account", Body::Pairs(accounts.collect())),
    ]
    .into_iter()
    .flatten()
    .collect();
    sections.extend(of_details(&incident.details));
    sections
}
