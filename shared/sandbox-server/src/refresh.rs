//! Keys and roles as they are at the other endpoint: before the sandbox judges, what really is
//! there is put into the world.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use copymend_diagnosis::{BackupVaultArn, KeyArn, KeyManager, RoleArn};
use copymend_policy::{AccountId, Arn};
use copymend_sandbox::{Key, PermissionsBoundary, PolicyText, Role, SERVICE_LINKED_ROLE, Sandbox};
use serde_json::{Value, json};

use crate::error::AwsError;
use crate::upstream::{Upstream, query, unavailable};
use crate::xml;

const IAM_VERSION: &str = "2010-05-08";

/// The Region in which a partition's global services are called (documented: AWS General Reference,
/// "IAM endpoints").
pub(crate) fn global_region(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "cn-north-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    }
}

impl Upstream {
    /// Puts into the world what the other endpoint knows of everything that this copy depends on.
    pub(crate) async fn refresh_copy(
        &self,
        sandbox: &Sandbox,
        source_vault: &BackupVaultArn,
        recovery_point: &Arn,
        destination_vault: &BackupVaultArn,
        role: &RoleArn,
    ) -> Result<(), AwsError> {
        if self.endpoint().is_none() {
            return Ok(());
        }
        let keys: BTreeSet<KeyArn> = sandbox.with_world(|world| {
            let of_point = world
                .recovery_point(source_vault, recovery_point)
                .map(|point| point.keys().into_iter().cloned().collect::<Vec<KeyArn>>())
                .unwrap_or_default();
            let of_vault = world
                .vault(destination_vault)
                .and_then(|vault| vault.encryption_key_arn.clone());
            // AWS managed keys are this world's own: nobody can change them.
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
            self.refresh_key(sandbox, &key).await?;
        }
        self.refresh_role(sandbox, role).await?;
        if let Some(account) = destination_vault.account_id() {
            self.refresh_service_linked_role(sandbox, account).await?;
        }
        Ok(())
    }

    async fn refresh_key(&self, sandbox: &Sandbox, arn: &KeyArn) -> Result<(), AwsError> {
        let Some(account) = arn.account_id() else {
            return Ok(());
        };
        let described = self.kms(account, arn, "DescribeKey").await?;
        let policy = self.kms(account, arn, "GetKeyPolicy").await?;
        let before = sandbox.with_world(|world| world.key(arn).cloned());
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
        if let Some(before) = before {
            key.alias = before.alias;
            key.other_policies = before.other_policies;
            key.tags = before.tags;
        }
        sandbox.with_world(|world| world.set_key(arn, key));
        Ok(())
    }

    /// The answer of a KMS operation; `None` where KMS doesn't know the key.
    async fn kms(
        &self,
        account: AccountId,
        key: &KeyArn,
        operation: &str,
    ) -> Result<Option<Value>, AwsError> {
        let body = match operation {
            "GetKeyPolicy" => json!({"KeyId": key, "PolicyName": "default"}),
            _ => json!({"KeyId": key}),
        };
        let target = format!("TrentService.{operation}");
        let answer = self
            .call(
                account,
                "kms",
                key.region(),
                Some(&target),
                body.to_string(),
            )
            .await?;
        match answer {
            None => Ok(None),
            Some((StatusCode::OK, text)) => {
                serde_json::from_str(&text).map(Some).map_err(unavailable)
            }
            Some((_, text)) if text.contains("NotFoundException") => Ok(None),
            Some((status, text)) => Err(unavailable(format!(
                "{operation} on {key} answers {status}: {text}"
            ))),
        }
    }

    async fn refresh_service_linked_role(
        &self,
        sandbox: &Sandbox,
        account: AccountId,
    ) -> Result<(), AwsError> {
        let name = [("RoleName", SERVICE_LINKED_ROLE)];
        let iam = self.iam_of(sandbox, account);
        let exists = iam.read("GetRole", &name).await?.is_some();
        sandbox.with_world(|world| {
            if let Some(account) = world.account_mut(account) {
                account.service_linked_role = exists;
            }
        });
        Ok(())
    }

    /// Puts a role into the world as IAM has it, or takes it out where IAM doesn't know it.
    pub(crate) async fn refresh_role(
        &self,
        sandbox: &Sandbox,
        arn: &RoleArn,
    ) -> Result<(), AwsError> {
        let Some(account) = arn.account_id().filter(|_| self.endpoint().is_some()) else {
            return Ok(());
        };
        if arn.name() == SERVICE_LINKED_ROLE {
            return self.refresh_service_linked_role(sandbox, account).await;
        }
        let role = self.iam_of(sandbox, account).role(arn.name()).await?;
        sandbox.with_world(|world| {
            if let Some(account) = world.account_mut(account) {
                match role {
                    Some(role) => account.roles.insert(arn.name().to_owned(), role),
                    None => account.roles.remove(arn.name()),
                };
            }
        });
        Ok(())
    }

    fn iam_of(&self, sandbox: &Sandbox, account: AccountId) -> Iam<'_> {
        let region = sandbox.with_world(|world| {
            let account = world.account(account);
            global_region(account.map_or("aws", |account| account.partition.as_str()))
        });
        Iam {
            upstream: self,
            account,
            region,
        }
    }
}

