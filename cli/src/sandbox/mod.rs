//! `copymend sandbox`: the sandbox for other programs.

pub(crate) mod arguments;

use std::io::{self, Write};
use std::time::Duration;

use copymend_sandbox::{Sandbox, World};
use copymend_sandbox_server::{Endpoint, Pace, Server};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use self::arguments::{Event, Rates, SandboxCommand, Serve};
use crate::input;
use crate::{CommandError, Ending, io_error, output};

const ENDPOINT: &str = "AWS_ENDPOINT_URL";

pub(crate) fn run(command: &SandboxCommand) -> Result<Ending, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(io_error("start"))?;
    match command {
        SandboxCommand::Serve(arguments) => runtime.block_on(serve(arguments)),
        SandboxCommand::Event(arguments) => runtime.block_on(event(arguments)),
    }
}

/// The world with its times moved to now.
fn world(path: Option<&std::path::Path>) -> Result<World, CommandError> {
    Ok(input::world(path)?.moved_to(Timestamp::now()))
}

async fn serve(arguments: &Serve) -> Result<Ending, CommandError> {
    let world = world(arguments.world.as_deref())?;
    let seconds =
        |seconds: Option<u32>| seconds.map(|seconds| SignedDuration::from_secs(i64::from(seconds)));
    let pace = Pace {
        copies_take: seconds(arguments.copies_take),
        denials_last: seconds(arguments.denials_last),
        calls_take: arguments
            .latency_ms
            .map(|time| Duration::from_millis(time.into())),
        keeps_rates: match arguments.rates {
            Some(Rates::Aws) => true,
            None => false,
        },
    };
    let server = Server::start(world, arguments.listen, arguments.aws.clone(), pace)
        .await
        .map_err(|error| CommandError::Usage(error.to_string()))?;
    if let Some(file) = &arguments.env_vars {
        let environment = server.environment_of_containers();
        let parameters: Map<String, Value> = environment
            .iter()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        let text = json!({ "Parameters": parameters }).to_string();
        std::fs::write(file, text).map_err(io_error(format!("write `{}`", file.display())))?;
    }
    show(io::stdout().lock(), &server).map_err(io_error("write the address"))?;
    server.serve().await.map_err(io_error("serve"))?;
    Ok(Ending::Done)
}

/// Written at once: who reads the address alone may go away then.
fn show(mut output: impl Write, server: &Server) -> io::Result<()> {
    let text = format!(
        "listening on {}\n\n# For programs on this machine:\n{}\n# For programs in containers:\n{}",
        server.address(),
        server.environment(),
        server.environment_of_containers()
    );
    output.write_all(text.as_bytes())?;
    output.flush()
}

async fn event(arguments: &Event) -> Result<Ending, CommandError> {
    let name = &arguments.name;
    let found = match endpoint(arguments)? {
        Some(endpoint) => endpoint
            .event(name)
            .await
            .map_err(|error| CommandError::Usage(error.to_string()))?,
        None => Sandbox::new(world(arguments.world.as_deref())?).event_named(name),
    };
    let Some(event) = found else {
        anstream::eprintln!(
            "copymend: there is no copy job `{}`",
            output::printable(name)
        );
        return Ok(Ending::Failed);
    };
    output::json(io::stdout().lock(), &event).map_err(io_error("write the event"))?;
    Ok(Ending::Done)
}

/// The running sandbox to ask, unless a world file is named.
fn endpoint(arguments: &Event) -> Result<Option<Endpoint>, CommandError> {
    if arguments.world.is_some() || arguments.endpoint.is_some() {
        return Ok(arguments.endpoint.clone());
    }
    match std::env::var(ENDPOINT) {
        Ok(url) if !url.is_empty() => url
            .parse()
            .map(Some)
            .map_err(|error| CommandError::Usage(format!("{ENDPOINT} is `{url}`: {error}"))),
        Ok(_) | Err(_) => Ok(None),
    }
}
