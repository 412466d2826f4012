//! `copymend undo`: takes back what a repair added, in the real accounts.

use std::io::{self, BufRead, IsTerminal, Write};

use copymend_aws::{AwsEnvironment, ReadWrite};
use copymend_remediation::Invocation;
use copymend_remediation::approval::allow_again;
use copymend_remediation::ledger::{Again, Change, Refusal};
use copymend_remediation::ports::{Clock, Reads};
use copymend_remediation::settings::Settings;
use copymend_remediation::undo::{Undo, UndoError, UndoRequest, change_to_undo, undo};
use jiff::SignedDuration;
use serde::Serialize;

use crate::arguments::UndoArguments;
use crate::output;
use crate::{CommandError, Ending, io_error};

/// Time to wait for a policy that others are changing.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(120);

#[derive(Serialize)]
#[serde(untagged)]
enum Answer<'a> {
    Undone {
        undone: &'a Change,
        change: Option<&'a Change>,
        allowed_again: bool,
        /// The changes whose refusals were lifted.
        lifted: Vec<&'a str>,
    },
    AllowedAgain {
        allowed_again: bool,
        lifted: Vec<&'a str>,
    },
    Failed {
        error: String,
    },
}

pub(crate) fn run(arguments: &UndoArguments) -> Result<Ending, CommandError> {
    let settings = crate::settings()?;
    if let Some(plan) = arguments.change.as_deref().and_then(Refusal::plan_of) {
        return allow_plan_again(plan, arguments, &settings);
    }
    let must_ask = arguments.last && !arguments.yes;
    if must_ask && !io::stdin().is_terminal() {
        return Err(CommandError::Usage(
            "`--last` asks before it takes a change back, and there is no terminal to ask on; name the change, or add `--yes`"
                .to_owned(),
        ));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io_error("start"))?;
    let result = runtime.block_on(async {
        let environment = AwsEnvironment::<ReadWrite>::load(&settings.deployment).await;
        let now = environment.clock().now();
        let invocation = Invocation {
            // Different from every other's: it owns the lease.
            id: format!("undo-{}-{}", std::process::id(), now.as_nanosecond()),
            deadline: now.saturating_add(TIMEOUT).unwrap_or(now),
        };
        let shown = match change_to_undo(&environment, arguments.change.as_deref()).await {
            Ok((change, _)) => change,
            Err(error) => return Ok(Some(Err(error))),
        };
        if arguments.last {
            show(&shown).map_err(io_error("show the change"))?;
        }
        if must_ask && !agreed().map_err(io_error("ask"))? {
            return Ok(None);
        }
        let asked_by = environment.caller().await.unwrap_or_else(|error| {
            anstream::eprintln!(
                "copymend: who takes the change back is not recorded: {}",
                output::printable(&error.to_string())
            );
            None
        });
        let request = UndoRequest {
            // What was shown, also where another change was made meanwhile.
            change: Some(&shown.id),
            again: if arguments.allow_again {
                Again::Allowed
            } else {
                Again::Refused
            },
            asked_by: asked_by.as_deref(),
        };
        Ok(Some(undo(&environment, request, &invocation).await))
    })?;
    let Some(result) = result else {
        anstream::eprintln!("Nothing was taken back.");
        return Ok(Ending::Failed);
    };
    let written = if arguments.json {
        let answer = match &result {
            Ok(Undo {
                undone,
                change,
                again,
                lifted,
            }) => Answer::Undone {
                undone,
                change: change.as_ref(),
                allowed_again: *again == Again::Allowed,
                lifted: changes_of(lifted),
            },
            Err(error) => Answer::Failed {
                error: error.to_string(),
            },
        };
        output::json(io::stdout().lock(), &answer)
    } else {
        human(&result)
    };
    written.map_err(io_error("write the answer"))?;
    Ok(if result.is_ok() {
        Ending::Done
    } else {
        Ending::Failed
    })
}

