//! A healthy copy, to be broken, and what the handler makes of it then.

use copymend_diagnosis::{Cause, Verdict};
use copymend_remediation::report::Report;
use copymend_remediation::settings::{Mode, Settings};
use copymend_remediation::{CopyRemediator, Invocation};
use copymend_sandbox::{Sandbox, World};
use jiff::SignedDuration;
use serde_json::{Value, json};

pub(crate) const SOURCE: &str = "/accounts/111122223333";
pub(crate) const DESTINATION: &str = "/accounts/444455556666";
pub(crate) const ROLE: &str = "/accounts/111122223333/roles/BackupRole";
pub(crate) const VAULT: &str = "/accounts/444455556666/regions/eu-west-1/vaults/dr";
pub(crate) const VAULTS: &str = "/accounts/444455556666/regions/eu-west-1/vaults";
pub(crate) const POINTS: &str =
    "/accounts/111122223333/regions/us-east-1/vaults/prod/recovery_points";
pub(crate) const POINT: &str =
    "/accounts/111122223333/regions/us-east-1/vaults/prod/recovery_points/0";
pub(crate) const KEYS: &str = "/accounts/111122223333/regions/us-east-1/keys";
pub(crate) const KEY: &str =
    "/accounts/111122223333/regions/us-east-1/keys/11111111-1111-4111-8111-111111111111";
pub(crate) const COPY: &str = "/copy_jobs/0";
/// The organization that the source is in.
pub(crate) const ORGANIZATION: &str = "/organizations/0";

pub(crate) const JOB: &str = "11111111-2222-4333-8444-555555555555";
const SERVICE_LINKED_ROLE: &str =
    "arn:aws:iam::444455556666:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup";

/// A world as JSON, with one copy job.
#[derive(Clone, Debug)]
pub(crate) struct Scene(pub(crate) Value);

impl Scene {
    /// A world in which the copy of an encrypted EBS snapshot to another account and Region works.
    /// No policy in it speaks of the organization, so that each thing can be broken alone.
    pub(crate) fn healthy() -> Self {
        let key = "arn:aws:kms:us-east-1:111122223333:key/11111111-1111-4111-8111-111111111111";
        let vault_key =
            "arn:aws:kms:eu-west-1:444455556666:key/22222222-2222-4222-8222-222222222222";
        Self(json!({
            "organizations": [
                {
                    "id": "o-exampleorgid",
                    "management_account": "999988887777",
                    "cross_account_backup_enabled": true,
                    "member_accounts": {
                        "111122223333": "o-exampleorgid/r-ab12/ou-ab12-11111111/",
                        "444455556666": "o-exampleorgid/r-ab12/ou-ab12-22222222/"
                    }
                },
                {
                    "id": "o-acquired2024",
                    "management_account": "567856785678",
                    "cross_account_backup_enabled": true,
                    "member_accounts": {}
                }
            ],
            "accounts": {
                "111122223333": {
                    "roles": {"BackupRole": {"managed_policies": ["AWSBackupServiceRolePolicyForBackup"]}},
                    "regions": {"us-east-1": {
                        "vaults": {"prod": {"recovery_points": [{
                            "arn": "arn:aws:ec2:us-east-1::snapshot/snap-0123456789abcdef0",
                            "resource_arn": "arn:aws:ec2:us-east-1:111122223333:volume/vol-0123456789abcdef0",
                            "resource_type": "EBS",
                            "encryption_key_arn": key,
                            "tags": {"Stage": "prod", "aws:backup:source-resource": "vol"}
                        }]}},
                        "keys": {"11111111-1111-4111-8111-111111111111": {
                            "policy": {"Version": "2012-10-17", "Statement": [
                                {"Sid": "Owner", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                                    "Action": "kms:*", "Resource": "*"},
                                {"Sid": "Share", "Effect": "Allow", "Principal": {"AWS": SERVICE_LINKED_ROLE},
                                    "Action": ["kms:DescribeKey", "kms:ReEncryptFrom",
                                        "kms:GenerateDataKeyWithoutPlaintext", "kms:CreateGrant"],
                                    "Resource": "*"}
                            ]}
                        }}
                    }}
                },
                "444455556666": {"regions": {"eu-west-1": {
                    "vaults": {"dr": {
                        "encryption_key_arn": vault_key,
                        "policy": {"Version": "2012-10-17", "Statement": [
                            {"Sid": "Keep", "Effect": "Deny", "Principal": "*",
                                "Action": "backup:DeleteRecoveryPoint", "Resource": "*"},
                            {"Sid": "Admit", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                                "Action": "backup:CopyIntoBackupVault", "Resource": "*"}
                        ]}
                    }},
                    "keys": {"22222222-2222-4222-8222-222222222222": {}}
                }}},
                "999988887777": {},
                "567856785678": {}
            },
            "copy_jobs": [{
                "id": JOB,
                "recovery_point_arn": "arn:aws:ec2:us-east-1::snapshot/snap-0123456789abcdef0",
                "source_vault_arn": "arn:aws:backup:us-east-1:111122223333:backup-vault:prod",
                "destination_vault_arn": "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr",
                "iam_role_arn": "arn:aws:iam::111122223333:role/BackupRole",
                "creation_date": "2026-11-02T05:00:00Z",
                "lifecycle": {"delete_after_days": 35},
                "created_by": {
                    "backup_plan_arn": "arn:aws:backup:us-east-1:111122223333:backup-plan:plan-1",
                    "backup_plan_id": "plan-1",
                    "backup_rule_id": "rule-1"
                }
            }]
        }))
    }

