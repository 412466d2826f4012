//! Checks on a world's backup plans.

use std::collections::BTreeSet;

use copymend_diagnosis::Lifecycle;

use super::error::WorldError;
use super::schema::{Plan, PlanRule};

type Check = Result<(), WorldError>;

/// The most conditions and resources of a selection aren't checked: AWS refuses such a plan, and a
/// world may have what AWS wouldn't store.
pub(super) fn plan(id: &str, plan: &Plan, path: &str) -> Check {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
    if id.is_empty() || !id.bytes().all(fits) {
        let reason = "a plan's id has letters, digits or the characters -_./";
        return Err(WorldError::at(path, reason));
    }
    let mut ids = BTreeSet::new();
    for (index, rule) in plan.rules.iter().enumerate() {
        let path = format!("{path}.rules[{index}]");
        if !ids.insert(&rule.id) {
            let reason = format!("another rule of the plan has the id `{}`", rule.id);
            return Err(WorldError::at(&format!("{path}.id"), reason));
        }
        self::rule(rule, &path)?;
    }
    for (id, selection) in &plan.selections {
        let path = format!("{path}.selections.{id}");
        let lists = [
            ("resources", &selection.resources),
            ("not_resources", &selection.not_resources),
        ];
        for (name, patterns) in lists {
            let fits = |pattern: &&String| *pattern != "*" && !pattern.starts_with("arn:");
            if let Some(pattern) = patterns.iter().find(fits) {
                let reason = format!("`{pattern}` is neither an ARN nor `*`");
                return Err(WorldError::at(&format!("{path}.{name}"), reason));
            }
        }
    }
    Ok(())
}

fn rule(rule: &PlanRule, path: &str) -> Check {
    if rule.target_vault.is_empty() {
        let path = format!("{path}.target_vault");
        return Err(WorldError::at(&path, "it is a vault's name"));
    }
    lifecycle(rule.lifecycle.as_ref(), path)?;
    for (index, action) in rule.copy_actions.iter().enumerate() {
        let path = format!("{path}.copy_actions[{index}]");
        lifecycle(action.lifecycle.as_ref(), &path)?;
    }
    Ok(())
}

/// Refuses a number of days that AWS Backup doesn't take; -1 is for ever there.
pub(super) fn lifecycle(lifecycle: Option<&Lifecycle>, path: &str) -> Check {
    let days = lifecycle.into_iter().flat_map(|lifecycle| {
        [
            lifecycle.move_to_cold_storage_after_days,
            lifecycle.delete_after_days,
        ]
    });
    match days.flatten().find(|days| *days < -1) {
        None => Ok(()),
        Some(days) => Err(WorldError::at(
            &format!("{path}.lifecycle"),
            format!("{days} days are none"),
        )),
    }
}
