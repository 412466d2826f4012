//! The options of `copymend plan` and `copymend apply`.

use clap::{Args, ValueEnum};
use copymend_policy::AccountId;
use copymend_report::Tool;
use copymend_survey::RegionCode;

/// Where the failed copy is, and whose settings count.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Where to look")]
pub(crate) struct JobArguments {
    /// A profile of the shared AWS configuration
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
    /// The Region of the copy job [default: that of the stack, of the environment or of the profile]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<RegionCode>,
    /// The account of the copy job [default: that of the credentials]
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: Option<AccountId>,
    /// The hub's stack, whose settings and ledger count [default: the COPYMEND_… variables of the
    /// environment]
    #[arg(long, value_name = "NAME")]
    pub(crate) stack: Option<String>,
    /// The Region of that stack [default: that of the environment or of the profile]
    #[arg(long, value_name = "REGION", requires = "stack")]
    pub(crate) stack_region: Option<RegionCode>,
}

/// What a plan is printed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrintedFor {
    /// Commands of the AWS CLI
    AwsCli,
    /// A data source `aws_iam_policy_document`, for Terraform
    Terraform,
    /// A property of the vault or key, in YAML
    Cloudformation,
}

impl From<PrintedFor> for Tool {
    fn from(printed_for: PrintedFor) -> Self {
        match printed_for {
            PrintedFor::AwsCli => Self::AwsCli,
            PrintedFor::Terraform => Self::Terraform,
            PrintedFor::Cloudformation => Self::CloudFormation,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  copymend plan 1DE46DC6-1784-4B3F-8A2D-000000000001 --stack copymend --account 111122223333
  copymend plan 1DE46DC6-1784-4B3F-8A2D-000000000001 --stack copymend --for terraform
  copymend plan 1DE46DC6-1784-4B3F-8A2D-000000000001 --stack copymend --json > plan.json

The function's own plan for a failed copy, made anew from what AWS says now: report, diff, guards. Nothing is written, and
nobody is told. Other accounts are read as COPYMEND_MEMBER_ROLE says, or by copymend/CopymendReader where it isn't set.
Lists that are not set admit nothing, as in the function. `copymend apply` carries out exactly this plan. With --json:
{\"plan\":1,\"id\",\"hash\",\"job\",\"account\",\"region\",\"planned_at\",\"program_version\",\"settings_hash\",\"report\",\"last_writer\"}; id and hash
are null where there is nothing to carry out.

Exit codes: 0 there is a plan to carry out; 1 there is none, and the report says why; 2 wrong usage, or the job can't be
read.")]
pub(crate) struct PlanArguments {
    /// The copy job's id
    pub(crate) job: String,
    /// Print the change for a tool to make it with; nothing that a guard refuses
    #[arg(long = "for", value_name = "TOOL", conflicts_with = "json")]
    pub(crate) printed_for: Option<PrintedFor>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: JobArguments,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  copymend apply 1DE46DC6-1784-4B3F-8A2D-000000000001 --stack copymend --account 111122223333
  copymend apply plan.json --stack copymend
  copymend apply 1DE46DC6-1784-4B3F-8A2D-000000000001 --stack copymend --plan 7K3F-9Q2M-X4TD --yes

Shows the plan, asks, reads everything again, asks every guard again, and writes exactly what was shown; then the copy is
started again, and people are told. Refused where anything that the plan rests on has changed since. Your yes stands in
for the mode and for `failure-is-recent`, as long as the recovery point exists; every other guard stands. Calls are made
with your credentials, and with COPYMEND_MEMBER_ROLE in other accounts; who you are is recorded with the change. A ledger
is needed. With --json: {\"apply\":1,\"id\",\"hash\",\"report\"} or {\"error\"}.

Exit codes: 0 written, or the copy started again; 1 it was not; 2 wrong usage, or the job can't be read.")]
pub(crate) struct ApplyArguments {
    /// The copy job's id; or a file that `copymend plan --json` wrote, `-` for standard input
    #[arg(value_name = "JOB|PLAN")]
    pub(crate) job: String,
    /// Only the plan of this id or hash
    #[arg(long, value_name = "ID")]
    pub(crate) plan: Option<String>,
    /// Don't ask, for scripts; the plan must be named, by --plan or by its file
    #[arg(long)]
    pub(crate) yes: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: JobArguments,
}
