//! `copymend preflight`: what becomes of the copies that plans will make.

pub(crate) mod arguments;
mod progress;

use std::io::{self, Write};

use copymend_remediation::settings::{Deployment, Settings};
use copymend_survey::preflight::{
    Document, Preflight, WhichPlans, json, look_ahead, preflight_until, text,
};

use crate::preflight::arguments::PreflightArguments;
use crate::preflight::progress::Steps;
use crate::{CommandError, Ending, io_error, output};

/// Reads, judges and shows.
pub(crate) fn run(arguments: &PreflightArguments) -> Result<Ending, CommandError> {
    let settings = crate::scan::settings()?;
    let page = crate::page::open(arguments.html.as_deref())?;
    let which = WhichPlans {
        ids: arguments.plans.clone(),
        document: document(arguments)?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io_error("start"))?;
    let mut found = runtime.block_on(look(arguments, &which, &settings))?;
    // What still runs is not waited for.
    runtime.shutdown_background();
    look_ahead(&mut found, &settings);
    // Before the text, whose reader may go away.
    let page = crate::page::write(page, || copymend_page::preflight(&found));
    let written = if arguments.json {
        output::json(io::stdout().lock(), &json(&found))
    } else {
        let text = text(&found, output::width());
        write!(output::terminal(), "{}", output::printable(&text))
    };
    page?;
    written.map_err(io_error("write what was found"))?;
    Ok(if found.stopped.is_some() {
        Ending::Stopped
    } else if found.will_fail() || found.is_of_nothing() {
        Ending::Failed
    } else {
        Ending::Done
    })
}

fn document(arguments: &PreflightArguments) -> Result<Option<Document>, CommandError> {
    let Some(file) = &arguments.document else {
        return Ok(None);
    };
    let text =
        std::fs::read_to_string(file).map_err(io_error(format!("read `{}`", file.display())))?;
    let document = Document::parse(&text).map_err(|error| {
        let words = format!("{}: {error}", file.display());
        CommandError::Usage(output::printable(&words))
    })?;
    Ok(Some(document))
}

/// Everything that can be read is: a fact that isn't leaves a copy unknown. Ctrl-C ends it, and what was
/// found until then is shown.
async fn look(
    arguments: &PreflightArguments,
    which: &WhichPlans,
    settings: &Settings,
) -> Result<Preflight, CommandError> {
    let of_environment = &settings.deployment;
    let reader = arguments.organization_reader;
    let deployment = Deployment {
        read_images: true,
        read_tags: true,
        organization_reader: reader.or(of_environment.organization_reader),
        ..of_environment.clone()
    };
    let reach = arguments.reach.reach();
    let reached = Box::pin(reach.enter(&deployment))
        .await
        .map_err(|error| CommandError::Usage(output::printable(&error.to_string())))?;
    let steps = Steps::new(reached.places.len());
    let on_step = |step| steps.on(step);
    let found = preflight_until(
        crate::interrupted(),
        &reached.lists,
        &reached.environment,
        &reached.places,
        &reached.partition,
        which,
        &on_step,
    );
    let found = Box::pin(found).await;
    steps.clear();
    Ok(found)
}
