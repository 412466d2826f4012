//! From plans to planned copies.

use std::collections::BTreeMap;

use copymend_diagnosis::{BackupVault, BackupVaultArn, KeyArn, Lifecycle};
use copymend_policy::Arn;
use copymend_remediation::ports::Location;

use super::*;
use crate::listed::{
    BackupPlan, BackupRule, BackupSelection, CopyAction, ListedRecoveryPoint, ListedVault,
    PlanCreator, ProtectedResource, SelectionCondition, TagComparison,
};

const ROLE: &str = "arn:aws:iam::111122223333:role/BackupRole";
const DR: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/11111111-1111-4111-8111-111111111111";

fn vault(name: &str) -> BackupVaultArn {
    let arn = format!("arn:aws:backup:us-east-1:111122223333:backup-vault:{name}");
    arn.parse().unwrap()
}

fn volume(number: u8) -> Arn {
    let arn = format!("arn:aws:ec2:us-east-1:111122223333:volume/vol-{number}");
    arn.parse().unwrap()
}

fn snapshot(number: u8) -> Arn {
    format!("arn:aws:ec2:us-east-1::snapshot/snap-{number}")
        .parse()
        .unwrap()
}

fn days(days: i64) -> Lifecycle {
    Lifecycle {
        delete_after_days: Some(days),
        ..Lifecycle::default()
    }
}

/// A plan with one rule that copies to `dr`, and a selection of tags.
fn plan() -> SelectingPlan {
    SelectingPlan {
        plan: BackupPlan {
            id: Some("plan-1".to_owned()),
            name: "daily".to_owned(),
            rules: vec![BackupRule {
                id: Some("rule-1".to_owned()),
                name: "to-dr".to_owned(),
                target_vault: "prod".to_owned(),
                lifecycle: Some(days(35)),
                copy_actions: vec![CopyAction {
                    destination_vault: DR.parse().unwrap(),
                    lifecycle: None,
                }],
                ..BackupRule::default()
            }],
            scheduled_runs: Vec::new(),
        },
        selections: vec![BackupSelection {
            name: "tagged".to_owned(),
            role: ROLE.parse().unwrap(),
            resources: Vec::new(),
            not_resources: Vec::new(),
            tags: vec![SelectionCondition {
                comparison: TagComparison::Equals,
                key: "backup".to_owned(),
                value: "daily".to_owned(),
            }],
            conditions: Vec::new(),
        }],
        has_every_selection: true,
    }
}

fn point(arn: Arn, resource: Arn, kind: &str, in_vault: &str) -> ListedRecoveryPoint {
    ListedRecoveryPoint {
        arn,
        vault: vault(in_vault),
        source_vault: None,
        resource: Some(resource),
        resource_type: Some(kind.to_owned()),
        status: "COMPLETED".to_owned(),
        created: Some("2026-11-28T05:00:00Z".parse().unwrap()),
        moves_to_cold_storage_at: None,
        deleted_at: None,
        creator: PlanCreator {
            plan_id: Some("plan-1".to_owned()),
            rule_id: Some("rule-1".to_owned()),
        },
        encryption_key: Some(KEY.parse::<KeyArn>().unwrap()),
        parent: None,
        is_parent: false,
        role: Some(ROLE.parse().unwrap()),
    }
}

fn snapshot_of(number: u8) -> ListedRecoveryPoint {
    point(snapshot(number), volume(number), "EBS", "prod")
}

fn place(plan: SelectingPlan, points: Vec<ListedRecoveryPoint>) -> Place {
    let mut newest = NewestBackups::default();
    for point in points {
        newest.add(point);
    }
    let vaults = ["prod", "locked"].map(|name| {
        let listed = ListedVault {
            arn: vault(name),
            facts: BackupVault::default(),
            recovery_points: 0,
        };
        (name.to_owned(), listed)
    });
    Place {
        at: Location::new("111122223333".parse().unwrap(), "us-east-1"),
        partition: "aws".to_owned(),
        plans: vec![plan],
        vaults: Some(BTreeMap::from(vaults)),
        has_every_vault: true,
        protected: Some(BTreeMap::new()),
        newest,
    }
}

