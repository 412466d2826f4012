//! What the Lambda functions have in common: logs, the runtime, and the way from an invocation to
//! an answer.

use std::process::ExitCode;

pub mod metrics;

use copymend_remediation::later::original_event;
use copymend_remediation::settings::LOG_LEVEL;
use copymend_remediation::{HandlerError, Invocation};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, LambdaInvocation, Runtime, service_fn};
use serde::Serialize;
use serde_json::Value;
use tower::util::MapRequestLayer;
use tracing::{Instrument, Span};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Runs a function: starts the logs, waits for `start`, and maps its end to the process's exit
/// code.
pub async fn run(start: impl Future<Output = Result<(), Error>>) -> ExitCode {
    start_logs();
    match start.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function stops");
            ExitCode::FAILURE
        }
    }
}

/// JSON with times in RFC 3339, fields flattened: Lambda's own log format, so that its level filter
/// understands it.
fn start_logs() {
    let level = [LOG_LEVEL, "AWS_LAMBDA_LOG_LEVEL"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|level| !level.is_empty()));
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(true);
    tracing_subscriber::registry()
        .with(lines)
        .with(filter(&level.unwrap_or_default()))
        .init();
}

/// The lines that a level lets through. Below `info` there are only Copymend's own: what the
/// libraries write there may show requests.
fn filter(level: &str) -> Targets {
    const OWN: &str = "copymend";
    let (all, own) = match level.to_ascii_lowercase().as_str() {
        "trace" => (LevelFilter::INFO, LevelFilter::TRACE),
        "debug" => (LevelFilter::INFO, LevelFilter::DEBUG),
        "warn" => (LevelFilter::WARN, LevelFilter::WARN),
        "error" | "fatal" => (LevelFilter::ERROR, LevelFilter::ERROR),
        _ => (LevelFilter::INFO, LevelFilter::INFO),
    };
    Targets::new().with_default(all).with_target(OWN, own)
}

/// Answers invocations until the runtime ends. The handler gets the event, the invocation, and the ARN
/// that the function was invoked by, with its alias. An error of the handler is answered with its stable
/// `errorType`.
pub async fn serve<H, F, R>(handle: H) -> Result<(), Error>
where
    H: Fn(Value, Invocation, String) -> F,
    F: Future<Output = Result<R, HandlerError>>,
    R: Serialize,
{
    let handle = &handle;
    let answer = |event: LambdaEvent<Value>| async move {
        let invocation = Invocation {
            id: event.context.request_id.clone(),
            deadline: event.context.deadline().try_into().unwrap_or_default(),
        };
        let function_arn = event.context.invoked_function_arn.clone();
        let span = span_of(&invocation, &event.payload);
        // Boxed, because the runtime's layers nest the future deeper than the compiler follows.
        let answer = Box::pin(async {
            let report = handle(event.payload, invocation, function_arn).await;
            report.map_err(|error| answered(&error))
        });
        let report = answer.instrument(span).await?;
        serde_json::to_value(&report).map_err(|error| Diagnostic {
            error_type: "ReportNotWritten".to_owned(),
            error_message: error.to_string(),
        })
    };
    Runtime::new(service_fn(answer))
        .layer(MapRequestLayer::new(json_or_null))
        .run()
        .await
}

/// Every line of a log tells the request and the copy job that it is about. At the level of errors,
/// so that no level leaves it out.
fn span_of(invocation: &Invocation, event: &Value) -> Span {
    let copy_job = copy_job_of(event);
    tracing::error_span!("invocation", request_id = invocation.id, copy_job)
}

/// The id of the copy job that an input is about: an event, or one that was put off and comes from
/// the queue. Anybody may write an event: what is no id isn't repeated in every line.
fn copy_job_of(input: &Value) -> Option<String> {
    let event = original_event(input);
    let id = event.pointer("/detail/copyJobId")?.as_str()?;
    let is_id =
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_id.then(|| id.to_owned())
}

fn answered(error: &HandlerError) -> Diagnostic {
    tracing::warn!(%error, error_type = error.error_type(), "no report");
    Diagnostic {
        error_type: error.error_type().to_owned(),
        error_message: error.to_string(),
    }
}

/// The runtime would answer a body that isn't JSON with an error type of its own. As `null` it
/// reaches the handler, whose error type for it is stable.
fn json_or_null(mut invocation: LambdaInvocation) -> LambdaInvocation {
    if serde_json::from_slice::<Value>(&invocation.body).is_err() {
        invocation.body = "null".into();
    }
    invocation
}

#[cfg(test)]
mod tests {
    use copymend_remediation::later::DelayedRetry;
    use serde_json::json;
    use tracing::Level;

    use super::*;

    const EPOCH: &str = "1970-01-01T00:00:00Z";

    #[test]
    fn the_copy_job_of_an_event_and_of_one_that_was_put_off_is_told() {
        let event = json!({"detail": {"copyJobId": "37E6D316-E51A"}});
        let message = DelayedRetry::new(event.clone(), EPOCH.parse().unwrap(), 1);
        let message = message.to_body();
        let delivered = |body: &str| json!({"Records": [{"eventSource": "aws:sqs", "body": body}]});
        for input in [event, delivered(&message)] {
            assert_eq!(copy_job_of(&input).as_deref(), Some("37E6D316-E51A"));
        }
        for input in [
            json!(null),
            json!({"detail": {"copyJobId": "a\nb"}}),
            json!({"detail": {"copyJobId": "a".repeat(65)}}),
            delivered(r#"{"detail": {"copyJobId": "37E6D316-E51A"}}"#),
            delivered(&message.replace("37E6D316-E51A", "37E6 D316")),
        ] {
            assert_eq!(copy_job_of(&input), None, "{input}");
        }
    }

    /// Whether lines of a level are shown: of the libraries, and of Copymend.
    fn shown(filter: &Targets, level: Level) -> (bool, bool) {
        let of = |target| filter.would_enable(target, &level);
        (
            of("hyper_util::client"),
            of("copymend_remediation::handler"),
        )
    }

    #[test]
    fn a_level_below_info_shows_the_lines_of_copymend_alone() {
        let (debug, trace) = (filter("DEBUG"), filter("TRACE"));
        assert_eq!(shown(&debug, Level::INFO), (true, true));
        assert_eq!(shown(&debug, Level::DEBUG), (false, true));
        assert_eq!(shown(&debug, Level::TRACE), (false, false));
        assert_eq!(shown(&trace, Level::DEBUG), (false, true));
        assert_eq!(shown(&trace, Level::TRACE), (false, true));
    }

    #[test]
    fn a_level_that_nobody_knows_is_info() {
        for (level, least, below) in [
            ("INFO", Level::INFO, Level::DEBUG),
            ("", Level::INFO, Level::DEBUG),
            ("WARN", Level::WARN, Level::INFO),
            ("ERROR", Level::ERROR, Level::WARN),
            ("loud", Level::INFO, Level::DEBUG),
        ] {
            let filter = filter(level);
            assert_eq!(shown(&filter, least), (true, true), "{level}");
            assert_eq!(shown(&filter, below), (false, false), "{level}");
        }
    }
}
