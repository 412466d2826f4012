use copymend_remediation::ports::{CallErrorKind, Organizations, Reads};
use copymend_remediation::settings::Deployment;

use serde_json::json;

use super::wire::{Wire, ok, typed_error};
use super::{environment, own, parsed};

#[tokio::test]
async fn an_organization_is_known_absent_or_unknown() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    let operation = "DescribeOrganization";
    wire.once(
        operation,
        ok(r#"{"Organization":{"Id":"o-exampleorgid","MasterAccountId":"777788889999"}}"#),
    )
    .once(operation, ok(r#"{"Organization":{"Id":"o-exampleorgid"}}"#))
    .once(
        operation,
        typed_error("AWSOrganizationsNotInUseException", "none"),
    )
    .once(operation, typed_error("AccessDeniedException", "no"))
    .once(operation, ok(r#"{"Organization":{}}"#))
    .once(
        operation,
        ok(r#"{"Organization":{"Id":"o-1","MasterAccountId":"1"}}"#),
    );
    let read = || aws.organizations().describe_organization(own(), "aws");
    let found = read().await.unwrap().unwrap();
    assert_eq!(found.id, "o-exampleorgid");
    assert_eq!(found.management_account, Some(parsed("777788889999")));
    assert_eq!(read().await.unwrap().unwrap().management_account, None);
    assert_eq!(read().await, Ok(None));
    assert_eq!(read().await.unwrap_err().kind, CallErrorKind::AccessDenied);
    assert_eq!(read().await.unwrap_err().kind, CallErrorKind::Unreadable);
    assert_eq!(read().await.unwrap_err().kind, CallErrorKind::Unreadable);
}

#[tokio::test]
async fn a_tag_policy_is_text_absent_or_unknown() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    let operation = "DescribeEffectivePolicy";
    let policy = "{\n  \"tags\": {}\n}";
    wire.once(
        operation,
        ok(
            json!({ "EffectivePolicy": { "PolicyContent": policy, "PolicyType": "TAG_POLICY" } })
                .to_string(),
        ),
    )
    .once(
        operation,
        typed_error("EffectivePolicyNotFoundException", "no tag policy"),
    )
    .once(
        operation,
        typed_error("AWSOrganizationsNotInUseException", "none"),
    )
    .once(operation, typed_error("TargetNotFoundException", "none"))
    .once(operation, typed_error("AccessDeniedException", "no"))
    .once(operation, ok(r#"{"EffectivePolicy":{}}"#))
    .once(operation, ok("{}"));
    let read = || aws.organizations().effective_tag_policy(own(), "aws");
    assert_eq!(read().await.unwrap().as_deref(), Some(policy));
    assert_eq!(
        wire.sent(operation)[0].json(),
        json!({ "PolicyType": "TAG_POLICY" }),
        "without a target it is the account's own"
    );
    assert_eq!(read().await, Ok(None));
    assert_eq!(read().await, Ok(None));
    assert_eq!(read().await.unwrap_err().kind, CallErrorKind::Failed);
    let denied = read().await.unwrap_err();
    assert_eq!(denied.kind, CallErrorKind::AccessDenied);
    assert_eq!(denied.operation, "organizations:DescribeEffectivePolicy");
    assert_eq!(denied.resource, "111122223333");
    assert_eq!(read().await.unwrap_err().kind, CallErrorKind::Unreadable);
    assert_eq!(read().await.unwrap_err().kind, CallErrorKind::Unreadable);
}

#[tokio::test]
async fn no_tag_policy_is_no_answer_about_the_organization() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    wire.always(
        "DescribeOrganization",
        typed_error("EffectivePolicyNotFoundException", "no tag policy"),
    );
    let answer = aws
        .organizations()
        .describe_organization(own(), "aws")
        .await;
    assert_eq!(answer.unwrap_err().kind, CallErrorKind::Failed);
}

#[tokio::test]
async fn the_parents_of_an_account_are_told_from_the_root_down() {
    let operation = "ListParents";
    let parent =
        |id: &str, kind: &str| ok(json!({ "Parents": [{ "Id": id, "Type": kind }] }).to_string());
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    wire.once(operation, parent("ou-ab12-22222222", "ORGANIZATIONAL_UNIT"))
        .once(operation, parent("ou-ab12-11111111", "ORGANIZATIONAL_UNIT"))
        .once(operation, parent("r-ab12", "ROOT"));
    let read = || aws.organizations().list_parents(own(), own(), "aws");
    assert_eq!(
        read().await.unwrap(),
        ["r-ab12", "ou-ab12-11111111", "ou-ab12-22222222"]
    );
    let children: Vec<_> = wire
        .sent(operation)
        .iter()
        .map(super::wire::Sent::json)
        .collect();
    assert_eq!(
        children,
        [
            json!({ "ChildId": "111122223333" }),
            json!({ "ChildId": "ou-ab12-22222222" }),
            json!({ "ChildId": "ou-ab12-11111111" })
        ]
    );
    for (reply, kind) in [
        (
            typed_error("ChildNotFoundException", "none"),
            CallErrorKind::Failed,
        ),
        (
            typed_error("AccessDeniedException", "no"),
            CallErrorKind::AccessDenied,
        ),
        (ok(r#"{"Parents":[]}"#), CallErrorKind::Unreadable),
        (parent("ou-1", "SOMETHING"), CallErrorKind::Unreadable),
    ] {
        wire.once(operation, reply);
        assert_eq!(read().await.unwrap_err().kind, kind);
    }
    wire.always(operation, parent("ou-ab12-11111111", "ORGANIZATIONAL_UNIT"));
    assert_eq!(
        read().await.unwrap_err().kind,
        CallErrorKind::Unreadable,
        "parents in a circle have no end"
    );
}
