//! Approve mode: a plan that waits is carried out by the one person who may, once, and as it was shown;
//! whatever dies, is forged, or comes twice.

mod attacks;
mod deaths;
mod digests;
mod forged;

use copymend_policy::PolicyDocument;
use copymend_remediation::agreement::PlanHash;
use copymend_remediation::approval::{
    ApprovalAnswer, ApprovalInput, ApprovalRequests, ApprovalResult, Asked, Reply, SignedIdentity,
    SignedWords, allow_again,
};
use copymend_remediation::ledger::{ChangeState, Ledger};
use copymend_remediation::ports::{CallErrorKind, Clock, Reads};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::{Mode, Settings};
use copymend_remediation::{CopyRemediator, HandlerError, Invocation};
use copymend_sandbox::{NewCopy, Person, Sandbox, World};
use jiff::SignedDuration;

use super::faulty::Faulty;
use super::{ENTRY, TIMEOUT, settings};

const FUNCTION: &str = "arn:aws:lambda:eu-west-1:444455556666:function:copymend:approvals";
const VAULT: &str = "destination-vault-policy";
const KEY: &str = "source-key-policy";
/// Copies that a statement repairs, in a vault's policy and in a key's.
const REPAIRED: [&str; 2] = [VAULT, KEY];

fn approving() -> Settings {
    let approvers = "arn:aws:sts::444455556666:assumed-role/BackupOwner/*,arn:aws:iam::111122223333:user/insider,arn:aws:sts::444455556666:assumed-role/copymend/*";
    let read = Settings::read(|name| (name == "COPYMEND_APPROVERS").then(|| approvers.to_owned()));
    Settings {
        mode: Mode::Approve,
        approvers: read.unwrap().approvers,
        ..settings()
    }
}

fn person(key: &str, arn: &str) -> Person {
    Person {
        access_key_id: key.to_owned(),
        secret_access_key: format!("secret of {key}"),
        session_token: arn.contains(":sts:").then(|| format!("token-of-{key}")),
        arn: arn.parse().unwrap(),
    }
}

fn owner() -> Person {
    person(
        "ASIAOWNER",
        "arn:aws:sts::444455556666:assumed-role/BackupOwner/mary",
    )
}

fn second_owner() -> Person {
    person(
        "ASIASECOND",
        "arn:aws:sts::444455556666:assumed-role/BackupOwner/john",
    )
}

/// Listed, and of the source account.
fn insider() -> Person {
    person("AKIAINSIDER", "arn:aws:iam::111122223333:user/insider")
}

/// AWS knows them, and no list does.
fn stranger() -> Person {
    person(
        "ASIASTRANGER",
        "arn:aws:sts::444455556666:assumed-role/Developer/eve",
    )
}

fn scene() -> (Sandbox, Faulty) {
    let sandbox = Sandbox::new(World::default_world());
    for someone in [owner(), second_owner(), insider(), stranger()] {
        sandbox.meet(someone);
    }
    let environment = Faulty::new(sandbox.clone());
    (sandbox, environment)
}

fn invocation(environment: &Faulty, id: &str) -> Invocation {
    Invocation {
        id: id.to_owned(),
        deadline: environment.clock().now() + TIMEOUT,
    }
}

fn remediator(environment: &Faulty) -> CopyRemediator<Faulty> {
    CopyRemediator::new(environment.clone(), approving())
}

/// The failed copy's event is handled; answers the report.
async fn fails(environment: &Faulty, name: &str, id: &str) -> Result<Report, HandlerError> {
    let event = environment.sandbox().event_named(name).unwrap();
    remediator(environment)
        .handle(&event, &invocation(environment, id))
        .await
}

