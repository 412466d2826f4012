//! The least-privilege policy to paste: the needs that aren't met, with the real account, Region
//! and key.

use copymend_policy::Layer;
use serde_json::{Value, json};

use super::needs::{KeyUse, Need};
use crate::permission::{PermissionAnswer, PermissionState};

/// An identity policy that allows exactly what is missing: the needs that no policy of the caller
/// or role allows. `None` where nothing is. What is denied explicitly, by a policy or by AWS's own
/// words, somebody put there on purpose: it is left out.
///
/// A key's actions are limited to AWS Backup's own calls by `kms:ViaService`, and grants to AWS
/// resources, as in `AWSBackupFullAccess` (documented); `kms:DescribeKey` and `kms:RetireGrant`
/// stay without, because a console or a tool may call them directly (inferred).
pub(super) fn least_privilege(needs: &[Need], answers: &[PermissionAnswer]) -> Option<Value> {
    let is_missing = |need: &&Need| {
        answers.iter().any(|answer| {
            (answer.action.as_str(), &answer.resource) == (need.action, &need.resource)
                && answer.state == PermissionState::Missing
                && answer.is_stopped_by(Layer::Identity)
                && !answer.is_from_message
        })
    };
    let mut statements: Vec<(Value, &str, Vec<&str>)> = Vec::new();
    for need in needs.iter().filter(is_missing) {
        let condition = condition(need);
        let known = statements
            .iter_mut()
            .find(|(found, resource, _)| *found == condition && *resource == need.resource);
        match known {
            Some((_, _, actions)) => actions.push(need.action),
            None => statements.push((condition, &need.resource, vec![need.action])),
        }
    }
    if statements.is_empty() {
        return None;
    }
    let statements: Vec<Value> = statements
        .into_iter()
        .map(|(condition, resource, actions)| {
            let mut statement =
                json!({ "Effect": "Allow", "Action": actions, "Resource": resource });
            if let (Some(members), false) = (statement.as_object_mut(), condition.is_null()) {
                members.insert("Condition".to_owned(), condition);
            }
            statement
        })
        .collect();
    Some(json!({ "Version": "2012-10-17", "Statement": statements }))
}

fn condition(need: &Need) -> Value {
    if need.action == "iam:PassRole" {
        return json!({ "StringEquals": { "iam:PassedToService": "backup.amazonaws.com" } });
    }
    let Some(KeyUse { via_service, .. }) = &need.key_use else {
        return Value::Null;
    };
    match need.action {
        "kms:DescribeKey" | "kms:RetireGrant" => Value::Null,
        "kms:CreateGrant" => json!({
            "Bool": { "kms:GrantIsForAWSResource": "true" },
            "StringEquals": { "kms:ViaService": via_service },
        }),
        _ => json!({ "StringEquals": { "kms:ViaService": via_service } }),
    }
}
