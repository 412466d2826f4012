//! What stands over a planned copy, over real connections: the same as the sandbox's port tells.

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use copymend_aws::{AwsEnvironment, ReadWrite};
use copymend_diagnosis::ControlPolicyKind::{self, Resource, Service};
use copymend_policy::AccountId;
use copymend_remediation::ports::{CallErrorKind, Identities as _, Reads as _};
use copymend_remediation::settings::Deployment;
use copymend_remediation::{GuardrailReads as _, read_control_policies};
use copymend_sandbox::{Sandbox, World};
use serde_json::{Value, json};

use super::adapters::{config, served};
use super::{MANAGEMENT, WORKLOADS, answer, signed};
use crate::server::{App, Pace, router};
use crate::upstream::Upstream;

/// So many policies are attached to the root that they take three pages.
const MANY: usize = 45;

/// The default world with policies on the root, a unit and an account, and one Region less.
fn world() -> World {
    let mut world: Value = serde_json::from_str(World::default_json()).expect("JSON");
    let policy = |name: &str, target: &str, principal: bool| {
        let mut statement =
            json!({"Sid": "S", "Effect": "Deny", "Action": "kms:*", "Resource": "*"});
        if principal {
            statement["Principal"] = json!("*");
        }
        json!({
            "name": name,
            "targets": [target],
            "policy": {"Version": "2012-10-17", "Statement": [statement]},
        })
    };
    let organization = &mut world["organizations"][0];
    organization["service_control_policies"] = (0..MANY)
        .map(|number| policy(&format!("service-{number}"), "r-ab12", false))
        .chain([policy("of-account", WORKLOADS, false)])
        .collect();
    organization["resource_control_policies"] = json!([
        policy("of-unit", "ou-ab12-11111111", true),
        policy("elsewhere", "ou-ab12-22222222", true)
    ]);
    world["accounts"][WORKLOADS]["enabled_opt_in_regions"] = json!(["ap-east-1"]);
    World::from_json(&world.to_string()).expect("a world")
}

/// The sandbox alone: access keys are account ids.
async fn sandbox() -> (Sandbox, Router, String) {
    let sandbox = Sandbox::new(world());
    let app = App::at_pace(sandbox.clone(), Upstream::new(None), Pace::default());
    let router = router(app);
    let url = served(router.clone()).await;
    (sandbox, router, url)
}

async fn functions(url: &str, account: &str) -> AwsEnvironment<ReadWrite> {
    AwsEnvironment::new(
        config(url, account, "us-east-1").await,
        &Deployment::default(),
    )
}

fn account(id: &str) -> AccountId {
    id.parse().expect("an account")
}

#[tokio::test]
async fn control_policies_are_told_a_level_at_a_time_as_the_world_has_them() {
    let (sandbox, _, url) = sandbox().await;
    let aws = functions(&url, MANAGEMENT).await;
    let reader = account(MANAGEMENT);
    let read = async |kind: ControlPolicyKind| {
        let of_port =
            read_control_policies(&sandbox, reader, account(WORKLOADS), kind, "aws").await;
        let of_wire = read_control_policies(&aws, reader, account(WORKLOADS), kind, "aws").await;
        assert_eq!(of_wire, of_port);
        let levels = of_wire.expect("policies");
        levels.iter().map(Vec::len).collect::<Vec<_>>()
    };
    // The root, the unit and the account, each with the policy that allows everything.
    assert_eq!(read(Service).await, [MANY + 1, 1, 2]);
    assert_eq!(read(Resource).await, [1, 2, 1]);
}

#[tokio::test]
async fn policies_are_told_to_the_management_account_alone() {
    let (_, _, url) = sandbox().await;
    for (reader, of, kind, code) in [
        (
            WORKLOADS,
            WORKLOADS,
            CallErrorKind::AccessDenied,
            "AccessDeniedException",
        ),
        // An account of another organization is none of its children.
        (
            MANAGEMENT,
            "123412341234",
            CallErrorKind::Failed,
            "ChildNotFoundException",
        ),
        (
            "777766665555",
            "777766665555",
            CallErrorKind::Failed,
            "AWSOrganizationsNotInUseException",
        ),
    ] {
        let aws = functions(&url, reader).await;
        let read = read_control_policies(&aws, account(reader), account(of), Service, "aws");
        let error = read.await.expect_err(code);
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.detail.starts_with(code), "{error}");
    }
}

#[tokio::test]
async fn the_regions_of_an_account_are_told_as_the_world_has_them() {
    let (sandbox, _, url) = sandbox().await;
    let aws = functions(&url, WORKLOADS).await;
    for (region, enabled) in [
        ("eu-west-1", true),
        ("ap-east-1", true),
        ("af-south-1", false),
    ] {
        let own = account(WORKLOADS);
        let of_wire = aws.is_region_enabled(own, region, "aws").await;
        assert_eq!(of_wire, sandbox.is_region_enabled(own, region, "aws").await);
        assert_eq!(of_wire, Ok(enabled), "{region}");
    }
    // Another account than the own one is asked as a role in there, which must exist.
    let other = aws.is_region_enabled(account("123123123123"), "eu-west-1", "aws");
    assert_eq!(
        other.await.expect_err("no such account").kind,
        CallErrorKind::Failed
    );
}

