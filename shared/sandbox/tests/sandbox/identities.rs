//! The policy simulator and the policies of roles and users.

use copymend_diagnosis::{Simulated, SimulatedAction, SimulatedDecision};
use copymend_remediation::ports::{CallErrorKind, ContextKey, Identities, Simulation};
use copymend_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::small::{ROLE, SOURCE_VAULT, VAULT, load, with, world};

const AT_ROLE: &str = "/accounts/111122223333/roles/BackupRole";
const USER: &str = "arn:aws:iam::111122223333:user/operations/alice";

fn asking(principal: &str, actions: &[&'static str]) -> Simulation {
    Simulation {
        principal: principal.parse().unwrap(),
        actions: actions.to_vec(),
        resource: VAULT.to_owned(),
        context: vec![ContextKey::one("aws:RequestedRegion", "eu-west-1")],
        without_scps: false,
        without_boundary: false,
    }
}

async fn simulate(world: &Value, simulation: &Simulation) -> Vec<SimulatedAction> {
    Sandbox::new(load(world))
        .simulate_principal_policy(simulation)
        .await
        .unwrap()
}

async fn copy_into(world: &Value) -> SimulatedAction {
    simulate(world, &asking(ROLE, &["backup:CopyIntoBackupVault"]))
        .await
        .remove(0)
}

fn allow(action: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": "*"})
}

fn deny(action: &str, condition: &Value) -> Value {
    json!({"Effect": "Deny", "Action": action, "Resource": "*", "Condition": condition})
}

fn boundary(statements: &Value) -> Value {
    json!({"arn": "arn:aws:iam::111122223333:policy/B", "policy": {"Version": "2012-10-17", "Statement": statements}})
}

fn under_control(statement: &Value, targets: &Value) -> Value {
    with(
        world(),
        "/organizations/0/service_control_policies",
        json!([{"name": "x", "targets": targets, "policy": {"Version": "2012-10-17", "Statement": [statement]}}]),
    )
}

#[tokio::test]
async fn each_action_gets_an_answer_in_the_order_asked() {
    let actions = ["backup:CopyIntoBackupVault", "backup:DeleteBackupVault"];
    let answers = simulate(&world(), &asking(ROLE, &actions)).await;
    let [allowed, missing] = answers.as_slice() else {
        panic!("{answers:?}")
    };
    assert_eq!(allowed.action, actions[0]);
    assert_eq!(allowed.resource, VAULT);
    // The vault is another account's, and no policy of it can be passed: only the details tell what
    // the role may do.
    assert_eq!(
        (allowed.decision, allowed.matched_statements),
        (SimulatedDecision::ImplicitDeny, 0)
    );
    assert_eq!(allowed.identity_decision, Some(SimulatedDecision::Allowed));
    assert_eq!(allowed.meaning(), Simulated::Allowed);
    assert_eq!(allowed.allowed_by_organizations, Some(true));
    assert_eq!(allowed.allowed_by_permissions_boundary, None);
    assert_eq!(missing.action, actions[1]);
    assert_eq!(
        (missing.decision, missing.matched_statements),
        (SimulatedDecision::ImplicitDeny, 0)
    );
    assert_eq!(missing.meaning(), Simulated::NotByIdentity);
}

#[tokio::test]
async fn nobody_is_simulated_who_does_not_exist() {
    let sandbox = Sandbox::new(load(&world()));
    for principal in [
        "arn:aws:iam::111122223333:role/Nobody",
        "arn:aws:iam::111122223333:role/service-role/BackupRole",
        "arn:aws:iam::111122223333:user/nobody",
        "arn:aws-cn:iam::111122223333:role/BackupRole",
    ] {
        let simulation = asking(principal, &["backup:CopyIntoBackupVault"]);
        let error = sandbox
            .simulate_principal_policy(&simulation)
            .await
            .unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Failed, "{principal}");
        assert!(error.detail.starts_with("NoSuchEntity"), "{error}");
        let policies = sandbox
            .principal_policies(&principal.parse().unwrap())
            .await;
        assert_eq!(policies.unwrap(), None);
    }
}

