//! From plans to planned copies.

use std::collections::{BTreeMap, BTreeSet};

use copymend_diagnosis::features::{is_fully_managed, is_of_own_service};
use copymend_diagnosis::{BackupCopy, BackupVaultArn, KeyArn, Lifecycle, RoleArn};
use copymend_policy::Arn;

use super::newest::{Backup, MadeBy};
use super::planned::{NotMaterialised, Place, PlannedCopies, SelectingPlan, Unseen, WhyUnseen};
use super::route::{KeyOfRoute, Route, RuleName, key_of_route, lifecycle_of_copy, note};
use super::selected::{Selected, is_name, selects};
use crate::listed::{BackupRule, BackupSelection};

/// AWS makes plans and vaults of its own for Amazon EFS, whose names begin so (AWS Backup Developer
/// Guide, documented). They make no copies.
const OF_AWS: &str = "aws/efs/";

/// The copies that the plans of a place will make.
#[must_use]
pub fn planned_copies(place: &Place) -> PlannedCopies {
    let mut planned = PlannedCopies::default();
    for selecting in &place.plans {
        let plan = &selecting.plan;
        let is_of_aws = |text: &str| text.starts_with(OF_AWS);
        if is_of_aws(&plan.name) || plan.id.as_deref().is_some_and(is_of_aws) {
            planned.skipped.push(plan.name.clone());
            continue;
        }
        for rule in &plan.rules {
            OfRule {
                place,
                selecting,
                rule,
                name: RuleName {
                    plan_id: plan.id.clone(),
                    plan: plan.name.clone(),
                    rule: rule.name.clone(),
                },
            }
            .add_to(&mut planned);
        }
    }
    planned
}

/// A rule of a plan.
struct OfRule<'p> {
    place: &'p Place,
    selecting: &'p SelectingPlan,
    rule: &'p BackupRule,
    name: RuleName,
}

/// A copy that the rule makes of a backup.
struct Way<'r> {
    from: BackupVaultArn,
    to: &'r BackupVaultArn,
    lifecycle: Lifecycle,
    is_automatic: bool,
}

/// The resources of a rule, each with the backup and the role that stand for its next copy.
type Taken = BTreeMap<Arn, (Backup, RoleArn, bool)>;

