//! The command line of `copymend prove`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  copymend prove --source workloads --destination backup
  copymend prove --source workloads --destination backup --with-key --step
  copymend prove --clean --source workloads --destination backup

Makes a volume of 1 GiB, its backup, a key and two vaults, all named copymend-prove-ID or tagged so; starts the copy, which fails,
since the destination vault's policy doesn't admit it; repairs it with the function's own handler; waits for the copy; takes the
repair back; and removes everything. What it makes is in --state before it is made, so that --clean removes it after a kill. The
profiles come from the AWS configuration files. docs/prove.md names the permissions that they need.

Exit codes: 0 proved, or cleaned; 1 it was not, was stopped, or something is left; 2 wrong usage, or a profile that can't be used.")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own that a person gives"
)]
pub(crate) struct ProveArguments {
    /// The profile of the account that the copy comes from
    #[arg(long, value_name = "PROFILE")]
    pub(crate) source: String,
    /// The profile of the account that the copy goes to; another account of the same organization
    #[arg(long, value_name = "PROFILE")]
    pub(crate) destination: String,
    /// The Region of the volume and its backup [default: the profile's]
    #[arg(long, value_name = "REGION")]
    pub(crate) source_region: Option<String>,
    /// The Region of the copy [default: the profile's]
    #[arg(long, value_name = "REGION")]
    pub(crate) destination_region: Option<String>,
    /// The job role of the source account, with its path
    #[arg(
        long,
        value_name = "ROLE",
        default_value = "service-role/AWSBackupDefaultServiceRole"
    )]
    pub(crate) role: String,
    /// Encrypt the volume with a key of its own, whose policy has to be repaired as well
    #[arg(long)]
    pub(crate) with_key: bool,
    /// Let the deployed function repair: only wait for it, and don't repair from here
    #[arg(long)]
    pub(crate) deployed: bool,
    /// Stop and ask before each step
    #[arg(long, conflicts_with = "yes")]
    pub(crate) step: bool,
    /// Don't ask at all, for scripts
    #[arg(long)]
    pub(crate) yes: bool,
    /// Only remove what an earlier run left
    #[arg(long, conflicts_with_all = ["with_key", "deployed", "step", "record"])]
    pub(crate) clean: bool,
    /// Where to note what is made, until it is removed
    #[arg(long, value_name = "FILE", default_value = "copymend-prove.state.json")]
    pub(crate) state: PathBuf,
    /// Where to write AWS's answers, with ids masked [default: copymend-prove-ID.json]
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    /// How often AWS is asked how things stand
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, hide = true)]
    pub(crate) every: f64,
    /// How long after a denial the repair begins
    #[arg(long, value_name = "SECONDS", default_value_t = 75.0, hide = true)]
    pub(crate) settle: f64,
    /// How long one thing is waited for
    #[arg(long, value_name = "SECONDS", default_value_t = 3600.0, hide = true)]
    pub(crate) patience: f64,
}

/// How long is waited for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Between two questions about the same thing.
    pub(crate) every: Duration,
    /// After a denial. AWS answers as before for about a minute: the deployed function lets its
    /// queue wait as long.
    pub(crate) settle: Duration,
    /// For one thing, at most.
    pub(crate) patience: Duration,
}

impl ProveArguments {
    pub(crate) fn pace(&self) -> Pace {
        // What is no time waits not at all.
        let seconds = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        Pace {
            every: seconds(self.every),
            settle: seconds(self.settle),
            patience: seconds(self.patience),
        }
    }
}
