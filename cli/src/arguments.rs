//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Mends failed AWS Backup copies: explains them, replays them, and shows what would be changed.
#[derive(Debug, Parser)]
#[command(name = "copymend", version, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Says what a failure message of AWS Backup means
    Explain(Explain),
    /// Runs events through the Lambda function's own handler, in a sandbox
    Replay(Replay),
    /// Works on IAM policies
    Policy {
        #[command(subcommand)]
        command: PolicyCommand,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The message; read from standard input if left out
    pub(crate) message: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Read one message a line from standard input, print one JSON object a line
    #[arg(long, conflicts_with = "message")]
    pub(crate) lines: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// Event files; `-` is standard input
    #[arg(required = true)]
    pub(crate) events: Vec<PathBuf>,
    /// The world to replay in, a JSON file [default: the world of the sample events]
    #[arg(long)]
    pub(crate) world: Option<PathBuf>,
    /// Repair the world, instead of planning only
    #[arg(long)]
    pub(crate) repair: bool,
    /// Print one Report a line, as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Also show the message that people would get
    #[arg(long, conflicts_with = "json")]
    pub(crate) message: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Says what a resource policy answers to a request
    Evaluate(Evaluate),
}

#[derive(Debug, Args)]
pub(crate) struct Evaluate {
    /// The policy, a JSON file
    #[arg(required_unless_present = "lines")]
    pub(crate) policy: Option<PathBuf>,
    /// Who asks: the ARN of a role, user or session, an account's root, or a service's name
    #[arg(long, required_unless_present = "lines")]
    pub(crate) principal: Option<String>,
    /// What is asked for, such as `backup:CopyIntoBackupVault`
    #[arg(long, required_unless_present = "lines")]
    pub(crate) action: Option<String>,
    /// The ARN of the vault or key
    #[arg(long, required_unless_present = "lines")]
    pub(crate) resource: Option<String>,
    /// A condition key and a value, `KEY=VALUE`; repeat it for more keys or values
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) context: Vec<String>,
    /// A condition key that may or may not be there
    #[arg(long, value_name = "KEY")]
    pub(crate) unknown: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Read one JSON object a line from standard input, print one a line
    #[arg(long, conflicts_with_all = ["policy", "principal", "action", "resource", "context", "unknown"])]
    pub(crate) lines: bool,
}
