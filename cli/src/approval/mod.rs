//! `copymend approve` and `copymend refuse`: a person's answer to a function in approve mode.

use std::io::{self, BufRead, IsTerminal, Write};

use copymend_aws::{ApprovalsAlias, Whose};
use copymend_remediation::agreement::PlanHash;
use copymend_remediation::approval::{ApprovalInput, Asked, Reply, SignedWords};
use copymend_survey::RegionCode;
use serde::Deserialize;
use serde_json::Value;

use crate::approval::arguments::{ApproveArguments, FunctionArguments, RefuseArguments};
use crate::{CommandError, Ending, io_error, output};

pub(crate) mod arguments;

/// What a person wants to say.
struct Said<'a> {
    reply: Reply,
    plan: &'a str,
    allow_again: bool,
    yes: bool,
    json: bool,
    function: &'a FunctionArguments,
}

/// What of the function's answer counts here.
#[derive(Deserialize)]
struct Answer {
    result: String,
    why: Option<String>,
    hash: Option<PlanHash>,
    function: String,
    plan_now: Option<String>,
    text: Option<String>,
}

enum Answered {
    /// What the function answered to the answer.
    By(Value),
    /// The function had nothing to be answered.
    NotAsked(Value),
    /// The person thought better of it.
    NotGiven,
}

pub(crate) fn approve(arguments: &ApproveArguments) -> Result<Ending, CommandError> {
    run(&Said {
        reply: Reply::Approve,
        plan: &arguments.plan,
        allow_again: false,
        yes: arguments.yes,
        json: arguments.json,
        function: &arguments.function,
    })
}

pub(crate) fn refuse(arguments: &RefuseArguments) -> Result<Ending, CommandError> {
    run(&Said {
        reply: Reply::Refuse,
        plan: &arguments.plan,
        allow_again: arguments.allow_again,
        yes: arguments.yes,
        json: arguments.json,
        function: &arguments.function,
    })
}

fn run(said: &Said<'_>) -> Result<Ending, CommandError> {
    if !said.yes && !io::stdin().is_terminal() {
        return Err(CommandError::Usage(
            "there is no terminal to ask on: add `--yes`".to_owned(),
        ));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io_error("start"))?;
    let (value, is_done) = match runtime.block_on(answer(said))? {
        Answered::NotGiven => {
            anstream::eprintln!("Nothing was answered.");
            return Ok(Ending::Failed);
        }
        Answered::NotAsked(value) => (value, false),
        Answered::By(value) => {
            let result = read(&value)?.result;
            let wanted = match said.reply {
                Reply::Approve => "carried-out",
                Reply::Refuse => "refused",
            };
            (value, result == wanted)
        }
    };
    let written = if said.json {
        let mut value = value;
        if let Some(members) = value.as_object_mut() {
            members.remove("text");
        }
        output::json(io::stdout().lock(), &value)
    } else {
        human(said, &read(&value)?)
    };
    written.map_err(io_error("write the answer"))?;
    Ok(if is_done {
        Ending::Done
    } else {
        Ending::Failed
    })
}

