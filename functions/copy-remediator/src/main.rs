//! The Lambda function for failed copy jobs: wires the handler of `copymend-remediation` to AWS.

use std::process::ExitCode;

use copymend_aws::AwsEnvironment;
use copymend_remediation::settings::Settings;
use copymend_remediation::{CopyRemediator, HandlerError, Invocation};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, LambdaInvocation, Runtime, service_fn};
use serde_json::Value;
use tower::util::MapRequestLayer;
use tracing_subscriber::EnvFilter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_else(|_| "info".to_owned());
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_env_filter(EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info")))
        .init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function stops");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Error> {
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    let environment = AwsEnvironment::load(&settings).await;
    let remediator = &CopyRemediator::new(environment, settings);
    let handler = |event: LambdaEvent<Value>| handle(remediator, event);
    Runtime::new(service_fn(handler))
        .layer(MapRequestLayer::new(json_or_null))
        .run()
        .await
}

async fn handle(
    remediator: &CopyRemediator<AwsEnvironment>,
    event: LambdaEvent<Value>,
) -> Result<Value, Diagnostic> {
    let invocation = Invocation {
        id: event.context.request_id.clone(),
        deadline: event.context.deadline().try_into().unwrap_or_default(),
    };
    // Boxed, because the runtime's layers nest the future deeper than the compiler follows.
    let report = Box::pin(remediator.handle(&event.payload, &invocation))
        .await
        .map_err(|error| answered(&error))?;
    let failed: Vec<&str> = report
        .guards
        .iter()
        .filter(|guard| !guard.passed)
        .map(|guard| guard.name)
        .collect();
    tracing::info!(
        event = report.event,
        copy_job = report.copy.copy_job_id,
        verified = report.verified,
        cause = %report.diagnosis.cause,
        outcome = %report.outcome,
        failed_guards = ?failed,
        retried_job = report.retried_job,
        "handled"
    );
    serde_json::to_value(&report).map_err(|error| Diagnostic {
        error_type: "ReportNotWritten".to_owned(),
        error_message: error.to_string(),
    })
}

fn answered(error: &HandlerError) -> Diagnostic {
    tracing::warn!(%error, error_type = error.error_type(), "no report");
    Diagnostic {
        error_type: error.error_type().to_owned(),
        error_message: error.to_string(),
    }
}

/// The runtime would answer a body that isn't JSON with an error type of its own. As `null` it reaches the handler, whose
/// error type for it is stable.
fn json_or_null(mut invocation: LambdaInvocation) -> LambdaInvocation {
    if serde_json::from_slice::<Value>(&invocation.body).is_err() {
        invocation.body = "null".into();
    }
    invocation
}
