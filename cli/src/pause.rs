//! `copymend pause` and `copymend resume`: stop every write of the deployed functions, through
//! their ledger.

use std::io::{self, Write};

use copymend_aws::{AwsEnvironment, ReadWrite};
use copymend_remediation::ledger::{Ledger, Pause};
use copymend_remediation::ports::{CallResult, Clock, Reads};
use serde::Serialize;

use crate::arguments::{PauseArguments, ResumeArguments};
use crate::output;
use crate::{CommandError, Ending, io_error};

#[derive(Serialize)]
#[serde(untagged)]
enum Answer<'a> {
    Paused { pause: &'a Pause },
    Resumed { was_paused: bool },
    Failed { error: String },
}

pub(crate) fn pause(arguments: &PauseArguments) -> Result<Ending, CommandError> {
    if arguments.reason.trim().is_empty() {
        return Err(CommandError::Usage("the reason is empty".to_owned()));
    }
    let settings = crate::settings()?;
    let runtime = runtime()?;
    let paused = runtime.block_on(async {
        let environment = AwsEnvironment::<ReadWrite>::load(&settings.deployment).await;
        let pause = Pause {
            reason: arguments.reason.clone(),
            since: environment.clock().now(),
            until: arguments.until,
            by: None,
        };
        if !pause.holds(pause.since) {
            return Err(CommandError::Usage(
                "the time of `--until` is over".to_owned(),
            ));
        }
        let ledger = ledger(&environment)?;
        let by = who(&environment).await;
        let pause = Pause { by, ..pause };
        let set = ledger.set_pause(&pause).await;
        Ok(set.map(|()| pause))
    })?;
    let text = |pause: &Pause| {
        let until = pause
            .until
            .map_or_else(|| "it is resumed".to_owned(), |until| until.to_string());
        format!("Copymend is paused until {until}: nothing is written and no copy is started.")
    };
    answer(
        arguments.json,
        &paused,
        |pause| Answer::Paused { pause },
        text,
    )
}

pub(crate) fn resume(arguments: &ResumeArguments) -> Result<Ending, CommandError> {
    let settings = crate::settings()?;
    let runtime = runtime()?;
    let resumed = runtime.block_on(async {
        let environment = AwsEnvironment::<ReadWrite>::load(&settings.deployment).await;
        let ledger = ledger(&environment)?;
        let by = who(&environment).await;
        let now = environment.clock().now();
        Ok(ledger.lift_pause(by.as_deref(), now).await)
    })?;
    let text = |was_paused: &bool| {
        if *was_paused {
            "Copymend is no longer paused.".to_owned()
        } else {
            "Copymend was not paused.".to_owned()
        }
    };
    answer(
        arguments.json,
        &resumed,
        |was_paused| Answer::Resumed {
            was_paused: *was_paused,
        },
        text,
    )
}

fn runtime() -> Result<tokio::runtime::Runtime, CommandError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io_error("start"))
}

/// Who asks, as AWS knows the person. That it isn't known keeps nobody from a pause.
async fn who(environment: &AwsEnvironment<ReadWrite>) -> Option<String> {
    environment.caller().await.unwrap_or_else(|error| {
        anstream::eprintln!(
            "copymend: who does this is not recorded: {}",
            output::printable(&error.to_string())
        );
        None
    })
}

fn ledger(environment: &AwsEnvironment<ReadWrite>) -> Result<&impl Ledger, CommandError> {
    environment.ledger().ok_or_else(|| {
        CommandError::Usage("no ledger is set: name its table in COPYMEND_LEDGER_TABLE".to_owned())
    })
}

fn answer<T>(
    as_json: bool,
    result: &CallResult<T>,
    json: impl FnOnce(&T) -> Answer<'_>,
    text: impl FnOnce(&T) -> String,
) -> Result<Ending, CommandError> {
    let written = match (as_json, result) {
        (true, Ok(done)) => output::json(io::stdout().lock(), &json(done)),
        (true, Err(error)) => {
            let error = error.to_string();
            output::json(io::stdout().lock(), &Answer::Failed { error })
        }
        (false, Ok(done)) => writeln!(output::terminal(), "{}", text(done)),
        (false, Err(error)) => {
            let error = output::printable(&error.to_string());
            writeln!(output::terminal(), "{error}")
        }
    };
    written.map_err(io_error("write the answer"))?;
    Ok(if result.is_ok() {
        Ending::Done
    } else {
        Ending::Failed
    })
}
