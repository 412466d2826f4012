//! Answers one request a line, for programs that compare this crate with another evaluator (`make
//! oracle`).
//!
//! A line with `policy` asks [`evaluate`]; one without asks [`Authorization::decide`]. Both have
//! the form of `copymend policy evaluate --lines` and `copymend policy authorize --lines`.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, BufRead, BufWriter, Write};

use copymend_policy::{AccountId, Authorization, PolicyDocument, Request, evaluate};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Question {
    policy: Option<Box<RawValue>>,
    request: Asked,
    #[serde(default)]
    identity: Vec<Box<RawValue>>,
    boundary: Option<Vec<Box<RawValue>>>,
    session: Option<Box<RawValue>>,
    #[serde(default)]
    scps: Vec<Vec<Box<RawValue>>>,
    #[serde(default)]
    rcps: Vec<Vec<Box<RawValue>>>,
    resource_policy: Option<Box<RawValue>>,
    #[serde(default)]
    unknown: Vec<String>,
}

#[derive(Deserialize)]
struct Asked {
    principal: String,
    action: String,
    resource: String,
    resource_account: AccountId,
    context: BTreeMap<String, Vec<String>>,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn document(text: &RawValue) -> Result<PolicyDocument> {
    Ok(PolicyDocument::parse(text.get())?)
}

fn documents(texts: &[Box<RawValue>]) -> Result<Vec<PolicyDocument>> {
    texts.iter().map(|text| document(text)).collect()
}

fn levels(levels: &[Vec<Box<RawValue>>]) -> Result<Vec<Vec<PolicyDocument>>> {
    levels.iter().map(|level| documents(level)).collect()
}

fn answer(line: &str) -> Result<serde_json::Value> {
    let question: Question = serde_json::from_str(line)?;
    let asked = question.request;
    let mut request = Request::new(asked.principal, asked.action, asked.resource);
    for (key, values) in asked.context {
        request = request.with_context(&key, values);
    }
    for key in &question.unknown {
        request = request.with_unknown(key);
    }
    if let Some(policy) = &question.policy {
        let decision = evaluate(&document(policy)?, &request);
        return Ok(json!({ "decision": decision.slug(), "statement": decision.statement() }));
    }
    let answer = Authorization {
        request,
        resource_account: asked.resource_account,
        identity: documents(&question.identity)?,
        boundary: question.boundary.as_deref().map(documents).transpose()?,
        session: question.session.as_deref().map(document).transpose()?,
        scps: levels(&question.scps)?,
        rcps: levels(&question.rcps)?,
        resource_policy: question
            .resource_policy
            .as_deref()
            .map(document)
            .transpose()?,
    }
    .decide();
    Ok(json!({ "decision": answer.decision.slug(), "blocked_by": answer.blocked_by }))
}

fn main() -> Result<()> {
    let mut output = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let line = line?;
        let answer = answer(&line).map_err(|error| format!("{error} in {line}"))?;
        writeln!(output, "{answer}")?;
    }
    Ok(output.flush()?)
}
