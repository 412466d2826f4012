//! What the functions' own adapters make of the answers, over real connections. Each is told what the
//! sandbox's port tells.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use copymend_aws::{AwsEnvironment, ReadWrite};
use copymend_policy::Arn;
use copymend_remediation::later::DelayedRetry;
use copymend_remediation::ports::{
    CallErrorKind, DelayedRetries as _, Environment as _, Images as _, Location,
    Organizations as _, Reads as _, ResourceTags as _,
};
use copymend_remediation::settings::Deployment;
use copymend_sandbox::{Sandbox, World};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{MANAGEMENT, WORKLOADS, answer, signed};
use crate::scope::Scope;
use crate::server::{App, Pace, router};
use crate::upstream::Upstream;

const QUEUE: &str = "http://127.0.0.1:1/111122223333/copymend-delayed-retries";

/// The little of STS and SQS that the functions need: an access key is its account's id.
async fn rest_of_aws(request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    if parts
        .headers
        .get("x-amz-target")
        .is_some_and(|target| target == "AmazonSQS.SendMessage")
    {
        let input: Value = serde_json::from_slice(&body).expect("JSON");
        if input["DelaySeconds"]
            .as_u64()
            .is_none_or(|delay| delay > 900)
        {
            let error = json!({"__type": "com.amazonaws.sqs#InvalidParameterValueException"});
            return (StatusCode::BAD_REQUEST, error.to_string()).into_response();
        }
        return json!({"MessageId": "m"}).to_string().into_response();
    }
    assert!(body.starts_with(b"Action=GetCallerIdentity"), "{body:?}");
    let key = Scope::of(&parts.headers).expect("a signature").access_key;
    format!("<R><Arn>arn:aws:iam::{key}:user/u</Arn><UserId>u</UserId><Account>{key}</Account></R>")
        .replace("<R>", "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>")
        .replace("</R>", "</GetCallerIdentityResult></GetCallerIdentityResponse>")
        .into_response()
}

pub(super) async fn served(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async { axum::serve(listener, router).await });
    url
}

/// The server of a world, and its address.
async fn sandbox_of(world: World) -> (Sandbox, Router, String) {
    let behind = served(Router::new().fallback(rest_of_aws)).await;
    let sandbox = Sandbox::new(world);
    let upstream = Upstream::new(Some(behind.parse().expect("an endpoint")));
    let router = router(App::at_pace(sandbox.clone(), upstream, Pace::default()));
    let url = served(router.clone()).await;
    (sandbox, router, url)
}

pub(super) async fn config(url: &str, account: &str, region: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(url)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .region(Region::new(region.to_owned()))
        .credentials_provider(Credentials::new(account, "secret", None, None, "test"))
        .load()
        .await
}

/// What runs in an account.
async fn functions(url: &str, account: &str, region: &str) -> AwsEnvironment<ReadWrite> {
    let deployment = Deployment {
        read_images: true,
        read_tags: true,
        delayed_retries_queue_url: Some(QUEUE.to_owned()),
        ..Deployment::default()
    };
    AwsEnvironment::new(config(url, account, region).await, &deployment)
}

/// Every recovery point of the account that the tests run in, with its place.
fn points(world: &World) -> Vec<(Location, Arn)> {
    let account = WORKLOADS.parse().expect("an account");
    let regions = &world.account(account).expect("the account").regions;
    let mut points = Vec::new();
    for (region, resources) in regions {
        for vault in resources.vaults.values() {
            for point in &vault.recovery_points {
                points.push((Location::new(account, region), point.arn.clone()));
            }
        }
    }
    points
}

/// The default world, and images whose snapshots are under other keys than the image.
fn world_with_images() -> World {
    let mut world: Value = serde_json::from_str(World::default_json()).expect("JSON");
    let key = |id: &str| format!("arn:aws:kms:us-east-1:111122223333:key/{id}");
    let (own, other) = (
        key("be647c92-a410-5da8-8dcc-d0d242b097a0"),
        key("1a760453-bfd5-59a7-a867-c501925e4419"),
    );
    let image = |number: u32, rest: Value| {
        let mut point = json!({
            "arn": format!("arn:aws:ec2:us-east-1::image/ami-0000000000000000{number}"),
            "resource_arn": "arn:aws:ec2:us-east-1:111122223333:instance/i-00000000000000001",
            "resource_type": "EC2",
        });
        let members = rest.as_object().expect("an object").clone();
        point.as_object_mut().expect("an object").extend(members);
        point
    };
    let told = json!({"arn": "arn:aws:ec2:us-east-1::snapshot/snap-00000000000000099", "encryption_key_arn": other});
    let points =
        world["accounts"][WORKLOADS]["regions"]["us-east-1"]["vaults"]["prod"]["recovery_points"]
            .as_array_mut()
            .expect("recovery points");
    points.extend([
        image(1, json!({"encryption_key_arn": own, "snapshots": [told, {}, {"encryption_key_arn": own}]})),
        image(2, json!({"encryption_key_arn": own, "snapshots": [told, {}]})),
        image(3, json!({})),
        image(4, json!({"encryption_key_arn": own, "tags": {"stage": "prod"}})),
    ]);
    World::from_json(&world.to_string()).expect("a world")
}

