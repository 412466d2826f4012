//! The other endpoint, which has the rest of AWS: whom an access key belongs to there, and calls of
//! our own to it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;
use copymend_policy::AccountId;

use crate::endpoint::{AwsCall, Endpoint};
use crate::error::AwsError;
use crate::xml;

/// Whose call an access key without any record is.
const UNKNOWN_ACCOUNT: &str = "123456789012";

/// The role that the sandbox itself acts as. The other endpoint lets it be assumed in every
/// account.
const OWN_ROLE: &str = "sandbox-server";

/// Credentials that act in one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) session_token: String,
}

/// The other endpoint, if there is one, and what was learned from it.
#[derive(Debug)]
pub(crate) struct Upstream {
    endpoint: Option<Endpoint>,
    accounts: Mutex<BTreeMap<String, AccountId>>,
    assumed: Mutex<BTreeMap<AccountId, Credentials>>,
    secrets: Mutex<BTreeMap<String, Secret>>,
}

/// What belongs to an access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Secret {
    pub(crate) secret_key: String,
    pub(crate) session_token: Option<String>,
}

/// That the other endpoint didn't do what the sandbox needs of it.
pub(crate) fn unavailable(error: impl Into<Box<dyn std::error::Error>>) -> AwsError {
    AwsError::new("ServiceUnavailableException", error.into().to_string())
}

impl Upstream {
    pub(crate) const fn new(endpoint: Option<Endpoint>) -> Self {
        Self {
            endpoint,
            accounts: Mutex::new(BTreeMap::new()),
            assumed: Mutex::new(BTreeMap::new()),
            secrets: Mutex::new(BTreeMap::new()),
        }
    }

    pub(crate) const fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref()
    }

    /// The account that an access key acts in. Without another endpoint the key is the account's id
    /// itself.
    pub(crate) async fn account_of(&self, access_key: &str) -> Result<AccountId, AwsError> {
        let known = self
            .accounts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(access_key)
            .copied();
        if let Some(account) = known {
            return Ok(account);
        }
        let text = match &self.endpoint {
            None => access_key.to_owned(),
            Some(endpoint) => {
                let body = "Action=GetCallerIdentity&Version=2011-06-15";
                let (_, answer) = endpoint
                    .send(sts(access_key, body.to_owned()))
                    .await
                    .map_err(unavailable)?;
                xml::text(&answer, "Account").unwrap_or_else(|| UNKNOWN_ACCOUNT.to_owned())
            }
        };
        let account = text
            .parse()
            .or_else(|_| UNKNOWN_ACCOUNT.parse())
            .map_err(unavailable)?;
        self.accounts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(access_key.to_owned(), account);
        Ok(account)
    }

    /// What belongs to an access key, if it was given here. Without another endpoint that is the same for
    /// all.
    pub(crate) fn secret_of(&self, access_key: &str) -> Option<Secret> {
        if self.endpoint.is_none() {
            return Some(Secret {
                secret_key: "sandbox".to_owned(),
                session_token: Some("sandbox".to_owned()),
            });
        }
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.get(access_key).cloned()
    }

    pub(crate) fn remember(&self, access_key: String, secret: Secret) {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.insert(access_key, secret);
    }

    /// What the other endpoint says who has an access key; `None` without one.
    pub(crate) async fn identity_of(
        &self,
        access_key: &str,
    ) -> Option<Result<(StatusCode, String), AwsError>> {
        let endpoint = self.endpoint.as_ref()?;
        let body = "Action=GetCallerIdentity&Version=2011-06-15".to_owned();
        Some(
            endpoint
                .send(sts(access_key, body))
                .await
                .map_err(unavailable),
        )
    }

    /// Credentials that act in an account. Without another endpoint the account's id is the key.
    pub(crate) async fn credentials(&self, account: AccountId) -> Result<Credentials, AwsError> {
        let known = self
            .assumed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&account)
            .cloned();
        if let Some(credentials) = known {
            return Ok(credentials);
        }
        let Some(endpoint) = &self.endpoint else {
            return Ok(Credentials {
                access_key: account.to_string(),
                secret_key: "sandbox".to_owned(),
                session_token: "sandbox".to_owned(),
            });
        };
        let body = format!(
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::{account}:role/{OWN_ROLE}&RoleSessionName=sandbox"
        );
        let (_, answer) = endpoint
            .send(sts("AKIASANDBOX", body))
            .await
            .map_err(unavailable)?;
        let read = |name: &str| {
            xml::text(&answer, name)
                .ok_or_else(|| unavailable(format!("AssumeRole in {account} answers {answer}")))
        };
        let credentials = Credentials {
            access_key: read("AccessKeyId")?,
            secret_key: read("SecretAccessKey")?,
            session_token: read("SessionToken")?,
        };
        self.remember(
            credentials.access_key.clone(),
            Secret {
                secret_key: credentials.secret_key.clone(),
                session_token: Some(credentials.session_token.clone()),
            },
        );
        self.assumed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(account, credentials.clone());
        Ok(credentials)
    }

    /// A call in an account; `None` without another endpoint.
    ///
    /// `target` is the operation for services with JSON bodies; query services have it in the body.
    pub(crate) async fn call(
        &self,
        account: AccountId,
        service: &str,
        region: &str,
        target: Option<&str>,
        body: String,
    ) -> Result<Option<(StatusCode, String)>, AwsError> {
        let Some(endpoint) = &self.endpoint else {
            return Ok(None);
        };
        let credentials = self.credentials(account).await?;
        let call = AwsCall {
            service,
            region,
            access_key: &credentials.access_key,
            target,
            body,
        };
        endpoint.send(call).await.map(Some).map_err(unavailable)
    }
}

const fn sts(access_key: &str, body: String) -> AwsCall<'_> {
    AwsCall {
        service: "sts",
        region: "us-east-1",
        access_key,
        target: None,
        body,
    }
}

/// The body of a call of a query service.
pub(crate) fn query(action: &str, version: &str, parameters: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("Action", action)
        .append_pair("Version", version)
        .extend_pairs(parameters)
        .finish()
}
