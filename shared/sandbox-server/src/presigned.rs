//! Requests that are signed in their query. AWS STS takes `GetCallerIdentity` so, and believes what is
//! signed alone (IAM user guide, "Create a signed AWS API request", documented).

use axum::extract::Request;
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::Response;
use copymend_sandbox::presigned;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::error::AwsError;
use crate::server::App;
use crate::sts;

/// So long AWS STS takes a signed request, whatever it says of its end (seen: aws-iam-authenticator).
const TAKEN_FOR: SignedDuration = SignedDuration::from_mins(15);

/// Whether a request is signed in its query.
pub(crate) fn is_presigned(request: &Request) -> bool {
    let query = request.uri().query().unwrap_or_default();
    !request.headers().contains_key("authorization") && query.contains("X-Amz-Signature=")
}

/// Answers it.
pub(crate) async fn answer(app: &App, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match signer(app, &parts) {
        Ok(access_key) => sts::identity_of(app, &access_key).await,
        Err(error) => sts::refusal(&error),
    }
}

/// The access key that signed a request of `sts:GetCallerIdentity`.
fn signer(app: &App, parts: &Parts) -> Result<String, AwsError> {
    let query = parts.uri.query().unwrap_or_default();
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let value = |name: &str| {
        let mut named = pairs.iter().filter(|(known, _)| known == name);
        match (named.next(), named.next()) {
            (Some((_, value)), None) => Ok(value.as_str()),
            _ => Err(AwsError::new(
                "IncompleteSignature",
                format!("The query has not one {name}"),
            )),
        }
    };
    let credential = value("X-Amz-Credential")?;
    let scope: Vec<&str> = credential.split('/').collect();
    let (&[access_key, _, _, "sts", "aws4_request"], &Method::GET, "GetCallerIdentity", "/") = (
        &scope[..],
        &parts.method,
        value("Action")?,
        parts.uri.path(),
    ) else {
        return Err(AwsError::new(
            "InvalidAction",
            "the sandbox takes GetCallerIdentity alone signed in its query",
        ));
    };
    let date = value("X-Amz-Date")?;
    let is_in_time =
        moment(date).is_some_and(|signed| app.now().duration_since(signed).abs() <= TAKEN_FOR);
    if !is_in_time {
        return Err(AwsError::new(
            "SignatureDoesNotMatch",
            format!("Signature expired: {date}"),
        ));
    }
    let unknown = || {
        AwsError::new(
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        )
    };
    let known = app.upstream().secret_of(access_key).ok_or_else(unknown)?;
    let token = pairs
        .iter()
        .find(|(name, _)| name == "X-Amz-Security-Token");
    if token.map(|(_, token)| token) != known.session_token.as_ref() {
        return Err(unknown());
    }
    let names = value("X-Amz-SignedHeaders")?;
    let mut headers = Vec::new();
    for name in names.split(';') {
        let found = parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok());
        headers.push((name, found.unwrap_or_default()));
    }
    let is_host_signed = headers.iter().any(|(name, _)| *name == "host");
    let expected = presigned(&known.secret_key, &pairs, &headers);
    if !is_host_signed || expected.as_deref() != Some(value("X-Amz-Signature")?) {
        return Err(AwsError::new(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
        ));
    }
    Ok(access_key.to_owned())
}

fn moment(date: &str) -> Option<Timestamp> {
    let civil = DateTime::strptime("%Y%m%dT%H%M%SZ", date).ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}