/// Lifts the refusal of a plan that a person refused: it has no change to take back.
fn allow_plan_again(
    plan: &str,
    arguments: &UndoArguments,
    settings: &Settings,
) -> Result<Ending, CommandError> {
    if !arguments.allow_again {
        return Err(CommandError::Usage(format!(
            "plan {} was refused, so that there is nothing to take back: add `--allow-again`, and it may be planned again",
            output::printable(plan)
        )));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io_error("start"))?;
    let result = runtime.block_on(async {
        let environment = AwsEnvironment::<ReadWrite>::load(&settings.deployment).await;
        let asked_by = environment.caller().await.unwrap_or_default();
        allow_again(&environment, plan, asked_by.as_deref()).await
    });
    let lifted = result.as_ref().map(Option::as_slice).unwrap_or_default();
    let written = if arguments.json {
        let answer = match &result {
            Ok(_) => Answer::AllowedAgain {
                allowed_again: true,
                lifted: changes_of(lifted),
            },
            Err(error) => Answer::Failed {
                error: error.to_string(),
            },
        };
        output::json(io::stdout().lock(), &answer)
    } else {
        let text = match (&result, lifted.first()) {
            (Err(error), _) => error.to_string(),
            (Ok(_), Some(refusal)) => format!("{} may be admitted again.", refusal.grantee),
            (Ok(_), None) => "The plan left no refusal, or it was lifted before.".to_owned(),
        };
        writeln!(output::terminal(), "{}", output::printable(&text))
    };
    written.map_err(io_error("write the answer"))?;
    Ok(if result.is_ok() {
        Ending::Done
    } else {
        Ending::Failed
    })
}

fn changes_of(refusals: &[Refusal]) -> Vec<&str> {
    let changes = refusals.iter();
    changes.map(|refusal| refusal.change_id.as_str()).collect()
}

/// What is about to be taken back, on standard error, so that standard output stays the answer's.
fn show(change: &Change) -> io::Result<()> {
    let mut output = anstream::stderr();
    let text = output::printable;
    writeln!(output, "Change {} of {}", text(&change.id), change.at)?;
    writeln!(output, "  policy of: {}", text(&change.resource))?;
    writeln!(output, "  admits:    {}", text(&change.grantee))?;
    writeln!(output, "  copy job:  {}", text(&change.copy_job_id))?;
    for statement in &change.statements {
        writeln!(output, "{}", text(statement))?;
    }
    Ok(())
}

fn agreed() -> io::Result<bool> {
    let mut output = anstream::stderr();
    write!(output, "Take it back? [y/N] ")?;
    output.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

fn human(result: &Result<Undo, UndoError>) -> io::Result<()> {
    let mut output = output::terminal();
    let text = |text: &str| output::printable(text);
    match result {
        Ok(
            done @ Undo {
                undone,
                change: None,
                ..
            },
        ) => {
            writeln!(
                output,
                "The statements of change {} are gone from {} already; nothing was written.",
                text(&undone.id),
                text(&undone.resource)
            )?;
            writeln!(output, "{}", from_now_on(done))
        }
        Ok(
            done @ Undo {
                undone,
                change: Some(change),
                ..
            },
        ) => {
            writeln!(
                output,
                "Change {} was taken back from {}, as change {}.",
                text(&undone.id),
                text(&undone.resource),
                text(&change.id)
            )?;
            writeln!(output, "{}", from_now_on(done))?;
            let after = change.after.as_deref().unwrap_or_default();
            let diff = copymend_policy::diff(change.before.as_deref(), after);
            output::coloured_diff(output, &diff)
        }
        Err(error) => writeln!(output, "{}", text(&error.to_string())),
    }
}

/// Whether the grantee may be admitted again.
fn from_now_on(done: &Undo) -> String {
    let Undo { undone, again, .. } = done;
    let grantee = output::printable(&undone.grantee);
    match again {
        Again::Refused => format!(
            "{grantee} is refused from now on; `copymend undo --allow-again {}` lets it be admitted again.",
            output::printable(&undone.id)
        ),
        Again::Allowed => format!("{grantee} may be admitted again."),
    }
}
