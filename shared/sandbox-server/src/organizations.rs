//! AWS Organizations: effective policies, which moto lacks. All else of Organizations is passed on.

use axum::Json;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use copymend_policy::AccountId;
use copymend_remediation::ports::{Clock as _, Organizations as _, Reads as _};
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::error::AwsError;
use crate::forward::{forward, read_body};
use crate::server::App;

const TARGET: &str = "AWSOrganizationsV20161128.DescribeEffectivePolicy";
/// The only type that a world has.
const TAG_POLICY: &str = "TAG_POLICY";

pub(crate) async fn answer(app: &App, request: Request) -> Response {
    if request
        .headers()
        .get("x-amz-target")
        .is_none_or(|target| target != TARGET)
    {
        return forward(app, request).await;
    }
    let answer = match read_body(request).await {
        Ok(request) => effective_policy(app, request.headers(), request.body()).await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(answer) => {
            ([(CONTENT_TYPE, "application/x-amz-json-1.1")], Json(answer)).into_response()
        }
        Err(error) => error.into_response(),
    }
}

/// `DescribeEffectivePolicy` (documented: Organizations API reference). An account is told its own;
/// another one's is told to the management account.
async fn effective_policy(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<Value, AwsError> {
    let caller = Caller::of(headers, app).await?;
    let input: Value = serde_json::from_slice(body)
        .map_err(|error| AwsError::new("SerializationException", error.to_string()))?;
    let input = |name: &str| input.get(name).and_then(Value::as_str);
    let kind = input("PolicyType").unwrap_or_default();
    let target: AccountId = match input("TargetId") {
        None => caller.account(),
        Some(text) => text.parse().map_err(|_| {
            AwsError::new(
                "TargetNotFoundException",
                format!("there is no account `{text}`"),
            )
        })?,
    };
    let sandbox = app.sandbox();
    let (may_read, partition) = sandbox.with_world(|world| {
        let organization = world.organization_of(caller.account()).ok_or_else(|| {
            let message = "Your account is not a member of an organization.";
            AwsError::new("AWSOrganizationsNotInUseException", message)
        })?;
        let manages =
            organization.management_account == caller.account() && organization.has_member(target);
        let partition = world
            .account(caller.account())
            .map_or("aws", |account| account.partition.as_str());
        Ok::<_, AwsError>((target == caller.account() || manages, partition.to_owned()))
    })?;
    if !may_read {
        return Err(AwsError::denied(
            "You don't have permissions to access this resource.",
        ));
    }
    let policy = if kind == TAG_POLICY {
        sandbox.effective_tag_policy(target, &partition).await?
    } else {
        None
    };
    let policy = policy.ok_or_else(|| {
        let message = "The effective policy doesn't exist for this account.";
        AwsError::new("EffectivePolicyNotFoundException", message)
    })?;
    Ok(json!({"EffectivePolicy": {
        "PolicyContent": policy,
        "PolicyType": kind,
        "TargetId": target,
        "LastUpdatedTimestamp": sandbox.clock().now().as_second(),
    }}))
}
