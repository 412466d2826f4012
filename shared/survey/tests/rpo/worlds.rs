//! The places where copies should be.

use copymend_survey::rpo::State;
use serde_json::json;

use crate::small::{DESTINATION, SOURCE, backup, copy, found, sandbox, world};

const YESTERDAY: &str = "2026-11-01T05:00:00Z";
const LONG_AGO: &str = "2026-08-01T05:00:00Z";

#[tokio::test]
async fn a_rule_that_targets_an_air_gapped_vault_makes_a_place_of_it() {
    let mut file = world(vec![backup("a", YESTERDAY)], vec![copy("a", YESTERDAY)]);
    let region = &mut file["accounts"][SOURCE]["regions"]["us-east-1"];
    let arn = format!("arn:aws:backup:us-east-1:{SOURCE}:backup-vault:gapped");
    region["vaults"]["gapped"] = json!({"vault_type": "LOGICALLY_AIR_GAPPED_BACKUP_VAULT"});
    region["backup_plans"]["plan-1"]["rules"][0]["target_air_gapped_vault_arn"] = json!(arn);
    let findings = found(&sandbox(&file), &["1h"], &[]).await;
    let states: Vec<_> = findings
        .places
        .iter()
        .map(|place| (place.vault.name(), place.state))
        .collect();
    assert_eq!(states, [("gapped", State::Never), ("dr", State::Late)]);
}

#[tokio::test]
async fn a_rule_that_made_nothing_of_late_makes_no_place() {
    let findings = found(
        &sandbox(&world(vec![backup("a", LONG_AGO)], Vec::new())),
        &["26h"],
        &[],
    )
    .await;
    assert!(findings.places.is_empty());
}

#[tokio::test]
async fn where_copies_arrived_they_should_go_on_arriving() {
    let file = world(Vec::new(), vec![copy("a", LONG_AGO)]);
    let findings = found(&sandbox(&file), &["26h"], &[]).await;
    let [place] = findings.places.as_slice() else {
        panic!("{findings:?}");
    };
    assert_eq!((place.state, place.is_planned), (State::Late, false));

    // AWS doesn't name the source vault of a copy within an account: the Region tells.
    let mut file = world(Vec::new(), Vec::new());
    let mut here = copy("a", LONG_AGO);
    here.as_object_mut().unwrap().remove("source_vault_arn");
    let regions = file["accounts"][SOURCE]["regions"].as_object_mut().unwrap();
    regions.insert(
        "eu-west-1".to_owned(),
        json!({"vaults": {"second": {"recovery_points": [here]}}}),
    );
    regions["us-east-1"]["backup_plans"]["plan-1"]["rules"][0]["copy_actions"][0]["destination_vault_arn"] = json!(
        format!("arn:aws:backup:eu-west-1:{SOURCE}:backup-vault:second")
    );
    let findings = found(&sandbox(&file), &["26h"], &[]).await;
    assert_eq!(findings.places.len(), 1);
    assert_eq!(findings.places[0].vault.name(), "second");
}

#[tokio::test]
async fn vaults_of_other_accounts_are_read_where_they_are() {
    let sandbox = sandbox(&world(
        vec![backup("a", YESTERDAY)],
        vec![copy("a", YESTERDAY)],
    ));
    let findings = found(&sandbox, &["26h"], &[]).await;
    assert_eq!(findings.places[0].state, State::InTime);
    let asked: Vec<_> = sandbox
        .calls()
        .begun()
        .into_iter()
        .filter(|call| call.operation == "backup:ListRecoveryPointsByBackupVault")
        .collect();
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().any(|call| call.resource.contains(DESTINATION)));
    assert!(sandbox.calls().writes().is_empty());
}

#[tokio::test]
async fn a_vault_that_does_not_exist_holds_no_copy() {
    let mut file = world(vec![backup("a", "2026-10-20T05:00:00Z")], Vec::new());
    let region = &mut file["accounts"][DESTINATION]["regions"]["eu-west-1"];
    region["vaults"].as_object_mut().unwrap().remove("dr");
    let findings = found(&sandbox(&file), &["26h"], &[]).await;
    assert_eq!(findings.places[0].state, State::Never);
    assert!(findings.places[0].detail.contains("doesn't exist"));
    assert!(findings.not_read.is_empty());
}
