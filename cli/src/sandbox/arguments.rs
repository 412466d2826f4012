//! The command line of `copymend sandbox`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use copymend_sandbox_server::Endpoint;

#[derive(Debug, Subcommand)]
pub(crate) enum SandboxCommand {
    /// Serves a world at one address that speaks AWS's protocols
    Serve(Serve),
    /// Prints the EventBridge event of a copy job
    Event(Event),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  make sandbox                                   # moto's server with the world, and this command in front of it
  copymend sandbox serve
  copymend sandbox serve --world world.json --listen 127.0.0.1:0 --aws http://127.0.0.1:5000

Answered from the world: AWS Backup, iam:SimulatePrincipalPolicy, organizations:DescribeEffectivePolicy; without --aws also what
Copymend reads of keys, roles and the organization, and sts:AssumeRole. Everything else goes to --aws. The world's times are moved so that its newest failed copy ended a minute ago. When it is ready it prints `listening on
ADDRESS` and the environment that leads programs there, for containers too. It runs until it is ended.

Exit codes: 2 wrong usage, an unreadable world, or an address that is taken.")]
pub(crate) struct Serve {
    /// The world, a JSON file [default: the world of the sample events]
    #[arg(long)]
    pub(crate) world: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4570")]
    pub(crate) listen: SocketAddr,
    /// Where the rest of AWS is: moto's server, by its HTTP address [default: nowhere]
    #[arg(long, value_name = "URL")]
    pub(crate) aws: Option<Endpoint>,
    /// Let copies run for so many seconds of real time [default: each has ended when it is asked about]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) copies_take: Option<u32>,
    /// How long a denial is remembered after the policy has changed [default: 60]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) denials_last: Option<u32>,
    /// Refuse the calls of AWS Backup that come faster than these rates [default: none are refused]
    #[arg(long, value_name = "RATES")]
    pub(crate) rates: Option<Rates>,
    /// Let every call take so many milliseconds [default: 0]
    #[arg(long, value_name = "MILLISECONDS")]
    pub(crate) latency_ms: Option<u32>,
    /// Also write the environment of containers to this file, as `sam local invoke --env-vars`
    /// takes it
    #[arg(long, value_name = "FILE")]
    pub(crate) env_vars: Option<PathBuf>,
}

/// Whose rates are kept.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Rates {
    /// Those that AWS publishes, for each account and Region
    Aws,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  copymend sandbox event source-key-policy | sam local invoke CopyRemediator --event - --env-vars FILE
  copymend sandbox event source-key-policy --endpoint http://127.0.0.1:4570
  copymend sandbox event source-key-policy --world world.json

The running sandbox of --endpoint or AWS_ENDPOINT_URL is asked, so that its job and the event agree. With --world, or where
neither is set, the event is that of a world whose times are moved to now.

Exit codes: 0 printed; 1 there is no such job; 2 wrong usage, or no answer.")]
pub(crate) struct Event {
    /// The copy job's name in the world file, or its id
    pub(crate) name: String,
    /// The world, a JSON file [default: the world of the sample events]
    #[arg(long, conflicts_with = "endpoint")]
    pub(crate) world: Option<PathBuf>,
    /// The running sandbox; the default is the environment's endpoint of AWS
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<Endpoint>,
}
