//! The options of `copymend preflight`.

use std::path::PathBuf;

use clap::Args;
use copymend_policy::AccountId;

use crate::reach::ReachArguments;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  copymend preflight
  copymend preflight --account 111122223333,444455556666 --region us-east-1,eu-west-1
  copymend preflight --plan 8f81f553-3a74-4a3f-b93d-b3360dc80c50
  copymend preflight --document plan.json --organization-reader 999988887777
  copymend preflight --document backup-policy.json --account 111122223333,444455556666
  copymend preflight --json > preflight.json
  copymend preflight --html preflight.html

A plan's copies are judged before they run, by the facts and rules that a failed copy is held against: WILL FAIL with all that
stands in the way, in the order in which it must be put right; CAN'T BE KNOWN and why; or WILL PASS. A rule's resources are those
that it backed up in the last 30 days, and the ARNs that a selection names. One line a route: the resources that share account,
Region, vaults, job role, key, type and retention. What Copymend would do once such a copy has failed is decided by the settings
of the environment (COPYMEND_…), and lists that are not set admit everything. Nothing is written. Ctrl-C shows what was found until
then. --document takes the JSON of AWS's command line, {\"BackupPlan\":…,\"BackupSelections\":[…]}, or a backup policy of AWS
Organizations, {\"plans\":…}. docs/preflight.md has the verdicts and the permissions. With --json:
{\"preflight\":1,\"at\",\"accounts_and_regions\",\"plans\",\"will_fail\",\"cannot_be_known\",\"will_pass\",\"routes\":[{\"verdict\",\"account\",\"region\",
\"source_vault\",\"destination_vault\",\"job_role\",\"resource_type\",\"key\",\"lifecycle\",\"automatic\",\"next_run\",\"judged_by\",\"rules\",
\"in_the_way\":[{\"cause\",\"title\",\"evidence\",\"repairable\",\"who\",\"steps\",\"page\"}],\"open\",\"residuals\",
\"would\":{\"act\",\"text\",\"cause\",\"changes\"},\"notes\",\"resources\"}],\"not_materialised\",\"unseen\",\"skipped_plans\",
\"rules_without_copies\",\"plans_not_found\",\"not_read\",\"unreadable\",\"notes\",\"stopped\"}

Exit codes: 0 no copy is known to fail; 1 one will fail, a rule will make none, a named plan is nowhere, or nothing could be
read; 2 wrong usage, or no valid credentials; 130 stopped by Ctrl-C.")]
pub(crate) struct PreflightArguments {
    /// Look at this plan alone; several by commas, or by giving it again
    #[arg(long = "plan", value_name = "ID", value_delimiter = ',')]
    pub(crate) plans: Vec<String>,
    /// Judge the plan, or the organization's backup policy, of this document instead of the plans of the account
    #[arg(long, value_name = "FILE", conflicts_with = "plans")]
    pub(crate) document: Option<PathBuf>,
    /// The management account, or a delegated administrator: where the organization's policies are read
    /// [default: that of the settings]
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) organization_reader: Option<AccountId>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Also write what was found as an HTML page, for a browser
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reach: ReachArguments,
}
