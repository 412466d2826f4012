//! The self check: what the function's own role can do, asked by an event. It reads, and writes
//! nothing.

use std::collections::BTreeSet;

use copymend_policy::{AccountId, Arn};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::handler::{CopyRemediator, Invocation};
use crate::ledger::{Ledger, Pause};
use crate::ports::{
    Backup, CallError, CallErrorKind, CallResult, Clock, Environment, Identities, Location,
    Organizations, Reads,
};
use crate::settings::Settings;

/// What `source` says in every event of Copymend's own.
pub const OWN_SOURCE: &str = "copymend";
/// The detail-type of the event that asks for a self check.
pub const SELF_CHECK_DETAIL_TYPE: &str = "Copymend Self Check";
/// AWS Backup's service-linked role (AWS Backup developer guide, "Using service-linked roles",
/// documented).
const SERVICE_LINKED_ROLE: &str = "AWSServiceRoleForBackup";
/// No copy job has this id: whether it may be described is asked, not what it says.
const NO_JOB: &str = "00000000-0000-0000-0000-000000000000";
/// No account is begun with less time than this left.
const TIME_FOR_AN_ACCOUNT: SignedDuration = SignedDuration::from_secs(20);
/// The version of the answer.
const VERSION: u32 = 1;

/// Whether an event is one of Copymend's own, with this detail-type.
pub(crate) fn is_own(event: &Value, detail_type: &str) -> bool {
    let text = |field: &str| event.get(field).and_then(Value::as_str);
    text("source") == Some(OWN_SOURCE) && text("detail-type") == Some(detail_type)
}

/// Whether an event asks for a self check.
#[must_use]
pub fn is_self_check(event: &Value) -> bool {
    is_own(event, SELF_CHECK_DETAIL_TYPE)
}

/// How one call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// It was answered.
    Fine,
    /// What it asked for isn't there.
    Absent,
    /// It was refused for lack of permission.
    Denied,
    /// It failed in another way.
    Failed,
}

/// One call of the self check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The account that was called; none for what isn't about one account.
    pub account: Option<String>,
    /// The call, such as `sts:AssumeRole`.
    pub call: String,
    /// What it was about.
    pub resource: String,
    /// How it ended.
    pub state: CheckState,
    /// What was answered.
    pub detail: String,
}

/// The answer to a self check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfCheck {
    /// The version of this document.
    pub self_check: u32,
    /// As whom the function calls AWS.
    pub caller: Option<String>,
    /// The pause in force.
    pub pause: Option<Pause>,
    /// The calls that were made.
    pub checks: Vec<Check>,
    /// The accounts that were left, for lack of time.
    pub left: Vec<String>,
}

impl Check {
    fn of<T>(
        account: Option<AccountId>,
        call: &'static str,
        resource: impl Into<String>,
        answer: CallResult<(CheckState, T)>,
    ) -> Self
    where
        T: Into<String>,
    {
        let account = account.map(|account| account.to_string());
        match answer {
            Ok((state, detail)) => Self {
                account,
                call: call.to_owned(),
                resource: resource.into(),
                state,
                detail: detail.into(),
            },
            // The call that failed may be an earlier one: the member role is assumed first.
            Err(error) => Self {
                account,
                call: error.operation.to_owned(),
                state: state_of(&error),
                resource: error.resource,
                detail: error.detail,
            },
        }
    }
}

const fn state_of(error: &CallError) -> CheckState {
    match error.kind {
        CallErrorKind::AccessDenied => CheckState::Denied,
        CallErrorKind::Throttled
        | CallErrorKind::Timeout
        | CallErrorKind::Unavailable
        | CallErrorKind::Unreadable
        | CallErrorKind::Rejected
        | CallErrorKind::Failed => CheckState::Failed,
    }
}

impl Settings {
    /// The accounts that the lists name literally, and the one that is asked for places in the
    /// organization.
    #[must_use]
    pub fn named_accounts(&self) -> BTreeSet<AccountId> {
        let patterns = self.allowed_destinations.iter().chain(&self.allowed_keys);
        patterns
            .filter_map(|pattern| account_of(pattern.as_str()))
            .chain(self.allowed_sources.iter().flat_map(|entry| {
                // A role's path may hold a `>`, so that the account of either part is read.
                let of_destination = entry.as_str().rsplit(">arn:").next();
                let of_destination =
                    of_destination.and_then(|text| account_of(&format!("arn:{text}")));
                let own = entry.as_str().split('>').next();
                let own = own.and_then(|text| text.parse().ok().or_else(|| account_of(text)));
                [own, of_destination].into_iter().flatten()
            }))
            .chain(self.deployment.organization_reader)
            .collect()
    }
}

/// The account of an ARN or of a pattern of ARNs; none where it is a pattern itself.
fn account_of(pattern: &str) -> Option<AccountId> {
    pattern.split(':').nth(4)?.parse().ok()
}

impl<E: Environment> CopyRemediator<E> {
    /// Asks what the function's own role can do: the ledger, and in each account that the lists or
    /// the event's `detail.accounts` name, whether the member role can be assumed and reads. With
    /// `detail.only` it asks about the event's accounts alone: an earlier answer left them. `caller`
    /// is who `sts:GetCallerIdentity` says that it is.
    pub async fn self_check(
        &self,
        event: &Value,
        caller: CallResult<Option<String>>,
        invocation: &Invocation,
    ) -> SelfCheck {
        // Boxed, because it is seldom needed.
        Box::pin(self_check(
            &self.environment,
            &self.settings,
            event,
            caller,
            invocation,
        ))
        .await
    }
}

