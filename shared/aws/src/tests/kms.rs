use copymend_diagnosis::{KeyAliasArn, KeyArn, KeyManager};
use copymend_remediation::ports::{CallErrorKind, Keys, Reads};
use copymend_remediation::settings::Deployment;
use serde_json::json;

use super::wire::{Wire, json_error, ok, typed_error};
use super::{environment, parsed};

fn key() -> KeyArn {
    parsed("arn:aws:kms:eu-west-1:111122223333:key/mrk-1")
}

#[tokio::test]
async fn a_key_is_read_with_manager_and_state() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    let metadata = |manager: &str, state: &str| {
        json!({ "KeyMetadata": { "KeyId": "mrk-1", "Arn": key().as_str(), "KeyManager": manager, "KeyState": state } })
            .to_string()
    };
    wire.once("DescribeKey", ok(metadata("CUSTOMER", "Enabled")))
        .once("DescribeKey", ok(metadata("AWS", "Frozen")))
        .once("DescribeKey", ok(metadata("SOMEONE", "Enabled")))
        .once("DescribeKey", ok(r#"{"KeyMetadata":{"KeyId":"mrk-1"}}"#))
        .once("DescribeKey", ok("{}"))
        .once("DescribeKey", typed_error("NotFoundException", "no key"))
        .once(
            "DescribeKey",
            json_error(400, "AccessDeniedException", "no"),
        );
    let key = key();
    let read = || aws.keys().describe_key(&key);
    let found = read().await.unwrap().unwrap();
    assert_eq!(found.manager, KeyManager::Customer);
    assert!(found.is_enabled());
    let other = read().await.unwrap().unwrap();
    assert_eq!(other.manager, KeyManager::Aws);
    assert_eq!(other.state, "Frozen");
    for _ in 0..3 {
        assert_eq!(read().await.unwrap_err().kind, CallErrorKind::Unreadable);
    }
    assert_eq!(read().await, Ok(None));
    assert_eq!(read().await.unwrap_err().kind, CallErrorKind::AccessDenied);
}

#[tokio::test]
async fn a_key_policy_is_text_absent_or_denied() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    let policy = "{\n  \"Statement\" : []\n}";
    wire.once("GetKeyPolicy", ok(json!({ "Policy": policy }).to_string()))
        .once("GetKeyPolicy", ok("{}"))
        .once("GetKeyPolicy", typed_error("NotFoundException", "no key"))
        .once("GetKeyPolicy", typed_error("AccessDeniedException", "no"));
    let key = key();
    let read = || aws.keys().get_key_policy(&key);
    assert_eq!(read().await.unwrap().unwrap(), policy);
    assert_eq!(read().await.unwrap_err().kind, CallErrorKind::Unreadable);
    assert_eq!(read().await, Ok(None));
    assert_eq!(read().await.unwrap_err().kind, CallErrorKind::AccessDenied);
    assert_eq!(
        wire.sent("GetKeyPolicy")[0].json(),
        json!({ "KeyId": key.as_str(), "PolicyName": "default" })
    );
}

