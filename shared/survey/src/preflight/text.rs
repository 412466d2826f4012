//! The answer for people.

use std::collections::BTreeSet;

use copymend_diagnosis::{Assessment, Foreseen, Residual};

use super::judge::{JudgedRoute, Preflight};
use super::route::{Route, RuleName};
use super::would::WouldOfPlanned;
use crate::scan::Act;
use crate::table::{Row, fold, table};

/// So many resources are named; `--json` has all.
const RESOURCES_SHOWN: usize = 3;

/// One line a route, those that will fail first; then what stands in the way of each, in order, and what
/// to do; then what nothing can be known of. With a terminal's `width` it is folded to fit.
#[must_use]
pub fn text(preflight: &Preflight, width: Option<usize>) -> String {
    let mut lines = routes(preflight, width);
    for judged in &preflight.routes {
        lines.extend(details(judged, width));
    }
    let foot = foot(preflight);
    if !foot.is_empty() {
        lines.push(String::new());
    }
    lines.extend(foot.iter().flat_map(|line| fold(line, width)));
    lines.push(String::new());
    lines.extend(sums(preflight).iter().flat_map(|sum| fold(sum, width)));
    let mut out = lines.join("\n");
    out.push('\n');
    out
}

/// How many routes will fail, and what else may stop those that pass.
#[must_use]
pub fn sums(preflight: &Preflight) -> Vec<String> {
    let [pass, fail, unknown] = preflight.counts();
    let mut sums = vec![format!(
        "{} routes of {} plans: {fail} will fail, {unknown} can't be known, {pass} will pass",
        preflight.routes.len(),
        preflight.plans
    )];
    if pass > 0 {
        let residuals = residuals(preflight);
        sums.push(format!(
            "What will pass may still be stopped by what nobody can see beforehand: {residuals}."
        ));
    }
    sums
}

/// What is told below the routes, a line each: rules that make no copy, what nothing can be known of, what
/// was left out or could not be read, and how far a stopped look came.
#[must_use]
pub fn foot(preflight: &Preflight) -> Vec<String> {
    let mut foot = Vec::new();
    for missing in &preflight.not_materialised {
        foot.push(format!(
            "WILL MAKE NO COPY  {}, account {}, {}: {}",
            named(&missing.rule),
            missing.account,
            missing.region,
            missing.what
        ));
    }
    for unseen in &preflight.unseen {
        let what = match unseen.resources.len() {
            0 => String::new(),
            number => format!("{number} resources ({}): ", some(&unseen.resources)),
        };
        foot.push(format!(
            "CAN'T BE KNOWN  {}, account {}, {}: {what}{}",
            named(&unseen.rule),
            unseen.account,
            unseen.region,
            unseen.why.sentence()
        ));
    }
    foot.extend(
        preflight
            .skipped
            .iter()
            .map(|plan| format!("left out: `{plan}`, a plan that AWS makes by itself")),
    );
    foot.extend(
        preflight
            .not_found
            .iter()
            .map(|id| format!("no plan `{id}` in any of the accounts and Regions")),
    );
    foot.extend(preflight.not_read.iter().map(|not_read| {
        format!(
            "not read: {} on {} in account {}, {}: {} ({}); {}",
            not_read.operation,
            not_read.resource,
            not_read.account,
            not_read.region,
            not_read.reason,
            not_read.detail,
            not_read.what_to_do
        )
    }));
    foot.extend(
        preflight
            .unreadable
            .iter()
            .map(|row| format!("not understood: {row}")),
    );
    foot.extend(preflight.notes.iter().map(|note| format!("NOTE  {note}")));
    if let Some(stopped) = preflight.stopped {
        foot.push(format!(
            "STOPPED  after {} of {} accounts and Regions, and {} of {} routes: what is above is what was found until then",
            stopped.places_read, preflight.places, stopped.routes_judged, stopped.routes
        ));
    }
    foot
}

fn routes(preflight: &Preflight, width: Option<usize>) -> Vec<String> {
    if preflight.routes.is_empty() {
        return vec!["no copies are planned in what was read".to_owned()];
    }
    let head = [
        "VERDICT",
        "ACCOUNT",
        "REGION",
        "TYPE",
        "RESOURCES",
        "FROM",
        "TO",
        "WHY",
    ];
    let rows: Vec<Row> = preflight.routes.iter().map(row).collect();
    table(&head, &rows, width).concat()
}

fn row(judged: &JudgedRoute) -> Row {
    let Route {
        copy, resources, ..
    } = &judged.route;
    let slugs = |found: &[Assessment]| {
        let slugs: Vec<&str> = found.iter().map(|found| found.cause.slug()).collect();
        slugs.join(", ")
    };
    let why = match &judged.foreseen {
        Foreseen::WillPass { .. } => String::new(),
        Foreseen::WillFail { in_the_way, .. } => slugs(in_the_way),
        Foreseen::CannotBeKnown { open } => slugs(open),
    };
    let vault = &copy.destination_vault;
    vec![
        judged.foreseen.title().to_owned(),
        copy.account.to_string(),
        copy.region.clone(),
        copy.resource_type.clone().unwrap_or_default(),
        resources.len().to_string(),
        copy.source_vault.name().to_owned(),
        format!(
            "{} {} {}",
            copy.destination_account,
            vault.region(),
            vault.name()
        ),
        why,
    ]
}