fn why(planned: &PlannedCopies) -> Vec<(WhyUnseen, usize)> {
    let unseen = planned.unseen.iter();
    unseen.map(|one| (one.why, one.resources.len())).collect()
}

#[test]
fn resources_that_share_everything_are_one_route_and_keep_the_retention_of_their_source() {
    let planned = planned_copies(&place(plan(), (0..33).map(snapshot_of).collect()));
    let routes: Vec<&Route> = planned.routes.values().collect();
    let [route] = routes.as_slice() else {
        panic!("{routes:?}");
    };
    assert_eq!(route.resources.len(), 33);
    assert_eq!(route.copy.lifecycle, Some(days(35)));
    assert_eq!(route.copy.tried_at, None);
    assert_eq!(why(&planned), [(WhyUnseen::ByTags, 0)]);
}

#[test]
fn another_key_or_retention_is_another_route() {
    let mut other = snapshot_of(2);
    other.encryption_key = None;
    let mut plan = plan();
    let rule = &mut plan.plan.rules[0];
    rule.copy_actions.push(CopyAction {
        destination_vault: vault("locked"),
        lifecycle: Some(days(-1)),
    });
    rule.copy_actions.push(CopyAction {
        destination_vault: vault("locked"),
        lifecycle: Some(days(1)),
    });
    let planned = planned_copies(&place(plan, vec![snapshot_of(1), other]));
    assert_eq!(planned.routes.len(), 6);
    let early = planned
        .routes
        .values()
        .filter(|route| !route.notes.is_empty());
    assert_eq!(early.count(), 2);
    // What the console writes for "Always" is the source's.
    let kept: Vec<Option<i64>> = planned
        .routes
        .keys()
        .map(|key| key.delete_after_days)
        .collect();
    assert_eq!(kept.iter().filter(|days| **days == Some(35)).count(), 4);
}

#[test]
fn a_source_without_days_is_copied_for_ever() {
    let mut plan = plan();
    plan.plan.rules[0].lifecycle = None;
    let planned = planned_copies(&place(plan, vec![snapshot_of(1)]));
    assert_eq!(
        planned.routes.keys().next().unwrap().delete_after_days,
        Some(-1)
    );
}

#[test]
fn a_rule_with_an_air_gapped_target_copies_there_by_itself_what_is_not_fully_managed() {
    let mut plan = plan();
    plan.plan.rules[0].air_gapped_target = Some(vault("locked"));
    let bucket: Arn = "arn:aws:s3:::orders".parse().unwrap();
    let of_bucket = "arn:aws:backup:us-east-1:111122223333:recovery-point:1";
    let straight = point(of_bucket.parse().unwrap(), bucket.clone(), "S3", "locked");
    // The copy of the snapshot has an ARN of AWS Backup in there, and is no backup of the rule.
    let of_snapshot = "arn:aws:backup:us-east-1:111122223333:recovery-point:2";
    let copied = point(of_snapshot.parse().unwrap(), volume(1), "EBS", "locked");
    let planned = planned_copies(&place(plan, vec![snapshot_of(1), straight, copied]));
    let mut ways: Vec<(String, String, bool, String)> = planned
        .routes
        .values()
        .map(|route| {
            (
                route.copy.source_vault.name().to_owned(),
                route.copy.destination_vault.name().to_owned(),
                route.is_automatic,
                route.copy.resource_type.clone().unwrap(),
            )
        })
        .collect();
    ways.sort();
    let way = |from: &str, to: &str, automatic, kind: &str| {
        (from.to_owned(), to.to_owned(), automatic, kind.to_owned())
    };
    assert_eq!(
        ways,
        [
            way("locked", "dr", false, "S3"),
            way("prod", "dr", false, "EBS"),
            way("prod", "locked", true, "EBS"),
        ]
    );
}

