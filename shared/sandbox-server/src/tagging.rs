//! AWS Resource Groups Tagging API: the tags of recovery points and of
//! resources that are named. All else of it is passed on.

use axum::Json;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use copymend_policy::Arn;
use copymend_remediation::ports::ResourceTags as _;
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::error::AwsError;
use crate::forward::{forward, read_body};
use crate::server::App;

const TARGET: &str = "ResourceGroupsTaggingAPI_20170126.GetResources";
/// The most ARNs of one request (documented: API reference, `GetResources`).
const MOST_ARNS: usize = 100;

pub(crate) async fn answer(app: &App, request: Request) -> Response {
    let target = request.headers().get("x-amz-target");
    if target.is_none_or(|target| target != TARGET) {
        return forward(app, request).await;
    }
    let answer = match read_body(request).await {
        Ok(request) => resources(app, request.headers(), request.body()).await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(answer) => {
            ([(CONTENT_TYPE, "application/x-amz-json-1.1")], Json(answer)).into_response()
        }
        Err(error) => error.into_response(),
    }
}

/// `GetResources` of named resources (documented: API reference). A snapshot or image is told by the
/// ARN that holds its account, whichever of its two it was asked by (inferred). What has no tags
/// isn't told.
async fn resources(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<Value, AwsError> {
    let Caller(location) = Caller::of(headers, app).await?;
    let input: Value = serde_json::from_slice(body)
        .map_err(|error| AwsError::new("SerializationException", error.to_string()))?;
    let members = input.as_object().into_iter().flatten();
    let mut others = members.filter(|(name, _)| *name != "ResourceARNList");
    if let Some((name, _)) = others.next() {
        return Err(invalid(format!("the sandbox does not know `{name}`")));
    }
    let asked = input.get("ResourceARNList").and_then(Value::as_array);
    let asked = asked.ok_or_else(|| invalid("the sandbox tells only of a `ResourceARNList`"))?;
    if asked.is_empty() || asked.len() > MOST_ARNS {
        return Err(invalid(format!(
            "`ResourceARNList` holds {} ARNs, and takes 1 to {MOST_ARNS}",
            asked.len()
        )));
    }
    let mut mappings: Vec<Value> = Vec::new();
    for name in asked {
        let text = name.as_str().unwrap_or_default();
        let arn: Arn = text
            .parse()
            .map_err(|_| invalid(format!("`{text}` is not an ARN")))?;
        if ![location.region.as_str(), ""].contains(&arn.region())
            || ![location.account.as_str(), ""].contains(&arn.account())
        {
            continue;
        }
        // As AWS Backup names a recovery point, and as this API does. What belongs to no Region, such as
        // a bucket, is named without an account.
        let as_point = match arn.service() {
            "ec2" => with_account(&arn, "")?,
            _ => arn.clone(),
        };
        let told = match arn.region() {
            "" => arn.clone(),
            _ => with_account(&arn, location.account.as_str())?,
        };
        let tags = match app.sandbox().tags_of(&location, &told).await? {
            None if told != as_point => app.sandbox().tags_of(&location, &as_point).await?,
            found => found,
        };
        let is_told = |one: &Value| one.get("ResourceARN") == Some(&json!(told));
        let Some(tags) = tags.filter(|_| !mappings.iter().any(is_told)) else {
            continue;
        };
        let tags: Vec<Value> = tags
            .iter()
            .map(|(key, value)| json!({"Key": key, "Value": value}))
            .collect();
        mappings.push(json!({"ResourceARN": told, "Tags": tags}));
    }
    Ok(json!({"PaginationToken": "", "ResourceTagMappingList": mappings}))
}

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new("InvalidParameterException", message)
}

fn with_account(arn: &Arn, account: &str) -> Result<Arn, AwsError> {
    let named = format!(
        "arn:{}:{}:{}:{account}:{}",
        arn.partition(),
        arn.service(),
        arn.region(),
        arn.resource()
    );
    named
        .parse()
        .map_err(|_| invalid(format!("`{arn}` is not an ARN")))
}
