//! A refused call whose message names the policy that refuses keeps that cause, whatever is read.

use copymend_diagnosis::{Cause, Verdict};
use serde_json::json;

use crate::advisor::{advise, causes, event, give};
use crate::support::sandbox;

const CALLER: &str = "arn:aws:sts::111122223333:assumed-role/BackupAdministrator/maria";

const POLICIES: [(&str, Cause); 7] = [
    ("identity-based policy", Cause::CallerPermission),
    ("permissions boundary", Cause::PermissionsBoundary),
    ("service control policy", Cause::ServiceControlPolicy),
    ("resource control policy", Cause::ResourceControlPolicy),
    ("session policy", Cause::SessionPolicy),
    ("VPC endpoint policy", Cause::VpcEndpointPolicy),
    ("resource-based policy", Cause::KeyPolicy),
];

#[tokio::test]
async fn a_message_that_names_its_policy_keeps_it() {
    let sample = event("create-backup-vault");
    let key = sample["detail"]["requestParameters"]["encryptionKeyArn"].clone();
    let key = key.as_str().unwrap();
    let vault = "arn:aws:backup:us-east-1:111122223333:backup-vault:prod-second";
    let all = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let mut lost = Vec::new();
    for (action, resource) in [
        ("backup:CreateBackupVault", vault),
        ("kms:CreateGrant", key),
        ("kms:Decrypt", key),
    ] {
        for (policy, cause) in POLICIES {
            // The policies of keys are the only ones of resources that are looked at.
            if cause == Cause::KeyPolicy && resource == vault {
                continue;
            }
            for why in [
                format!("because no {policy} allows the {action} action"),
                format!("with an explicit deny in a {policy}"),
            ] {
                let message = format!(
                    "User: {CALLER} is not authorized to perform: {action} on resource: {resource} {why}"
                );
                let sandbox = sandbox();
                give(&sandbox, "all", &all);
                let mut event = sample.clone();
                event["detail"]["errorMessage"] = json!(message);
                let advisory = advise(&sandbox, &event).await;
                let candidates = &advisory.diagnosis.candidates;
                let kept = candidates.iter().find(|one| one.cause == cause);
                if kept.is_none_or(|one| one.verdict == Verdict::RuledOut) {
                    lost.push(format!("{cause}: {why}\n    {:?}", causes(&advisory)));
                }
            }
        }
    }
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}
