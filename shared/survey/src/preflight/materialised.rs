//! The plans of an account that an organization's backup policy has already made there.

use std::collections::BTreeMap;

use copymend_remediation::ports::{CallResult, Location};

use super::planned::SelectingPlan;
use crate::listed::BackupPlan;
use crate::lists::Lists;
use crate::not_read::NotRead;

/// What the ids of such plans begin with (AWS Backup Developer Guide, "Monitoring with EventBridge",
/// documented by samples).
const OF_ORGANIZATIONS: &str = "orgs/";

/// Gives the plans of a policy, and their rules, the ids of those that the policy made there before:
/// so that the backups of these tell what the plans take. The key of a plan is its name (Organizations
/// user guide, "Backup policy syntax", documented); the keys of rules stand in lower case in an
/// effective policy (documented by its samples).
pub(super) async fn identify<L: Lists>(
    lists: &L,
    at: &Location,
    plans: &mut [SelectingPlan],
) -> Vec<NotRead> {
    let mut not_read = Vec::new();
    if plans.is_empty() {
        return not_read;
    }
    let mut made = BTreeMap::new();
    let (mut from, mut pages_read) = (None, 0);
    loop {
        let page = match lists.list_backup_plans(at, from.take()).await {
            Ok(page) => page,
            Err(error) => {
                not_read.push(NotRead::of(at, error, pages_read));
                return not_read;
            }
        };
        pages_read += 1;
        let of_policies = page.items.into_iter();
        for plan in of_policies.filter(|plan| plan.id.starts_with(OF_ORGANIZATIONS)) {
            made.entry(plan.name.to_lowercase()).or_insert(plan.id);
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    for selecting in plans {
        let Some(id) = made.get(&selecting.plan.name.to_lowercase()) else {
            continue;
        };
        let found: CallResult<Option<BackupPlan>> = lists.get_backup_plan(at, id).await;
        match found {
            Ok(Some(there)) => {
                selecting.plan.id = Some(id.clone());
                for rule in &mut selecting.plan.rules {
                    let name = rule.name.to_lowercase();
                    let mut rules = there.rules.iter();
                    let same = rules.find(|other| other.name.to_lowercase() == name);
                    rule.id = same.and_then(|other| other.id.clone());
                }
            }
            Ok(None) => {}
            Err(error) => not_read.push(NotRead::of(at, error, 0)),
        }
    }
    not_read
}
