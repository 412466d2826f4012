//! Who calls: the account and the Region, from the request's signature.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use copymend_policy::AccountId;
use copymend_remediation::ports::Location;

use crate::error::AwsError;
use crate::server::App;

/// The caller's account and Region.
#[derive(Clone, Debug)]
pub(crate) struct Caller(pub(crate) Location);

impl Caller {
    pub(crate) const fn account(&self) -> AccountId {
        self.0.account
    }

    pub(crate) fn region(&self) -> &str {
        &self.0.region
    }
}

/// The access key and the Region of a credential scope: `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
fn scope(authorization: &str) -> Option<(&str, &str)> {
    let credential = authorization
        .split_once("Credential=")?
        .1
        .split([',', ' '])
        .next()?;
    let mut parts = credential.split('/');
    let (key, _date, region) = (parts.next()?, parts.next()?, parts.next()?);
    (!key.is_empty() && !region.is_empty()).then_some((key, region))
}

impl FromRequestParts<App> for Caller {
    type Rejection = AwsError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AwsError> {
        let authorization = parts
            .headers
            .get("authorization")
            .and_then(|value| value.to_str().ok());
        let (key, region) = authorization.and_then(scope).ok_or_else(|| {
            AwsError::new(
                "MissingAuthenticationTokenException",
                "Missing Authentication Token",
            )
        })?;
        let account = app.keys().account_of(key).await?;
        let known = app
            .sandbox()
            .with_world(|world| world.account(account).is_some());
        if !known {
            return Err(AwsError::denied(format!(
                "account {account} is not in the world"
            )));
        }
        Ok(Self(Location {
            account,
            region: region.to_owned(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::scope;

    #[test]
    fn the_scope_names_key_and_region() {
        let header = "AWS4-HMAC-SHA256 Credential=ASIA1/20261122/eu-west-1/backup/aws4_request, SignedHeaders=host, Signature=0";
        assert_eq!(scope(header), Some(("ASIA1", "eu-west-1")));
        assert_eq!(scope("Bearer x"), None);
    }
}
