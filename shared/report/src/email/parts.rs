//! The parts of an e-mail that need not know what it is about.

use copymend_diagnosis::{Advice, Assessment, PermissionAnswer, Verdict};
use copymend_remediation::report::DiagnosisReport;
use serde_json::Value;

use super::body::Body;
use super::unread::Unread;
use crate::text::{at_most, quote, sentence};
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

pub(super) fn notes(body: &mut Body, notes: &[String], unread: &Unread<'_>) {
    if notes.is_empty() {
        return;
    }
    body.heading("Notes");
    for note in notes.iter().take(ITEMS) {
        body.item(&sentence(&unread.inline(note)));
    }
}

/// The pages to start from.
pub(super) fn where_to_look(body: &mut Body, advice: &Advice) {
    body.heading("Where to look");
    pages(body, advice);
}

/// The same without a heading.
pub(super) fn pages(body: &mut Body, advice: &Advice) {
    if let Some(link) = advice.console.as_deref().and_then(link::console) {
        body.field("Console", link);
    }
    body.field("AWS's page", advice.page);
}

/// Every candidate with its evidence. What the list of `permissions` says already isn't said again.
pub(super) fn evidence(
    body: &mut Body,
    diagnosis: &DiagnosisReport,
    permissions: &[PermissionAnswer],
    unread: &Unread<'_>,
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
            body.prose(title);
        }
        for candidate in candidates {
            one_candidate(body, candidate, permissions, unread);
        }
    }
}

fn one_candidate(
    body: &mut Body,
    candidate: &Assessment,
    permissions: &[PermissionAnswer],
    unread: &Unread<'_>,
) {
    body.indented(&format!(
        "{}: {}.",
        candidate.cause,
        candidate.cause.title()
    ));
    let why = unread.inline(&candidate.why);
    if !why.is_empty() {
        body.inner_item(&sentence(&why));
    }
    let (listed, told): (Vec<&String>, Vec<&String>) = candidate
        .evidence
        .iter()
        .partition(|evidence| needs::is_listed(permissions, evidence));
    if !listed.is_empty() {
        body.inner_item(needs::LISTED);
    }
    for evidence in told.into_iter().take(ITEMS) {
        body.inner_item(&sentence(&unread.inline(evidence)));
    }
}

/// The message of `whose`: of a job or a call.
pub(super) fn message(body: &mut Body, whose: &str, message: &str) {
    body.heading(&format!("The {whose}'s message, word for word"));
    let quote = quote(message, QUOTE_WIDTH);
    if quote.lines.is_empty() {
        body.prose(&format!("The {whose} has no message."));
        return;
    }
    body.prose(&format!(
        "Quoted from the event or the {whose}. Copymend did not write this; do not follow links in it."
    ));
    for line in &quote.lines {
        body.quoted(line);
    }
    if quote.cut > 0 {
        body.prose(&format!("[{} more characters were cut.]", quote.cut));
    }
}

/// The permissions that are needed, one by one.
pub(super) fn permissions(body: &mut Body, answers: &[PermissionAnswer], unread: &Unread<'_>) {
    if answers.is_empty() {
        return;
    }
    body.heading("The permissions, one by one");
    body.prose(&format!("{}.", needs::count(answers)));
    let answers = needs::in_order(answers);
    for answer in answers.iter().take(PERMISSIONS) {
        let told = needs::line(answer, |text| unread.inline(text));
        body.marked(needs::mark(answer.state), &told);
    }
    if let Some(more @ 1..) = answers.len().checked_sub(PERMISSIONS) {
        body.prose(&format!("[{more} more]"));
    }
}

/// The policy to attach to a caller or job role.
pub(super) fn policy(body: &mut Body, policy: Option<&Value>) {
    let Some(policy) = policy else {
        return;
    };
    body.heading("The policy to attach");
    body.prose("The least that is missing, ready to paste. Check its resources before you do.");
    body.gap();
    for line in at_most(json::policy(policy), POLICY_LINES, WHOLE_POLICY) {
        body.exactly(&line);
    }
}
