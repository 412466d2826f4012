//! Roles and their policies, where no other endpoint is behind the sandbox (documented: IAM API
//! reference). Lists come whole: their pages hold a hundred, and no role has so many policies.

use axum::http::HeaderMap;
use copymend_remediation::ports::Identities as _;
use copymend_sandbox::RolePolicies;

use super::{NAMESPACE, REQUEST_ID};
use crate::caller::Caller;
use crate::error::AwsError;
use crate::parameters::Parameters;
use crate::server::App;
use crate::xml::{around, element, escaped, list};

/// When a role was made of which the world doesn't tell.
const MADE: &str = "2020-01-01T00:00:00Z";

pub(super) async fn get_role(
    app: &App,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<String, AwsError> {
    let caller = Caller::of(headers, app).await?;
    let name = parameters.get("RoleName").map(String::as_str);
    let name = name.unwrap_or_default();
    let sandbox = app.sandbox();
    let found = sandbox.get_role(caller.account(), "aws", name).await?;
    let role = found.ok_or_else(|| {
        let words = format!("The role with name {name} cannot be found.");
        AwsError::new("NoSuchEntity", words)
    })?;
    let arn = role.arn.as_str();
    let path = arn
        .split_once(":role")
        .and_then(|(_, path)| path.strip_suffix(name))
        .unwrap_or("/");
    let created = role
        .created
        .map_or_else(|| MADE.to_owned(), |at| at.to_string());
    let mut told = element("Path", path)
        + &element("RoleName", name)
        + &element("RoleId", "AROAEXAMPLE")
        + &element("Arn", arn)
        + &element("CreateDate", &created);
    if let Some(trust) = &role.trust_policy {
        told += &element("AssumeRolePolicyDocument", &encoded(trust));
    }
    if let Some(boundary) = &role.permissions_boundary {
        let boundary = element("PermissionsBoundaryType", "Policy")
            + &element("PermissionsBoundaryArn", boundary);
        told += &around("PermissionsBoundary", &boundary);
    }
    Ok(whole("GetRole", &around("Role", &told)))
}

/// `ListRolePolicies`, `GetRolePolicy`, `ListAttachedRolePolicies`, `GetPolicy` or
/// `GetPolicyVersion`; nothing for any other operation.
pub(super) async fn policies(
    app: &App,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Option<Result<String, AwsError>> {
    let action = parameters.get("Action").map(String::as_str)?;
    let answer = match action {
        "ListRolePolicies" => list_inline(app, headers, parameters).await,
        "GetRolePolicy" => get_inline(app, headers, parameters).await,
        "ListAttachedRolePolicies" => list_attached(app, headers, parameters).await,
        "GetPolicy" => get_policy(app, headers, parameters).await,
        "GetPolicyVersion" => get_policy_version(app, headers, parameters).await,
        _ => return None,
    };
    Some(answer.map(|told| whole(action, &told)))
}

fn whole(operation: &str, told: &str) -> String {
    let body = around(&format!("{operation}Result"), told)
        + &around("ResponseMetadata", &element("RequestId", REQUEST_ID));
    format!("<{operation}Response xmlns=\"{NAMESPACE}\">{body}</{operation}Response>")
}

fn text<'p>(parameters: &'p Parameters, name: &str) -> &'p str {
    parameters.get(name).map(String::as_str).unwrap_or_default()
}

async fn of_role(
    app: &App,
    headers: &HeaderMap,
    parameters: &Parameters,
    operation: &'static str,
) -> Result<RolePolicies, AwsError> {
    let caller = Caller::of(headers, app).await?;
    let name = text(parameters, "RoleName");
    let found = app
        .sandbox()
        .role_policies(operation, caller.account(), name)
        .await?;
    found.ok_or_else(|| {
        let words = format!("The role with name {name} cannot be found.");
        AwsError::new("NoSuchEntity", words)
    })
}

async fn list_inline(
    app: &App,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<String, AwsError> {
    let found = of_role(app, headers, parameters, "iam:ListRolePolicies").await?;
    let names = found.inline.iter().map(|(name, _)| escaped(name));
    Ok(list("PolicyNames", names) + &element("IsTruncated", "false"))
}

async fn get_inline(
    app: &App,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<String, AwsError> {
    let found = of_role(app, headers, parameters, "iam:GetRolePolicy").await?;
    let name = text(parameters, "PolicyName");
    let policy = found.inline.iter().find(|(inline, _)| inline == name);
    let (_, policy) = policy.ok_or_else(|| {
        let words = format!("The role policy with name {name} cannot be found.");
        AwsError::new("NoSuchEntity", words)
    })?;
    Ok(element("RoleName", text(parameters, "RoleName"))
        + &element("PolicyName", name)
        + &element("PolicyDocument", &encoded(policy)))
}

async fn list_attached(
    app: &App,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<String, AwsError> {
    let found = of_role(app, headers, parameters, "iam:ListAttachedRolePolicies").await?;
    let members = found
        .attached
        .iter()
        .map(|arn| element("PolicyName", name_of(arn)) + &element("PolicyArn", arn));
    Ok(list("AttachedPolicies", members) + &element("IsTruncated", "false"))
}

/// The only version of a managed policy here.
const VERSION: &str = "v1";

async fn policy_text(
    app: &App,
    headers: &HeaderMap,
    parameters: &Parameters,
    operation: &'static str,
) -> Result<String, AwsError> {
    let caller = Caller::of(headers, app).await?;
    let arn = text(parameters, "PolicyArn");
    let found = app
        .sandbox()
        .managed_policy(operation, caller.account(), arn)
        .await?;
    found.ok_or_else(|| {
        let words = format!("Policy {arn} does not exist or is not attachable.");
        AwsError::new("NoSuchEntity", words)
    })
}

async fn get_policy(
    app: &App,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<String, AwsError> {
    policy_text(app, headers, parameters, "iam:GetPolicy").await?;
    let arn = text(parameters, "PolicyArn");
    let told = element("PolicyName", name_of(arn))
        + &element("Arn", arn)
        + &element("DefaultVersionId", VERSION);
    Ok(around("Policy", &told))
}

async fn get_policy_version(
    app: &App,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<String, AwsError> {
    let policy = policy_text(app, headers, parameters, "iam:GetPolicyVersion").await?;
    let version = text(parameters, "VersionId");
    if version != VERSION {
        let words = format!("Policy version {version} does not exist.");
        return Err(AwsError::new("NoSuchEntity", words));
    }
    let told = element("Document", &encoded(&policy))
        + &element("VersionId", VERSION)
        + &element("IsDefaultVersion", "true");
    Ok(around("PolicyVersion", &told))
}

fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// A policy as IAM writes it: percent-encoded (documented: IAM API reference, `GetRole`).
fn encoded(policy: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(policy.as_bytes()).collect();
    encoded.replace('+', "%20")
}
