//! The server with another endpoint behind it that records what reaches it.

mod adapters;
mod answers;
mod guardrails;
mod lists;
mod survey;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use copymend_sandbox::{Sandbox, World};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt as _;

use crate::server::{App, Pace, router};
use crate::upstream::Upstream;

const WORKLOADS: &str = "111122223333";
const MANAGEMENT: &str = "999988887777";

/// The sandbox alone: access keys are account ids.
fn alone() -> Router {
    let sandbox = Sandbox::new(World::default_world());
    router(App::at_pace(sandbox, Upstream::new(None), Pace::default()))
}

fn signed(service: &str, region: &str, account: &str) -> axum::http::request::Builder {
    Request::builder().header(
        "authorization",
        format!("AWS4-HMAC-SHA256 Credential={account}/20261101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"),
    )
}

async fn answer(router: &Router, request: Request) -> (StatusCode, HeaderMap, String) {
    let response = router.clone().oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    let text = String::from_utf8(body.to_vec()).expect("text");
    (parts.status, parts.headers, text)
}

async fn simulate(parameters: &[(&str, &str)]) -> (StatusCode, String) {
    let body = crate::upstream::query("SimulatePrincipalPolicy", "2010-05-08", parameters);
    let request = signed("iam", "us-east-1", WORKLOADS)
        .method("POST")
        .uri("/")
        .body(Body::from(body))
        .expect("a request");
    let (status, _, text) = answer(&alone(), request).await;
    (status, text)
}

const BACKUP_ROLE: (&str, &str) = (
    "PolicySourceArn",
    "arn:aws:iam::111122223333:role/BackupRole",
);
const COPY_INTO: (&str, &str) = ("ActionNames.member.1", "backup:CopyIntoBackupVault");

#[tokio::test]
async fn the_simulator_answers_in_iams_shape() {
    let vault = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr";
    let other = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr-orders";
    let (status, xml) = simulate(&[
        BACKUP_ROLE,
        COPY_INTO,
        ("ActionNames.member.2", "iam:CreateUser"),
        ("ResourceArns.member.1", vault),
        ("ResourceArns.member.2", other),
        (
            "ContextEntries.member.1.ContextKeyName",
            "aws:RequestedRegion",
        ),
        ("ContextEntries.member.1.ContextKeyType", "string"),
        (
            "ContextEntries.member.1.ContextKeyValues.member.1",
            "us-east-1",
        ),
    ])
    .await;
    assert_eq!(status, StatusCode::OK, "{xml}");
    assert!(xml.starts_with(
        "<SimulatePrincipalPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">"
    ));
    assert_eq!(xml.matches("<EvalActionName>").count(), 2, "{xml}");
    assert_eq!(xml.matches("<EvalResourceDecision>").count(), 4, "{xml}");
    // The vaults are another account's: the answer is a deny, and the details tell the role's own
    // side.
    assert!(
        !xml.contains("<EvalDecision>allowed</EvalDecision>"),
        "{xml}"
    );
    assert!(
        xml.contains("<entry><key>IdentityBasedPolicy</key><value>allowed</value></entry>"),
        "{xml}"
    );
    assert!(
        xml.contains("<EvalDecision>implicitDeny</EvalDecision>"),
        "{xml}"
    );
    assert!(
        xml.contains("<AllowedByOrganizations>true</AllowedByOrganizations>"),
        "{xml}"
    );
    assert!(xml.contains("<IsTruncated>false</IsTruncated>"), "{xml}");
}

#[tokio::test]
async fn the_simulators_answers_come_in_pages() {
    let both = [
        BACKUP_ROLE,
        COPY_INTO,
        ("ActionNames.member.2", "iam:CreateUser"),
        ("MaxItems", "1"),
    ];
    let (_, first) = simulate(&both).await;
    assert!(first.contains("<IsTruncated>true</IsTruncated>"), "{first}");
    assert!(first.contains("<Marker>1</Marker>"), "{first}");
    assert!(first.contains("backup:CopyIntoBackupVault") && !first.contains("iam:CreateUser"));
    let (_, second) = simulate(&[&both[..], &[("Marker", "1")]].concat()).await;
    assert!(
        second.contains("<IsTruncated>false</IsTruncated>"),
        "{second}"
    );
    assert!(second.contains("iam:CreateUser"), "{second}");
}

/// What is asked, and the answer's status and code.
type Row<'r> = (&'r [(&'r str, &'r str)], StatusCode, &'r str);

