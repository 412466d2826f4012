//! The Lambda function for failed copy jobs: wires the handler of `copymend-remediation` to AWS.

use std::process::ExitCode;

use copymend_aws::AwsEnvironment;
use copymend_remediation::CopyRemediator;
use copymend_remediation::report::Report;
use copymend_remediation::settings::Settings;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    copymend_lambda::run(async {
        let settings = Settings::read(|name| std::env::var(name).ok())?;
        let environment = AwsEnvironment::load(&settings).await;
        let remediator = &CopyRemediator::new(environment, settings);
        copymend_lambda::serve(|event, invocation| async move {
            let report = remediator.handle(&event, &invocation).await;
            if let Ok(report) = &report {
                log(report);
            }
            report
        })
        .await
    })
    .await
}

fn log(report: &Report) {
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
}
