//! Writes of policies, with the checks that AWS makes.

use copymend_diagnosis::{BackupVaultArn, KeyArn, KeyManager};
use copymend_policy::{AccountId, PolicyDocument, Statement};
use serde_json::Value;

use crate::world::{PolicyText, SERVICE_LINKED_ROLE, World};

/// The limit of a key policy (documented: KMS quotas).
const KEY_POLICY_BYTES: usize = 32_768;

/// A write that AWS refuses: its error code and words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct WriteError {
    /// The error code, such as `LimitExceededException`.
    pub code: &'static str,
    /// The words.
    pub message: String,
}

impl WriteError {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// The caller couldn't change the key's policy again (seen: AWS knowledge center,
    /// `update-key-policy-future`).
    pub(crate) fn locked_out() -> Self {
        Self::new(
            "MalformedPolicyDocumentException",
            "The new key policy will not allow you to update the key policy in the future.",
        )
    }
}

impl World {
    /// `PutBackupVaultAccessPolicy`. Refuses what is no policy, wildcards in actions (documented:
    /// "Vault access policies"), `NotPrincipal` with Allow (documented: IAM
    /// `reference_policies_elements_notprincipal`) and unknown principals (seen). No limit of its
    /// size is documented. Answers the policy before.
    pub fn put_vault_policy(
        &mut self,
        vault: &BackupVaultArn,
        policy: &str,
    ) -> Result<Option<String>, WriteError> {
        let invalid = |message: String| WriteError::new("InvalidParameterValueException", message);
        let document = PolicyDocument::parse(policy)
            .map_err(|error| invalid(format!("Invalid policy document: {error}")))?;
        let is_incomplete = |statement: &Statement| {
            !statement.has_principal() || statement.actions().next().is_none()
        };
        if document.statements().is_empty() || document.statements().iter().any(is_incomplete) {
            return Err(invalid("Policy is missing required element".to_owned()));
        }
        let mut actions = document.statements().iter().flat_map(Statement::actions);
        if let Some(action) = actions.find(|action| action.contains(['*', '?'])) {
            return Err(invalid(format!(
                "Specified action {action} is not supported: wildcards are not allowed"
            )));
        }
        if allows_not_principal(policy) {
            return Err(invalid(NOT_PRINCIPAL_WITH_ALLOW.to_owned()));
        }
        if let Some(principal) = self.unknown_principal(policy) {
            return Err(invalid(format!(
                "Provided principal is not valid: {principal}"
            )));
        }
        let vault = self.vault_mut(vault).ok_or_else(|| {
            WriteError::new(
                "ResourceNotFoundException",
                format!("Backup vault {} does not exist", vault.name()),
            )
        })?;
        Ok(vault
            .policy
            .replace(PolicyText::new(policy))
            .map(|before| before.as_str().to_owned()))
    }

    /// `PutKeyPolicy`. Refuses policies over 32,768 bytes, characters beyond U+00FF, what is no
    /// policy, `NotPrincipal` with Allow and unknown principals (documented: KMS API reference and
    /// "Key policies", IAM `reference_policies_elements_notprincipal`), and the keys that AWS
    /// manages. Whether the caller keeps access is asked where Copymend calls. Answers the policy
    /// before.
    pub fn put_key_policy(
        &mut self,
        key: &KeyArn,
        policy: &str,
    ) -> Result<Option<String>, WriteError> {
        let malformed =
            |message: String| WriteError::new("MalformedPolicyDocumentException", message);
        let found = self.key(key).ok_or_else(|| {
            WriteError::new("NotFoundException", format!("Key '{key}' does not exist"))
        })?;
        if found.manager == KeyManager::Aws {
            return Err(WriteError::new(
                "AccessDeniedException",
                format!(
                    "kms:PutKeyPolicy on {key}: the policy of an AWS managed key cannot be changed"
                ),
            ));
        }
        if found.state.starts_with("Pending") && found.state != "PendingImport" {
            return Err(WriteError::new(
                "KMSInvalidStateException",
                format!("{key} is pending deletion."),
            ));
        }
        if policy.len() > KEY_POLICY_BYTES {
            return Err(WriteError::new(
                "LimitExceededException",
                format!(
                    "The policy has {} bytes, the limit is {KEY_POLICY_BYTES}",
                    policy.len()
                ),
            ));
        }
        if policy.chars().any(|c| u32::from(c) > 0xff) {
            return Err(malformed(
                "The policy contains an invalid character".to_owned(),
            ));
        }
        PolicyDocument::parse(policy).map_err(|error| malformed(error.to_string()))?;
        if allows_not_principal(policy) {
            return Err(malformed(NOT_PRINCIPAL_WITH_ALLOW.to_owned()));
        }
        if let Some(principal) = self.unknown_principal(policy) {
            return Err(malformed(format!(
                "Policy contains a statement with one or more invalid principals: {principal}"
            )));
        }
        let key = self
            .key_mut(key)
            .ok_or_else(|| WriteError::new("NotFoundException", "the key is gone"))?;
        Ok(key
            .policy
            .replace(PolicyText::new(policy))
            .map(|before| before.as_str().to_owned()))
    }

