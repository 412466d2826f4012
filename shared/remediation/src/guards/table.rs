//! Every guard, an entry each. Their order is the order in which people read them.

use super::Act::{KeyPolicy, Retry, ServiceLinkedRole, VaultPolicy};
use super::{
    Act, Answer, Question, Stage, chain, copy, key, ledger, owner, plan, put, service_linked_role,
};

/// What there is to know of a guard.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The stable name, as programs read it.
    pub name: &'static str,
    /// What it means that it passes.
    pub meaning: &'static str,
    /// What a person does where it doesn't.
    pub remedy: &'static str,
    /// What it is asked of.
    pub asked_of: &'static [Act],
    /// When it can be asked.
    pub stage: Stage,
    pub(crate) check: fn(&Question<'_>) -> Answer,
}

macro_rules! guards {
    ($($guard:ident {
        name: $name:literal,
        meaning: $meaning:literal,
        remedy: $remedy:literal,
        asked_of: $asked_of:expr,
        stage: $stage:ident,
        check: $check:path,
    })*) => {
        /// A named check.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Guard {
            $(#[doc = $meaning] $guard,)*
        }

        impl Guard {
            /// Every guard, in the order in which they are asked.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$guard),*];

            /// What there is to know of it.
            #[must_use]
            pub const fn entry(self) -> Entry {
                match self {
                    $(Self::$guard => Entry {
                        name: $name,
                        meaning: $meaning,
                        remedy: $remedy,
                        asked_of: $asked_of,
                        stage: Stage::$stage,
                        check: $check,
                    },)*
                }
            }

            /// The stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                self.entry().name
            }
        }
    };
}

const EVERY: &[Act] = &[VaultPolicy, KeyPolicy, ServiceLinkedRole, Retry];
const WRITES: &[Act] = &[VaultPolicy, KeyPolicy, ServiceLinkedRole];
const POLICIES: &[Act] = &[VaultPolicy, KeyPolicy];
const KEYS: &[Act] = &[KeyPolicy];
const VAULTS: &[Act] = &[VaultPolicy];
const ROLES: &[Act] = &[ServiceLinkedRole];
const RETRIES: &[Act] = &[Retry];