#[tokio::test]
async fn the_policies_of_a_role_are_told_one_by_one_as_the_world_has_them() {
    let (sandbox, _, url) = sandbox().await;
    let aws = functions(&url, WORKLOADS).await;
    let roles = sandbox.with_world(|world| {
        let found = world.account(account(WORKLOADS)).expect("the account");
        let arn = |(name, role): (&String, &copymend_sandbox::Role)| {
            format!("arn:aws:iam::{WORKLOADS}:role{}{name}", role.path)
        };
        found.roles.iter().map(arn).collect::<Vec<_>>()
    });
    assert!(roles.len() > 3);
    let mut bound = 0;
    for role in roles {
        let arn = role.parse().expect("an ARN");
        let of_wire = aws.identities().principal_policies(&arn).await;
        let of_wire = of_wire.expect("policies").expect("the role");
        let of_port = sandbox.identities().principal_policies(&arn).await;
        let of_port = of_port.expect("policies").expect("the role");
        let sorted = |policies: &[copymend_policy::PolicyDocument]| {
            let mut texts: Vec<String> = policies
                .iter()
                .map(|policy| policy.as_str().to_owned())
                .collect();
            texts.sort();
            texts
        };
        assert_eq!(
            sorted(&of_wire.identity),
            sorted(&of_port.identity),
            "{role}"
        );
        assert_eq!(
            of_wire.boundary.map(|policy| policy.as_str().to_owned()),
            of_port.boundary.map(|policy| policy.as_str().to_owned()),
            "{role}"
        );
        bound += 1;
    }
    assert!(bound > 3);
    let gone = format!("arn:aws:iam::{WORKLOADS}:role/Gone");
    let gone = gone.parse().expect("an ARN");
    assert_eq!(aws.identities().principal_policies(&gone).await, Ok(None));
}

async fn organizations(router: &Router, operation: &str, input: Value) -> (StatusCode, Value) {
    let request = signed("organizations", "us-east-1", MANAGEMENT)
        .method("POST")
        .uri("/")
        .header(
            "x-amz-target",
            format!("AWSOrganizationsV20161128.{operation}"),
        )
        .body(Body::from(input.to_string()));
    let (status, _, text) = answer(router, request.expect("a request")).await;
    (status, serde_json::from_str(&text).expect("JSON"))
}

#[tokio::test]
async fn a_page_holds_what_is_asked_and_its_token_leads_on() {
    let (_, router, _) = sandbox().await;
    let list = "ListPoliciesForTarget";
    let asked = json!({"TargetId": "r-ab12", "Filter": "SERVICE_CONTROL_POLICY", "MaxResults": 7});
    let (mut ids, mut input) = (Vec::new(), asked.clone());
    loop {
        let (status, page) = organizations(&router, list, input.clone()).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let policies = page["Policies"].as_array().expect("policies");
        assert!(policies.len() <= 7);
        ids.extend(policies.iter().map(|policy| policy["Id"].to_string()));
        let Some(token) = page.get("NextToken") else {
            break;
        };
        input["NextToken"] = token.clone();
    }
    assert_eq!(ids.len(), MANY + 1);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), MANY + 1, "each policy has an id of its own");
    // Of other types a world has none.
    let (_, none) = organizations(
        &router,
        list,
        json!({"TargetId": "r-ab12", "Filter": "TAG_POLICY"}),
    )
    .await;
    assert_eq!(none, json!({"Policies": []}));
    for (change, code) in [
        (json!({"NextToken": "other"}), "InvalidInputException"),
        (json!({"MaxResults": 21}), "InvalidInputException"),
        (json!({"Filter": "POLICY"}), "InvalidInputException"),
        (json!({"TargetId": Value::Null}), "InvalidInputException"),
        (json!({"TargetId": "r-zz99"}), "TargetNotFoundException"),
    ] {
        let mut input = asked.clone();
        for (name, value) in change.as_object().expect("members") {
            input[name] = value.clone();
        }
        let (status, error) = organizations(&router, list, input).await;
        assert_eq!(
            (status, &error["__type"]),
            (StatusCode::BAD_REQUEST, &json!(code)),
            "{change}"
        );
    }
    let (_, gone) =
        organizations(&router, "DescribePolicy", json!({"PolicyId": "p-gone0000"})).await;
    assert_eq!(gone["__type"], json!("PolicyNotFoundException"));
    let (_, told) = organizations(
        &router,
        "DescribePolicy",
        json!({"PolicyId": "p-FullAWSAccess"}),
    )
    .await;
    assert_eq!(
        told["Policy"]["PolicySummary"]["Arn"],
        json!("arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess")
    );
}

#[tokio::test]
async fn another_accounts_region_is_told_to_the_management_account() {
    let (_, router, _) = sandbox().await;
    let ask = async |caller: &str, input: Value| {
        let request = signed("account", "us-east-1", caller)
            .method("POST")
            .uri("/getRegionOptStatus")
            .body(Body::from(input.to_string()));
        let (status, headers, text) = answer(&router, request.expect("a request")).await;
        let code = headers.get("x-amzn-errortype").cloned();
        let code = code.map(|code| code.to_str().expect("text").to_owned());
        (status, code.unwrap_or(text))
    };
    let of = |region: &str| json!({"RegionName": region, "AccountId": WORKLOADS});
    let (status, text) = ask(MANAGEMENT, of("af-south-1")).await;
    let told: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        (status, told),
        (
            StatusCode::OK,
            json!({"RegionName": "af-south-1", "RegionOptStatus": "DISABLED"})
        )
    );
    let (status, code) = ask("444455556666", of("af-south-1")).await;
    assert_eq!(
        (status, code.as_str()),
        (StatusCode::FORBIDDEN, "AccessDeniedException")
    );
    let (status, code) = ask(WORKLOADS, json!({"RegionName": ""})).await;
    assert_eq!(
        (status, code.as_str()),
        (StatusCode::BAD_REQUEST, "ValidationException")
    );
}
