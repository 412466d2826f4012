//! A policy as it stands that AWS would not store again: nothing is tried where the policy itself
//! tells, and where only AWS tells, the advice begins with what must be cleaned.

use copymend_remediation::ports::{Clock, Reads};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::{Mode, Settings};
use copymend_remediation::{CopyRemediator, Invocation};
use copymend_sandbox::{NewCopy, Sandbox};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::small::{copy, load, owner, world};

const PUTS: [&str; 2] = ["backup:PutBackupVaultAccessPolicy", "kms:PutKeyPolicy"];
const OTHERS: &str = "arn:aws:iam::999988887777:root";

/// What comes of a copy into a vault, or from under a key, with these statements and none that
/// admits it. The count is of puts that were tried.
async fn report_of(is_vault: bool, statements: Value, closed: Value) -> (Report, u64) {
    let mut world = world();
    let at = if is_vault {
        "/accounts/444455556666/regions/eu-west-1/vaults/dr"
    } else {
        "/accounts/111122223333/regions/us-east-1/keys/11111111-1111-4111-8111-111111111111"
    };
    world.pointer_mut(at).unwrap()["policy"] =
        json!({"Version": "2012-10-17", "Statement": statements});
    world["closed_accounts"] = closed;
    let sandbox = Sandbox::new(load(&world));
    let now = sandbox.clock().now();
    let id = sandbox.with_world(|world| {
        let copy = NewCopy {
            created: now - SignedDuration::from_mins(10),
            ..copy()
        };
        world.start_copy(copy).unwrap().id.clone()
    });
    let settings = Settings {
        mode: Mode::Repair,
        allowed_destinations: vec!["*".parse().unwrap()],
        allowed_keys: vec!["*".parse().unwrap()],
        allowed_sources: vec!["*".parse().unwrap()],
        allow_on_demand: true,
        ..Settings::default()
    };
    let invocation = Invocation {
        id: "test".to_owned(),
        deadline: now + SignedDuration::from_secs(120),
    };
    let event = sandbox.event_for(&id).unwrap();
    let report = CopyRemediator::new(sandbox.clone(), settings)
        .handle(&event, &invocation)
        .await
        .unwrap();
    let tried = PUTS.iter().map(|put| sandbox.calls().count(put)).sum();
    (report, tried)
}

fn statement(effect: &str, element: &str, who: &str, action: &str) -> Value {
    json!({"Sid": "Old", "Effect": effect, element: {"AWS": who}, "Action": action, "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalAccount": "999988887777"}}})
}

fn steps(report: &Report) -> &[String] {
    &report.advice.as_ref().unwrap().steps
}

#[tokio::test]
async fn what_the_policy_tells_is_not_tried_and_is_to_be_cleaned_first() {
    let copy_into = "backup:CopyIntoBackupVault";
    for (is_vault, old, what) in [
        (
            true,
            statement("Allow", "NotPrincipal", OTHERS, copy_into),
            "NotPrincipal",
        ),
        (
            true,
            statement("Deny", "Principal", OTHERS, "backup:*"),
            "`backup:*`",
        ),
        (
            true,
            statement("Deny", "Principal", OTHERS, "backup:Put*"),
            "`backup:Put*`",
        ),
        (
            false,
            statement("Allow", "NotPrincipal", OTHERS, "kms:Decrypt"),
            "NotPrincipal",
        ),
    ] {
        let (statements, place) = if is_vault {
            (json!([old]), 1)
        } else {
            (json!([owner(), old]), 2)
        };
        let (report, tried) = report_of(is_vault, statements, json!([])).await;
        assert_eq!(report.outcome, Outcome::Refused, "{report:#?}");
        assert_eq!(tried, 0, "{old}");
        let failed: Vec<_> = report.guards.iter().filter(|guard| !guard.passed).collect();
        assert_eq!(failed.len(), 1, "{failed:#?}");
        assert_eq!(failed[0].guard.name(), "put-accepted");
        let named = format!("statement {place} (Sid `Old`)");
        assert!(failed[0].detail.starts_with(&named), "{}", failed[0].detail);
        assert!(failed[0].detail.contains(what), "{}", failed[0].detail);
        let first = &steps(&report)[0];
        assert!(
            first.starts_with(&format!("Clean {named}")) && first.contains(what),
            "{first}"
        );
    }
}

#[tokio::test]
async fn what_only_aws_tells_is_to_be_cleaned_first() {
    let closed = "arn:aws:iam::121212121212:root";
    for (is_vault, action) in [(true, "backup:CopyIntoBackupVault"), (false, "kms:Decrypt")] {
        let old = statement("Allow", "Principal", closed, action);
        let (statements, place) = if is_vault {
            (json!([old]), 1)
        } else {
            (json!([owner(), old]), 2)
        };
        let (report, tried) = report_of(is_vault, statements, json!(["121212121212"])).await;
        assert_eq!(report.outcome, Outcome::Failed, "{report:#?}");
        assert_eq!(tried, 1);
        let steps = steps(&report);
        let named = format!("Clean statement {place} (Sid `Old`)");
        assert!(
            steps[0].starts_with(&named) && steps[0].contains(closed),
            "{steps:#?}"
        );
        assert!(
            steps
                .iter()
                .any(|step| step.contains("--policy file://policy.json")),
            "{steps:#?}"
        );
    }
}

#[tokio::test]
async fn who_may_change_a_key_policy_is_told() {
    let mut read_only = owner();
    read_only["Action"] = json!(["kms:Describe*", "kms:Get*", "kms:List*"]);
    let (report, tried) = report_of(false, json!([read_only]), json!([])).await;
    assert_eq!((report.outcome, tried), (Outcome::Refused, 0));
    let first = &steps(&report)[0];
    assert!(
        first.starts_with("Nobody can change this key policy"),
        "{first}"
    );
    assert!(
        first.contains("AWS Support from account 111122223333"),
        "{first}"
    );

    let admin = "arn:aws:iam::111122223333:role/KeyAdmin";
    let locked = json!({"Effect": "Deny", "Principal": "*", "Action": "kms:PutKeyPolicy",
        "Resource": "*", "Condition": {"ArnNotLike": {"aws:PrincipalArn": admin}}});
    let (report, tried) = report_of(false, json!([owner(), locked]), json!([])).await;
    assert_eq!((report.outcome, tried), (Outcome::Refused, 0));
    let steps = steps(&report);
    let named = steps
        .iter()
        .position(|step| step.contains(&format!("as `{admin}`")));
    let put = steps
        .iter()
        .position(|step| step.contains("put-key-policy"));
    assert!(named.is_some() && named < put, "{steps:#?}");
}
