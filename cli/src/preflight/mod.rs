//! `copymend preflight`: what becomes of the copies that plans will make.

pub(crate) mod arguments;

use std::io::{self, Write};

use copymend_remediation::settings::Deployment;
use copymend_survey::preflight::{
    Preflight, SelectingPlan, WhichPlans, json, parse_document, preflight, text,
};

use crate::preflight::arguments::PreflightArguments;
use crate::{CommandError, Ending, io_error, output};

/// Reads, judges and shows.
pub(crate) fn run(arguments: &PreflightArguments) -> Result<Ending, CommandError> {
    let which = WhichPlans {
        ids: arguments.plans.clone(),
        document: document(arguments)?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io_error("start"))?;
    let found = runtime.block_on(async {
        tokio::select! {
            biased;
            () = interrupted() => Ok(None),
            found = look(arguments, &which) => found.map(Some),
        }
    })?;
    // What still runs is not waited for.
    runtime.shutdown_background();
    let Some(found) = found else {
        return Ok(Ending::Stopped);
    };
    let written = if arguments.json {
        output::json(io::stdout().lock(), &json(&found))
    } else {
        let text = text(&found, output::width());
        write!(output::terminal(), "{}", output::printable(&text))
    };
    written.map_err(io_error("write what was found"))?;
    Ok(if found.will_fail() {
        Ending::Failed
    } else {
        Ending::Done
    })
}

fn document(arguments: &PreflightArguments) -> Result<Option<SelectingPlan>, CommandError> {
    let Some(file) = &arguments.document else {
        return Ok(None);
    };
    let text =
        std::fs::read_to_string(file).map_err(io_error(format!("read `{}`", file.display())))?;
    let plan = parse_document(&text).map_err(|error| {
        let words = format!("{}: {error}", file.display());
        CommandError::Usage(output::printable(&words))
    })?;
    Ok(Some(plan))
}

/// Everything that can be read is: a fact that isn't leaves a copy unknown.
async fn look(
    arguments: &PreflightArguments,
    which: &WhichPlans,
) -> Result<Preflight, CommandError> {
    let deployment = Deployment {
        read_images: true,
        read_tags: true,
        organization_reader: arguments.organization_reader,
        ..Deployment::default()
    };
    let reach = arguments.reach.reach();
    let reached = Box::pin(reach.enter(&deployment))
        .await
        .map_err(|error| CommandError::Usage(output::printable(&error.to_string())))?;
    let found = preflight(
        &reached.lists,
        &reached.environment,
        &reached.places,
        &reached.partition,
        which,
        &|_| {},
    );
    Ok(Box::pin(found).await)
}

/// Ctrl-C. Where no signal can be listened for, it ends the program as it does any other.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
