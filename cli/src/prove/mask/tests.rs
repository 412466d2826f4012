use proptest::prelude::*;
use serde_json::{Value, json};

use super::Masks;

const SOURCE: &str = "210987654321";
const DESTINATION: &str = "598765432109";

fn masks() -> Masks {
    let mut masks = Masks::new(SOURCE, DESTINATION);
    masks.hide("Nightly+Backups", "job-role");
    masks
}

#[test]
fn the_two_accounts_get_the_example_ids_wherever_they_stand() {
    let mut masks = masks();
    let sid = format!("CopymendCopyInto{SOURCE}153109899e8810a1");
    assert!(masks.text(&sid).starts_with("CopymendCopyInto111122223333"));
    let arn =
        format!("arn:aws:backup:eu-west-1:{DESTINATION}:backup-vault:copymend-prove-0a1b2c3d");
    assert_eq!(
        masks.text(&arn),
        "arn:aws:backup:eu-west-1:444455556666:backup-vault:copymend-prove-0a1b2c3d"
    );
}

#[test]
fn an_id_gets_the_same_mask_each_time_and_another_one_another() {
    let mut masks = masks();
    let one = masks.text("job 1DE46DC6-1784-4B3F-8A2D-000000000001");
    assert_eq!(one, "job 00000000-0000-4000-8000-000000000001");
    assert_eq!(
        masks.text("1de46dc6-1784-4b3f-8a2d-000000000001"),
        one.replace("job ", "")
    );
    assert_ne!(masks.text("job 2DE46DC6-1784-4B3F-8A2D-000000000001"), one);
    assert_eq!(masks.text(&one), one);
}

#[test]
fn words_of_aws_stay() {
    let mut masks = masks();
    for text in [
        "Access Denied trying to call AWS Backup service",
        "arn:aws:iam::aws:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup",
        ":role/service-role/AWSBackupDefaultServiceRole",
        "DestinationRecoveryPointLifecycle",
        "2026-11-29T10:00:00.123Z",
        "ResourceNotFoundException",
        "kms:GenerateDataKeyWithoutPlaintext",
        "us-gov-west-1",
        "destination-vault-policy",
        "copymend-prove-0a1b2c3d",
        "CUSTOMER_MANAGED_KMS_KEY",
    ] {
        assert_eq!(masks.text(text), text);
    }
    assert_eq!(
        masks.value(json!({"Size": 1_764_400_000.5})),
        json!({"Size": 1_764_400_000.5})
    );
}

#[test]
fn names_of_roles_and_people_go() {
    let mut masks = masks();
    for secret in [
        "alice",
        "AWSReservedSSO_Admins_0123456789abcdef",
        "ci-runner",
    ] {
        for begin in [
            "iam::210987654321:role/",
            "iam::210987654321:user/",
            "sts::210987654321:assumed-role/x/",
        ] {
            let masked = masks.text(&format!("User: arn:aws:{begin}{secret} is not authorized"));
            assert!(!masked.contains(secret), "{masked}");
            assert!(masked.ends_with(" is not authorized"), "{masked}");
        }
    }
    let masked = masks
        .text("arn:aws:sts::210987654321:assumed-role/Nightly+Backups/AWSBackup-Nightly+Backups");
    assert!(!masked.contains("Nightly"), "{masked}");
}

/// An id of one of AWS's shapes.
fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(SOURCE.to_owned()),
        Just(DESTINATION.to_owned()),
        "[1-9][0-9]{11}",
        "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[1-9a-f][0-9a-f]{11}",
        "[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[1-9A-F][0-9A-F]{11}",
        "(vol|snap|ami)-[1-9a-f][0-9a-f]{16}",
        "mrk-[1-9a-f][0-9a-f]{31}",
        "o-[a-z0-9]{10,32}".prop_filter("ours", |id| !id.starts_with("o-example")),
        "ou-[a-z0-9]{4}-[a-z0-9]{8,16}".prop_filter("ours", |id| !id.contains("example")),
        "A(ROA|IDA|KIA|SIA)[B-Z2-7]{16,17}",
        "[a-z]{10}[1-9]{4}[a-z]{10}",
    ]
}

/// A text of AWS around an id.
fn around() -> impl Strategy<Value = fn(&str) -> Value> {
    let shapes: [fn(&str) -> Value; 9] = [
        |id| json!(id),
        |id| json!({ "KeyId": id }),
        |id| json!({ id: ["a", 1, null] }),
        |id| json!(format!("arn:aws:kms:eu-west-1:{id}:key/1")),
        |id| json!(format!("arn:aws:ec2:eu-west-1::snapshot/{id}")),
        |id| {
            json!(format!(
                "Job {id} failed (Service: Backup; Request ID: {id})"
            ))
        },
        |id| json!(format!("<requestId>{id}</requestId>")),
        |id| json!({"Policy": json!({"Sid": id, "Principal": {"AWS": id}}).to_string()}),
        |id| json!(format!("{id}/{id}:{id}")),
    ];
    prop::sample::select(shapes.to_vec())
}

proptest! {
    #[test]
    fn no_id_is_left_and_masking_is_stable(ids in prop::collection::vec((id(), around()), 1..12)) {
        let record = Value::Array(ids.iter().map(|(id, around)| around(id)).collect());
        let mut masks = masks();
        let masked = masks.value(record.clone());
        let text = masked.to_string();
        for (id, _) in &ids {
            prop_assert!(!text.contains(id.as_str()), "{id} in {text}");
        }
        prop_assert_eq!(masks.value(record), masked);
    }

    #[test]
    fn different_ids_stay_different(one in id(), other in id()) {
        prop_assume!(!one.eq_ignore_ascii_case(&other));
        let mut masks = masks();
        prop_assert_ne!(masks.text(&one), masks.text(&other));
    }
}
