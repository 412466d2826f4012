//! `copymend replay --dlq`: reads a queue of dead letters back, through the function's own handler, in the real accounts.

use std::io::{self, Write};

use copymend_aws::{AwsEnvironment, DeadLetters};
use copymend_remediation::ports::{Clock, Environment};
use copymend_remediation::settings::Settings;
use copymend_remediation::{CopyRemediator, HandlerError, Invocation};
use copymend_report::{Style, terminal};
use jiff::SignedDuration;

use crate::output;
use crate::replay::as_json;
use crate::{CommandError, Ending, io_error};

/// How long a Lambda function of ours may take.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(120);

/// Replays at most `most` letters. One that was handled is deleted; one that was not stays in the queue, and so does one
/// that is no event.
pub(crate) fn run(queue_url: &str, most: u32, json: bool) -> Result<Ending, CommandError> {
    let settings = Settings::read(|name| std::env::var(name).ok())
        .map_err(|error| CommandError::Usage(error.to_string()))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io_error("start"))?;
    runtime.block_on(async {
        let environment = AwsEnvironment::load(&settings).await;
        let letters = environment.dead_letters(queue_url);
        let remediator = CopyRemediator::new(environment, settings);
        all(&remediator, &letters, most, json).await
    })
}

async fn all(
    remediator: &CopyRemediator<AwsEnvironment>,
    letters: &DeadLetters,
    most: u32,
    json: bool,
) -> Result<Ending, CommandError> {
    let mut ending = Ending::Done;
    let mut replayed = 0_u32;
    while replayed < most {
        let received = letters
            .receive()
            .await
            .map_err(|error| CommandError::Usage(error.to_string()))?;
        let Some(letter) = received else { break };
        replayed = replayed.saturating_add(1);
        let now = remediator.environment().clock().now();
        let invocation = Invocation {
            id: format!("dlq-{}-{}", std::process::id(), now.as_nanosecond()),
            deadline: now.saturating_add(TIMEOUT).unwrap_or(now),
        };
        let result = remediator.handle(&letter.event, &invocation).await;
        let written = if json {
            writeln!(io::stdout().lock(), "{}", as_json(&result))
        } else {
            match &result {
                Ok(report) => write!(output::terminal(), "{}", terminal(report, Style::Coloured)),
                Err(error) => writeln!(
                    output::terminal(),
                    "{}: {}",
                    error.error_type(),
                    output::printable(&error.to_string())
                ),
            }
        };
        written.map_err(io_error("write the report"))?;
        match result {
            Ok(report) if !report.awaits_another_delivery() => letters
                .delete(letter)
                .await
                .map_err(|error| CommandError::Usage(error.to_string()))?,
            Ok(_) | Err(HandlerError::Event(_) | HandlerError::Call(_)) => ending = Ending::Failed,
        }
    }
    if !json {
        let letters = if replayed == 1 { "letter" } else { "letters" };
        writeln!(output::terminal(), "{replayed} {letters} replayed.")
            .map_err(io_error("write the report"))?;
    }
    Ok(ending)
}
