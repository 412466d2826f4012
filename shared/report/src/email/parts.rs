//! The parts of an e-mail that need not know what it is about.

use copymend_diagnosis::{Advice, Assessment, PermissionAnswer, Verdict};
use copymend_remediation::report::DiagnosisReport;
use serde_json::Value;

use super::body::Body;
use crate::text::{at_most, command, inline, quote, sentence};
use crate::{json, link, needs, subject};

/// How many items of a list are shown.
pub(super) const ITEMS: usize = 20;
/// How many permissions are shown. No call or job needs as many.
const PERMISSIONS: usize = 100;
/// How many lines of a policy are shown.
const POLICY_LINES: usize = 400;
/// Where the lines are that were cut.
pub(super) const WHOLE_POLICY: &str = " lines; the function's answer holds the whole policy";
/// Quoted lines are wrapped at this width.
const QUOTE_WIDTH: usize = 96;

/// A vault in words.
pub(super) fn vault(text: &str) -> String {
    subject::vault(text, "vault ", ", account ", ", Region ")
}

pub(super) fn notes(body: &mut Body, notes: &[String]) {
    if notes.is_empty() {
        return;
    }
    body.heading("Notes");
    for note in notes.iter().take(ITEMS) {
        body.item(&sentence(&inline(note)));
    }
}

/// Who, where to look, and the steps. A line that repeats `above`, a text that is shown already,
/// only points there.
pub(super) fn advice(body: &mut Body, advice: &Advice, above: Option<&str>) {
    body.field("Who", &inline(&advice.who));
    if let Some(link) = advice.console.as_deref().and_then(link::console) {
        body.field("Console", link);
    }
    body.field("AWS's page", advice.page);
    body.line("");
    for (number, step) in (1..).zip(&advice.steps) {
        let lines: Vec<String> = step
            .lines()
            .map(|line| {
                if above == Some(line) {
                    "(the policy that stands above)".to_owned()
                } else {
                    command(line)
                }
            })
            .collect();
        body.step(number, lines.iter().map(String::as_str));
    }
}

/// Every candidate with its evidence. What the list of `permissions` says already isn't said again.
pub(super) fn evidence(
    body: &mut Body,
    diagnosis: &DiagnosisReport,
    permissions: &[PermissionAnswer],
) {
    if diagnosis.candidates.is_empty() {
        return;
    }
    body.heading("Why Copymend thinks so");
    for (verdict, title) in [
        (Verdict::Confirmed, "Confirmed"),
        (Verdict::NotCheckable, "Not checkable"),
        (Verdict::RuledOut, "Ruled out"),
    ] {
        let mut candidates = diagnosis
            .candidates
            .iter()
            .filter(|one| one.verdict == verdict)
            .peekable();
        if candidates.peek().is_some() {
            body.line(&format!("  {title}"));
        }
        for candidate in candidates {
            one_candidate(body, candidate, permissions);
        }
    }
}

fn one_candidate(body: &mut Body, candidate: &Assessment, permissions: &[PermissionAnswer]) {
    body.indented(&format!(
        "{}: {}.",
        candidate.cause,
        candidate.cause.title()
    ));
    let why = inline(&candidate.why);
    if !why.is_empty() {
        body.indented(&format!("  - {}", sentence(&why)));
    }
    let (listed, told): (Vec<&String>, Vec<&String>) = candidate
        .evidence
        .iter()
        .partition(|evidence| needs::is_listed(permissions, evidence));
    if !listed.is_empty() {
        body.indented(&format!("  - {}", needs::LISTED));
    }
    for evidence in told.into_iter().take(ITEMS) {
        body.indented(&format!("  - {}", sentence(&inline(evidence))));
    }
}

/// The message of `whose`: of a job or a call.
pub(super) fn message(body: &mut Body, whose: &str, message: &str) {
    body.heading(&format!("The {whose}'s message, word for word"));
    let quote = quote(message, QUOTE_WIDTH);
    if quote.lines.is_empty() {
        body.line(&format!("  The {whose} has no message."));
        return;
    }
    body.line(&format!(
        "  Quoted from the event or the {whose}. Copymend did not write this; do not follow links in it."
    ));
    for line in &quote.lines {
        body.quoted(line);
    }
    if quote.cut > 0 {
        body.line(&format!("  [{} more characters were cut.]", quote.cut));
    }
}

/// The reads that told nothing. `meaning` says what follows from that.
pub(super) fn unknown(body: &mut Body, diagnosis: &DiagnosisReport, meaning: &str) {
    let unknown = &diagnosis.unknown;
    if unknown.is_empty() {
        return;
    }
    body.heading("What could not be read");
    body.line(&format!("  {meaning}"));
    for why in unknown.iter().take(ITEMS) {
        body.item(&sentence(&inline(&why.to_string())));
    }
}

/// The permissions that are needed, one by one.
pub(super) fn permissions(body: &mut Body, answers: &[PermissionAnswer]) {
    if answers.is_empty() {
        return;
    }
    body.heading("The permissions, one by one");
    body.line(&format!("  {}.", needs::count(answers)));
    let lines = needs::in_order(answers).into_iter();
    let lines =
        lines.map(|answer| format!("{}  {}", needs::mark(answer.state), needs::line(answer)));
    for line in at_most(lines.collect(), PERMISSIONS, "") {
        body.line(&format!("  {line}"));
    }
}

/// The policy to attach to a caller or job role.
pub(super) fn policy(body: &mut Body, policy: Option<&Value>) {
    let Some(policy) = policy else {
        return;
    };
    body.heading("The policy to attach");
    body.line("  The least that is missing, ready to paste. Check its resources before you do.");
    body.line("");
    for line in at_most(json::policy(policy), POLICY_LINES, WHOLE_POLICY) {
        body.indented(&line);
    }
}