/// IAM of one account at the other endpoint.
struct Iam<'a> {
    upstream: &'a Upstream,
    account: AccountId,
    region: &'a str,
}

impl Iam<'_> {
    async fn role(&self, name: &str) -> Result<Option<Role>, AwsError> {
        let by_name = ("RoleName", name);
        let Some(found) = self.read("GetRole", &[by_name]).await? else {
            return Ok(None);
        };
        let mut role = Role {
            path: xml::text(&found, "Path").unwrap_or_else(|| "/".to_owned()),
            trust_policy: document(&found, "AssumeRolePolicyDocument"),
            policies: BTreeMap::new(),
            managed_policies: Vec::new(),
            permissions_boundary: None,
            created: xml::text(&found, "CreateDate").and_then(|date| date.parse().ok()),
        };
        let listed = self.read("ListRolePolicies", &[by_name]).await?;
        for policy in xml::members(listed.as_deref().unwrap_or_default(), "PolicyNames") {
            let policy = xml::unescaped(policy);
            let parameters = [by_name, ("PolicyName", policy.as_str())];
            let read = self.read("GetRolePolicy", &parameters).await?;
            if let Some(text) = read.and_then(|read| document(&read, "PolicyDocument")) {
                role.policies.insert(policy, text);
            }
        }
        let listed = self.read("ListAttachedRolePolicies", &[by_name]).await?;
        for attached in xml::members(listed.as_deref().unwrap_or_default(), "AttachedPolicies") {
            let Some(arn) = xml::text(attached, "PolicyArn") else {
                continue;
            };
            match self.managed_policy(&arn).await? {
                Some(text) => {
                    role.policies.insert(arn, text);
                }
                // The world knows some of AWS's own.
                None => role.managed_policies.push(arn),
            }
        }
        if let Some(arn) = xml::text(&found, "PermissionsBoundaryArn") {
            let policy = self.managed_policy(&arn).await?;
            let (Some(policy), Ok(parsed)) = (policy, arn.parse()) else {
                return Err(unavailable(format!("the boundary {arn} can't be read")));
            };
            role.permissions_boundary = Some(PermissionsBoundary {
                arn: parsed,
                policy,
            });
        }
        Ok(Some(role))
    }

    /// The default version of a managed policy; `None` where IAM doesn't know it.
    async fn managed_policy(&self, arn: &str) -> Result<Option<PolicyText>, AwsError> {
        let by_arn = ("PolicyArn", arn);
        let Some(policy) = self.read("GetPolicy", &[by_arn]).await? else {
            return Ok(None);
        };
        let version = xml::text(&policy, "DefaultVersionId").unwrap_or_else(|| "v1".to_owned());
        let parameters = [by_arn, ("VersionId", version.as_str())];
        let read = self.read("GetPolicyVersion", &parameters).await?;
        Ok(read.and_then(|read| document(&read, "Document")))
    }

    /// The answer of an operation; `None` where IAM doesn't know what was asked about.
    async fn read(
        &self,
        operation: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Option<String>, AwsError> {
        let body = query(operation, IAM_VERSION, parameters);
        let call = self
            .upstream
            .call(self.account, "iam", self.region, None, body);
        match call.await? {
            None => Ok(None),
            Some((StatusCode::OK, text)) => Ok(Some(text)),
            Some((_, text)) if text.contains("NoSuchEntity") => Ok(None),
            Some((status, text)) => Err(unavailable(format!(
                "{operation} in {} answers {status}: {text}",
                self.account
            ))),
        }
    }
}

/// A policy in an answer of IAM, which writes it percent-encoded (documented: IAM API reference,
/// `GetRolePolicy`).
fn document(answer: &str, element: &str) -> Option<PolicyText> {
    let text = xml::text(answer, element)?;
    let text = if text.starts_with('{') {
        text
    } else {
        // As a form reads it, but a plus is a plus.
        form_urlencoded::parse(text.replace('+', "%2B").as_bytes())
            .next()?
            .0
            .into_owned()
    };
    Some(PolicyText::new(text))
}

#[cfg(test)]
mod tests {
    use super::document;

    #[test]
    fn a_policy_is_read_percent_encoded_or_plain() {
        let plain = r#"{"Sid": "a+b=c&d"}"#;
        let encoded = "%7B%22Sid%22%3A%20%22a+b%3Dc%26d%22%7D";
        for text in ["{&quot;Sid&quot;: &quot;a+b=c&amp;d&quot;}", encoded] {
            let answer = format!("<R><PolicyDocument>{text}</PolicyDocument></R>");
            let policy = document(&answer, "PolicyDocument").expect("a policy");
            assert_eq!(policy.as_str(), plain);
        }
    }
}