#[tokio::test]
async fn the_keys_of_images_are_told_as_the_world_has_them() {
    let (sandbox, _, url) = sandbox_of(world_with_images()).await;
    let mut numbers = Vec::new();
    for (location, arn) in sandbox.with_world(|world| points(world)) {
        if !arn.resource().starts_with("image/") {
            continue;
        }
        let aws = functions(&url, WORKLOADS, &location.region).await;
        let told = aws.images().expect("images").image_keys(&location, &arn);
        let (mut told, mut expected) = (
            told.await.expect("keys").expect("the image"),
            sandbox
                .image_keys(&location, &arn)
                .await
                .expect("keys")
                .expect("the image"),
        );
        told.sort();
        expected.sort();
        assert_eq!(told, expected, "{arn}");
        numbers.push(told.len());
    }
    for number in 0..=2 {
        assert!(numbers.contains(&number), "none has {number}: {numbers:?}");
    }

    let location = Location::new(WORKLOADS.parse().expect("an account"), "us-east-1");
    let aws = functions(&url, WORKLOADS, "us-east-1").await;
    let missing = "arn:aws:ec2:us-east-1::image/ami-00000000000000042"
        .parse()
        .expect("an ARN");
    let told = aws
        .images()
        .expect("images")
        .image_keys(&location, &missing)
        .await;
    assert_eq!(told, Ok(None));
}

async fn ec2(router: &Router, body: &str) -> (StatusCode, String) {
    let request = signed("ec2", "us-east-1", WORKLOADS)
        .method("POST")
        .uri("/");
    let request = request
        .body(Body::from(body.to_owned()))
        .expect("a request");
    let (status, _, text) = answer(router, request).await;
    (status, text)
}

