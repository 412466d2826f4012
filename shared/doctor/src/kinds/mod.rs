//! Everything that can be wrong.

mod ledger;
mod people;
mod settings;

pub(crate) use ledger::{
    LEDGER_INDEX_MISSING, LEDGER_KEEPS_ALL, LEDGER_NOT_READ, LEDGER_NOT_RECOVERABLE,
    LEDGER_UNPROTECTED, TABLE_MISSING, TABLE_NOT_ACTIVE,
};
pub(crate) use people::{
    ALARM_MISSING, ALARM_OFF, ALARM_RAISED, ALARM_SENDS_ELSEWHERE, ALARMS_REFUSED, ALARMS_UNREAD,
    AUDIT_UNWATCHED, CHAT_UNREAD, FAILURES_NOT_KEPT, NOBODY_SUBSCRIBED, SUBSCRIPTION_PENDING,
    TOPIC_MISSING,
};
pub(crate) use settings::{
    ACCOUNTS_WITHOUT_MEMBER_ROLE, ADVISOR_ROLE_WITHOUT_ADVISOR, ADVISOR_WITHOUT_MEMBER_ROLE,
    APPROVE_WITHOUT_APPROVERS, CALLS_GO_ELSEWHERE, FULLY_MANAGED_KEYS_UNLISTED,
    LIST_ADMITS_EVERYTHING, MEMBER_ROLE_WITHOUT_EXTERNAL_ID, NO_RETRIES, NO_WRITES, PATHS_UNUSED,
    REPAIR_OF_NOTHING_OLD, REPAIR_WITHOUT_LISTS, REPAIR_WITHOUT_SOURCES, SCOPE_WITHOUT_PATHS,
    SCOPE_WITHOUT_READER, SERVICE_LINKED_ROLE_NOT_MADE, SWEEP_WITHOUT_SCHEDULE,
};

use crate::finding::{Part, State};

/// One thing that can be wrong. `docs/doctor.md` lists them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its stable name.
    pub id: &'static str,
    /// What it is about.
    pub part: Part,
    /// How bad it is.
    pub state: State,
    /// What it means.
    pub meaning: &'static str,
    /// What to do about it.
    pub advice: &'static str,
}

/// A deployment with the same template and parameters changes nothing, whatever was changed by hand
/// (AWS CloudFormation user guide, "Using drift-aware change sets", documented).
const PUT_BACK: &str = "Put it back; deploying the same again does not: docs/runbook.md#put-back-what-was-changed-by-hand.";

