//! AWS STS: who we are, and sessions of other roles.

use std::sync::Arc;
use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::ErrorMetadata;
use copymend_policy::Arn;
use copymend_remediation::ports::CallResult;
use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::accounts::Identity;
use crate::config::NAME;
use crate::error::Call;
use crate::member::required;
use crate::signed::query::{self, Form};
use crate::signed::xml::Element;
use crate::signed::{Service, send};

pub(crate) const SERVICE: Service = Service {
    prefix: "sts",
    id: "STS",
    name: "AWS STS",
};
pub(crate) const IDENTITY: &str = "sts:GetCallerIdentity";
/// The version of the API (AWS STS API reference, "Common parameters", documented).
const VERSION: &str = "2011-06-15";

/// Whose credentials these are, which needs no permission.
pub(crate) async fn caller_identity(config: &SdkConfig) -> CallResult<Identity> {
    let call = Call::new(IDENTITY, "*");
    let answer = answered(config, &call).await?;
    let read = || {
        let arn: Arn = required("Arn", answer.text("Arn"))?;
        Ok(Identity {
            account: required("Account", answer.text("Account"))?,
            partition: arn.partition().to_owned(),
        })
    };
    read().map_err(|detail: String| call.unreadable(detail))
}

/// The ARN of whom the credentials belong to.
pub(crate) async fn caller(config: &SdkConfig) -> CallResult<Option<String>> {
    let answer = answered(config, &Call::new(IDENTITY, "*")).await?;
    Ok(answer.text("Arn").map(ToOwned::to_owned))
}

async fn answered(config: &SdkConfig, call: &Call) -> CallResult<Element> {
    const ACTION: &str = "GetCallerIdentity";
    let body = Form::new(ACTION, VERSION).into_body();
    let request = send(config, SERVICE, query::PROTOCOL, ACTION, body);
    let answer = call.send(request).await?;
    query::result(&answer, ACTION).map_err(|detail| call.unreadable(detail))
}

/// Why a role could not be assumed. Its own type, by which it is found among the causes of an error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAssumed {
    /// AWS STS refused, or didn't answer.
    #[error("the role could not be assumed")]
    Failed(#[source] Box<SdkError<ErrorMetadata, HttpResponse>>),
    /// The answer can't be understood.
    #[error("the credentials of the role can't be read: {0}")]
    Unreadable(String),
}

/// A role that is assumed each time its credentials are asked for: whoever asks keeps them until they expire.
#[derive(Debug)]
pub(crate) struct AssumedRole {
    pub(crate) config: SdkConfig,
    pub(crate) role: String,
    pub(crate) external_id: Option<String>,
}

impl AssumedRole {
    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        const ACTION: &str = "AssumeRole";
        let mut form = Form::new(ACTION, VERSION);
        form.set("RoleArn", &self.role)
            .set("RoleSessionName", NAME)
            .set_if("ExternalId", self.external_id.as_deref());
        let body = form.into_body();
        let answer = send(&self.config, SERVICE, query::PROTOCOL, ACTION, body).await;
        let answer = answer.map_err(|error| NotAssumed::Failed(Box::new(error)));
        let answer = answer.map_err(CredentialsError::provider_error)?;
        query::result(&answer, ACTION)
            .and_then(|answer| read(&answer))
            .map_err(|why| CredentialsError::provider_error(NotAssumed::Unreadable(why)))
    }
}

fn read(answer: &Element) -> Result<Credentials, String> {
    let credentials = answer
        .child("Credentials")
        .ok_or_else(|| "`Credentials` is missing".to_owned())?;
    let text = |name| required::<String>(name, credentials.text(name));
    let expires: Timestamp = required("Expiration", credentials.text("Expiration"))?;
    Ok(Credentials::new(
        text("AccessKeyId")?,
        text("SecretAccessKey")?,
        Some(text("SessionToken")?),
        Some(SystemTime::from(expires)),
        "AssumeRole",
    ))
}

/// The session of a role. Clones share it. One that was begun ahead is handed to whoever asks first.
#[derive(Clone, Debug)]
pub(crate) struct Session(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    role: AssumedRole,
    ahead: Mutex<Option<Credentials>>,
}

impl Session {
    pub(crate) fn of(role: AssumedRole) -> Self {
        let ahead = Mutex::default();
        Self(Arc::new(Shared { role, ahead }))
    }

    /// Assumes the role ahead of the first call. Whoever asks meanwhile waits for that.
    pub(crate) async fn begin(&self) {
        let mut ahead = self.0.ahead.lock().await;
        *ahead = self.0.role.credentials().await.ok();
    }

    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let ahead = self.0.ahead.lock().await.take();
        let now = SystemTime::now();
        match ahead.filter(|ahead| ahead.expiry().is_some_and(|expiry| expiry > now)) {
            Some(ahead) => Ok(ahead),
            None => self.0.role.credentials().await,
        }
    }
}

impl ProvideCredentials for Session {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}
