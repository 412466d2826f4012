//! A plan that only a document describes: the JSON of AWS's command line.

use std::fmt::Display;
use std::str::FromStr;

use copymend_diagnosis::Lifecycle;
use serde_json::Value;

use super::planned::SelectingPlan;
use crate::listed::{
    BackupPlan, BackupRule, BackupSelection, CopyAction, SelectionCondition, TagComparison,
};

/// Why a document is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {problem}")]
pub struct DocumentError {
    /// The member, such as `BackupPlan.Rules[0].TargetBackupVaultName`.
    member: String,
    /// What is wrong with it.
    problem: String,
}

/// Reads `{"BackupPlan": …, "BackupSelections": […]}`: a plan as `create-backup-plan` takes it or
/// `get-backup-plan` answers it, beside selections as `create-backup-selection` takes them or
/// `get-backup-selection` answers them. With a `BackupPlanId` it stands for that plan.
pub fn parse_document(text: &str) -> Result<SelectingPlan, DocumentError> {
    let value: Value = serde_json::from_str(text).map_err(|error| DocumentError {
        member: "the document".to_owned(),
        problem: format!("it is no JSON: {error}"),
    })?;
    let whole = At {
        value: &value,
        path: String::new(),
    };
    whole.object()?;
    let body = whole.required("BackupPlan")?;
    let plan = BackupPlan {
        id: whole.optional("BackupPlanId", At::text)?,
        name: body.required("BackupPlanName")?.text()?,
        rules: body.list("Rules", true, rule)?,
        scheduled_runs: Vec::new(),
    };
    let selections = whole.list("BackupSelections", true, |at| {
        match at.member("BackupSelection")? {
            Some(inner) => selection(&inner),
            None => selection(at),
        }
    })?;
    Ok(SelectingPlan { plan, selections })
}

fn rule(at: &At<'_>) -> Result<BackupRule, DocumentError> {
    Ok(BackupRule {
        id: at.optional("RuleId", At::text)?,
        name: at.required("RuleName")?.text()?,
        target_vault: at.required("TargetBackupVaultName")?.text()?,
        air_gapped_target: at.optional("TargetLogicallyAirGappedBackupVaultArn", At::parse)?,
        schedule: at.optional("ScheduleExpression", At::text)?,
        lifecycle: at.optional("Lifecycle", lifecycle)?,
        is_continuous: at
            .optional("EnableContinuousBackup", At::truth)?
            .unwrap_or(false),
        copy_actions: at.list("CopyActions", false, |at| {
            Ok(CopyAction {
                destination_vault: at.required("DestinationBackupVaultArn")?.parse()?,
                lifecycle: at.optional("Lifecycle", lifecycle)?,
            })
        })?,
    })
}

fn lifecycle(at: &At<'_>) -> Result<Lifecycle, DocumentError> {
    at.object()?;
    Ok(Lifecycle {
        move_to_cold_storage_after_days: at.optional("MoveToColdStorageAfterDays", At::days)?,
        delete_after_days: at.optional("DeleteAfterDays", At::days)?,
        opt_in_to_archive_for_supported_resources: at
            .optional("OptInToArchiveForSupportedResources", At::truth)?,
        delete_after_event: at.optional("DeleteAfterEvent", At::text)?,
    })
}

fn selection(at: &At<'_>) -> Result<BackupSelection, DocumentError> {
    let mut conditions = Vec::new();
    if let Some(all) = at.member("Conditions")? {
        for (name, comparison) in [
            ("StringEquals", TagComparison::Equals),
            ("StringNotEquals", TagComparison::NotEquals),
            ("StringLike", TagComparison::Like),
            ("StringNotLike", TagComparison::NotLike),
        ] {
            conditions.extend(all.list(name, false, |at| condition(at, comparison))?);
        }
    }
    Ok(BackupSelection {
        name: at.required("SelectionName")?.text()?,
        role: at.required("IamRoleArn")?.parse()?,
        resources: at.list("Resources", false, At::text)?,
        not_resources: at.list("NotResources", false, At::text)?,
        tags: at.list("ListOfTags", false, |at| {
            condition(at, TagComparison::Equals)
        })?,
        conditions,
    })
}

/// What the keys of `Conditions` begin with (AWS Backup API reference, `Conditions`, documented).
const RESOURCE_TAG: &str = "aws:ResourceTag/";

fn condition(at: &At<'_>, comparison: TagComparison) -> Result<SelectionCondition, DocumentError> {
    let key = at.required("ConditionKey")?.text()?;
    Ok(SelectionCondition {
        comparison,
        key: key.strip_prefix(RESOURCE_TAG).unwrap_or(&key).to_owned(),
        value: at.required("ConditionValue")?.text()?,
    })
}

/// A place in the document.
struct At<'v> {
    value: &'v Value,
    path: String,
}

impl<'v> At<'v> {
    fn wrong(&self, problem: impl Into<String>) -> DocumentError {
        let member = if self.path.is_empty() {
            "the document".to_owned()
        } else {
            self.path.clone()
        };
        DocumentError {
            member,
            problem: problem.into(),
        }
    }

