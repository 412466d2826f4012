//! `copymend policy evaluate`: the resource policy alone.

use std::io::{self, Write};

use copymend_policy::{Decision, PolicyDocument, Request, evaluate};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::arguments::Evaluate;
use super::question::{RequestInput, document};
use super::{lines, policy};
use crate::output::{self, BOLD, printable};
use crate::{CommandError, Ending, io_error};

/// One question, as other programs write it.
#[derive(Deserialize)]
struct Question<'q> {
    #[serde(borrow)]
    policy: &'q RawValue,
    #[serde(borrow)]
    request: RequestInput<'q>,
    unknown: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Answer {
    decision: &'static str,
    statement: Option<usize>,
}

impl From<&Decision> for Answer {
    fn from(decision: &Decision) -> Self {
        Self {
            decision: decision.slug(),
            statement: decision.statement(),
        }
    }
}

pub(super) fn run(arguments: &Evaluate) -> Result<Ending, CommandError> {
    if arguments.lines {
        return lines(answer);
    }
    let (Some(path), Some(principal), Some(action), Some(resource)) = (
        &arguments.policy,
        &arguments.principal,
        &arguments.action,
        &arguments.resource,
    ) else {
        return Err(CommandError::Usage(
            "a policy, --principal, --action and --resource are needed".to_owned(),
        ));
    };
    let policy = policy(path)?;
    let mut request = Request::new(principal, action, resource);
    for pair in &arguments.context {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| CommandError::Usage(format!("`{pair}` is not KEY=VALUE")))?;
        let mut values = request.context().values(key).unwrap_or_default().to_vec();
        values.push(value.to_owned());
        request = request.with_context(key, values);
    }
    for key in &arguments.unknown {
        request = request.with_unknown(key);
    }
    let decision = evaluate(&policy, &request);
    let written = if arguments.json {
        output::json(io::stdout().lock(), &Answer::from(&decision))
    } else {
        human(output::terminal(), &policy, &decision)
    };
    written.map_err(io_error("write the answer"))?;
    Ok(Ending::Done)
}

fn answer(line: &[u8]) -> Result<Answer, String> {
    let question: Question<'_> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let policy = document(question.policy)?;
    let request = question.request.request(question.unknown.as_deref())?;
    Ok(Answer::from(&evaluate(&policy, &request)))
}

fn human(mut output: impl Write, policy: &PolicyDocument, decision: &Decision) -> io::Result<()> {
    writeln!(output, "{BOLD}{}{BOLD:#}", decision.slug())?;
    if let Decision::Unknown { keys } = decision {
        writeln!(output, "depends on: {}", printable(&keys.join(", ")))?;
    }
    let statement = decision.statement().and_then(|place| {
        let statement = policy.statements().get(place)?;
        Some((place, statement))
    });
    if let Some((place, statement)) = statement {
        writeln!(output, "statement {}:", place.saturating_add(1))?;
        writeln!(output, "{}", printable(statement.as_str()))?;
    }
    Ok(())
}
