//! `copymend explain`.

use std::io::{self, BufRead, BufWriter, Read, Write};

use copymend_diagnosis::Cause;
use copymend_diagnosis::messages::{Explanation, explain};
use serde::Serialize;

use crate::arguments::Explain;
use crate::{CommandError, Ending, io_error};

/// One answer, as other programs read it.
#[derive(Serialize)]
struct Answer<'m> {
    message: &'m str,
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
        Self {
            message: explanation.message,
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
    let output = io::stdout().lock();
    if arguments.lines {
        lines(io::stdin().lock(), BufWriter::new(output)).map_err(io_error("explain lines"))?;
        return Ok(Ending::Done);
    }
    let message = match &arguments.message {
        Some(message) => message.clone(),
        None => {
            let mut bytes = Vec::new();
            io::stdin()
                .lock()
                .read_to_end(&mut bytes)
                .map_err(io_error("read standard input"))?;
            String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned()
        }
    };
    let explanation = explain(&message);
    let mut output = anstream::AutoStream::auto(output);
    let written = if arguments.json {
        json(&mut output, &explanation)
    } else {
        human(&mut output, &explanation)
    };
    written.map_err(io_error("write the answer"))?;
    Ok(Ending::Done)
}

fn lines(mut input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        json(&mut output, &explain(text.strip_suffix('\r').unwrap_or(text)))?;
        line.clear();
    }
    output.flush()
}

fn json(mut output: impl Write, explanation: &Explanation<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut output, &Answer::from(explanation))?;
    writeln!(output)
}

fn human(mut output: impl Write, explanation: &Explanation<'_>) -> io::Result<()> {
    let bold = anstyle::Style::new().bold();
    let dimmed = anstyle::Style::new().dimmed();
    for (place, candidate) in explanation.candidates.iter().enumerate() {
        let cause = candidate.cause;
        if place == 0 {
            writeln!(output, "{bold}{cause}{bold:#}  {}", cause.title())?;
        } else {
            writeln!(output, "{dimmed}or{dimmed:#} {cause}  {}", cause.title())?;
        }
        writeln!(output, "   {}", candidate.why)?;
    }
    for (name, value) in [
        ("principal", explanation.principal()),
        ("action", explanation.action()),
        ("resource", explanation.resource()),
    ] {
        if let Some(value) = value {
            writeln!(output, "{dimmed}{name:9}{dimmed:#} {}", value.escape_debug())?;
        }
    }
    let repair = if explanation.is_repairable() {
        "Copymend can repair this, where its owner allows it and every guard passes."
    } else {
        "Copymend does not repair this by itself; replay the event for the steps."
    };
    writeln!(output, "{dimmed}{repair}{dimmed:#}")
}
