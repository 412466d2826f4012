//! What is left to do, by whom, with which command: within the first screen.

use copymend_diagnosis::Advice;
use copymend_remediation::report::{DecisionKind, Outcome, Report, Subject};
use copymend_remediation::settings::Mode;

use super::body::Body;
use super::parts;
use super::pasted::Pasted;
use crate::text::{command, inline};
use crate::{approval, words};

/// So many lines are seen without scrolling.
const SCREEN: usize = 25;

/// What is left to do. Steps that don't fit onto the first screen follow below.
pub(super) fn left_to_do(body: &mut Body, report: &Report) {
    body.heading(match report.subject {
        Subject::Copy(_) => "What is left to do",
        Subject::ApiCall(_) | Subject::Job(_) => "What to do",
    });
    question(body, report);
    let others = words::also_confirmed(report);
    if !others.is_empty() {
        body.prose("Confirmed as well, in the order in which it must be put right; until then the copy fails again:");
        for (number, other) in (1_usize..).zip(&others) {
            body.numbered(number, other);
        }
    }
    let owned = report.changes.iter().any(|change| change.applied) && report.managed_by.is_none();
    let Some(advice) = &report.advice else {
        if others.is_empty() {
            body.prose(without_advice(report));
        }
        if owned {
            body.prose(IN_CODE_TOO);
        }
        return;
    };
    if owned {
        body.prose(IN_CODE_TOO);
    }
    if let Some(command) = command_of_plan(report) {
        body.prose(
            "To have it done now, by whoever may change that policy; it shows the plan and asks:",
        );
        body.exactly(&command);
    }
    if let Some(preface) = preface(report).filter(|_| approval::question(report).is_none()) {
        body.prose(preface);
    }
    body.field("Who", &inline(&advice.who));
    let mut pasted = Pasted::of(report);
    steps(body, advice, &mut pasted);
    parts::where_to_look(body, advice);
}

/// The same without steps and commands.
pub(super) fn in_short(body: &mut Body, report: &Report) {
    if let Some(question) = approval::question(report) {
        body.line(&format!(
            "What to do: say yes or no until {}; no answer means no.",
            question.until
        ));
    }
    let others = words::also_confirmed(report);
    if !others.is_empty() {
        body.line("Confirmed as well, in the order in which it must be put right; until then the copy fails again:");
        for (number, other) in (1_usize..).zip(&others) {
            body.numbered(number, other);
        }
    }
    match &report.advice {
        Some(advice) => {
            let preface = preface(report).filter(|_| approval::question(report).is_none());
            if let Some(preface) = preface {
                body.line(&format!("What to do: {}", first_lower(preface)));
            }
            body.line(&format!("Who: {}", inline(&advice.who)));
        }
        None if others.is_empty() => {
            body.line(&format!(
                "What to do: {}",
                first_lower(without_advice(report))
            ));
        }
        None => {}
    }
}

