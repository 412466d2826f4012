//! Backup policies of organizations as documents.

use copymend_diagnosis::Lifecycle;
use copymend_remediation::ports::Location;
use serde_json::{Value, json};

use super::*;
use crate::listed::TagComparison;

const VAULT: &str = "arn:aws:backup:us-west-2:$account:backup-vault:My_Secondary_Vault";

/// As AWS's guide writes one.
fn policy() -> Value {
    json!({"plans": {"PII_Backup_Plan": {
        "@@operators_allowed_for_child_policies": ["@@none"],
        "regions": {"@@assign": ["us-east-1", "eu-north-1"]},
        "rules": {"My_Hourly_Rule": {
            "schedule_expression": {"@@assign": "cron(0 5/1 ? * * *)"},
            "start_backup_window_minutes": {"@@assign": "60"},
            "target_backup_vault_name": {"@@assign": "FortKnox"},
            "target_logically_air_gapped_backup_vault_arn": {"@@assign": "arn:aws:backup:$region:$account:backup-vault:Gapped"},
            "enable_continuous_backup": {"@@assign": false},
            "lifecycle": {
                "move_to_cold_storage_after_days": {"@@assign": "180"},
                "delete_after_days": {"@@assign": "270"},
                "opt_in_to_archive_for_supported_resources": {"@@assign": "false"}
            },
            "copy_actions": {VAULT: {
                "target_backup_vault_arn": {"@@assign": VAULT},
                "lifecycle": {"delete_after_days": {"@@assign": "120"}}
            }}
        }},
        "selections": {"tags": {"datatype": {
            "iam_role_arn": {"@@assign": "arn:aws:iam::$account:role/MyIamRole"},
            "tag_key": {"@@assign": "dataType"},
            "tag_value": {"@@assign": ["PII", "RED"]},
            "conditions": {"string_not_equals": {"one": {
                "condition_key": {"@@assign": "aws:ResourceTag/backup"},
                "condition_value": {"@@assign": "false"}
            }}}
        }}}
    }}})
}

fn parse(value: &Value) -> Result<Document, String> {
    Document::parse(&value.to_string()).map_err(|error| error.to_string())
}

fn at(region: &str) -> Location {
    Location::new("444455556666".parse().unwrap(), region)
}

fn notes(document: &Document, region: &str) -> Vec<String> {
    document.notes_on(&[at(region)])
}

#[test]
fn a_policy_makes_its_plans_in_each_account_and_region_that_it_names() {
    let document = parse(&policy()).unwrap();
    let plans = document.plans_at(&at("eu-north-1")).unwrap();
    let [
        SelectingPlan {
            plan, selections, ..
        },
    ] = plans.as_slice()
    else {
        panic!("{plans:?}");
    };
    assert_eq!((plan.name.as_str(), &plan.id), ("PII_Backup_Plan", &None));
    let rule = &plan.rules[0];
    assert_eq!(
        (rule.name.as_str(), rule.target_vault.as_str()),
        ("My_Hourly_Rule", "FortKnox")
    );
    assert_eq!(
        rule.air_gapped_target.as_ref().unwrap().as_str(),
        "arn:aws:backup:eu-north-1:444455556666:backup-vault:Gapped"
    );
    assert_eq!(
        rule.lifecycle,
        Some(Lifecycle {
            move_to_cold_storage_after_days: Some(180),
            delete_after_days: Some(270),
            opt_in_to_archive_for_supported_resources: Some(false),
            delete_after_event: None,
        })
    );
    let action = &rule.copy_actions[0];
    assert_eq!(
        action.destination_vault.as_str(),
        VAULT.replace("$account", "444455556666")
    );
    assert_eq!(
        action.lifecycle.as_ref().unwrap().delete_after_days,
        Some(120)
    );
    let selection = &selections[0];
    assert_eq!(
        selection.role.as_str(),
        "arn:aws:iam::444455556666:role/MyIamRole"
    );
    let tags: Vec<&str> = selection
        .tags
        .iter()
        .map(|tag| tag.value.as_str())
        .collect();
    assert_eq!(tags, ["PII", "RED"]);
    assert_eq!(selection.conditions[0].comparison, TagComparison::NotEquals);
    assert_eq!(selection.conditions[0].key, "backup");
    assert_eq!(notes(&document, "eu-north-1"), Vec::<String>::new());

    assert_eq!(document.plans_at(&at("eu-west-1")).unwrap(), []);
    assert!(notes(&document, "eu-west-1")[0].contains("eu-north-1, us-east-1"));
}

#[test]
fn an_effective_policy_and_the_answers_that_hold_one_are_read_alike() {
    fn effective(value: &Value) -> Value {
        let Some(members) = value.as_object() else {
            return value.clone();
        };
        members.get("@@assign").cloned().unwrap_or_else(|| {
            members
                .iter()
                .filter(|(name, _)| !name.starts_with("@@"))
                .map(|(name, value)| (name.clone(), effective(value)))
                .collect()
        })
    }
    let whole = parse(&policy()).unwrap().plans_at(&at("us-east-1"));
    let alone = effective(&policy());
    for document in [
        alone.clone(),
        json!({"EffectivePolicy": {"PolicyContent": alone.to_string(), "PolicyType": "BACKUP_POLICY"}}),
        json!({"Policy": {"Content": policy().to_string()}}),
    ] {
        assert_eq!(parse(&document).unwrap().plans_at(&at("us-east-1")), whole);
    }
}

