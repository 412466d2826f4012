use copymend_remediation::ownership::WritingTool;
use copymend_remediation::ports::CallErrorKind;
use copymend_remediation::settings::Deployment;
use serde_json::{Value, json};

use super::environment;
use super::wire::{Reply, Wire, ok, typed_error};

const OPERATION: &str = "LookupEvents";
const VAULT: &str = "arn:aws:backup:eu-west-1:111122223333:backup-vault:dr";
const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn event(time: &str, name: &str, more: &Value) -> Value {
    let mut event = json!({
        "eventTime": time, "eventName": name, "userAgent": "aws-cli/2.17.20",
        "userIdentity": { "arn": "arn:aws:sts::111122223333:assumed-role/Owner/mary" },
        "requestParameters": null, "responseElements": null,
    });
    let (event_members, more) = (event.as_object_mut().unwrap(), more.as_object().unwrap());
    event_members.extend(more.clone());
    json!({ "EventName": name, "CloudTrailEvent": event.to_string() })
}

fn page(events: &[Value], next: Option<&str>) -> Reply {
    ok(json!({ "Events": events, "NextToken": next }).to_string())
}

#[tokio::test(start_paused = true)]
async fn the_newest_write_that_was_not_refused_counts() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    let put = |time, vault: &str, more: Value| {
        let mut all = json!({ "requestParameters": { "backupVaultName": vault } });
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        event(time, "PutBackupVaultAccessPolicy", &all)
    };
    let terraform = "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 terraform-provider-aws/5.60.0";
    wire.once(
        OPERATION,
        page(
            &[
                put("2026-11-20T10:00:00Z", "another", json!({})),
                put(
                    "2026-11-19T10:00:00Z",
                    "dr",
                    json!({ "errorCode": "AccessDenied" }),
                ),
            ],
            Some("more"),
        ),
    )
    .once(
        OPERATION,
        page(
            &[put(
                "2026-11-18T10:00:00Z",
                "dr",
                json!({ "userAgent": terraform }),
            )],
            None,
        ),
    )
    .once(OPERATION, page(&[], None));
    let last = aws.last_writer(VAULT).await.unwrap().unwrap();
    assert_eq!(last.tool, WritingTool::Terraform);
    assert_eq!(last.at, "2026-11-18T10:00:00Z".parse().unwrap());
    assert_eq!(
        last.by.as_deref(),
        Some("arn:aws:sts::111122223333:assumed-role/Owner/mary")
    );
    let sent = wire.sent(OPERATION);
    assert_eq!(sent.len(), 3);
    assert_eq!(sent[0].uri, "https://cloudtrail.eu-west-1.amazonaws.com/");
    assert_eq!(
        sent[1].json(),
        json!({
            "LookupAttributes": [{ "AttributeKey": "EventName", "AttributeValue": "PutBackupVaultAccessPolicy" }],
            "MaxResults": 50, "NextToken": "more",
        })
    );
}

#[tokio::test(start_paused = true)]
async fn a_key_is_named_by_its_id_its_arn_or_as_a_resource() {
    for (name, more) in [
        (
            "PutKeyPolicy",
            json!({ "requestParameters": { "keyId": KEY } }),
        ),
        (
            "PutKeyPolicy",
            json!({ "requestParameters": { "keyId": "1234abcd-12ab-34cd-56ef-1234567890ab" } }),
        ),
        (
            "PutKeyPolicy",
            json!({ "requestParameters": { "keyId": "alias/backup" }, "resources": [{ "ARN": KEY }] }),
        ),
        (
            "CreateKey",
            json!({ "responseElements": { "keyMetadata": { "arn": KEY } } }),
        ),
    ] {
        let wire = Wire::default();
        let aws = environment(&wire, &Deployment::default()).await;
        let found = page(&[event("2026-11-18T10:00:00Z", name, &more)], None);
        if name == "CreateKey" {
            wire.once(OPERATION, page(&[], None)).once(OPERATION, found);
        } else {
            wire.once(OPERATION, found).once(OPERATION, page(&[], None));
        }
        let last = aws.last_writer(KEY).await.unwrap().unwrap();
        assert_eq!(last.call, name, "{more}");
    }
}

#[tokio::test(start_paused = true)]
async fn ninety_days_without_a_write_a_refusal_and_too_many_pages_are_three_things() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    wire.once(OPERATION, page(&[], None))
        .once(OPERATION, page(&[], None));
    assert_eq!(aws.last_writer(VAULT).await, Ok(None));
    for (reply, kind) in [
        (
            typed_error("AccessDeniedException", "no"),
            CallErrorKind::AccessDenied,
        ),
        (ok("{}"), CallErrorKind::Unreadable),
        (
            ok(r#"{"Events":[{"CloudTrailEvent":"<"}]}"#),
            CallErrorKind::Unreadable,
        ),
    ] {
        wire.once(OPERATION, reply);
        assert_eq!(aws.last_writer(VAULT).await.unwrap_err().kind, kind);
    }
    wire.always(OPERATION, page(&[], Some("more")));
    let error = aws.last_writer(VAULT).await.unwrap_err();
    assert!(error.detail.contains("more than 20 pages"), "{error}");
}
