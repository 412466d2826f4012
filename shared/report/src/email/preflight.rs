//! What a preflight found.

use copymend_diagnosis::Cause;
use copymend_remediation::ports::Location;
use copymend_remediation::preflight::{
    Failing, FailingRoute, InTheWay, NotReadPlace, OpenCause, PreflightNews, RouteCleared,
};
use copymend_remediation::settings::Mode;

use super::body::Body;
use super::parts::{self, ITEMS, vault};
use super::pasted::Pasted;
use super::preflight_opening;
use super::to_do;
use super::unread::Unread;
use super::{BODY_LIMIT, Email, SUBJECT_LIMIT};
use crate::text::{inline, sentence, without_hosts};

/// So many routes are shown with all that stands in their way; the others with a line.
const WHOLE_ROUTES: usize = 5;
/// So many resources of a route are named.
const RESOURCES: usize = 3;
/// So many causes that can't be ruled out are told of a route, each with its reason.
const OPEN_CAUSES: usize = 3;
/// How a moment is written.
pub(super) const MOMENT: &str = "%F %H:%M UTC";
/// The call that asks for the role in another account.
const ASSUME: &str = "sts:AssumeRole";

/// The e-mail on what a preflight found that people don't know yet.
#[must_use]
pub fn email_of_preflight(news: &PreflightNews) -> Email {
    let mut body = Body::default();
    let mut pasted = Pasted::default();
    let only = preflight_opening::only_hindrance(news);
    preflight_opening::opening(&mut body, news);
    preflight_opening::what_to_do(&mut body, news, only, &mut pasted);
    body.heading("What was looked at");
    figures(&mut body, news);
    parts::notes(&mut body, &news.notes, &Unread::of(&[]));
    if news.is_first {
        causes(&mut body, news);
    }
    let mut routes = Routes {
        mode: news.mode,
        whole: WHOLE_ROUTES,
        shown_above: only.is_some(),
        pasted,
    };
    let title = if news.is_first {
        "Will fail"
    } else {
        "Will fail, which people were not told"
    };
    section(&mut body, title, &news.new, &mut routes);
    let title = "Will fail for other causes than people were told";
    section(&mut body, title, &news.changed, &mut routes);
    over(&mut body, news);
    cleared(&mut body, news);
    gaps(&mut body, news);
    Email {
        subject: subject(news),
        body: body.finish(BODY_LIMIT),
    }
}

/// How routes are shown.
struct Routes {
    mode: Mode,
    /// So many more are shown with all that stands in their way.
    whole: usize,
    /// Whether the steps of the only one were shown above.
    shown_above: bool,
    pasted: Pasted,
}

fn number(count: usize, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {many}"),
    }
}

fn routes(count: usize) -> String {
    number(count, "route", "routes")
}

/// What is new, in a line.
pub(super) fn summary(news: &PreflightNews) -> String {
    if news.is_first {
        return format!("{} of planned copies will fail", routes(news.will_fail));
    }
    let parts = [
        (news.new.len(), "will fail, which is new"),
        (news.changed.len(), "will fail for other causes"),
        (news.over.len(), "will not fail any more"),
        (news.cleared.len(), "may pass now"),
    ];
    let told: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", routes(*count)))
        .collect();
    if told.is_empty() {
        "not all planned copies could be looked at".to_owned()
    } else {
        told.join("; ")
    }
}

fn subject(news: &PreflightNews) -> String {
    let subject = format!("[Copymend] preflight: {}", summary(news));
    if subject.len() <= SUBJECT_LIMIT {
        subject
    } else {
        let kept: String = subject.chars().take(SUBJECT_LIMIT - 3).collect();
        format!("{kept}...")
    }
}

fn figures(body: &mut Body, news: &PreflightNews) {
    body.field(
        "Looked at",
        &format!(
            "{} in {}, {}",
            number(news.plans, "plan", "plans"),
            number(news.places, "account and Region", "accounts and Regions"),
            news.at.strftime(MOMENT)
        ),
    );
    for (label, count) in [
        ("Will fail", news.will_fail),
        ("Can't be known", news.cannot_be_known),
        ("Will pass", news.will_pass),
    ] {
        body.field(label, &routes(count));
    }
    let known = usize::try_from(news.known_to_fail).unwrap_or(usize::MAX);
    if known != news.will_fail {
        body.field(
            "Known to fail",
            &format!(
                "{}, those included that could not be judged now",
                routes(known)
            ),
        );
    }
}

