//! What will fail, by route.

use copymend_diagnosis::{Assessment, Foreseen};
use copymend_survey::preflight::{JudgedRoute, Preflight, foot, named, sums, would_do};

use crate::PageError;
use crate::chart::{Chart, day_of, tally};
use crate::html;
use crate::scan::act;
use crate::sections::{of_advice, of_change};
use crate::shown::{Shown, count, minute, vault_or_other};
use crate::view::{Body, Cell, Column, Kind, Row, Section, Total, View};

const VERDICT: &str = "Verdict";
const WHY: &str = "Why";
const ACCOUNT: &str = "Account";
const TO: &str = "To";
const DAY: &str = "Next run";

/// The page of a preflight.
///
/// # Errors
/// Nothing that a preflight can hold makes it fail; see [`PageError`].
pub fn preflight(preflight: &Preflight) -> Result<String, PageError> {
    html::page(&view(preflight))
}

pub(crate) fn view(preflight: &Preflight) -> View<'_> {
    let [pass, fail, unknown] = preflight.counts();
    let routes = &preflight.routes;
    let mut about = vec![Shown::inline(&format!(
        "Looked at on {} in {} accounts and Regions.",
        minute(Some(preflight.at)),
        preflight.places
    ))];
    about.extend(sums(preflight).iter().map(|sum| Shown::sentence(sum)));
    let failing = || routes.iter().filter(|judged| is_failing(judged));
    View {
        title: Shown::ours("Copies that plans will make"),
        about,
        row_is: "route",
        rows_are: "routes",
        totals: vec![
            Total::bad("Routes that will fail", count(fail)),
            Total::plain("Routes that can't be known", Shown::number(count(unknown))),
            Total::plain("Routes that will pass", Shown::number(count(pass))),
            Total::bad(
                "Rules that make no copy",
                count(preflight.not_materialised.len()),
            ),
            Total::plain("Plans", Shown::number(count(preflight.plans))),
            Total::bad(
                "Lists that could not be read",
                count(preflight.not_read.len()),
            ),
        ],
        charts: vec![
            Chart::bars(
                "By cause",
                "routes that fail",
                Some(WHY),
                tally(failing().flat_map(|judged| {
                    let causes = assessments(judged).iter();
                    causes.map(|found| (found.cause.slug(), 1))
                })),
            ),
            Chart::bars(
                "By account",
                "routes that fail",
                Some(ACCOUNT),
                tally(failing().map(|judged| (judged.route.copy.account.to_string(), 1))),
            ),
            Chart::bars(
                "By destination vault",
                "routes that fail",
                Some(TO),
                tally(failing().map(|judged| {
                    (
                        vault_or_other(judged.route.copy.destination_vault.as_str()),
                        1,
                    )
                })),
            ),
            Chart::days(
                "By the day of the next run",
                "routes that fail",
                None,
                &tally(failing().filter_map(|judged| {
                    let next = judged.route.next_run?;
                    Some((day_of(next), 1))
                }))
                .into_iter()
                .collect(),
            ),
        ],
        remarks: foot(preflight)
            .iter()
            .map(|line| Shown::inline(line))
            .collect(),
        nothing: Shown::ours("No copies are planned in what was read."),
        columns: vec![
            Column::filter(VERDICT, Kind::Text),
            Column::filter(WHY, Kind::List),
            Column::filter(ACCOUNT, Kind::Text),
            Column::filter("Region", Kind::Text),
            Column::filter("Type", Kind::Text),
            Column::new("Resources", Kind::Number),
            Column::new("From", Kind::Text),
            Column::filter(TO, Kind::Text),
            Column::new(DAY, Kind::Text),
            Column::filter("Copymend would", Kind::Text),
        ],
        rows: routes.iter().map(row).collect(),
    }
}

const fn is_failing(judged: &JudgedRoute) -> bool {
    match judged.foreseen {
        Foreseen::WillFail { .. } => true,
        Foreseen::CannotBeKnown { .. } | Foreseen::WillPass { .. } => false,
    }
}

