//! AWS KMS where no other endpoint is behind the sandbox: what is read of keys (documented: AWS KMS
//! API reference, the operation of each function's name).

use axum::Json;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use copymend_diagnosis::{KeyAliasArn, KeyArn, KeyManager};
use copymend_remediation::ports::Keys as _;
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::error::AwsError;
use crate::forward::{forward_read, read_body};
use crate::server::App;

const TARGET: &str = "TrentService.";

pub(crate) async fn answer(app: &App, request: Request) -> Response {
    let request = match read_body(request).await {
        Ok(request) => request,
        Err(error) => return error.into_response(),
    };
    let target = request.headers().get("x-amz-target");
    let operation = target
        .and_then(|target| target.to_str().ok()?.strip_prefix(TARGET))
        .unwrap_or_default()
        .to_owned();
    if app.upstream().endpoint().is_some() || !OPERATIONS.contains(&operation.as_str()) {
        return forward_read(app, request).await;
    }
    match read(app, request.headers(), &operation, request.body()).await {
        Ok(answer) => {
            ([(CONTENT_TYPE, "application/x-amz-json-1.1")], Json(answer)).into_response()
        }
        Err(error) => error.into_response(),
    }
}

const OPERATIONS: [&str; 5] = [
    "DescribeKey",
    "GetKeyPolicy",
    "ListKeyPolicies",
    "ListResourceTags",
    "ListAliases",
];

async fn read(
    app: &App,
    headers: &HeaderMap,
    operation: &str,
    body: &[u8],
) -> Result<Value, AwsError> {
    let caller = Caller::of(headers, app).await?;
    if operation == "ListAliases" {
        return aliases(app, &caller);
    }
    let input: Value = serde_json::from_slice(body).unwrap_or_default();
    let named = input.get("KeyId").and_then(Value::as_str).unwrap_or("");
    let key = key_of(app, &caller, named).await?;
    let sandbox = app.sandbox();
    let absent = || AwsError::new("NotFoundException", format!("Key '{key}' does not exist"));
    // Only reading what a key is goes across accounts (documented: the same pages, "Cross-account
    // use").
    if operation != "DescribeKey" && key.account_id() != Some(caller.account()) {
        return Err(absent());
    }
    match operation {
        "DescribeKey" => {
            let found = sandbox.describe_key(&key).await?.ok_or_else(absent)?;
            let manager = match found.manager {
                KeyManager::Aws => "AWS",
                KeyManager::Customer => "CUSTOMER",
            };
            let id = key.as_str().rsplit('/').next().unwrap_or_default();
            Ok(json!({"KeyMetadata": {
                "AWSAccountId": key.account_id(),
                "Arn": found.arn,
                "KeyId": id,
                "KeyManager": manager,
                "KeyState": found.state,
                "Enabled": found.state == "Enabled",
                "MultiRegion": id.starts_with("mrk-"),
            }}))
        }
        "GetKeyPolicy" => {
            let text = sandbox.get_key_policy(&key).await?.ok_or_else(absent)?;
            Ok(json!({"Policy": text, "PolicyName": "default"}))
        }
        "ListKeyPolicies" => {
            let found = sandbox.list_key_policies(&key).await?;
            Ok(json!({"PolicyNames": found, "Truncated": false}))
        }
        _ => {
            let tags = sandbox.list_key_tags(&key).await?;
            let tags: Vec<Value> = tags
                .iter()
                .map(|(key, value)| json!({"TagKey": key, "TagValue": value}))
                .collect();
            Ok(json!({"Tags": tags, "Truncated": false}))
        }
    }
}

/// The key that is named by its ARN, its id, or the ARN of an alias.
async fn key_of(app: &App, caller: &Caller, named: &str) -> Result<KeyArn, AwsError> {
    if let Ok(key) = named.parse() {
        return Ok(key);
    }
    let absent = || AwsError::new("NotFoundException", format!("Key '{named}' does not exist"));
    if let Ok(alias) = named.parse::<KeyAliasArn>() {
        let found = app.sandbox().key_of_alias(&alias).await?;
        return found.ok_or_else(absent);
    }
    let (account, region) = (caller.account(), caller.region());
    let partition = app.sandbox().with_world(|world| {
        let found = world.account(account);
        found.map_or_else(|| "aws".to_owned(), |found| found.partition.clone())
    });
    format!("arn:{partition}:kms:{region}:{account}:key/{named}")
        .parse()
        .map_err(|_| absent())
}

fn aliases(app: &App, caller: &Caller) -> Result<Value, AwsError> {
    if let Some(words) = app.sandbox().refusal_at("kms:ListAliases", &caller.0, None) {
        return Err(AwsError::of_words(&words));
    }
    let aliases: Vec<Value> = app.sandbox().with_world(|world| {
        let account = world.account(caller.account());
        let region = account.and_then(|account| account.regions.get(caller.region()));
        let keys = region.into_iter().flat_map(|region| &region.keys);
        keys.filter_map(|(id, key)| {
            let name = format!("alias/{}", key.alias.as_ref()?);
            Some(json!({"AliasName": name, "TargetKeyId": id}))
        })
        .collect()
    });
    Ok(json!({"Aliases": aliases, "Truncated": false}))
}
