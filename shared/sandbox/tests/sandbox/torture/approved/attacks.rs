//! What somebody might make of approve mode: questions that close nothing, answers that mean something
//! else, and looks that leave traces.

use copymend_remediation::approval::ApprovalRequests;
use copymend_remediation::ledger::{Ledger, Pause};
use copymend_remediation::message::Channel;
use copymend_remediation::ports::CallErrorKind;

use super::*;

async fn pause(environment: &Faulty) {
    let pause = Pause {
        reason: "a change freeze".to_owned(),
        since: environment.clock().now(),
        until: None,
        by: None,
    };
    let ledger = environment.sandbox().ledger().unwrap();
    ledger.set_pause(&pause).await.unwrap();
}

async fn resume(environment: &Faulty) {
    let ledger = environment.sandbox().ledger().unwrap();
    let now = environment.clock().now();
    assert!(ledger.lift_pause(None, now).await.unwrap());
}

/// A no that lets the same be asked again.
async fn allowing_again(environment: &Faulty, plan: &str, who: &Person) -> Asked {
    let hash = hash_of(environment, plan).await;
    let words = SignedWords::allowing_again(hash, FUNCTION);
    Asked {
        reply: Reply::Refuse,
        hash,
        allow_again: true,
        identity: who.sign(&words, environment.clock().now()),
    }
}

/// The plan that people were told of by the last message.
fn told_last(sandbox: &Sandbox) -> Option<String> {
    let sent = sandbox.notifier().sent();
    let approval = sent.last()?.report.approval.clone()?;
    approval.expires_at.map(|_| approval.plan)
}

#[tokio::test]
async fn a_question_that_was_answered_keeps_nobody_from_being_asked_again() {
    // Not refused for good: the same may be asked again.
    let (sandbox, environment) = scene();
    let plan = asked(&environment, VAULT).await;
    let no = allowing_again(&environment, &plan, &owner()).await;
    let refused = tell(&environment, &plan, Some(no), FUNCTION, "no")
        .await
        .unwrap();
    assert_eq!(refused.result, ApprovalResult::Refused, "{refused:#?}");
    let next = fails_anew(&environment, VAULT, "next").await.unwrap();
    assert_eq!(next.outcome, Outcome::Planned, "{next:#?}");
    let again = next.approval.expect("people are asked again").plan;
    assert_eq!(told_last(&sandbox), Some(again));

    // Approved, and a guard said no.
    let (sandbox, environment) = scene();
    let plan = asked(&environment, VAULT).await;
    pause(&environment).await;
    let done = answer(&environment, &plan, Reply::Approve, &owner(), "yes")
        .await
        .unwrap();
    assert_eq!(done.result, ApprovalResult::NotCarriedOut, "{done:#?}");
    assert_eq!(sandbox.writes(), []);
    resume(&environment).await;
    let next = fails_anew(&environment, VAULT, "next").await.unwrap();
    let again = next.approval.expect("people are asked again").plan;
    assert_eq!(told_last(&sandbox), Some(again));
}

#[tokio::test]
async fn a_question_that_nobody_is_told_of_is_not_open() {
    let (sandbox, environment) = scene();
    let event = sandbox.event_named(VAULT).unwrap();
    let settings = Settings {
        source_message_budget: 0,
        ..approving()
    };
    let report = CopyRemediator::new(environment.clone(), settings)
        .handle(&event, &invocation(&environment, "event"))
        .await
        .unwrap();
    assert_eq!(report.outcome, Outcome::Planned);
    assert_eq!(sandbox.notifier().sent().len(), 0);
    assert_eq!(report.approval, None, "nobody could know of it");
    let next = fails_anew(&environment, VAULT, "next").await.unwrap();
    let plan = next.approval.expect("people are asked").plan;
    assert_eq!(told_last(&sandbox), Some(plan));
}

