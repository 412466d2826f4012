use copymend_diagnosis::Tags;
use copymend_remediation::ports::{CallErrorKind, Reads, ResourceTags};
use copymend_remediation::settings::Deployment;
use serde_json::json;

use super::wire::{Wire, ok, typed_error};
use super::{environment, parsed, source};

const OPERATION: &str = "GetResources";
const SNAPSHOT: &str = "arn:aws:ec2:eu-west-1::snapshot/snap-0a1b2c3d4e5f60718";
const WITH_ACCOUNT: &str = "arn:aws:ec2:eu-west-1:111122223333:snapshot/snap-0a1b2c3d4e5f60718";

fn reading_tags() -> Deployment {
    Deployment {
        read_tags: true,
        ..Deployment::default()
    }
}

fn answer(arn: &str) -> String {
    json!({ "PaginationToken": "", "ResourceTagMappingList": [
        { "ResourceARN": arn, "Tags": [{ "Key": "stage", "Value": "prod" }] } ] })
    .to_string()
}

#[tokio::test]
async fn the_tags_of_a_snapshot_are_asked_by_both_of_its_names() {
    let wire = Wire::default();
    let aws = environment(&wire, &reading_tags()).await;
    wire.once(OPERATION, ok(answer(WITH_ACCOUNT)))
        .once(OPERATION, ok(answer(SNAPSHOT)))
        .once(
            OPERATION,
            ok(answer("arn:aws:ec2:eu-west-1::snapshot/snap-9")),
        )
        .once(OPERATION, ok(r#"{"ResourceTagMappingList":[]}"#));
    let tags = aws.resource_tags().unwrap();
    let expected: Tags = [("stage".to_owned(), "prod".to_owned())].into();
    let (location, arn) = (source(), parsed(SNAPSHOT));
    for answer in [Some(expected.clone()), Some(expected), None, None] {
        assert_eq!(tags.tags_of(&location, &arn).await, Ok(answer));
    }
    let sent = &wire.sent(OPERATION)[0];
    assert_eq!(sent.uri, "https://tagging.eu-west-1.amazonaws.com/");
    assert_eq!(
        sent.json(),
        json!({ "ResourceARNList": [SNAPSHOT, WITH_ACCOUNT] })
    );
    assert!(
        sent.authorization
            .contains("/eu-west-1/tagging/aws4_request"),
        "{}",
        sent.authorization
    );
}

#[tokio::test]
async fn a_refusal_and_an_answer_of_another_shape_tell_nothing() {
    let wire = Wire::default();
    let aws = environment(&wire, &reading_tags()).await;
    let tags = aws.resource_tags().unwrap();
    let (location, arn) = (source(), parsed(SNAPSHOT));
    for (reply, kind) in [
        (
            typed_error("AccessDeniedException", "no"),
            CallErrorKind::AccessDenied,
        ),
        (ok("{}"), CallErrorKind::Unreadable),
        (ok("<html>"), CallErrorKind::Unreadable),
    ] {
        wire.once(OPERATION, reply);
        let error = tags.tags_of(&location, &arn).await.unwrap_err();
        assert_eq!(
            (error.kind, error.operation),
            (kind, "tag:GetResources"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn tags_are_read_only_where_the_setting_says_so() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    assert!(aws.resource_tags().is_none() && aws.organization_reader().is_none());
}
