//! Keys and service-linked roles as they are at the other endpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;
use copymend_diagnosis::{BackupVaultArn, KeyArn, KeyManager};
use copymend_policy::{AccountId, Arn};
use copymend_sandbox::{Key, PolicyText, SERVICE_LINKED_ROLE, Sandbox};
use serde_json::{Value, json};

use crate::error::AwsError;
use crate::http::{AwsCall, Endpoint};

/// Whose call an access key without any record is.
const UNKNOWN_ACCOUNT: &str = "123456789012";

/// The other endpoint, if there is one, and what was learned from it.
pub(crate) struct Keys {
    endpoint: Option<Endpoint>,
    accounts: Mutex<BTreeMap<String, AccountId>>,
    assumed: Mutex<BTreeMap<AccountId, String>>,
}

fn unavailable(error: impl Into<Box<dyn std::error::Error>>) -> AwsError {
    AwsError::new("ServiceUnavailableException", error.into().to_string())
}

/// The text of an element in one of the small XML answers of STS.
fn element<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    let after = xml.split_once(&format!("<{name}>"))?.1;
    Some(after.split_once("</")?.0.trim())
}

impl Keys {
    pub(crate) const fn new(endpoint: Option<Endpoint>) -> Self {
        Self {
            endpoint,
            accounts: Mutex::new(BTreeMap::new()),
            assumed: Mutex::new(BTreeMap::new()),
        }
    }

    /// The account that an access key acts in. Without another endpoint the key is the account's id itself.
    pub(crate) async fn account_of(&self, access_key: &str) -> Result<AccountId, AwsError> {
        let known = self
            .accounts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(access_key)
            .copied();
        if let Some(account) = known {
            return Ok(account);
        }
        let text = match &self.endpoint {
            None => access_key.to_owned(),
            Some(endpoint) => {
                let (_, xml) = endpoint
                    .send(AwsCall {
                        service: "sts",
                        region: "us-east-1",
                        access_key,
                        target: None,
                        body: "Action=GetCallerIdentity&Version=2011-06-15".to_owned(),
                    })
                    .await
                    .map_err(unavailable)?;
                element(&xml, "Account")
                    .unwrap_or(UNKNOWN_ACCOUNT)
                    .to_owned()
            }
        };
        let account = text
            .parse()
            .or_else(|_| UNKNOWN_ACCOUNT.parse())
            .map_err(unavailable)?;
        self.accounts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(access_key.to_owned(), account);
        Ok(account)
    }

