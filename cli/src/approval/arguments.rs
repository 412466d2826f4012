//! The options of `copymend approve` and `copymend refuse`.

use clap::Args;
use copymend_survey::RegionCode;

/// Whom to answer.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Whom to answer")]
pub(crate) struct FunctionArguments {
    /// The function that asks: its name or ARN
    #[arg(
        long,
        value_name = "NAME",
        required_unless_present = "stack",
        conflicts_with = "stack"
    )]
    pub(crate) function: Option<String>,
    /// The hub's stack, whose function is looked up
    #[arg(long, value_name = "NAME")]
    pub(crate) stack: Option<String>,
    /// The Region of the function [default: that of its ARN, of the environment or of the profile]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<RegionCode>,
    /// A profile of the shared AWS configuration
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  copymend approve 7K3F-9Q2M-X4TD --function copymend-CopyRemediator-1A2B3C --region eu-west-1
  copymend approve 7K3F-9Q2M-X4TD --stack copymend

Shows the plan that a function in approve mode asks about, asks, and has the function carry out exactly that: it reads
everything again, asks every guard again, writes, starts the copy again, and tells people who approved. You need to be let
invoke the function's alias `approvals`, and COPYMEND_APPROVERS has to admit you; nobody of the source account approves a
grant to it. Your answer is signed with your credentials for AWS STS, for this plan of this function, and is good for one
minute. With --json: {\"approval\":1,\"plan\",\"result\",\"why\",\"hash\",\"expires_at\",\"answered\",\"plan_now\",\"report\"}; result is shown,
carried-out, not-carried-out, refused or not-accepted.

Exit codes: 0 carried out; 1 it was not, and the answer says why; 2 wrong usage, or the function can't be asked.")]
pub(crate) struct ApproveArguments {
    /// The plan's id, as the message has it
    pub(crate) plan: String,
    /// Don't ask, for scripts
    #[arg(long)]
    pub(crate) yes: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) function: FunctionArguments,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  copymend refuse 7K3F-9Q2M-X4TD --function copymend-CopyRemediator-1A2B3C --region eu-west-1
  copymend refuse 7K3F-9Q2M-X4TD --stack copymend --allow-again

Refuses a plan that a function in approve mode asks about. Nothing is written, and the same grant isn't planned again, as
after an undo, until `copymend undo --allow-again plan-7K3F-9Q2M-X4TD` or `copymend refuse --allow-again` lets it. People
are told who refused. Your answer is signed as that of `copymend approve`.

Exit codes: 0 refused; 1 it was not, and the answer says why; 2 wrong usage, or the function can't be asked.")]
pub(crate) struct RefuseArguments {
    /// The plan's id, as the message has it
    pub(crate) plan: String,
    /// The same may be asked again; of a plan that was refused, from now on
    #[arg(long)]
    pub(crate) allow_again: bool,
    /// Don't ask, for scripts
    #[arg(long)]
    pub(crate) yes: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) function: FunctionArguments,
}
