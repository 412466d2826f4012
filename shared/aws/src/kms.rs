//! AWS KMS.

use std::sync::Arc;

use aws_sdk_kms::Client;
use aws_sdk_kms::types::KeyManagerType;
use copymend_diagnosis::{Key, KeyArn, KeyManager, Tags};
use copymend_remediation::ports::{CallResult, KeyWrites, Keys};
use copymend_remediation::write::ApprovedKeyPolicy;

use crate::accounts::{Accounts, Clients, Target};
use crate::backup::MOST_PAGES;
use crate::config;
use crate::copy_job::{required, text};
use crate::error::Call;

const ABSENT: &str = "NotFoundException";
/// The only policy that decides who may use a key, apart from grants. Newer keys may carry a second one (aws-facts §3).
const POLICY: &str = "default";

/// AWS KMS, called with the credentials of the account that owns the key, in the key's Region.
#[derive(Debug)]
pub struct AwsKeys {
    clients: Clients<Client>,
}

impl AwsKeys {
    pub(crate) fn new(accounts: Arc<Accounts>) -> Self {
        Self {
            clients: Clients::new(accounts, Client::new),
        }
    }

    async fn owner(&self, operation: &'static str, key: &KeyArn) -> CallResult<(Client, Call)> {
        let call = Call::new(operation, key.as_str());
        let target = Target::owner_of(&call, key.arn())?;
        self.clients.of(call, target).await
    }

    pub(crate) async fn put_policy(&self, key: &KeyArn, policy: &str) -> CallResult<()> {
        let (client, call) = self.owner("kms:PutKeyPolicy", key).await?;
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

impl Keys for AwsKeys {
    async fn describe_key(&self, key: &KeyArn) -> CallResult<Option<Key>> {
        let (client, call) = self.owner("kms:DescribeKey", key).await?;
        let request = client.describe_key().key_id(key.as_str());
        let Some(answer) = call.find(ABSENT, request.send()).await? else {
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

    async fn get_key_policy(&self, key: &KeyArn) -> CallResult<Option<String>> {
        let (client, call) = self.owner("kms:GetKeyPolicy", key).await?;
        let request = client
            .get_key_policy()
            .key_id(key.as_str())
            .policy_name(POLICY);
        match call.find(ABSENT, request.send()).await? {
            None => Ok(None),
            Some(answer) => text(answer.policy())
                .map(Some)
                .ok_or_else(|| call.unreadable("`Policy` is missing")),
        }
    }

    async fn list_key_policies(&self, key: &KeyArn) -> CallResult<Vec<String>> {
        let (client, call) = self.owner("kms:ListKeyPolicies", key).await?;
        let mut names = Vec::new();
        let mut next = None;
        for _ in 0..MOST_PAGES {
            let request = client
                .list_key_policies()
                .key_id(key.as_str())
                .set_marker(next);
            let page = call.send(request.send()).await?;
            names.extend(page.policy_names.unwrap_or_default());
            next = text(page.next_marker.as_deref());
            if !page.truncated {
                return Ok(names);
            }
            if next.is_none() {
                return Err(call.unreadable("`Truncated` is true, but `NextMarker` is missing"));
            }
        }
        Err(call.unreadable(format!("more than {MOST_PAGES} pages of policies")))
    }

    async fn list_key_tags(&self, key: &KeyArn) -> CallResult<Tags> {
        let (client, call) = self.owner("kms:ListResourceTags", key).await?;
        let mut tags = Tags::new();
        let mut next = None;
        for _ in 0..MOST_PAGES {
            let request = client
                .list_resource_tags()
                .key_id(key.as_str())
                .set_marker(next);
            let page = call.send(request.send()).await?;
            let tagged = page.tags.unwrap_or_default();
            tags.extend(tagged.into_iter().map(|tag| (tag.tag_key, tag.tag_value)));
            next = text(page.next_marker.as_deref());
            if !page.truncated {
                return Ok(tags);
            }
            if next.is_none() {
                return Err(call.unreadable("`Truncated` is true, but `NextMarker` is missing"));
            }
        }
        Err(call.unreadable(format!("more than {MOST_PAGES} pages of tags")))
    }
}

impl KeyWrites for AwsKeys {
    async fn put_key_policy(&self, change: &ApprovedKeyPolicy) -> CallResult<()> {
        self.put_policy(change.resource(), change.policy()).await
    }
}