    async fn access_key(
        &self,
        endpoint: &Endpoint,
        account: AccountId,
    ) -> Result<String, AwsError> {
        let known = self
            .assumed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&account)
            .cloned();
        if let Some(key) = known {
            return Ok(key);
        }
        let body = format!(
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::{account}:role/backup-endpoint&RoleSessionName=endpoint"
        );
        let call = AwsCall {
            service: "sts",
            region: "us-east-1",
            access_key: "AKIAENDPOINT",
            target: None,
            body,
        };
        let (_, xml) = endpoint.send(call).await.map_err(unavailable)?;
        let key = element(&xml, "AccessKeyId")
            .ok_or_else(|| unavailable(format!("AssumeRole in {account} answers {xml}")))?
            .to_owned();
        self.assumed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(account, key.clone());
        Ok(key)
    }

    /// Puts into the world what the other endpoint knows of everything that this copy depends on.
    pub(crate) async fn refresh(
        &self,
        sandbox: &Sandbox,
        source_vault: &BackupVaultArn,
        recovery_point: &Arn,
        destination_vault: &BackupVaultArn,
    ) -> Result<(), AwsError> {
        let Some(endpoint) = &self.endpoint else {
            return Ok(());
        };
        let keys: BTreeSet<KeyArn> = sandbox.with_world(|world| {
            let of_point = world
                .recovery_point(source_vault, recovery_point)
                .and_then(|point| point.encryption_key_arn.clone());
            let of_vault = world
                .vault(destination_vault)
                .and_then(|vault| vault.encryption_key_arn.clone());
            // AWS managed keys are this world's own: no other endpoint tells them from customer managed ones.
            let is_aws = |key: &KeyArn| {
                world
                    .key(key)
                    .is_some_and(|key| key.manager == KeyManager::Aws)
            };
            of_point
                .into_iter()
                .chain(of_vault)
                .filter(|key| !is_aws(key))
                .collect()
        });
        for key in keys {
            self.refresh_key(endpoint, sandbox, &key).await?;
        }
        if let Some(account) = destination_vault.account_id() {
            self.refresh_role(endpoint, sandbox, account).await?;
        }
        Ok(())
    }

    async fn refresh_key(
        &self,
        endpoint: &Endpoint,
        sandbox: &Sandbox,
        arn: &KeyArn,
    ) -> Result<(), AwsError> {
        let Some(account) = arn.account_id() else {
            return Ok(());
        };
        let described = self.kms(endpoint, account, arn, "DescribeKey").await?;
        let policy = self.kms(endpoint, account, arn, "GetKeyPolicy").await?;
        let tags = sandbox.with_world(|world| world.key(arn).map(|key| key.tags.clone()));
        let policy = policy
            .as_ref()
            .and_then(|answer| answer.get("Policy")?.as_str());
        let (Some(described), Some(policy)) = (described, policy) else {
            sandbox.with_world(|world| world.remove_key(arn));
            return Ok(());
        };
        let state = described
            .pointer("/KeyMetadata/KeyState")
            .and_then(Value::as_str);
        let mut key = Key::customer_managed(policy, state.unwrap_or("Enabled"));
        key.policy = Some(PolicyText::new(policy));
        key.tags = tags.unwrap_or_default();
        sandbox.with_world(|world| world.set_key(arn, key));
        Ok(())
    }

    /// The answer of a KMS operation; `None` where KMS doesn't know the key.
    async fn kms(
        &self,
        endpoint: &Endpoint,
        account: AccountId,
        key: &KeyArn,
        operation: &str,
    ) -> Result<Option<Value>, AwsError> {
        let access_key = self.access_key(endpoint, account).await?;
        let body = match operation {
            "GetKeyPolicy" => json!({"KeyId": key, "PolicyName": "default"}),
            _ => json!({"KeyId": key}),
        };
        let call = AwsCall {
            service: "kms",
            region: key.region(),
            access_key: &access_key,
            target: Some(&format!("TrentService.{operation}")),
            body: body.to_string(),
        };
        let (status, text) = endpoint.send(call).await.map_err(unavailable)?;
        match status {
            StatusCode::OK => serde_json::from_str(&text).map(Some).map_err(unavailable),
            _ if text.contains("NotFoundException") => Ok(None),
            // moto lets a Deny of everything hide a key's state, though not its policy.
            _ if text.contains("AccessDeniedException") => Ok(Some(Value::Null)),
            _ => Err(unavailable(format!(
                "{operation} on {key} answers {status}: {text}"
            ))),
        }
    }

    async fn refresh_role(
        &self,
        endpoint: &Endpoint,
        sandbox: &Sandbox,
        account: AccountId,
    ) -> Result<(), AwsError> {
        let access_key = self.access_key(endpoint, account).await?;
        let call = AwsCall {
            service: "iam",
            region: "us-east-1",
            access_key: &access_key,
            target: None,
            body: format!("Action=GetRole&Version=2010-05-08&RoleName={SERVICE_LINKED_ROLE}"),
        };
        let (status, text) = endpoint.send(call).await.map_err(unavailable)?;
        let exists = match status {
            StatusCode::OK => true,
            _ if text.contains("NoSuchEntity") => false,
            _ => {
                return Err(unavailable(format!(
                    "GetRole in {account} answers {status}: {text}"
                )));
            }
        };
        sandbox.with_world(|world| {
            if let Some(account) = world.account_mut(account) {
                account.service_linked_role = exists;
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::element;

    #[test]
    fn an_element_is_found_in_an_answer() {
        let xml = "<R><Result><Account>111122223333</Account>\n</Result></R>";
        assert_eq!(element(xml, "Account"), Some("111122223333"));
        assert_eq!(element(xml, "Arn"), None);
    }
}