#[tokio::test]
async fn what_the_simulator_cannot_do_is_refused() {
    let nobody = ("PolicySourceArn", "arn:aws:iam::111122223333:role/Nobody");
    let stranger = (
        "PolicySourceArn",
        "arn:aws:iam::444455556666:role/BackupAdministrator",
    );
    let boundary = (
        "PermissionsBoundaryPolicyInputList.member.1",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#,
    );
    let rows: [Row<'_>; 5] = [
        (&[nobody, COPY_INTO], StatusCode::NOT_FOUND, "NoSuchEntity"),
        (
            &[stranger, COPY_INTO],
            StatusCode::FORBIDDEN,
            "AccessDenied",
        ),
        (&[BACKUP_ROLE], StatusCode::BAD_REQUEST, "InvalidInput"),
        (
            &[BACKUP_ROLE, COPY_INTO, ("ResourcePolicy", "{}")],
            StatusCode::BAD_REQUEST,
            "InvalidInput",
        ),
        (
            &[BACKUP_ROLE, COPY_INTO, boundary],
            StatusCode::BAD_REQUEST,
            "InvalidInput",
        ),
    ];
    for (parameters, status, code) in rows {
        let (found, xml) = simulate(parameters).await;
        assert_eq!(found, status, "{xml}");
        assert!(xml.contains(&format!("<Code>{code}</Code>")), "{xml}");
    }
}

async fn effective_policy(account: &str, input: Value) -> (StatusCode, Value) {
    let request = signed("organizations", "us-east-1", account)
        .method("POST")
        .uri("/")
        .header(
            "x-amz-target",
            "AWSOrganizationsV20161128.DescribeEffectivePolicy",
        )
        .body(Body::from(input.to_string()))
        .expect("a request");
    let (status, _, text) = answer(&alone(), request).await;
    (status, serde_json::from_str(&text).expect("JSON"))
}

#[tokio::test]
async fn the_effective_tag_policy_is_told_to_the_account_and_its_management() {
    let own = json!({"PolicyType": "TAG_POLICY"});
    let (status, told) = effective_policy(WORKLOADS, own.clone()).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    let policy = &told["EffectivePolicy"];
    assert_eq!(policy["TargetId"], WORKLOADS);
    assert!(
        policy["PolicyContent"]
            .as_str()
            .expect("text")
            .contains("\"environment\"")
    );

    let of_workloads = json!({"PolicyType": "TAG_POLICY", "TargetId": WORKLOADS});
    let (status, told) = effective_policy(MANAGEMENT, of_workloads.clone()).await;
    assert_eq!(
        (status, &told["EffectivePolicy"]["TargetId"]),
        (StatusCode::OK, &json!(WORKLOADS))
    );

    for (account, input, code) in [
        ("444455556666", of_workloads, "AccessDeniedException"),
        (
            "777766665555",
            own.clone(),
            "AWSOrganizationsNotInUseException",
        ),
        ("123412341234", own, "EffectivePolicyNotFoundException"),
        (
            WORKLOADS,
            json!({"PolicyType": "BACKUP_POLICY"}),
            "EffectivePolicyNotFoundException",
        ),
    ] {
        let (status, told) = effective_policy(account, input).await;
        assert!(status.is_client_error());
        assert_eq!(told["__type"], code, "{account}");
    }
}

#[tokio::test]
async fn backup_and_restore_jobs_are_told_where_they_ran() {
    let world: Value = serde_json::from_str(World::default_json()).expect("JSON");
    for (kind, id, path) in [
        ("backup_jobs", "BackupJobId", "backup-jobs"),
        ("restore_jobs", "RestoreJobId", "restore-jobs"),
    ] {
        let job = &world[kind][0];
        let part = |name: &str| job[name].as_str().expect("text");
        let ask = |region| {
            signed("backup", region, part("account"))
                .uri(format!("/{path}/{}", part("id")))
                .body(Body::empty())
                .expect("a request")
        };
        let (status, _, text) = answer(&alone(), ask(part("region"))).await;
        let told: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((status, &told[id]), (StatusCode::OK, &job["id"]), "{told}");
        let (status, _, text) = answer(&alone(), ask("ap-south-1")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(text.contains("ResourceNotFoundException"), "{text}");
    }
}

/// As AWS Backup does, for a caller with every permission; what is missing in a vault that is there
/// is "not found".
#[tokio::test]
async fn a_vault_that_is_not_there_is_denied() {
    let account = "444455556666";
    for (method, path) in [
        ("GET", "/backup-vaults/gone"),
        ("GET", "/backup-vaults/gone/access-policy"),
        ("GET", "/backup-vaults/gone/recovery-points"),
        ("DELETE", "/backup-vaults/gone"),
    ] {
        let request = signed("backup", "eu-west-1", account)
            .method(method)
            .uri(path)
            .body(Body::empty())
            .expect("a request");
        let (status, _, text) = answer(&alone(), request).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path}: {text}");
        let said = "Insufficient privileges to perform this action.";
        assert!(text.contains("AccessDeniedException"), "{text}");
        assert!(text.contains(said), "{method} {path}: {text}");
    }
    let of_empty = signed("backup", "eu-west-1", account)
        .uri("/backup-vaults/dr/recovery-points/arn:aws:backup:eu-west-1:444455556666:recovery-point:gone");
    let request = of_empty.body(Body::empty()).expect("a request");
    let (_, _, text) = answer(&alone(), request).await;
    assert!(text.contains("ResourceNotFoundException"), "{text}");
}

