//! What a plan says before the yes.

use super::*;

#[tokio::test]
async fn a_plan_says_before_the_yes_what_keeps_the_copy_from_being_started() {
    let (_, environment) = healthy();
    let small = Settings {
        retry_max_bytes: Some(1),
        ..observing()
    };
    let name = "destination-vault-policy";
    let plan = planned(&environment, name, small).await;
    assert!(
        plan.plan.is_some(),
        "the policy can be changed all the same"
    );
    let said = plan.report.notes.iter();
    let said: Vec<_> = said
        .filter(|note| note.contains("would not be started again"))
        .collect();
    assert!(said.len() == 1 && said[0].contains("copy-size"), "{said:?}");
    let plan = planned(&environment, name, observing()).await;
    let notes = &plan.report.notes;
    assert!(
        !notes
            .iter()
            .any(|note| note.contains("would not be started again")),
        "{notes:?}"
    );
}

#[tokio::test]
async fn a_stack_that_owns_the_vault_is_named() {
    let (sandbox, environment) = healthy();
    let name = "destination-vault-policy";
    assert_eq!(
        planned(&environment, name, observing())
            .await
            .report
            .managed_by,
        None
    );
    sandbox.with_world(|world| {
        let vault = world
            .copy_job_named(name)
            .unwrap()
            .destination_vault
            .clone();
        let tags = &mut world.vault_mut(&vault).unwrap().tags;
        tags.insert(
            "aws:cloudformation:stack-name".to_owned(),
            "backup-vaults".to_owned(),
        );
    });
    let report = planned(&environment, name, observing()).await.report;
    let owner = serde_json::to_value(&report.managed_by).unwrap();
    assert_eq!(owner["tool"], "cloudformation");
    assert_eq!(owner["stack"], "backup-vaults");
    assert_eq!(owner["resource"], report.changes[0].resource);
}