    pub(crate) fn at(&mut self, pointer: &str) -> &mut Value {
        self.0
            .pointer_mut(pointer)
            .unwrap_or_else(|| panic!("{pointer} exists"))
    }

    /// Sets a member of an object.
    pub(crate) fn set(&mut self, pointer: &str, name: &str, value: Value) {
        let members = self.at(pointer).as_object_mut().unwrap();
        members.insert(name.to_owned(), value);
    }

    pub(crate) fn remove(&mut self, pointer: &str, name: &str) {
        let members = self.at(pointer).as_object_mut().unwrap();
        assert!(members.shift_remove(name).is_some(), "{pointer}/{name}");
    }

    /// The statements of a policy.
    pub(crate) fn statements(&mut self, resource: &str) -> &mut Vec<Value> {
        self.at(&format!("{resource}/policy/Statement"))
            .as_array_mut()
            .unwrap()
    }

    /// What AWS documents for the customer managed key of a logically air-gapped vault.
    pub(crate) fn admit_job_role_to_vault_key(&mut self) {
        let key =
            "/accounts/444455556666/regions/eu-west-1/keys/22222222-2222-4222-8222-222222222222";
        if self.0.pointer(key).is_some() {
            self.set(key, "policy", json!({"Version": "2012-10-17", "Statement": [
                {"Sid": "Owner", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
                    "Action": "kms:*", "Resource": "*"},
                {"Sid": "Copy", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                    "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey",
                        "kms:CreateGrant"],
                    "Resource": "*"}
            ]}));
        }
    }

    /// The organization that the destination is in.
    pub(crate) fn destination_organization(&mut self) -> &mut Value {
        self.at("/organizations")
            .as_array_mut()
            .unwrap()
            .iter_mut()
            .find(|organization| {
                organization["member_accounts"]
                    .get("444455556666")
                    .is_some()
            })
            .unwrap()
    }

    pub(crate) fn load(&self) -> World {
        World::from_json(&self.0.to_string()).unwrap()
    }
}

/// The cause of the copy's failure by the rules of the world; nothing where the copy works, or a
/// fault spoils it.
pub(crate) fn broken_rule(world: &World) -> Option<Cause> {
    world.copy_job(JOB).unwrap().failure()?.cause
}

/// Settings that admit everything.
pub(crate) fn open_settings(mode: Mode) -> Settings {
    Settings {
        mode,
        allowed_destinations: vec!["*".parse().unwrap()],
        // That of a third account is admitted where it is named.
        allowed_keys: ["*", "arn:aws:kms:*:222233334444:key/*"]
            .map(|entry| entry.parse().unwrap())
            .to_vec(),
        allowed_sources: vec!["*".parse().unwrap()],
        create_service_linked_role: true,
        ..Settings::default()
    }
}

/// The event of the failed copy.
pub(crate) fn event(sandbox: &Sandbox) -> Value {
    sandbox.event_for(JOB).unwrap()
}

/// What the real handler makes of the failed copy.
pub(crate) async fn handle(sandbox: &Sandbox, mode: Mode) -> Report {
    let event = event(sandbox);
    let invocation = Invocation {
        id: "matrix".to_owned(),
        deadline: sandbox.with_world(|world| world.time()) + SignedDuration::from_mins(1),
    };
    CopyRemediator::new(sandbox.clone(), open_settings(mode))
        .handle(&event, &invocation)
        .await
        .unwrap()
}

/// The causes that a report names: its first one, and every other that the facts show.
pub(crate) fn named(report: &Report) -> Vec<Cause> {
    report
        .diagnosis
        .candidates
        .iter()
        .enumerate()
        .filter(|(index, candidate)| *index == 0 || candidate.verdict == Verdict::Confirmed)
        .map(|(_, candidate)| candidate.cause)
        .collect()
}

/// Whether a report excludes a cause.
pub(crate) fn excludes(report: &Report, cause: Cause) -> bool {
    report
        .diagnosis
        .candidates
        .iter()
        .any(|candidate| candidate.cause == cause && candidate.verdict == Verdict::RuledOut)
}
