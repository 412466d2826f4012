//! `copymend undo`: takes back what a repair added, in the real accounts.

use std::io::{self, Write};

use copymend_aws::AwsEnvironment;
use copymend_remediation::Invocation;
use copymend_remediation::ledger::Change;
use copymend_remediation::ports::{Clock, Environment};
use copymend_remediation::settings::Settings;
use copymend_remediation::undo::{Undo, UndoError, undo};
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
    },
    Failed {
        error: String,
    },
}

pub(crate) fn run(arguments: &UndoArguments) -> Result<Ending, CommandError> {
    let settings = Settings::read(|name| std::env::var(name).ok())
        .map_err(|error| CommandError::Usage(error.to_string()))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io_error("start"))?;
    let result = runtime.block_on(async {
        let environment = AwsEnvironment::load(&settings).await;
        let now = environment.clock().now();
        let invocation = Invocation {
            // Different from every other's: it owns the lease.
            id: format!("undo-{}-{}", std::process::id(), now.as_nanosecond()),
            deadline: now.saturating_add(TIMEOUT).unwrap_or(now),
        };
        undo(&environment, arguments.change.as_deref(), &invocation).await
    });
    let written = if arguments.json {
        let answer = match &result {
            Ok(Undo { undone, change }) => Answer::Undone {
                undone,
                change: change.as_ref(),
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

fn human(result: &Result<Undo, UndoError>) -> io::Result<()> {
    let mut output = output::terminal();
    let text = |text: &str| output::printable(text);
    match result {
        Ok(Undo {
            undone,
            change: None,
        }) => writeln!(
            output,
            "The statements of change {} are gone from {} already; nothing was written.",
            text(&undone.id),
            text(&undone.resource)
        ),
        Ok(Undo {
            undone,
            change: Some(change),
        }) => {
            writeln!(
                output,
                "Change {} was taken back from {}, as change {}.",
                text(&undone.id),
                text(&undone.resource),
                text(&change.id)
            )?;
            match &change.after {
                Some(after) => {
                    let diff = copymend_policy::diff(change.before.as_deref(), after);
                    output::coloured_diff(output, &diff)
                }
                None => writeln!(output, "The vault had no policy before; it has none again."),
            }
        }
        Err(error) => writeln!(output, "{}", text(&error.to_string())),
    }
}
