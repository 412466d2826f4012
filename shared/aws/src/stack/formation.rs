//! AWS CloudFormation (API reference, `DescribeStacks`, `ListStackResources`, documented).

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use copymend_doctor::{Deployed, Resource};
use copymend_policy::Arn;
use copymend_remediation::ports::CallResult;

use crate::error::Call;
use crate::pages::{self, token};
use crate::percent;
use crate::signed::xml::Element;
use crate::signed::{Answering, Service, not_made, query, send};

const FORMATION: Service = Service {
    prefix: "cloudformation",
    id: "CloudFormation",
    name: "AWS CloudFormation",
};
/// The version of the API (AWS CloudFormation API reference, "Query requests", documented).
const VERSION: &str = "2010-05-15";

fn ask(config: &SdkConfig, action: &'static str, stack: &str, page: Option<&str>) -> Answering {
    if stack.is_empty() {
        return not_made("the stack has no name");
    }
    let mut body = format!(
        "Action={action}&Version={VERSION}&StackName={}",
        percent::encode(stack)
    );
    if let Some(page) = page {
        body.push_str("&NextToken=");
        body.push_str(&percent::encode(page));
    }
    send(config, FORMATION, query::PROTOCOL, action, body)
}

/// The stack with its resources. One that isn't there is an error of AWS's.
pub(super) async fn stack(config: &SdkConfig, name: &str) -> CallResult<Deployed> {
    let call = Call::new("cloudformation:DescribeStacks", name);
    let answer = call.send(ask(config, "DescribeStacks", name, None)).await?;
    let answer = query::result(&answer, "DescribeStacks");
    let answer = answer.map_err(|detail| call.unreadable(detail))?;
    let described = answer
        .members("Stacks")
        .next()
        .ok_or_else(|| call.unreadable("`Stacks` is empty"))?;
    let arn: Arn = described
        .text("StackId")
        .unwrap_or_default()
        .parse()
        .map_err(|error| call.unreadable(format!("`StackId`: {error}")))?;
    let parameters: BTreeMap<String, String> = described
        .members("Parameters")
        .map(|parameter| {
            let text = |name| parameter.text(name).unwrap_or_default().to_owned();
            (text("ParameterKey"), text("ParameterValue"))
        })
        .collect();
    let deployed = Deployed::of(
        &arn,
        described.text("StackStatus").unwrap_or_default(),
        parameters,
    );
    let deployed = deployed.ok_or_else(|| call.unreadable("`StackId` names no account"))?;
    Ok(Deployed {
        resources: resources(config, name).await?,
        ..deployed
    })
}

async fn resources(config: &SdkConfig, name: &str) -> CallResult<Vec<Resource>> {
    let call = Call::new("cloudformation:ListStackResources", name);
    let pages = pages::all(
        &call,
        |page: Option<String>| ask(config, "ListStackResources", name, page.as_deref()),
        |answer| match query::result(&answer, "ListStackResources") {
            Err(_) => (Vec::new(), Err("the answer can't be read")),
            Ok(result) => {
                let next = token(result.text("NextToken"));
                let listed = result.members("StackResourceSummaries");
                (listed.filter_map(resource).collect(), next)
            }
        },
    );
    pages.await
}

/// One that was deleted, or never made, is none.
fn resource(listed: &Element) -> Option<Resource> {
    let text = |name| listed.text(name).unwrap_or_default().to_owned();
    let is_gone = matches!(
        listed.text("ResourceStatus").unwrap_or_default(),
        "DELETE_COMPLETE" | "DELETE_SKIPPED" | "CREATE_FAILED"
    );
    let resource = Resource {
        logical: text("LogicalResourceId"),
        kind: text("ResourceType"),
        id: text("PhysicalResourceId"),
    };
    (!is_gone && !resource.id.is_empty()).then_some(resource)
}
