//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

#[cfg(feature = "aws")]
use crate::approval::arguments::{ApproveArguments, RefuseArguments};
#[cfg(feature = "aws")]
use crate::history::arguments::HistoryArguments;
#[cfg(feature = "aws")]
use crate::plan::arguments::{ApplyArguments, PlanArguments};
use crate::policy::arguments::PolicyCommand;
#[cfg(feature = "aws")]
use crate::preflight::arguments::PreflightArguments;
#[cfg(feature = "aws")]
use crate::prove::arguments::ProveArguments;
#[cfg(feature = "aws")]
use crate::rpo::arguments::RpoArguments;
#[cfg(feature = "sandbox-server")]
use crate::sandbox::arguments::SandboxCommand;
#[cfg(feature = "aws")]
use crate::scan::arguments::ScanArguments;

/// Mends failed AWS Backup copies: explains them, replays them, and shows what would be changed.
#[derive(Debug, Parser)]
#[command(
    name = "copymend",
    version,
    propagate_version = true,
    after_help = "\
Exit codes: 0 done; 1 the check or repair failed; 2 wrong usage, or unreadable input. NO_COLOR turns colours off."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Says what a failure message of AWS Backup means
    Explain(Explain),
    /// Shows what the Lambda functions do with events, in a sandbox
    Replay(Replay),
    /// Says which copies of the last month failed, by cause, in many accounts
    #[cfg(feature = "aws")]
    Scan(ScanArguments),
    /// Says which copies will fail that backup plans are about to make, and why
    #[cfg(feature = "aws")]
    Preflight(PreflightArguments),
    /// Says how old the newest good copy is of everything that should have one
    #[cfg(feature = "aws")]
    Rpo(RpoArguments),
    /// Shows what the function would do about one failed copy, and writes nothing
    #[cfg(feature = "aws")]
    Plan(PlanArguments),
    /// Carries out exactly that plan, once you say yes
    #[cfg(feature = "aws")]
    Apply(ApplyArguments),
    /// Answers yes to a plan that the function asks about
    #[cfg(feature = "aws")]
    Approve(ApproveArguments),
    /// Answers no to a plan that the function asks about
    #[cfg(feature = "aws")]
    Refuse(RefuseArguments),
    /// Says what the ledger has on record: incidents, changes, refusals and pauses
    #[cfg(feature = "aws")]
    History(HistoryArguments),
    /// Takes back what a repair added, in the real accounts
    #[cfg(feature = "aws")]
    Undo(UndoArguments),
    /// Says what is wrong with a deployed stack, and what to do about it
    #[cfg(feature = "aws")]
    Doctor(DoctorArguments),
    /// Stops every repair and retry of the deployed functions, until `copymend resume`
    #[cfg(feature = "aws")]
    Pause(PauseArguments),
    /// Ends a pause: repairs and retries go on
    #[cfg(feature = "aws")]
    Resume(ResumeArguments),
    /// Proves one repair in two accounts of your own, and removes what it made there
    #[cfg(feature = "aws")]
    Prove(ProveArguments),
    /// Evaluates, extends, compares and proves IAM policies
    Policy {
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Serves the sandbox to other programs, and shows its events
    #[cfg(feature = "sandbox-server")]
    Sandbox {
        #[command(subcommand)]
        command: SandboxCommand,
    },
    /// Prints what a shell needs to complete commands and options
    Completions(CompletionsArguments),
    /// Writes the manual pages
    Man(ManArguments),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  copymend completions bash > ~/.local/share/bash-completion/completions/copymend
  copymend completions zsh > ~/.zfunc/_copymend
  copymend completions fish > ~/.config/fish/completions/copymend.fish

Exit codes: 0 printed; 2 wrong usage.")]
pub(crate) struct CompletionsArguments {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  copymend man ~/.local/share/man/man1

One page a command, such as copymend-scan.1; pages of the same name are replaced.

Exit codes: 0 written; 2 wrong usage, or the folder can't be written.")]
pub(crate) struct ManArguments {
    /// The folder; it is made where it isn't there
    pub(crate) directory: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  copymend explain \"Given key ID is not accessible\"
  copymend explain --lines < messages.txt

With --json and --lines:
  {\"message\",\"candidates\":[{\"cause\",\"why\"}],\"principal\",\"action\",\"resource\",\"repairable\"}
The best candidate comes first; the last four may be null.

Exit codes: 0 explained, even as unknown; 2 wrong usage, or unreadable input.")]
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
#[command(after_help = "\
Examples:
  copymend replay events/source-key-policy.json
  copymend replay --repair --message events/source-key-policy.json
  copymend replay --repair --table events/*.json
  copymend replay events/advisor/create-backup-vault.json
  copymend replay --json - < event.json
  copymend replay --dlq QUEUE_URL --advisor-ledger TABLE

The settings of the function are read from the environment (COPYMEND_…). Allowlists that are not set admit everything:
nothing in a sandbox can be harmed. With --json, an event that the function can't handle gets
{\"errorType\",\"errorMessage\"}.

Exit codes: 0 done; 1 an event could not be handled, or its repair failed; 2 wrong usage, or unreadable input.")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own that a person gives"
)]
pub(crate) struct Replay {
    /// Event files; `-` is standard input
    #[cfg_attr(feature = "aws", arg(required_unless_present = "dlq"))]
    #[cfg_attr(not(feature = "aws"), arg(required = true))]
    pub(crate) events: Vec<PathBuf>,
    /// Instead of the sandbox: handle the events of this dead-letter queue, in the real accounts,
    /// with the settings of the environment; a message is deleted once its event is handled
    #[cfg(feature = "aws")]
    #[arg(long, value_name = "QUEUE_URL", conflicts_with_all = ["events", "world", "repair", "message"])]
    pub(crate) dlq: Option<String>,
    /// Handle at most this many messages of the queue
    #[cfg(feature = "aws")]
    #[arg(long, value_name = "NUMBER", default_value_t = 100, requires = "dlq")]
    pub(crate) most: u32,
    /// The ledger table of the access advisor, for its events of the queue [default: none; people
    /// are told of each event, even if they were told before]
    #[cfg(feature = "aws")]
    #[arg(
        long,
        value_name = "TABLE",
        requires = "dlq",
        conflicts_with = "events"
    )]
    pub(crate) advisor_ledger: Option<String>,
    /// The role that the access advisor assumes in other accounts [default: the copy remediator's]
    #[cfg(feature = "aws")]
    #[arg(long, value_name = "ROLE", requires = "dlq", conflicts_with = "events")]
    pub(crate) advisor_member_role: Option<String>,
    /// The world to replay the events in, a JSON file [default: the world of the sample events]
    #[arg(long)]
    pub(crate) world: Option<PathBuf>,
    /// Repair the policies in the sandbox and start the copies again, instead of only planning it
    #[arg(long)]
    pub(crate) repair: bool,
    /// Print JSON, one report a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Also show the e-mail that people would get
    #[arg(long, conflicts_with = "json")]
    pub(crate) message: bool,
    /// Show only the table that several events end with
    #[arg(long, conflicts_with_all = ["json", "message"])]
    pub(crate) table: bool,
}

#[cfg(feature = "aws")]
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  COPYMEND_LEDGER_TABLE=copymend-ledger copymend undo 1DE46DC6-1784-4B3F-8A2D-000000000001-1767225600000
  COPYMEND_LEDGER_TABLE=copymend-ledger copymend undo --last
  COPYMEND_LEDGER_TABLE=copymend-ledger copymend undo --allow-again 1DE46DC6-1784-4B3F-8A2D-000000000001-1767225600000

Exactly the statements that the change added are taken out, also where others have edited the policy since. A statement
of ours that somebody changed is left alone, and the command fails. From then on the grantee is refused: Copymend doesn't
admit it again, unless --allow-again is given, now or later. Credentials and Region come from the environment, as
for every AWS tool; COPYMEND_MEMBER_ROLE and COPYMEND_EXTERNAL_ID lead into other accounts. With --json:
{\"undone\",\"change\",\"allowed_again\",\"lifted\"} or {\"error\"}.

Exit codes: 0 taken back, or allowed again; 1 it was not; 2 wrong usage, or an invalid setting.")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own that a person gives"
)]
pub(crate) struct UndoArguments {
    /// The change's id, from its report
    #[arg(required_unless_present = "last")]
    pub(crate) change: Option<String>,
    /// The last change that the ledger knows; it is shown first, and taken back once you agree
    #[arg(long, conflicts_with = "change")]
    pub(crate) last: bool,
    /// Don't ask before the last change is taken back, for scripts
    #[arg(long)]
    pub(crate) yes: bool,
    /// Let the grantee be admitted again; of a change that was taken back before, only that
    #[arg(long)]
    pub(crate) allow_again: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(feature = "aws")]
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  COPYMEND_LEDGER_TABLE=copymend-ledger copymend pause \"change freeze\"
  COPYMEND_LEDGER_TABLE=copymend-ledger copymend pause --until 2026-12-01T06:00:00Z \"audit\"

While it holds, the guard `not-paused` fails: no policy and no role is written, and no copy is started again. Failures are
still explained, and people are told. What was refused during the pause is not done by itself afterwards.

Exit codes: 0 paused; 1 it was not; 2 wrong usage, or an invalid setting.")]
pub(crate) struct PauseArguments {
    /// Why, for those who read the reports
    pub(crate) reason: String,
    /// When the pause ends by itself, such as 2026-12-01T06:00:00Z [default: never]
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<jiff::Timestamp>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(feature = "aws")]
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 no pause holds now; 1 it could not be ended; 2 wrong usage, or an invalid setting.")]
pub(crate) struct ResumeArguments {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(feature = "aws")]
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  copymend doctor
  copymend doctor --stack copymend-dr --region eu-west-1 --profile operations
  copymend doctor --send

It reads the stack with your credentials, and changes nothing. What only the function's own role can prove, the function
is asked by an event that writes nothing. A call that you may not make leaves its part `not checkable`: that is neither
fine nor broken. docs/doctor.md has the policy that it needs, and every finding. With --json:
{\"doctor\":1,\"stack\",\"region\",\"account\",\"broken\",\"warnings\",\"not_checkable\",
\"findings\":[{\"part\",\"id\",\"state\",\"found\",\"do\"}]}

Exit codes: 0 nothing is broken; 1 something is; 2 wrong usage, or the stack can't be read.")]
pub(crate) struct DoctorArguments {
    /// The stack
    #[arg(long, value_name = "NAME", default_value = "copymend")]
    pub(crate) stack: String,
    /// The stack's Region [default: that of the environment or of the profile]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// A profile of the shared AWS configuration
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
    /// Also let the function send a test message to the topic, at most one a day
    #[arg(long)]
    pub(crate) send: bool,
    /// Fail too where something could not be checked
    #[arg(long)]
    pub(crate) strict: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
