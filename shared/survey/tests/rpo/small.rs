//! A small world: two accounts, a plan, and what the tests put into the vaults.

use copymend_remediation::ports::Location;
use copymend_sandbox::{Sandbox, World};
use copymend_survey::rpo::{
    Exclusion, Findings, Objectives, Place, State, gather, gather_tags, judge,
};
use serde_json::{Value, json};

pub(crate) const NOW: &str = "2026-11-02T06:00:00Z";
pub(crate) const SOURCE: &str = "111122223333";
pub(crate) const DESTINATION: &str = "444455556666";
pub(crate) const DR: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr";

/// The ARN of a volume.
pub(crate) fn volume(name: &str) -> String {
    format!("arn:aws:ec2:us-east-1:{SOURCE}:volume/vol-{name}")
}

fn made_by_rule(name: &str, id: &str, region: &str, created: &str) -> Value {
    json!({
        "arn": format!("arn:aws:ec2:{region}::snapshot/snap-{id}"),
        "resource_arn": volume(name),
        "resource_type": "EBS",
        "creation_date": created,
        "created_by": {
            "backup_plan_arn": format!("arn:aws:backup:us-east-1:{SOURCE}:backup-plan:plan-1"),
            "backup_plan_id": "plan-1",
            "backup_rule_id": "rule-1",
        },
    })
}

/// A backup that the rule made.
pub(crate) fn backup(name: &str, created: &str) -> Value {
    let id = format!("{name}-{}", created.replace(':', ""));
    made_by_rule(name, &id, "us-east-1", created)
}

/// A copy of it in the destination.
pub(crate) fn copy(name: &str, created: &str) -> Value {
    let id = format!("copy-{name}-{}", created.replace(':', ""));
    let mut point = made_by_rule(name, &id, "eu-west-1", created);
    point["source_vault_arn"] = json!(format!(
        "arn:aws:backup:us-east-1:{SOURCE}:backup-vault:prod"
    ));
    point
}

/// The world with these recovery points in its vaults `prod` and `dr`.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a test writes its lists in place"
)]
pub(crate) fn world(prod: Vec<Value>, dr: Vec<Value>) -> Value {
    json!({
        "time": NOW,
        "accounts": {
            SOURCE: {"regions": {"us-east-1": {
                "vaults": {"prod": {"recovery_points": prod}},
                "backup_plans": {"plan-1": {"rules": [{
                    "id": "rule-1",
                    "target_vault": "prod",
                    "copy_actions": [{"destination_vault_arn": DR}],
                }]}},
            }}},
            DESTINATION: {"regions": {"eu-west-1": {"vaults": {"dr": {"recovery_points": dr}}}}},
        },
    })
}

pub(crate) fn sandbox(world: &Value) -> Sandbox {
    Sandbox::new(World::from_json(&world.to_string()).expect("a world"))
}

/// The source account alone: that copies go elsewhere is found out.
pub(crate) fn scope() -> Vec<Location> {
    vec![Location::new(SOURCE.parse().unwrap(), "us-east-1")]
}

/// What is found in a sandbox.
pub(crate) async fn found(sandbox: &Sandbox, objectives: &[&str], left_out: &[&str]) -> Findings {
    let mut gathered = gather(sandbox, &scope(), NOW.parse().unwrap(), &|_| {}).await;
    let objectives = objectives.iter().map(|text| text.parse().unwrap());
    let objectives = Objectives::new(objectives.collect());
    gather_tags(sandbox, &mut gathered, &objectives).await;
    let exclusions: Vec<Exclusion> = left_out.iter().map(|text| text.parse().unwrap()).collect();
    judge(&gathered, &objectives, &exclusions)
}

/// The one place of a world that has one.
pub(crate) async fn only(prod: Vec<Value>, dr: Vec<Value>) -> Place {
    let sandbox = sandbox(&world(prod, dr));
    let findings = found(&sandbox, &["26h"], &[]).await;
    let [place] = findings.places.as_slice() else {
        panic!("{findings:?}");
    };
    place.clone()
}

pub(crate) fn states(findings: &Findings) -> Vec<(&str, State)> {
    findings
        .places
        .iter()
        .map(|place| {
            let name = place.resource.resource().rsplit('-').next();
            (name.unwrap_or_default(), place.state)
        })
        .collect()
}
