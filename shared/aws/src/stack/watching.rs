//! What watches the stack: the alarms of Amazon CloudWatch and the log groups (API references,
//! `DescribeAlarms` and `DescribeLogGroups`, documented).

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use copymend_doctor::{Alarm, Found, Named, Resource};
use copymend_remediation::ports::CallResult;
use serde::Deserialize;
use serde_json::json;

use super::json::{JsonService, read};
use crate::error::Call;
use crate::signed::Service;

const CLOUDWATCH: JsonService = JsonService {
    service: Service {
        prefix: "monitoring",
        id: "CloudWatch",
        name: "Amazon CloudWatch",
    },
};
const LOGS: JsonService = JsonService {
    service: Service {
        prefix: "logs",
        id: "CloudWatch Logs",
        name: "Amazon CloudWatch Logs",
    },
};
/// So many alarms are asked for by name at once.
const MOST_NAMES: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    #[serde(default)]
    metric_alarms: Vec<DescribedAlarm>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribedAlarm {
    alarm_name: String,
    state_value: String,
    actions_enabled: bool,
    #[serde(default)]
    alarm_actions: Vec<String>,
}

/// The alarms, whose physical ids are their names. Those that aren't answered are gone.
pub(super) async fn alarms(config: &SdkConfig, resources: &[Resource]) -> Vec<Named<Alarm>> {
    let mut found = Vec::new();
    for some in resources.chunks(MOST_NAMES) {
        let described = describe(config, some).await;
        found.extend(some.iter().map(|alarm| {
            Named {
                logical: alarm.logical.clone(),
                id: alarm.id.clone(),
                found: described
                    .as_ref()
                    .map(|described| described.get(&alarm.id).cloned())
                    .map_err(Clone::clone),
            }
        }));
    }
    found
}

async fn describe(
    config: &SdkConfig,
    resources: &[Resource],
) -> CallResult<BTreeMap<String, Alarm>> {
    const HEADERS: &[(&str, &str)] = &[
        ("content-type", "application/x-amz-json-1.0"),
        (
            "x-amz-target",
            "GraniteServiceVersion20100801.DescribeAlarms",
        ),
    ];
    let call = Call::new("cloudwatch:DescribeAlarms", "*");
    let names: Vec<&str> = resources.iter().map(|one| one.id.as_str()).collect();
    let body =
        json!({"AlarmNames": names, "AlarmTypes": ["MetricAlarm"], "MaxRecords": MOST_NAMES});
    let answer = CLOUDWATCH.send(config, HEADERS, "DescribeAlarms", &body);
    let answer = call.send(answer).await?;
    let Described { metric_alarms } = read(&call, &answer)?;
    let alarms = metric_alarms.into_iter().map(|alarm| {
        let is = Alarm {
            state: alarm.state_value,
            is_switched_on: alarm.actions_enabled,
            sends_to: alarm.alarm_actions,
        };
        (alarm.alarm_name, is)
    });
    Ok(alarms.collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogGroups {
    #[serde(default)]
    log_groups: Vec<LogGroup>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogGroup {
    log_group_name: String,
}

pub(super) async fn log_group(config: &SdkConfig, resource: &Resource) -> Named<()> {
    Named {
        logical: resource.logical.clone(),
        id: resource.id.clone(),
        found: describe_log_group(config, &resource.id).await,
    }
}

async fn describe_log_group(config: &SdkConfig, name: &str) -> Found<()> {
    const HEADERS: &[(&str, &str)] = &[
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", "Logs_20140328.DescribeLogGroups"),
    ];
    let call = Call::new("logs:DescribeLogGroups", name);
    // The group of exactly this name is the first of those that begin with it: names are in order.
    let body = json!({"logGroupNamePrefix": name});
    let answer = LOGS.send(config, HEADERS, "DescribeLogGroups", &body);
    let answer = call.send(answer).await?;
    let LogGroups { log_groups } = read(&call, &answer)?;
    let is_there = log_groups.iter().any(|group| group.log_group_name == name);
    Ok(is_there.then_some(()))
}
