//! A stack as AWS CloudFormation describes it.

use std::collections::BTreeMap;

use copymend_policy::{AccountId, Arn};

/// One resource of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its name in the template.
    pub logical: String,
    /// Its type, such as `AWS::Events::Rule`.
    pub kind: String,
    /// Its physical id.
    pub id: String,
}

/// A stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// Its name.
    pub name: String,
    /// Its Region.
    pub region: String,
    /// The partition, such as `aws`.
    pub partition: String,
    /// Its account.
    pub account: AccountId,
    /// Its status, such as `UPDATE_COMPLETE`.
    pub status: String,
    /// Its parameters.
    pub parameters: BTreeMap<String, String>,
    /// Its resources.
    pub resources: Vec<Resource>,
}

impl Deployed {
    /// A stack by its ARN (CloudFormation API reference, `Stack`, `StackId`, documented). None where
    /// that names no account.
    #[must_use]
    pub fn of(stack: &Arn, status: &str, parameters: BTreeMap<String, String>) -> Option<Self> {
        let mut path = stack.resource().split('/').skip(1);
        Some(Self {
            name: path.next()?.to_owned(),
            region: stack.region().to_owned(),
            partition: stack.partition().to_owned(),
            account: stack.account_id()?,
            status: status.to_owned(),
            parameters,
            resources: Vec::new(),
        })
    }

    /// The physical id of a resource; none where the stack has none of this name.
    #[must_use]
    pub fn id(&self, logical: &str) -> Option<&str> {
        let mut resources = self.resources.iter();
        let found = resources.find(|resource| resource.logical == logical)?;
        Some(&found.id)
    }

    /// The resources of a type.
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Resource> {
        let resources = self.resources.iter();
        resources.filter(move |resource| resource.kind == kind)
    }

    /// The value of a parameter; empty where there is none.
    #[must_use]
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", |value| value.trim())
    }

    /// The entries of a list.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<&str> {
        let entries = self.parameter(name).split(',').map(str::trim);
        entries.filter(|entry| !entry.is_empty()).collect()
    }

    /// Whether a parameter is `true`.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        self.parameter(name) == "true"
    }

    /// Whether a parameter has a value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        !self.list(name).is_empty()
    }

    /// Whether the function asks people before it writes.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.parameter("Mode") == "approve"
    }

    /// Whether the function may write, by itself or once people approve.
    #[must_use]
    pub fn repairs(&self) -> bool {
        ["approve", "repair"].contains(&self.parameter("Mode"))
    }

    /// Whether the access advisor is deployed.
    #[must_use]
    pub fn has_advisor(&self) -> bool {
        self.id("AccessAdvisor").is_some()
    }

    /// The ARN of something of this account in the stack's Region.
    #[must_use]
    pub fn arn(&self, service: &str, resource: &str) -> String {
        let Self {
            partition,
            region,
            account,
            ..
        } = self;
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    /// The ARN of the bus that reports are events on.
    pub(crate) fn report_bus(&self) -> String {
        self.arn(
            "events",
            &format!("event-bus/{}", self.parameter("ReportBus")),
        )
    }

    /// The ARN of something of this account in a global service.
    #[must_use]
    pub fn global_arn(&self, service: &str, resource: &str) -> String {
        let Self {
            partition, account, ..
        } = self;
        format!("arn:{partition}:{service}::{account}:{resource}")
    }

    /// The ARN of a function by its name in the template.
    #[must_use]
    pub fn function_arn(&self, logical: &str) -> Option<String> {
        let name = self.id(logical)?;
        Some(self.arn("lambda", &format!("function:{name}")))
    }

    /// The ARN of a queue, whose physical id is its URL.
    #[must_use]
    pub fn queue_arn(&self, logical: &str) -> Option<String> {
        let name = self.id(logical)?.rsplit('/').next()?;
        Some(self.arn("sqs", name))
    }

    /// The organization whose member roles are assumed.
    #[must_use]
    pub fn organization(&self) -> &str {
        match self.parameter("HubOrganizationId") {
            "" => self.parameter("OrganizationId"),
            hub => hub,
        }
    }

    /// The domain of the partition's services (AWS SDKs, `partitions.json`, seen).
    #[must_use]
    pub fn domain(&self) -> &'static str {
        match self.partition.as_str() {
            "aws-cn" => "amazonaws.com.cn",
            "aws-eusc" => "amazonaws.eu",
            "aws-iso" => "c2s.ic.gov",
            "aws-iso-b" => "sc2s.sgov.gov",
            "aws-iso-e" => "cloud.adc-e.uk",
            "aws-iso-f" => "csp.hci.ic.gov",
            _ => "amazonaws.com",
        }
    }

    /// Path and name of a role that the templates give a name.
    #[must_use]
    pub fn role(&self, name: &str) -> String {
        let path = match self.parameter("RolePath") {
            "" => "copymend/",
            path => path.trim_start_matches('/'),
        };
        format!("{path}{}{name}", self.parameter("NamePrefix"))
    }
}
