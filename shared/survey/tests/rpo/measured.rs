//! What the hub's schedule measures, and what it says nothing of.

use copymend_remediation::Invocation;
use copymend_remediation::copy_age::{CopyAgeAnswer, CopyAgeState, MOST_VAULTS};
use copymend_remediation::ports::{CallErrorKind, Clock as _, Reads};
use copymend_sandbox::Sandbox;
use copymend_survey::rpo::measure;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::small::{DESTINATION, DR, SOURCE, backup, copy, sandbox, world};

const POINTS: &str = "backup:ListRecoveryPointsByBackupVault";
const FRESH: &str = "2026-11-02T04:00:00Z";
const WEEK: &str = "2026-10-26T06:00:00Z";
const WEEK_IN_SECONDS: i64 = 7 * 86_400;

/// One volume is copied in time, one was a week ago, one never.
fn three() -> Value {
    let prod = ["fresh", "late", "never"].map(|name| backup(name, WEEK));
    let newer = ["fresh", "late", "never"].map(|name| backup(name, FRESH));
    let dr = vec![copy("fresh", FRESH), copy("late", WEEK)];
    world(prod.into_iter().chain(newer).collect(), dr)
}

async fn measured_by(sandbox: &Sandbox, objective: Option<&str>, account: &str) -> CopyAgeAnswer {
    let clock = Reads::clock(sandbox);
    let invocation = Invocation {
        id: "request-1".to_owned(),
        deadline: clock.now() + SignedDuration::from_secs(120),
    };
    let region = if account == SOURCE {
        "us-east-1"
    } else {
        "eu-west-1"
    };
    let event = json!({"source": "copymend", "detail-type": "Copymend Copy Age",
        "detail": {"accounts": [account], "regions": [region]}});
    let objective = objective.map(|text| text.parse().unwrap());
    measure(sandbox, clock, objective, &event, &invocation)
        .await
        .unwrap()
}

async fn measured(sandbox: &Sandbox) -> CopyAgeAnswer {
    measured_by(sandbox, Some("26h"), SOURCE).await
}

/// Everything that takes time takes all of it.
fn takes_long(sandbox: &Sandbox, operation: &str) {
    let clock = Reads::clock(sandbox).clone();
    sandbox.before_next(operation, move |_| {
        clock.set(clock.now() + SignedDuration::from_secs(110));
    });
}

#[tokio::test]
async fn a_vault_has_its_worst_age_and_how_many_are_over_the_objective() {
    let answer = measured(&sandbox(&three())).await;
    assert_eq!(answer.copy_age, CopyAgeState::Measured);
    assert_eq!(answer.objective_seconds, Some(26 * 3_600));
    let [dr] = answer.vaults.as_slice() else {
        panic!("{answer:?}")
    };
    assert_eq!(dr.vault, DR);
    assert_eq!(dr.worst_age_seconds, Some(WEEK_IN_SECONDS));
    // That which was never copied, too.
    assert_eq!(dr.over_objective, 2);
    assert_eq!((answer.vaults_read, answer.of_vaults), (2, 2));
    assert!(answer.not_whole.is_empty() && answer.not_read.is_empty());
}

#[tokio::test]
async fn without_an_objective_nothing_is_read() {
    let sandbox = sandbox(&three());
    let answer = measured_by(&sandbox, None, SOURCE).await;
    assert_eq!(answer.copy_age, CopyAgeState::NoObjective);
    assert!(sandbox.calls().begun().is_empty());
}

#[tokio::test]
async fn of_what_the_time_does_not_suffice_for_nothing_is_said() {
    for operation in ["backup:ListBackupPlans", POINTS] {
        let sandbox = sandbox(&three());
        takes_long(&sandbox, operation);
        let answer = measured(&sandbox).await;
        assert_eq!(answer.copy_age, CopyAgeState::TimeWasOver, "{operation}");
        assert!(answer.vaults.is_empty(), "{operation}: {answer:?}");
        assert!(answer.vaults_read < 2, "{operation}: {answer:?}");
        let of_time = |why: &String| why.ends_with("the time was over");
        assert!(answer.not_read.iter().any(of_time), "{answer:?}");
    }
}

#[tokio::test]
async fn a_vault_is_not_whole_unless_those_that_it_is_copied_from_are_read() {
    // Of the two lists of recovery points the first is refused, then the second.
    for number in [1, 2] {
        let sandbox = sandbox(&three());
        let calls = sandbox.calls();
        calls.fail_call(POINTS, number, CallErrorKind::AccessDenied);
        let answer = measured(&sandbox).await;
        assert_eq!(answer.copy_age, CopyAgeState::Measured);
        assert!(answer.vaults.is_empty(), "{answer:?}");
        assert_eq!(answer.not_whole, [DR], "{answer:?}");
    }
}

#[tokio::test]
async fn a_vault_with_copies_of_an_account_whose_plans_are_refused_is_not_whole() {
    let sandbox = sandbox(&three());
    sandbox.fail("backup:ListBackupPlans", CallErrorKind::AccessDenied);
    // Seen from the destination: copies have arrived there, and whose they should be is refused.
    let answer = measured(&sandbox).await;
    assert!(answer.vaults.is_empty(), "{answer:?}");
    assert!(!answer.not_read.is_empty());
    // That its own account's plans are refused leaves the copies of others known.
    let answer = measured_by(&sandbox, Some("26h"), DESTINATION).await;
    assert_eq!(answer.vaults.len(), 1, "{answer:?}");
    assert_eq!(answer.vaults[0].over_objective, 1);
}

#[tokio::test]
async fn a_rule_whose_vault_is_not_there_leaves_the_others_known() {
    let mut world = three();
    let plans = world
        .pointer_mut(&format!(
            "/accounts/{SOURCE}/regions/us-east-1/backup_plans"
        ))
        .unwrap();
    plans["plan-2"] = json!({"rules": [{
        "id": "rule-2",
        "target_vault": "gone",
        "copy_actions": [{"destination_vault_arn": DR}],
    }]});
    let answer = measured(&sandbox(&world)).await;
    assert_eq!(answer.vaults.len(), 1, "{answer:?}");
}

#[tokio::test]
async fn metrics_are_sent_of_no_more_vaults_than_are_paid_for_the_worst_first() {
    let mut world = three();
    let many = MOST_VAULTS + 3;
    let vault = |number: usize| format!("dr-{number:0>2}");
    let arn = |name: &str| format!("arn:aws:backup:eu-west-1:{DESTINATION}:backup-vault:{name}");
    let actions: Vec<Value> = (0..many)
        .map(|number| json!({"destination_vault_arn": arn(&vault(number))}))
        .collect();
    let rule =
        format!("/accounts/{SOURCE}/regions/us-east-1/backup_plans/plan-1/rules/0/copy_actions");
    *world.pointer_mut(&rule).unwrap() = actions.into();
    let vaults = format!("/accounts/{DESTINATION}/regions/eu-west-1/vaults");
    let vaults = world.pointer_mut(&vaults).unwrap();
    for number in 0..many {
        let copies = ["fresh", "late", "never"].map(|name| copy(name, FRESH));
        // One of the last ones is the worst.
        let copies = if number == many - 1 {
            &copies[..1]
        } else {
            &copies[..]
        };
        vaults[vault(number)] = json!({"recovery_points": copies});
    }
    let answer = measured(&sandbox(&world)).await;
    assert_eq!(answer.vaults.len(), MOST_VAULTS);
    assert_eq!(answer.vaults[0].vault, arn(&vault(many - 1)), "{answer:?}");
    assert_eq!(answer.left_out.len(), many - MOST_VAULTS, "{answer:?}");
}
