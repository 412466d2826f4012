//! What the Lambda functions have in common: logs, the runtime, and the way from an invocation to
//! an answer.

use std::process::ExitCode;

pub mod metrics;

use copymend_remediation::{HandlerError, Invocation};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, LambdaInvocation, Runtime, service_fn};
use serde::Serialize;
use serde_json::Value;
use tower::util::MapRequestLayer;
use tracing::{Instrument, Span};
use tracing_subscriber::EnvFilter;

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
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_else(|_| "info".to_owned());
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(true)
        .with_env_filter(EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info")))
        .init();
}

/// Answers invocations until the runtime ends. An error of the handler is answered with its stable
/// `errorType`.
pub async fn serve<H, F, R>(handle: H) -> Result<(), Error>
where
    H: Fn(Value, Invocation) -> F,
    F: Future<Output = Result<R, HandlerError>>,
    R: Serialize,
{
    let handle = &handle;
    let answer = |event: LambdaEvent<Value>| async move {
        let invocation = Invocation {
            id: event.context.request_id.clone(),
            deadline: event.context.deadline().try_into().unwrap_or_default(),
        };
        let span = span_of(&invocation, &event.payload);
        // Boxed, because the runtime's layers nest the future deeper than the compiler follows.
        let answer = Box::pin(async {
            let report = handle(event.payload, invocation).await;
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
    let copy_job = event.pointer("/detail/copyJobId").and_then(Value::as_str);
    // Anybody may write an event: what is no id isn't repeated in every line.
    let copy_job = copy_job.filter(|id| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    });
    tracing::error_span!("invocation", request_id = invocation.id, copy_job)
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
