//! The Lambda function for refused AWS Backup calls and for backup and restore jobs that failed,
//! were aborted or expired: wires the advisor of `copymend-remediation` to AWS. Its environment has
//! no port that writes, and its role no permission.

use std::process::ExitCode;

use copymend_aws::{AwsEnvironment, ReadOnly};
use copymend_lambda::metrics::{self, Metrics};
use copymend_remediation::advisor::{AccessAdvisor, AdvisorSettings};
use copymend_remediation::report::Report;
use copymend_remediation::settings::refuse_unknown;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    copymend_lambda::run(async {
        refuse_unknown(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()))?;
        let settings = AdvisorSettings::read(|name| std::env::var(name).ok())?;
        let environment = AwsEnvironment::<ReadOnly>::of_function(&settings.deployment);
        let advisor = &AccessAdvisor::new(environment, settings);
        copymend_lambda::serve(|event, invocation, _function_arn| async move {
            let report = advisor.handle(&event, &invocation).await;
            if let Ok(report) = &report {
                log(report);
                metrics::print(&Metrics::of_report(report));
            }
            report
        })
        .await
    })
    .await
}

fn log(report: &Report) {
    tracing::info!(
        event = report.event,
        verified = report.verified,
        cause = %report.diagnosis.cause,
        outcome = %report.outcome,
        permissions = report.permissions.as_ref().map(Vec::len),
        "handled"
    );
}