#[test]
fn types_are_taken_by_the_patterns_of_their_arns() {
    let mut policy = policy();
    policy["plans"]["PII_Backup_Plan"]["selections"] = json!({"resources": {"most": {
        "iam_role_arn": {"@@assign": "arn:aws:iam::$account:role/MyIamRole"},
        "resource_types": {"@@assign": ["*"]},
        "not_resource_types": {"@@assign": ["arn:aws:ec2:*:*:volume/*"]}
    }}});
    let plans = parse(&policy).unwrap().plans_at(&at("us-east-1")).unwrap();
    let selection = &plans[0].selections[0];
    assert_eq!(selection.resources, ["*"]);
    assert_eq!(selection.not_resources, ["arn:aws:ec2:*:*:volume/*"]);
}

#[test]
fn what_depends_on_other_policies_or_is_no_element_is_said() {
    let mut policy = policy();
    let plan = &mut policy["plans"]["PII_Backup_Plan"];
    plan["regions"] = json!({"@@append": ["us-east-1"], "@@remove": ["eu-west-3"]});
    let rule = &mut plan["rules"]["My_Hourly_Rule"];
    rule["lifecycle"]["to_delete_after_days"] = json!({"@@assign": "2"});
    rule["copy_actions"] = json!({VAULT: {}});
    let document = parse(&policy).unwrap();
    let notes = notes(&document, "us-east-1").join("\n");
    for part in [
        "plans.PII_Backup_Plan.regions: `@@append` adds to",
        "plans.PII_Backup_Plan.regions: `@@remove` takes from",
        "lifecycle.to_delete_after_days: it is no element that AWS documents",
        "AWS takes the key in lower case, `arn:aws:backup:us-west-2:$account:backup-vault:my_secondary_vault`",
    ] {
        assert!(notes.contains(part), "{notes}");
    }
    let plans = document.plans_at(&at("us-east-1")).unwrap();
    let action = &plans[0].plan.rules[0].copy_actions[0];
    assert_eq!(action.destination_vault.name(), "my_secondary_vault");
}

#[test]
fn what_cannot_be_resolved_is_told_by_its_member() {
    const PLAN: &str = "/plans/PII_Backup_Plan";
    const RULE: &str = "/plans/PII_Backup_Plan/rules/My_Hourly_Rule";
    let change = |pointer: &str, value: Value| {
        let mut policy = policy();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        policy.pointer_mut(parent).unwrap()[name] = value;
        parse(&policy).unwrap_err()
    };
    let role = format!("{PLAN}/selections/tags/datatype/iam_role_arn");
    for (pointer, value, told) in [
        (
            format!("{PLAN}/regions"),
            Value::Null,
            "plans.PII_Backup_Plan.regions: it is missing; where a policy above this one sets it",
        ),
        (
            format!("{RULE}/target_backup_vault_name"),
            Value::Null,
            "plans.PII_Backup_Plan.rules.My_Hourly_Rule.target_backup_vault_name: it is missing",
        ),
        (
            format!("{RULE}/target_backup_vault_name"),
            json!({"@@append": ["a"]}),
            "plans.PII_Backup_Plan.rules.My_Hourly_Rule.target_backup_vault_name: `@@append` is no operator of a single value",
        ),
        (
            format!("{RULE}/lifecycle/delete_after_days"),
            json!({"@@assign": "soon"}),
            "plans.PII_Backup_Plan.rules.My_Hourly_Rule.lifecycle.delete_after_days: it is no whole number of days",
        ),
        (
            format!("{RULE}/lifecycle/delete_after_days"),
            json!({"@@assign": "269"}),
            "plans.PII_Backup_Plan.rules.My_Hourly_Rule.lifecycle: what moves to cold storage after 180 days",
        ),
        (
            role.clone(),
            json!({"@@assign": "arn:aws:iam::$region:role/R"}),
            "plans.PII_Backup_Plan.selections.tags.datatype.iam_role_arn: `$region` can't be resolved: AWS documents $account there",
        ),
        (
            role,
            json!({"@@assign": "MyIamRole"}),
            "plans.PII_Backup_Plan.selections.tags.datatype.iam_role_arn: ",
        ),
        (
            format!("{PLAN}/selections/resources"),
            json!({}),
            "plans.PII_Backup_Plan.selections: `tags` and `resources` exclude each other",
        ),
        (
            format!("{PLAN}/selections"),
            json!({}),
            "plans.PII_Backup_Plan.selections: it has neither `tags` nor `resources`",
        ),
    ] {
        let error = change(&pointer, value);
        assert!(error.starts_with(told), "{error}");
    }
    let twice = policy().to_string().replacen(
        "\"regions\":",
        "\"regions\":{\"@@assign\":[\"us-east-1\"]},\"regions\":",
        1,
    );
    let error = Document::parse(&twice).unwrap_err().to_string();
    assert!(error.contains("the key `regions` stands twice"), "{error}");
}
