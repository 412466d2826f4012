//! How old the newest copies are, by resource and vault.

use copymend_survey::rpo::{
    Age, Findings, NOT_PLANNED, Objectives, Place, State, foot, place_of, span, steps, summary,
};
use jiff::Timestamp;

use crate::PageError;
use crate::chart::{Chart, day_of, tally};
use crate::html;
use crate::sections::of_step;
use crate::shown::{Shown, count, minute};
use crate::view::{Body, Cell, Column, Kind, Row, Section, Total, View};

const STATE: &str = "State";
const ACCOUNT: &str = "Account";
const VAULT: &str = "Vault";

/// The page of what [`judge`](copymend_survey::rpo::judge) found.
///
/// # Errors
/// Nothing that findings can hold makes it fail; see [`PageError`].
pub fn rpo(findings: &Findings, objectives: &Objectives) -> Result<String, PageError> {
    html::page(&view(findings, objectives))
}

pub(crate) fn view<'f>(findings: &'f Findings, objectives: &Objectives) -> View<'f> {
    let places = &findings.places;
    let of = |wanted: State| places.iter().filter(|place| place.state == wanted).count();
    let missed = || places.iter().filter(|place| place.is_missed());
    let objectives: Vec<String> = objectives.iter().map(ToString::to_string).collect();
    let objectives = if objectives.is_empty() {
        "none".to_owned()
    } else {
        objectives.join(", ")
    };
    View {
        title: Shown::ours("The age of the newest copies"),
        about: vec![
            Shown::sentence(&summary(findings)),
            Shown::inline(&format!(
                "As of {}. Objectives: {objectives}.",
                minute(Some(findings.at))
            )),
        ],
        row_is: "place",
        rows_are: "places",
        totals: vec![
            Total::bad("Places that miss their objective", count(findings.missed())),
            Total::plain(
                "Places that can't be known",
                Shown::number(count(of(State::Unknown))),
            ),
            Total::plain("Places in time", Shown::number(count(of(State::InTime)))),
            Total::plain(
                "Places left out on purpose",
                Shown::number(count(of(State::Excluded))),
            ),
            Total::plain("Places", Shown::number(count(places.len()))),
            Total::bad(
                "Lists that could not be read",
                count(findings.not_read.len()),
            ),
        ],
        charts: vec![
            Chart::bars(
                "By state",
                "places",
                Some(STATE),
                tally(places.iter().map(|place| (place.state.name(), 1))),
            ),
            Chart::bars(
                "By account",
                "places that miss",
                Some(ACCOUNT),
                tally(missed().map(|place| (account(place), 1))),
            ),
            Chart::bars(
                "By vault",
                "places that miss",
                Some(VAULT),
                tally(missed().map(|place| (place_of(&place.vault), 1))),
            ),
            Chart::days(
                "By the day of the newest copy",
                "places that miss and have a copy",
                None,
                &tally(missed().filter_map(|place| {
                    let newest = place.newest_copy?;
                    Some((day_of(newest), 1))
                }))
                .into_iter()
                .collect(),
            ),
        ],
        remarks: foot(findings)
            .iter()
            .map(|line| Shown::inline(line))
            .collect(),
        nothing: Shown::ours("No copy is expected anywhere in what was read."),
        columns: vec![
            Column::filter(STATE, Kind::Text),
            Column::new("Resource", Kind::Text),
            Column::filter("Type", Kind::Text),
            Column::filter(ACCOUNT, Kind::Text),
            Column::filter(VAULT, Kind::Text),
            Column::new("Age", Kind::Measure),
            Column::new("Objective", Kind::Measure),
            Column::new("Newest copy", Kind::Text),
        ],
        rows: places.iter().map(|place| row(place, findings.at)).collect(),
    }
}

/// The account that owns the resource; of a bucket, whose ARN names none, `-`.
fn account(place: &Place) -> &str {
    match place.resource.account() {
        "" => "-",
        account => account,
    }
}

fn row(place: &Place, now: Timestamp) -> Row<'_> {
    let measure = |seconds: Option<i64>| {
        let words = seconds.map_or_else(|| "none".to_owned(), span);
        Cell::Measure(seconds, Shown::inline(&words))
    };
    Row {
        cells: vec![
            Cell::Text(Shown::ours(place.state.name())),
            Cell::Text(Shown::inline(place.resource.as_str())),
            Cell::Text(Shown::inline(&place.resource_type)),
            Cell::Text(Shown::inline(account(place))),
            Cell::Text(Shown::inline(&place_of(&place.vault))),
            measure(place.age(now)),
            measure(place.objective.map(Age::seconds)),
            Cell::Text(Shown::inline(&minute(place.newest_copy))),
        ],
        sections: Box::new(move || sections(place)),
    }
}

fn sections(place: &Place) -> Vec<Section> {
    let mut evidence = Vec::new();
    if !place.detail.is_empty() {
        evidence.push(Shown::sentence(&place.detail));
    }
    if !place.is_planned {
        evidence.push(Shown::sentence(NOT_PLANNED));
    }
    let pairs = [
        ("Newest good copy", minute(place.newest_copy)),
        ("Newest good backup, anywhere", minute(place.newest_backup)),
        (
            "Copies that are gone and should be there",
            place.gone.to_string(),
        ),
    ];
    let pairs = pairs
        .iter()
        .map(|(name, value)| (Shown::ours(name), Shown::inline(value)));
    let steps = steps(place);
    [
        Section::of("Evidence", Body::List(evidence)),
        Section::of("What was found", Body::Pairs(pairs.collect())),
        Section::of(
            "What people can do",
            Body::Steps(steps.iter().map(|step| of_step(step)).collect()),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}
