//! `copymend replay`: the Lambda functions' own handlers, on the sandbox.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use copymend_diagnosis::CopyJobState;
use copymend_remediation::advisor::{AccessAdvisor, AdvisorSettings};
use copymend_remediation::digest::{DigestAnswer, DigestState};
use copymend_remediation::ports::{Clock, Reads};
use copymend_remediation::preflight::{PreflightAnswer, PreflightState};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::self_check::{Check, CheckState};
use copymend_remediation::settings::{Mode, Settings};
use copymend_remediation::{CopyRemediator, HandlerError, Invocation};
use copymend_report::{Email, Style, email, email_of_digest, email_of_preflight, table};
use copymend_sandbox::{CopyJob, Sandbox, World};
use jiff::SignedDuration;

use crate::answer::Answer;
use crate::arguments::Replay;
use crate::input::{events, world};
use crate::output;
use crate::{CommandError, Ending, io_error};

/// How long a Lambda function of ours may take.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(120);

pub(crate) fn run(arguments: &Replay) -> Result<Ending, CommandError> {
    #[cfg(feature = "aws")]
    if let Some(queue_url) = &arguments.dlq {
        return crate::dead_letter_queue::run(queue_url, arguments);
    }
    let world = world(arguments.world.as_deref())?;
    let settings = settings(arguments.repair, &world)?;
    let sandbox = Sandbox::new(world)
        .with_delayed_retries()
        .reading_images(settings.deployment.read_images)
        .reading_tags(settings.deployment.read_tags)
        .reading_paths_in(settings.deployment.organization_reader);
    let remediator = CopyRemediator::new(sandbox.clone(), settings);
    let advisor = AccessAdvisor::new(sandbox.clone(), AdvisorSettings::default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(io_error("start"))?;
    let mut ending = Ending::Done;
    let mut rows = Vec::new();
    let folder = shared_folder(&arguments.events);
    let mut given = Vec::new();
    for path in &arguments.events {
        let events = events(path)?;
        let is_a_list = events.len() > 1;
        for (place, event) in events.into_iter().enumerate() {
            let name = short(path, &folder);
            let name = if is_a_list {
                format!("{name} {}", place + 1)
            } else {
                name
            };
            given.push((path, name, event));
        }
    }
    for (place, (path, name, event)) in given.iter().enumerate() {
        let now = Reads::clock(&sandbox).now();
        let invocation = Invocation {
            id: format!("replay-{place}"),
            deadline: now.saturating_add(TIMEOUT).unwrap_or(now),
        };
        let answer = runtime.block_on(Answer::to(
            event,
            &invocation,
            &remediator,
            &advisor,
            || (sandbox.clone(), sandbox.clone()),
        ));
        if is_failure(&answer) {
            ending = Ending::Failed;
        }
        let state = |report: &Report| state_of_retry(&sandbox, report);
        rows.extend(answer.rows(name, state));
        let written = if arguments.json {
            writeln!(io::stdout().lock(), "{}", answer.json())
        } else if arguments.table {
            Ok(())
        } else {
            human(
                output::terminal(),
                &answer,
                path,
                arguments.message,
                &sandbox,
            )
        };
        written.map_err(io_error("write the report"))?;
    }
    if arguments.table || (rows.len() > 1 && !arguments.json) {
        write!(output::terminal(), "{}", table(&rows, Style::Coloured))
            .map_err(io_error("write the table"))?;
    }
    Ok(ending)
}

/// The longest folder that all events lie in.
fn shared_folder(events: &[PathBuf]) -> PathBuf {
    let mut folder = events.first().and_then(|event| event.parent());
    while let Some(candidate) = folder {
        if events.iter().all(|event| event.starts_with(candidate)) {
            return candidate.to_owned();
        }
        folder = candidate.parent();
    }
    PathBuf::new()
}

/// An event's name in the table: without the folder that all share, and without `.json`.
fn short(event: &Path, folder: &Path) -> String {
    let event = event.strip_prefix(folder).unwrap_or(event);
    let is_json = event
        .extension()
        .is_some_and(|extension| extension == "json");
    let event = if is_json {
        event.with_extension("")
    } else {
        event.to_owned()
    };
    event.display().to_string()
}

/// How the copy stands that was started again; none where none was.
fn state_of_retry(sandbox: &Sandbox, report: &Report) -> Option<CopyJobState> {
    let job = report.retried_job.as_ref()?;
    sandbox.with_world(|world| world.copy_job(job).map(CopyJob::state))
}

/// Whether an event was refused, or its repair failed.
fn is_failure(answer: &Answer) -> bool {
    let is_failed = |report: &Report| report.outcome == Outcome::Failed;
    match answer {
        Answer::Report(result) => result.as_ref().as_ref().map_or(true, is_failed),
        Answer::Swept(result) => result.as_ref().map_or(true, |swept| {
            !swept.errors.is_empty() || swept.reports.iter().any(is_failed)
        }),
        Answer::SelfCheck(answer) => {
            let is_fine = |check: &Check| check.state == CheckState::Fine;
            !answer.checks.iter().all(is_fine)
        }
        Answer::TestMessage(result) => result.is_err(),
        Answer::Preflight(result) => result.is_err(),
        Answer::CopyAge(result) => result.is_err(),
        Answer::Digest(result) => result.is_err(),
    }
}

/// The settings of the environment. In the sandbox nothing can be harmed, so allowlists that aren't
/// set admit everything. The list of sources does so where its variable is absent; an empty one
/// admits none. Every account of the world is named among the keys: that of a third account is
/// admitted by no other entry.
fn settings(repair: bool, world: &World) -> Result<Settings, CommandError> {
    let mut settings = crate::settings()?;
    settings.mode = if repair { Mode::Repair } else { Mode::Observe };
    if settings.allowed_destinations.is_empty() {
        settings.allowed_destinations.extend("*".parse());
    }
    if settings.allowed_keys.is_empty() {
        let accounts = world.accounts().keys();
        let named = accounts.flat_map(|account| format!("arn:*:kms:*:{account}:key/*").parse());
        settings.allowed_keys = "*".parse().into_iter().chain(named).collect();
    }
    if std::env::var_os("COPYMEND_ALLOWED_SOURCES").is_none() {
        settings.allowed_sources.extend("*".parse());
    }
    Ok(settings)
}

fn is_told(result: &Result<PreflightAnswer, HandlerError>) -> bool {
    result
        .as_ref()
        .is_ok_and(|answer| answer.preflight == PreflightState::Told)
}

fn is_sent(result: &Result<DigestAnswer, HandlerError>) -> bool {
    result
        .as_ref()
        .is_ok_and(|answer| answer.digest == DigestState::Sent)
}

fn human(
    mut output: impl Write,
    answer: &Answer,
    path: &Path,
    message: bool,
    sandbox: &Sandbox,
) -> io::Result<()> {
    writeln!(output, "── {}", path.display())?;
    write!(output, "{}", answer.terminal())?;
    for report in answer.reports() {
        let Some(job) = &report.retried_job else {
            continue;
        };
        let state = state_of_retry(sandbox, report)
            .map_or_else(|| "gone".to_owned(), |state| state.to_string());
        writeln!(output, "   retried copy {job}: {state}")?;
    }
    let mut emails: Vec<Email> = answer.reports().iter().map(email).collect();
    if matches!(answer, Answer::Preflight(result) if is_told(result.as_ref())) {
        let told = sandbox.notifier().preflights();
        emails.extend(told.last().map(email_of_preflight));
    }
    if matches!(answer, Answer::Digest(result) if is_sent(result.as_ref())) {
        let told = sandbox.notifier().digests();
        emails.extend(told.last().map(email_of_digest));
    }
    for email in emails.into_iter().filter(|_| message) {
        writeln!(output, "\n   ✉ {}", email.subject)?;
        for line in email.body.lines() {
            writeln!(output, "   │ {line}")?;
        }
    }
    writeln!(output)
}
