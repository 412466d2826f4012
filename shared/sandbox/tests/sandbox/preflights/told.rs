//! What people are told, and what they aren't told again.

use copymend_remediation::preflight::Over;

use super::*;

fn broken() -> Value {
    with(planned_world(), POLICY_AT, Value::Null)
}

#[test]
fn the_first_run_tells_a_summary_and_the_next_nothing() {
    let sandbox = sandbox_of(&broken());
    let news = tells(&sandbox).unwrap();
    assert!(news.is_first);
    assert_eq!((news.will_fail, news.will_pass), (1, 0));
    assert_eq!(causes(&news.new[0]), ["destination-vault-policy"]);
    insta::assert_snapshot!(text(&news));
    let answer = silent(&sandbox);
    assert_eq!((answer.will_fail, answer.known_to_fail), (1, 1));
    nothing_is_written(&sandbox);
}

#[test]
fn a_first_run_in_which_all_passes_says_so_once() {
    let sandbox = sandbox_of(&planned_world());
    let news = tells(&sandbox).unwrap();
    assert_eq!((news.will_fail, news.will_pass), (0, 1));
    insta::assert_snapshot!(text(&news));
    silent(&sandbox);
}

#[test]
fn a_new_failure_is_told_once_and_so_is_that_it_is_mended() {
    let sandbox = sandbox_of(&planned_world());
    tells(&sandbox).unwrap();
    become_world(&sandbox, &broken());
    let news = tells(&sandbox).unwrap();
    assert!(!news.is_first);
    assert_eq!(
        (news.new.len(), news.changed.len(), news.over.len()),
        (1, 0, 0)
    );
    insta::assert_snapshot!(text(&news));
    silent(&sandbox);
    become_world(&sandbox, &planned_world());
    let news = tells(&sandbox).unwrap();
    assert_eq!(news.over[0].why, Over::WillPass);
    insta::assert_snapshot!(text(&news));
    assert_eq!(silent(&sandbox).known_to_fail, 0);
    nothing_is_written(&sandbox);
}

#[test]
fn another_cause_is_told_with_the_one_before() {
    let sandbox = sandbox_of(&broken());
    tells(&sandbox).unwrap();
    become_world(&sandbox, &with(planned_world(), KEY_AT, own_account_only()));
    let news = tells(&sandbox).unwrap();
    assert_eq!((news.new.len(), news.over.len()), (0, 0));
    assert_eq!(causes(&news.changed[0]), ["source-key-policy"]);
    assert_eq!(route(&news.changed[0]).before, ["destination-vault-policy"]);
    insta::assert_snapshot!(text(&news));
    silent(&sandbox);
}

#[test]
fn what_no_plan_makes_any_more_is_no_longer_planned() {
    let sandbox = sandbox_of(&broken());
    tells(&sandbox).unwrap();
    become_world(&sandbox, &with(broken(), PLANS, json!({})));
    let news = tells(&sandbox).unwrap();
    assert_eq!(news.over[0].why, Over::NotPlanned);
    silent(&sandbox);
}

/// What a deployment reads that sets none of `ReadTags`, `ReadImages` and `OrganizationReader`.
fn sandbox_by_default(world: &Value) -> Sandbox {
    Sandbox::new(load(world))
}

#[test]
fn what_stood_in_the_way_is_told_to_be_gone_where_the_rest_is_not_read() {
    let sandbox = sandbox_by_default(&broken());
    assert_eq!(
        causes(&tells(&sandbox).unwrap().new[0]),
        ["destination-vault-policy"]
    );
    become_world(&sandbox, &planned_world());
    let news = tells(&sandbox).unwrap();
    assert_eq!((news.new.len(), news.over.len()), (0, 0));
    let [cleared] = news.cleared.as_slice() else {
        panic!("{news:?}")
    };
    assert_eq!(cleared.causes, ["destination-vault-policy"]);
    assert!(!cleared.open.is_empty());
    assert!(cleared.open.iter().all(|open| !open.why.is_empty()));
    insta::assert_snapshot!(text(&news));
    let answer = silent(&sandbox);
    assert_eq!((answer.known_to_fail, answer.cannot_be_known), (0, 1));
    // Once it fails again, that is news.
    become_world(&sandbox, &broken());
    assert_eq!(tells(&sandbox).unwrap().new.len(), 1);
    nothing_is_written(&sandbox);
}

/// The plan is deleted and created again: it has another id, and so have its backups.
fn made_anew(mut world: Value) -> Value {
    let plans = world.pointer_mut(PLANS).unwrap().as_object_mut().unwrap();
    let plan = plans.remove("plan-1").unwrap();
    plans.insert("plan-2".to_owned(), plan);
    world
}

