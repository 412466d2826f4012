//! Steps that follow from a policy as it stands, before a statement is added to it.

use copymend_policy::{Effect, KEY_POLICY_MAX_BYTES, PolicyDocument};
use serde_json::Value;

use super::text::{is_plain, quoted};
use crate::facts::Organization;

/// The version of the policy language whose variables are plain text (IAM user guide, "IAM JSON
/// policy elements: Version", documented).
const WITHOUT_VARIABLES: &str = "2008-10-17";
/// Room for the statements that are to be added, in bytes.
const ROOM: usize = 1_500;
/// No more steps of one kind than this.
const MOST: usize = 5;

/// What must be done in policy.json beside adding a statement, so that AWS stores it and it means
/// what it says. `is_key` tells a key's policy, whose length AWS KMS limits, from a vault's.
pub(crate) fn first_in(policy: &PolicyDocument, is_key: bool) -> Vec<String> {
    let mut steps = Vec::new();
    let bytes = policy.as_str().len();
    let most = KEY_POLICY_MAX_BYTES;
    if bytes.saturating_add(ROOM) > most {
        steps.push(if is_key {
            format!(
                "The policy has {bytes} bytes, and AWS KMS takes {most}. Make room first: take out what nobody needs any more, white space \
                 too, and join statements that differ in their principals alone."
            )
        } else {
            format!(
                "The policy has {bytes} bytes. AWS documents no limit for a vault's, and Copymend adds nothing beyond {most}. Make room \
                 first: take out what nobody needs any more, white space too, and join statements that differ in their principals alone."
            )
        });
    }
    if policy.version().to_string() == WITHOUT_VARIABLES && policy.as_str().contains("${") {
        steps.push(format!(
            "The policy's Version is {WITHOUT_VARIABLES}, in which a variable such as ${{aws:PrincipalAccount}} is plain text that matches \
             nobody. Say in the statement what is meant, without a variable. Version 2012-10-17 would make every variable of the policy \
             count, also in its Denies: change it only after reading each."
        ));
    }
    steps
}

/// Statements that admit another organization than the source's: by mistake, most likely, where the
/// ids differ in a few letters.
pub(crate) fn other_organizations(
    policy: &PolicyDocument,
    organization: &Organization,
) -> Vec<String> {
    let mut steps = Vec::new();
    let allows = (1_usize..)
        .zip(policy.statements())
        .filter(|(_, statement)| statement.effect() == Effect::Allow);
    for (place, statement) in allows {
        let Ok(statement) = serde_json::from_str::<Value>(statement.as_str()) else {
            continue;
        };
        for id in organization_ids(&statement) {
            if is_mistyped(&id, &organization.id) && steps.len() < MOST {
                steps.push(format!(
                    "Statement {place} of policy.json admits organization {}; that of the source account is {}. If it is mistyped, correct \
                     it there instead of adding a statement.",
                    quoted(&id),
                    quoted(&organization.id)
                ));
            }
        }
    }
    steps
}

/// The ids under `aws:PrincipalOrgID`, whatever the operator.
fn organization_ids(statement: &Value) -> Vec<String> {
    let operators = statement.get("Condition").and_then(Value::as_object);
    let keys = operators
        .into_iter()
        .flat_map(|operators| operators.values().filter_map(Value::as_object).flatten());
    let values = keys
        .filter(|(key, _)| key.eq_ignore_ascii_case("aws:PrincipalOrgID"))
        .flat_map(|(_, value)| match value.as_array() {
            Some(values) => values.iter().collect(),
            None => vec![value],
        });
    values
        .filter_map(|value| Some(value.as_str()?.to_owned()))
        .collect()
}

/// Whether an id stands for another one by mistake: other letters' case, or up to two letters that
/// are wrong, missing or too many.
fn is_mistyped(id: &str, meant: &str) -> bool {
    if id == meant || !is_plain(id) {
        return false;
    }
    let (one, other) = (id.to_ascii_lowercase(), meant.to_ascii_lowercase());
    let same_start = one
        .bytes()
        .zip(other.bytes())
        .take_while(|(a, b)| a == b)
        .count();
    let (one, other) = (one.get(same_start..), other.get(same_start..));
    let (Some(one), Some(other)) = (one, other) else {
        return false;
    };
    let backwards = one.bytes().rev().zip(other.bytes().rev());
    let same_end = backwards.take_while(|(a, b)| a == b).count();
    one.len().max(other.len()).saturating_sub(same_end) <= 2
}

/// The statement, with another Sid where the policy has one of this Sid already: AWS takes no two.
/// The other one isn't Copymend's, which takes no statement of people's back.
pub(crate) fn with_free_sid(policy: Option<&PolicyDocument>, mut statement: Value) -> Value {
    let taken = |sid: &str| {
        let mut statements = policy.into_iter().flat_map(PolicyDocument::statements);
        statements.any(|other| other.sid() == Some(sid))
    };
    let Some(sid) = statement.get("Sid").and_then(Value::as_str) else {
        return statement;
    };
    if !taken(sid) {
        return statement;
    }
    let base = sid.strip_prefix("Copymend").unwrap_or(sid);
    let free = (2_u32..1_000)
        .map(|number| format!("{base}n{number}"))
        .find(|candidate| !taken(candidate));
    if let (Some(free), Some(members)) = (free, statement.as_object_mut()) {
        members.insert("Sid".to_owned(), free.into());
    }
    statement
}