#[tokio::test]
async fn ec2_refuses_in_its_own_shape() {
    let (_, router, _) = sandbox_of(World::default_world()).await;
    for (body, code) in [
        (
            "Action=DescribeImages&ImageId.1=ami-1",
            "InvalidAMIID.NotFound",
        ),
        (
            "Action=DescribeSnapshots&SnapshotId.1=snap-1",
            "InvalidSnapshot.NotFound",
        ),
        ("Action=DescribeImages", "MissingParameter"),
        (
            "Action=DescribeImages&ImageId.1=ami-1&Owner.1=self",
            "UnknownParameter",
        ),
    ] {
        let (status, xml) = ec2(&router, body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{xml}");
        let expected = format!("<Response><Errors><Error><Code>{code}</Code><Message>");
        assert!(xml.contains(&expected), "{xml}");
    }
    let request = Request::post("/")
        .header("authorization", "AWS4-HMAC-SHA256 Credential=777777777777/20261101/us-east-1/ec2/aws4_request, Signature=0")
        .body(Body::from("Action=DescribeImages&ImageId.1=ami-1"));
    let (status, _, xml) = answer(&router, request.expect("a request")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(xml.contains("<Code>UnauthorizedOperation</Code>"), "{xml}");
}

#[tokio::test]
async fn the_tags_of_recovery_points_are_told_by_either_name() {
    let (sandbox, _, url) = sandbox_of(world_with_images()).await;
    let mut tagged = 0;
    for (location, arn) in sandbox.with_world(|world| points(world)) {
        let aws = functions(&url, WORKLOADS, &location.region).await;
        let tags = aws.resource_tags().expect("tags");
        let expected = sandbox.tags_of(&location, &arn).await;
        assert_eq!(tags.tags_of(&location, &arn).await, expected, "{arn}");
        tagged += usize::from(expected.expect("tags").is_some());
    }
    assert!(tagged >= 3, "{tagged}");
}

#[tokio::test]
async fn the_tagging_api_refuses_what_it_does_not_know() {
    let (_, router, _) = sandbox_of(World::default_world()).await;
    let many = vec!["arn:aws:s3:::b"; 101];
    for input in [
        json!({}),
        json!({"ResourceARNList": []}),
        json!({"ResourceARNList": many}),
        json!({"ResourceARNList": ["no ARN"]}),
        json!({"ResourceARNList": ["arn:aws:s3:::b"], "TagFilters": []}),
    ] {
        let request = signed("tagging", "us-east-1", WORKLOADS)
            .method("POST")
            .header(
                "x-amz-target",
                "ResourceGroupsTaggingAPI_20170126.GetResources",
            )
            .body(Body::from(input.to_string()));
        let (status, _, text) = answer(&router, request.expect("a request")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{input}");
        assert!(text.contains("InvalidParameterException"), "{text}");
    }
}

#[tokio::test]
async fn the_management_account_is_told_where_its_accounts_are_and_no_other_is() {
    let (sandbox, _, url) = sandbox_of(World::default_world()).await;
    let management = MANAGEMENT.parse().expect("an account");
    let aws = functions(&url, MANAGEMENT, "us-east-1").await;
    let members = sandbox.with_world(|world| {
        let organization = world.organization_of(management).expect("an organization");
        organization
            .member_accounts
            .keys()
            .copied()
            .collect::<Vec<_>>()
    });
    assert!(members.len() > 3);
    let organizations = aws.organizations();
    for account in members {
        let told = organizations.list_parents(management, account, "aws").await;
        let expected = sandbox.list_parents(management, account, "aws").await;
        assert_eq!(told, expected, "{account}");
        assert!(told.expect("parents")[0].starts_with("r-"));
    }
    let other_organization = "123412341234".parse().expect("an account");
    let error = organizations
        .list_parents(management, other_organization, "aws")
        .await;
    let error = error.expect_err("it is not its account");
    assert!(
        error.detail.starts_with("ChildNotFoundException"),
        "{error}"
    );

    let own = WORKLOADS.parse().expect("an account");
    let member = functions(&url, WORKLOADS, "us-east-1").await;
    let error = member.organizations().list_parents(own, own, "aws").await;
    assert_eq!(
        error.expect_err("it may not ask").kind,
        CallErrorKind::AccessDenied
    );
    let alone = "777766665555";
    let own = alone.parse().expect("an account");
    let standalone = functions(&url, alone, "us-east-1").await;
    let error = standalone
        .organizations()
        .list_parents(own, own, "aws")
        .await;
    let detail = error.expect_err("it has no organization").detail;
    assert!(
        detail.starts_with("AWSOrganizationsNotInUseException"),
        "{detail}"
    );
}

#[tokio::test]
async fn a_delayed_retry_comes_out_as_lambda_hands_it_over() {
    let (_, router, url) = sandbox_of(World::default_world()).await;
    let aws = functions(&url, WORKLOADS, "us-east-1").await;
    let queue = aws.delayed_retries().expect("a queue");
    let at = "2026-11-29T03:05:00Z".parse().expect("a time");
    let message = DelayedRetry::new(json!({"detail": {"é": 1}}), at, 2);
    let sent = queue.send(&message, Duration::from_secs(247)).await;
    assert_eq!(sent, Ok(()));
    // What SQS refuses isn't in the queue.
    let refused = queue.send(&message, Duration::from_secs(901)).await;
    assert_eq!(
        refused.expect_err("it is too long").kind,
        CallErrorKind::Rejected
    );

    let of = async |method: &str| {
        let request = Request::builder()
            .method(method)
            .uri("/_sandbox/delayed-retries");
        let (_, _, text) = answer(&router, request.body(Body::empty()).expect("a request")).await;
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    let listed = of("GET").await;
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    assert_eq!(listed[0]["input"]["DelaySeconds"], 247);
    assert_eq!(listed[0]["input"]["QueueUrl"], QUEUE);
    let delivered = of("POST").await;
    let read = DelayedRetry::in_queue_event(&delivered).expect("a queue's event");
    assert_eq!(read, Ok(message));
    assert_eq!(
        delivered["Records"][0]["eventSourceARN"],
        "arn:aws:sqs:us-east-1:111122223333:copymend-delayed-retries"
    );
    assert_eq!(of("POST").await, Value::Null);
    assert_eq!(of("GET").await, json!([]));
}