fn cause(slug: &str) -> String {
    match slug.parse::<Cause>() {
        Ok(cause) => format!("{cause}: {}", cause.title()),
        Err(_) => "a rule names a vault that isn't there".to_owned(),
    }
}

fn causes(body: &mut Body, news: &PreflightNews) {
    if news.causes.is_empty() {
        return;
    }
    body.heading("By cause");
    for (slug, count) in &news.causes {
        body.item(&format!("{}: {}", routes(*count), cause(slug)));
    }
}

fn section(body: &mut Body, title: &str, failing: &[Failing], routes: &mut Routes) {
    if failing.is_empty() {
        return;
    }
    body.heading(&format!("{title} ({})", failing.len()));
    let shown = failing.len().min(routes.whole);
    routes.whole -= shown;
    let (in_whole, others) = failing.split_at(shown);
    for one in in_whole {
        match one {
            Failing::Route(route) => whole_route(body, route, routes),
            Failing::Rule(rule) => {
                body.gap();
                body.field("Rule", &name(&rule.rule));
                body.field("Place", &place(&rule.at));
                body.field("Makes no copy", &sentence(&name(&rule.what)));
            }
        }
    }
    if !in_whole.is_empty() && !others.is_empty() {
        body.gap();
    }
    for one in others.iter().take(ITEMS) {
        body.item(&line(one));
    }
    if let Some(more @ 1..) = others.len().checked_sub(ITEMS) {
        body.prose(&format!("[{more} more; `copymend preflight` shows them]"));
    }
}

fn place(at: &Location) -> String {
    format!("account {}, Region {}", at.account, inline(&at.region))
}

/// A route in one line.
fn line(failing: &Failing) -> String {
    match failing {
        Failing::Route(route) => {
            let slugs: Vec<&str> = route
                .in_the_way
                .iter()
                .map(|one| one.cause.slug())
                .collect();
            format!(
                "{} from {} to {}: {}",
                resources_of(route),
                vault(&route.source_vault),
                vault(&route.destination_vault),
                slugs.join(", ")
            )
        }
        Failing::Rule(rule) => format!(
            "{}, {}: {}",
            name(&rule.rule),
            place(&rule.at),
            name(&rule.what)
        ),
    }
}

fn resources_of(route: &FailingRoute) -> String {
    let count = number(route.resources.len(), "resource", "resources");
    match route.resource_type.as_str() {
        "" => count,
        kind => format!("{count} of type {}", inline(kind)),
    }
}

fn whole_route(body: &mut Body, route: &FailingRoute, routes: &mut Routes) {
    body.gap();
    body.field("Copies of", &resources_of(route));
    body.field("From", &vault(&route.source_vault));
    body.field("To", &vault(&route.destination_vault));
    body.field("Job role", &name(&route.role));
    let rules = route.rules.iter().map(String::as_str);
    let by_itself = if route.is_automatic {
        ", which targets a logically air-gapped vault"
    } else {
        ""
    };
    body.field("Made by", &format!("{}{by_itself}", some(rules)));
    let resources = route.resources.iter().map(String::as_str);
    body.field("Resources", &some(resources));
    if let Some(next) = route.next_run {
        body.field("Next run", &next.strftime(MOMENT).to_string());
    }
    if !route.before.is_empty() {
        let before: Vec<&str> = route.before.iter().map(String::as_str).collect();
        body.field("Was told", &inline(&before.join(", ")));
    }
    let count = route.in_the_way.len();
    for (place, one) in (1_usize..).zip(&route.in_the_way) {
        let label = if count == 1 {
            "In the way".to_owned()
        } else {
            format!("In the way {place}")
        };
        in_the_way(body, &label, one, routes);
    }
}

fn in_the_way(body: &mut Body, label: &str, one: &InTheWay, routes: &mut Routes) {
    body.gap();
    body.field(label, &format!("{}: {}.", one.cause, one.cause.title()));
    for evidence in one.evidence.iter().take(ITEMS) {
        body.inner_item(&sentence(&name(evidence)));
    }
    if one.cause.is_repairable() {
        body.field("Copymend", what_copymend_does(routes.mode));
    }
    if routes.shown_above {
        parts::pages(body, &one.advice);
        return;
    }
    body.field("Who", &inline(&one.advice.who));
    parts::pages(body, &one.advice);
    to_do::all_steps(body, &one.advice, &mut routes.pasted);
}

const fn what_copymend_does(mode: Mode) -> &'static str {
    match mode {
        Mode::Repair => {
            "repairs this itself once a copy has failed, where its guards let it, and starts the copy again"
        }
        Mode::Approve => {
            "asks whether to repair this once a copy has failed, and writes what a person approves"
        }
        Mode::Observe => {
            "is in observe mode: once a copy has failed, it says what it would repair, and writes nothing"
        }
    }
}