#[tokio::test]
async fn an_event_is_found_by_the_jobs_name_or_id() {
    let of = async |name: &str| {
        let request = Request::get(format!("/_sandbox/event/{name}"));
        let (status, _, text) =
            answer(&alone(), request.body(Body::empty()).expect("a request")).await;
        (status, serde_json::from_str::<Value>(&text).expect("JSON"))
    };
    let (status, by_name) = of("source-key-policy").await;
    assert_eq!(status, StatusCode::OK);
    let id = by_name["detail"]["copyJobId"].as_str().expect("an id");
    assert_eq!(of(id).await.1, by_name);
    assert_eq!(of("no-such-job").await.0, StatusCode::BAD_REQUEST);
}

/// What reached the other endpoint: the request's line, its headers and its body.
type Seen = Arc<Mutex<Vec<(String, HeaderMap, Vec<u8>)>>>;

async fn record(State(seen): State<Seen>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body").to_vec();
    let line = format!("{} {}", parts.method, parts.uri);
    seen.lock()
        .expect("the lock")
        .push((line, parts.headers, body));
    let headers = [("x-amzn-requestid", "1"), ("content-type", "text/odd")];
    (StatusCode::IM_A_TEAPOT, headers, vec![0_u8, 255, 7]).into_response()
}

#[tokio::test]
async fn all_else_is_passed_on_byte_for_byte() {
    let seen = Seen::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let other = Router::new().fallback(record).with_state(Arc::clone(&seen));
    tokio::spawn(async { axum::serve(listener, other).await });
    let sandbox = Sandbox::new(World::default_world());
    let upstream = Upstream::new(Some(url.parse().expect("an endpoint")));
    let router = router(App::at_pace(sandbox, upstream, Pace::default()));

    let body = vec![0_u8, 1, 254, b'%', b'+'];
    let rows = [
        signed("sns", "us-east-1", WORKLOADS).method("POST"),
        signed("iam", "us-east-1", WORKLOADS).method("PUT"),
        signed("organizations", "us-east-1", WORKLOADS)
            .method("POST")
            .header(
                "x-amz-target",
                "AWSOrganizationsV20161128.DescribeOrganization",
            ),
        signed("ec2", "us-east-1", WORKLOADS).method("POST"),
        signed("sqs", "us-east-1", WORKLOADS).method("POST"),
        signed("tagging", "us-east-1", WORKLOADS)
            .method("POST")
            .header(
                "x-amz-target",
                "ResourceGroupsTaggingAPI_20170126.GetTagKeys",
            ),
        Request::builder().method("DELETE"),
    ];
    for row in rows {
        let request = row
            .uri("/a%2Fb//c?x=%20&y=+&x")
            .header("host", "bridge:4570")
            .header("x-odd", "a, b")
            .header("x-odd", "c")
            .header("connection", "keep-alive")
            .body(Body::from(body.clone()))
            .expect("a request");
        let (method, headers) = (request.method().clone(), request.headers().clone());
        let response = router.clone().oneshot(request).await.expect("an answer");

        let (line, seen_headers, seen_body) =
            seen.lock().expect("the lock").pop().expect("a request");
        assert_eq!(line, format!("{method} /a%2Fb//c?x=%20&y=+&x"));
        assert_eq!(seen_body, body);
        for name in headers.keys().filter(|name| *name != "connection") {
            let all =
                |headers: &HeaderMap| -> Vec<_> { headers.get_all(name).iter().cloned().collect() };
            assert_eq!(all(&seen_headers), all(&headers), "{name}");
        }
        assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
        assert_eq!(response.headers()["content-type"], "text/odd");
        assert_eq!(response.headers()["x-amzn-requestid"], "1");
        let answered = to_bytes(response.into_body(), usize::MAX)
            .await
            .expect("a body");
        assert_eq!(&answered[..], [0, 255, 7]);
    }
}

#[tokio::test]
async fn without_another_endpoint_the_rest_is_refused_by_name() {
    let request = signed("sns", "us-east-1", WORKLOADS).body(Body::empty());
    let (status, _, text) = answer(&alone(), request.expect("a request")).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(text.contains("--aws"), "{text}");
}
