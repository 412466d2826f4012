//! Reads a deployed stack, for `copymend doctor`, with ordinary credentials. It changes nothing, but
//! it invokes the copy remediator: for the self check, which writes nothing, and for a test message
//! where one is asked for.

mod approvals;
mod events;
mod formation;
mod functions;
mod json;
mod resources;
mod roles;
mod trails;
mod watching;

use std::collections::BTreeMap;

use aws_config::{Region, SdkConfig};
use copymend_doctor::{Deployed, Facts, RuleFacts};
use copymend_remediation::ports::{CallErrorKind, CallResult, Reads};
use copymend_remediation::settings::Deployment;
use futures_util::future::{join, join_all, join3};
use serde_json::json;

pub use self::approvals::{ApprovalsAlias, NotTheFunction};
use crate::error::Call;
use crate::{AwsEnvironment, ReadOnly, config};

/// The functions that a stack has, by their names in the template.
const FUNCTIONS: [&str; 2] = [COPY_REMEDIATOR, "AccessAdvisor"];
const COPY_REMEDIATOR: &str = "CopyRemediator";
/// So often the function is asked about the accounts that it left.
const MOST_REPETITIONS: usize = 10;
const SERVICE_LINKED_ROLE: &str = "AWSServiceRoleForBackup";

/// Whose credentials are used, and where.
#[derive(Clone, Copy, Debug, Default)]
pub struct Whose<'a> {
    /// A profile of the shared configuration; the environment decides where none is named.
    pub profile: Option<&'a str>,
    /// The Region; that of the environment or the profile where none is named.
    pub region: Option<&'a str>,
}

impl Whose<'_> {
    pub(crate) async fn config(self) -> SdkConfig {
        let mut loader = config::loader(config::http_client());
        if let Some(profile) = self.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = self.region {
            loader = loader.region(Region::new(region.to_owned()));
        }
        // Boxed, because it is large and done once.
        let config = Box::pin(loader.load()).await;
        crate::endpoint::without_empty_endpoint(config)
    }
}

/// The way to a deployed stack.
#[derive(Debug)]
pub struct AwsStack {
    config: SdkConfig,
    environment: AwsEnvironment<ReadOnly>,
}

impl AwsStack {
    /// The way with these credentials. Calls nothing.
    pub async fn load(whose: Whose<'_>) -> Self {
        Self::new(whose.config().await)
    }

    /// The way with an SDK configuration of your own.
    #[must_use]
    pub fn new(config: SdkConfig) -> Self {
        let config = crate::endpoint::without_empty_endpoint(config);
        Self {
            environment: AwsEnvironment::new(config.clone(), &Deployment::default()),
            config,
        }
    }

    /// The environment variables of a stack's copy remediator: its settings.
    pub async fn settings(&self, stack: &str) -> CallResult<BTreeMap<String, String>> {
        let deployed = formation::stack(&self.config, stack).await?;
        let call = Call::new("lambda:GetFunctionConfiguration", stack);
        let missing = |detail: &str| call.error(CallErrorKind::Failed, detail);
        let name = deployed.id(COPY_REMEDIATOR).ok_or_else(|| {
            missing("the stack has no function `CopyRemediator`: name the hub's stack")
        })?;
        let function = functions::configuration(&self.config, name).await?;
        let function = function.ok_or_else(|| missing("the stack's function does not exist"))?;
        Ok(function.environment)
    }

    /// Reads a stack. What can't be read is an error in its place; an error here says that there is
    /// no such stack, or that nobody may look at it.
    pub async fn read(&self, stack: &str, sends_test_message: bool) -> CallResult<Facts> {
        let config = &self.config;
        let deployed = formation::stack(config, stack).await?;
        let ids = |kind: &str| deployed.of_kind(kind).cloned().collect::<Vec<_>>();
        let functions = FUNCTIONS.into_iter().filter_map(|logical| {
            let id = deployed.id(logical)?;
            Some(functions::read(config, logical, id))
        });
        let rules = ids("AWS::Events::Rule");
        let buses = ids("AWS::Events::EventBus");
        let rules = rules.iter().map(|rule| events::rule(config, rule, &buses));
        let buses = buses.iter().map(|bus| events::bus(config, bus));
        let mappings = ids("AWS::Lambda::EventSourceMapping");
        let mappings = mappings.iter().map(|one| functions::mapping(config, one));
        let queues = ids("AWS::SQS::Queue");
        let queues = queues.iter().map(|queue| resources::queue(config, queue));
        let topics = ids("AWS::SNS::Topic");
        let topics = topics.iter().map(|topic| resources::topic(config, topic));
        let tables = ids("AWS::DynamoDB::Table");
        let tables = tables.iter().map(|table| resources::table(config, table));
        let alarms = ids("AWS::CloudWatch::Alarm");
        let log_groups = ids("AWS::Logs::LogGroup");
        let log_groups = log_groups
            .iter()
            .map(|group| watching::log_group(config, group));
        let identities = self.environment.identities();
        let (functions, rules, buses) =
            join3(join_all(functions), join_all(rules), join_all(buses)).await;
        let (mappings, queues, topics) =
            join3(join_all(mappings), join_all(queues), join_all(topics)).await;
        let (tables, trails) = join(join_all(tables), trails::read(config)).await;
        let (alarms, log_groups) =
            join(watching::alarms(config, &alarms), join_all(log_groups)).await;
        let alarm_topic = match deployed.id("AlarmTopic") {
            Some(topic) => Some(resources::topic_policy(config, topic).await),
            None => None,
        };
        let report_bus = match deployed.parameter("ReportBus") {
            "" => None,
            name => Some(events::report_bus(config, name).await),
        };
        let permissions = roles::read(identities, &deployed).await;
        let service_linked_role = roles::exists(identities, &deployed, SERVICE_LINKED_ROLE).await;
        let self_check = self.self_check(&deployed, &rules).await;
        let test_message = if sends_test_message {
            let event = json!({"source": "copymend", "detail-type": "Copymend Test Message"});
            Some(self.invoke(&deployed, event).await)
        } else {
            None
        };
        Ok(Facts {
            deployed,
            functions,
            rules,
            buses,
            report_bus,
            mappings,
            queues,
            topics,
            alarms,
            alarm_topic,
            tables,
            log_groups,
            trails,
            roles: permissions,
            service_linked_role,
            self_check,
            test_message,
        })
    }