#[test]
fn what_a_selection_names_is_judged_by_its_newest_backup_or_counted() {
    let mut plan = plan();
    let selection = &mut plan.selections[0];
    selection.tags.clear();
    selection.resources = vec![volume(1).to_string(), volume(2).to_string()];
    let mut elsewhere = snapshot_of(1);
    elsewhere.creator = PlanCreator::default();
    let planned = planned_copies(&place(plan, vec![elsewhere]));
    assert_eq!(planned.routes.len(), 1);
    assert_eq!(why(&planned), [(WhyUnseen::NeverBackedUp, 1)]);
}

#[test]
fn what_a_pattern_takes_and_the_rule_never_backed_up_is_counted() {
    let mut plan = plan();
    let selection = &mut plan.selections[0];
    selection.tags.clear();
    selection.resources = vec!["arn:aws:ec2:*:*:volume/*".to_owned()];
    selection.not_resources = vec![volume(3).to_string()];
    let mut place = place(plan, vec![snapshot_of(1), snapshot_of(3)]);
    let protected = (1..=3).map(|number| {
        let resource = ProtectedResource {
            arn: volume(number),
            resource_type: "EBS".to_owned(),
            last_backup: None,
            last_vault: None,
            last_recovery_point: None,
        };
        (volume(number), resource)
    });
    place.protected = Some(protected.collect());
    let planned = planned_copies(&place);
    let route = planned.routes.values().next().unwrap();
    assert_eq!(route.resources.iter().collect::<Vec<_>>(), [&volume(1)]);
    assert_eq!(why(&planned), [(WhyUnseen::ByPattern, 1)]);
}

#[test]
fn a_vault_that_is_not_there_makes_no_copies_and_awss_own_plans_are_left_out() {
    let mut missing = plan();
    missing.plan.rules[0].target_vault = "gone".to_owned();
    let planned = planned_copies(&place(missing, vec![snapshot_of(1)]));
    assert_eq!(
        (planned.routes.len(), planned.not_materialised.len()),
        (0, 1)
    );
    let mut own = plan();
    own.plan.name = "aws/efs/73d922fb-9312-3a70-99c3-e69367f9fdad".to_owned();
    let planned = planned_copies(&place(own, vec![snapshot_of(1)]));
    assert_eq!((planned.routes.len(), planned.skipped.len()), (0, 1));
}

#[test]
fn copies_bad_backups_and_parts_are_no_newest_backups() {
    let mut copy = snapshot_of(1);
    copy.source_vault = Some(DR.parse().unwrap());
    let mut bad = snapshot_of(2);
    bad.status = "EXPIRED".to_owned();
    let mut part = snapshot_of(3);
    part.parent = Some(snapshot(9));
    let planned = planned_copies(&place(plan(), vec![copy, bad, part]));
    assert_eq!(planned.routes.len(), 0);
}

#[test]
fn a_role_that_no_selection_has_any_more_is_replaced_by_the_one_that_takes_the_resource() {
    let mut made_by_another = snapshot_of(1);
    made_by_another.role = Some("arn:aws:iam::111122223333:role/Old".parse().unwrap());
    let planned = planned_copies(&place(plan(), vec![made_by_another.clone()]));
    assert_eq!(
        planned.routes.values().next().unwrap().copy.role.as_str(),
        ROLE
    );
    let mut two = plan();
    let mut second = two.selections[0].clone();
    second.role = "arn:aws:iam::111122223333:role/Other".parse().unwrap();
    two.selections.push(second);
    let planned = planned_copies(&place(two, vec![made_by_another]));
    assert_eq!(planned.routes.len(), 0);
    assert!(why(&planned).contains(&(WhyUnseen::RoleNotKnown, 1)));
}

#[test]
fn what_a_rule_backed_up_is_not_lost_with_a_selection_that_could_not_be_read() {
    let mut none = plan();
    none.selections = Vec::new();
    let planned = planned_copies(&place(none.clone(), vec![snapshot_of(1)]));
    assert_eq!(why(&planned), []);
    none.has_every_selection = false;
    let planned = planned_copies(&place(none, vec![snapshot_of(1)]));
    assert_eq!(why(&planned), [(WhyUnseen::SelectionNotRead, 1)]);
    assert!(planned.routes.is_empty());
}
