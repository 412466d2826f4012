//! What was read of a stack.

use std::collections::BTreeMap;

use copymend_diagnosis::SimulatedAction;
use copymend_remediation::ports::CallResult;
use serde_json::Value;

use crate::deployed::Deployed;
use crate::needs::Need;

/// What a read answers: `None` only where AWS says that it isn't there. A refused call is an error.
pub type Found<T> = CallResult<Option<T>>;

/// A resource of the stack, and what was read of it.
#[derive(Clone, Debug)]
pub struct Named<T> {
    /// Its name in the template.
    pub logical: String,
    /// Its physical id.
    pub id: String,
    /// What was read.
    pub found: Found<T>,
}

/// A Lambda function (Lambda API reference, `GetFunctionConfiguration`, documented).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Function {
    /// `State`, such as `Active`.
    pub state: String,
    /// `LastUpdateStatus`, such as `Successful`.
    pub last_update: String,
    /// Why it is in that state, in AWS's words.
    pub reason: Option<String>,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
}

/// A function, and what surrounds it.
#[derive(Clone, Debug)]
pub struct FunctionFacts {
    /// The function.
    pub function: Named<Function>,
    /// Its resource policy, as text; `None` where it has none.
    pub policy: Found<String>,
    /// The concurrency that is reserved for it; `None` where none is.
    pub reserved: Found<u32>,
    /// The ARN of what takes the events that it failed on; `None` where nothing does.
    pub on_failure: Found<String>,
}

/// An EventBridge rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its ARN.
    pub arn: String,
    /// Its state, such as `ENABLED`.
    pub state: String,
    /// Its event pattern, as text.
    pub pattern: Option<String>,
    /// Its schedule.
    pub schedule: Option<String>,
}

/// A target of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The ARN of what it sends to.
    pub arn: String,
    /// The ARN of the queue that takes what can't be delivered.
    pub dead_letters: Option<String>,
    /// The constant text that it sends.
    pub input: Option<String>,
}

/// A rule, and where it sends.
#[derive(Clone, Debug)]
pub struct RuleFacts {
    /// The rule.
    pub rule: Named<Rule>,
    /// Its targets.
    pub targets: CallResult<Vec<Target>>,
}

/// An event bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bus {
    /// Its policy, as text.
    pub policy: Option<String>,
}

/// An event source mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Its state, such as `Enabled`.
    pub state: String,
    /// How many events it has handled at once, at most.
    pub most_at_once: Option<u32>,
}

/// An SQS queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// About how many messages it holds.
    pub waiting: u64,
    /// Its policy, as text.
    pub policy: Option<String>,
    /// The ARN of the queue that takes what was received too often.
    pub dead_letters: Option<String>,
}

/// An alarm of Amazon CloudWatch (API reference, `MetricAlarm`, documented).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Its state: `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: String,
    /// Whether it does anything when it is raised.
    pub is_switched_on: bool,
    /// The ARNs of what it sends to when it is raised.
    pub sends_to: Vec<String>,
}

/// A subscription of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its protocol, such as `email`.
    pub protocol: String,
    /// The address.
    pub endpoint: String,
    /// Whether it was confirmed.
    pub is_confirmed: bool,
}

/// A DynamoDB table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its status, such as `ACTIVE`.
    pub status: String,
    /// Whether DynamoDB refuses to delete it.
    pub is_protected: bool,
    /// Whether it can be restored to a point in time.
    pub is_recoverable: CallResult<bool>,
    /// Whether it forgets items whose time is over, by the attribute that is named.
    pub forgets_by: Found<String>,
    /// Its global secondary indexes that can be asked.
    pub indexes: Vec<String>,
}

/// Which calls a trail logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoggedCalls {
    /// No management events.
    None,
    /// Those that write.
    Writes,
    /// All of them.
    All,
}

/// A CloudTrail trail that logs this Region.
#[derive(Clone, Debug)]
pub struct Trail {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Whether it logs now.
    pub is_logging: CallResult<bool>,
    /// What it logs.
    pub logs: CallResult<LoggedCalls>,
}

/// A function's role, and what the policy simulator says of each permission that it needs.
#[derive(Clone, Debug)]
pub struct RoleFacts {
    /// Its name in the template.
    pub logical: String,
    /// Its ARN.
    pub arn: String,
    /// Each need with its answer.
    pub needs: Vec<(Need, CallResult<SimulatedAction>)>,
}

/// What a function answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Invoked {
    /// Whether the function failed: then the answer is its error.
    pub is_failed: bool,
    /// The answer.
    pub answer: Value,
}

/// Everything that was read of a stack.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The stack.
    pub deployed: Deployed,
    /// Its functions.
    pub functions: Vec<FunctionFacts>,
    /// Its rules.
    pub rules: Vec<RuleFacts>,
    /// Its event buses.
    pub buses: Vec<Named<Bus>>,
    /// The bus that reports are events on, where the stack has one; it is no part of the stack.
    pub report_bus: Option<Named<()>>,
    /// Its event source mappings.
    pub mappings: Vec<Named<Mapping>>,
    /// Its queues.
    pub queues: Vec<Named<Queue>>,
    /// Its topics, each with its subscriptions.
    pub topics: Vec<Named<Vec<Subscription>>>,
    /// Its alarms.
    pub alarms: Vec<Named<Alarm>>,
    /// The policy of the topic that alarms go to, as text; `None` where the stack has no such topic.
    pub alarm_topic: Option<Found<String>>,
    /// Its tables.
    pub tables: Vec<Named<Table>>,
    /// Its log groups.
    pub log_groups: Vec<Named<()>>,
    /// The trails that log this Region.
    pub trails: CallResult<Vec<Trail>>,
    /// The functions' roles.
    pub roles: Vec<RoleFacts>,
    /// Whether the stack's account has AWS Backup's service-linked role.
    pub service_linked_role: CallResult<bool>,
    /// What the copy remediator answered to the self check.
    pub self_check: CallResult<Invoked>,
    /// What it answered when it was asked for a test message; `None` where it wasn't.
    pub test_message: Option<CallResult<Invoked>>,
}
