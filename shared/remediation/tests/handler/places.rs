//! The source account's place in its organization, and the tags of snapshots: facts that a setting
//! must let be read.

use copymend_diagnosis::{Cause, Verdict};
use copymend_policy::VaultScope;
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::Settings;
use copymend_sandbox::Sandbox;

use crate::support::*;

const MANAGEMENT: &str = "999988887777";
/// The unit of account 111122223333 in the default world.
const UNIT: &str = "o-exampleorgid/r-ab12/ou-ab12-11111111/*";
const OTHER_UNIT: &str = "o-exampleorgid/r-ab12/ou-ab12-22222222/*";

fn asking_in(account: &str) -> Sandbox {
    sandbox().reading_paths_in(Some(account.parse().unwrap()))
}

fn for_units(units: &[&str]) -> Settings {
    Settings {
        vault_scope: VaultScope::OrganizationalUnit,
        organization_paths: units.iter().map(|unit| (*unit).to_owned()).collect(),
        ..open_settings()
    }
}

async fn repair_for(sandbox: &Sandbox, units: &[&str]) -> Report {
    handle(
        sandbox,
        for_units(units),
        &sample("destination-vault-policy"),
    )
    .await
}

#[tokio::test]
async fn the_scope_of_units_repairs_where_the_path_is_known() {
    let sandbox = asking_in(MANAGEMENT);
    let report = repair_for(&sandbox, &[UNIT]).await;
    assert_eq!(report.outcome, Outcome::RepairedAndRetried, "{report:#?}");
    let policy = &policy_writes(&sandbox)[0].after;
    for part in ["ForAnyValue:StringLike", "aws:PrincipalOrgPaths", UNIT] {
        assert!(policy.contains(part), "{policy}");
    }
    let retried = report.retried_job.unwrap();
    let state = sandbox.with_world(|world| world.copy_job(&retried).unwrap().state());
    assert_eq!(state, copymend_diagnosis::CopyJobState::Completed);
}

#[tokio::test]
async fn an_unknown_path_refuses_and_says_why() {
    for (sandbox, words) in [
        (sandbox(), "COPYMEND_ORGANIZATION_READER"),
        // A member account that is no delegated administrator.
        (asking_in("444455556666"), "organizations:ListParents"),
    ] {
        let report = repair_for(&sandbox, &[UNIT]).await;
        assert_eq!(report.outcome, Outcome::Refused, "{report:#?}");
        assert_eq!(failed_guards(&report), ["evaluation-flips"]);
        let mut guards = report.guards.iter();
        let detail = &guards.find(|guard| !guard.passed).unwrap().detail;
        assert!(
            detail.contains("aws:PrincipalOrgPaths") && detail.contains(words),
            "{detail}"
        );
        assert_eq!(sandbox.writes(), []);
    }
}

#[tokio::test]
async fn a_unit_that_the_account_is_not_in_is_of_no_use() {
    let sandbox = asking_in(MANAGEMENT);
    let report = repair_for(&sandbox, &[OTHER_UNIT]).await;
    assert_eq!(failed_guards(&report), ["evaluation-flips"]);
    assert_eq!(sandbox.writes(), []);
}

/// The vault's policy admits by a path. Whether that matches is known once the path is.
#[tokio::test]
async fn a_policy_that_rests_on_the_path_is_judged() {
    let verdict = async |sandbox: Sandbox| {
        let event = sandbox.event_for(BY_PATH).unwrap();
        let report = handle(&sandbox, observing(), &event).await;
        let mut candidates = report.diagnosis.candidates.into_iter();
        let found = candidates.find(|one| one.cause == Cause::DestinationVaultPolicy);
        found.unwrap().verdict
    };
    assert_eq!(verdict(sandbox()).await, Verdict::NotCheckable);
    assert_eq!(verdict(asking_in(MANAGEMENT)).await, Verdict::Confirmed);
}

#[tokio::test]
async fn tags_of_a_snapshot_are_read_where_a_setting_says_so() {
    for (event, cause) in [
        ("tag-policy", Cause::TagPolicy),
        ("tag-limit", Cause::TagLimit),
    ] {
        let sandbox = sandbox().reading_tags(true);
        let report = handle(&sandbox, observing(), &sample(event)).await;
        let first = &report.diagnosis.candidates[0];
        assert_eq!(
            (first.cause, first.verdict),
            (cause, Verdict::Confirmed),
            "{report:#?}"
        );
    }
    let unread = handle(&sandbox(), observing(), &sample("tag-policy")).await;
    assert_ne!(unread.diagnosis.candidates[0].verdict, Verdict::Confirmed);
}

/// `GetResources` answers what has tags: that it doesn't name a snapshot excludes nothing.
#[tokio::test]
async fn a_snapshot_that_is_not_named_is_not_one_without_tags() {
    let point = sample("destination-vault-policy")["resources"][0].clone();
    let sandbox = sandbox_with(|world| {
        let vault =
            &mut world["accounts"]["111122223333"]["regions"]["us-east-1"]["vaults"]["prod"];
        let points = vault["recovery_points"].as_array_mut().unwrap();
        let found = points.iter_mut().find(|found| found["arn"] == point);
        found.unwrap()["tags"] = serde_json::json!({});
    })
    .reading_tags(true);
    let report = handle(&sandbox, observing(), &sample("destination-vault-policy")).await;
    assert_eq!(sandbox.calls().count("tag:GetResources"), 1);
    let mut unknown = report.diagnosis.unknown.iter();
    assert!(
        unknown.any(|why| why.operation == "tag:GetResources"),
        "{report:#?}"
    );
}