/// As it goes on behind a colon.
fn first_lower(sentence: &str) -> String {
    let mut characters = sentence.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

const IN_CODE_TOO: &str = "If infrastructure as code owns this policy, add the statements there too: its next run would remove them.";

fn question(body: &mut Body, report: &Report) {
    let Some(question) = approval::question(report) else {
        return;
    };
    body.prose(&format!(
        "Say yes or no until {}; no answer means no. Each command shows the plan first:",
        question.until
    ));
    body.exactly(&question.approve);
    body.exactly(&question.refuse);
    if report.advice.is_some() {
        body.prose("Or by hand:");
    }
}

/// The steps, as many as the screen holds, and the others under a heading of their own.
pub(super) fn steps(body: &mut Body, advice: &Advice, pasted: &mut Pasted) {
    let written: Vec<Body> = (1_usize..)
        .zip(&advice.steps)
        .map(|(number, step)| one_step(number, step, pasted))
        .collect();
    let room = SCREEN.saturating_sub(body.lines());
    let all: usize = written.iter().map(Body::lines).sum();
    let mut left = if all <= room {
        all
    } else {
        room.saturating_sub(1)
    };
    let fitting = written.iter().take_while(|step| {
        let fits = step.lines() <= left;
        left = left.saturating_sub(step.lines());
        fits
    });
    let fitting = fitting.count();
    for step in written.iter().take(fitting) {
        body.append(step);
    }
    let last = written.len();
    if fitting == last {
        return;
    }
    let next = fitting + 1;
    let those = if next == last {
        format!("Step {last} stands")
    } else {
        format!("Steps {next} to {last} stand")
    };
    body.prose(&format!("{those} below, under THE FURTHER STEPS."));
    body.heading("The further steps");
    for step in written.iter().skip(fitting) {
        body.append(step);
    }
}

/// Every step, where there is no need to see them at once.
pub(super) fn all_steps(body: &mut Body, advice: &Advice, pasted: &mut Pasted) {
    for (number, step) in (1_usize..).zip(&advice.steps) {
        body.append(&one_step(number, step, pasted));
    }
}

/// A sentence, and what is to be copied, on lines of its own.
fn one_step(number: usize, step: &str, pasted: &mut Pasted) -> Body {
    let mut body = Body::default();
    let mut lines = step.lines();
    body.numbered(number, &command(lines.next().unwrap_or_default()));
    for line in lines {
        match pasted.instead_of(line, number) {
            Some(pointer) => body.indented(&format!("   {pointer}")),
            None => body.pasteable(&command(line)),
        }
    }
    body
}

/// `copymend apply`, where Copymend would make the change but for its mode.
fn command_of_plan(report: &Report) -> Option<String> {
    let Subject::Copy(copy) = &report.subject else {
        return None;
    };
    let is_plain = |text: &str| {
        (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let is_planned = report.outcome == Outcome::Planned
        && report.decision == DecisionKind::Repair
        && report.mode == Some(Mode::Observe);
    let parts = [&copy.copy_job_id, &copy.account, &copy.region];
    (is_planned && parts.into_iter().all(|part| is_plain(part))).then(|| {
        format!(
            "copymend apply {} --stack NAME --account {} --region {}",
            copy.copy_job_id, copy.account, copy.region
        )
    })
}

fn without_advice(report: &Report) -> &'static str {
    if report.needs_action() {
        return if report.outcome == Outcome::Repaired {
            "Start the copy again, or wait for the backup plan's next one."
        } else {
            "Copymend knows no steps: look at what is said above and below."
        };
    }
    match report.outcome {
        Outcome::RepairedAndRetried => {
            "Nothing else. If the new copy fails as well, Copymend reports that."
        }
        Outcome::Recovered => "Nothing. The copy is there.",
        Outcome::Retried | Outcome::RetryPlanned => {
            "Nothing now. If the copy fails again, Copymend reports that."
        }
        Outcome::Repaired
        | Outcome::Planned
        | Outcome::Advised
        | Outcome::Refused
        | Outcome::Failed
        | Outcome::Nothing
        | Outcome::AlreadyHandled => "Nothing that Copymend knows of.",
    }
}

/// What stands before the steps.
fn preface(report: &Report) -> Option<&'static str> {
    match (report.outcome, report.decision) {
        (Outcome::Planned, DecisionKind::Repair) => Some(
            "Set COPYMEND_MODE=repair, and Copymend does this itself from the next failure on. By hand:",
        ),
        (Outcome::Planned, _) => {
            Some("Set COPYMEND_MODE=repair, and Copymend starts such copies again itself. By hand:")
        }
        (Outcome::Retried | Outcome::RetryPlanned, _) => {
            Some("Nothing now. If the new copy fails as well:")
        }
        (Outcome::Refused, _) if report.is_refused_by_a_person() => {
            Some("A person refused this. If the copy should be made after all:")
        }
        (Outcome::Refused, _) => Some(
            "A guard refused this on purpose. Decide first whether this copy should be allowed; if so:",
        ),
        (
            Outcome::RepairedAndRetried
            | Outcome::Repaired
            | Outcome::Advised
            | Outcome::Failed
            | Outcome::Recovered
            | Outcome::Nothing
            | Outcome::AlreadyHandled,
            _,
        ) => None,
    }
}
