//! AWS STS where no other endpoint is behind the sandbox: who calls, and roles to assume. As
//! everywhere there, an access key is its account's id.

use std::fmt::Write as _;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use copymend_diagnosis::RoleArn;
use copymend_policy::AccountId;
use copymend_remediation::ports::{Clock as _, Reads as _};
use jiff::SignedDuration;

use crate::error::AwsError;
use crate::forward::{forward_read, read_body};
use crate::parameters::{Parameters, parameters};
use crate::scope::Scope;
use crate::server::App;
use crate::upstream::Secret;
use crate::xml::{self, around, element};

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
/// AWS STS answers far less.
const LARGEST_ANSWER: usize = 1 << 20;
/// How long credentials last (documented: STS API reference, `AssumeRole`, one hour unless asked
/// otherwise).
const LAST: SignedDuration = SignedDuration::from_hours(1);

pub(crate) async fn answer(app: &App, request: Request) -> Response {
    let request = match read_body(request).await {
        Ok(request) => request,
        Err(error) => return refusal(&error),
    };
    if app.upstream().endpoint().is_some() {
        return remembered(app, forward_read(app, request).await).await;
    }
    let parameters = parameters(request.body());
    let answer = match parameters.get("Action").map(String::as_str) {
        Some("GetCallerIdentity") => caller_identity(app, request.headers()).await,
        Some("AssumeRole") => assume_role(app, request.headers(), &parameters).await,
        Some(_) | None => return forward_read(app, request).await,
    };
    match answer {
        Ok(body) => xml_answer(StatusCode::OK, body),
        Err(error) => refusal(&error),
    }
}

/// Passes an answer on, and remembers the credentials that it gives: what is signed with them is checked.
async fn remembered(app: &App, answer: Response) -> Response {
    let (parts, body) = answer.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_ANSWER).await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let text = String::from_utf8_lossy(&body);
    let read = |name| xml::text(&text, name);
    if let (Some(access_key), Some(secret_key)) = (read("AccessKeyId"), read("SecretAccessKey")) {
        app.upstream().remember(
            access_key,
            Secret {
                secret_key,
                session_token: read("SessionToken"),
            },
        );
    }
    Response::from_parts(parts, Body::from(body))
}

/// Who has this access key.
pub(crate) async fn identity_of(app: &App, access_key: &str) -> Response {
    if let Some(answer) = app.upstream().identity_of(access_key).await {
        return match answer {
            Ok((status, body)) => xml_answer(status, body),
            Err(error) => refusal(&error),
        };
    }
    let account = match app.upstream().account_of(access_key).await {
        Ok(account) => account,
        Err(error) => return refusal(&error),
    };
    xml_answer(StatusCode::OK, told_of(app, account))
}

fn xml_answer(status: StatusCode, body: String) -> Response {
    (status, [(CONTENT_TYPE, "text/xml")], body).into_response()
}

pub(crate) fn refusal(error: &AwsError) -> Response {
    let (code, status) = match error.code() {
        "AccessDeniedException" => ("AccessDenied", StatusCode::FORBIDDEN),
        other => (other, StatusCode::BAD_REQUEST),
    };
    let told =
        element("Type", "Sender") + &element("Code", code) + &element("Message", error.message());
    let body = around("Error", &told) + &element("RequestId", "0");
    let whole = format!("<ErrorResponse xmlns=\"{NAMESPACE}\">{body}</ErrorResponse>");
    xml_answer(status, whole)
}

fn told(operation: &str, result: &str) -> String {
    let mut body = String::new();
    // Writing to a string never fails.
    let _ = write!(body, "<{operation}Response xmlns=\"{NAMESPACE}\">");
    body.push_str(&around(&format!("{operation}Result"), result));
    let request_id = around("ResponseMetadata", &element("RequestId", "0"));
    body + &request_id + &format!("</{operation}Response>")
}

async fn account_of(app: &App, headers: &HeaderMap) -> Result<AccountId, AwsError> {
    let scope = Scope::of(headers).ok_or_else(|| {
        let words = "Request is missing Authentication Token";
        AwsError::new("MissingAuthenticationToken", words)
    })?;
    app.upstream().account_of(&scope.access_key).await
}

fn partition_of(app: &App, account: AccountId) -> String {
    app.sandbox().with_world(|world| {
        let found = world.account(account);
        found.map_or_else(|| "aws".to_owned(), |found| found.partition.clone())
    })
}

async fn caller_identity(app: &App, headers: &HeaderMap) -> Result<String, AwsError> {
    let account = account_of(app, headers).await?;
    Ok(told_of(app, account))
}

fn told_of(app: &App, account: AccountId) -> String {
    let partition = partition_of(app, account);
    let result = element("Arn", &format!("arn:{partition}:iam::{account}:root"))
        + &element("UserId", account.as_str())
        + &element("Account", account.as_str());
    told("GetCallerIdentity", &result)
}

/// `AssumeRole`. Whether Copymend may assume a role of another account is judged by the world, if it
/// names Copymend's roles; without them Copymend is an administrator of every account in it.
async fn assume_role(
    app: &App,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<String, AwsError> {
    let caller = account_of(app, headers).await?;
    let text = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
    let (role, session) = (text("RoleArn"), text("RoleSessionName"));
    let denied = || {
        AwsError::denied(format!(
            "User: arn:aws:iam::{caller}:root is not authorized to perform: sts:AssumeRole on resource: {role}"
        ))
    };
    let parsed: RoleArn = role
        .parse()
        .map_err(|_| AwsError::new("ValidationError", format!("{role} is invalid")))?;
    let account = parsed.account_id().ok_or_else(denied)?;
    let sandbox = app.sandbox();
    if !sandbox.lets_in(account, parsed.name()) {
        return Err(denied());
    }
    let name = parsed.name();
    let until = sandbox
        .clock()
        .now()
        .saturating_add(LAST)
        .unwrap_or_else(|_| sandbox.clock().now());
    let credentials = element("AccessKeyId", account.as_str())
        + &element("SecretAccessKey", "sandbox")
        + &element("SessionToken", "sandbox")
        + &element("Expiration", &until.to_string());
    let partition = parsed.partition();
    let user = element(
        "Arn",
        &format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session}"),
    ) + &element("AssumedRoleId", &format!("AROAEXAMPLE:{session}"));
    let result = around("Credentials", &credentials) + &around("AssumedRoleUser", &user);
    Ok(told("AssumeRole", &result))
}
