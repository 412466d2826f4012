//! `copymend`: explains failure messages, replays events in a sandbox, works on policies, takes
//! changes back.

mod answer;
#[cfg(feature = "aws")]
mod approval;
mod arguments;
#[cfg(feature = "aws")]
mod dead_letter_queue;
#[cfg(feature = "aws")]
mod doctor;
mod explain;
#[cfg(feature = "aws")]
mod history;
mod input;
mod manual;
mod output;
#[cfg(feature = "aws")]
mod page;
#[cfg(feature = "aws")]
mod pause;
#[cfg(feature = "aws")]
mod plan;
mod policy;
#[cfg(feature = "aws")]
mod preflight;
#[cfg(feature = "aws")]
mod progress;
#[cfg(feature = "aws")]
mod prove;
#[cfg(feature = "aws")]
mod reach;
mod replay;
#[cfg(feature = "aws")]
mod rpo;
#[cfg(feature = "sandbox-server")]
mod sandbox;
#[cfg(feature = "aws")]
mod scan;
#[cfg(feature = "aws")]
mod undo;

use std::io;
use std::process::ExitCode;

use clap::Parser;
use copymend_remediation::settings::{Settings, refuse_unknown};

use crate::arguments::{Arguments, Command};

/// How a command ended, as an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// 0: done.
    Done,
    /// 1: the check or repair failed.
    Failed,
    /// 130: a person stopped it.
    #[cfg(feature = "aws")]
    Stopped,
}

/// What shells answer for a program that SIGINT ended.
#[cfg(feature = "aws")]
const STOPPED: u8 = 130;

/// Why a command could not run: exit code 2.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error("cannot {doing}: {source}")]
    Io { doing: String, source: io::Error },
    #[error("{0}")]
    Usage(String),
    #[cfg(feature = "aws")]
    #[error("cannot write the page `{file}`: {source}")]
    Page { file: String, source: io::Error },
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        #[cfg(feature = "aws")]
        Command::Approve(arguments) => approval::approve(&arguments),
        #[cfg(feature = "aws")]
        Command::Refuse(arguments) => approval::refuse(&arguments),
        #[cfg(feature = "aws")]
        Command::Undo(arguments) => undo::run(&arguments),
        #[cfg(feature = "aws")]
        Command::History(arguments) => history::run(&arguments),
        #[cfg(feature = "aws")]
        Command::Plan(arguments) => plan::run(&arguments),
        #[cfg(feature = "aws")]
        Command::Apply(arguments) => plan::apply::run(&arguments),
        #[cfg(feature = "aws")]
        Command::Doctor(arguments) => doctor::run(&arguments),
        #[cfg(feature = "aws")]
        Command::Pause(arguments) => pause::pause(&arguments),
        #[cfg(feature = "aws")]
        Command::Resume(arguments) => pause::resume(&arguments),
        #[cfg(feature = "aws")]
        Command::Prove(arguments) => prove::run(&arguments),
        #[cfg(feature = "aws")]
        Command::Scan(arguments) => scan::run(&arguments),
        #[cfg(feature = "aws")]
        Command::Preflight(arguments) => preflight::run(&arguments),
        #[cfg(feature = "aws")]
        Command::Rpo(arguments) => rpo::run(&arguments),
        Command::Completions(arguments) => manual::completions(&arguments),
        Command::Man(arguments) => manual::pages(&arguments),
        Command::Policy { command } => policy::run(&command),
        #[cfg(feature = "sandbox-server")]
        Command::Sandbox { command } => sandbox::run(&command),
    };
    match result {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::Failed) => ExitCode::FAILURE,
        #[cfg(feature = "aws")]
        Ok(Ending::Stopped) => ExitCode::from(STOPPED),
        // The reader went away, as in `copymend … | head`.
        Err(CommandError::Io { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            anstream::eprintln!("copymend: {error}");
            ExitCode::from(2)
        }
    }
}

/// Ctrl-C. Where no signal can be listened for, it ends the program as it does any other.
#[cfg(feature = "aws")]
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The settings of the environment. A variable that no program of Copymend reads is wrong usage.
fn settings() -> Result<Settings, CommandError> {
    refuse_unknown(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()))
        .map_err(|error| CommandError::Usage(error.to_string()))?;
    Settings::read(|name| std::env::var(name).ok())
        .map_err(|error| CommandError::Usage(error.to_string()))
}

fn io_error(doing: impl Into<String>) -> impl FnOnce(io::Error) -> CommandError {
    let doing = doing.into();
    |source| CommandError::Io { doing, source }
}
