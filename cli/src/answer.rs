//! What the Lambda functions answer to an event, each event by the function that its rule would
//! send it to.

use std::fmt::Write as _;

use copymend_diagnosis::CopyJobState;
use copymend_remediation::GuardrailReads;
use copymend_remediation::advisor::{AccessAdvisor, is_for_advisor};
use copymend_remediation::copy_age::{CopyAgeAnswer, CopyAgeState, is_copy_age};
use copymend_remediation::digest::{DigestAnswer, DigestState, is_digest};
use copymend_remediation::ports::{Environment, Reads};
use copymend_remediation::preflight::{PreflightAnswer, PreflightState, is_preflight};
use copymend_remediation::report::Report;
use copymend_remediation::self_check::{CheckState, SelfCheck, is_self_check};
use copymend_remediation::sweep::{Swept, is_sweep};
use copymend_remediation::test_message::{TestMessageAnswer, TestMessageState, is_test_message};
use copymend_remediation::{CopyRemediator, HandlerError, Invocation};
use copymend_report::{Row, Style, json, terminal};
use copymend_survey::Lists;
use copymend_survey::preflight::watch;
use copymend_survey::rpo::measure;
use serde_json::Value;

use crate::output::printable;

/// The answer to one event.
#[derive(Debug)]
pub(crate) enum Answer {
    Report(Box<Result<Report, HandlerError>>),
    Swept(Result<Swept, HandlerError>),
    SelfCheck(Box<SelfCheck>),
    TestMessage(Result<TestMessageAnswer, HandlerError>),
    Digest(Box<Result<DigestAnswer, HandlerError>>),
    Preflight(Box<Result<PreflightAnswer, HandlerError>>),
    CopyAge(Box<Result<CopyAgeAnswer, HandlerError>>),
}

impl Answer {
    /// `surveying` makes what a preflight, and a look at the ages of copies, read with.
    pub(crate) async fn to<L: Lists, S: Reads + GuardrailReads>(
        event: &Value,
        invocation: &Invocation,
        remediator: &CopyRemediator<impl Environment>,
        advisor: &AccessAdvisor<impl Reads>,
        surveying: impl FnOnce() -> (L, S),
    ) -> Self {
        if is_for_advisor(event) {
            Self::Report(Box::new(advisor.handle(event, invocation).await))
        } else if is_sweep(event) {
            Self::Swept(remediator.sweep(event, invocation).await)
        } else if is_self_check(event) {
            let caller = Ok(None);
            let answer = remediator.self_check(event, caller, invocation).await;
            Self::SelfCheck(Box::new(answer))
        } else if is_test_message(event) {
            Self::TestMessage(remediator.send_test_message(invocation).await)
        } else if is_digest(event) {
            Self::Digest(Box::new(remediator.send_digest(event, invocation).await))
        } else if is_preflight(event) {
            let (lists, environment) = surveying();
            let mode = remediator.settings().mode;
            let looked = watch(&lists, &environment, mode, event, invocation);
            Self::Preflight(Box::new(Box::pin(looked).await))
        } else if is_copy_age(event) {
            let (lists, environment) = surveying();
            let objective = remediator.settings().copy_age_objective;
            let clock = environment.clock();
            let measured = measure(&lists, clock, objective, event, invocation);
            Self::CopyAge(Box::new(Box::pin(measured).await))
        } else {
            Self::Report(Box::new(remediator.handle(event, invocation).await))
        }
    }

    /// One line of JSON, as the function answers it.
    pub(crate) fn json(&self) -> String {
        match self {
            Self::Report(result) => match result.as_ref() {
                Ok(report) => json(report),
                Err(error) => error_json(error),
            },
            Self::Swept(Ok(swept)) => serde_json::json!(swept).to_string(),
            Self::SelfCheck(answer) => serde_json::json!(answer).to_string(),
            Self::TestMessage(Ok(answer)) => serde_json::json!(answer).to_string(),
            Self::Preflight(result) => match result.as_ref() {
                Ok(answer) => serde_json::json!(answer).to_string(),
                Err(error) => error_json(error),
            },
            Self::Digest(result) => match result.as_ref() {
                Ok(answer) => serde_json::json!(answer).to_string(),
                Err(error) => error_json(error),
            },
            Self::CopyAge(result) => match result.as_ref() {
                Ok(answer) => serde_json::json!(answer).to_string(),
                Err(error) => error_json(error),
            },
            Self::Swept(Err(error)) | Self::TestMessage(Err(error)) => error_json(error),
        }
    }

