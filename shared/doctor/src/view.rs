//! How findings are shown.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use copymend_policy::text::{is_hidden, push_json_escape};
use serde::Serialize;

use crate::deployed::Deployed;
use crate::finding::{Finding, State};

/// The version of the JSON.
const VERSION: u32 = 1;
/// Lines are folded here.
const WIDTH: usize = 120;
const PART: usize = 22;
const STATE: usize = 15;

/// Whether something is broken.
#[must_use]
pub fn is_broken(findings: &[Finding]) -> bool {
    count(findings, State::Broken) > 0
}

fn count(findings: &[Finding], state: State) -> usize {
    findings
        .iter()
        .filter(|finding| finding.state == state)
        .count()
}

#[derive(Serialize)]
struct Answer<'f> {
    doctor: u32,
    stack: &'f str,
    region: &'f str,
    account: String,
    broken: usize,
    warnings: usize,
    not_checkable: usize,
    findings: &'f [Finding],
}

/// One line of JSON.
pub fn json(deployed: &Deployed, findings: &[Finding]) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Answer {
        doctor: VERSION,
        stack: &deployed.name,
        region: &deployed.region,
        account: deployed.account.to_string(),
        broken: count(findings, State::Broken),
        warnings: count(findings, State::Warning),
        not_checkable: count(findings, State::NotCheckable),
        findings,
    })
}

/// The table for people. What comes from outside is made harmless.
#[must_use]
pub fn table(findings: &[Finding]) -> String {
    let mut text = String::new();
    let bold = Style::new().bold();
    let _ = writeln!(
        text,
        "{bold}{:PART$}{:STATE$}found{bold:#}",
        "part", "state"
    );
    let mut part = None;
    for finding in findings {
        let name = if part == Some(finding.part) {
            ""
        } else {
            finding.part.name()
        };
        part = Some(finding.part);
        let style = style(finding.state);
        let state = finding.state.name();
        let _ = write!(text, "{name:PART$}{style}{state:STATE$}{style:#}");
        let advice = finding.advice.as_ref();
        let lines = folded(&finding.found).into_iter().chain(
            advice
                .into_iter()
                .flat_map(|advice| folded(&format!("→ {advice}"))),
        );
        for (number, line) in lines.enumerate() {
            let indent = if number == 0 { 0 } else { PART + STATE };
            let _ = writeln!(text, "{:indent$}{line}", "");
        }
    }
    let [broken, warnings, unknown] =
        [State::Broken, State::Warning, State::NotCheckable].map(|state| count(findings, state));
    let _ = writeln!(
        text,
        "\nBroken: {broken}. Warnings: {warnings}. Not checkable: {unknown}."
    );
    text
}

const fn style(state: State) -> Style {
    match state {
        State::Fine => AnsiColor::Green.on_default(),
        State::Warning => AnsiColor::Yellow.on_default(),
        State::Broken => AnsiColor::Red.on_default(),
        State::NotCheckable => AnsiColor::Cyan.on_default(),
    }
}

/// Text in lines that fit beside the other columns. A word that is longer stays whole.
fn folded(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in harmless(text).split_whitespace() {
        let length = |text: &str| text.chars().count();
        let Some(line) = lines.last_mut() else { break };
        if !line.is_empty() && length(line) + 1 + length(word) > WIDTH - PART - STATE {
            lines.push(word.to_owned());
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines
}

fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) && !character.is_whitespace() {
            push_json_escape(&mut out, character);
        } else {
            out.push(character);
        }
    }
    out
}
