//! AWS Lambda (API reference, `GetFunctionConfiguration`, `GetFunctionConcurrency`, `GetPolicy`,
//! `GetFunctionEventInvokeConfig`, `GetEventSourceMapping`, `Invoke`, documented).

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use copymend_doctor::{Found, Function, FunctionFacts, Invoked, Mapping, Named, Resource};
use copymend_remediation::ports::CallResult;
use futures_util::future::join4;
use serde::Deserialize;
use serde_json::Value;

use super::json::{protocol, read as read_answer};
use crate::error::Call;
use crate::percent;
use crate::signed::{Answering, Line, Protocol, Service, send_to};

pub(super) const LAMBDA: Service = Service {
    prefix: "lambda",
    id: "Lambda",
    name: "AWS Lambda",
};
const PROTOCOL: Protocol = protocol(&[("content-type", "application/json")]);
const NOT_FOUND: &[&str] = &["ResourceNotFoundException"];
/// The function may take two minutes; a person waits for it.
const INVOCATION: Duration = Duration::from_secs(150);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Configuration {
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    state_reason: Option<String>,
    #[serde(default)]
    last_update_status: Option<String>,
    #[serde(default)]
    last_update_status_reason: Option<String>,
    #[serde(default)]
    environment: Option<Environment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Environment {
    #[serde(default)]
    variables: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Concurrency {
    #[serde(default)]
    reserved_concurrent_executions: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OnEvents {
    #[serde(default)]
    destination_config: Option<Destinations>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Destinations {
    #[serde(default)]
    on_failure: Option<Destination>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Destination {
    #[serde(default)]
    destination: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    policy: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribedMapping {
    state: String,
    #[serde(default)]
    scaling_config: Option<Scaling>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Scaling {
    #[serde(default)]
    maximum_concurrency: Option<u32>,
}

/// Letters, digits and the signs of names: what else a name held would be part of a path.
fn path(before: &str, name: &str, after: &str) -> String {
    let safe = |c: &char| c.is_ascii_alphanumeric() || "-_:".contains(*c);
    let name: String = name.chars().filter(safe).collect();
    format!("{before}{name}{after}")
}

fn get(config: &SdkConfig, action: &'static str, path: String) -> Answering {
    let line = Line::get(path);
    send_to(config, LAMBDA, PROTOCOL, action, line, String::new())
}

pub(super) async fn read(config: &SdkConfig, logical: &str, name: &str) -> FunctionFacts {
    let (function, policy, reserved, on_failure) = join4(
        configuration(config, name),
        policy(config, name),
        reserved(config, name),
        on_failure(config, name),
    )
    .await;
    FunctionFacts {
        function: Named {
            logical: logical.to_owned(),
            id: name.to_owned(),
            found: function,
        },
        policy,
        reserved,
        on_failure,
    }
}

pub(super) async fn configuration(config: &SdkConfig, name: &str) -> Found<Function> {
    let call = Call::new("lambda:GetFunctionConfiguration", name);
    let path = path("/2015-03-31/functions/", name, "/configuration");
    let answer = get(config, "GetFunctionConfiguration", path);
    let Some(answer) = call.find(NOT_FOUND, answer).await? else {
        return Ok(None);
    };
    let read: Configuration = read_answer(&call, &answer)?;
    Ok(Some(Function {
        state: read.state.unwrap_or_default(),
        last_update: read.last_update_status.unwrap_or_default(),
        reason: read.state_reason.or(read.last_update_status_reason),
        environment: read.environment.map(|of| of.variables).unwrap_or_default(),
    }))
}

async fn policy(config: &SdkConfig, name: &str) -> Found<String> {
    let call = Call::new("lambda:GetPolicy", name);
    let path = path("/2015-03-31/functions/", name, "/policy");
    let answer = get(config, "GetPolicy", path);
    let Some(answer) = call.find(NOT_FOUND, answer).await? else {
        return Ok(None);
    };
    let Policy { policy } = read_answer(&call, &answer)?;
    Ok(Some(policy))
}

async fn reserved(config: &SdkConfig, name: &str) -> Found<u32> {
    let call = Call::new("lambda:GetFunctionConcurrency", name);
    let path = path("/2019-09-30/functions/", name, "/concurrency");
    let answer = get(config, "GetFunctionConcurrency", path);
    let Some(answer) = call.find(NOT_FOUND, answer).await? else {
        return Ok(None);
    };
    let read: Concurrency = read_answer(&call, &answer)?;
    Ok(read.reserved_concurrent_executions)
}

async fn on_failure(config: &SdkConfig, name: &str) -> Found<String> {
    let call = Call::new("lambda:GetFunctionEventInvokeConfig", name);
    // The rules invoke it without a version, which is this one.
    let after = "/event-invoke-config?Qualifier=%24LATEST";
    let path = path("/2019-09-25/functions/", name, after);
    let answer = get(config, "GetFunctionEventInvokeConfig", path);
    let Some(answer) = call.find(NOT_FOUND, answer).await? else {
        return Ok(None);
    };
    let read: OnEvents = read_answer(&call, &answer)?;
    let destination = read.destination_config.and_then(|of| of.on_failure);
    Ok(destination.and_then(|of| of.destination))
}

pub(super) async fn mapping(config: &SdkConfig, resource: &Resource) -> Named<Mapping> {
    Named {
        logical: resource.logical.clone(),
        id: resource.id.clone(),
        found: describe_mapping(config, &resource.id).await,
    }
}

async fn describe_mapping(config: &SdkConfig, id: &str) -> Found<Mapping> {
    let call = Call::new("lambda:GetEventSourceMapping", id);
    let path = path("/2015-03-31/event-source-mappings/", id, "");
    let answer = get(config, "GetEventSourceMapping", path);
    let Some(answer) = call.find(NOT_FOUND, answer).await? else {
        return Ok(None);
    };
    let read: DescribedMapping = read_answer(&call, &answer)?;
    Ok(Some(Mapping {
        state: read.state,
        most_at_once: read.scaling_config.and_then(|of| of.maximum_concurrency),
    }))
}

/// Hands the function an event, once, and waits for its answer; by one of its aliases where one is
/// named.
pub(super) async fn invoke(
    config: &SdkConfig,
    (name, alias): (&str, Option<&str>),
    event: &Value,
) -> CallResult<Invoked> {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_timeout(INVOCATION)
        .build();
    let config = config
        .to_builder()
        .timeout_config(timeouts)
        .retry_config(RetryConfig::disabled())
        .build();
    let call = Call::new("lambda:InvokeFunction", name);
    let by = match alias {
        Some(alias) => format!("/invocations?Qualifier={}", percent::encode(alias)),
        None => "/invocations".to_owned(),
    };
    let line = Line::post(path("/2015-03-31/functions/", name, &by));
    let body = event.to_string();
    let answer = send_to(&config, LAMBDA, PROTOCOL, "Invoke", line, body);
    let answer = call.send(answer).await?;
    let answer: Value = read_answer(&call, &answer)?;
    Ok(Invoked {
        // No answer of ours has this member, and every error of a function has it.
        is_failed: answer.get("errorType").is_some(),
        answer,
    })
}