    /// The view for people. The stream takes the colours out where nobody would see them, or
    /// `NO_COLOR` asks for it.
    pub(crate) fn terminal(&self) -> String {
        match self {
            Self::Report(result) => match result.as_ref() {
                Ok(report) => terminal(report, Style::Coloured),
                Err(error) => error_text(error),
            },
            Self::Swept(Ok(swept)) => swept_text(swept),
            Self::SelfCheck(answer) => self_check_text(answer),
            Self::TestMessage(Ok(answer)) => test_message_text(*answer),
            Self::Preflight(result) => match result.as_ref() {
                Ok(answer) => preflight_text(answer),
                Err(error) => error_text(error),
            },
            Self::Digest(result) => match result.as_ref() {
                Ok(answer) => digest_text(answer),
                Err(error) => error_text(error),
            },
            Self::CopyAge(result) => match result.as_ref() {
                Ok(answer) => copy_age_text(answer),
                Err(error) => error_text(error),
            },
            Self::Swept(Err(error)) | Self::TestMessage(Err(error)) => error_text(error),
        }
    }

    /// The reports in it: one, none, or those of a sweep.
    pub(crate) fn reports(&self) -> &[Report] {
        match self {
            Self::Report(result) => result.as_ref().as_ref().map_or(&[], std::slice::from_ref),
            Self::Swept(Ok(swept)) => &swept.reports,
            Self::Swept(Err(_))
            | Self::SelfCheck(_)
            | Self::TestMessage(_)
            | Self::Digest(_)
            | Self::Preflight(_)
            | Self::CopyAge(_) => &[],
        }
    }

    /// The lines of the table. `event` is the name that the reader knows the event by; what a sweep
    /// found goes by the ids of the copy jobs. `state` tells how the copy stands that a report
    /// started again.
    pub(crate) fn rows(
        &self,
        event: &str,
        state: impl Fn(&Report) -> Option<CopyJobState>,
    ) -> Vec<Row> {
        let failed = |error: &HandlerError| vec![Row::of_error(event, error.error_type())];
        match self {
            Self::Report(result) => match result.as_ref() {
                Ok(report) => vec![Row::of_report(event, report, state(report))],
                Err(error) => failed(error),
            },
            Self::Swept(Ok(swept)) => {
                let reports = swept.reports.iter();
                let errors = swept.errors.iter();
                reports
                    .map(|report| {
                        Row::of_report(report.copy_job_id().unwrap_or(event), report, state(report))
                    })
                    .chain(errors.map(|error| Row::of_error(event, error)))
                    .collect()
            }
            Self::Swept(Err(error)) | Self::TestMessage(Err(error)) => failed(error),
            Self::Digest(result) => result.as_ref().as_ref().err().map_or_else(Vec::new, failed),
            Self::Preflight(result) => result.as_ref().as_ref().err().map_or_else(Vec::new, failed),
            Self::CopyAge(result) => result.as_ref().as_ref().err().map_or_else(Vec::new, failed),
            // Neither is about a copy.
            Self::SelfCheck(_) | Self::TestMessage(Ok(_)) => Vec::new(),
        }
    }
}

/// The same members as the Lambda function's error answer.
fn error_json(error: &HandlerError) -> String {
    serde_json::json!({
        "errorType": error.error_type(),
        "errorMessage": error.to_string(),
    })
    .to_string()
}

fn error_text(error: &HandlerError) -> String {
    format!(
        "{}: {}\n",
        error.error_type(),
        printable(&error.to_string())
    )
}

fn swept_text(swept: &Swept) -> String {
    let mut text = String::new();
    for report in &swept.reports {
        text.push_str(&terminal(report, Style::Coloured));
    }
    for error in &swept.errors {
        let _ = writeln!(text, "{}", printable(error));
    }
    let _ = writeln!(
        text,
        "Sweep: {} failed copies found, {} handled now, {} left for lack of time, {} errors.",
        swept.found,
        swept.reports.len(),
        swept.left,
        swept.errors.len()
    );
    text
}

