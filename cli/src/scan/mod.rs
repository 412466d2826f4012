//! `copymend scan`: what failed, by incident.

pub(crate) mod arguments;
mod progress;

use std::io::{self, Write};
use std::sync::Mutex;

use copymend_aws::{AwsEnvironment, ReadOnly, SystemClock};
use copymend_remediation::ports::Clock as _;
use copymend_remediation::settings::{Mode, Settings};
use copymend_survey::scan::{Fold, Investigation, Scan, Scope, gather, json, text};
use jiff::{SignedDuration, Timestamp};

use crate::scan::arguments::ScanArguments;
use crate::scan::progress::Steps;
use crate::{CommandError, Ending, io_error, output};

/// Reads, folds and shows.
pub(crate) fn run(arguments: &ScanArguments) -> Result<Ending, CommandError> {
    let settings = settings()?;
    let page = crate::page::open(arguments.html.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io_error("start"))?;
    let scan = runtime.block_on(scan(arguments, &settings))?;
    // What still runs is not waited for.
    runtime.shutdown_background();
    // Before the text: its reader may go away, as in `copymend scan --html FILE | head`.
    let page = crate::page::write(page, || copymend_page::scan(&scan));
    let written = if arguments.json {
        json(&scan)
            .map_err(io::Error::from)
            .and_then(|line| writeln!(io::stdout().lock(), "{line}"))
    } else {
        let text = text(&scan, output::width());
        write!(output::terminal(), "{}", output::printable(&text))
    };
    page?;
    written.map_err(io_error("write what was found"))?;
    Ok(if scan.stopped.is_some() {
        Ending::Stopped
    } else if scan.not_read.is_empty() {
        Ending::Done
    } else {
        Ending::Failed
    })
}

async fn scan(arguments: &ScanArguments, settings: &Settings) -> Result<Scan, CommandError> {
    let reach = arguments.reach.reach();
    let reached = Box::pin(reach.enter(&settings.deployment))
        .await
        .map_err(|error| CommandError::Usage(output::printable(&error.to_string())))?;
    let scope = Scope {
        places: reached.places,
        since: days_before(SystemClock.now(), arguments.days),
        with_jobs: arguments.jobs,
    };
    let fold = Mutex::new(Fold::new(scope.since, arguments.facts));
    let steps = Steps::new(scope.places.len());
    let investigation: Option<Investigation<'_, AwsEnvironment<ReadOnly>>> =
        arguments.facts.then_some(Investigation {
            environment: &reached.environment,
            settings,
        });
    let on_progress = |progress| steps.on(progress);
    let stopped = {
        let gathered = gather(&reached.lists, &scope, investigation, &fold, &on_progress);
        tokio::select! {
            biased;
            () = crate::interrupted() => true,
            () = gathered => false,
        }
    };
    steps.clear();
    let stopped = stopped.then(|| steps.stopped());
    let fold = fold
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok(fold.finish(&scope, arguments.facts, SystemClock.now(), stopped))
}

fn days_before(now: Timestamp, days: u8) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(24 * i64::from(days)))
        .unwrap_or(Timestamp::MIN)
}

/// The settings of the environment, in repair mode. Nothing is written, so that lists that aren't set
/// admit everything, as in `copymend replay`.
pub(crate) fn settings() -> Result<Settings, CommandError> {
    let mut settings = crate::settings()?;
    settings.mode = Mode::Repair;
    if settings.allowed_destinations.is_empty() {
        settings.allowed_destinations.extend("*".parse());
    }
    if settings.allowed_keys.is_empty() {
        settings.allowed_keys.extend("*".parse());
    }
    if std::env::var_os("COPYMEND_ALLOWED_SOURCES").is_none() {
        settings.allowed_sources.extend("*".parse());
    }
    Ok(settings)
}
