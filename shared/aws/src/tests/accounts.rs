use std::time::Duration;

use copymend_diagnosis::{BackupVaultArn, KeyArn};
use copymend_remediation::ports::{Backup, CallErrorKind, Identities, Keys, Organizations, Reads};
use copymend_remediation::settings::Deployment;

use super::wire::{Wire, assumed, identity, json_error, ok, silence, xml_error};
use super::{OTHER, OWN, environment, own, parsed};
use crate::accounts::{NamedBy, member_role_arn};

const POLICY_OF_OTHER: &str = "GET /backup-vaults/dr/access-policy";

fn vault(account: &str) -> BackupVaultArn {
    parsed(&format!(
        "arn:aws:backup:eu-central-1:{account}:backup-vault:dr"
    ))
}

fn members() -> Deployment {
    Deployment {
        member_role: Some("/copymend/Member".to_owned()),
        external_id: Some("the-secret-id".to_owned()),
        ..Deployment::default()
    }
}

#[test]
fn a_member_role_is_a_name_with_its_path_or_an_arn() {
    let arn = |setting| {
        member_role_arn(NamedBy::Setting, setting, "aws-cn", parsed(OTHER))
            .unwrap()
            .to_string()
    };
    assert_eq!(arn("Member"), "arn:aws-cn:iam::444455556666:role/Member");
    assert_eq!(
        arn("/a/b/Member"),
        "arn:aws-cn:iam::444455556666:role/a/b/Member"
    );
    assert_eq!(
        arn("a/Member"),
        "arn:aws-cn:iam::444455556666:role/a/Member"
    );
    assert_eq!(
        arn("arn:aws:iam::*:role/a/Member"),
        "arn:aws:iam::444455556666:role/a/Member"
    );
    assert_eq!(
        arn("arn:aws:iam::444455556666:role/Member"),
        "arn:aws:iam::444455556666:role/Member"
    );
}

#[test]
fn a_member_role_of_one_account_opens_no_other() {
    let error = member_role_arn(
        NamedBy::Setting,
        "arn:aws:iam::777777777777:role/Member",
        "aws",
        parsed(OTHER),
    )
    .unwrap_err();
    assert!(
        error.contains("777777777777") && error.contains("COPYMEND_MEMBER_ROLE"),
        "{error}"
    );
    for malformed in [
        "arn:aws:iam::*:user/Member",
        "arn:aws:iam:*",
        "a:b",
        "role with spaces",
        "",
    ] {
        let error = member_role_arn(NamedBy::Setting, malformed, "aws", parsed(OTHER)).unwrap_err();
        assert!(error.contains("COPYMEND_MEMBER_ROLE"), "{error}");
    }
}

