//! `copymend replay`: the Lambda functions' own handlers, on the sandbox.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use copymend_remediation::advisor::{AccessAdvisor, Advisory, is_for_advisor};
use copymend_remediation::ports::{Clock, Environment};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::{Mode, Settings};
use copymend_remediation::{CopyRemediator, HandlerError, Invocation};
use copymend_report::{Style, advisory_email, advisory_json, advisory_terminal, email, terminal};
use copymend_sandbox::{Sandbox, World};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::arguments::Replay;
use crate::input::read;
use crate::output;
use crate::{CommandError, Ending, io_error};

/// How long a Lambda function of ours may take.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(120);

pub(crate) fn run(arguments: &Replay) -> Result<Ending, CommandError> {
    #[cfg(feature = "aws")]
    if let Some(queue_url) = &arguments.dlq {
        return crate::dead_letters::run(queue_url, arguments.most, arguments.json);
    }
    let settings = settings(arguments.repair)?;
    let world = match &arguments.world {
        Some(path) => World::from_json(&text(path)?)
            .map_err(|error| CommandError::Usage(format!("`{}`: {error}", path.display())))?,
        None => World::default_world(),
    };
    let sandbox = Sandbox::new(world);
    let remediator = CopyRemediator::new(sandbox.clone(), settings);
    let advisor = AccessAdvisor::new(sandbox.clone());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(io_error("start"))?;
    let mut ending = Ending::Done;
    for (place, path) in arguments.events.iter().enumerate() {
        let text = text(path)?;
        // What isn't JSON reaches the handler as `null`, as in the Lambda function.
        let event: Value = serde_json::from_str(&text).unwrap_or_default();
        let now = Environment::clock(&sandbox).now();
        let invocation = Invocation {
            id: format!("replay-{place}"),
            deadline: now.saturating_add(TIMEOUT).unwrap_or(now),
        };
        // Each event goes to the function that its rule would send it to.
        let answer = if is_for_advisor(&event) {
            Answer::Advisory(Box::new(
                runtime.block_on(advisor.handle(&event, &invocation)),
            ))
        } else {
            Answer::Report(Box::new(
                runtime.block_on(remediator.handle(&event, &invocation)),
            ))
        };
        if answer.is_failure() {
            ending = Ending::Failed;
        }
        let written = if arguments.json {
            writeln!(io::stdout().lock(), "{}", answer.json())
        } else {
            human(
                output::terminal(),
                &answer,
                path,
                arguments.message,
                &sandbox,
            )
        };
        written.map_err(io_error("write the report"))?;
    }
    Ok(ending)
}

/// What a function answered.
enum Answer {
    Report(Box<Result<Report, HandlerError>>),
    Advisory(Box<Result<Advisory, HandlerError>>),
}

impl Answer {
    fn is_failure(&self) -> bool {
        match self {
            Self::Report(result) => {
                !matches!(result.as_ref(), Ok(report) if report.outcome != Outcome::Failed)
            }
            Self::Advisory(result) => result.is_err(),
        }
    }

    fn json(&self) -> String {
        match self {
            Self::Report(result) => as_json(result),
            Self::Advisory(result) => match result.as_ref() {
                Ok(advisory) => advisory_json(advisory),
                Err(error) => error_json(error),
            },
        }
    }
}

/// The settings of the environment. In the sandbox nothing can be harmed, so allowlists that aren't set admit everything.
fn settings(repair: bool) -> Result<Settings, CommandError> {
    let mut settings = Settings::read(|name| std::env::var(name).ok())
        .map_err(|error| CommandError::Usage(error.to_string()))?;
    settings.mode = if repair { Mode::Repair } else { Mode::Observe };
    for patterns in [
        &mut settings.allowed_destinations,
        &mut settings.allowed_keys,
    ] {
        if patterns.is_empty() {
            patterns.extend("*".parse());
        }
    }
    Ok(settings)
}

fn text(path: &Path) -> Result<String, CommandError> {
    Ok(String::from_utf8_lossy(&read(path)?).into_owned())
}

pub(crate) fn as_json(result: &Result<Report, HandlerError>) -> String {
    match result {
        Ok(report) => copymend_report::json(report),
        Err(error) => error_json(error),
    }
}

/// The same members as the Lambda function's error answer.
fn error_json(error: &HandlerError) -> String {
    json!({
        "errorType": error.error_type(),
        "errorMessage": error.to_string(),
    })
    .to_string()
}

fn human(
    mut output: impl Write,
    answer: &Answer,
    path: &Path,
    message: bool,
    sandbox: &Sandbox,
) -> io::Result<()> {
    writeln!(output, "── {}", path.display())?;
    // The stream takes the colours out where nobody would see them, or NO_COLOR asks for it.
    let (view, sent) = match answer {
        Answer::Report(result) => match result.as_ref() {
            Ok(report) => {
                let mut view = terminal(report, Style::Coloured);
                if let Some(job) = &report.retried_job {
                    let state = sandbox.with_world(|world| {
                        world
                            .copy_job(job)
                            .map_or_else(|| "gone".to_owned(), |job| job.state().to_string())
                    });
                    let _ = writeln!(view, "   retried copy {job}: {state}");
                }
                (view, Some(email(report)))
            }
            Err(error) => (format!("{}: {error}\n", error.error_type()), None),
        },
        Answer::Advisory(result) => match result.as_ref() {
            Ok(advisory) => (
                advisory_terminal(advisory, Style::Coloured),
                Some(advisory_email(advisory)),
            ),
            Err(error) => (format!("{}: {error}\n", error.error_type()), None),
        },
    };
    write!(output, "{view}")?;
    if let (Some(email), true) = (sent, message) {
        writeln!(output, "\n   ✉ {}", email.subject)?;
        for line in email.body.lines() {
            writeln!(output, "   │ {line}")?;
        }
    }
    writeln!(output)
}