    /// The answer to the self check. The accounts that the function leaves for lack of time are asked
    /// about again, as long as fewer are left each time.
    async fn self_check(
        &self,
        deployed: &Deployed,
        rules: &[RuleFacts],
    ) -> CallResult<copymend_doctor::Invoked> {
        let event = self_check(deployed, rules);
        let mut whole = self.invoke(deployed, event.clone()).await?;
        for _ in 0..MOST_REPETITIONS {
            let left = left_by(&whole.answer);
            if whole.is_failed || left.is_empty() {
                break;
            }
            let mut rest = event.clone();
            if let Some(detail) = rest.get_mut("detail") {
                *detail = json!({"accounts": left, "only": true});
            }
            // What was answered before counts, whatever becomes of the rest.
            let Ok(next) = self.invoke(deployed, rest).await else {
                break;
            };
            let still = left_by(&next.answer);
            // A function of an earlier version begins from the beginning: it leaves the same ones.
            if next.is_failed || still.len() >= left.len() {
                break;
            }
            joined(&mut whole.answer, &next.answer, &still);
        }
        Ok(whole)
    }

    async fn invoke(
        &self,
        deployed: &Deployed,
        event: serde_json::Value,
    ) -> CallResult<copymend_doctor::Invoked> {
        let name = deployed.id(FUNCTIONS[0]).unwrap_or(FUNCTIONS[0]);
        functions::invoke(&self.config, (name, None), &event).await
    }
}

/// The accounts that an answer to the self check leaves.
fn left_by(answer: &serde_json::Value) -> Vec<String> {
    let left = answer.get("left").and_then(serde_json::Value::as_array);
    let left = left.into_iter().flatten();
    left.filter_map(|account| account.as_str().map(ToOwned::to_owned))
        .collect()
}

/// Adds what a later answer says of accounts, and what it leaves.
fn joined(whole: &mut serde_json::Value, next: &serde_json::Value, left: &[String]) {
    let checks = next.get("checks").and_then(serde_json::Value::as_array);
    let of_accounts = checks.into_iter().flatten();
    let of_accounts =
        of_accounts.filter(|check| check.get("account").is_some_and(|of| !of.is_null()));
    if let Some(checks) = whole
        .get_mut("checks")
        .and_then(serde_json::Value::as_array_mut)
    {
        checks.extend(of_accounts.cloned());
    }
    if let Some(is_left) = whole.get_mut("left") {
        *is_left = json!(left);
    }
}

/// The event of the self check. It names the accounts that a sweep looks at, which no list holds.
fn self_check(deployed: &Deployed, rules: &[RuleFacts]) -> serde_json::Value {
    let mut accounts: Vec<String> = deployed
        .list("SweepAccounts")
        .into_iter()
        .map(ToOwned::to_owned)
        .collect();
    // What a rule sends counts, even if somebody changed it by hand.
    for target in rules.iter().flat_map(|rule| rule.targets.iter().flatten()) {
        let input: Option<serde_json::Value> = target
            .input
            .as_deref()
            .and_then(|input| serde_json::from_str(input).ok());
        let swept = input
            .as_ref()
            .and_then(|input| input.pointer("/detail/accounts"));
        let swept = swept
            .and_then(serde_json::Value::as_array)
            .into_iter()
            .flatten();
        accounts.extend(swept.filter_map(|account| account.as_str().map(ToOwned::to_owned)));
    }
    accounts.sort_unstable();
    accounts.dedup();
    json!({
        "source": "copymend",
        "detail-type": "Copymend Self Check",
        "region": deployed.region,
        "detail": {"accounts": accounts},
    })
}
