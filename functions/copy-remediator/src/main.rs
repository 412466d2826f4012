//! The Lambda function for failed copy jobs: wires the handler of `copymend-remediation` to AWS.

use std::process::ExitCode;

use copymend_aws::{AwsEnvironment, ReadWrite, Surveying};
use copymend_lambda::metrics::{self, Metrics};
use copymend_remediation::CopyRemediator;
use copymend_remediation::approval::{
    ApprovalAnswer, ApprovalInput, ApprovalResult, InvalidApproval, is_approval, is_for_approvals,
};
use copymend_remediation::copy_age::{CopyAgeAnswer, CopyAgeState, is_copy_age};
use copymend_remediation::digest::{DigestAnswer, is_digest, keep_copy_ages};
use copymend_remediation::ports::Reads as _;
use copymend_remediation::preflight::{PreflightAnswer, is_preflight};
use copymend_remediation::report::Report;
use copymend_remediation::self_check::{SelfCheck, is_self_check};
use copymend_remediation::settings::{Settings, refuse_unknown};
use copymend_remediation::sweep::{SweptCounts, is_sweep};
use copymend_remediation::test_message::{TestMessageAnswer, is_test_message};
use copymend_report::{Style, terminal};
use copymend_survey::preflight::watch;
use copymend_survey::rpo::measure;
use serde::Serialize;

/// What an invocation answers.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Report(Box<Report>),
    Swept(SweptCounts),
    SelfCheck(Box<SelfCheck>),
    TestMessage(TestMessageAnswer),
    Digest(Box<DigestAnswer>),
    Preflight(Box<PreflightAnswer>),
    CopyAge(Box<CopyAgeAnswer>),
    Approval(Box<Approving>),
}

/// An answer to whoever answers a plan, with its report as people read it.
#[derive(Serialize)]
struct Approving {
    #[serde(flatten)]
    answer: ApprovalAnswer,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl From<ApprovalAnswer> for Approving {
    fn from(answer: ApprovalAnswer) -> Self {
        let report = answer.report.as_deref();
        Self {
            text: report.map(|report| terminal(report, Style::Plain)),
            answer,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    copymend_lambda::run(async {
        refuse_unknown(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()))?;
        let settings = Settings::read(|name| std::env::var(name).ok())?;
        for list in settings.lists_that_admit_everything() {
            tracing::warn!(list, "a list holds `*` and admits everything");
        }
        let environment = AwsEnvironment::<ReadWrite>::of_function(&settings.deployment);
        let remediator = &CopyRemediator::new(environment, settings);
        copymend_lambda::serve(|event, invocation, function_arn| async move {
            remediator.environment().invoked_as(&function_arn);
            let is_by_alias = is_for_approvals(&function_arn);
            if is_by_alias || is_approval(&event) {
                if !is_by_alias {
                    return Err(InvalidApproval::NotByTheAlias.into());
                }
                let input = ApprovalInput::read(&event)?;
                let answer = remediator.answer_approval(&input, &function_arn, &invocation);
                let answer = Box::pin(answer).await?;
                log_answer(&answer);
                return Ok(Answer::Approval(Box::new(Approving::from(answer))));
            }
            if is_sweep(&event) {
                let swept = remediator.sweep(&event, &invocation).await?;
                swept.reports.iter().for_each(log);
                for error in &swept.errors {
                    tracing::warn!(error, "the sweep could not look there");
                }
                if swept.left > 0 {
                    tracing::warn!(left = swept.left, "the time was up; the next sweep goes on");
                }
                let counts = swept.counts();
                metrics::print(&Metrics::of_sweep(&counts, &swept.reports));
                return Ok(Answer::Swept(counts));
            }
            if is_self_check(&event) {
                let caller = remediator.environment().caller().await;
                let answer = remediator.self_check(&event, caller, &invocation).await;
                return Ok(Answer::SelfCheck(Box::new(answer)));
            }
            if is_test_message(&event) {
                let answer = remediator.send_test_message(&invocation).await?;
                return Ok(Answer::TestMessage(answer));
            }
            if is_digest(&event) {
                let answer = Box::pin(remediator.send_digest(&event, &invocation)).await?;
                tracing::info!(answer = ?answer, "digest");
                return Ok(Answer::Digest(Box::new(answer)));
            }
            if is_preflight(&event) {
                let Surveying { lists, environment } = remediator
                    .environment()
                    .surveying(&remediator.settings().deployment);
                let looked = watch(
                    &lists,
                    &environment,
                    remediator.settings().mode,
                    &event,
                    &invocation,
                );
                let answer = Box::pin(looked).await?;
                tracing::info!(answer = ?answer, "preflight");
                metrics::print(&Metrics::of_preflight(&answer));
                return Ok(Answer::Preflight(Box::new(answer)));
            }
            if is_copy_age(&event) {
                let settings = remediator.settings();
                let Surveying { lists, environment } =
                    remediator.environment().surveying(&settings.deployment);
                let clock = environment.clock();
                let measured = measure(
                    &lists,
                    clock,
                    settings.copy_age_objective,
                    &event,
                    &invocation,
                );
                let answer = Box::pin(measured).await?;
                tracing::info!(answer = ?answer, "the ages of copies");
                if answer.copy_age == CopyAgeState::TimeWasOver {
                    tracing::warn!(
                        vaults_read = answer.vaults_read,
                        of_vaults = answer.of_vaults,
                        "the time was over before all copies were looked at"
                    );
                }
                metrics::print(&Metrics::of_copy_age(&answer));
                let kept = keep_copy_ages(remediator.environment(), &answer, &invocation);
                if let Err(error) = kept.await {
                    tracing::warn!(%error, "the ages of copies are not kept for the digest");
                }
                return Ok(Answer::CopyAge(Box::new(answer)));
            }
            let report = remediator.handle(&event, &invocation).await?;
            log(&report);
            metrics::print(&Metrics::of_report(&report));
            Ok(Answer::Report(Box::new(report)))
        })
        .await
    })
    .await
}

fn log_answer(answer: &ApprovalAnswer) {
    tracing::info!(
        plan = answer.plan,
        result = ?answer.result,
        by = answer.answered.as_ref().map(|answered| answered.by.as_str()),
        why = answer.why,
        "a plan was answered"
    );
    if let Some(report) = answer
        .report
        .as_deref()
        .filter(|_| answer.result != ApprovalResult::Shown)
    {
        log(report);
        metrics::print(&Metrics::of_report(report));
    }
}

fn log(report: &Report) {
    for change in report.changes.iter().filter(|change| change.applied) {
        tracing::info!(
            change_id = change.id,
            resource = change.resource,
            grantee = change.grantee,
            sids = ?change.added,
            copy_job = report.copy_job_id(),
            "a policy was changed"
        );
    }
    let failed: Vec<&str> = report
        .guards
        .iter()
        .filter(|guard| !guard.passed)
        .map(|guard| guard.guard.name())
        .collect();
    tracing::info!(
        event = report.event,
        copy_job = report.copy_job_id(),
        verified = report.verified,
        cause = %report.diagnosis.cause,
        outcome = %report.outcome,
        failed_guards = ?failed,
        retried_job = report.retried_job,
        "handled"
    );
}
