//! `copymend policy authorize`: the whole request, with every policy that has a say.

use std::io::{self, Write};

use copymend_policy::{
    AccountId, Answer as Authorized, Arn, Authorization, Layer, PolicyDocument, Verdict,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::arguments::Authorize;
use super::lines;
use super::question::{RequestInput, document};
use crate::input::json_text;
use crate::output::{self, BOLD, printable};
use crate::{CommandError, Ending, io_error};

/// A list that may be missing or null.
type List<T> = Option<Vec<T>>;

/// One question, as other programs write it.
#[derive(Deserialize)]
struct Question<'q> {
    #[serde(borrow)]
    request: RequestInput<'q>,
    #[serde(borrow, default)]
    identity: List<&'q RawValue>,
    #[serde(borrow, default)]
    boundary: List<&'q RawValue>,
    #[serde(borrow, default)]
    session: Option<&'q RawValue>,
    #[serde(borrow, default)]
    scps: List<Vec<&'q RawValue>>,
    #[serde(borrow, default)]
    rcps: List<Vec<&'q RawValue>>,
    #[serde(borrow, default)]
    resource_policy: Option<&'q RawValue>,
    unknown: List<String>,
}

#[derive(Serialize)]
struct Answer {
    decision: &'static str,
    blocked_by: Vec<Layer>,
}

impl From<Authorized> for Answer {
    fn from(answer: Authorized) -> Self {
        Self {
            decision: answer.decision.slug(),
            blocked_by: answer.blocked_by,
        }
    }
}

pub(super) fn run(arguments: &Authorize) -> Result<Ending, CommandError> {
    if arguments.lines {
        return lines(|line| authorize(line).map(Answer::from));
    }
    let bytes = json_text(&arguments.request)?;
    let answer = authorize(&bytes).map_err(|reason| {
        let path = arguments.request.display();
        CommandError::Usage(format!("`{path}` is no request: {reason}"))
    })?;
    let written = if arguments.json {
        output::json(io::stdout().lock(), &Answer::from(answer))
    } else {
        human(output::terminal(), &answer)
    };
    written.map_err(io_error("write the answer"))?;
    Ok(Ending::Done)
}

fn authorize(text: &[u8]) -> Result<Authorized, String> {
    let question: Question<'_> = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let authorization = Authorization {
        resource_account: resource_account(&question.request)?,
        request: question.request.request(question.unknown.as_deref())?,
        identity: policies("identity", question.identity.as_deref().unwrap_or_default())?,
        boundary: match &question.boundary {
            Some(boundary) => Some(policies("boundary", boundary)?),
            None => None,
        },
        session: policy("session", question.session)?,
        scps: levels("scps", question.scps.as_deref())?,
        rcps: levels("rcps", question.rcps.as_deref())?,
        resource_policy: policy("resource_policy", question.resource_policy)?,
    };
    Ok(authorization.decide())
}

fn resource_account(request: &RequestInput<'_>) -> Result<AccountId, String> {
    if let Some(account) = &request.resource_account {
        return account
            .parse()
            .map_err(|error| format!("resource_account: {error}"));
    }
    let arn: Result<Arn, _> = request.resource.parse();
    arn.ok().and_then(|arn| arn.account_id()).ok_or_else(|| {
        format!(
            "`{}` names no account; `resource_account` is needed",
            request.resource
        )
    })
}

fn levels(
    name: &str,
    levels: Option<&[Vec<&RawValue>]>,
) -> Result<Vec<Vec<PolicyDocument>>, String> {
    let levels = levels.unwrap_or_default().iter();
    levels.map(|level| policies(name, level)).collect()
}

fn policies(name: &str, policies: &[&RawValue]) -> Result<Vec<PolicyDocument>, String> {
    let read = |raw: &&RawValue| document(raw).map_err(|error| format!("{name}: {error}"));
    policies.iter().map(read).collect()
}

fn policy(name: &str, raw: Option<&RawValue>) -> Result<Option<PolicyDocument>, String> {
    let read = |raw| document(raw).map_err(|error| format!("{name}: {error}"));
    raw.map(read).transpose()
}

fn human(mut output: impl Write, answer: &Authorized) -> io::Result<()> {
    writeln!(output, "{BOLD}{}{BOLD:#}", answer.decision.slug())?;
    if let Verdict::Unknown { keys } = &answer.decision {
        writeln!(output, "depends on: {}", printable(&keys.join(", ")))?;
    }
    if !answer.blocked_by.is_empty() {
        let layers: Vec<&str> = answer.blocked_by.iter().copied().map(Layer::slug).collect();
        writeln!(output, "blocked by: {}", layers.join(", "))?;
    }
    Ok(())
}
