//! The SDK configuration that every client shares.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, ConfigLoader, SdkConfig};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, ConnectorBuilder};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use crate::function::{self, Variables};
use crate::trust::Trust;

/// The name that AWS sees: in the user agent and as the session name of assumed roles.
pub(crate) const NAME: &str = "copymend";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(15);
/// For the first call of a run by hand.
const BRIEF_TIMEOUT: Duration = Duration::from_secs(2);
const ATTEMPTS: u32 = 3;

/// IAM is one service for all Regions, with slow answers and low limits that the whole account
/// shares: a simulation takes seconds, and a busy account is throttled (seen). Both are given time.
const IAM_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
const IAM_OPERATION_TIMEOUT: Duration = Duration::from_secs(30);
const IAM_ATTEMPTS: u32 = 6;

/// The configuration for calls of IAM, with the time that they need.
pub(crate) fn iam(config: &SdkConfig) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(IAM_ATTEMPT_TIMEOUT)
        .operation_timeout(IAM_OPERATION_TIMEOUT)
        .build();
    config
        .to_builder()
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(IAM_ATTEMPTS))
        .build()
}

/// For what must not be sent twice. A repeated put of a policy could overwrite what somebody else
/// wrote since: whoever puts reads again first. A repeated count would count twice.
pub(crate) fn once() -> RetryConfig {
    RetryConfig::disabled()
}

/// The configuration for what must not be sent twice.
pub(crate) fn sent_once(config: &SdkConfig) -> SdkConfig {
    config.to_builder().retry_config(once()).build()
}

/// The configuration of a function, with an HTTP client of its own. A run by hand with the SAM CLI is
/// configured by variables alone, too.
pub(crate) fn of_function() -> SdkConfig {
    let variables = Variables::of_process();
    let client = http_client_that_trusts(Trust::of_function(&variables));
    function::config(&variables, client)
}

/// The configuration of the first call of a run by hand: a person waits, so one short attempt tells
/// whether AWS can be reached.
pub(crate) fn briefly(config: &SdkConfig) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(BRIEF_TIMEOUT)
        .operation_timeout(BRIEF_TIMEOUT)
        .build();
    config
        .to_builder()
        .timeout_config(timeouts)
        .retry_config(RetryConfig::disabled())
        .build()
}

pub(crate) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build()
}

pub(crate) fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS)
}

/// The name in the user agent.
pub(crate) fn app_name() -> Option<AppName> {
    AppName::new(NAME).ok()
}

/// Everything that isn't set here comes from the environment and the profile.
pub(crate) fn loader(http_client: SharedHttpClient) -> ConfigLoader {
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client)
        .timeout_config(timeouts())
        .retry_config(retries());
    match app_name() {
        Some(name) => loader.app_name(name),
        None => loader,
    }
}

/// The SDK's default HTTPS client, made once. Without it every service's client would make its own,
/// with its own trust store and connections.
///
/// It is put together as the SDK does it. The shorter `build_https` would ignore `HTTPS_PROXY`.
///
/// It is that of people's machines, and trusts what the machine does.
pub(crate) fn http_client() -> SharedHttpClient {
    http_client_that_trusts(Trust::Machine)
}

fn http_client_that_trusts(trust: Trust) -> SharedHttpClient {
    let client = Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = ConnectorBuilder::default()
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(trust.context());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        connector.build()
    });
    SharedHttpClient::new(WhenNeeded(client))
}

/// A client that makes its connector, with TLS and the store of certificates, when the first request goes
/// out. The SDK's own makes one already when a client of a service is made.
#[derive(Debug)]
struct WhenNeeded(SharedHttpClient);

impl HttpClient for WhenNeeded {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn iam_is_given_more_time_and_more_attempts_than_other_services() {
        let shared = loader(http_client())
            .region("eu-west-1")
            .no_credentials()
            .load()
            .await;
        let of_iam = iam(&shared);
        let (iam, others) = (
            of_iam.timeout_config().unwrap(),
            shared.timeout_config().unwrap(),
        );
        assert!(iam.operation_attempt_timeout() > others.operation_attempt_timeout());
        assert!(iam.operation_timeout() > others.operation_timeout());
        assert_eq!(iam.connect_timeout(), others.connect_timeout());
        let attempts = of_iam.retry_config().unwrap().max_attempts();
        assert!(attempts > shared.retry_config().unwrap().max_attempts());
    }
}