/// What stands in the way, or can't be known.
fn assessments(judged: &JudgedRoute) -> &[Assessment] {
    match &judged.foreseen {
        Foreseen::WillFail { in_the_way, .. } => in_the_way,
        Foreseen::CannotBeKnown { open } => open,
        Foreseen::WillPass { .. } => &[],
    }
}

fn row(judged: &JudgedRoute) -> Row<'_> {
    let route = &judged.route;
    let copy = &route.copy;
    let causes = assessments(judged).iter();
    Row {
        cells: vec![
            Cell::Text(Shown::ours(judged.foreseen.title())),
            Cell::List(
                causes
                    .map(|found| Shown::ours(found.cause.slug()))
                    .collect(),
            ),
            Cell::Text(Shown::inline(copy.account.as_str())),
            Cell::Text(Shown::inline(&copy.region)),
            Cell::Text(Shown::inline(copy.resource_type.as_deref().unwrap_or("-"))),
            Cell::Number(count(route.resources.len())),
            Cell::Text(vault_or_other(copy.source_vault.as_str())),
            Cell::Text(vault_or_other(copy.destination_vault.as_str())),
            Cell::Text(Shown::inline(&minute(route.next_run))),
            Cell::Text(Shown::ours(
                judged
                    .would
                    .as_ref()
                    .map_or("-", |would| act(would.would.act)),
            )),
        ],
        sections: Box::new(move || sections(judged)),
    }
}

fn sections(judged: &JudgedRoute) -> Vec<Section> {
    let mut sections = Vec::new();
    let is_failing = is_failing(judged);
    for (place, found) in assessments(judged).iter().enumerate() {
        let evidence = found.evidence.iter().map(|seen| Shown::sentence(seen));
        let heading = if is_failing {
            format!("{}. {}", place + 1, found.cause.title())
        } else {
            format!("Can't be known: {}", found.cause.title())
        };
        sections.push(Section {
            heading: Shown::inline(&heading),
            body: Body::List(evidence.collect()),
        });
        if let Some(advice) = judged.advice.get(place) {
            sections.extend(of_advice("What people can do", advice));
        }
    }
    if let Some(would) = &judged.would {
        let what = Body::Text(vec![Shown::sentence(&would_do(would))]);
        sections.extend(Section::of("What Copymend would do", what));
        sections.extend(would.change.iter().flat_map(of_change));
    }
    let residuals = judged.residuals().into_iter();
    let residuals = residuals.map(|residual| Shown::sentence(residual.sentence()));
    sections.extend(Section::of(
        "What nobody can see beforehand",
        Body::List(residuals.collect()),
    ));
    let notes = judged.route.notes.iter().map(|note| Shown::sentence(note));
    sections.extend(Section::of("Notes", Body::List(notes.collect())));
    sections.extend(route(judged));
    sections
}

/// Where it goes, what goes it, and by which backup it was judged.
fn route(judged: &JudgedRoute) -> impl Iterator<Item = Section> {
    let route = &judged.route;
    let copy = &route.copy;
    let made_by: Vec<String> = route.rules.iter().map(named).collect();
    let pairs = [
        ("From", copy.source_vault.to_string()),
        ("To", copy.destination_vault.to_string()),
        ("Job role", copy.role.to_string()),
        (
            "Key",
            route
                .key
                .as_ref()
                .map_or_else(|| "-".to_owned(), ToString::to_string),
        ),
        ("Made by", made_by.join("; ")),
        ("Judged by", copy.source_recovery_point.to_string()),
    ];
    let pairs = pairs
        .iter()
        .map(|(name, value)| (Shown::ours(name), Shown::inline(value)));
    let resources = route.resources.iter();
    let resources = resources.map(|resource| Shown::inline(resource.as_str()));
    [
        Section::of("The route", Body::Pairs(pairs.collect())),
        Section::of("Resources", Body::List(resources.collect())),
    ]
    .into_iter()
    .flatten()
}