#[tokio::test]
async fn what_people_are_asked_about_can_be_answered_whatever_the_cause() {
    let world = World::default_world();
    let names: Vec<String> = world
        .copy_jobs()
        .iter()
        .filter_map(|job| job.name.clone())
        .collect();
    let mut asked_about = Vec::new();
    let mut wrong = Vec::new();
    for name in names {
        let sandbox = Sandbox::new(World::default_world()).with_delayed_retries();
        sandbox.meet(owner());
        let environment = Faulty::new(sandbox.clone());
        let Some(event) = sandbox.event_named(&name) else {
            continue;
        };
        let report = remediator(&environment)
            .handle(&event, &invocation(&environment, "event"))
            .await;
        let Ok(Report {
            approval: Some(approval),
            ..
        }) = report
        else {
            continue;
        };
        asked_about.push(name.clone());
        let shown = tell(&environment, &approval.plan, None, FUNCTION, "show")
            .await
            .unwrap();
        if shown.result != ApprovalResult::Shown {
            wrong.push(format!("{name}: {:?} {:?}", shown.result, shown.why));
        }
        let done = answer(
            &environment,
            &approval.plan,
            Reply::Approve,
            &owner(),
            "yes",
        )
        .await
        .unwrap();
        if done.result != ApprovalResult::CarriedOut {
            wrong.push(format!("{name}: {:?} {:?}", done.result, done.why));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for name in [VAULT, KEY, "transient", "quota"] {
        assert!(
            asked_about.iter().any(|asked| asked == name),
            "{asked_about:?}"
        );
    }
}

#[tokio::test]
async fn a_no_does_not_become_leave_to_ask_again_and_the_source_account_lifts_nothing() {
    let (sandbox, environment) = scene();
    let plan = asked(&environment, VAULT).await;
    let no = signed(&environment, &plan, Reply::Refuse, &owner()).await;
    let refused = tell(&environment, &plan, Some(no.clone()), FUNCTION, "no")
        .await
        .unwrap();
    assert_eq!(refused.result, ApprovalResult::Refused);
    let refusals = async || {
        let ledger = sandbox.ledger().unwrap();
        let (request, _) = ledger.request(&plan).await.unwrap().unwrap();
        let now = environment.clock().now();
        let resource = request.resource.unwrap();
        let history = ledger.policy_history(&resource, now).await;
        history.unwrap().refusals.len()
    };
    assert_eq!(refusals().await, 1);
    // Whoever saw the answer sends it once more, with another meaning.
    let turned = Asked {
        allow_again: true,
        ..no
    };
    let answered = tell(&environment, &plan, Some(turned), FUNCTION, "turned")
        .await
        .unwrap();
    assert_eq!(
        answered.result,
        ApprovalResult::NotAccepted,
        "{answered:#?}"
    );
    assert_eq!(refusals().await, 1);
    // Listed, and of the account that the grant would be given to.
    let lift = allowing_again(&environment, &plan, &insider()).await;
    let answered = tell(&environment, &plan, Some(lift), FUNCTION, "in")
        .await
        .unwrap();
    assert_eq!(
        answered.result,
        ApprovalResult::NotAccepted,
        "{answered:#?}"
    );
    assert!(answered.why.unwrap().contains("of account 111122223333"));
    assert_eq!(refusals().await, 1);
    let lift = allowing_again(&environment, &plan, &owner()).await;
    let answered = tell(&environment, &plan, Some(lift), FUNCTION, "out")
        .await
        .unwrap();
    assert_eq!(answered.result, ApprovalResult::Refused, "{answered:#?}");
    assert_eq!(refusals().await, 0);
}

#[tokio::test]
async fn a_look_in_a_pause_says_so_and_the_plan_can_be_refused() {
    let (sandbox, environment) = scene();
    let plan = asked(&environment, VAULT).await;
    pause(&environment).await;
    let shown = tell(&environment, &plan, None, FUNCTION, "show")
        .await
        .unwrap();
    assert_eq!(shown.result, ApprovalResult::NotAccepted);
    let why = shown.why.unwrap();
    assert!(why.contains("not-paused"), "{why}");
    assert!(!why.contains("changed"), "{why}");
    assert!(shown.hash.is_some(), "it can be refused");
    resume(&environment).await;
    let done = answer(&environment, &plan, Reply::Approve, &owner(), "yes")
        .await
        .unwrap();
    assert_eq!(done.result, ApprovalResult::CarriedOut, "{done:#?}");
    drop(sandbox);
}

#[tokio::test]
async fn looks_at_a_plan_that_changed_ask_once_and_prolong_nothing() {
    let (sandbox, environment) = scene();
    let report = fails(&environment, VAULT, "event").await.unwrap();
    let question = report.approval.unwrap();
    change_the_policy(&environment);
    let mut named = Vec::new();
    for look in 0..3 {
        environment
            .clock()
            .sleep(SignedDuration::from_hours(1).unsigned_abs())
            .await;
        let shown = tell(
            &environment,
            &question.plan,
            None,
            FUNCTION,
            &format!("look-{look}"),
        )
        .await
        .unwrap();
        assert_eq!(shown.result, ApprovalResult::NotAccepted);
        named.push(shown.plan_now.unwrap());
    }
    named.dedup();
    let [now] = &named[..] else {
        panic!("{named:?}");
    };
    let (request, _) = sandbox
        .ledger()
        .unwrap()
        .request(now)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(Some(request.expires_at), question.expires_at);
    let done = answer(&environment, now, Reply::Approve, &owner(), "yes")
        .await
        .unwrap();
    assert_eq!(done.result, ApprovalResult::CarriedOut, "{done:#?}");
}

/// The vault's policy as somebody else left it.
fn change_the_policy(environment: &Faulty) {
    let sandbox = environment.sandbox();
    let vault = sandbox.event_named(VAULT).unwrap()["detail"]["destinationBackupVaultArn"]
        .as_str()
        .unwrap()
        .to_owned();
    sandbox.with_world(|world| {
        let vault = world.vault_mut(&vault.parse().unwrap()).unwrap();
        vault.policy = Some(copymend_sandbox::PolicyText::new(
            r#"{"Version":"2012-10-17","Statement":[{"Sid":"More","Effect":"Deny","Principal":"*","Action":"backup:DeleteBackupVault","Resource":"*"}]}"#.to_owned(),
        ));
    });
}

#[tokio::test]
async fn a_no_after_a_yes_whose_invocation_died_does_not_claim_that_nothing_was_written() {
    let calls = deaths::calls_of(VAULT).await;
    let mut was_put = 0;
    for number in 0..calls {
        let (sandbox, environment) = scene();
        let plan = asked(&environment, VAULT).await;
        environment.break_call(number, super::super::faulty::Fault::KilledAfter);
        let (inner, of) = (environment.clone(), plan.clone());
        let task =
            tokio::spawn(async move { answer(&inner, &of, Reply::Approve, &owner(), "yes").await });
        if task.await.is_ok() || sandbox.writes().is_empty() {
            continue;
        }
        environment.clock().sleep(ENTRY.unsigned_abs()).await;
        let sent = sandbox.notifier().sent().len();
        let no = answer(&environment, &plan, Reply::Refuse, &second_owner(), "no")
            .await
            .unwrap();
        was_put += 1;
        assert_eq!(no.result, ApprovalResult::NotAccepted, "{number}: {no:#?}");
        assert!(no.why.unwrap().contains("BackupOwner/mary approved"));
        assert_eq!(sandbox.notifier().sent().len(), sent);
    }
    assert!(was_put > 0);
}

#[tokio::test]
async fn why_a_plan_is_not_carried_out_is_told_also_where_a_channel_is_lost() {
    let (sandbox, environment) = scene();
    sandbox
        .notifier()
        .set_channels([Channel::Topic, Channel::Chat]);
    let plan = asked(&environment, VAULT).await;
    let put = "backup:PutBackupVaultAccessPolicy";
    sandbox.fail(put, CallErrorKind::AccessDenied);
    environment.lose(&[Channel::Chat], CallErrorKind::AccessDenied);
    let done = answer(&environment, &plan, Reply::Approve, &owner(), "yes")
        .await
        .unwrap();
    assert_eq!(done.result, ApprovalResult::NotCarriedOut, "{done:#?}");
    assert!(
        done.why.as_ref().is_some_and(|why| why.contains(put)),
        "{done:#?}"
    );
}

#[tokio::test]
async fn what_became_impossible_or_forbidden_since_is_not_carried_out() {
    // The recovery point is gone.
    let (sandbox, environment) = scene();
    let plan = asked(&environment, VAULT).await;
    sandbox.with_world(|world| {
        let job = world.copy_job_named(VAULT).unwrap().clone();
        let vault = world.vault_mut(&job.source_vault).unwrap();
        vault
            .recovery_points
            .retain(|point| point.arn != job.recovery_point);
    });
    let done = answer(&environment, &plan, Reply::Approve, &owner(), "yes")
        .await
        .unwrap();
    assert_eq!(done.result, ApprovalResult::NotCarriedOut, "{done:#?}");
    assert_eq!(sandbox.writes(), []);

    // The lists are narrower now, or admit other people.
    for narrower in [
        Settings {
            allowed_destinations: Vec::new(),
            ..approving()
        },
        Settings {
            allowed_sources: Vec::new(),
            ..approving()
        },
        Settings {
            write_budget: 0,
            ..approving()
        },
        Settings {
            approvers: Settings::default().approvers,
            ..approving()
        },
    ] {
        let (sandbox, environment) = scene();
        let plan = asked(&environment, VAULT).await;
        let input = ApprovalInput {
            plan: plan.clone(),
            answer: Some(signed(&environment, &plan, Reply::Approve, &owner()).await),
        };
        let done = CopyRemediator::new(environment.clone(), narrower)
            .answer_approval(&input, FUNCTION, &invocation(&environment, "yes"))
            .await
            .unwrap();
        assert!(
            matches!(
                done.result,
                ApprovalResult::NotCarriedOut | ApprovalResult::NotAccepted
            ),
            "{done:#?}"
        );
        assert_eq!(sandbox.writes(), []);
    }
}

#[tokio::test]
async fn a_yes_and_a_no_at_the_same_moment_are_one_of_them() {
    for _ in 0..5 {
        let (sandbox, environment) = scene();
        let plan = asked(&environment, VAULT).await;
        let (yes, no) = (owner(), second_owner());
        let (yes, no) = tokio::join!(
            answer(&environment, &plan, Reply::Approve, &yes, "yes"),
            answer(&environment, &plan, Reply::Refuse, &no, "no"),
        );
        let results = [yes.unwrap().result, no.unwrap().result];
        let accepted = results
            .iter()
            .filter(|result| **result != ApprovalResult::NotAccepted)
            .count();
        assert_eq!(accepted, 1, "{results:?}");
        let is_yes = results[0] == ApprovalResult::CarriedOut;
        assert_eq!(sandbox.writes().is_empty(), !is_yes);
    }
}
