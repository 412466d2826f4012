//! Plans that only a document describes: the JSON of AWS's command line, or an organization's backup
//! policy.

use copymend_diagnosis::Lifecycle;
use copymend_remediation::ports::Location;
use serde_json::Value;

use super::at::{At, DocumentError};
use super::planned::SelectingPlan;
use super::policy_document::BackupPolicy;
use crate::listed::{
    BackupPlan, BackupRule, BackupSelection, CopyAction, SelectionCondition, TagComparison,
};

/// What a document describes.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// A plan, wherever it is looked at.
    Plan(Box<SelectingPlan>),
    /// An organization's backup policy, which makes its plans in each account and Region.
    Policy(BackupPolicy),
}

impl Document {
    /// Reads the document: an object with `plans` is a backup policy of AWS Organizations, alone or in
    /// the answer of `describe-policy` or `describe-effective-policy`; any other is a plan, as
    /// [`parse_document`] reads it.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let value = json_of(text)?;
        let contents = ["/EffectivePolicy/PolicyContent", "/Policy/Content"];
        let content = contents
            .iter()
            .find_map(|path| value.pointer(path)?.as_str());
        if let Some(content) = content {
            return BackupPolicy::parse(content).map(Self::Policy);
        }
        if value.get("plans").is_some() {
            return BackupPolicy::parse(text).map(Self::Policy);
        }
        parse_document(text).map(|plan| Self::Plan(Box::new(plan)))
    }

    /// The plans that it makes in an account and Region.
    pub fn plans_at(&self, at: &Location) -> Result<Vec<SelectingPlan>, DocumentError> {
        match self {
            Self::Plan(plan) => Ok(vec![plan.as_ref().clone()]),
            Self::Policy(policy) => policy.plans_at(at),
        }
    }

    /// What it leaves open, looked at in these places.
    pub(super) fn notes_on(&self, places: &[Location]) -> Vec<String> {
        let Self::Policy(policy) = self else {
            return Vec::new();
        };
        let mut notes = policy.notes().to_vec();
        let regions = policy.regions();
        if places.iter().all(|at| !regions.contains(&at.region)) {
            let regions: Vec<&str> = regions.iter().map(String::as_str).collect();
            notes.push(format!(
                "the policy makes plans in {} alone: name one of them with --region",
                regions.join(", ")
            ));
        }
        notes
    }
}

fn json_of(text: &str) -> Result<Value, DocumentError> {
    serde_json::from_str(text)
        .map_err(|error| DocumentError::of_whole(format!("it is no JSON: {error}")))
}

/// Reads `{"BackupPlan": …, "BackupSelections": […]}`: a plan as `create-backup-plan` takes it or
/// `get-backup-plan` answers it, beside selections as `create-backup-selection` takes them or
/// `get-backup-selection` answers them. With a `BackupPlanId` it stands for that plan.
pub fn parse_document(text: &str) -> Result<SelectingPlan, DocumentError> {
    let value = json_of(text)?;
    let whole = At::whole(&value);
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
    Ok(SelectingPlan {
        plan,
        selections,
        has_every_selection: true,
    })
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
    let cold = at.optional("MoveToColdStorageAfterDays", At::days)?;
    let deleted = at.optional("DeleteAfterDays", At::days)?;
    stays_cold(at, cold, deleted)?;
    Ok(Lifecycle {
        move_to_cold_storage_after_days: cold,
        delete_after_days: deleted,
        opt_in_to_archive_for_supported_resources: at
            .optional("OptInToArchiveForSupportedResources", At::truth)?,
        delete_after_event: at.optional("DeleteAfterEvent", At::text)?,
    })
}

/// What moves to cold storage stays there for so many days at least (AWS Backup API reference,
/// `Lifecycle`, documented).
const DAYS_IN_COLD_STORAGE: i64 = 90;

/// AWS makes no plan whose rule deletes a backup, or a copy, too early after its move to cold storage.
pub(super) fn stays_cold(
    at: &At<'_>,
    cold: Option<i64>,
    deleted: Option<i64>,
) -> Result<(), DocumentError> {
    // `-1` stands for never.
    let (Some(cold @ 0..), Some(deleted @ 0..)) = (cold, deleted) else {
        return Ok(());
    };
    let earliest = cold.saturating_add(DAYS_IN_COLD_STORAGE);
    if deleted >= earliest {
        return Ok(());
    }
    Err(at.wrong(format!(
        "what moves to cold storage after {cold} days cannot be deleted after {deleted}, at the earliest after {earliest}: it stays there for {DAYS_IN_COLD_STORAGE} days"
    )))
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
        let SelectingPlan {
            plan, selections, ..
        } = parse_document(PLAN).unwrap();
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
    fn what_moves_to_cold_storage_may_stay_as_long_as_aws_asks_or_for_ever() {
        for days in ["120", "-1"] {
            let lifecycle = format!("{days}, \"MoveToColdStorageAfterDays\": 30");
            assert!(
                parse_document(&PLAN.replace("35", &lifecycle)).is_ok(),
                "{days}"
            );
        }
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
                "{\"DeleteAfterDays\": 35}",
                "{\"DeleteAfterDays\": 119, \"MoveToColdStorageAfterDays\": 30}",
                "BackupPlan.Rules[0].Lifecycle: what moves to cold storage after 30 days cannot be deleted after 119, at the earliest after 120",
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
