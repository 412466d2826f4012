//! Which role of Copymend puts a policy: its own in the function's account, the member role in every
//! other. A policy that spares one of them alone is judged as AWS would judge the put.

use copymend_remediation::ports::{Clock, Reads};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::{Deployment, Mode, Settings};
use copymend_remediation::{CopyRemediator, Invocation};
use copymend_sandbox::{NewCopy, Sandbox};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::small::{KEY, VAULT, copy, load, owner, world};

const SOURCE: &str = "111122223333";
const DESTINATION: &str = "444455556666";
const ELSEWHERE: &str = "999988887777";
const OWN: &str = "copymend/Copymend-CopyRemediator-eu-west-1";
const MEMBER: &str = "copymend/CopymendMember";

fn role(account: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:role/{name}")
}

/// The small world with Copymend's function in `hub`, and both roles in every account.
fn with_hub(hub: &str) -> Value {
    let everything = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let mut world = world();
    world["copymend"] = json!({"account": hub, "role": OWN, "member_role": MEMBER});
    for account in [SOURCE, DESTINATION, ELSEWHERE] {
        for name in [OWN, MEMBER] {
            let (_, name) = name.split_once('/').unwrap();
            world["accounts"][account]["roles"][name] =
                json!({"path": "/copymend/", "policies": {"all": everything.clone()}});
        }
    }
    world
}

/// A Deny of the action for everybody but one role.
fn deny_but(action: &str, spared: &str) -> Value {
    json!({"Sid": "Locked", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*",
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": spared}}})
}

/// What comes of a copy that fails in this world, with the functions' own role as the settings have
/// it: the Report, and the policies that were put.
async fn repaired(world: &Value, function_role: Option<String>) -> (Report, usize, Sandbox) {
    let sandbox = Sandbox::new(load(world));
    let now = sandbox.clock().now();
    let id = sandbox.with_world(|world| {
        let copy = NewCopy {
            created: now - SignedDuration::from_mins(10),
            ..copy()
        };
        world.start_copy(copy).unwrap().id.clone()
    });
    let everything = || vec!["*".parse().unwrap()];
    let settings = Settings {
        mode: Mode::Repair,
        allowed_destinations: everything(),
        allowed_keys: everything(),
        allowed_sources: vec!["*".parse().unwrap()],
        allow_on_demand: true,
        deployment: Deployment {
            member_role: Some(MEMBER.to_owned()),
            function_role: function_role.map(|role| role.parse().unwrap()),
            ..Deployment::default()
        },
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
    let puts = ["backup:PutBackupVaultAccessPolicy", "kms:PutKeyPolicy"];
    let writes = sandbox.writes().into_iter();
    let written = writes.filter(|write| puts.contains(&write.operation));
    (report, written.count(), sandbox)
}

/// A vault's policy, or a key's, that admits no copy and spares one role.
fn locked(hub: &str, is_vault: bool, spared: &str) -> Value {
    let mut world = with_hub(hub);
    let (statements, at) = if is_vault {
        let statement = deny_but("backup:PutBackupVaultAccessPolicy", spared);
        let vault = "/accounts/444455556666/regions/eu-west-1/vaults/dr";
        (json!([statement]), vault)
    } else {
        let key =
            "/accounts/111122223333/regions/us-east-1/keys/11111111-1111-4111-8111-111111111111";
        (json!([owner(), deny_but("kms:PutKeyPolicy", spared)]), key)
    };
    world.pointer_mut(at).unwrap()["policy"] =
        json!({"Version": "2012-10-17", "Statement": statements});
    world
}

fn failed(report: &Report) -> Vec<&'static str> {
    let guards = report.guards.iter().filter(|guard| !guard.passed);
    guards.map(|guard| guard.guard.name()).collect()
}

#[tokio::test]
async fn the_put_is_judged_as_the_role_that_makes_it() {
    for (is_vault, account, put) in [
        (true, DESTINATION, "backup:PutBackupVaultAccessPolicy"),
        (false, SOURCE, "kms:PutKeyPolicy"),
    ] {
        for hub in [SOURCE, DESTINATION, ELSEWHERE] {
            let makes_it = if hub == account { OWN } else { MEMBER };
            for spared in [OWN, MEMBER] {
                let place = format!("{put}, hub {hub}, spared {spared}");
                let world = locked(hub, is_vault, &role(account, spared));
                let own = Some(role(hub, OWN));
                let (report, written, sandbox) = repaired(&world, own).await;
                if spared == makes_it {
                    assert_eq!(
                        report.outcome,
                        Outcome::RepairedAndRetried,
                        "{place}: {report:#?}"
                    );
                    assert_eq!(written, 1, "{place}");
                } else {
                    assert_eq!(failed(&report), ["put-accepted"], "{place}: {report:#?}");
                    assert_eq!(report.outcome, Outcome::Refused, "{place}");
                    assert_eq!(sandbox.calls().count(put), 0, "{place}");
                    // So would AWS have refused it.
                    let resource = if is_vault { VAULT } else { KEY };
                    let refusal = sandbox.refusal(put, &resource.parse().unwrap());
                    assert!(refusal.unwrap().contains("explicit deny"), "{place}");
                }
            }
        }
    }
}

/// Of another partition, or of no account that is concerned: it says nothing of this put.
#[tokio::test]
async fn without_its_own_role_the_member_role_is_taken_to_put() {
    for own in [None, Some(role(ELSEWHERE, OWN))] {
        for (spared, outcome) in [
            (MEMBER, Outcome::RepairedAndRetried),
            (OWN, Outcome::Refused),
        ] {
            let world = locked(ELSEWHERE, true, &role(DESTINATION, spared));
            let (report, _, _) = repaired(&world, own.clone()).await;
            assert_eq!(report.outcome, outcome, "{own:?}, {spared}: {report:#?}");
        }
    }
}
