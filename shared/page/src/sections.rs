//! What incidents and routes open to.

use copymend_diagnosis::{Advice, Assessment};
use copymend_report as report;
use copymend_report::Standing;
use copymend_survey::{Change, Details};

use crate::shown::Shown;
use crate::view::{Body, Link, Section, Step};

/// A long policy is cut to so many lines of difference.
const DIFF_LINES: usize = 400;

/// What was seen, what to do, and what would change.
pub(crate) fn of_details(details: &Details) -> Vec<Section> {
    let mut sections: Vec<Section> = evidence(&details.candidates).collect();
    let unknown = details.unknown.iter().map(|why| Shown::sentence(why));
    sections.extend(Section::of(
        "What could not be read",
        Body::List(unknown.collect()),
    ));
    if let Some(advice) = &details.advice {
        sections.extend(of_advice("What people can do", advice));
    }
    sections.extend(details.change.iter().flat_map(of_change));
    sections
}

/// What was seen of the likeliest cause, and the others with how they stand.
fn evidence(candidates: &[Assessment]) -> impl Iterator<Item = Section> {
    let (first, others) = match candidates.split_first() {
        Some((first, others)) => (Some(first), others),
        None => (None, candidates),
    };
    let seen = first.into_iter().flat_map(|first| {
        let seen = if first.evidence.is_empty() {
            std::slice::from_ref(&first.why)
        } else {
            first.evidence.as_slice()
        };
        seen.iter().map(|seen| Shown::sentence(seen))
    });
    let others = others.iter().map(|other| {
        Shown::inline(&format!(
            "{} ({}): {}",
            other.cause.title(),
            other.cause,
            report::verdict(other.verdict)
        ))
    });
    let sections = [
        Section::of("Evidence", Body::List(seen.collect())),
        Section::of(
            "Other causes that were considered",
            Body::List(others.collect()),
        ),
    ];
    sections.into_iter().flatten()
}

/// Who must do what, and where it is written.
pub(crate) fn of_advice(heading: &'static str, advice: &Advice) -> Vec<Section> {
    let who = vec![Shown::sentence(&advice.who)];
    let console = advice.console.as_deref().and_then(report::console);
    let console = console.map(|address| ("The console's page to start from", address));
    let links = console
        .into_iter()
        .chain([("AWS's page on it", advice.page)]);
    let links = links.map(|(words, address)| Link {
        words: Shown::ours(words),
        address: Shown::address(address),
    });
    [
        Section::of("Who acts", Body::Text(who)),
        Section::of(
            heading,
            Body::Steps(advice.steps.iter().map(|step| of_step(step)).collect()),
        ),
        Section::of("Read more", Body::Links(links.collect())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A sentence, and the command or text below it.
pub(crate) fn of_step(step: &str) -> Step {
    let mut lines = step.lines();
    Step {
        sentence: Shown::inline(lines.next().unwrap_or_default()),
        lines: lines.map(Shown::command).collect(),
    }
}

/// The policy before and after, as a unified diff.
pub(crate) fn of_change(change: &Change) -> Vec<Section> {
    let standing = if change.is_refused {
        Standing::Refused
    } else {
        Standing::Planned
    };
    let [heading, of_policy, of_role] = standing.words();
    let what = if change.is_role {
        format!("{of_role} {}", change.resource)
    } else {
        format!("{of_policy} {}", report::policy_of(&change.resource))
    };
    let lines = if change.is_role {
        Vec::new()
    } else {
        let diff = copymend_policy::diff(change.before.as_deref(), &change.after);
        let mut lines: Vec<Shown> = diff.lines().map(Shown::exact).collect();
        let cut = lines.len().saturating_sub(DIFF_LINES);
        lines.truncate(DIFF_LINES);
        if cut > 0 {
            lines.push(Shown::inline(&format!("[{cut} more lines]")));
        }
        lines
    };
    [
        Section::of(heading, Body::Text(vec![Shown::sentence(&what)])),
        Section::of("The difference", Body::Diff(lines)),
    ]
    .into_iter()
    .flatten()
    .collect()
}
