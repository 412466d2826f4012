//! AWS Backup's wire protocol in front of the sandbox, for the black-box tests.
//!
//! Keys and service-linked roles are not kept here but in another endpoint, `--kms-endpoint`: before a copy is judged, the
//! policies and states that really are there are put into the world.

mod caller;
mod control;
mod error;
mod http;
mod keys;
mod operations;
mod server;
mod wire;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use copymend_sandbox::{Sandbox, World};
use tokio::net::TcpListener;

use crate::http::Endpoint;
use crate::server::App;

/// Serves AWS Backup's API from a world file.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The world, as docs/world.md describes it.
    #[arg(long)]
    world: PathBuf,
    /// Where KMS, IAM and STS are, such as `http://127.0.0.1:5000`. Without it the world alone counts.
    #[arg(long)]
    kms_endpoint: Option<Endpoint>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("backup-endpoint: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let file = &arguments.world;
    let text =
        std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let sandbox = Sandbox::new(World::from_json(&text)?);
    let listener = TcpListener::bind(arguments.listen).await?;
    {
        use std::io::Write as _;
        let mut out = std::io::stdout().lock();
        writeln!(out, "listening on {}", listener.local_addr()?)?;
        out.flush()?;
    }
    let app = App::new(sandbox, arguments.kms_endpoint);
    axum::serve(listener, server::router(app)).await?;
    Ok(())
}