/// Another copy of the same kind has failed just now, and its event is handled.
async fn fails_anew(environment: &Faulty, name: &str, id: &str) -> Result<Report, HandlerError> {
    let sandbox = environment.sandbox();
    let now = sandbox.clock().now();
    let job = sandbox.with_world(|world| {
        let template = world.copy_job_named(name).unwrap().clone();
        let mut point = world
            .recovery_point(&template.source_vault, &template.recovery_point)
            .unwrap()
            .clone();
        point.arn = format!(
            "arn:aws:ec2:us-east-1::snapshot/snap-{:017x}",
            now.as_second()
        )
        .parse()
        .unwrap();
        let recovery_point = point.arn.clone();
        let vault = world.vault_mut(&template.source_vault).unwrap();
        vault.recovery_points.push(point);
        let started = world.start_copy(NewCopy {
            id: None,
            name: None,
            recovery_point,
            source_vault: template.source_vault.clone(),
            destination_vault: template.destination_vault.clone(),
            role: template.role.clone(),
            lifecycle: None,
            created_by: template.created_by.clone(),
            created: now - SignedDuration::from_mins(30),
            resource: None,
            resource_type: None,
        });
        started.unwrap().id.clone()
    });
    let event = sandbox.event_for(&job).unwrap();
    remediator(environment)
        .handle(&event, &invocation(environment, id))
        .await
}

/// The plan that people are asked about.
async fn asked(environment: &Faulty, name: &str) -> String {
    let report = fails(environment, name, "event").await.unwrap();
    assert_eq!(report.outcome, Outcome::Planned, "{report:#?}");
    report.approval.unwrap().plan
}

async fn hash_of(environment: &Faulty, plan: &str) -> PlanHash {
    let ledger = environment.sandbox().ledger().unwrap();
    ledger.request(plan).await.unwrap().unwrap().0.hash
}

async fn tell(
    environment: &Faulty,
    plan: &str,
    answer: Option<Asked>,
    function: &str,
    id: &str,
) -> Result<ApprovalAnswer, HandlerError> {
    let input = ApprovalInput {
        plan: plan.to_owned(),
        answer,
    };
    remediator(environment)
        .answer_approval(&input, function, &invocation(environment, id))
        .await
}

async fn signed(environment: &Faulty, plan: &str, reply: Reply, who: &Person) -> Asked {
    let hash = hash_of(environment, plan).await;
    let words = SignedWords::of(reply, hash, FUNCTION);
    Asked {
        reply,
        hash,
        allow_again: false,
        identity: who.sign(&words, environment.clock().now()),
    }
}

async fn answer(
    environment: &Faulty,
    plan: &str,
    reply: Reply,
    who: &Person,
    id: &str,
) -> Result<ApprovalAnswer, HandlerError> {
    let answer = signed(environment, plan, reply, who).await;
    tell(environment, plan, Some(answer), FUNCTION, id).await
}

fn means_the_same(one: &str, other: &str) -> bool {
    let read = |text| PolicyDocument::parse(text).unwrap();
    read(one).means_the_same_as(&read(other))
}

#[tokio::test]
async fn what_was_asked_is_carried_out_once_and_everybody_knows_by_whom() {
    for name in REPAIRED {
        let (sandbox, environment) = scene();
        let report = fails(&environment, name, "event").await.unwrap();
        let approval = report.approval.clone().unwrap();
        assert_eq!(sandbox.writes(), [], "{name}");
        let shown = tell(&environment, &approval.plan, None, FUNCTION, "show")
            .await
            .unwrap();
        assert_eq!(shown.result, ApprovalResult::Shown, "{shown:#?}");
        assert_eq!(shown.expires_at, approval.expires_at);
        assert!(
            shown
                .hash
                .unwrap()
                .is_named_by(&approval.plan.to_lowercase())
        );
        let shown = &shown.report.as_ref().unwrap().changes[0].after;
        assert!(means_the_same(shown, &report.changes[0].after));
        let done = answer(
            &environment,
            &approval.plan,
            Reply::Approve,
            &owner(),
            "yes",
        )
        .await
        .unwrap();
        assert_eq!(done.result, ApprovalResult::CarriedOut, "{name}: {done:#?}");
        let puts: Vec<_> = sandbox
            .writes()
            .into_iter()
            .filter(|write| write.operation != "backup:StartCopyJob")
            .collect();
        let [put] = &puts[..] else {
            panic!("{name}: {puts:#?}");
        };
        assert!(means_the_same(&put.after, &report.changes[0].after));
        let applied = done.report.unwrap();
        assert_eq!(applied.outcome, Outcome::RepairedAndRetried);
        let by = applied
            .approval
            .as_ref()
            .unwrap()
            .answered
            .as_ref()
            .unwrap();
        assert_eq!(by.by, owner().arn.to_string());
        let id = applied.changes[0].id.as_deref().unwrap();
        let (change, state) = sandbox.ledger().unwrap().change(id).await.unwrap().unwrap();
        assert_eq!(state, ChangeState::Written);
        assert_eq!(change.made_by, Some(owner().arn.to_string()));
        // One message asks, one closes.
        let sent = sandbox.notifier().sent();
        assert_eq!(sent.len(), 2, "{name}");
        // Answered twice, by the same and by another one.
        for who in [owner(), second_owner()] {
            for reply in [Reply::Approve, Reply::Refuse] {
                let writes = sandbox.writes();
                let again = answer(&environment, &approval.plan, reply, &who, "again")
                    .await
                    .unwrap();
                assert_eq!(again.result, ApprovalResult::NotAccepted);
                assert!(again.why.unwrap().contains("BackupOwner/mary approved"));
                assert_eq!(sandbox.writes(), writes, "{name}");
            }
        }
        assert_eq!(sandbox.notifier().sent().len(), 2);
    }
}