#[test]
fn a_plan_that_is_made_anew_is_no_news() {
    let by_the_new_one = json!({
        "backup_plan_arn": format!("arn:aws:backup:{REGION}:{SOURCE}:backup-plan:plan-2"),
        "backup_plan_id": "plan-2",
        "backup_rule_id": "rule-1",
    });
    let missing = with(
        planned_world(),
        &format!("{PLANS}/plan-1/rules/0/target_vault"),
        json!("gone"),
    );
    for (world, failing) in [(broken(), 1), (missing, 1)] {
        let sandbox = sandbox_of(&world);
        tells(&sandbox).unwrap();
        // Before it has backed anything up.
        become_world(&sandbox, &made_anew(world.clone()));
        assert_eq!(silent(&sandbox).known_to_fail, failing);
        let backed_up = with(
            made_anew(world),
            &format!("{POINT_AT}/created_by"),
            by_the_new_one.clone(),
        );
        become_world(&sandbox, &backed_up);
        assert_eq!(silent(&sandbox).known_to_fail, failing);
    }
}

#[test]
fn another_key_is_another_way() {
    let sandbox = sandbox_of(&with(planned_world(), KEY_AT, own_account_only()));
    tells(&sandbox).unwrap();
    let unencrypted = with(
        planned_world(),
        &format!("{POINT_AT}/encryption_key_arn"),
        Value::Null,
    );
    become_world(
        &sandbox,
        &with(unencrypted, &format!("{POINT_AT}/encrypted"), json!(false)),
    );
    let news = tells(&sandbox).unwrap();
    assert_eq!(news.over[0].why, Over::NotPlanned, "{news:?}");
    assert!(news.new.is_empty());
}

#[test]
fn a_newer_backup_is_no_other_route() {
    let sandbox = sandbox_of(&broken());
    tells(&sandbox).unwrap();
    let newer = with(
        broken(),
        &format!("{POINT_AT}/arn"),
        json!("arn:aws:ec2:us-east-1::snapshot/snap-0fedcba9876543210"),
    );
    become_world(&sandbox, &newer);
    silent(&sandbox);
}

#[test]
fn what_can_no_longer_be_seen_is_not_called_mended() {
    let sandbox = sandbox_of(&broken());
    tells(&sandbox).unwrap();
    sandbox.fail(
        "backup:GetBackupVaultAccessPolicy",
        copymend_remediation::ports::CallErrorKind::AccessDenied,
    );
    let answer = silent(&sandbox);
    assert_eq!(
        (answer.will_fail, answer.known_to_fail),
        (0, 1),
        "{answer:?}"
    );
    sandbox.calls().mend("backup:GetBackupVaultAccessPolicy");
    silent(&sandbox);
}

#[test]
fn a_rule_without_its_vault_is_told_until_the_vault_is_there() {
    let missing = with(
        planned_world(),
        &format!("{PLANS}/plan-1/rules/0/target_vault"),
        json!("gone"),
    );
    let sandbox = sandbox_of(&planned_world());
    tells(&sandbox).unwrap();
    become_world(&sandbox, &missing);
    let news = tells(&sandbox).unwrap();
    assert!(matches!(news.new[0], Failing::Rule(_)), "{news:?}");
    insta::assert_snapshot!(text(&news));
    silent(&sandbox);
    become_world(&sandbox, &planned_world());
    assert_eq!(tells(&sandbox).unwrap().over[0].why, Over::VaultsExist);
    silent(&sandbox);
}

#[test]
fn many_routes_are_a_summary_and_not_hundreds_of_pages() {
    let mut world = broken();
    let rules = (0..60).map(|number| {
        json!({"id": format!("rule-{number}"), "target_vault": "prod",
            "lifecycle": {"delete_after_days": 10 + number},
            "copy_actions": [{"destination_vault_arn": VAULT}]})
    });
    world.pointer_mut(PLANS).unwrap()["plan-1"]["rules"] = rules.collect();
    world.pointer_mut(PLANS).unwrap()["plan-1"]["selections"]["all"] = json!({
        "iam_role_arn": ROLE,
        "resources": ["arn:aws:ec2:us-east-1:111122223333:volume/vol-0123456789abcdef0"],
    });
    let sandbox = sandbox_of(&world);
    let news = tells(&sandbox).unwrap();
    assert_eq!(news.new.len(), 60);
    let body = text(&news);
    assert!(
        body.contains("35 more; `copymend preflight` shows them"),
        "{body}"
    );
    assert!(body.len() < 20_000, "{}", body.len());
    assert!(
        body.contains("60 routes: destination-vault-policy"),
        "{body}"
    );
    silent(&sandbox);
}

#[test]
fn without_a_ledger_every_run_tells_what_fails() {
    let sandbox = sandbox_of(&broken()).without_ledger();
    assert!(tells(&sandbox).is_some());
    assert!(tells(&sandbox).is_some());
    let sandbox = sandbox_of(&planned_world()).without_ledger();
    assert!(tells(&sandbox).is_none());
}

#[test]
fn the_key_of_a_route_is_in_the_advice() {
    let sandbox = sandbox_of(&with(planned_world(), KEY_AT, own_account_only()));
    let body = text(&tells(&sandbox).unwrap());
    assert!(body.contains(KEY), "{body}");
}