/// What is in the way of a route's copies and what to do, or why it can't be known.
fn details(judged: &JudgedRoute, width: Option<usize>) -> Vec<String> {
    let route = &judged.route;
    let mut lines = Vec::new();
    match &judged.foreseen {
        Foreseen::WillPass { .. } if route.notes.is_empty() => return lines,
        Foreseen::WillPass { .. } => lines.extend(title(judged, width)),
        Foreseen::WillFail { in_the_way, .. } => {
            lines.extend(title(judged, width));
            for (number, (found, advice)) in (1..).zip(in_the_way.iter().zip(&judged.advice)) {
                let repair = match &judged.would {
                    None if found.cause.is_repairable() => {
                        " (Copymend repairs this once a copy has failed, where its guards let it)"
                    }
                    None | Some(_) => "",
                };
                push(
                    &mut lines,
                    2,
                    &format!("{number}. {}{repair}", found.cause.title()),
                    width,
                );
                for evidence in &found.evidence {
                    push(&mut lines, 5, evidence, width);
                }
                push(&mut lines, 5, &format!("Who: {}", advice.who), width);
                for step in &advice.steps {
                    let mut parts = step.lines();
                    push(
                        &mut lines,
                        5,
                        &format!("- {}", parts.next().unwrap_or_default()),
                        width,
                    );
                    // A command stays on its line.
                    lines.extend(parts.map(|part| format!("       {part}")));
                }
            }
        }
        Foreseen::CannotBeKnown { open } => {
            lines.extend(title(judged, width));
            for found in open {
                push(&mut lines, 2, &format!("? {}", found.cause.title()), width);
                for evidence in &found.evidence {
                    push(&mut lines, 5, evidence, width);
                }
            }
        }
    }
    if let Some(would) = &judged.would {
        push(&mut lines, 2, &would_do(would), width);
    }
    let of_others = Residual::OtherBackups;
    if judged.residuals().contains(&of_others) {
        push(
            &mut lines,
            2,
            &format!("Note: {}", of_others.sentence()),
            width,
        );
    }
    for note in &route.notes {
        push(&mut lines, 2, &format!("Note: {note}"), width);
    }
    lines
}

/// What Copymend would do, in a sentence. A command that follows a step stands with the step above.
#[must_use]
pub fn would_do(ahead: &WouldOfPlanned) -> String {
    let text = ahead.would.text.lines().next().unwrap_or_default();
    let text = text.trim_end_matches(':');
    let what = match ahead.would.act {
        Act::Repair => "mend it",
        Act::Retry => "start the copy again",
        Act::Advise => "tell people what to do",
        Act::Refuse => "change nothing",
        Act::Nothing => "do nothing",
    };
    let on = ahead
        .changes
        .as_deref()
        .map(|resource| format!(" ({resource})"));
    let cause = ahead.cause.slug();
    let on = on.unwrap_or_default();
    match ahead.would.act {
        Act::Advise | Act::Retry => format!("Once it has failed, Copymend would {what} ({cause})"),
        Act::Repair | Act::Refuse | Act::Nothing => {
            format!("Once it has failed, Copymend would {what} ({cause}): {text}{on}")
        }
    }
}

fn title(judged: &JudgedRoute, width: Option<usize>) -> Vec<String> {
    let Route {
        copy,
        resources,
        rules,
        is_automatic,
        next_run,
        ..
    } = &judged.route;
    let names: Vec<String> = rules.iter().map(named).collect();
    let resources: BTreeSet<String> = resources.iter().map(ToString::to_string).collect();
    let mut lines = vec![String::new()];
    let kind = if *is_automatic {
        ", by itself, since a rule targets a logically air-gapped vault"
    } else {
        ""
    };
    push(
        &mut lines,
        0,
        &format!(
            "{}  {} -> {} as {}{kind}",
            judged.foreseen.title(),
            copy.source_vault,
            copy.destination_vault,
            copy.role
        ),
        width,
    );
    push(
        &mut lines,
        2,
        &format!("Made by {}", names.join("; ")),
        width,
    );
    push(
        &mut lines,
        2,
        &format!("{} resources: {}", resources.len(), some(&resources)),
        width,
    );
    if let Some(next) = next_run {
        push(&mut lines, 2, &format!("Next run: {next}"), width);
    }
    lines
}

fn push(lines: &mut Vec<String>, indent: usize, text: &str, width: Option<usize>) {
    let room = width.map(|width| width.saturating_sub(indent).max(20));
    let start = " ".repeat(indent);
    let folded = fold(text, room).into_iter();
    lines.extend(folded.map(|line| format!("{start}{line}")));
}

/// A rule by its name and its plan's.
#[must_use]
pub fn named(rule: &RuleName) -> String {
    let id = rule.plan_id.as_deref().filter(|id| *id != rule.plan);
    let id = id.map(|id| format!(" ({id})")).unwrap_or_default();
    format!("rule `{}` of plan `{}`{id}", rule.rule, rule.plan)
}

fn some(resources: &BTreeSet<String>) -> String {
    let shown: Vec<&str> = resources
        .iter()
        .take(RESOURCES_SHOWN)
        .map(String::as_str)
        .collect();
    let more = resources.len().saturating_sub(shown.len());
    let shown = shown.join(", ");
    if more == 0 {
        shown
    } else {
        format!("{shown} and {more} more")
    }
}

fn residuals(preflight: &Preflight) -> String {
    let mut all: BTreeSet<Residual> = BTreeSet::new();
    for judged in &preflight.routes {
        match &judged.foreseen {
            Foreseen::WillPass { .. } => all.extend(judged.residuals()),
            Foreseen::WillFail { .. } | Foreseen::CannotBeKnown { .. } => {}
        }
    }
    let slugs: Vec<&str> = all.into_iter().map(Residual::slug).collect();
    slugs.join(", ")
}