/// Its environment can't write.
async fn self_check<E: Reads>(
    environment: &E,
    settings: &Settings,
    event: &Value,
    caller: CallResult<Option<String>>,
    invocation: &Invocation,
) -> SelfCheck {
    let mut answer = SelfCheck {
        self_check: VERSION,
        caller: None,
        pause: None,
        checks: Vec::new(),
        left: Vec::new(),
    };
    let own: Option<Arn> = match caller {
        Ok(arn) => {
            answer.caller.clone_from(&arn);
            arn.and_then(|arn| arn.parse().ok())
        }
        Err(error) => {
            let failed: CallResult<(CheckState, &str)> = Err(error);
            answer
                .checks
                .push(Check::of(None, "sts:GetCallerIdentity", "*", failed));
            None
        }
    };
    answer
        .checks
        .push(ledger(environment, settings, &mut answer.pause).await);
    let partition = own.as_ref().map_or("aws", |arn| arn.partition());
    let mut accounts: BTreeSet<AccountId> = asked_for(event).collect();
    if !is_of_these_alone(event) {
        accounts.extend(settings.named_accounts());
        accounts.extend(own.as_ref().and_then(Arn::account_id));
    }
    let region = region_of(event, settings);
    for account in accounts {
        let now = environment.clock().now();
        if invocation.deadline.duration_since(now) < TIME_FOR_AN_ACCOUNT {
            answer.left.push(account.to_string());
            continue;
        }
        let location = Location::new(account, &region);
        let checks = checks_of(environment, &location, partition).await;
        answer.checks.extend(checks);
    }
    answer
}

/// The accounts that the event names: those of a sweep, say, which no list has to hold.
fn asked_for(event: &Value) -> impl Iterator<Item = AccountId> {
    let accounts = event.pointer("/detail/accounts").and_then(Value::as_array);
    let accounts = accounts.into_iter().flatten();
    accounts.filter_map(|account| account.as_str()?.parse().ok())
}

/// Whether no other accounts are asked about: those that an earlier answer left, for lack of time.
fn is_of_these_alone(event: &Value) -> bool {
    event.pointer("/detail/only") == Some(&Value::Bool(true))
}

/// Where to ask: in the event's Region, or that of the topic, which is the function's own.
fn region_of(event: &Value, settings: &Settings) -> String {
    let of_event = event.get("region").and_then(Value::as_str);
    let is_region = |text: &&str| {
        let safe = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        (1..=32).contains(&text.len()) && text.bytes().all(safe)
    };
    let topic = settings.deployment.topic_arn.as_deref();
    let of_topic = || topic.and_then(|topic| topic.split(':').nth(3));
    of_event
        .filter(is_region)
        .or_else(of_topic)
        .unwrap_or_default()
        .to_owned()
}

/// One item of the ledger, which needn't be there: whether Copymend is paused.
async fn ledger<E: Reads>(
    environment: &E,
    settings: &Settings,
    pause: &mut Option<Pause>,
) -> Check {
    let table = settings.deployment.ledger_table.clone().unwrap_or_default();
    let answer = match environment.ledger() {
        None => Ok((CheckState::Absent, "COPYMEND_LEDGER_TABLE names no table")),
        Some(ledger) => match ledger.pause(environment.clock().now()).await {
            Ok(found) => {
                *pause = found;
                Ok((CheckState::Fine, "an item was read"))
            }
            Err(error) => Err(error),
        },
    };
    Check::of(None, "dynamodb:GetItem", table, answer)
}

async fn checks_of<E: Reads>(environment: &E, location: &Location, partition: &str) -> Vec<Check> {
    let account = location.account;
    let job = environment
        .backup()
        .describe_copy_job(location, NO_JOB)
        .await;
    let is_reached = job.as_ref().map_err(|error| error.operation).err() != Some("sts:AssumeRole")
        && !matches!(&job, Err(error) if error.kind == CallErrorKind::Failed);
    let detail = format!("copy jobs are read in {}", location.region);
    let mut checks = vec![Check::of(
        Some(account),
        "backup:DescribeCopyJob",
        NO_JOB,
        job.map(|_| (CheckState::Fine, detail)),
    )];
    // Without the member role every other call ends like the first.
    if !is_reached {
        return checks;
    }
    let role = environment
        .identities()
        .get_role(account, partition, SERVICE_LINKED_ROLE)
        .await;
    let role = role.map(|role| match role {
        Some(_) => (CheckState::Fine, "the role is there"),
        None => (CheckState::Absent, "there is no such role"),
    });
    checks.push(Check::of(
        Some(account),
        "iam:GetRole",
        SERVICE_LINKED_ROLE,
        role,
    ));
    let organization = environment
        .organizations()
        .describe_organization(account, partition)
        .await;
    let organization = organization.map(|organization| match organization {
        Some(organization) => (CheckState::Fine, organization.id),
        None => (
            CheckState::Absent,
            "the account is in no organization".to_owned(),
        ),
    });
    checks.push(Check::of(
        Some(account),
        "organizations:DescribeOrganization",
        account.as_str(),
        organization,
    ));
    checks
}
