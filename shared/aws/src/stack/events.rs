//! Amazon EventBridge: rules, their targets, buses (API reference, `DescribeRule`,
//! `ListTargetsByRule`, `DescribeEventBus`, documented).

use aws_config::SdkConfig;
use copymend_doctor::{Bus, Found, Named, Resource, Rule, RuleFacts, Target};
use copymend_remediation::ports::CallResult;
use serde::Deserialize;
use serde_json::json;

use super::json::{JsonService, read};
use crate::error::Call;
use crate::signed::Service;

const EVENTS: JsonService = JsonService {
    service: Service {
        prefix: "events",
        id: "EventBridge",
        name: "Amazon EventBridge",
    },
};
const TYPE: (&str, &str) = ("content-type", "application/x-amz-json-1.1");
const NOT_FOUND: &[&str] = &["ResourceNotFoundException"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribedRule {
    arn: String,
    state: String,
    #[serde(default)]
    event_pattern: Option<String>,
    #[serde(default)]
    schedule_expression: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribedBus {
    #[serde(default)]
    policy: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Targets {
    targets: Vec<ListedTarget>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedTarget {
    arn: String,
    #[serde(default)]
    dead_letter_config: Option<DeadLetters>,
    #[serde(default)]
    input: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeadLetters {
    #[serde(default)]
    arn: Option<String>,
}

/// A rule by its name, and the bus that it is on: the default one where none is named.
struct Name<'r> {
    rule: &'r str,
    bus: Option<&'r str>,
}

/// CloudFormation's physical id of a rule: its name, behind the bus and a `|` where that isn't the
/// default one (CloudFormation template reference, `AWS::Events::Rule`, return values, documented).
/// Emulators answer an ARN.
fn name_of(id: &str) -> Name<'_> {
    let path = id.split_once(":rule/").map_or(id, |(_, path)| path);
    let split = path.split_once('|').or_else(|| path.rsplit_once('/'));
    match split {
        Some((bus, rule)) => Name {
            rule,
            bus: Some(bus),
        },
        None => Name {
            rule: path,
            bus: None,
        },
    }
}

/// A rule. One whose id names no bus is looked for on the default one, and then on the stack's own.
pub(super) async fn rule(config: &SdkConfig, resource: &Resource, buses: &[Resource]) -> RuleFacts {
    let mut name = name_of(&resource.id);
    let mut found = describe(config, &name).await;
    if name.bus.is_none() {
        for bus in buses {
            if !matches!(found, Ok(None)) {
                break;
            }
            name.bus = Some(&bus.id);
            found = describe(config, &name).await;
        }
    }
    RuleFacts {
        rule: Named {
            logical: resource.logical.clone(),
            id: name.rule.to_owned(),
            found,
        },
        targets: targets(config, &name).await,
    }
}

async fn describe(config: &SdkConfig, name: &Name<'_>) -> Found<Rule> {
    const HEADERS: &[(&str, &str)] = &[TYPE, ("x-amz-target", "AWSEvents.DescribeRule")];
    let call = Call::new("events:DescribeRule", name.rule);
    let body = json!({"Name": name.rule, "EventBusName": name.bus.unwrap_or("default")});
    let answer = EVENTS.send(config, HEADERS, "DescribeRule", &body);
    let Some(answer) = call.find(NOT_FOUND, answer).await? else {
        return Ok(None);
    };
    let read: DescribedRule = read(&call, &answer)?;
    Ok(Some(Rule {
        arn: read.arn,
        state: read.state,
        pattern: read.event_pattern.filter(|pattern| !pattern.is_empty()),
        schedule: read.schedule_expression.filter(|one| !one.is_empty()),
    }))
}

async fn targets(config: &SdkConfig, name: &Name<'_>) -> CallResult<Vec<Target>> {
    const HEADERS: &[(&str, &str)] = &[TYPE, ("x-amz-target", "AWSEvents.ListTargetsByRule")];
    let call = Call::new("events:ListTargetsByRule", name.rule);
    let body = json!({"Rule": name.rule, "EventBusName": name.bus.unwrap_or("default")});
    let answer = EVENTS.send(config, HEADERS, "ListTargetsByRule", &body);
    // A rule that is gone has none.
    let Some(answer) = call.find(NOT_FOUND, answer).await? else {
        return Ok(Vec::new());
    };
    let Targets { targets } = read(&call, &answer)?;
    let targets = targets.into_iter().map(|target| Target {
        arn: target.arn,
        dead_letters: target.dead_letter_config.and_then(|queue| queue.arn),
        input: target.input,
    });
    Ok(targets.collect())
}

pub(super) async fn bus(config: &SdkConfig, resource: &Resource) -> Named<Bus> {
    Named {
        logical: resource.logical.clone(),
        id: resource.id.clone(),
        found: describe_bus(config, &resource.id).await,
    }
}

/// The bus that reports are events on, by its name in the function's account and Region. A report is
/// taken and lost where it isn't there (API reference, `PutEvents`, documented).
pub(super) async fn report_bus(config: &SdkConfig, name: &str) -> Named<()> {
    let found = describe_bus(config, name).await;
    Named {
        logical: "ReportBus".to_owned(),
        id: name.to_owned(),
        found: found.map(|bus| bus.map(|_| ())),
    }
}

async fn describe_bus(config: &SdkConfig, name: &str) -> Found<Bus> {
    const HEADERS: &[(&str, &str)] = &[TYPE, ("x-amz-target", "AWSEvents.DescribeEventBus")];
    let call = Call::new("events:DescribeEventBus", name);
    let answer = EVENTS.send(config, HEADERS, "DescribeEventBus", &json!({"Name": name}));
    let Some(answer) = call.find(NOT_FOUND, answer).await? else {
        return Ok(None);
    };
    let DescribedBus { policy } = read(&call, &answer)?;
    Ok(Some(Bus { policy }))
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn a_rule_is_on_the_default_bus_or_on_the_one_before_its_name() {
        for (id, rule, bus) in [
            (
                "stack-CopyFailedRule-1A2B",
                "stack-CopyFailedRule-1A2B",
                None,
            ),
            (
                "hub-copymend|HubRule-1A2B",
                "HubRule-1A2B",
                Some("hub-copymend"),
            ),
            (
                "arn:aws:events:eu-west-1:111122223333:rule/Rule",
                "Rule",
                None,
            ),
            (
                "arn:aws:events:eu-west-1:111122223333:rule/bus/Rule",
                "Rule",
                Some("bus"),
            ),
        ] {
            let name = name_of(id);
            assert_eq!((name.rule, name.bus), (rule, bus), "{id}");
        }
    }
}
