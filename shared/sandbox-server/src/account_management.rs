//! AWS Account Management: whether an account has a Region. All else of it is passed on.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse as _, Response};
use copymend_policy::AccountId;
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::error::AwsError;
use crate::forward::{forward, read_body};
use crate::server::App;

/// The operation's path (documented: Account Management API reference, `GetRegionOptStatus`).
const PATH: &str = "/getRegionOptStatus";
/// The longest name of a Region (the same page).
const LONGEST_NAME: usize = 50;

pub(crate) async fn answer(app: &App, request: Request) -> Response {
    if request.method() != Method::POST || request.uri().path() != PATH {
        return forward(app, request).await;
    }
    let answer = match read_body(request).await {
        Ok(request) => region_opt_status(app, request.headers(), request.body()).await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => error.into_response(),
    }
}

/// `GetRegionOptStatus`. Another account than the caller's is told to the management account, which
/// may not name itself (documented: the same page; with which error it is refused is inferred). That
/// trusted access is on for the service is inferred.
async fn region_opt_status(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<Value, AwsError> {
    let caller = Caller::of(headers, app).await?;
    let input: Value = serde_json::from_slice(body).map_err(|error| invalid(error.to_string()))?;
    let region = input.get("RegionName").and_then(Value::as_str);
    let region = region
        .filter(|region| (1..=LONGEST_NAME).contains(&region.len()))
        .ok_or_else(|| invalid("`RegionName` must have 1 to 50 characters"))?;
    let account: AccountId = match input.get("AccountId").and_then(Value::as_str) {
        None => caller.account(),
        Some(text) => {
            let asked = text
                .parse()
                .map_err(|_| invalid("`AccountId` must be twelve digits"))?;
            let is_told = app.sandbox().with_world(|world| {
                let organization = world.organization_of(caller.account());
                organization.is_some_and(|organization| {
                    organization.management_account == caller.account()
                        && asked != caller.account()
                        && organization.has_member(asked)
                })
            });
            if !is_told {
                return Err(AwsError::denied(
                    "User is not authorized to access this resource",
                ));
            }
            asked
        }
    };
    let status = app.sandbox().region_opt_status(account, region).await?;
    Ok(json!({"RegionName": region, "RegionOptStatus": status.as_str()}))
}

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new("ValidationException", message)
}