    fn object(&self) -> Result<(), DocumentError> {
        if self.value.is_object() {
            Ok(())
        } else {
            Err(self.wrong("it is no object"))
        }
    }

    fn path_to(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    fn member(&self, name: &str) -> Result<Option<At<'v>>, DocumentError> {
        self.object()?;
        let found = self.value.get(name).filter(|value| !value.is_null());
        Ok(found.map(|value| At {
            value,
            path: self.path_to(name),
        }))
    }

    fn required(&self, name: &str) -> Result<At<'v>, DocumentError> {
        self.member(name)?.ok_or_else(|| DocumentError {
            member: self.path_to(name),
            problem: "it is missing".to_owned(),
        })
    }

    fn optional<T>(
        &self,
        name: &str,
        read: impl Fn(&At<'v>) -> Result<T, DocumentError>,
    ) -> Result<Option<T>, DocumentError> {
        self.member(name)?.as_ref().map(read).transpose()
    }

    fn list<T>(
        &self,
        name: &str,
        is_required: bool,
        read: impl Fn(&At<'v>) -> Result<T, DocumentError>,
    ) -> Result<Vec<T>, DocumentError> {
        let found = if is_required {
            Some(self.required(name)?)
        } else {
            self.member(name)?
        };
        let Some(found) = found else {
            return Ok(Vec::new());
        };
        let items = found
            .value
            .as_array()
            .ok_or_else(|| found.wrong("it is no list"))?;
        let items = items.iter().enumerate();
        items
            .map(|(place, value)| {
                read(&At {
                    value,
                    path: format!("{}[{place}]", found.path),
                })
            })
            .collect()
    }

    fn text(&self) -> Result<String, DocumentError> {
        let text = self.value.as_str();
        text.map(ToOwned::to_owned)
            .ok_or_else(|| self.wrong("it is no text"))
    }

    fn truth(&self) -> Result<bool, DocumentError> {
        self.value
            .as_bool()
            .ok_or_else(|| self.wrong("it is neither true nor false"))
    }

    fn days(&self) -> Result<i64, DocumentError> {
        self.value
            .as_i64()
            .ok_or_else(|| self.wrong("it is no whole number of days"))
    }

    fn parse<T: FromStr<Err: Display>>(&self) -> Result<T, DocumentError> {
        let text = self.text()?;
        text.parse()
            .map_err(|error: T::Err| self.wrong(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"{
        "BackupPlan": {"BackupPlanName": "daily", "Rules": [{
            "RuleName": "to-dr", "TargetBackupVaultName": "prod",
            "Lifecycle": {"DeleteAfterDays": 35},
            "CopyActions": [{"DestinationBackupVaultArn": "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr"}]
        }]},
        "BackupSelections": [{"BackupSelection": {"SelectionName": "databases",
            "IamRoleArn": "arn:aws:iam::111122223333:role/BackupRole",
            "Resources": ["arn:aws:rds:us-east-1:111122223333:db:orders"],
            "Conditions": {"StringEquals": [{"ConditionKey": "aws:ResourceTag/stage", "ConditionValue": "prod"}]}}}]
    }"#;

    #[test]
    fn the_json_of_awss_command_line_is_a_plan() {
        let SelectingPlan { plan, selections } = parse_document(PLAN).unwrap();
        assert_eq!(
            (plan.name.as_str(), plan.rules.len(), &plan.id),
            ("daily", 1, &None)
        );
        let rule = &plan.rules[0];
        assert_eq!(rule.copy_actions[0].destination_vault.name(), "dr");
        assert_eq!(rule.lifecycle.as_ref().unwrap().delete_after_days, Some(35));
        assert_eq!(selections[0].conditions[0].key, "stage");
    }

    #[test]
    fn what_is_wrong_is_named_by_its_member() {
        for (from, to, told) in [
            (
                "\"RuleName\": \"to-dr\",",
                "",
                "BackupPlan.Rules[0].RuleName: it is missing",
            ),
            (
                "35",
                "\"35\"",
                "BackupPlan.Rules[0].Lifecycle.DeleteAfterDays: it is no whole number of days",
            ),
            (
                "arn:aws:iam::111122223333:role/BackupRole",
                "BackupRole",
                "BackupSelections[0].BackupSelection.IamRoleArn: ",
            ),
            (
                "backup-vault:dr",
                "vault:dr",
                "BackupPlan.Rules[0].CopyActions[0].DestinationBackupVaultArn: ",
            ),
            (
                "\"BackupSelections\"",
                "\"Selections\"",
                "BackupSelections: it is missing",
            ),
            ("{\"RuleName", "[{\"RuleName", "the document: it is no JSON"),
        ] {
            let text = PLAN.replace(from, to);
            if text == PLAN {
                continue;
            }
            let error = parse_document(&text).unwrap_err().to_string();
            assert!(error.starts_with(told), "{error}");
        }
        assert_eq!(
            parse_document("[]").unwrap_err().to_string(),
            "the document: it is no object"
        );
    }
}
