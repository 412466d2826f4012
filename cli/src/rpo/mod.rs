//! `copymend rpo`: the age of the newest good copy of everything that should have one.

pub(crate) mod arguments;

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::sync::{Mutex, PoisonError};

use copymend_aws::SystemClock;
use copymend_remediation::ports::Clock as _;
use copymend_remediation::settings::Deployment;
use copymend_survey::rpo::{
    Exclusion, Findings, Objectives, Progress, Shown, gather, gather_tags, judge, text, write_json,
};

use self::arguments::RpoArguments;
use crate::{CommandError, Ending, io_error, output};

/// Reads, judges and shows.
pub(crate) fn run(arguments: &RpoArguments) -> Result<Ending, CommandError> {
    let exclusions = exclusions(arguments)?;
    let page = crate::page::open(arguments.html.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io_error("start"))?;
    let objectives = Objectives::new(arguments.objectives.clone());
    let findings = runtime.block_on(findings(arguments, &objectives, &exclusions))?;
    // What still runs is not waited for.
    runtime.shutdown_background();
    let Some(findings) = findings else {
        return Ok(Ending::Stopped);
    };
    // Before the text, whose reader may go away.
    let page = crate::page::write(page, || copymend_page::rpo(&findings, &objectives));
    let written = if arguments.json {
        let mut output = BufWriter::new(io::stdout().lock());
        write_json(&findings, &objectives, &mut output).and_then(|()| output.flush())
    } else {
        let shown = if arguments.all {
            Shown::All
        } else {
            Shown::Wanting
        };
        let text = text(&findings, shown);
        write!(output::terminal(), "{}", output::printable(&text))
    };
    page?;
    written.map_err(io_error("write what was found"))?;
    Ok(if findings.missed() > 0 {
        Ending::Failed
    } else {
        Ending::Done
    })
}

/// Those of the options and those of the file.
fn exclusions(arguments: &RpoArguments) -> Result<Vec<Exclusion>, CommandError> {
    let mut exclusions = arguments.excluded.clone();
    if let Some(file) = &arguments.exclusions {
        let text = std::fs::read_to_string(file)
            .map_err(io_error(format!("read `{}`", file.display())))?;
        let of_file = Exclusion::of_lines(&text).map_err(|error| {
            let words = format!("{}: {error}", file.display());
            CommandError::Usage(output::printable(&words))
        })?;
        exclusions.extend(of_file);
    }
    Ok(exclusions)
}

async fn findings(
    arguments: &RpoArguments,
    objectives: &Objectives,
    exclusions: &[Exclusion],
) -> Result<Option<Findings>, CommandError> {
    let reach = arguments.reach.reach();
    let reached = Box::pin(reach.enter(&Deployment::default()))
        .await
        .map_err(|error| CommandError::Usage(output::printable(&error.to_string())))?;
    let is_shown = io::stderr().is_terminal();
    let last = Mutex::new(Progress::default());
    let tell = |progress: Progress| {
        *last.lock().unwrap_or_else(PoisonError::into_inner) = progress;
        if is_shown {
            let _ = write!(io::stderr(), "\r\x1b[K{}", how_far(progress));
            let _ = io::stderr().flush();
        }
    };
    let now = SystemClock.now();
    let gathered = {
        let gathering = async {
            let mut gathered = gather(&reached.lists, &reached.places, now, &tell).await;
            gather_tags(&reached.lists, &mut gathered, objectives).await;
            gathered
        };
        tokio::select! {
            biased;
            () = crate::interrupted() => None,
            gathered = gathering => Some(gathered),
        }
    };
    if is_shown {
        // Who doesn't see it misses nothing.
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
    if gathered.is_none() {
        let progress = *last.lock().unwrap_or_else(PoisonError::into_inner);
        anstream::eprintln!(
            "copymend: stopped after {}; from a part nothing is judged",
            how_far(progress)
        );
    }
    Ok(gathered.map(|gathered| judge(&gathered, objectives, exclusions)))
}

/// How far it came.
fn how_far(progress: Progress) -> String {
    let Progress {
        vaults,
        of_vaults,
        points,
        jobs,
    } = progress;
    format!("{jobs} copy jobs; {vaults} of {of_vaults} vaults, {points} recovery points")
}