pub(crate) const STACK_BROKEN: Kind = Kind {
    id: "stack-broken",
    part: Part::Stack,
    state: State::Broken,
    meaning: "the last deployment failed",
    advice: "Look at the stack's events in AWS CloudFormation, and deploy again.",
};
pub(crate) const STACK_BUSY: Kind = Kind {
    id: "stack-busy",
    part: Part::Stack,
    state: State::Warning,
    meaning: "a deployment is under way",
    advice: "Wait until it has ended, and run it again.",
};
pub(crate) const FUNCTION_MISSING: Kind = Kind {
    id: "function-missing",
    part: Part::Functions,
    state: State::Broken,
    meaning: "a function is gone",
    advice: PUT_BACK,
};
pub(crate) const FUNCTION_NOT_ACTIVE: Kind = Kind {
    id: "function-not-active",
    part: Part::Functions,
    state: State::Broken,
    meaning: "a function is not active, or its last update failed",
    advice: "Read the reason; where the code or a setting is at fault, deploy another.",
};
pub(crate) const SETTING_INVALID: Kind = Kind {
    id: "setting-invalid",
    part: Part::Functions,
    state: State::Broken,
    meaning: "a function's settings stop its start",
    advice: "Correct the parameter, and deploy again.",
};
pub(crate) const SETTING_CHANGED_BY_HAND: Kind = Kind {
    id: "setting-changed-by-hand",
    part: Part::Functions,
    state: State::Warning,
    meaning: "a function's settings or concurrency are not those of the stack",
    advice: "Set it as a parameter of the stack, or put it back: docs/runbook.md#put-back-what-was-changed-by-hand.",
};
pub(crate) const ENVIRONMENT_NEARLY_FULL: Kind = Kind {
    id: "environment-nearly-full",
    part: Part::Functions,
    state: State::Warning,
    meaning: "a function's settings take most of the 4 KB that AWS Lambda allows",
    advice: "Join entries of the lists with wildcards.",
};
pub(crate) const LOG_GROUP_MISSING: Kind = Kind {
    id: "log-group-missing",
    part: Part::Functions,
    state: State::Warning,
    meaning: "a function's log group is gone, and its role may not make one: nothing is logged",
    advice: PUT_BACK,
};
pub(crate) const FAILURES_LOST: Kind = Kind {
    id: "failures-lost",
    part: Part::Functions,
    state: State::Broken,
    meaning: "what a function fails on is sent nowhere, or elsewhere",
    advice: PUT_BACK,
};
pub(crate) const ROLE_MISSING: Kind = Kind {
    id: "role-missing",
    part: Part::Permissions,
    state: State::Broken,
    meaning: "a function's role is gone",
    advice: PUT_BACK,
};
pub(crate) const PERMISSION_MISSING: Kind = Kind {
    id: "permission-missing",
    part: Part::Permissions,
    state: State::Broken,
    meaning: "a role may not do what its function needs",
    advice: "Where a permissions boundary or a service control policy is in the way, let its owner admit the call; else put it back: docs/runbook.md#put-back-what-was-changed-by-hand.",
};
pub(crate) const RULE_MISSING: Kind = Kind {
    id: "rule-missing",
    part: Part::Rules,
    state: State::Broken,
    meaning: "a rule is gone",
    advice: PUT_BACK,
};
pub(crate) const RULE_DISABLED: Kind = Kind {
    id: "rule-disabled",
    part: Part::Rules,
    state: State::Broken,
    meaning: "a rule is switched off, so that its events are lost",
    advice: "Put it back: docs/runbook.md#put-back-what-was-changed-by-hand. For most rules aws events enable-rule is enough, with --event-bus-name on the hub's bus; a rule of refused calls loses those that read by it.",
};
pub(crate) const RULE_MATCHES_OTHERS: Kind = Kind {
    id: "rule-matches-others",
    part: Part::Rules,
    state: State::Broken,
    meaning: "a rule's event pattern or schedule is not the stack's",
    advice: PUT_BACK,
};
pub(crate) const RULE_SENDS_ELSEWHERE: Kind = Kind {
    id: "rule-sends-elsewhere",
    part: Part::Rules,
    state: State::Broken,
    meaning: "a rule does not send to what the stack made for it",
    advice: PUT_BACK,
};
pub(crate) const RULE_KEEPS_NOTHING: Kind = Kind {
    id: "rule-keeps-nothing",
    part: Part::Rules,
    state: State::Warning,
    meaning: "a target has no dead-letter queue, so that what it cannot deliver is lost",
    advice: PUT_BACK,
};
pub(crate) const RULE_MAY_NOT_INVOKE: Kind = Kind {
    id: "rule-may-not-invoke",
    part: Part::Rules,
    state: State::Broken,
    meaning: "a function does not let a rule invoke it",
    advice: PUT_BACK,
};
pub(crate) const RULE_MISSES_READS: Kind = Kind {
    id: "rule-misses-reads",
    part: Part::Rules,
    state: State::Warning,
    meaning: "a rule of refused calls sees calls that write alone",
    advice: "Put it back: docs/runbook.md#put-back-what-was-changed-by-hand, or set its state with aws events put-rule.",
};
pub(crate) const BUS_MISSING: Kind = Kind {
    id: "bus-missing",
    part: Part::Bus,
    state: State::Broken,
    meaning: "the hub's event bus is gone",
    advice: PUT_BACK,
};
pub(crate) const REPORT_BUS_MISSING: Kind = Kind {
    id: "report-bus-missing",
    part: Part::Bus,
    state: State::Broken,
    meaning: "the bus that reports are events on is not there, so that every event is lost and nobody hears of it",
    advice: "Create the bus in this account and Region, or set ReportBus to one that exists, or to nothing.",
};
pub(crate) const BUS_CLOSED: Kind = Kind {
    id: "bus-closed",
    part: Part::Bus,
    state: State::Broken,
    meaning: "the bus lets no account put events",
    advice: PUT_BACK,
};
pub(crate) const BUS_OPEN: Kind = Kind {
    id: "bus-open",
    part: Part::Bus,
    state: State::Broken,
    meaning: "the bus's policy asks for no organization, or for another one",
    advice: "Put it back: docs/runbook.md#put-back-what-was-changed-by-hand, and find out who changed the policy.",
};
pub(crate) const MEMBER_ROLE_REFUSED: Kind = Kind {
    id: "member-role-refused",
    part: Part::MemberRoles,
    state: State::Broken,
    meaning: "a member role cannot be assumed",
    advice: "Deploy member.yaml there, with this stack's FunctionRoleArn, ExternalId and organization.",
};
pub(crate) const ACCOUNT_NOT_READ: Kind = Kind {
    id: "account-not-read",
    part: Part::MemberRoles,
    state: State::Broken,
    meaning: "copy jobs of an account cannot be read",
    advice: "Deploy the current member.yaml there.",
};
pub(crate) const ACCOUNT_IN_ANOTHER_ORGANIZATION: Kind = Kind {
    id: "account-in-another-organization",
    part: Part::MemberRoles,
    state: State::Broken,
    meaning: "an account is not in the organization that the settings name",
    advice: "Take the account out of the lists, or correct the organization.",
};
pub(crate) const ACCOUNTS_LEFT: Kind = Kind {
    id: "accounts-left",
    part: Part::MemberRoles,
    state: State::Warning,
    meaning: "accounts were left for lack of time",
    advice: "Ask the function for the rest: docs/doctor.md#what-the-function-is-asked.",
};
pub(crate) const MEMBERS_UNCHECKED: Kind = Kind {
    id: "members-unchecked",
    part: Part::MemberRoles,
    state: State::Warning,
    meaning: "MemberRole is set and no setting names an account, so that no member role was checked",
    advice: "Set SweepAccounts: the sweep and this check look at these accounts.",
};
pub(crate) const QUEUE_MISSING: Kind = Kind {
    id: "queue-missing",
    part: Part::Queues,
    state: State::Broken,
    meaning: "a queue is gone",
    advice: PUT_BACK,
};
pub(crate) const DEAD_LETTERS_WAITING: Kind = Kind {
    id: "dead-letters-waiting",
    part: Part::Queues,
    state: State::Broken,
    meaning: "events wait in a dead-letter queue that nobody has handled",
    advice: "Replay them: copymend replay --dlq QUEUE_URL. For the audit's queue, read the records.",
};
pub(crate) const QUEUE_REFUSES_RULE: Kind = Kind {
    id: "queue-refuses-rule",
    part: Part::Queues,
    state: State::Broken,
    meaning: "a dead-letter queue does not take what a rule sends it",
    advice: PUT_BACK,
};
pub(crate) const DELAYED_RETRIES_OFF: Kind = Kind {
    id: "delayed-retries-off",
    part: Part::Queues,
    state: State::Broken,
    meaning: "what is put off does not come back to the function",
    advice: "Enable the event source mapping: aws lambda update-event-source-mapping --enabled.",
};
pub(crate) const DELAYED_RETRIES_LOST: Kind = Kind {
    id: "delayed-retries-lost",
    part: Part::Queues,
    state: State::Broken,
    meaning: "what fails again and again after it was put off reaches no dead-letter queue",
    advice: PUT_BACK,
};