/// How a principal is excepted from a Deny of this policy, where `arn` is shown to people. Inside one
/// operator a key can't stand twice, and where it stands already the list of its values is to grow.
pub(crate) fn except_from_deny(policy: Option<&PolicyDocument>, arn: &str) -> String {
    let denies = policy
        .into_iter()
        .flat_map(PolicyDocument::statements)
        .filter(|statement| statement.effect() == Effect::Deny);
    let mut operators: Vec<String> = Vec::new();
    for deny in denies {
        let Ok(deny) = serde_json::from_str::<Value>(deny.as_str()) else {
            continue;
        };
        let conditions = deny.get("Condition").and_then(Value::as_object);
        for (operator, keys) in conditions.into_iter().flatten() {
            let is_negated = operator.contains("Not");
            let names_principal = keys.as_object().is_some_and(|keys| {
                keys.keys()
                    .any(|key| key.eq_ignore_ascii_case("aws:PrincipalArn"))
            });
            if is_negated && names_principal && is_plain(operator) && !operators.contains(operator)
            {
                operators.push(operator.clone());
            }
        }
    }
    match operators.first() {
        None => format!("add the condition ArnNotEquals with aws:PrincipalArn {arn}."),
        Some(operator) => format!(
            "where it has the condition {operator} with aws:PrincipalArn already, add {arn} to the list of its values, for a key can't stand \
             twice there; otherwise add the condition ArnNotEquals with aws:PrincipalArn {arn}."
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn policy(text: &Value) -> PolicyDocument {
        PolicyDocument::parse(&text.to_string()).unwrap()
    }

    fn allow(principal: &str, condition: &Value) -> Value {
        json!({ "Sid": "One", "Effect": "Allow", "Principal": { "AWS": principal },
            "Action": "backup:CopyIntoBackupVault", "Resource": "*", "Condition": condition })
    }

    const ROOT: &str = "arn:aws:iam::111122223333:root";

    #[test]
    fn room_is_made_first_in_a_full_policy() {
        let long: Vec<String> = (0..1_100)
            .map(|n| format!("arn:aws:iam::111122223333:{n}"))
            .collect();
        let condition = json!({ "StringEquals": { "aws:PrincipalArn": long } });
        let found =
            policy(&json!({ "Version": "2012-10-17", "Statement": [allow(ROOT, &condition)] }));
        assert!(first_in(&found, true)[0].contains("AWS KMS takes 32768"));
        assert!(first_in(&found, false)[0].contains("no limit for a vault's"));
    }

    #[test]
    fn a_variable_of_the_old_version_is_plain_text() {
        let condition =
            json!({ "StringEquals": { "aws:PrincipalAccount": "${aws:ResourceAccount}" } });
        for (version, told) in [("2008-10-17", 1), ("2012-10-17", 0)] {
            let found =
                policy(&json!({ "Version": version, "Statement": [allow(ROOT, &condition)] }));
            assert_eq!(first_in(&found, false).len(), told, "{version}");
        }
        let plain =
            policy(&json!({ "Version": "2008-10-17", "Statement": [allow(ROOT, &json!({}))] }));
        assert_eq!(first_in(&plain, false), Vec::<String>::new());
    }

    #[test]
    fn a_mistyped_organization_is_told_from_another_one() {
        let organization = Organization {
            id: "o-exampleorgid".to_owned(),
            management_account: None,
        };
        for (id, told) in [
            ("o-exampleorgid", false),
            ("o-exampelorgid", true),
            ("o-exampleorgd", true),
            ("O-exampleorgid", true),
            ("o-otherorgid00", false),
        ] {
            let condition = json!({ "StringEquals": { "aws:principalorgid": [id] } });
            let found =
                policy(&json!({ "Version": "2012-10-17", "Statement": [allow(ROOT, &condition)] }));
            let steps = other_organizations(&found, &organization);
            assert_eq!(!steps.is_empty(), told, "{id}: {steps:?}");
        }
    }

    #[test]
    fn a_sid_that_is_taken_is_not_used_again() {
        let ours = json!({ "Sid": "CopymendCopyInto1", "Effect": "Allow" });
        let taken = |sids: &[&str]| {
            let statements: Vec<Value> = sids
                .iter()
                .map(|sid| {
                    let mut one = allow(ROOT, &json!({}));
                    one["Sid"] = (*sid).into();
                    one
                })
                .collect();
            policy(&json!({ "Version": "2012-10-17", "Statement": statements }))
        };
        let sid =
            |policy: &PolicyDocument| with_free_sid(Some(policy), ours.clone())["Sid"].clone();
        assert_eq!(sid(&taken(&["Other"])), "CopymendCopyInto1");
        assert_eq!(sid(&taken(&["CopymendCopyInto1"])), "CopyInto1n2");
        assert_eq!(
            sid(&taken(&["CopymendCopyInto1", "CopyInto1n2"])),
            "CopyInto1n3"
        );
        assert_eq!(with_free_sid(None, ours.clone()), ours);
    }

    #[test]
    fn a_condition_that_stands_already_gets_one_more_value() {
        let role = "`arn:aws:iam::111122223333:role/BackupRole`";
        assert!(except_from_deny(None, role).starts_with("add the condition ArnNotEquals"));
        let mut deny = allow(
            "*",
            &json!({ "ArnNotEquals": { "aws:PrincipalArn": [ROOT] } }),
        );
        deny["Effect"] = "Deny".into();
        let found = policy(&json!({ "Version": "2012-10-17", "Statement": [deny] }));
        let step = except_from_deny(Some(&found), role);
        assert!(
            step.contains("condition ArnNotEquals with aws:PrincipalArn already, add"),
            "{step}"
        );
    }
}
