//! AWS KMS.

use std::marker::PhantomData;
use std::sync::Arc;

use aws_sdk_kms::Client;
use aws_sdk_kms::types::KeyManagerType;
use copymend_diagnosis::{Key, KeyAliasArn, KeyArn, KeyManager, Tags};
use copymend_policy::Arn;
use copymend_remediation::ports::{CallResult, KeyWrites, Keys};
use copymend_remediation::write::ApprovedKeyPolicy;

use crate::access::ReadWrite;
use crate::accounts::{Accounts, Clients, Target};
use crate::error::Call;
use crate::member::{required, text};
use crate::{config, pages};

const ABSENT: &str = "NotFoundException";
/// The policy that decides who may use a key. A key may carry another one beside it, which is
/// listed, but not read.
const POLICY: &str = "default";

/// The most that `ListAliases` answers at once.
const ALIASES_A_PAGE: i32 = 100;

/// AWS KMS, called with the credentials of the account that owns the key, in the key's Region.
/// `Access` is [`ReadOnly`](crate::ReadOnly) or [`ReadWrite`].
#[derive(Debug)]
pub struct AwsKeys<Access> {
    clients: Clients<Client>,
    access: PhantomData<fn() -> Access>,
}

impl<Access> AwsKeys<Access> {
    pub(crate) fn new(accounts: Arc<Accounts>) -> Self {
        Self {
            clients: Clients::new(accounts, Client::new),
            access: PhantomData,
        }
    }

    async fn owner(
        &self,
        operation: &'static str,
        key_or_alias: &Arn,
    ) -> CallResult<(Client, Call)> {
        let call = Call::new(operation, key_or_alias.as_str());
        let target = Target::owner_of(&call, key_or_alias)?;
        self.clients.of(call, target).await
    }

    /// The target of an alias that AWS made, from the list of all: describing it would make its
    /// key.
    async fn key_of_predefined_alias(&self, alias: &KeyAliasArn) -> CallResult<Option<KeyArn>> {
        let (client, call) = self.owner("kms:ListAliases", alias.arn()).await?;
        let request = client.list_aliases().limit(ALIASES_A_PAGE);
        let aliases = pages::all(
            &call,
            |from| request.clone().set_marker(from).send(),
            |page| {
                let next = pages::marker(page.truncated, page.next_marker.as_deref());
                (page.aliases.unwrap_or_default(), next)
            },
        )
        .await?;
        let found = aliases
            .iter()
            .find(|found| found.alias_name() == Some(alias.name()));
        let key_id = found.and_then(|found| text(found.target_key_id()));
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
        let (client, call) = self.owner("kms:PutKeyPolicy", key.arn()).await?;
        let request = client
            .put_key_policy()
            .key_id(key.as_str())
            .policy_name(POLICY)
            .policy(policy)
            .customize()
            .config_override(aws_sdk_kms::config::Builder::new().retry_config(config::once()));
        call.send(request.send()).await?;
        Ok(())
    }
}

impl<Access> Keys for AwsKeys<Access> {
    async fn describe_key(&self, key: &KeyArn) -> CallResult<Option<Key>> {
        let (client, call) = self.owner("kms:DescribeKey", key.arn()).await?;
        let request = client.describe_key().key_id(key.as_str());
        let Some(answer) = call.find(&[ABSENT], request.send()).await? else {
            return Ok(None);
        };
        let metadata = answer
            .key_metadata()
            .ok_or_else(|| call.unreadable("`KeyMetadata` is missing"))?;
        let manager = match metadata.key_manager().map(KeyManagerType::as_str) {
            Some("AWS") => KeyManager::Aws,
            Some("CUSTOMER") => KeyManager::Customer,
            Some(other) => return Err(call.unreadable(format!("`KeyManager` is `{other}`"))),
            None => return Err(call.unreadable("`KeyManager` is missing")),
        };
        let state = metadata
            .key_state()
            .ok_or_else(|| call.unreadable("`KeyState` is missing"))?;
        Ok(Some(Key {
            arn: required("Arn", metadata.arn()).map_err(|detail| call.unreadable(detail))?,
            manager,
            state: state.as_str().to_owned(),
        }))
    }

    async fn key_of_alias(&self, alias: &KeyAliasArn) -> CallResult<Option<KeyArn>> {
        if alias.is_predefined() {
            return self.key_of_predefined_alias(alias).await;
        }
        let (client, call) = self.owner("kms:DescribeKey", alias.arn()).await?;
        let request = client.describe_key().key_id(alias.as_str());
        let Some(answer) = call.find(&[ABSENT], request.send()).await? else {
            return Ok(None);
        };
        let metadata = answer
            .key_metadata()
            .ok_or_else(|| call.unreadable("`KeyMetadata` is missing"))?;
        required("Arn", metadata.arn())
            .map(Some)
            .map_err(|detail| call.unreadable(detail))
    }

    async fn get_key_policy(&self, key: &KeyArn) -> CallResult<Option<String>> {
        let (client, call) = self.owner("kms:GetKeyPolicy", key.arn()).await?;
        let request = client
            .get_key_policy()
            .key_id(key.as_str())
            .policy_name(POLICY);
        match call.find(&[ABSENT], request.send()).await? {
            None => Ok(None),
            Some(answer) => text(answer.policy())
                .map(Some)
                .ok_or_else(|| call.unreadable("`Policy` is missing")),
        }
    }

    async fn list_key_policies(&self, key: &KeyArn) -> CallResult<Vec<String>> {
        let (client, call) = self.owner("kms:ListKeyPolicies", key.arn()).await?;
        let request = client.list_key_policies().key_id(key.as_str());
        pages::all(
            &call,
            |from| request.clone().set_marker(from).send(),
            |page| {
                let next = pages::marker(page.truncated, page.next_marker.as_deref());
                (page.policy_names.unwrap_or_default(), next)
            },
        )
        .await
    }

    async fn list_key_tags(&self, key: &KeyArn) -> CallResult<Tags> {
        let (client, call) = self.owner("kms:ListResourceTags", key.arn()).await?;
        let request = client.list_resource_tags().key_id(key.as_str());
        let tags = pages::all(
            &call,
            |from| request.clone().set_marker(from).send(),
            |page| {
                let next = pages::marker(page.truncated, page.next_marker.as_deref());
                (page.tags.unwrap_or_default(), next)
            },
        )
        .await?;
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
