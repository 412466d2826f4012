use copymend_diagnosis::{BackupVaultArn, KeyAliasArn, KeyArn};
use copymend_remediation::ports::{Backup, CallErrorKind, Identities, Keys, Reads};
use copymend_remediation::settings::Deployment;

use super::wire::{Wire, assumed, json_error, ok, typed_error, xml_error};
use super::{OTHER, advisor_environment, own, parsed};

#[tokio::test]
async fn another_account_is_read_as_its_member_role() {
    let wire = Wire::default();
    let settings = Deployment {
        member_role: Some("copymend/Advisor".to_owned()),
        external_id: Some("the-secret-id".to_owned()),
        ..Deployment::default()
    };
    let aws = advisor_environment(&wire, &settings).await;
    let policy = "GET /backup-vaults/dr/access-policy";
    wire.always("AssumeRole", assumed("MEMBERKEY", OTHER))
        .always(policy, ok(r#"{"Policy":"{}"}"#))
        .always("GetKeyPolicy", ok(r#"{"Policy":"{}"}"#))
        .always("DescribeKey", typed_error("NotFoundException", "no"))
        .always("GetRole", xml_error(404, "NoSuchEntity", "no"));
    let vault: BackupVaultArn = parsed("arn:aws:backup:eu-central-1:444455556666:backup-vault:dr");
    let key: KeyArn = parsed("arn:aws:kms:us-east-1:444455556666:key/1");
    let alias: KeyAliasArn = parsed("arn:aws:kms:us-east-1:444455556666:alias/dr");
    let (vault_policy, key_policy, behind_alias, role) = tokio::join!(
        aws.backup().get_backup_vault_access_policy(&vault),
        aws.keys().get_key_policy(&key),
        aws.keys().key_of_alias(&alias),
        aws.identities().get_role(parsed(OTHER), "aws", "R"),
    );
    assert!(vault_policy.unwrap().is_some() && key_policy.unwrap().is_some());
    assert_eq!((behind_alias, role), (Ok(None), Ok(None)));
    let body = wire.sent("AssumeRole").remove(0).body;
    for part in [
        "RoleArn=arn%3Aaws%3Aiam%3A%3A444455556666%3Arole%2Fcopymend%2FAdvisor",
        "ExternalId=the-secret-id",
    ] {
        assert!(body.contains(part), "{part} in {body}");
    }
    for operation in [policy, "GetKeyPolicy", "DescribeKey", "GetRole"] {
        let sent = wire.sent(operation).remove(0);
        assert!(
            sent.authorization.contains("Credential=MEMBERKEY/"),
            "{sent:?}"
        );
    }
}

#[tokio::test]
async fn without_settings_only_the_own_account_is_read_and_nothing_is_kept() {
    let wire = Wire::default();
    let aws = advisor_environment(&wire, &Deployment::default()).await;
    assert!(aws.ledger().is_none());
    wire.once("GetRole", xml_error(404, "NoSuchEntity", "no"));
    assert_eq!(aws.identities().get_role(own(), "aws", "R").await, Ok(None));
    let error = aws
        .identities()
        .get_role(parsed(OTHER), "aws", "R")
        .await
        .unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Failed);
    assert!(error.detail.contains("COPYMEND_MEMBER_ROLE"), "{error}");
}

#[tokio::test]
async fn a_ledger_table_makes_a_ledger() {
    let wire = Wire::default();
    let settings = Deployment {
        ledger_table: Some("advisor-ledger".to_owned()),
        ..Deployment::default()
    };
    let aws = advisor_environment(&wire, &settings).await;
    wire.once("UpdateItem", json_error(403, "AccessDeniedException", "no"));
    let ledger = aws.ledger().unwrap();
    let at = parsed("2026-11-22T23:30:00Z");
    let refused = copymend_remediation::ledger::Ledger::begin_job(ledger, "e-1", "me", at, at);
    assert_eq!(refused.await.unwrap_err().kind, CallErrorKind::AccessDenied);
    assert_eq!(
        wire.sent("UpdateItem")[0].json()["TableName"],
        "advisor-ledger"
    );
}
