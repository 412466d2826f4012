//! Worlds of which an expert says how the copy and the put end, and what the product should make of
//! them.
//!
//! How AWS answers is the sandbox's part and holds. Where the product comes out otherwise, the
//! world stands in [`EXPECTED_FAILURES`] until it doesn't.

use std::time::Duration;

use copymend_diagnosis::{Cause, CopyJobState};
use copymend_policy::Arn;
use copymend_remediation::ports::{Clock, Environment, Reads};
use copymend_remediation::report::Outcome;
use copymend_remediation::settings::Mode;
use copymend_remediation::{CopyRemediator, Invocation};
use copymend_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::matrix::scene::{
    DESTINATION, JOB, KEY, ORGANIZATION, ROLE, Scene, VAULT, broken_rule, handle, open_settings,
};

const VAULT_ARN: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr";
const KEY_ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/11111111-1111-4111-8111-111111111111";
const JOB_ROLE: &str = "arn:aws:iam::111122223333:role/BackupRole";
const ROOT: &str = "arn:aws:iam::111122223333:root";

/// The worlds that the product comes out wrong of. One that comes out right fails the test until it
/// is taken out here.
const EXPECTED_FAILURES: &[&str] = &["a vault policy with a closed account"];

/// A world, and what an expert demands.
pub(crate) struct Expert {
    pub(crate) name: &'static str,
    /// What the healthy world is made into.
    pub(crate) change: fn(&mut Scene),
    /// The rule that stops the copy.
    pub(crate) rule: Cause,
    /// How AWS answers the write that would mend the copy: the end of its words, where it refuses.
    pub(crate) put: Option<&'static str>,
    /// The first cause to name.
    pub(crate) cause: Cause,
    /// What the product should do in repair mode. In observe mode it tries nothing.
    pub(crate) demand: Demand,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Demand {
    /// It writes, and the copy that it starts completes.
    Mends,
    /// It tries no write: what it reads shows that AWS would refuse it, or that it wouldn't help.
    TriesNothing,
    /// A write that it tries is refused, which nobody can know before.
    IsRefused,
}

fn without_admission(scene: &mut Scene) {
    scene
        .statements(VAULT)
        .retain(|statement| statement["Sid"] != "Admit");
}

fn policy(statements: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn control(scene: &mut Scene, statement: &Value) {
    let attached =
        json!([{"name": "x", "targets": ["r-ab12"], "policy": policy(&json!([statement]))}]);
    scene.set(ORGANIZATION, "service_control_policies", attached);
}

fn region_list(scene: &mut Scene) {
    without_admission(scene);
    control(
        scene,
        &json!({"Effect": "Deny", "NotAction": ["iam:*", "organizations:*", "sts:*", "support:*"], "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]}}}),
    );
}

fn tagged_destination(scene: &mut Scene) {
    without_admission(scene);
    scene.set(VAULT, "tags", json!({"DestinationBackupVault": "yes"}));
    control(
        scene,
        &json!({"Effect": "Deny", "Action": "backup:CopyIntoBackupVault", "Resource": "*",
            "Condition": {"Null": {"aws:ResourceTag/DestinationBackupVault": "true"}}}),
    );
}

fn sparing(scene: &mut Scene, principals: &Value) {
    scene.statements(VAULT).push(json!({"Sid": "OnlyUs", "Effect": "Deny",
        "NotPrincipal": {"AWS": principals}, "Action": "backup:CopyIntoBackupVault", "Resource": "*"}));
}

fn not_principal_with_boundary(scene: &mut Scene) {
    without_admission(scene);
    sparing(scene, &json!([ROOT, JOB_ROLE]));
    let everything = policy(&json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]));
    let boundary = json!({"arn": "arn:aws:iam::111122223333:policy/B", "policy": everything});
    scene.set(ROLE, "permissions_boundary", boundary);
}

fn not_principal_without_account(scene: &mut Scene) {
    sparing(scene, &json!([JOB_ROLE]));
}

fn put_denied(scene: &mut Scene) {
    without_admission(scene);
    scene.statements(VAULT).push(json!({"Sid": "Immutable", "Effect": "Deny", "Principal": "*",
        "Action": ["backup:DeleteRecoveryPoint", "backup:PutBackupVaultAccessPolicy"], "Resource": "*",
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::444455556666:role/VaultAdmin"}}}));
    scene.set(DESTINATION, "roles", json!({"VaultAdmin": {}}));
}

fn existing(scene: &mut Scene, principal: &str) {
    without_admission(scene);
    scene.statements(VAULT).push(
        json!({"Sid": "Existing", "Effect": "Allow", "Principal": {"AWS": principal},
        "Action": "backup:CopyIntoBackupVault", "Resource": "*"}),
    );
}

fn deleted_role(scene: &mut Scene) {
    existing(scene, "AROA1234567890EXAMPLE");
}

fn closed_account(scene: &mut Scene) {
    existing(scene, "arn:aws:iam::121212121212:root");
    scene.set("", "closed_accounts", json!(["121212121212"]));
}

fn key_without_delegation(scene: &mut Scene) {
    scene.set(
        KEY,
        "policy",
        policy(
            &json!([{"Sid": "Admins", "Effect": "Allow", "Principal": {"AWS": JOB_ROLE},
            "Action": "kms:*", "Resource": "*"}]),
        ),
    );
}

fn key_policy_controlled(scene: &mut Scene) {
    scene
        .statements(KEY)
        .retain(|statement| statement["Sid"] != "Share");
    let deny =
        json!({"Effect": "Deny", "Principal": "*", "Action": "kms:PutKeyPolicy", "Resource": "*"});
    let attached = json!([{"name": "x", "targets": ["r-ab12"], "policy": policy(&json!([deny]))}]);
    scene.set(ORGANIZATION, "resource_control_policies", attached);
}

const NOT_STORED: &str = "Provided principal is not valid";
const DENIED: &str = "with an explicit deny in a resource-based policy";

const EXPERTS: [Expert; 9] = [
    Expert {
        name: "a list of allowed Regions",
        change: region_list,
        rule: Cause::DestinationVaultPolicy,
        put: None,
        cause: Cause::DestinationVaultPolicy,
        demand: Demand::Mends,
    },
    Expert {
        name: "a control policy that asks for the tag that the vault has",
        change: tagged_destination,
        rule: Cause::DestinationVaultPolicy,
        put: None,
        cause: Cause::DestinationVaultPolicy,
        demand: Demand::Mends,
    },
    Expert {
        name: "NotPrincipal, and a job role with a boundary",
        change: not_principal_with_boundary,
        rule: Cause::DestinationVaultDeny,
        put: None,
        cause: Cause::DestinationVaultDeny,
        demand: Demand::TriesNothing,
    },
    Expert {
        name: "NotPrincipal without the account",
        change: not_principal_without_account,
        rule: Cause::DestinationVaultDeny,
        put: None,
        cause: Cause::DestinationVaultDeny,
        demand: Demand::TriesNothing,
    },
    Expert {
        name: "a vault policy that denies the put",
        change: put_denied,
        rule: Cause::DestinationVaultPolicy,
        put: Some(DENIED),
        cause: Cause::DestinationVaultPolicy,
        demand: Demand::TriesNothing,
    },
    Expert {
        name: "a vault policy with a deleted role",
        change: deleted_role,
        rule: Cause::DestinationVaultPolicy,
        put: Some(NOT_STORED),
        cause: Cause::DestinationVaultPolicy,
        demand: Demand::TriesNothing,
    },
    Expert {
        name: "a vault policy with a closed account",
        change: closed_account,
        rule: Cause::DestinationVaultPolicy,
        put: Some(NOT_STORED),
        cause: Cause::DestinationVaultPolicy,
        demand: Demand::TriesNothing,
    },
    Expert {
        name: "a key policy without delegation to its account",
        change: key_without_delegation,
        rule: Cause::SourceKeyPolicy,
        put: Some("because no resource-based policy allows the kms:PutKeyPolicy action"),
        cause: Cause::SourceKeyPolicy,
        demand: Demand::TriesNothing,
    },
    Expert {
        name: "a control policy that denies the put of key policies",
        change: key_policy_controlled,
        rule: Cause::SourceKeyPolicy,
        put: Some("with an explicit deny in a resource control policy"),
        cause: Cause::SourceKeyPolicy,
        demand: Demand::IsRefused,
    },
];

const WRITES: [&str; 5] = [
    "backup:PutBackupVaultAccessPolicy",
    "backup:DeleteBackupVaultAccessPolicy",
    "kms:PutKeyPolicy",
    "iam:CreateServiceLinkedRole",
    "backup:StartCopyJob",
];

impl Expert {
    pub(crate) fn sandbox(&self) -> Sandbox {
        let mut scene = Scene::healthy();
        (self.change)(&mut scene);
        Sandbox::new(scene.load())
    }

    /// AWS's words where it refuses to store the policy as it is with something added.
    fn refusal_of_put(&self) -> Option<String> {
        let sandbox = self.sandbox();
        let is_key = self.rule == Cause::SourceKeyPolicy;
        let (operation, resource) = if is_key {
            ("kms:PutKeyPolicy", KEY_ARN)
        } else {
            ("backup:PutBackupVaultAccessPolicy", VAULT_ARN)
        };
        let resource: Arn = resource.parse().unwrap();
        sandbox.refusal(operation, &resource).or_else(|| {
            sandbox.with_world(|world| {
                if is_key {
                    let key = KEY_ARN.parse().unwrap();
                    let policy = world.key(&key)?.policy.clone()?;
                    world.put_key_policy(&key, policy.as_str()).err()
                } else {
                    let vault = VAULT_ARN.parse().unwrap();
                    let policy = world.vault(&vault)?.policy.clone()?;
                    world.put_vault_policy(&vault, policy.as_str()).err()
                }
                .map(|error| error.to_string())
            })
        })
    }

    /// What is wrong with what the product makes of it.
    pub(crate) async fn complaint(&self, mode: Mode) -> Option<String> {
        let sandbox = self.sandbox();
        let report = handle(&sandbox, mode).await;
        let named = report.diagnosis.cause;
        if named != self.cause {
            return Some(format!("names {named:?}"));
        }
        let tried: Vec<&str> = WRITES
            .into_iter()
            .filter(|write| sandbox.calls().count(write) > 0)
            .collect();
        let wrong = match self.demand {
            _ if mode == Mode::Observe => !tried.is_empty(),
            Demand::TriesNothing => !tried.is_empty(),
            Demand::IsRefused => !sandbox.writes().is_empty(),
            Demand::Mends => last_state(&sandbox) != CopyJobState::Completed,
        };
        wrong.then(|| format!("tries {tried:?}"))
    }
}

fn last_state(sandbox: &Sandbox) -> CopyJobState {
    sandbox.with_world(|world| world.copy_jobs().last().unwrap().state())
}

#[test]
fn aws_answers_the_copy_and_the_put_as_an_expert_says() {
    for expert in &EXPERTS {
        let rule = expert.sandbox().with_world(|world| broken_rule(world));
        assert_eq!(rule, Some(expert.rule), "{}", expert.name);
        let words = expert.refusal_of_put();
        assert_eq!(
            words.is_some(),
            expert.put.is_some(),
            "{}: {words:?}",
            expert.name
        );
        if let (Some(words), Some(wanted)) = (words, expert.put) {
            assert!(words.contains(wanted), "{}: {words}", expert.name);
        }
    }
}

#[tokio::test]
async fn the_product_comes_out_as_an_expert_demands_less_the_expected_failures() {
    let mut wrong = Vec::new();
    let mut complaints = Vec::new();
    for expert in &EXPERTS {
        for mode in [Mode::Observe, Mode::Repair] {
            if let Some(complaint) = expert.complaint(mode).await {
                complaints.push(format!("{} ({mode}): {complaint}", expert.name));
                wrong.push(expert.name);
            }
        }
    }
    // A denial is remembered for a minute.
    if copy_soon_after_the_refusal().await != CopyJobState::Completed {
        complaints.push(format!(
            "{SOON}: the copy that was started again is refused as before"
        ));
        wrong.push(SOON);
    }
    wrong.dedup();
    assert_eq!(wrong, EXPECTED_FAILURES, "{complaints:#?}");
}

const SOON: &str = "a repair ten seconds after the refused call";

/// How the copy ends that the product starts again ten seconds after the first was refused.
async fn copy_soon_after_the_refusal() -> CopyJobState {
    let mut scene = Scene::healthy();
    without_admission(&mut scene);
    let world = scene.load();
    let refused = world.copy_job(JOB).unwrap().completed;
    let sandbox = Sandbox::new(world).at(refused).with_delayed_retries();
    sandbox.clock().advance(Duration::from_secs(10));
    let report = handle(&sandbox, Mode::Repair).await;
    assert_eq!(report.outcome, Outcome::RetryPlanned);
    let remediator = CopyRemediator::new(sandbox.clone(), open_settings(Mode::Repair));
    sandbox.clock().set(report.not_before.unwrap());
    let event = sandbox.delayed_retries().unwrap().receive().unwrap();
    let invocation = Invocation {
        id: "later".to_owned(),
        deadline: sandbox.clock().now() + Duration::from_mins(2),
    };
    remediator.handle(&event, &invocation).await.unwrap();
    last_state(&sandbox)
}