    /// `CreateServiceLinkedRole` for `backup.amazonaws.com`. `false` where the role or no such
    /// account exists.
    pub fn create_service_linked_role(&mut self, account: AccountId) -> bool {
        self.account_mut(account)
            .is_some_and(|account| !std::mem::replace(&mut account.service_linked_role, true))
    }

    /// The first principal of a policy that isn't in the world.
    fn unknown_principal(&self, policy: &str) -> Option<String> {
        let policy: Value = serde_json::from_str(policy).ok()?;
        let statements = one_or_more(policy.get("Statement")?);
        statements
            .iter()
            .filter_map(|statement| {
                statement
                    .get("Principal")
                    .or_else(|| statement.get("NotPrincipal"))
            })
            .filter_map(|principal| principal.get("AWS"))
            .flat_map(one_or_more)
            .filter_map(Value::as_str)
            .find(|principal| !self.has_principal(principal))
            .map(ToOwned::to_owned)
    }

    /// Whether AWS would know a principal. A role or user must be in the world; the root of an
    /// account that isn't in the world is taken for one that exists elsewhere, unless the world
    /// says that the account is closed (seen: a closed account is an invalid principal). A
    /// principal that was deleted stays in a policy as an id such as `AROA…`, which names nobody
    /// any more (documented: IAM `reference_policies_elements_principal`).
    fn has_principal(&self, principal: &str) -> bool {
        if principal == "*" {
            return true;
        }
        if let Ok(account) = principal.parse() {
            return !self.is_closed(account);
        }
        let mut parts = principal.splitn(6, ':').skip(1);
        let (Some(partition), Some(service), Some(_), Some(id), Some(resource)) = (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) else {
            return false;
        };
        let Ok(id) = id.parse::<AccountId>() else {
            return false;
        };
        let Some(account) = self.account(id) else {
            return service == "iam" && resource == "root" && !self.is_closed(id);
        };
        if account.partition != partition {
            return false;
        }
        let (kind, name) = resource.split_once('/').unwrap_or((resource, ""));
        match (service, kind) {
            ("iam", "root") => name.is_empty(),
            ("iam", "user") => account
                .users
                .iter()
                .any(|user| user.path_and_name() == name),
            ("iam", "role") => {
                let is_linked = principal == self.service_linked_role_arn(id);
                (is_linked && account.service_linked_role)
                    || account.roles.iter().any(|(role_name, role)| {
                        resource == format!("role{}{role_name}", role.path)
                    })
            }
            ("sts", "assumed-role") => {
                let role = name.split('/').next().unwrap_or_default();
                role == SERVICE_LINKED_ROLE || account.roles.contains_key(role)
            }
            _ => false,
        }
    }
}

/// AWS's words for it are not known (inferred).
const NOT_PRINCIPAL_WITH_ALLOW: &str =
    "Policy contains a statement with NotPrincipal and the effect Allow";

/// Whether a statement allows whomever it doesn't name.
fn allows_not_principal(policy: &str) -> bool {
    let policy = serde_json::from_str::<Value>(policy).unwrap_or_default();
    let statements = policy.get("Statement").map_or(&[][..], one_or_more);
    statements.iter().any(|statement| {
        statement.get("NotPrincipal").is_some()
            && statement.get("Effect").and_then(Value::as_str) == Some("Allow")
    })
}

fn one_or_more(value: &Value) -> &[Value] {
    match value.as_array() {
        Some(values) => values,
        None => std::slice::from_ref(value),
    }
}