impl OfRule<'_> {
    fn add_to(&self, planned: &mut PlannedCopies) {
        let rule = self.rule;
        if rule.copy_actions.is_empty() && rule.air_gapped_target.is_none() {
            planned.rules_without_copies += 1;
            return;
        }
        let Some(target) = self.materialised(planned) else {
            return;
        };
        for (resource, (backup, role, is_listed)) in self.resources(&target, planned) {
            for way in self.ways(&target, &backup) {
                self.add(planned, &resource, &backup, &role, is_listed, way);
            }
        }
    }

    /// The vault that the rule backs up into, if all vaults that it names exist as far as is known.
    fn materialised(&self, planned: &mut PlannedCopies) -> Option<BackupVaultArn> {
        let at = &self.place.at;
        let mut missing = |what: String| {
            planned.not_materialised.push(NotMaterialised {
                account: at.account.to_string(),
                region: at.region.clone(),
                rule: self.name.clone(),
                what,
            });
        };
        let name = &self.rule.target_vault;
        let arn = format!(
            "arn:{}:backup:{}:{}:backup-vault:{name}",
            self.place.partition, at.region, at.account
        );
        let Ok(target) = arn.parse::<BackupVaultArn>() else {
            missing(format!("`{name}` is no name of a backup vault"));
            return None;
        };
        let vaults = self.place.vaults.as_ref();
        let vaults = vaults.filter(|_| self.place.has_every_vault);
        let exists = |name: &str| vaults.is_none_or(|vaults| vaults.contains_key(name));
        if !exists(name) {
            missing(format!("backup vault `{name}` does not exist there"));
            return None;
        }
        if let Some(air_gapped) = &self.rule.air_gapped_target {
            let is_here =
                air_gapped.account_id() == Some(at.account) && air_gapped.region() == at.region;
            if !is_here {
                missing(format!(
                    "`{air_gapped}` is not in the plan's own account and Region, where a logically air-gapped target must be"
                ));
                return None;
            }
            if !exists(air_gapped.name()) {
                missing(format!("`{air_gapped}` does not exist"));
                return None;
            }
        }
        Some(target)
    }

    /// What the rule will back up, as far as it can be told.
    fn resources(&self, target: &BackupVaultArn, planned: &mut PlannedCopies) -> Taken {
        let mut taken = Taken::new();
        let mut unseen: BTreeMap<WhyUnseen, BTreeSet<String>> = BTreeMap::new();
        if let (Some(plan_id), Some(rule_id)) = (&self.selecting.plan.id, &self.rule.id) {
            let backups = |vault: &BackupVaultArn| {
                let made_by = MadeBy {
                    plan_id: plan_id.clone(),
                    rule_id: rule_id.clone(),
                    vault: vault.clone(),
                };
                let newest = self.place.newest.of_rule(&made_by);
                newest.into_iter().flatten()
            };
            let straight = self.rule.air_gapped_target.iter().flat_map(backups);
            let straight = straight.filter(|(_, backup)| is_backed_up_straight(backup));
            for (resource, backup) in straight.chain(backups(target)) {
                match self.role(resource, backup.role.as_ref()) {
                    Role::Known(role) => {
                        taken.insert(resource.clone(), (backup.clone(), role, true));
                    }
                    Role::NotKnown => {
                        let resources = unseen.entry(WhyUnseen::RoleNotKnown).or_default();
                        resources.insert(resource.to_string());
                    }
                    Role::NotSelected if !self.selecting.has_every_selection => {
                        let resources = unseen.entry(WhyUnseen::SelectionNotRead).or_default();
                        resources.insert(resource.to_string());
                    }
                    Role::NotSelected => {}
                }
            }
        }
        for selection in &self.selecting.selections {
            self.named(selection, &mut taken, &mut unseen);
            self.patterns(selection, &taken, &mut unseen);
            let by_tags = !selection.tags.is_empty() || !selection.conditions.is_empty();
            if by_tags {
                unseen.entry(WhyUnseen::ByTags).or_default();
            }
        }
        let at = &self.place.at;
        planned
            .unseen
            .extend(unseen.into_iter().map(|(why, resources)| Unseen {
                account: at.account.to_string(),
                region: at.region.clone(),
                rule: self.name.clone(),
                why,
                resources,
            }));
        taken
    }

    /// The role that will copy a resource's backups.
    fn role(&self, resource: &Arn, of_backup: Option<&RoleArn>) -> Role {
        let selections = &self.selecting.selections;
        let taking: Vec<&BackupSelection> = selections
            .iter()
            .filter(|selection| selects(selection, resource) != Selected::No)
            .collect();
        let best = taking
            .iter()
            .map(|selection| selects(selection, resource))
            .max();
        let mut roles: BTreeSet<&RoleArn> = taking
            .iter()
            .filter(|selection| Some(selects(selection, resource)) == best)
            .map(|selection| &selection.role)
            .collect();
        if roles.is_empty() {
            return Role::NotSelected;
        }
        if let Some(role) = of_backup
            && taking.iter().any(|selection| selection.role == *role)
        {
            return Role::Known(role.clone());
        }
        match (roles.pop_first(), roles.is_empty()) {
            (Some(role), true) => Role::Known(role.clone()),
            (Some(_), false) | (None, _) => Role::NotKnown,
        }
    }

    /// The resources that a selection names by their ARNs.
    fn named(
        &self,
        selection: &BackupSelection,
        taken: &mut Taken,
        unseen: &mut BTreeMap<WhyUnseen, BTreeSet<String>>,
    ) {
        for text in selection.resources.iter().filter(|text| is_name(text)) {
            let Ok(resource) = text.parse::<Arn>() else {
                unseen
                    .entry(WhyUnseen::NeverBackedUp)
                    .or_default()
                    .insert(text.clone());
                continue;
            };
            if taken.contains_key(&resource) || selects(selection, &resource) != Selected::ByName {
                continue;
            }
            if let Some((backup, is_listed)) = self.known_backup(&resource) {
                let role = selection.role.clone();
                taken.insert(resource, (backup, role, is_listed));
            } else {
                let resources = unseen.entry(WhyUnseen::NeverBackedUp).or_default();
                resources.insert(resource.to_string());
            }
        }
    }

    /// The newest backup of a resource that the rule has not backed up yet, and whether a list names
    /// its key.
    fn known_backup(&self, resource: &Arn) -> Option<(Backup, bool)> {
        if let Some(backup) = self.place.newest.of_resource(resource) {
            return Some((backup.clone(), true));
        }
        let protected = self.place.protected.as_ref()?.get(resource)?;
        let backup = Backup {
            point: protected.last_recovery_point.clone()?,
            vault: protected.last_vault.clone()?,
            resource_type: Some(protected.resource_type.clone()),
            created: protected.last_backup,
            key: None,
            role: None,
        };
        Some((backup, false))
    }

    /// The resources that patterns of a selection take and that the rule has not backed up.
    fn patterns(
        &self,
        selection: &BackupSelection,
        taken: &Taken,
        unseen: &mut BTreeMap<WhyUnseen, BTreeSet<String>>,
    ) {
        if selection.resources.iter().all(|text| is_name(text)) {
            return;
        }
        for resource in self.place.protected.iter().flat_map(BTreeMap::keys) {
            if !taken.contains_key(resource) && selects(selection, resource) == Selected::ByWildcard
            {
                let resources = unseen.entry(WhyUnseen::ByPattern).or_default();
                resources.insert(resource.to_string());
            }
        }
    }

    /// The copies that the rule makes of a backup. Of a rule with a logically air-gapped target, fully
    /// managed types are backed up straight into that vault, and the copy actions copy from it; all
    /// others are backed up into the target vault and copied there (AWS Backup Developer Guide,
    /// "Logically air-gapped vault as a primary backup target", documented; that the copy actions copy
    /// from the target vault then is inferred).
    fn ways<'r>(&'r self, target: &BackupVaultArn, backup: &Backup) -> Vec<Way<'r>> {
        let rule = self.rule;
        let air_gapped = rule.air_gapped_target.as_ref();
        let straight = air_gapped.filter(|_| is_backed_up_straight(backup));
        let mut ways = Vec::new();
        if let (Some(vault), None) = (air_gapped, straight) {
            ways.push(Way {
                from: target.clone(),
                to: vault,
                lifecycle: lifecycle_of_copy(None, rule.lifecycle.as_ref()),
                is_automatic: true,
            });
        }
        let from = straight.unwrap_or(target);
        ways.extend(rule.copy_actions.iter().map(|action| Way {
            from: from.clone(),
            to: &action.destination_vault,
            lifecycle: lifecycle_of_copy(action.lifecycle.as_ref(), rule.lifecycle.as_ref()),
            is_automatic: false,
        }));
        ways
    }

    fn add(
        &self,
        planned: &mut PlannedCopies,
        resource: &Arn,
        backup: &Backup,
        role: &RoleArn,
        is_listed: bool,
        way: Way<'_>,
    ) {
        let at = &self.place.at;
        let Some(destination_account) = way.to.account_id() else {
            planned.not_materialised.push(NotMaterialised {
                account: at.account.to_string(),
                region: at.region.clone(),
                rule: self.name.clone(),
                what: format!("`{}` names no real account", way.to),
            });
            return;
        };
        let vaults = self.place.vaults.as_ref();
        let vault_key = vaults
            .and_then(|vaults| vaults.get(way.from.name()))
            .and_then(|vault| vault.facts.encryption_key.as_ref());
        let is_of_vault = is_fully_managed(&backup.point);
        let key: Option<&KeyArn> = if is_of_vault {
            vault_key
        } else {
            backup.key.as_ref()
        };
        let of_route = match key {
            Some(key) => KeyOfRoute::Named(key),
            None if is_of_vault || is_listed => KeyOfRoute::NoneNamed,
            None => KeyOfRoute::NotListed,
        };
        let notes: BTreeSet<String> = note(&way.lifecycle).into_iter().collect();
        let copy = BackupCopy {
            account: at.account,
            region: at.region.clone(),
            source_vault: way.from,
            source_recovery_point: backup.point.clone(),
            destination_vault: way.to.clone(),
            destination_account,
            role: role.clone(),
            resource: Some(resource.clone()),
            resource_type: backup.resource_type.clone(),
            lifecycle: Some(way.lifecycle),
            tried_at: None,
        };
        let runs = self.selecting.plan.scheduled_runs.iter();
        let next_run = runs
            .filter(|run| Some(&run.rule_id) == self.rule.id.as_ref())
            .map(|run| run.at)
            .min();
        let route_key = key_of_route(&copy, of_route);
        let route = planned.routes.entry(route_key).or_insert_with(|| Route {
            copy: copy.clone(),
            backup_in: backup.vault.clone(),
            backup_created: backup.created,
            key: key.cloned(),
            resources: BTreeSet::new(),
            rules: BTreeSet::new(),
            is_automatic: way.is_automatic,
            next_run,
            notes,
        });
        // The newest backup stands for all, one of the rule's own vault before others.
        let rank = |vault: &BackupVaultArn, created| (*vault == copy.source_vault, created);
        if rank(&backup.vault, backup.created) > rank(&route.backup_in, route.backup_created) {
            route.copy = copy;
            route.backup_in = backup.vault.clone();
            route.backup_created = backup.created;
        }
        route.resources.insert(resource.clone());
        route.rules.insert(self.name.clone());
        route.is_automatic &= way.is_automatic;
        route.next_run = route.next_run.into_iter().chain(next_run).min();
    }
}

/// Whether a rule with a logically air-gapped target backs such a resource up straight into it.
fn is_backed_up_straight(backup: &Backup) -> bool {
    let resource_type = backup.resource_type.as_deref();
    is_fully_managed(&backup.point) && !resource_type.is_some_and(is_of_own_service)
}

/// Which role copies.
enum Role {
    Known(RoleArn),
    NotKnown,
    NotSelected,
}
