//! Advice on access at the destination: the vault's policy, the service-linked role.

use copymend_policy::{NewStatement, VaultGrant, VaultScope};
use serde_json::{Value, json};

use super::case::{Case, advice, step};
use super::{Advice, page};
use crate::access::COPY_INTO_BACKUP_VAULT;
use crate::fact::Fact;

pub(super) fn policy(case: &Case<'_>) -> Advice {
    if !case.is_cross_account() {
        let mut advice = deny(case);
        advice.steps.insert(
            0,
            "Source and destination are one account, so the vault policy need not allow the copy; only a Deny in it can block it."
                .to_owned(),
        );
        return advice;
    }
    let policy = case.facts().map(|facts| &facts.vault_policy);
    let mut steps = Vec::new();
    match (statement(case), policy) {
        (Some(statement), Some(Fact::Known(None))) => {
            let policy = json!({ "Version": "2012-10-17", "Statement": [statement] });
            steps.push(step(
                "The vault has no access policy. Save this as policy.json",
                &policy.to_string(),
            ));
        }
        (Some(statement), Some(_)) => steps.extend([
            save_policy_or_begin(case),
            step(
                "Add this to the list `Statement` of policy.json, and change nothing else",
                &statement.to_string(),
            ),
        ]),
        (_, _) => steps.extend([
            save_policy_or_begin(case),
            format!(
                "Add one statement to policy.json, and change nothing else: it allows {COPY_INTO_BACKUP_VAULT} on `*` to \
                 `arn:{}:iam::{}:root`, if aws:PrincipalArn (ArnEquals) is {} and aws:PrincipalOrgID (StringEquals) is the id \
                 that aws organizations describe-organization shows.",
                case.role().partition(),
                case.source_account(),
                case.role_shown()
            ),
        ]),
    }
    steps.extend([case.write_vault_policy(), case.start_again()]);
    Advice {
        who: case.vault_owner(),
        steps,
        page: page::VAULT_POLICY,
        console: None,
    }
}

fn save_policy_or_begin(case: &Case<'_>) -> String {
    let known = case
        .facts()
        .is_some_and(|facts| facts.vault_policy.known().is_some());
    let mut save = case.save_vault_policy();
    if !known {
        save.push_str("\nIf it has none (ResourceNotFoundException), begin with this instead:\n");
        save.push_str(r#"{"Version":"2012-10-17","Statement":[]}"#);
    }
    save
}

/// The statement that a repair of the default scope would add. None without a verified job and a known organization.
pub(super) fn statement(case: &Case<'_>) -> Option<Value> {
    let vault = &case.event().destination_vault;
    let grant = VaultGrant {
        partition: vault.partition().to_owned(),
        source_account: case.event().source_vault.account_id()?,
        role_arn: case.role().arn().clone(),
        scope: VaultScope::Role,
        organization_id: Some(case.source_organization()?.id.clone()),
        organization_paths: Vec::new(),
    };
    grant.statements().ok()?.first().and_then(as_json)
}

/// The statement as JSON, to be written on one line.
pub(super) fn as_json(statement: &NewStatement) -> Option<Value> {
    serde_json::from_str(statement.as_str()).ok()
}

pub(super) fn deny(case: &Case<'_>) -> Advice {
    advice(
        case.vault_owner(),
        [
            case.save_vault_policy(),
            "Find the Deny that matches the copy; the report's evidence quotes it. Someone put it there on purpose: ask its author \
             first. Copymend never changes a Deny."
                .to_owned(),
            format!(
                "If the copy should be allowed, except the job role from that Deny: add the condition ArnNotEquals with \
                 aws:PrincipalArn {}.",
                case.role_shown()
            ),
            case.write_vault_policy(),
            case.start_again(),
        ],
        page::VAULT_POLICY,
    )
}

pub(super) fn service_linked_role(case: &Case<'_>) -> Advice {
    advice(
        format!("An IAM administrator of the destination account {}", case.account()),
        [
            create_service_linked_role(case),
            "A key policy that names this role can be saved only once the role exists; so give the key its statements now, if it \
             lacks them."
                .to_owned(),
            case.start_again(),
        ],
        page::SERVICE_LINKED_ROLE,
    )
}

pub(super) fn create_service_linked_role(case: &Case<'_>) -> String {
    step(
        &format!(
            "Create AWSServiceRoleForBackup in account {}",
            case.account()
        ),
        "aws iam create-service-linked-role --aws-service-name backup.amazonaws.com",
    )
}