pub(crate) const NO_TRAIL: Kind = Kind {
    id: "no-trail",
    part: Part::Trail,
    state: State::Broken,
    meaning: "no trail logs management events, so that the access advisor hears of no refused call",
    advice: "Create a trail that logs management events, or set WithAccessAdvisor to false.",
};
pub(crate) const NO_TRAIL_FOR_AUDIT: Kind = Kind {
    id: "no-trail-for-audit",
    part: Part::Trail,
    state: State::Warning,
    meaning: "no trail logs management events, so that the audit sees nothing",
    advice: "Create a trail that logs management events.",
};
pub(crate) const TRAIL_OF_WRITES_ONLY: Kind = Kind {
    id: "trail-of-writes-only",
    part: Part::Trail,
    state: State::Warning,
    meaning: "the trails log calls that write alone, so that refused reads are not explained",
    advice: "Let a trail log reads as well.",
};
pub(crate) const SERVICE_LINKED_ROLE_MISSING: Kind = Kind {
    id: "service-linked-role-missing",
    part: Part::ServiceLinkedRoles,
    state: State::Warning,
    meaning: "an account has no service-linked role of AWS Backup",
    advice: "Create it: aws iam create-service-linked-role --aws-service-name backup.amazonaws.com; or set CreateServiceLinkedRole.",
};
pub(crate) const FUNCTION_STOPPED: Kind = Kind {
    id: "function-stopped",
    part: Part::Concurrency,
    state: State::Broken,
    meaning: "a function's reserved concurrency is 0, so that it never runs",
    advice: "Take the reservation away, or set ReservedConcurrency.",
};
pub(crate) const DELAYED_RETRIES_TAKE_ALL: Kind = Kind {
    id: "delayed-retries-take-all",
    part: Part::Concurrency,
    state: State::Broken,
    meaning: "DelayedRetriesConcurrency is not below ReservedConcurrency, so that what was put off can take all the places of new events",
    advice: "Set ReservedConcurrency above DelayedRetriesConcurrency.",
};
pub(crate) const SELF_CHECK_FAILED: Kind = Kind {
    id: "self-check-failed",
    part: Part::SelfCheck,
    state: State::Broken,
    meaning: "the copy remediator failed to answer",
    advice: "Read the function's log, and compare its version with this program's.",
};
pub(crate) const PAUSED: Kind = Kind {
    id: "paused",
    part: Part::SelfCheck,
    state: State::Warning,
    meaning: "Copymend is paused",
    advice: "Run copymend resume once the reason is gone.",
};
pub(crate) const TEST_MESSAGE_FAILED: Kind = Kind {
    id: "test-message-failed",
    part: Part::TestMessage,
    state: State::Broken,
    meaning: "the test message was not sent",
    advice: "Read the function's log, and look at the topic and its key.",
};
/// Every kind, in the order of the parts.
pub const ALL: [Kind; 78] = [
    STACK_BROKEN,
    STACK_BUSY,
    FUNCTION_MISSING,
    FUNCTION_NOT_ACTIVE,
    SETTING_INVALID,
    SETTING_CHANGED_BY_HAND,
    ENVIRONMENT_NEARLY_FULL,
    LOG_GROUP_MISSING,
    FAILURES_LOST,
    ROLE_MISSING,
    PERMISSION_MISSING,
    RULE_MISSING,
    RULE_DISABLED,
    RULE_MATCHES_OTHERS,
    RULE_SENDS_ELSEWHERE,
    RULE_KEEPS_NOTHING,
    RULE_MAY_NOT_INVOKE,
    RULE_MISSES_READS,
    BUS_MISSING,
    BUS_CLOSED,
    BUS_OPEN,
    REPORT_BUS_MISSING,
    MEMBER_ROLE_REFUSED,
    ACCOUNT_NOT_READ,
    ACCOUNT_IN_ANOTHER_ORGANIZATION,
    ACCOUNTS_LEFT,
    MEMBERS_UNCHECKED,
    QUEUE_MISSING,
    DEAD_LETTERS_WAITING,
    QUEUE_REFUSES_RULE,
    DELAYED_RETRIES_OFF,
    DELAYED_RETRIES_LOST,
    TOPIC_MISSING,
    NOBODY_SUBSCRIBED,
    CHAT_UNREAD,
    SUBSCRIPTION_PENDING,
    ALARMS_UNREAD,
    AUDIT_UNWATCHED,
    FAILURES_NOT_KEPT,
    ALARM_MISSING,
    ALARM_OFF,
    ALARM_SENDS_ELSEWHERE,
    ALARM_RAISED,
    ALARMS_REFUSED,
    TABLE_MISSING,
    TABLE_NOT_ACTIVE,
    LEDGER_NOT_READ,
    LEDGER_NOT_RECOVERABLE,
    LEDGER_KEEPS_ALL,
    LEDGER_INDEX_MISSING,
    NO_TRAIL,
    NO_TRAIL_FOR_AUDIT,
    TRAIL_OF_WRITES_ONLY,
    SERVICE_LINKED_ROLE_MISSING,
    APPROVE_WITHOUT_APPROVERS,
    REPAIR_WITHOUT_SOURCES,
    REPAIR_WITHOUT_LISTS,
    REPAIR_OF_NOTHING_OLD,
    NO_WRITES,
    NO_RETRIES,
    SCOPE_WITHOUT_PATHS,
    SCOPE_WITHOUT_READER,
    PATHS_UNUSED,
    LIST_ADMITS_EVERYTHING,
    ACCOUNTS_WITHOUT_MEMBER_ROLE,
    MEMBER_ROLE_WITHOUT_EXTERNAL_ID,
    ADVISOR_ROLE_WITHOUT_ADVISOR,
    ADVISOR_WITHOUT_MEMBER_ROLE,
    FULLY_MANAGED_KEYS_UNLISTED,
    SERVICE_LINKED_ROLE_NOT_MADE,
    SWEEP_WITHOUT_SCHEDULE,
    CALLS_GO_ELSEWHERE,
    FUNCTION_STOPPED,
    DELAYED_RETRIES_TAKE_ALL,
    LEDGER_UNPROTECTED,
    SELF_CHECK_FAILED,
    PAUSED,
    TEST_MESSAGE_FAILED,
];