async fn answer(said: &Said<'_>) -> Result<Answered, CommandError> {
    let FunctionArguments {
        function,
        stack,
        region,
        profile,
    } = said.function;
    let whose = Whose {
        profile: profile.as_deref(),
        region: region.as_ref().map(RegionCode::as_str),
    };
    let alias = match (function, stack) {
        (Some(function), _) => ApprovalsAlias::of_function(whose, function).await,
        (None, Some(stack)) => ApprovalsAlias::of_stack(whose, stack).await,
        (None, None) => {
            return Err(CommandError::Usage(
                "name the function by --function or its stack by --stack".to_owned(),
            ));
        }
    };
    let alias = alias.map_err(usage)?;
    let input = |answer| ApprovalInput {
        plan: said.plan.to_owned(),
        answer,
    };
    let shown = ask(&alias, &input(None)).await?;
    let read_shown = read(&shown)?;
    // A plan that can't be carried out now, and one that is refused, come with their hash, too: there a
    // no is all that can be said.
    let is_open = match said.reply {
        Reply::Approve => read_shown.result == "shown",
        Reply::Refuse => true,
    };
    let hash = match read_shown.hash.filter(|_| is_open) {
        Some(hash) if hash.is_named_by(said.plan) => hash,
        Some(_) => {
            return Err(CommandError::Usage(
                "the function shows another plan than the one that you named: nothing was signed"
                    .to_owned(),
            ));
        }
        None => return Ok(Answered::NotAsked(shown)),
    };
    alias
        .check(&read_shown.function)
        .await
        .map_err(usage)?
        .map_err(usage)?;
    if !said.yes {
        show(&read_shown).map_err(io_error("show the plan"))?;
        if !agreed(said).map_err(io_error("ask"))? {
            return Ok(Answered::NotGiven);
        }
    }
    let words = if said.allow_again {
        SignedWords::allowing_again(hash, &read_shown.function)
    } else {
        SignedWords::of(said.reply, hash, &read_shown.function)
    };
    let identity = alias.sign(&words).await.map_err(usage)?;
    let answer = Asked {
        reply: said.reply,
        hash,
        allow_again: said.allow_again,
        identity,
    };
    ask(&alias, &input(Some(answer))).await.map(Answered::By)
}

async fn ask(alias: &ApprovalsAlias, input: &ApprovalInput) -> Result<Value, CommandError> {
    let (answer, is_failed) = alias.ask(input).await.map_err(usage)?;
    if is_failed {
        let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
        return Err(CommandError::Usage(format!(
            "the function did not answer: {}: {}. What came of the plan so far, the same command shows.",
            output::printable(text("errorType")),
            output::printable(text("errorMessage"))
        )));
    }
    Ok(answer)
}

fn read(answer: &Value) -> Result<Answer, CommandError> {
    Answer::deserialize(answer).map_err(|_| {
        CommandError::Usage(
            "what answers isn't a function of Copymend in this version: name the copy remediator"
                .to_owned(),
        )
    })
}

fn usage(error: impl std::fmt::Display) -> CommandError {
    CommandError::Usage(output::printable(&error.to_string()))
}

/// What is about to be answered, on standard error, so that standard output stays the answer's.
fn show(answer: &Answer) -> io::Result<()> {
    let mut output = anstream::stderr();
    for line in answer
        .text
        .iter()
        .chain(&answer.why)
        .flat_map(|text| text.lines())
    {
        writeln!(output, "{}", output::printable(line))?;
    }
    Ok(())
}

fn agreed(said: &Said<'_>) -> io::Result<bool> {
    let mut output = anstream::stderr();
    let question = match said.reply {
        Reply::Approve => "Carry it out?",
        Reply::Refuse => "Refuse it?",
    };
    write!(output, "{question} [y/N] ")?;
    output.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

fn human(said: &Said<'_>, answer: &Answer) -> io::Result<()> {
    let mut output = output::terminal();
    let text = output::printable;
    for line in answer.text.iter().flat_map(|text| text.lines()) {
        writeln!(output, "{}", text(line))?;
    }
    let plan = text(said.plan);
    let standing = match answer.result.as_str() {
        "carried-out" => format!("Plan {plan} was carried out."),
        "not-carried-out" => format!("Plan {plan} was approved, and not carried out."),
        "refused" => format!("Plan {plan} is refused."),
        _ => format!("Plan {plan} was not answered."),
    };
    writeln!(output, "{standing}")?;
    if let Some(why) = &answer.why {
        writeln!(output, "{}.", text(why.trim_end_matches('.')))?;
    }
    if let Some(now) = &answer.plan_now {
        writeln!(
            output,
            "What is planned by now is plan {}: answer that one.",
            text(now)
        )?;
    }
    Ok(())
}
