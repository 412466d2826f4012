//! AWS KMS.

use copymend_diagnosis::{Key, KeyAliasArn, KeyArn, Tags};
use copymend_policy::PolicyDocument;
use copymend_remediation::ports::{CallErrorKind, CallResult, Clock, KeyWrites, Keys};
use copymend_remediation::write::ApprovedKeyPolicy;

use crate::order::in_another_order;
use crate::own_calls;
use crate::sandbox::Sandbox;
use crate::world::PolicyText;
use crate::writes::WriteError;

impl Keys for Sandbox {
    /// AWS owned keys can't be viewed (documented: KMS developer guide, "AWS KMS keys"; the words
    /// are unverified).
    async fn describe_key(&self, key: &KeyArn) -> CallResult<Option<Key>> {
        let calling = self.calling("kms:DescribeKey", key);
        if self.with_world(|world| world.is_aws_owned(key)) {
            return calling
                .refused(
                    CallErrorKind::AccessDenied,
                    "AccessDeniedException: nobody but AWS can look at a key that AWS owns",
                )
                .await;
        }
        calling
            .in_account(key.account_id(), |world| {
                world.key(key).map(|found| Key {
                    arn: key.clone(),
                    manager: found.manager,
                    state: found.state.clone(),
                })
            })
            .await
    }

    async fn key_of_alias(&self, alias: &KeyAliasArn) -> CallResult<Option<KeyArn>> {
        let operation = if alias.is_predefined() {
            "kms:ListAliases"
        } else {
            "kms:DescribeKey"
        };
        self.calling(operation, alias)
            .in_account(alias.account_id(), |world| world.key_of_alias(alias))
            .await
    }

    /// The lists of every statement come in another order each time, as from AWS KMS (seen:
    /// aws/aws-cli#9456, hashicorp/terraform-provider-aws#39788).
    async fn get_key_policy(&self, key: &KeyArn) -> CallResult<Option<String>> {
        let turn = self.next_turn();
        self.calling("kms:GetKeyPolicy", key)
            .in_account(key.account_id(), |world| {
                let policy = world.key(key)?.policy.as_ref()?;
                Some(in_another_order(policy.as_str(), turn))
            })
            .await
    }

    async fn list_key_policies(&self, key: &KeyArn) -> CallResult<Vec<String>> {
        let calling = self.calling("kms:ListKeyPolicies", key);
        calling
            .in_account(key.account_id(), |world| {
                world.key(key).map(|found| {
                    std::iter::once("default".to_owned())
                        .chain(found.other_policies.iter().cloned())
                        .collect()
                })
            })
            .await?
            .ok_or_else(|| calling.error(CallErrorKind::Failed, "NotFoundException: no such key"))
    }

    async fn list_key_tags(&self, key: &KeyArn) -> CallResult<Tags> {
        let calling = self.calling("kms:ListResourceTags", key);
        calling
            .in_account(key.account_id(), |world| {
                world.key(key).map(|found| found.tags.clone())
            })
            .await?
            .ok_or_else(|| calling.error(CallErrorKind::Failed, "NotFoundException: no such key"))
    }
}

impl KeyWrites for Sandbox {
    async fn put_key_policy(&self, change: &ApprovedKeyPolicy) -> CallResult<()> {
        let key = change.resource();
        let calling = self.calling("kms:PutKeyPolicy", key);
        let now = self.clock.now();
        let result = calling.in_account(key.account_id(), |world| {
            let keeps_control = PolicyDocument::parse(change.policy())
                .is_ok_and(|policy| own_calls::keeps_control(world, key, &policy, now));
            let before = world.put_key_policy(key, change.policy())?;
            if keeps_control {
                return Ok(before);
            }
            if let Some(found) = world.key_mut(key) {
                found.policy = before.map(PolicyText::new);
            }
            Err(WriteError::locked_out())
        });
        let result = result.await?;
        calling.written(result, change.policy())
    }
}