fn self_check_text(answer: &SelfCheck) -> String {
    let mut text = String::new();
    for check in &answer.checks {
        let sign = match check.state {
            CheckState::Fine => "✓",
            CheckState::Absent | CheckState::Denied | CheckState::Failed => "✗",
        };
        let account = check.account.as_deref().unwrap_or("-");
        let _ = writeln!(
            text,
            "{sign} {} {account}: {}",
            printable(&check.call),
            printable(&check.detail)
        );
    }
    for account in &answer.left {
        let _ = writeln!(text, "account {account} was left for lack of time");
    }
    text
}

fn test_message_text(answer: TestMessageAnswer) -> String {
    let told = match answer.test_message {
        TestMessageState::Sent => "A test message was sent.",
        TestMessageState::SentBefore => "A test message was sent on this day before.",
        TestMessageState::NoTopic => "No topic is set, so that no test message was sent.",
    };
    format!("{told}\n")
}

fn digest_text(answer: &DigestAnswer) -> String {
    let told = match answer.digest {
        DigestState::Sent => "People were told.",
        DigestState::SentBefore => "A digest was sent on this day before.",
        DigestState::NoTopic => "No topic is set, so that nobody was told.",
        DigestState::NoLedger => "There is no ledger, which would know what happened.",
    };
    let mut text = format!(
        "Digest: {} need a person, {} new, {} still failing, {} not seen again, {} repaired, {} taken back, {} refused, {} working again. {told}\n",
        answer.needs_a_person,
        answer.new,
        answer.still_failing,
        answer.not_seen_again,
        answer.repaired,
        answer.undone,
        answer.refused,
        answer.recovered
    );
    for note in &answer.notes {
        let _ = writeln!(text, "{}", printable(note));
    }
    text
}

fn preflight_text(answer: &PreflightAnswer) -> String {
    let told = match answer.preflight {
        PreflightState::Told => "People were told.",
        PreflightState::NothingNew => "There was nothing to tell.",
        PreflightState::NoTopic => "No topic is set, so that nobody was told.",
        PreflightState::Running => "Another invocation is at it.",
    };
    let mut text = format!(
        "Preflight: {} plans read, {} routes will fail, {} can't be known, {} will pass; {} new, {} changed, {} over, {} rid of what stood in the way. {told}\n",
        answer.plans,
        answer.will_fail,
        answer.cannot_be_known,
        answer.will_pass,
        answer.new,
        answer.changed,
        answer.over,
        answer.cleared
    );
    for call in &answer.not_read {
        let _ = writeln!(text, "not read: {}", printable(call));
    }
    for place in &answer.left {
        let _ = writeln!(text, "left for lack of time: {}", printable(place));
    }
    for note in &answer.notes {
        let _ = writeln!(text, "{}", printable(note));
    }
    text
}

fn copy_age_text(answer: &CopyAgeAnswer) -> String {
    let state = match answer.copy_age {
        CopyAgeState::Measured => "",
        CopyAgeState::TimeWasOver => " The time was over before all was looked at.",
        CopyAgeState::NoObjective => {
            return "No objective is set (COPYMEND_COPY_AGE_OBJECTIVE), so that nothing was looked at.\n"
                .to_owned();
        }
    };
    let mut text = format!(
        "Ages of copies: {} of {} vaults read.{state}\n",
        answer.vaults_read, answer.of_vaults
    );
    for of_vault in &answer.vaults {
        let age = of_vault
            .worst_age_seconds
            .map_or_else(|| "none".to_owned(), |seconds| format!("{seconds} s"));
        let _ = writeln!(
            text,
            "{}: {} over the objective, worst age {age}",
            printable(&of_vault.vault),
            of_vault.over_objective
        );
    }
    for vault in &answer.left_out {
        let _ = writeln!(
            text,
            "more vaults than metrics are sent of: {}",
            printable(vault)
        );
    }
    for vault in &answer.not_whole {
        let _ = writeln!(text, "not wholly known: {}", printable(vault));
    }
    for what in &answer.not_read {
        let _ = writeln!(text, "not read: {}", printable(what));
    }
    text
}
