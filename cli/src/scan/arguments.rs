//! The options of `copymend scan`.

use std::path::PathBuf;

use clap::Args;

use crate::reach::ReachArguments;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  copymend scan
  copymend scan --days 7 --region eu-west-1,eu-central-1
  copymend scan --account 111122223333,444455556666 --facts
  copymend scan --jobs --json > scan.json
  copymend scan --facts --html scan.html

Copies that failed for one cause at one vault or key are one incident. Without --facts the cause is what AWS's message
says, and each line is marked so. With --facts every route (job role, source key, destination vault, account, Region) is
investigated once, as the function does it; the settings are read from the environment (COPYMEND_…), and lists that are not
set admit everything. Nothing is written. What an account refuses is a line of its own, and the rest is shown. docs/scan.md
has the permissions. Ctrl-C shows what was found until then. With --json:
{\"scan\":1,\"since\",\"until\",\"places\",\"facts\",\"jobs\",\"incidents\":[{\"kind\",\"problem\",\"cause\",\"title\",\"resource\",\"accounts\",
\"regions\",\"count\",\"first_seen\",\"last_seen\",\"from_message\",\"confirmed\",\"unknown_facts\",\"would\":{\"act\",\"text\"},
\"fingerprints\",\"example\":{\"job\",\"account\",\"region\",\"message\"}}],\"not_read\":[{\"account\",\"region\",\"operation\",\"resource\",
\"reason\",\"detail\",\"permission\",\"do\",\"pages_read\"}],\"unreadable\",\"unreadable_count\",\"notes\",\"stopped\"}

Exit codes: 0 everything was read, whatever was found; 1 some account or Region could not be read; 2 wrong usage, or no
valid credentials; 130 stopped by Ctrl-C.")]
pub(crate) struct ScanArguments {
    /// Look at the jobs of so many days; AWS keeps 30
    #[arg(long, value_name = "NUMBER", default_value_t = 30, value_parser = clap::value_parser!(u8).range(1..=30))]
    pub(crate) days: u8,
    /// Also look at backup and restore jobs: those that failed, were stopped or expired, that ended with
    /// issues, and restore tests whose validation failed
    #[arg(long)]
    pub(crate) jobs: bool,
    /// Read the facts of each route, instead of believing the message
    #[arg(long)]
    pub(crate) facts: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Also write what was found as an HTML page, for a browser
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reach: ReachArguments,
}