#[tokio::test]
async fn an_alias_is_described_to_find_its_key() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    let metadata = json!({ "KeyMetadata": { "KeyId": "mrk-1", "Arn": key().as_str() } });
    wire.once("DescribeKey", ok(metadata.to_string()))
        .once("DescribeKey", ok(r#"{"KeyMetadata":{"KeyId":"mrk-1"}}"#))
        .once("DescribeKey", ok("{}"))
        .once(
            "DescribeKey",
            typed_error("NotFoundException", "Alias is not found."),
        )
        .once("DescribeKey", typed_error("AccessDeniedException", "no"));
    let alias: KeyAliasArn = parsed("arn:aws:kms:eu-west-1:111122223333:alias/team/backup");
    let read = || aws.keys().key_of_alias(&alias);
    assert_eq!(read().await, Ok(Some(key())));
    assert_eq!(
        wire.sent("DescribeKey")[0].json(),
        json!({ "KeyId": alias.as_str() })
    );
    for _ in 0..2 {
        assert_eq!(read().await.unwrap_err().kind, CallErrorKind::Unreadable);
    }
    assert_eq!(read().await, Ok(None));
    let denied = read().await.unwrap_err();
    assert_eq!(denied.kind, CallErrorKind::AccessDenied);
    assert_eq!(denied.operation, "kms:DescribeKey");
    assert_eq!(denied.resource, alias.as_str());
}

/// `DescribeKey` would make the key of an alias of AWS's own where there is none yet.
#[tokio::test]
async fn an_alias_of_awss_own_is_looked_up_in_the_list_and_never_described() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    let list = |key: &str| {
        ok(format!(
            r#"{{"Aliases":[{{"AliasName":"alias/aws/backup"{key}}}],"Truncated":false}}"#
        ))
    };
    wire.once(
        "ListAliases",
        ok(r#"{"Aliases":[{"AliasName":"alias/aws/backup-2","TargetKeyId":"2"}],"Truncated":true,"NextMarker":"m"}"#),
    )
    .once("ListAliases", list(r#","TargetKeyId":"mrk-1""#))
    .once("ListAliases", list(""))
    .once("ListAliases", ok(r#"{"Aliases":[],"Truncated":false}"#))
    .once("ListAliases", list(r#","TargetKeyId":"a/b""#))
    .once("ListAliases", typed_error("AccessDeniedException", "no"));
    let alias: KeyAliasArn = parsed("arn:aws:kms:eu-west-1:111122223333:alias/aws/backup");
    let read = || aws.keys().key_of_alias(&alias);
    assert_eq!(read().await, Ok(Some(key())));
    let sent = wire.sent("ListAliases");
    assert_eq!(sent[0].json(), json!({ "Limit": 100 }));
    assert_eq!(sent[1].json()["Marker"], "m");
    // Its key isn't made yet; the alias isn't there.
    assert_eq!(read().await, Ok(None));
    assert_eq!(read().await, Ok(None));
    assert_eq!(read().await.unwrap_err().kind, CallErrorKind::Unreadable);
    let denied = read().await.unwrap_err();
    assert_eq!(denied.kind, CallErrorKind::AccessDenied);
    assert_eq!(denied.operation, "kms:ListAliases");
    assert_eq!(wire.sent("DescribeKey").len(), 0);
}

#[tokio::test]
async fn all_pages_of_tags_are_read() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    wire.once(
        "ListResourceTags",
        ok(r#"{"Tags":[{"TagKey":"a","TagValue":"1"}],"Truncated":true,"NextMarker":"m"}"#),
    )
    .once(
        "ListResourceTags",
        ok(r#"{"Tags":[{"TagKey":"copymend","TagValue":"never"}],"Truncated":false}"#),
    )
    .once("ListResourceTags", ok(r#"{"Tags":[],"Truncated":true}"#));
    let tags = aws.keys().list_key_tags(&key()).await.unwrap();
    assert_eq!(tags.len(), 2);
    assert_eq!(wire.sent("ListResourceTags")[1].json()["Marker"], "m");
    let error = aws.keys().list_key_tags(&key()).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Unreadable);
    wire.always(
        "ListResourceTags",
        ok(r#"{"Tags":[],"Truncated":true,"NextMarker":"m"}"#),
    );
    let error = aws.keys().list_key_tags(&key()).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Unreadable);
}

#[tokio::test]
async fn all_pages_of_policy_names_are_read() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    let operation = "ListKeyPolicies";
    wire.once(
        operation,
        ok(r#"{"PolicyNames":["default"],"Truncated":true,"NextMarker":"m"}"#),
    )
    .once(
        operation,
        ok(r#"{"PolicyNames":["ram-1"],"Truncated":false}"#),
    )
    .once(
        operation,
        ok(r#"{"PolicyNames":["default"],"Truncated":true}"#),
    )
    .once(operation, typed_error("NotFoundException", "no key"));
    let key = key();
    let read = || aws.keys().list_key_policies(&key);
    assert_eq!(read().await.unwrap(), ["default", "ram-1"]);
    let sent = wire.sent(operation);
    assert_eq!(sent[0].json(), json!({ "KeyId": key.as_str() }));
    assert_eq!(sent[1].json()["Marker"], "m");
    assert_eq!(read().await.unwrap_err().kind, CallErrorKind::Unreadable);
    let error = read().await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Failed);
    assert_eq!(error.operation, "kms:ListKeyPolicies");
}

#[tokio::test(start_paused = true)]
async fn a_policy_is_put_under_its_name_and_never_past_the_lockout_check() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    wire.once("PutKeyPolicy", ok(""));
    aws.keys().put_policy(&key(), "{}").await.unwrap();
    assert_eq!(
        wire.sent("PutKeyPolicy")[0].json(),
        json!({ "KeyId": key().as_str(), "PolicyName": "default", "Policy": "{}" })
    );
    for code in [
        "MalformedPolicyDocumentException",
        "LimitExceededException",
        "UnsupportedOperationException",
    ] {
        wire.always("PutKeyPolicy", typed_error(code, "no"));
        let error = aws.keys().put_policy(&key(), "{}").await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Rejected, "{code}");
    }
}
