//! How a preflight's message opens: which copies will fail, why, and what to do before.

use copymend_diagnosis::BackupVaultArn;
use copymend_remediation::preflight::{Failing, FailingRoute, InTheWay, PreflightNews};

use super::body::Body;
use super::pasted::Pasted;
use super::preflight::{MOMENT, name, summary};
use super::to_do;
use crate::text::{inline, sentence, without_hosts};

/// So many routes are told of before what to do.
const OPENING: usize = 3;

/// What stands in the way where that is one thing in one place: its steps fit onto the first screen.
pub(super) fn only_hindrance(news: &PreflightNews) -> Option<(&FailingRoute, &InTheWay)> {
    let mut failing = news.new.iter().chain(&news.changed);
    let (Some(Failing::Route(route)), None) = (failing.next(), failing.next()) else {
        return None;
    };
    let mut in_the_way = route.in_the_way.iter();
    match (in_the_way.next(), in_the_way.next()) {
        (Some(one), None) => Some((route, one)),
        (Some(_), Some(_)) | (None, _) => None,
    }
}

/// What is foreseen, of which copies, and why.
pub(super) fn opening(body: &mut Body, news: &PreflightNews) {
    let failing: Vec<&Failing> = news.new.iter().chain(&news.changed).collect();
    let is_all = news.over.is_empty() && news.cleared.is_empty();
    if let ([Failing::Route(route)], true) = (failing.as_slice(), is_all) {
        of_one_route(body, route);
        return;
    }
    body.line(&format!("A preflight foresees: {}.", summary(news)));
    body.gap();
    for one in failing.iter().take(OPENING) {
        body.line(&format!("Why: {}", why(one)));
    }
    if let Some(more @ 1..) = failing.len().checked_sub(OPENING) {
        body.line(&format!("{more} more are told below."));
    }
    body.line(FORESEEN);
}

const FORESEEN: &str = "Nothing was changed, and no copy was made: this is what can be read now.";

/// The opening where one route is all that is told.
fn of_one_route(body: &mut Body, route: &FailingRoute) {
    body.line(&format!("Copies {} will fail.", from_to(route)));
    body.gap();
    match route.in_the_way.as_slice() {
        [] => {}
        [one] => body.line(&format!("Why: {}.", one.cause.title())),
        several => {
            body.line("Why, in the order in which it must be put right:");
            for (number, one) in (1_usize..).zip(several) {
                body.numbered(number, &format!("{}.", one.cause.title()));
            }
        }
    }
    body.line(FORESEEN);
}

/// `from vault prod (111122223333) to vault dr (444455556666)`.
fn from_to(route: &FailingRoute) -> String {
    format!(
        "from {} to {}",
        short_vault(&route.source_vault),
        short_vault(&route.destination_vault)
    )
}

/// One route, and the first thing that stands in its way.
fn why(failing: &Failing) -> String {
    match failing {
        Failing::Route(route) => {
            let title = route.in_the_way.first().map(|one| one.cause.title());
            let title = title.unwrap_or("The cause is not known");
            format!("copies {}: {title}.", from_to(route))
        }
        Failing::Rule(rule) => format!("{}: {}", name(&rule.rule), sentence(&name(&rule.what))),
    }
}

fn short_vault(text: &str) -> String {
    match text.parse::<BackupVaultArn>() {
        Ok(vault) => format!(
            "vault {} ({})",
            without_hosts(vault.name()),
            vault.arn().account()
        ),
        Err(_) => name(text),
    }
}

pub(super) fn what_to_do(
    body: &mut Body,
    news: &PreflightNews,
    only: Option<(&FailingRoute, &InTheWay)>,
    pasted: &mut Pasted,
) {
    body.heading("What to do");
    if let Some((route, one)) = only {
        if let Some(next) = route.next_run {
            let next = next.strftime(MOMENT);
            body.prose(&format!("Before the plan runs next, at {next}:"));
        }
        body.field("Who", &inline(&one.advice.who));
        to_do::steps(body, &one.advice, pasted);
    } else if news.new.is_empty() && news.changed.is_empty() {
        body.prose("Nothing about copies that were not told before.");
    } else {
        body.prose(
            "Put right what stands in the way, in its order, before the plans run next. Below stands \
             for each route who can, and with which commands. All routes, at any time:",
        );
        body.exactly("copymend preflight");
    }
}