#[tokio::test]
async fn no_answer_means_no_and_people_are_asked_again_when_it_fails_again() {
    let (sandbox, environment) = scene();
    let plan = asked(&environment, VAULT).await;
    let late = signed(&environment, &plan, Reply::Approve, &owner()).await;
    environment
        .clock()
        .sleep(SignedDuration::from_hours(72).unsigned_abs())
        .await;
    for given in [
        None,
        Some(late),
        Some(signed(&environment, &plan, Reply::Approve, &owner()).await),
    ] {
        let answered = tell(&environment, &plan, given, FUNCTION, "late")
            .await
            .unwrap();
        assert_eq!(answered.result, ApprovalResult::NotAccepted);
        assert!(answered.why.unwrap().contains("no answer means no"));
    }
    assert_eq!(sandbox.writes(), []);
    // The same incident by another job: the question is over, so that there is another one.
    let next = fails_anew(&environment, VAULT, "next").await.unwrap();
    let again = next.approval.unwrap().plan;
    assert_ne!(again, plan);
    assert_eq!(sandbox.notifier().sent().len(), 2);
}

#[tokio::test]
async fn while_a_question_is_open_people_are_not_asked_again() {
    let (sandbox, environment) = scene();
    let _ = asked(&environment, VAULT).await;
    let report = fails_anew(&environment, VAULT, "second").await.unwrap();
    assert_eq!(report.outcome, Outcome::Planned);
    assert_eq!(report.occurrences, Some(2), "one incident");
    assert_eq!(report.approval, None, "nobody could know of it");
    assert_eq!(sandbox.notifier().sent().len(), 1);
}

#[tokio::test]
async fn a_no_is_kept_as_after_an_undo_until_it_is_lifted() {
    let (sandbox, environment) = scene();
    let plan = asked(&environment, VAULT).await;
    let refused = answer(&environment, &plan, Reply::Refuse, &owner(), "no")
        .await
        .unwrap();
    assert_eq!(refused.result, ApprovalResult::Refused, "{refused:#?}");
    assert_eq!(sandbox.writes(), []);
    let sent = sandbox.notifier().sent();
    assert_eq!(sent.len(), 2, "people are told of the no");
    let yes = answer(&environment, &plan, Reply::Approve, &second_owner(), "yes")
        .await
        .unwrap();
    assert_eq!(yes.result, ApprovalResult::NotAccepted);
    // A second no changes nothing, and isn't told.
    let twice = answer(&environment, &plan, Reply::Refuse, &second_owner(), "no-2")
        .await
        .unwrap();
    assert_eq!(twice.result, ApprovalResult::Refused);
    assert_eq!(twice.answered.unwrap().by, owner().arn.to_string());
    assert_eq!(sandbox.notifier().sent().len(), 2);
    // The same grant isn't planned again.
    let next = fails_anew(&environment, VAULT, "next").await.unwrap();
    assert_eq!(next.outcome, Outcome::Refused, "{next:#?}");
    let detail = &next
        .guards
        .iter()
        .find(|guard| !guard.passed && guard.guard.name() == "not-taken-back")
        .unwrap()
        .detail;
    let name = format!("plan-{plan}");
    assert!(detail.contains(&name), "{detail}");
    let lifted = allow_again(
        &environment,
        &plan,
        Some("arn:aws:iam::444455556666:user/mary"),
    )
    .await
    .unwrap()
    .unwrap();
    assert_eq!(lifted.change_id, name);
    let after = fails(&environment, "source-key-policy", "other")
        .await
        .unwrap();
    assert_eq!(after.outcome, Outcome::Planned);
    let history = sandbox
        .ledger()
        .unwrap()
        .policy_history(
            sandbox.event_named(VAULT).unwrap()["detail"]["destinationBackupVaultArn"]
                .as_str()
                .unwrap(),
            environment.clock().now(),
        )
        .await
        .unwrap();
    assert_eq!(history.refusals, []);
}

