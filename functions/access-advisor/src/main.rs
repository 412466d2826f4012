//! The Lambda function for refused AWS Backup calls and for backup and restore jobs that failed, were aborted or expired: wires the advisor
//! of `copymend-remediation` to AWS. Its environment has no port that writes, and its role no permission.

use std::process::ExitCode;

use copymend_aws::{AwsEnvironment, ReadOnly};
use copymend_remediation::advisor::{AccessAdvisor, AdvisorSettings, Advisory};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    copymend_lambda::run(async {
        let settings = AdvisorSettings::read(|name| std::env::var(name).ok())?;
        let environment = AwsEnvironment::<ReadOnly>::load(&settings.deployment).await;
        let advisor = &AccessAdvisor::new(environment, settings);
        copymend_lambda::serve(|event, invocation| async move {
            let advisory = advisor.handle(&event, &invocation).await;
            if let Ok(advisory) = &advisory {
                log(advisory);
            }
            advisory
        })
        .await
    })
    .await
}

fn log(advisory: &Advisory) {
    tracing::info!(
        event = advisory.event,
        verified = advisory.verified,
        cause = %advisory.diagnosis.cause,
        outcome = %advisory.outcome,
        permissions = advisory.permissions.len(),
        "handled"
    );
}