guards! {
    VerifiedFailure {
        name: "verified-failure",
        meaning: "AWS Backup itself says that this copy job failed.",
        remedy: "Nothing, if the event is late or forged. Otherwise let the function's roles call `backup:DescribeCopyJob`, and deliver the event again.",
        asked_of: EVERY,
        stage: Copy,
        check: copy::verified_failure,
    }
    Mode {
        name: "mode",
        meaning: "The mode is repair, or a person said yes to exactly this change.",
        remedy: "In approve mode answer the message with `copymend approve` ([Approve mode](approve.md)); else look at it with `copymend plan` and carry it out with `copymend apply`, or deploy with `Mode=repair`.",
        asked_of: EVERY,
        stage: Copy,
        check: copy::mode,
    }
    StartedByBackupPlan {
        name: "started-by-backup-plan",
        meaning: "A backup plan started the copy, or copies on demand are allowed, too.",
        remedy: "Find out who started the copy. `AllowOnDemand=true` admits copies on demand.",
        asked_of: EVERY,
        stage: Copy,
        check: copy::started_by_backup_plan,
    }
    FailureIsRecent {
        name: "failure-is-recent",
        meaning: "The copy failed not longer ago than `MaxAgeHours`; or a person asks for it now, and its recovery point exists.",
        remedy: "If the copy is still wanted, carry it out with `copymend apply`, or start it again by hand.",
        asked_of: EVERY,
        stage: Copy,
        check: copy::failure_is_recent,
    }
    SourceAllowed {
        name: "source-allowed",
        meaning: "`AllowedSources` lists the copy's job role and route, and everyone else whom a vault's new statement would admit.",
        remedy: "Ask who started the copy. If it is wanted, list its role in `AllowedSources`.",
        asked_of: EVERY,
        stage: Copy,
        check: copy::source_allowed,
    }
    DestinationAllowed {
        name: "destination-allowed",
        meaning: "`AllowedDestinations` lists the destination vault.",
        remedy: "If copies into this vault are wanted, list it in `AllowedDestinations`.",
        asked_of: EVERY,
        stage: Copy,
        check: copy::destination_allowed,
    }
    CopySize {
        name: "copy-size",
        meaning: "The copy is not larger than `RetryMaxBytes`, if that sets a limit.",
        remedy: "Start the copy again by hand: one that fails late has been paid for. Or raise `RetryMaxBytes`.",
        asked_of: RETRIES,
        stage: Copy,
        check: copy::copy_size,
    }
    NotPaused {
        name: "not-paused",
        meaning: "Nobody paused Copymend.",
        remedy: "Ask whoever paused it; `copymend resume` ends the pause.",
        asked_of: EVERY,
        stage: Copy,
        check: ledger::not_paused,
    }
    ServiceLinkedRoleAllowed {
        name: "service-linked-role-allowed",
        meaning: "`CreateServiceLinkedRole` is true.",
        remedy: "Create the role by hand, or deploy with `CreateServiceLinkedRole=true`.",
        asked_of: ROLES,
        stage: Change,
        check: service_linked_role::allowed,
    }
    ServiceLinkedRoleMissing {
        name: "service-linked-role-missing",
        meaning: "IAM says that the destination account has no `AWSServiceRoleForBackup`.",
        remedy: "Nothing, if the role exists by now. Otherwise let the member role call `iam:GetRole`.",
        asked_of: ROLES,
        stage: Change,
        check: service_linked_role::missing,
    }
    KeyAllowed {
        name: "key-allowed",
        meaning: "`AllowedKeys` lists the key; that of a third account in an entry that names its account.",
        remedy: "If this key may be shared with the destination account, list it in `AllowedKeys`.",
        asked_of: KEYS,
        stage: Change,
        check: owner::key_allowed,
    }
    NotOptedOut {
        name: "not-opted-out",
        meaning: "Neither the destination vault nor the source key is tagged `copymend=never`.",
        remedy: "Leave it to the owner who set the tag, or let the member roles read the tags.",
        asked_of: EVERY,
        stage: Change,
        check: owner::not_opted_out,
    }
    JobRoleExists {
        name: "job-role-exists",
        meaning: "IAM knows the job role: a statement for a role that does not exist would admit whoever creates one of that name.",
        remedy: "Create the role, or name another one in the backup plan.",
        asked_of: VAULTS,
        stage: Change,
        check: owner::job_role_exists,
    }
    CustomerManagedKey {
        name: "customer-managed-key",
        meaning: "The key is customer managed, and KMS knows it by exactly this ARN.",
        remedy: "Encrypt the source with a customer managed key: an AWS managed key can't be shared.",
        asked_of: KEYS,
        stage: Change,
        check: key::customer_managed,
    }
    KeyEnabled {
        name: "key-enabled",
        meaning: "The key is enabled.",
        remedy: "Enable the key, or cancel its deletion.",
        asked_of: KEYS,
        stage: Change,
        check: key::enabled,
    }
    OnlyDefaultPolicy {
        name: "only-default-policy",
        meaning: "The key has no policy beside `default`.",
        remedy: "Look at the key's other policies, and change them by hand.",
        asked_of: KEYS,
        stage: Change,
        check: key::only_default_policy,
    }
    ServiceLinkedRole {
        name: "service-linked-role",
        meaning: "The destination account has its `AWSServiceRoleForBackup`, which the key's policy is to name.",
        remedy: "Create the role first: `aws iam create-service-linked-role --aws-service-name backup.amazonaws.com`.",
        asked_of: KEYS,
        stage: Change,
        check: key::service_linked_role,
    }
    KeyPrincipalKnown {
        name: "key-principal-known",
        meaning: "It is known which principal of the destination uses the key, and through which service.",
        remedy: "Change the key's policy by hand, as AWS's page on the resource type says.",
        asked_of: KEYS,
        stage: Change,
        check: key::principal_known,
    }
    SameOrganization {
        name: "same-organization",
        meaning: "Source and destination account, and the key's account where its policy is changed, are in one organization: the one that is expected.",
        remedy: "Copies across organizations are not possible. Look at `OrganizationId`, or let the member roles call `organizations:DescribeOrganization`.",
        asked_of: WRITES,
        stage: Change,
        check: owner::same_organization,
    }
    PolicyKnown {
        name: "policy-known",
        meaning: "The policy that is to be changed was read.",
        remedy: "Let the member role read the policy.",
        asked_of: POLICIES,
        stage: Change,
        check: plan::policy_known,
    }
    StatementFits {
        name: "statement-fits",
        meaning: "The statement can be said without a wildcard, and added without touching another one.",
        remedy: "Look at the statement that is named, and change the policy by hand.",
        asked_of: POLICIES,
        stage: Change,
        check: plan::statement_fits,
    }
    NoExplicitDeny {
        name: "no-explicit-deny",
        meaning: "No Deny in the policy matches the copy, and none might.",
        remedy: "Ask the owner of the Deny: a statement that allows is of no use beside it.",
        asked_of: POLICIES,
        stage: Change,
        check: plan::no_explicit_deny,
    }
    EvaluationFlips {
        name: "evaluation-flips",
        meaning: "The policy doesn't allow the copy now, and would with the new statements.",
        remedy: "Nothing, if the policy allows the copy by now. Otherwise change the policy by hand.",
        asked_of: POLICIES,
        stage: Change,
        check: plan::evaluation_flips,
    }
    OnlyAdds {
        name: "only-adds",
        meaning: "It is proved that nothing but the new statements is added, and nothing is taken away.",
        remedy: "Change the policy by hand.",
        asked_of: POLICIES,
        stage: Change,
        check: plan::only_adds,
    }
    SizeLimit {
        name: "size-limit",
        meaning: "The policy stays within the service's limit.",
        remedy: "Shorten the key's policy.",
        asked_of: POLICIES,
        stage: Change,
        check: plan::size_limit,
    }
    NotExcluded {
        name: "not-excluded",
        meaning: "No statement of the policy keeps the copy out on purpose, by a negated condition, `NotPrincipal`, `NotAction` or `NotResource`.",
        remedy: "Ask the owner of the statement: what it keeps out is not overruled by another statement.",
        asked_of: POLICIES,
        stage: Change,
        check: owner::not_excluded,
    }
    PutAccepted {
        name: "put-accepted",
        meaning: "AWS would store the changed policy: the policy does not refuse the put, names no deleted principal and allows nobody by `NotPrincipal`, and a vault's has no wildcard in an action.",
        remedy: "Look at the statement that is named. Whoever owns it must make the change, or take it out.",
        asked_of: POLICIES,
        stage: Change,
        check: put::put_accepted,
    }
    NothingElseInTheWay {
        name: "nothing-else-in-the-way",
        meaning: "Nothing else that is confirmed stops the copy, but what Copymend would repair next under the same settings.",
        remedy: "Put right what is named first: until then a grant would help nobody.",
        asked_of: WRITES,
        stage: Change,
        check: chain::nothing_else_in_the_way,
    }
    NotTakenBack {
        name: "not-taken-back",
        meaning: "Nobody took back what Copymend granted to this grantee or its account.",
        remedy: "Ask whoever took it back; `copymend undo --allow-again CHANGE` lets it be granted again. A service-linked role that somebody deleted is created by hand.",
        asked_of: WRITES,
        stage: EarlierWrites,
        check: crate::refusal::not_taken_back,
    }
    SidNotRemoved {
        name: "sid-not-removed",
        meaning: "Nobody removed the very statement that would be added.",
        remedy: "Infrastructure as code may own this policy: add the statement there.",
        asked_of: POLICIES,
        stage: EarlierWrites,
        check: ledger::sid_not_removed,
    }
    WriteBudget {
        name: "write-budget",
        meaning: "The policy was written to less often today than `WriteBudget` allows; a put that failed counts.",
        remedy: "Wait for the next day (UTC), or raise `WriteBudget`.",
        asked_of: POLICIES,
        stage: EarlierWrites,
        check: ledger::write_budget,
    }
    SourceWriteBudget {
        name: "source-write-budget",
        meaning: "Policies were written for the source account less often today than `SourceWriteBudget` allows.",
        remedy: "Find out why so many copies of one account fail. Then wait for the next day (UTC), or raise `SourceWriteBudget`.",
        asked_of: POLICIES,
        stage: EarlierWrites,
        check: ledger::source_write_budget,
    }
    Lease {
        name: "lease",
        meaning: "The ledger keeps the policy for this invocation alone.",
        remedy: "Deliver the event again, or name the ledger's table (`COPYMEND_LEDGER_TABLE`).",
        asked_of: WRITES,
        stage: Lease,
        check: ledger::lease,
    }
    TimeLeft {
        name: "time-left",
        meaning: "Enough time is left to write and to read back.",
        remedy: "Deliver the event again.",
        asked_of: WRITES,
        stage: Lease,
        check: ledger::time_left,
    }
}
