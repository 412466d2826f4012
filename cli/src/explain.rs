//! `copymend explain`.

use std::io::{self, Write};
use std::path::Path;

use copymend_diagnosis::Cause;
use copymend_diagnosis::messages::{Explanation, explain};
use serde::Serialize;

use crate::arguments::Explain;
use crate::input::{answer_lines, read};
use crate::output::{self, BOLD, DIMMED};
use crate::{CommandError, Ending, io_error};

/// No more of a message is repeated in an answer: as much as an event can hold (AWS Lambda quotas,
/// documented).
const LONGEST_REPEATED: usize = 1_048_576;

/// One answer, as other programs read it.
#[derive(Serialize)]
struct Answer<'m> {
    /// The message, or its start.
    message: &'m str,
    /// The bytes of the whole message, where it is not repeated whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    message_bytes: Option<usize>,
    candidates: Vec<AnswerCandidate>,
    principal: Option<&'m str>,
    action: Option<&'m str>,
    resource: Option<&'m str>,
    repairable: Option<bool>,
}

#[derive(Serialize)]
struct AnswerCandidate {
    cause: Cause,
    why: &'static str,
}

impl<'m> From<&'m Explanation<'m>> for Answer<'m> {
    fn from(explanation: &'m Explanation<'m>) -> Self {
        let message = explanation.message;
        let shown = message
            .get(..message.floor_char_boundary(LONGEST_REPEATED))
            .unwrap_or_default();
        Self {
            message: shown,
            message_bytes: (shown.len() < message.len()).then_some(message.len()),
            candidates: explanation
                .candidates
                .iter()
                .map(|candidate| AnswerCandidate {
                    cause: candidate.cause,
                    why: candidate.why,
                })
                .collect(),
            principal: explanation.principal(),
            action: explanation.action(),
            resource: explanation.resource(),
            repairable: Some(explanation.is_repairable()),
        }
    }
}

pub(crate) fn run(arguments: &Explain) -> Result<Ending, CommandError> {
    if arguments.lines {
        answer_lines(line).map_err(io_error("explain lines"))?;
        return Ok(Ending::Done);
    }
    let message = match &arguments.message {
        Some(message) => message.clone(),
        None => String::from_utf8_lossy(&read(Path::new("-"))?)
            .trim_end_matches(['\r', '\n'])
            .to_owned(),
    };
    let explanation = explain(&message);
    let written = if arguments.json {
        output::json(io::stdout().lock(), &Answer::from(&explanation))
    } else {
        human(output::terminal(), &explanation)
    };
    written.map_err(io_error("write the answer"))?;
    Ok(Ending::Done)
}

/// Bytes that are not UTF-8 are replaced; nothing else in a line is touched.
fn line(line: &[u8], output: &mut dyn Write) -> io::Result<()> {
    let text = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
    output::json(output, &Answer::from(&explain(&text)))
}

fn human(mut output: impl Write, explanation: &Explanation<'_>) -> io::Result<()> {
    for (place, candidate) in explanation.candidates.iter().enumerate() {
        let cause = candidate.cause;
        if place == 0 {
            writeln!(output, "{BOLD}{cause}{BOLD:#}  {}", cause.title())?;
        } else {
            writeln!(output, "{DIMMED}or{DIMMED:#} {cause}  {}", cause.title())?;
        }
        writeln!(output, "   {}", candidate.why)?;
    }
    for (name, value) in [
        ("principal", explanation.principal()),
        ("action", explanation.action()),
        ("resource", explanation.resource()),
    ] {
        if let Some(value) = value {
            writeln!(
                output,
                "{DIMMED}{name:9}{DIMMED:#} {}",
                value.escape_debug()
            )?;
        }
    }
    let repair = if explanation.is_repairable() {
        "Copymend can repair this, where its owner allows it and every guard passes."
    } else {
        "Copymend does not repair this by itself; replay the event for the steps."
    };
    writeln!(output, "{DIMMED}{repair}{DIMMED:#}")
}