#[tokio::test]
async fn the_owner_of_a_key_may_open_it_and_the_functions_role_approves_nothing() {
    let (_, environment) = scene();
    let plan = asked(&environment, KEY).await;
    let done = answer(&environment, &plan, Reply::Approve, &insider(), "yes")
        .await
        .unwrap();
    assert_eq!(done.result, ApprovalResult::CarriedOut, "{done:#?}");

    for own in [
        "arn:aws:sts::444455556666:assumed-role/copymend/copymend",
        "arn:aws:sts::777788889999:assumed-role/member/copymend",
    ] {
        let (sandbox, environment) = scene();
        let own = person("ASIAOWN", own);
        sandbox.meet(own.clone());
        let plan = asked(&environment, KEY).await;
        let everyone =
            Settings::read(|name| (name == "COPYMEND_APPROVERS").then(|| "*".to_owned()));
        let mut settings = Settings {
            approvers: everyone.unwrap().approvers,
            ..approving()
        };
        settings.deployment.function_role = Some(
            "arn:aws:iam::444455556666:role/path/copymend"
                .parse()
                .unwrap(),
        );
        settings.deployment.member_role = Some("path/member".to_owned());
        let input = ApprovalInput {
            plan: plan.clone(),
            answer: Some(signed(&environment, &plan, Reply::Approve, &own).await),
        };
        let answered = CopyRemediator::new(environment.clone(), settings)
            .answer_approval(&input, FUNCTION, &invocation(&environment, "own"))
            .await
            .unwrap();
        assert_eq!(answered.result, ApprovalResult::NotAccepted);
        assert!(answered.why.unwrap().contains("the function's own role"));
    }
}

#[tokio::test]
async fn outside_approve_mode_nothing_is_answered() {
    let (sandbox, environment) = scene();
    let plan = asked(&environment, VAULT).await;
    for mode in [Mode::Observe, Mode::Repair] {
        let input = ApprovalInput {
            plan: plan.clone(),
            answer: Some(signed(&environment, &plan, Reply::Approve, &owner()).await),
        };
        let settings = Settings {
            mode,
            ..approving()
        };
        let answered = CopyRemediator::new(environment.clone(), settings)
            .answer_approval(&input, FUNCTION, &invocation(&environment, "yes"))
            .await
            .unwrap();
        assert_eq!(answered.result, ApprovalResult::NotAccepted);
    }
    assert_eq!(sandbox.writes(), []);
}

#[tokio::test]
async fn a_plan_that_changed_is_not_carried_out_and_the_new_one_is_asked_about() {
    let (sandbox, environment) = scene();
    let plan = asked(&environment, VAULT).await;
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
    let done = answer(&environment, &plan, Reply::Approve, &owner(), "yes")
        .await
        .unwrap();
    assert_eq!(done.result, ApprovalResult::NotCarriedOut, "{done:#?}");
    assert_eq!(sandbox.writes(), []);
    let now = done.plan_now.unwrap();
    let shown = tell(&environment, &plan, None, FUNCTION, "show")
        .await
        .unwrap();
    assert_eq!(shown.result, ApprovalResult::NotAccepted);
    let done = answer(&environment, &now, Reply::Approve, &owner(), "yes-2")
        .await
        .unwrap();
    assert_eq!(done.result, ApprovalResult::CarriedOut, "{done:#?}");
}