#[tokio::test]
async fn the_own_account_is_called_with_the_functions_credentials() {
    let wire = Wire::default();
    let aws = environment(&wire, &members()).await;
    wire.always(POLICY_OF_OTHER, ok(r#"{"Policy":"{}"}"#));
    for _ in 0..3 {
        aws.backup()
            .get_backup_vault_access_policy(&vault(OWN))
            .await
            .unwrap();
    }
    let sent = wire.sent(POLICY_OF_OTHER);
    assert_eq!(sent.len(), 3);
    for request in sent {
        assert!(
            request.authorization.contains("Credential=OWNKEY/"),
            "{request:?}"
        );
        assert!(
            request
                .uri
                .starts_with("https://backup.eu-central-1.amazonaws.com/"),
            "{request:?}"
        );
    }
    assert_eq!(wire.sent("GetCallerIdentity").len(), 1);
    assert!(wire.sent("AssumeRole").is_empty());
}

#[tokio::test]
async fn another_account_is_called_as_its_member_role_with_the_external_id() {
    let wire = Wire::default();
    let aws = environment(&wire, &members()).await;
    wire.always("AssumeRole", assumed("MEMBERKEY", OTHER))
        .always(POLICY_OF_OTHER, ok(r#"{"Policy":"{}"}"#))
        .always("GetKeyPolicy", ok(r#"{"Policy":"{}"}"#))
        .always(
            "DescribeOrganization",
            ok(r#"{"Organization":{"Id":"o-1"}}"#),
        )
        .always("GetRole", xml_error(404, "NoSuchEntity", "no"));
    let key: KeyArn = parsed("arn:aws:kms:us-east-1:444455556666:key/1");
    let vault = vault(OTHER);
    let other = parsed(OTHER);
    let (policy, key_policy, organization, role) = tokio::join!(
        aws.backup().get_backup_vault_access_policy(&vault),
        aws.keys().get_key_policy(&key),
        aws.organizations().describe_organization(other, "aws"),
        aws.identities()
            .get_role(other, "aws", "AWSServiceRoleForBackup"),
    );
    assert!(policy.unwrap().is_some() && key_policy.unwrap().is_some());
    assert!(organization.unwrap().is_some() && role.unwrap().is_none());
    let assumed = wire.sent("AssumeRole");
    assert_eq!(assumed.len(), 1, "the session is shared: {assumed:?}");
    let body = &assumed.first().unwrap().body;
    for part in [
        "RoleArn=arn%3Aaws%3Aiam%3A%3A444455556666%3Arole%2Fcopymend%2FMember",
        "RoleSessionName=copymend",
        "ExternalId=the-secret-id",
    ] {
        assert!(body.contains(part), "{part} in {body}");
    }
    for operation in [
        POLICY_OF_OTHER,
        "GetKeyPolicy",
        "DescribeOrganization",
        "GetRole",
    ] {
        for request in wire.sent(operation) {
            assert!(
                request.authorization.contains("Credential=MEMBERKEY/"),
                "{request:?}"
            );
        }
    }
    assert!(wire.sent("GetKeyPolicy")[0].uri.contains("kms.us-east-1."));
    assert!(wire.sent("GetRole")[0].uri.contains("iam.amazonaws.com"));
}

#[tokio::test]
async fn another_account_without_a_member_role_says_what_to_set() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    let error = aws
        .backup()
        .get_backup_vault_access_policy(&vault(OTHER))
        .await
        .unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Failed);
    assert_eq!(error.operation, "backup:GetBackupVaultAccessPolicy");
    assert!(error.detail.contains("COPYMEND_MEMBER_ROLE"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_member_role_is_told_as_what_it_is() {
    for (reply, kind) in [
        (
            xml_error(
                403,
                "AccessDenied",
                "not authorized to perform: sts:AssumeRole",
            ),
            CallErrorKind::AccessDenied,
        ),
        (
            xml_error(400, "Throttling", "Rate exceeded"),
            CallErrorKind::Throttled,
        ),
        (
            xml_error(400, "ValidationError", "1 validation error"),
            CallErrorKind::Rejected,
        ),
        (silence(), CallErrorKind::Timeout),
        (ok("<html>"), CallErrorKind::Unreadable),
    ] {
        let wire = Wire::default();
        let aws = environment(&wire, &members()).await;
        wire.always("AssumeRole", reply.clone());
        let error = aws
            .backup()
            .get_backup_vault_access_policy(&vault(OTHER))
            .await
            .unwrap_err();
        assert_eq!(error.kind, kind, "{reply:?} {error:?}");
        if kind != CallErrorKind::Timeout {
            assert_eq!(error.operation, "sts:AssumeRole", "{reply:?}");
            assert_eq!(
                error.resource,
                "arn:aws:iam::444455556666:role/copymend/Member"
            );
        }
    }
}

#[tokio::test]
async fn a_denied_assume_role_is_not_tried_again_by_the_call() {
    let wire = Wire::default();
    let aws = environment(&wire, &members()).await;
    wire.always("AssumeRole", xml_error(403, "AccessDenied", "no"));
    let keys = aws.keys();
    let key: KeyArn = parsed("arn:aws:kms:us-east-1:444455556666:key/1");
    assert!(keys.describe_key(&key).await.is_err());
    assert_eq!(wire.sent("AssumeRole").len(), 1);
    assert!(wire.sent("DescribeKey").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_failed_identity_is_shared_for_a_moment_but_not_kept() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    wire.once(
        "GetCallerIdentity",
        xml_error(403, "ExpiredToken", "expired"),
    )
    .always(
        "DescribeOrganization",
        ok(r#"{"Organization":{"Id":"o-1"}}"#),
    );
    let organizations = aws.organizations();
    let (first, second) = tokio::join!(
        organizations.describe_organization(own(), "aws"),
        organizations.describe_organization(own(), "aws"),
    );
    let error = first.unwrap_err();
    assert_eq!(error.operation, "sts:GetCallerIdentity");
    assert_eq!(second.unwrap_err(), error);
    assert_eq!(wire.sent("GetCallerIdentity").len(), 1);
    tokio::time::advance(Duration::from_secs(6)).await;
    assert!(
        organizations
            .describe_organization(own(), "aws")
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn an_identity_that_is_none_is_unreadable() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    wire.always("GetCallerIdentity", identity("4444"));
    let error = aws
        .organizations()
        .describe_organization(own(), "aws")
        .await
        .unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Unreadable);
}

#[tokio::test]
async fn an_arn_without_a_real_account_is_never_called() {
    let wire = Wire::default();
    let aws = environment(&wire, &members()).await;
    let error = aws
        .backup()
        .describe_backup_vault(&vault("1112223334444"))
        .await
        .unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Failed);
    assert!(wire.sent("GetCallerIdentity").is_empty());
}

#[tokio::test]
async fn a_denied_read_is_not_absence_in_another_account_either() {
    let wire = Wire::default();
    let aws = environment(&wire, &members()).await;
    wire.always("AssumeRole", assumed("MEMBERKEY", OTHER))
        .always(
            POLICY_OF_OTHER,
            json_error(403, "AccessDeniedException", "Insufficient privileges"),
        );
    let error = aws
        .backup()
        .get_backup_vault_access_policy(&vault(OTHER))
        .await
        .unwrap_err();
    assert_eq!(error.kind, CallErrorKind::AccessDenied);
    assert_eq!(error.operation, "backup:GetBackupVaultAccessPolicy");
}

/// Lambda's ARN and the settings' role tell it; an emulator's ARN doesn't.
#[tokio::test]
async fn a_deployed_function_knows_its_account_without_asking() {
    let function = |account| format!("arn:aws:lambda:eu-west-1:{account}:function:copymend:live");
    for (role, is_local_run, function, asked) in [
        (Some(OWN), false, function(OWN), 0),
        (None, false, function(OWN), 0),
        (Some(OWN), false, function("012345678912"), 1),
        (None, false, function("012345678912"), 1),
        (Some(OTHER), false, function(OWN), 1),
        (None, true, function(OWN), 1),
        (Some(OWN), true, function(OWN), 1),
        (
            Some(OWN),
            false,
            format!("arn:aws-cn:lambda:cn-north-1:{OWN}:function:copymend"),
            1,
        ),
        (Some(OWN), false, "copymend".to_owned(), 1),
    ] {
        let wire = Wire::default();
        wire.always("GetCallerIdentity", identity(OWN))
            .always(POLICY_OF_OTHER, ok(r#"{"Policy":"{}"}"#));
        let settings = Deployment {
            function_role: role.map(|account| {
                parsed(&format!(
                    "arn:aws:iam::{account}:role/copymend-CopyRemediator"
                ))
            }),
            is_local_run,
            ..Deployment::default()
        };
        let aws = environment(&wire, &settings).await;
        aws.invoked_as(&function);
        let vault = vault(OWN);
        let read = aws.backup().get_backup_vault_access_policy(&vault).await;
        assert_eq!(read.unwrap().as_deref(), Some("{}"));
        assert_eq!(wire.sent("GetCallerIdentity").len(), asked, "{function}");
        assert!(wire.sent("AssumeRole").is_empty());
    }
}

/// The first call there doesn't wait, and no other role is assumed for it.
#[tokio::test]
async fn an_account_is_made_ready_once_and_its_first_call_uses_that_session() {
    let wire = Wire::default();
    wire.always("GetCallerIdentity", identity(OWN))
        .always("AssumeRole", assumed("MEMBERKEY", OTHER))
        .always(POLICY_OF_OTHER, ok(r#"{"Policy":"{}"}"#));
    let aws = environment(&wire, &members()).await;
    let (own, other) = (parsed(OWN), parsed(OTHER));
    aws.make_ready(own, "aws").await;
    assert!(wire.sent("AssumeRole").is_empty(), "it is our own");
    aws.make_ready(other, "aws").await;
    aws.make_ready(other, "aws").await;
    assert_eq!(wire.sent("AssumeRole").len(), 1);
    for _ in 0..2 {
        let vault = vault(OTHER);
        let read = aws.backup().get_backup_vault_access_policy(&vault).await;
        assert_eq!(read.unwrap().as_deref(), Some("{}"));
    }
    assert_eq!(wire.sent("AssumeRole").len(), 1);
}

/// What failed ahead is tried again, and told, where it is needed.
#[tokio::test]
async fn an_account_that_cannot_be_made_ready_is_told_by_its_first_call() {
    let wire = Wire::default();
    wire.always("GetCallerIdentity", identity(OWN))
        .always("AssumeRole", xml_error(403, "AccessDenied", "no"));
    let aws = environment(&wire, &members()).await;
    aws.make_ready(parsed(OTHER), "aws").await;
    let vault = vault(OTHER);
    let read = aws.backup().get_backup_vault_access_policy(&vault).await;
    assert_eq!(read.unwrap_err().kind, CallErrorKind::AccessDenied);
    assert_eq!(wire.sent("AssumeRole").len(), 2);
}
