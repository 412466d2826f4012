//! Who calls: the account and the Region, from the request's signature.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use copymend_policy::AccountId;
use copymend_remediation::ports::Location;

use crate::error::AwsError;
use crate::scope::Scope;
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

    /// The caller of a request. Its account must be in the world.
    pub(crate) async fn of(headers: &HeaderMap, app: &App) -> Result<Self, AwsError> {
        let scope = Scope::of(headers).ok_or_else(|| {
            AwsError::new(
                "MissingAuthenticationTokenException",
                "Missing Authentication Token",
            )
        })?;
        let account = app.upstream().account_of(&scope.access_key).await?;
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
            region: scope.region,
        }))
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = AwsError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AwsError> {
        Self::of(&parts.headers, app).await
    }
}
