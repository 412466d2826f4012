//! AWS Organizations: effective policies, which moto lacks; the parents of accounts and units, and the
//! control policies that are attached to them, whose ids moto would choose itself; the organization
//! too, where no other endpoint is behind the sandbox. All else of Organizations is passed on.

use axum::Json;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use copymend_policy::AccountId;
use copymend_remediation::ports::{Clock as _, Organizations as _, Reads as _};
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::control_policies;
use crate::error::AwsError;
use crate::forward::{forward, read_body};
use crate::server::App;

const TARGET: &str = "AWSOrganizationsV20161128.";
const NO_PERMISSION: &str = "You don't have permissions to access this resource.";
/// The only type that a world has.
const TAG_POLICY: &str = "TAG_POLICY";

/// What is answered here.
enum Operation {
    DescribeEffectivePolicy,
    ListParents,
    ListPoliciesForTarget,
    DescribePolicy,
    DescribeOrganization,
}

impl Operation {
    fn of(app: &App, headers: &HeaderMap) -> Option<Self> {
        let target = headers.get("x-amz-target")?.to_str().ok()?;
        let is_alone = app.upstream().endpoint().is_none();
        match target.strip_prefix(TARGET)? {
            "DescribeEffectivePolicy" => Some(Self::DescribeEffectivePolicy),
            "ListParents" => Some(Self::ListParents),
            "ListPoliciesForTarget" => Some(Self::ListPoliciesForTarget),
            "DescribePolicy" => Some(Self::DescribePolicy),
            "DescribeOrganization" if is_alone => Some(Self::DescribeOrganization),
            _ => None,
        }
    }

    async fn run(self, app: &App, headers: &HeaderMap, body: &[u8]) -> Result<Value, AwsError> {
        match self {
            Self::DescribeEffectivePolicy => effective_policy(app, headers, body).await,
            Self::ListParents => parents(app, headers, body).await,
            Self::ListPoliciesForTarget => control_policies::list(app, headers, body).await,
            Self::DescribePolicy => control_policies::describe(app, headers, body).await,
            Self::DescribeOrganization => describe(app, headers).await,
        }
    }
}

pub(crate) async fn answer(app: &App, request: Request) -> Response {
    let Some(operation) = Operation::of(app, request.headers()) else {
        return forward(app, request).await;
    };
    let answer = match read_body(request).await {
        Ok(request) => operation.run(app, request.headers(), request.body()).await,
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
    let input = read_input(body)?;
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
        let organization = world
            .organization_of(caller.account())
            .ok_or_else(not_in_use)?;
        let manages =
            organization.management_account == caller.account() && organization.has_member(target);
        let partition = world
            .account(caller.account())
            .map_or("aws", |account| account.partition.as_str());
        Ok::<_, AwsError>((target == caller.account() || manages, partition.to_owned()))
    })?;
    if !may_read {
        return Err(AwsError::denied(NO_PERMISSION));
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

/// `DescribeOrganization` (documented: Organizations API reference), where no other endpoint is
/// behind the sandbox.
async fn describe(app: &App, headers: &HeaderMap) -> Result<Value, AwsError> {
    let caller = Caller::of(headers, app).await?;
    let sandbox = app.sandbox();
    let found = sandbox.describe_organization(caller.account(), "").await?;
    let found = found.ok_or_else(not_in_use)?;
    let arn = found.management_account.map(|account| {
        let id = &found.id;
        format!("arn:aws:organizations::{account}:organization/{id}")
    });
    Ok(json!({"Organization": {
        "Id": found.id,
        "Arn": arn,
        "FeatureSet": "ALL",
        "MasterAccountId": found.management_account,
    }}))
}

/// `ListParents` (documented: Organizations API reference). Only the management account is told, as
/// a world knows no delegated administrators. A child has one parent.
async fn parents(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<Value, AwsError> {
    let caller = Caller::of(headers, app).await?;
    let input = read_input(body)?;
    let child = input.get("ChildId").and_then(Value::as_str);
    let child =
        child.ok_or_else(|| invalid("You specified a request that is missing `ChildId`."))?;
    let sandbox = app.sandbox();
    let below = sandbox.with_world(|world| {
        let organization = world
            .organization_of(caller.account())
            .ok_or_else(not_in_use)?;
        if organization.management_account != caller.account() {
            return Err(AwsError::denied(NO_PERMISSION));
        }
        let members = organization.member_accounts.keys().copied();
        let mut accounts = members.chain([organization.management_account]);
        let is_child = |account: &AccountId| {
            let path = organization.path_of(*account).unwrap_or_default();
            account.as_str() == child
                // The first two parts are the organization and its root.
                || path.split('/').skip(2).any(|unit| unit == child)
        };
        accounts.find(is_child).ok_or_else(|| {
            let message = "You specified an account or an organizational unit that doesn't exist.";
            AwsError::new("ChildNotFoundException", message)
        })
    })?;
    // The port tells all parents of the account, from the root down.
    let places = sandbox.list_parents(caller.account(), below, "").await?;
    let found = places.iter().position(|place| place == child);
    let at = found.unwrap_or(places.len()).saturating_sub(1);
    let Some(parent) = places.get(at) else {
        return Err(AwsError::new(
            "ServiceException",
            "the account has no place",
        ));
    };
    let kind = if at == 0 {
        "ROOT"
    } else {
        "ORGANIZATIONAL_UNIT"
    };
    Ok(json!({"Parents": [{"Id": parent, "Type": kind}]}))
}

pub(crate) fn read_input(body: &[u8]) -> Result<Value, AwsError> {
    serde_json::from_slice(body)
        .map_err(|error| AwsError::new("SerializationException", error.to_string()))
}

pub(crate) fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new("InvalidInputException", message)
}

pub(crate) fn not_in_use() -> AwsError {
    let message = "Your account is not a member of an organization.";
    AwsError::new("AWSOrganizationsNotInUseException", message)
}
