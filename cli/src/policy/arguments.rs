//! The command line of `copymend policy`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use copymend_policy::{AccountId, Arn, KeyProfile, VaultScope, ViaService};

const ANSWERED: &str = "\
Exit codes: 0 answered, whatever the answer is; 1 a line could not be answered; 2 wrong usage, or unreadable input.";

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Says what a resource policy answers to a request
    Evaluate(Evaluate),
    /// Says whether a request is allowed when all policies are taken together
    Authorize(Authorize),
    /// Prints the least statements that allow a copy, and the policy with them
    #[command(subcommand)]
    Grant(GrantCommand),
    /// Proves that a policy was changed only by adding statements of Copymend
    Prove(Prove),
    /// Shows what differs between two policies
    Diff(Diff),
}

#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  copymend policy evaluate vault.json --action backup:CopyIntoBackupVault \\
      --principal arn:aws:iam::111122223333:role/CopyRole \\
      --resource arn:aws:backup:eu-west-1:444455556666:backup-vault:copies \\
      --context aws:PrincipalOrgID=o-abcde12345
  copymend policy evaluate --lines < questions.jsonl

A line of --lines, and its answer:
  {{\"policy\":{{…}},\"request\":{{\"principal\",\"action\",\"resource\",\"context\":{{KEY:[VALUE]}}}},\"unknown\":[KEY]}}
  {{\"decision\":\"allowed\"|\"implicitly-denied\"|\"explicitly-denied\"|\"unknown\",\"statement\":INDEX|null}}
A line that can't be answered gets {{\"error\":\"…\"}}, and the others go on.

{ANSWERED}"))]
pub(crate) struct Evaluate {
    /// The policy, a JSON file; `-` is standard input
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

#[derive(Debug, Args)]
#[command(after_help = format!("\
A request, in a file or on one line:
  {{\"request\":{{\"principal\",\"action\",\"resource\",\"resource_account\",\"context\":{{KEY:[VALUE]}}}},
   \"identity\":[POLICY],\"boundary\":[POLICY]|null,\"session\":POLICY|null,\"scps\":[[POLICY]],\"rcps\":[[POLICY]],
   \"resource_policy\":POLICY|null,\"unknown\":[KEY]}}
`scps` and `rcps` hold one list a level, the root first; no level at all means that the account is in no organization.
What is left out counts as null or empty; without `resource_account` the account in the resource's ARN is taken. A policy
is an object, or a string that holds one.

Its answer; `blocked_by` names the policies in the way:
  {{\"decision\":\"allowed\"|\"implicitly-denied\"|\"explicitly-denied\"|\"unknown\",
   \"blocked_by\":[\"identity\"|\"boundary\"|\"session\"|\"scp\"|\"rcp\"|\"resource\"]}}
A line that can't be answered gets {{\"error\":\"…\"}}, and the others go on.

Examples:
  copymend policy authorize request.json
  copymend policy authorize --json < request.json
  copymend policy authorize --lines < requests.jsonl

{ANSWERED}"))]
pub(crate) struct Authorize {
    /// The request with its policies, a JSON file; `-` is standard input
    #[arg(default_value = "-")]
    pub(crate) request: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Read one JSON object a line from standard input, print one a line
    #[arg(long, conflicts_with = "request")]
    pub(crate) lines: bool,
}

const GRANTED: &str = "\
With --json: {\"statements\":[…],\"policy\":\"…\"|null,\"certificate\":{\"kept\",\"granted\":[…]}|null}, where `policy` is the
text to put. Where the policy can't be changed so, they are null and `error` says why.

Exit codes: 0 done; 1 the statement is sound, but this policy can't take it (another statement has its Sid, or the policy
would be too large or hold a character that is not allowed); 2 wrong usage, unreadable input, or a grant that is refused
because it would be unsafe.";

#[derive(Debug, Subcommand)]
pub(crate) enum GrantCommand {
    /// For a vault: who may copy into it
    Vault(GrantVault),
    /// For a key: who may use it to copy what it encrypts
    Key(GrantKey),
}

#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  copymend policy grant vault --role arn:aws:iam::111122223333:role/CopyRole --organization-id o-abcde12345
  copymend policy grant vault --role … --organization-id … --policy vault.json
  copymend policy grant vault --role … --organization-id … --policy vault.json --json | jq -r .policy > new.json

{GRANTED}"))]
pub(crate) struct GrantVault {
    /// The ARN of the copy job's role
    #[arg(long, value_name = "ARN")]
    pub(crate) role: Arn,
    /// How wide the vault is opened, always within the organization
    #[arg(long, default_value = "role", value_parser = scopes())]
    pub(crate) scope: VaultScope,
    /// The account the copy comes from [default: the role's]
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) source_account: Option<AccountId>,
    /// The organization, such as `o-abcde12345`; without it the grant is refused
    #[arg(long, value_name = "ID")]
    pub(crate) organization_id: Option<String>,
    /// For the scope organizational-unit: a path such as `o-…/r-…/ou-…/*`; repeat it for more
    #[arg(long, value_name = "PATH")]
    pub(crate) organization_path: Vec<String>,
    /// The partition [default: the role's]
    #[arg(long)]
    pub(crate) partition: Option<String>,
    /// The vault's policy, a JSON file; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// The vault has no policy yet: print a new one
    #[arg(long, conflicts_with = "policy")]
    pub(crate) new: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  copymend policy grant key --destination-account 444455556666 --via ec2
  copymend policy grant key --destination-account 444455556666 --via ec2 --via rds --policy key.json
  copymend policy grant key --destination-account 444455556666 --profile documented --organization-id o-abcde12345

{GRANTED}"))]
pub(crate) struct GrantKey {
    /// The account the copy goes to
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) destination_account: AccountId,
    /// How much is allowed: the least to the destination's service-linked role, or what AWS
    /// publishes to the account
    #[arg(long, default_value = "least-privilege", value_parser = profiles())]
    pub(crate) profile: KeyProfile,
    /// For the profile least-privilege: the service that uses the key; repeat it for more
    #[arg(long, value_name = "SERVICE", value_parser = services())]
    pub(crate) via: Vec<ViaService>,
    /// For the profile documented: the organization that the account must be in, such as
    /// `o-abcde12345`
    #[arg(long, value_name = "ID")]
    pub(crate) organization_id: Option<String>,
    /// The partition
    #[arg(long, default_value = "aws")]
    pub(crate) partition: String,
    /// The key's policy, a JSON file; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(
    allow_missing_positional = true,
    after_help = "\
Proved is: every byte outside the statements is the same, the old statements come first, in order and byte for byte, and
what follows are statements that allow and whose Sid starts with `Copymend`, none of them open beyond an organization. The
certificate says what they allow: read it, a Sid alone does not tell who wrote a statement. White space at a file's end
does not count.

Examples:
  copymend policy prove before.json after.json
  copymend policy prove --new after.json
  aws kms get-key-policy --key-id … --query Policy --output text | copymend policy prove before.json - --json

With --json: {\"proved\":true,\"certificate\":{\"kept\",\"granted\":[…]}}
         or: {\"proved\":false,\"reason\":\"…\",\"statement\":INDEX|null,\"sid\":\"…\"|null}

Exit codes: 0 proved; 1 not proved, with the first difference; 2 wrong usage, or unreadable input."
)]
pub(crate) struct Prove {
    /// The policy as it was, a JSON file; `-` is standard input
    #[arg(required_unless_present = "new")]
    pub(crate) before: Option<PathBuf>,
    /// The policy as it is, a JSON file; `-` is standard input
    #[arg(required = true)]
    pub(crate) after: PathBuf,
    /// There was no policy before
    #[arg(long, conflicts_with = "before")]
    pub(crate) new: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(
    allow_missing_positional = true,
    after_help = "\
White space and the order of keys make no difference to --json; white space makes none to the diff.

Examples:
  copymend policy diff before.json after.json
  copymend policy diff before.json after.json --json

With --json: {\"added\":[{\"statement\":INDEX,\"sid\":\"…\"|null}],\"removed\":[…],\"changed\":[…],\"kept\":COUNT,
              \"outside_changed\":BOOL}
A statement counts as changed when one with its Sid is there before and after. The index of a removed statement is the one
before. `outside_changed` is about the Version and the Id.

Exit codes: 0 done, whether they differ or not; 2 wrong usage, or unreadable input."
)]
pub(crate) struct Diff {
    /// The policy as it was, a JSON file; `-` is standard input
    #[arg(required_unless_present = "new")]
    pub(crate) before: Option<PathBuf>,
    /// The policy as it is, a JSON file; `-` is standard input
    #[arg(required = true)]
    pub(crate) after: PathBuf,
    /// There was no policy before
    #[arg(long, conflicts_with = "before")]
    pub(crate) new: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

fn scopes() -> impl TypedValueParser<Value = VaultScope> {
    PossibleValuesParser::new(["role", "account", "organization", "organizational-unit"])
        .try_map(|name| name.parse::<VaultScope>())
}

fn profiles() -> impl TypedValueParser<Value = KeyProfile> {
    PossibleValuesParser::new(["least-privilege", "documented"])
        .try_map(|name| name.parse::<KeyProfile>())
}

fn services() -> impl TypedValueParser<Value = ViaService> {
    PossibleValuesParser::new(["ec2", "rds", "fsx"]).try_map(|name| name.parse::<ViaService>())
}
