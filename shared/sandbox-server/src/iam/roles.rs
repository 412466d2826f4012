//! `GetRole` (documented: IAM API reference).

use axum::http::HeaderMap;
use copymend_remediation::ports::Identities as _;

use super::{NAMESPACE, REQUEST_ID};
use crate::caller::Caller;
use crate::error::AwsError;
use crate::parameters::Parameters;
use crate::server::App;
use crate::xml::{around, element};

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
        // IAM writes policies percent-encoded (documented: IAM API reference, `GetRole`).
        let encoded: String = form_urlencoded::byte_serialize(trust.as_bytes()).collect();
        told += &element("AssumeRolePolicyDocument", &encoded.replace('+', "%20"));
    }
    if let Some(boundary) = &role.permissions_boundary {
        let boundary = element("PermissionsBoundaryType", "Policy")
            + &element("PermissionsBoundaryArn", boundary);
        told += &around("PermissionsBoundary", &boundary);
    }
    let body = around("GetRoleResult", &around("Role", &told))
        + &around("ResponseMetadata", &element("RequestId", REQUEST_ID));
    Ok(format!(
        "<GetRoleResponse xmlns=\"{NAMESPACE}\">{body}</GetRoleResponse>"
    ))
}
