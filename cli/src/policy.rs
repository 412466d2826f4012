//! `copymend policy`.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufWriter, Write};

use copymend_policy::{Decision, PolicyDocument, Request, evaluate as decide};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::arguments::Evaluate;
use crate::{CommandError, Ending, io_error};

/// One question, as other programs write it.
#[derive(Deserialize)]
struct Question<'q> {
    #[serde(borrow)]
    policy: &'q RawValue,
    request: RequestInput,
    #[serde(default)]
    unknown: Vec<String>,
}

#[derive(Deserialize)]
struct RequestInput {
    principal: String,
    action: String,
    resource: String,
    #[serde(default)]
    context: BTreeMap<String, Value>,
}

#[derive(Serialize)]
struct Answer {
    decision: &'static str,
    statement: Option<usize>,
}

impl From<&Decision> for Answer {
    fn from(decision: &Decision) -> Self {
        Self { decision: decision.slug(), statement: decision.statement() }
    }
}

#[derive(Serialize)]
struct Refusal {
    error: String,
}

pub(crate) fn evaluate(arguments: &Evaluate) -> Result<Ending, CommandError> {
    let output = io::stdout().lock();
    if arguments.lines {
        return lines(io::stdin().lock(), BufWriter::new(output)).map_err(io_error("evaluate lines"));
    }
    let (Some(path), Some(principal), Some(action), Some(resource)) =
        (&arguments.policy, &arguments.principal, &arguments.action, &arguments.resource)
    else {
        return Err(CommandError::Usage("a policy, --principal, --action and --resource are needed".to_owned()));
    };
    let text = std::fs::read_to_string(path).map_err(io_error(format!("read `{}`", path.display())))?;
    let policy = PolicyDocument::parse(&text)
        .map_err(|error| CommandError::Usage(format!("`{}` is no policy: {error}", path.display())))?;
    let mut context: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for pair in &arguments.context {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| CommandError::Usage(format!("`{pair}` is not KEY=VALUE")))?;
        context.entry(key).or_default().push(value);
    }
    let mut request = Request::new(principal, action, resource);
    for (key, values) in context {
        request = request.with_context(key, values);
    }
    for key in &arguments.unknown {
        request = request.with_unknown(key);
    }
    let decision = decide(&policy, &request);
    let mut output = anstream::AutoStream::auto(output);
    let written = if arguments.json {
        json(&mut output, &Answer::from(&decision))
    } else {
        human(&mut output, &policy, &decision)
    };
    written.map_err(io_error("write the answer"))?;
    Ok(Ending::Done)
}

/// Every line gets an answer, in order. A line that can't be answered gets an `error`, and the exit code says so.
fn lines(mut input: impl BufRead, mut output: impl Write) -> io::Result<Ending> {
    let mut ending = Ending::Done;
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        match answer(&line) {
            Ok(answer) => json(&mut output, &answer)?,
            Err(error) => {
                ending = Ending::Failed;
                json(&mut output, &Refusal { error })?;
            }
        }
        line.clear();
    }
    output.flush()?;
    Ok(ending)
}

fn answer(line: &[u8]) -> Result<Answer, String> {
    let question: Question<'_> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let policy = PolicyDocument::parse(question.policy.get()).map_err(|error| error.to_string())?;
    let input = question.request;
    let mut request = Request::new(input.principal, input.action, input.resource);
    for (key, values) in &input.context {
        request = request.with_context(key, texts(values)?);
    }
    for key in &question.unknown {
        request = request.with_unknown(key);
    }
    Ok(Answer::from(&decide(&policy, &request)))
}

/// The values of a condition key: a list or one value; numbers and booleans as their JSON text.
fn texts(values: &Value) -> Result<Vec<String>, String> {
    match values {
        Value::Array(values) => values.iter().map(text).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Ok(vec![text(values)?])
        }
    }
}

fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Number(value) => Ok(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(format!("`{value}` is not the value of a condition key"))
        }
    }
}

fn json(mut output: impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut output, value)?;
    writeln!(output)
}

fn human(mut output: impl Write, policy: &PolicyDocument, decision: &Decision) -> io::Result<()> {
    let bold = anstyle::Style::new().bold();
    writeln!(output, "{bold}{}{bold:#}", decision.slug())?;
    if let Decision::Unknown { keys } = decision {
        writeln!(output, "depends on: {}", keys.join(", "))?;
    }
    let statement = decision
        .statement()
        .and_then(|place| policy.statements().get(place).map(|statement| (place, statement)));
    if let Some((place, statement)) = statement {
        writeln!(output, "statement {}:", place.saturating_add(1))?;
        writeln!(output, "{}", statement.as_str())?;
    }
    Ok(())
}
