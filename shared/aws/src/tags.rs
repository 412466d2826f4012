//! AWS Resource Groups Tagging API: the tags of a resource, whatever service it is of.
//!
//! One call of its JSON protocol, sent by the SDK's own runtime.

#[cfg(feature = "survey")]
use std::collections::HashMap;
use std::sync::Arc;

use aws_config::SdkConfig;
use copymend_diagnosis::Tags;
use copymend_policy::Arn;
#[cfg(feature = "survey")]
use copymend_policy::ArnError;
use copymend_remediation::ports::{CallResult, Location, ResourceTags};
use serde::Deserialize;

use crate::accounts::{Accounts, Clients, Target};
use crate::error::Call;
use crate::signed::{Answering, Protocol, Service, json, send};

const OPERATION: &str = "tag:GetResources";
/// The most ARNs of one request (API reference, `GetResources`, `ResourceARNList`, documented).
#[cfg(feature = "survey")]
const MOST_ARNS: usize = 100;
const SERVICE: Service = Service {
    prefix: "tagging",
    id: "Resource Groups Tagging API",
    name: "AWS Resource Groups Tagging API",
};
const PROTOCOL: Protocol = Protocol {
    headers: &[("content-type", "application/x-amz-json-1.1")],
    target: Some("ResourceGroupsTaggingAPI_20170126"),
    error: json::error,
};

/// AWS Resource Groups Tagging API, in the account and Region that own a resource.
#[derive(Debug)]
pub struct AwsResourceTags {
    clients: Clients<SdkConfig>,
}

fn get_resources(config: &SdkConfig, arns: &[String]) -> Answering {
    let body = serde_json::json!({ "ResourceARNList": arns }).to_string();
    send(config, SERVICE, PROTOCOL, "GetResources", body)
}

impl AwsResourceTags {
    pub(crate) fn new(accounts: Arc<Accounts>) -> Self {
        Self {
            clients: Clients::new(accounts, Clone::clone),
        }
    }

    /// The tags of those of these resources that have any: `GetResources`, a hundred a call.
    #[cfg(feature = "survey")]
    pub(crate) async fn of_resources(
        &self,
        at: &Location,
        resources: &[Arn],
    ) -> CallResult<HashMap<Arn, Tags>> {
        let mut told = HashMap::new();
        for resources in resources.chunks(MOST_ARNS) {
            let target = Target {
                account: at.account,
                partition: resources.first().map(Arn::partition),
                region: Some(&at.region),
            };
            let call = Call::new(OPERATION, at.account.as_str());
            let (client, call) = self.clients.of(call, target).await?;
            let names: Vec<String> = resources.iter().map(ToString::to_string).collect();
            let answer = call.send(get_resources(&client, &names)).await?;
            let answer: Resources = json::read(&call, &answer)?;
            for mapping in answer.resource_tag_mapping_list {
                let arn = mapping.resource.parse();
                let arn: Arn = arn.map_err(|error: ArnError| call.unreadable(error.to_string()))?;
                let tags = mapping.tags.into_iter();
                told.insert(arn, tags.map(|tag| (tag.key, tag.value)).collect());
            }
        }
        Ok(told)
    }
}

impl ResourceTags for AwsResourceTags {
    async fn tags_of(&self, location: &Location, resource: &Arn) -> CallResult<Option<Tags>> {
        let target = Target {
            account: location.account,
            partition: Some(resource.partition()),
            region: Some(&location.region),
        };
        let call = Call::new(OPERATION, resource.as_str());
        let (client, call) = self.clients.of(call, target).await?;
        let names = names_of(resource, location);
        let answer = call.send(get_resources(&client, &names)).await?;
        read(&answer, &names).map_err(|detail| call.unreadable(detail))
    }
}

/// The ARNs by which the API may know a resource. That of a snapshot or image names no account at
/// AWS Backup; that the API answers it with its account is inferred, so that both are asked for.
fn names_of(resource: &Arn, location: &Location) -> Vec<String> {
    let mut names = vec![resource.to_string()];
    if resource.account().is_empty() {
        names.push(format!(
            "arn:{}:{}:{}:{}:{}",
            resource.partition(),
            resource.service(),
            resource.region(),
            location.account,
            resource.resource()
        ));
    }
    names
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Resources {
    resource_tag_mapping_list: Vec<Mapping>,
}

#[derive(Deserialize)]
struct Mapping {
    #[serde(rename = "ResourceARN")]
    resource: String,
    #[serde(rename = "Tags")]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

/// The tags of the resource with one of these names (API reference, `GetResources`, documented).
fn read(answer: &str, names: &[String]) -> Result<Option<Tags>, String> {
    let answer: Resources = serde_json::from_str(answer).map_err(|error| error.to_string())?;
    let mut mappings = answer.resource_tag_mapping_list.into_iter();
    let Some(found) = mappings.find(|mapping| names.contains(&mapping.resource)) else {
        return Ok(None);
    };
    let tags = found.tags.into_iter();
    Ok(Some(tags.map(|tag| (tag.key, tag.value)).collect()))
}
