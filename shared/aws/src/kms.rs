//! AWS KMS.

use std::marker::PhantomData;
use std::sync::Arc;

use aws_config::SdkConfig;
use copymend_diagnosis::{Key, KeyAliasArn, KeyArn, KeyManager, Tags};
use copymend_policy::Arn;
use copymend_remediation::ports::{CallResult, KeyWrites, Keys};
use copymend_remediation::write::ApprovedKeyPolicy;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::ReadWrite;
use crate::accounts::{Accounts, Clients, Target};
use crate::error::Call;
use crate::member::{required, text};
use crate::signed::json::{error, read};
use crate::signed::{Answering, Protocol, Service, send};
use crate::{config, pages};

const SERVICE: Service = Service {
    prefix: "kms",
    id: "KMS",
    name: "AWS KMS",
};
const PROTOCOL: Protocol = Protocol {
    headers: &[("content-type", "application/x-amz-json-1.1")],
    target: Some("TrentService"),
    error,
};

const ABSENT: &str = "NotFoundException";
/// The policy that decides who may use a key. A key may carry another one beside it, which is
/// listed, but not read.
const POLICY: &str = "default";

/// The most that `ListAliases` answers at once.
const ALIASES_A_PAGE: i32 = 100;

fn ask(config: &SdkConfig, action: &'static str, body: &Value) -> Answering {
    send(config, SERVICE, PROTOCOL, action, body.to_string())
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DescribeKey {
    key_metadata: Option<KeyMetadata>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct KeyMetadata {
    arn: Option<String>,
    key_manager: Option<String>,
    key_state: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct GetKeyPolicy {
    policy: Option<String>,
}

/// A page of `ListAliases`, `ListKeyPolicies` or `ListResourceTags`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Page {
    aliases: Option<Vec<Alias>>,
    policy_names: Option<Vec<String>>,
    tags: Option<Vec<Tag>>,
    next_marker: Option<String>,
    truncated: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Alias {
    alias_name: Option<String>,
    target_key_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Tag {
    tag_key: String,
    tag_value: String,
}

/// All items of a list about a key; without a key, of the account and Region.
async fn list<T: Send>(
    config: &SdkConfig,
    call: &Call,
    action: &'static str,
    key: Option<&KeyArn>,
    items: fn(Page) -> Option<Vec<T>>,
) -> CallResult<Vec<T>> {
    pages::of(
        call,
        |from| {
            let mut body = match key {
                Some(key) => json!({ "KeyId": key.as_str() }),
                None => json!({ "Limit": ALIASES_A_PAGE }),
            };
            if let (Some(from), Some(body)) = (from, body.as_object_mut()) {
                body.insert("Marker".to_owned(), from.into());
            }
            ask(config, action, &body)
        },
        |page| {
            let page: Page = read(call, page)?;
            let next = pages::marker(
                page.truncated.unwrap_or_default(),
                page.next_marker.as_deref(),
            );
            Ok((items(page).unwrap_or_default(), next))
        },
    )
    .await
}

/// AWS KMS, called with the credentials of the account that owns the key, in the key's Region.
/// `Access` is [`ReadOnly`](crate::ReadOnly) or [`ReadWrite`].
#[derive(Debug)]
pub struct AwsKeys<Access> {
    clients: Clients<SdkConfig>,
    access: PhantomData<fn() -> Access>,
}

impl<Access> AwsKeys<Access> {
    pub(crate) fn new(accounts: Arc<Accounts>) -> Self {
        Self {
            clients: Clients::new(accounts, Clone::clone),
            access: PhantomData,
        }
    }

    async fn owner(
        &self,
        operation: &'static str,
        key_or_alias: &Arn,
    ) -> CallResult<(SdkConfig, Call)> {
        let call = Call::new(operation, key_or_alias.as_str());
        let target = Target::owner_of(&call, key_or_alias)?;
        self.clients.of(call, target).await
    }

    /// The target of an alias that AWS made, from the list of all: describing it would make its
    /// key.
    async fn key_of_predefined_alias(&self, alias: &KeyAliasArn) -> CallResult<Option<KeyArn>> {
        let (config, call) = self.owner("kms:ListAliases", alias.arn()).await?;
        let aliases = list(&config, &call, "ListAliases", None, |page| page.aliases).await?;
        let found = aliases
            .iter()
            .find(|found| found.alias_name.as_deref() == Some(alias.name()));
        let key_id = found.and_then(|found| text(found.target_key_id.as_deref()));
        key_id
            .map(|id| {
                let arn = alias.arn();
                format!(
                    "arn:{}:kms:{}:{}:key/{id}",
                    arn.partition(),
                    arn.region(),
                    arn.account()
                )
                .parse()
                .map_err(|error| call.unreadable(format!("`TargetKeyId`: {error}")))
            })
            .transpose()
    }
}

impl AwsKeys<ReadWrite> {
    pub(crate) async fn put_policy(&self, key: &KeyArn, policy: &str) -> CallResult<()> {
        let (config, call) = self.owner("kms:PutKeyPolicy", key.arn()).await?;
        let body = json!({ "KeyId": key.as_str(), "PolicyName": POLICY, "Policy": policy });
        let config = config::sent_once(&config);
        call.send(ask(&config, "PutKeyPolicy", &body)).await?;
        Ok(())
    }
}

impl<Access> Keys for AwsKeys<Access> {
    async fn describe_key(&self, key: &KeyArn) -> CallResult<Option<Key>> {
        let (config, call) = self.owner("kms:DescribeKey", key.arn()).await?;
        let request = ask(&config, "DescribeKey", &json!({ "KeyId": key.as_str() }));
        let Some(answer) = call.find(&[ABSENT], request).await? else {
            return Ok(None);
        };
        let answer: DescribeKey = read(&call, &answer)?;
        let metadata = answer
            .key_metadata
            .ok_or_else(|| call.unreadable("`KeyMetadata` is missing"))?;
        let manager = match metadata.key_manager.as_deref() {
            Some("AWS") => KeyManager::Aws,
            Some("CUSTOMER") => KeyManager::Customer,
            Some(other) => return Err(call.unreadable(format!("`KeyManager` is `{other}`"))),
            None => return Err(call.unreadable("`KeyManager` is missing")),
        };
        let state = metadata
            .key_state
            .ok_or_else(|| call.unreadable("`KeyState` is missing"))?;
        Ok(Some(Key {
            arn: required("Arn", metadata.arn.as_deref())
                .map_err(|detail| call.unreadable(detail))?,
            manager,
            state,
        }))
    }

    async fn key_of_alias(&self, alias: &KeyAliasArn) -> CallResult<Option<KeyArn>> {
        if alias.is_predefined() {
            return self.key_of_predefined_alias(alias).await;
        }
        let (config, call) = self.owner("kms:DescribeKey", alias.arn()).await?;
        let request = ask(&config, "DescribeKey", &json!({ "KeyId": alias.as_str() }));
        let Some(answer) = call.find(&[ABSENT], request).await? else {
            return Ok(None);
        };
        let answer: DescribeKey = read(&call, &answer)?;
        let metadata = answer
            .key_metadata
            .ok_or_else(|| call.unreadable("`KeyMetadata` is missing"))?;
        required("Arn", metadata.arn.as_deref())
            .map(Some)
            .map_err(|detail| call.unreadable(detail))
    }

    async fn get_key_policy(&self, key: &KeyArn) -> CallResult<Option<String>> {
        let (config, call) = self.owner("kms:GetKeyPolicy", key.arn()).await?;
        let body = json!({ "KeyId": key.as_str(), "PolicyName": POLICY });
        let request = ask(&config, "GetKeyPolicy", &body);
        let Some(answer) = call.find(&[ABSENT], request).await? else {
            return Ok(None);
        };
        let answer: GetKeyPolicy = read(&call, &answer)?;
        text(answer.policy.as_deref())
            .map(Some)
            .ok_or_else(|| call.unreadable("`Policy` is missing"))
    }

    async fn list_key_policies(&self, key: &KeyArn) -> CallResult<Vec<String>> {
        let (config, call) = self.owner("kms:ListKeyPolicies", key.arn()).await?;
        let names = |page: Page| page.policy_names;
        list(&config, &call, "ListKeyPolicies", Some(key), names).await
    }

    async fn list_key_tags(&self, key: &KeyArn) -> CallResult<Tags> {
        let (config, call) = self.owner("kms:ListResourceTags", key.arn()).await?;
        let tags = |page: Page| page.tags;
        let tags = list(&config, &call, "ListResourceTags", Some(key), tags).await?;
        Ok(tags
            .into_iter()
            .map(|tag| (tag.tag_key, tag.tag_value))
            .collect())
    }
}

impl KeyWrites for AwsKeys<ReadWrite> {
    async fn put_key_policy(&self, change: &ApprovedKeyPolicy) -> CallResult<()> {
        self.put_policy(change.resource(), change.policy()).await
    }
}