#[tokio::test]
async fn a_service_control_policy_ends_the_simulation() {
    let denied = under_control(&deny("backup:*", &json!({})), &json!(["r-ab12"]));
    let denied = with(
        denied,
        &format!("{AT_ROLE}/permissions_boundary"),
        boundary(&json!([allow("s3:*")])),
    );
    let answer = copy_into(&denied).await;
    assert_eq!(answer.decision, SimulatedDecision::ImplicitDeny);
    assert_eq!(answer.allowed_by_organizations, Some(false));
    assert_eq!(answer.allowed_by_permissions_boundary, None);
    assert_eq!(answer.matched_statements, 0);
    assert_eq!(answer.meaning(), Simulated::NotByOrganization);
    let elsewhere = under_control(&deny("backup:*", &json!({})), &json!(["444455556666"]));
    assert_eq!(copy_into(&elsewhere).await.meaning(), Simulated::Allowed);
}

/// Since August 2026 it evaluates them, and takes a key that nobody told as absent.
#[tokio::test]
async fn the_conditions_of_service_control_policies_count_and_a_key_that_nobody_told_is_absent() {
    for (condition, meaning) in [
        (
            json!({"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}),
            Simulated::Allowed,
        ),
        (
            json!({"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}),
            Simulated::NotByOrganization,
        ),
        (
            json!({"Null": {"aws:ResourceTag/Approved": "true"}}),
            Simulated::NotByOrganization,
        ),
        // These it knows by itself.
        (
            json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}),
            Simulated::Allowed,
        ),
        (
            json!({"StringNotLike": {"aws:userid": "AROA*"}}),
            Simulated::Allowed,
        ),
        // This one it doesn't.
        (
            json!({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/BackupRole"}}),
            Simulated::NotByOrganization,
        ),
    ] {
        let denied = under_control(&deny("backup:*", &condition), &json!(["111122223333"]));
        let answer = copy_into(&denied).await;
        assert_eq!(answer.meaning(), meaning, "{condition}");
        assert_eq!(answer.missing_context_values, Vec::<String>::new());
    }
}

#[tokio::test]
async fn service_control_policies_can_be_left_out() {
    let denied = under_control(&deny("backup:*", &json!({})), &json!(["111122223333"]));
    let without = Simulation {
        without_scps: true,
        ..asking(ROLE, &["backup:CopyIntoBackupVault"])
    };
    let answer = simulate(&denied, &without).await.remove(0);
    assert_eq!(answer.allowed_by_organizations, None);
    assert_eq!(answer.meaning(), Simulated::Allowed);
}

#[tokio::test]
async fn on_a_resource_of_its_own_account_a_role_needs_nobody_else() {
    let simulation = Simulation {
        resource: SOURCE_VAULT.to_owned(),
        ..asking(ROLE, &["backup:CopyIntoBackupVault"])
    };
    let answer = simulate(&world(), &simulation).await.remove(0);
    assert!(!answer.is_cross_account);
    assert_eq!(
        (answer.decision, answer.matched_statements),
        (SimulatedDecision::Allowed, 1)
    );
    assert_eq!(answer.identity_decision, None);
}

#[tokio::test]
async fn no_service_control_policy_binds_the_management_account_or_one_outside() {
    let deny_all = json!([{"name": "x", "targets": ["r-ab12", "111122223333"],
        "policy": {"Version": "2012-10-17", "Statement": [deny("*", &json!({}))]}}]);
    let mut management = with(
        world(),
        "/organizations/0/service_control_policies",
        deny_all,
    );
    management["organizations"][0]["management_account"] = json!("111122223333");
    let mut outside = world();
    outside["organizations"] = json!([]);
    for world in [management, outside] {
        let answer = copy_into(&world).await;
        assert_eq!(answer.allowed_by_organizations, None);
        assert_eq!(answer.meaning(), Simulated::Allowed);
    }
}

#[tokio::test]
async fn a_boundary_is_told_apart_from_the_roles_own_policies() {
    let at = format!("{AT_ROLE}/permissions_boundary");
    let narrow = with(world(), &at, boundary(&json!([allow("s3:*")])));
    let answer = copy_into(&narrow).await;
    assert_eq!(answer.decision, SimulatedDecision::ImplicitDeny);
    assert_eq!(answer.allowed_by_permissions_boundary, Some(false));
    assert_eq!(answer.meaning(), Simulated::NotByBoundary);

    let denying = with(
        world(),
        &at,
        boundary(&json!([allow("*"), deny("backup:*", &json!({}))])),
    );
    let answer = copy_into(&denying).await;
    assert_eq!(answer.decision, SimulatedDecision::ExplicitDeny);
    assert_eq!(answer.meaning(), Simulated::NotByBoundary);

    let wide = with(world(), &at, boundary(&json!([allow("*")])));
    let answer = copy_into(&wide).await;
    assert_eq!(answer.allowed_by_permissions_boundary, Some(true));
    assert_eq!(answer.meaning(), Simulated::Allowed);

    // What the role itself may do shows once its boundary is left out.
    let without = Simulation {
        without_boundary: true,
        ..asking(ROLE, &["backup:CopyIntoBackupVault"])
    };
    for (managed, meaning) in [
        (
            json!(["AWSBackupServiceRolePolicyForBackup"]),
            Simulated::Allowed,
        ),
        (json!([]), Simulated::NotByIdentity),
    ] {
        let world = with(
            narrow.clone(),
            &format!("{AT_ROLE}/managed_policies"),
            managed,
        );
        let answer = simulate(&world, &without).await.remove(0);
        assert_eq!(answer.allowed_by_permissions_boundary, Some(true));
        assert_eq!(answer.meaning(), meaning);
    }
}

#[tokio::test]
async fn keys_that_nobody_told_are_named_where_they_decide() {
    let policies = |statement: Value| {
        with(
            world(),
            &format!("{AT_ROLE}/policies"),
            json!({"own": {"Version": "2012-10-17", "Statement": [statement]}}),
        )
    };
    let told = json!({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}});
    let answer = copy_into(&policies(deny("backup:*", &told))).await;
    assert_eq!(answer.meaning(), Simulated::DeniedByIdentity);
    assert_eq!(answer.missing_context_values, Vec::<String>::new());

    for key in ["aws:SourceVpc", "aws:PrincipalArn"] {
        let condition = json!({"StringEquals": {key: "x"}});
        let answer = copy_into(&policies(deny("backup:*", &condition))).await;
        assert_eq!(answer.missing_context_values, [key]);
        assert_eq!(answer.meaning(), Simulated::Allowed);
        let only = with(
            policies(
                json!({"Effect": "Allow", "Action": "backup:*", "Resource": "*", "Condition": condition}),
            ),
            &format!("{AT_ROLE}/managed_policies"),
            json!([]),
        );
        assert_eq!(copy_into(&only).await.meaning(), Simulated::Unclear);
    }
}

#[tokio::test]
async fn a_user_has_policies_as_a_role_has() {
    let users = json!(["bob", {
        "name": "/operations/alice",
        "managed_policies": ["AWSBackupFullAccess"],
        "policies": {"own": {"Version": "2012-10-17", "Statement": [deny("backup:DeleteBackupVault", &json!({}))]}},
        "permissions_boundary": boundary(&json!([allow("backup:*")]))
    }]);
    let world = with(world(), "/accounts/111122223333/users", users);
    let sandbox = Sandbox::new(load(&world));
    let actions = [
        "backup:CreateBackupVault",
        "backup:DeleteBackupVault",
        "backup-storage:MountCapsule",
    ];
    let answers = sandbox
        .simulate_principal_policy(&asking(USER, &actions))
        .await
        .unwrap();
    let meanings: Vec<_> = answers.iter().map(SimulatedAction::meaning).collect();
    assert_eq!(
        meanings,
        [
            Simulated::Allowed,
            Simulated::DeniedByIdentity,
            Simulated::NotByBoundary
        ]
    );
    let policies = sandbox
        .principal_policies(&USER.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(policies.identity.len(), 2);
    assert!(policies.boundary.is_some());
    let bob = "arn:aws:iam::111122223333:user/bob".parse().unwrap();
    let bob = sandbox.principal_policies(&bob).await.unwrap().unwrap();
    assert_eq!((bob.identity.len(), bob.boundary), (0, None));
}

/// Service control policies don't bind service-linked roles.
#[tokio::test]
async fn the_service_linked_role_has_the_policy_of_aws_and_no_other() {
    let mut world = under_control(&deny("kms:*", &json!({})), &json!(["r-ab12"]));
    let role = "arn:aws:iam::444455556666:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup";
    let sandbox = Sandbox::new(load(&world));
    let policies = sandbox
        .principal_policies(&role.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(policies.identity.len(), 1);
    let simulation = asking(role, &["kms:DescribeKey"]);
    let answers = sandbox
        .simulate_principal_policy(&simulation)
        .await
        .unwrap();
    assert_eq!(answers[0].allowed_by_organizations, None);
    assert_eq!(answers[0].meaning(), Simulated::Allowed);
    world["accounts"]["444455556666"]["service_linked_role"] = json!(false);
    let gone = Sandbox::new(load(&world));
    assert_eq!(
        gone.principal_policies(&role.parse().unwrap())
            .await
            .unwrap(),
        None
    );
}
