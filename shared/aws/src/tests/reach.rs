//! Which accounts and Regions are reached, and as whom.

use copymend_remediation::ports::{Backup, CallErrorKind, Reads};
use copymend_remediation::settings::Deployment;

use super::wire::{Wire, assumed, identity, ok, xml_error};
use super::{OTHER, OWN, config_on, own, parsed};
use crate::{Reach, ReachError, Reached};

async fn enter(wire: &Wire, reach: &Reach) -> Result<Reached, ReachError> {
    let config = config_on(wire).await;
    reach.enter_with(config, &Deployment::default()).await
}

fn names(reached: &Reached) -> Vec<String> {
    let places = reached.places.iter();
    places
        .map(|place| format!("{} {}", place.account, place.region))
        .collect()
}

#[tokio::test]
async fn without_options_it_is_the_own_account_and_the_configured_region() {
    let reached = enter(&Wire::default(), &Reach::default()).await.unwrap();
    assert_eq!(names(&reached), ["111122223333 eu-west-1"]);
    assert_eq!(
        (reached.own_account, reached.partition.as_str()),
        (own(), "aws")
    );
}

#[tokio::test]
async fn every_account_is_reached_in_every_region_once() {
    let reach = Reach {
        regions: vec![
            parsed("eu-west-1"),
            parsed("eu-central-1"),
            parsed("eu-west-1"),
        ],
        accounts: vec![parsed(OTHER), parsed(OWN), parsed(OTHER)],
        ..Reach::default()
    };
    let reached = enter(&Wire::default(), &reach).await.unwrap();
    assert_eq!(
        names(&reached),
        [
            "444455556666 eu-west-1",
            "444455556666 eu-central-1",
            "111122223333 eu-west-1",
            "111122223333 eu-central-1"
        ]
    );
}

#[tokio::test]
async fn other_accounts_are_read_through_the_role_that_is_named() {
    for (role, expected) in [
        (None, "role%2Fcopymend%2FCopymendReader"),
        (Some("audit/Reader"), "role%2Faudit%2FReader"),
        (
            Some("arn:aws:iam::*:role/Audit"),
            "arn%3Aaws%3Aiam%3A%3A444455556666%3Arole%2FAudit",
        ),
    ] {
        let wire = Wire::default();
        wire.always("AssumeRole", assumed("READERKEY", OTHER))
            .always(
                "GET /backup-vaults/dr/access-policy",
                ok(r#"{"Policy":"{}"}"#),
            );
        let reach = Reach {
            accounts: vec![parsed(OTHER)],
            reader_role: role.map(ToOwned::to_owned),
            external_id: Some("the-id".to_owned()),
            ..Reach::default()
        };
        let reached = enter(&wire, &reach).await.unwrap();
        let vault = parsed(&format!("arn:aws:backup:eu-west-1:{OTHER}:backup-vault:dr"));
        let backup = reached.environment.backup();
        backup.get_backup_vault_access_policy(&vault).await.unwrap();
        let body = &wire.sent("AssumeRole")[0].body;
        assert!(
            body.contains(expected) && body.contains("ExternalId=the-id"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_role_of_one_account_is_told_in_the_words_of_the_command_line() {
    let wire = Wire::default();
    let reach = Reach {
        reader_role: Some("arn:aws:iam::777777777777:role/Reader".to_owned()),
        ..Reach::default()
    };
    let reached = enter(&wire, &reach).await.unwrap();
    let vault = parsed(&format!("arn:aws:backup:eu-west-1:{OTHER}:backup-vault:dr"));
    let backup = reached.environment.backup();
    let error = backup.get_backup_vault_access_policy(&vault).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Failed);
    assert!(error.detail.contains("--reader-role") && !error.detail.contains("COPYMEND"));
}

#[tokio::test]
async fn who_has_no_valid_credentials_learns_what_to_do_at_once() {
    let wire = Wire::default();
    let config = config_on(&wire).await;
    wire.always(
        "GetCallerIdentity",
        xml_error(403, "ExpiredToken", "expired"),
    );
    let error = Reach::default()
        .enter_with(config, &Deployment::default())
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("ExpiredToken") && text.contains("aws sso login"),
        "{text}"
    );
}

#[tokio::test]
async fn a_region_of_another_partition_is_refused_before_anything_is_read() {
    let wire = Wire::default();
    let reach = Reach {
        regions: vec![parsed("eu-west-1"), parsed("cn-north-1")],
        ..Reach::default()
    };
    let error = enter(&wire, &reach).await.unwrap_err();
    assert!(error.to_string().contains("cn-north-1"), "{error}");
    assert_eq!(wire.all_sent().len(), 1, "only who the caller is was asked");
}

#[tokio::test]
async fn without_any_region_it_says_where_to_name_one() {
    let wire = Wire::default();
    wire.always("GetCallerIdentity", identity(OWN));
    let config = config_on(&wire).await.into_builder().region(None).build();
    let error = Reach::default()
        .enter_with(config, &Deployment::default())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("--region"), "{error}");
}