/// What others name: neither a line nor a link of its own, also where it looks like a host's name.
pub(super) fn name(text: &str) -> String {
    without_hosts(&inline(text))
}

/// The first names, and how many more there are.
fn some<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> String {
    let more = names.len().saturating_sub(RESOURCES);
    let shown: Vec<String> = names.take(RESOURCES).map(name).collect();
    let shown = shown.join(", ");
    match more {
        0 => shown,
        _ => format!("{shown} and {more} more"),
    }
}

fn over(body: &mut Body, news: &PreflightNews) {
    if news.over.is_empty() {
        return;
    }
    body.heading(&format!("Will not fail any more ({})", news.over.len()));
    for one in news.over.iter().take(ITEMS) {
        body.item(&format!(
            "{} ({}) {}.",
            name(&one.name),
            place(&one.at),
            one.why.sentence()
        ));
    }
    if let Some(more @ 1..) = news.over.len().checked_sub(ITEMS) {
        body.prose(&format!("[{more} more]"));
    }
}

/// What isn't known to fail any more, and not known to pass.
fn cleared(body: &mut Body, news: &PreflightNews) {
    if news.cleared.is_empty() {
        return;
    }
    body.heading(&format!(
        "What stood in the way is gone ({})",
        news.cleared.len()
    ));
    body.prose("Whether these copies will pass can't be known. If they fail, that is told again.");
    for one in news.cleared.iter().take(ITEMS) {
        body.item(&format!("{} ({}).", name(&one.name), place(&one.at)));
        body.indented(&format!("  {}", ruled_out(one)));
        for open in one.open.iter().take(OPEN_CAUSES) {
            body.inner_item(&may_be_in_the_way(open));
        }
        if let Some(more @ 1..) = one.open.len().checked_sub(OPEN_CAUSES) {
            body.indented(&format!("  [{more} more]"));
        }
    }
    if let Some(more @ 1..) = news.cleared.len().checked_sub(ITEMS) {
        body.prose(&format!("[{more} more]"));
    }
}

fn ruled_out(cleared: &RouteCleared) -> String {
    let causes = inline(&cleared.causes.join(", "));
    let are = match cleared.causes.len() {
        1 => "is",
        _ => "are",
    };
    format!("{causes} {are} ruled out now. What may still stand in the way:")
}

fn may_be_in_the_way(open: &OpenCause) -> String {
    match open.why.as_str() {
        "" => format!("{}: {}.", open.cause, open.cause.title()),
        why => format!("{}: {}", open.cause, sentence(&name(why))),
    }
}

/// What could not be looked at.
fn gaps(body: &mut Body, news: &PreflightNews) {
    let PreflightNews {
        more,
        not_read,
        left,
        ..
    } = news;
    if more.is_empty() && not_read.is_empty() && left.is_empty() {
        return;
    }
    body.heading("What could not be looked at, or not one by one");
    body.prose("What people were told of it before still stands.");
    for (at, count) in more.iter().take(ITEMS) {
        body.item(&format!(
            "{}: {count} more routes will fail than Copymend follows one by one.",
            place(at)
        ));
    }
    for refused in not_read.iter().take(ITEMS) {
        body.item(&format!(
            "{}: {} could not be read ({}). {}",
            place(&refused.at),
            inline(&refused.operation),
            inline(&refused.reason),
            remedy(refused)
        ));
        if !refused.detail.is_empty() {
            body.indented(&format!("  AWS says: {}", name(&refused.detail)));
        }
    }
    if let Some(more @ 1..) = not_read.len().checked_sub(ITEMS) {
        body.prose(&format!("[{more} more]"));
    }
    if let Some(first) = left.first() {
        let others = match left.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        body.item(&format!(
            "The time did not suffice for {}{others}. The next preflight begins there; until it does \
             suffice, this is not told again.",
            place(first)
        ));
    }
}

fn remedy(refused: &NotReadPlace) -> &'static str {
    if refused.may_pass {
        "Nobody refused it: this passes, and the next preflight tries it again."
    } else if refused.operation == ASSUME {
        "Deploy member.yaml in that account, or take the account out of SweepAccounts."
    } else if refused.reason.contains("denied") {
        "Update member.yaml there, or the hub's stack for its own account: the role lacks this \
         permission."
    } else {
        "It is tried again by the next preflight."
    }
}
