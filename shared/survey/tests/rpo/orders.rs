//! Neither the order in which AWS tells things nor the length of its pages makes a difference.

use copymend_policy::Arn;
use copymend_survey::rpo::{Exclusion, Gathered, Objectives, judge};
use copymend_survey::{BackupPlan, BackupRule, CopyAction, ListedRecoveryPoint, PlanCreator};
use proptest::prelude::*;

use crate::small::{DR, NOW, backup, copy, found, sandbox, volume, world};

const VAULTS: [&str; 3] = [
    "arn:aws:backup:us-east-1:111122223333:backup-vault:prod",
    DR,
    "arn:aws:backup:eu-west-1:444455556666:backup-vault:second",
];
const STATUSES: [&str; 4] = ["COMPLETED", "PARTIAL", "EXPIRED", "AVAILABLE"];

fn creator(rule: usize) -> PlanCreator {
    PlanCreator {
        plan_id: Some("plan".to_owned()),
        rule_id: Some(format!("rule-{rule}")),
    }
}

/// What makes up a recovery point: resource, vault, status, hours since it was made, rule.
type Drawn = (usize, usize, usize, u32, usize);

fn point(at: usize, (resource, vault, status, hours, rule): Drawn) -> ListedRecoveryPoint {
    let now: jiff::Timestamp = NOW.parse().unwrap();
    let arn = |text: String| -> Arn { text.parse().unwrap() };
    ListedRecoveryPoint {
        arn: arn(format!("arn:aws:ec2:eu-west-1::snapshot/snap-{at}")),
        vault: VAULTS[vault].parse().unwrap(),
        source_vault: None,
        resource: Some(arn(volume(&resource.to_string()))),
        resource_type: Some("EBS".to_owned()),
        status: STATUSES[status].to_owned(),
        created: (hours % 7 != 0).then(|| now - jiff::SignedDuration::from_hours(hours.into())),
        moves_to_cold_storage_at: None,
        deleted_at: None,
        creator: creator(rule),
        encryption_key: None,
        parent: None,
        is_parent: false,
        role: None,
    }
}

fn plan() -> BackupPlan {
    let rule = |number: usize, vault: usize| BackupRule {
        id: creator(number).rule_id,
        copy_actions: vec![CopyAction {
            destination_vault: VAULTS[vault].parse().unwrap(),
            lifecycle: None,
        }],
        ..BackupRule::default()
    };
    BackupPlan {
        id: Some("plan".to_owned()),
        rules: vec![rule(0, 1), rule(1, 2)],
        ..BackupPlan::default()
    }
}

proptest! {
    #[test]
    fn the_order_of_what_is_told_makes_no_difference(
        drawn in prop::collection::vec((0..4_usize, 0..3_usize, 0..4_usize, 1..2_000_u32, 0..3_usize), 1..40),
        turn in any::<prop::sample::Index>(),
        plan_at in any::<prop::sample::Index>(),
    ) {
        let points: Vec<_> = drawn.iter().enumerate().map(|(at, drawn)| point(at, *drawn)).collect();
        let told = |points: &[ListedRecoveryPoint], plan_at: usize| {
            let mut gathered = Gathered::at(NOW.parse().unwrap());
            for (at, point) in points.iter().enumerate() {
                if at == plan_at {
                    gathered.add_plan(&plan());
                }
                gathered.add_point(point);
            }
            for vault in &VAULTS[..2] {
                gathered.vault_was_read(&vault.parse().unwrap());
            }
            gathered.vault_was_not_read(&VAULTS[2].parse().unwrap(), "refused");
            let objectives = Objectives::new(vec!["26h".parse().unwrap()]);
            judge(&gathered, &objectives, &[] as &[Exclusion])
        };
        let mut others = points.clone();
        others.rotate_left(turn.index(points.len()));
        others.reverse();
        let one = told(&points, 0);
        prop_assert_eq!(&one, &told(&others, plan_at.index(points.len())));
        // What can't be read is never missing.
        for place in &one.places {
            prop_assert!(!(place.is_missed() && place.vault.as_str() == VAULTS[2]));
        }
    }
}

#[tokio::test]
async fn pages_of_every_length_lead_to_the_same_findings() {
    let names: Vec<String> = (0..20).map(|number| format!("v{number}")).collect();
    let day = |day: usize| format!("2026-10-{:02}T05:00:00Z", day % 28 + 1);
    let prod = names
        .iter()
        .enumerate()
        .map(|(at, name)| backup(name, &day(at + 3)))
        .collect();
    let dr = names
        .iter()
        .enumerate()
        .filter(|(at, _)| at % 3 > 0)
        .map(|(at, name)| copy(name, &day(at)))
        .collect();
    let file = world(prod, dr);
    let whole = found(&sandbox(&file), &["26h"], &[]).await;
    assert_eq!(whole.places.len(), 20);
    for size in [1, 2, 3, 7, 19] {
        let paged = sandbox(&file).in_pages_of(size);
        assert_eq!(found(&paged, &["26h"], &[]).await, whole, "pages of {size}");
    }
}
