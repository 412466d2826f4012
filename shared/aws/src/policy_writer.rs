//! Who last wrote a policy, by AWS CloudTrail (API reference, `LookupEvents`, documented: 90 days of
//! management events, one attribute a question, 50 events a page, newest first, two calls a second in an
//! account and Region).

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use copymend_diagnosis::{BackupVaultArn, KeyArn};
use copymend_policy::Arn;
use copymend_remediation::ownership::{LastWriter, WritingTool};
use copymend_remediation::ports::{CallErrorKind, CallResult, Clock as _};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::accounts::{Accounts, Clients, Target};
use crate::clock::SystemClock;
use crate::error::Call;
use crate::signed::{Answering, Protocol, Service, send};

const LOOKUP: &str = "cloudtrail:LookupEvents";
const TRAIL: Service = Service {
    prefix: "cloudtrail",
    id: "CloudTrail",
    name: "AWS CloudTrail",
};
const PROTOCOL: Protocol = Protocol {
    headers: &[
        ("content-type", "application/x-amz-json-1.1"),
        (
            "x-amz-target",
            "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents",
        ),
    ],
    target: None,
    error: crate::signed::json::error,
};
/// Two calls a second are allowed.
const BETWEEN_CALLS: Duration = Duration::from_millis(500);
/// A busy account has other writes before that of one policy; a person waits for the answer.
const MOST_PAGES: usize = 20;

/// The event history of every account that can be reached.
#[derive(Debug)]
pub(crate) struct PolicyWriters {
    clients: Clients<SdkConfig>,
}

fn lookup(config: &SdkConfig, event_name: &str, from: Option<&str>) -> Answering {
    let mut body = json!({
        "LookupAttributes": [{ "AttributeKey": "EventName", "AttributeValue": event_name }],
        "MaxResults": 50,
    });
    if let (Some(from), Some(members)) = (from, body.as_object_mut()) {
        members.insert("NextToken".to_owned(), json!(from));
    }
    send(config, TRAIL, PROTOCOL, "LookupEvents", body.to_string())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    events: Vec<Listed>,
    #[serde(default)]
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    cloud_trail_event: String,
}

/// What of an event counts. CloudTrail's user guide, "CloudTrail record contents", documented.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recorded {
    event_time: Timestamp,
    event_name: String,
    #[serde(default)]
    error_code: Option<String>,
    #[serde(default)]
    user_agent: Option<String>,
    #[serde(default)]
    user_identity: Identity,
    #[serde(default)]
    request_parameters: Value,
    #[serde(default)]
    response_elements: Value,
    #[serde(default)]
    resources: Option<Vec<RecordedResource>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Identity {
    arn: Option<String>,
    invoked_by: Option<String>,
}

#[derive(Deserialize)]
struct RecordedResource {
    #[serde(rename = "ARN", default)]
    arn: Option<String>,
}

/// A vault or key whose policy is written.
enum Written {
    Vault(BackupVaultArn),
    Key(KeyArn),
}

impl Written {
    /// The calls that write its policy.
    const fn calls(&self) -> &'static [&'static str] {
        match self {
            Self::Vault(_) => &[
                "PutBackupVaultAccessPolicy",
                "DeleteBackupVaultAccessPolicy",
            ],
            Self::Key(_) => &["PutKeyPolicy", "CreateKey"],
        }
    }

    const fn arn(&self) -> &Arn {
        match self {
            Self::Vault(vault) => vault.arn(),
            Self::Key(key) => key.arn(),
        }
    }

    /// Whether an event wrote it.
    fn is_of(&self, event: &Recorded) -> bool {
        let names_it = |arn: &str| arn == self.arn().as_str();
        let is_listed = event
            .resources
            .iter()
            .flatten()
            .any(|resource| resource.arn.as_deref().is_some_and(names_it));
        let text = |value: &Value, pointer: &str| {
            let found = value.pointer(pointer).and_then(Value::as_str);
            found.map(ToOwned::to_owned)
        };
        let parameters = &event.request_parameters;
        is_listed
            || match self {
                Self::Vault(vault) => {
                    text(parameters, "/backupVaultName").as_deref() == Some(vault.name())
                }
                Self::Key(key) => {
                    let id = key.arn().resource().strip_prefix("key/");
                    let named = text(parameters, "/keyId");
                    let made = text(&event.response_elements, "/keyMetadata/arn");
                    [named, made]
                        .iter()
                        .flatten()
                        .any(|found| names_it(found) || Some(found.as_str()) == id)
                }
            }
    }
}

impl PolicyWriters {
    pub(crate) fn new(accounts: Arc<Accounts>) -> Self {
        Self {
            clients: Clients::new(accounts, Clone::clone),
        }
    }

    /// Who last wrote the policy of a vault or key; `None` where nobody did in the 90 days that CloudTrail
    /// keeps, which says nothing of the time before.
    pub(crate) async fn last(&self, resource: &str) -> CallResult<Option<LastWriter>> {
        let vault = resource.parse().map(Written::Vault).ok();
        let key = || resource.parse().map(Written::Key).ok();
        let Some(written) = vault.or_else(key) else {
            return Ok(None);
        };
        let call = Call::new(LOOKUP, resource);
        let target = Target::owner_of(&call, written.arn())?;
        let (client, call) = self.clients.of(call, target).await?;
        let mut last: Option<LastWriter> = None;
        for name in written.calls() {
            let found = newest(&client, &call, name, &written).await?;
            last = last.into_iter().chain(found).max_by_key(|writer| writer.at);
        }
        Ok(last)
    }
}

/// The newest event of this name that wrote it, and that AWS didn't refuse.
async fn newest(
    client: &SdkConfig,
    call: &Call,
    name: &str,
    written: &Written,
) -> CallResult<Option<LastWriter>> {
    let mut from: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let answer: String = call.send(lookup(client, name, from.as_deref())).await?;
        let page: Page =
            serde_json::from_str(&answer).map_err(|error| call.unreadable(error.to_string()))?;
        for listed in page.events {
            let event: Recorded = serde_json::from_str(&listed.cloud_trail_event)
                .map_err(|error| call.unreadable(format!("`CloudTrailEvent`: {error}")))?;
            if event.error_code.is_none() && written.is_of(&event) {
                let tool = WritingTool::of(
                    event.user_identity.invoked_by.as_deref(),
                    event.user_agent.as_deref(),
                );
                return Ok(Some(LastWriter {
                    at: event.event_time,
                    call: event.event_name,
                    by: event.user_identity.arn,
                    tool,
                    user_agent: event.user_agent,
                }));
            }
        }
        from = page.next_token.filter(|token| !token.is_empty());
        if from.is_none() {
            return Ok(None);
        }
        SystemClock.sleep(BETWEEN_CALLS).await;
    }
    Err(call.error(
        CallErrorKind::Failed,
        format!("CloudTrail has more than {MOST_PAGES} pages of `{name}`, and none of them is of this policy"),
    ))
}
