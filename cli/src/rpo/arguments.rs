//! The options of `copymend rpo`.

use std::path::PathBuf;

use clap::Args;
use copymend_survey::rpo::{Exclusion, Objective};

use crate::reach::ReachArguments;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  copymend rpo --objective 26h
  copymend rpo --objective 26h --objective vault=archive:8d --objective type=RDS:4h
  copymend rpo --objective 26h --objective tag=tier=gold:2h
  copymend rpo --account 111122223333,444455556666 --region us-east-1,eu-west-1 --objective 26h --json > rpo.json
  copymend rpo --objective 26h --html rpo.html
  copymend rpo --objective 26h --exclude 'arn:aws:ec2:*:*:volume/vol-0123,retired in May,2027-05-31'

A copy should be in every vault that a plan's rule copies to, of each resource that the rule backed up in the last 30 days, and
wherever copies of a resource have arrived. The vaults' recovery points tell what is there: the age is that of the backup that was
copied. A vault that can't be read is `unknown`, never missing. Without --all only what is wanting is shown. Nothing is written.
docs/rpo.md has the states and the permissions. With --json:
{\"rpo\":1,\"at\",\"objectives\",\"missed\",\"places\":[{\"resource\",\"resource_type\",\"vault\",\"planned\",\"state\",\"missed\",\"age_seconds\",
\"objective_seconds\",\"newest_copy\",\"newest_backup\",\"gone\",\"detail\"}],\"vaults\":[{\"vault\",\"places\",\"missed\",\"worst_age_seconds\"}],
\"expired_exclusions\":[{\"pattern\",\"reason\",\"until\"}],\"not_read\":[{\"what\",\"why\"}]}

Exit codes: 0 no objective is known to be missed; 1 one is; 2 wrong usage, or no valid credentials; 130 stopped by
Ctrl-C.")]
pub(crate) struct RpoArguments {
    /// How old the newest good copy may be: 26h, vault=NAME:26h, type=RDS:4h or tag=KEY=VALUE:1h (m, h,
    /// d, w). Those that name a vault, a type or a tag of the resource go before the others; of several
    /// the shortest holds
    #[arg(long = "objective", value_name = "OBJECTIVE")]
    pub(crate) objectives: Vec<Objective>,
    /// Leave resources out: an ARN in which `*` stands for anything, the reason, and the last day
    #[arg(long = "exclude", value_name = "ARN,REASON,DAY")]
    pub(crate) excluded: Vec<Exclusion>,
    /// A file with one such line a line; `#` begins a remark
    #[arg(long, value_name = "FILE")]
    pub(crate) exclusions: Option<PathBuf>,
    /// Also show what is in time, not due or left out
    #[arg(long, conflicts_with = "json")]
    pub(crate) all: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Also write what was found as an HTML page, for a browser
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reach: ReachArguments,
}
