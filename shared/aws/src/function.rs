//! The configuration of a function, from its environment variables alone.
//!
//! Lambda hands a function its credentials and its Region as variables, and so does the SAM CLI. The chain in
//! which a person's credentials are searched for would read files that aren't there, and would be a part of
//! the program that is never used.

use std::collections::HashMap;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::origin::Origin;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::config::{app_name, retries, timeouts};
use crate::endpoint::ENDPOINT_URL;

/// A function's environment variables. One that is empty counts as not set: the template declares each, and
/// the SAM CLI leaves none out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables(HashMap<String, String>);

impl Variables {
    /// Those of the process.
    pub(crate) fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether one has a name that begins so.
    pub(crate) fn has_any(&self, beginning: &str) -> bool {
        self.0.keys().any(|name| name.starts_with(beginning))
    }

    fn is_true(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }
}

impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        let set = variables.into_iter().filter(|(_, value)| !value.is_empty());
        Self(set.collect())
    }
}

/// `AWS_ENDPOINT_URL_<SERVICE>` and its like: what clients ask for when they are made.
#[derive(Debug)]
struct OfServices(Variables);

impl LoadServiceConfig for OfServices {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace(' ', "_");
        let of_service = self.0.get(&format!("{}_{service}", key.env()));
        let value = of_service.or_else(|| self.0.get(key.env()));
        value.map(ToOwned::to_owned)
    }
}

/// What the AWS SDKs take from these variables (AWS SDKs and Tools reference guide, "Environment variables",
/// documented).
pub(crate) fn config(variables: &Variables, http_client: SharedHttpClient) -> SdkConfig {
    let region = variables
        .get("AWS_REGION")
        .or_else(|| variables.get("AWS_DEFAULT_REGION"));
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http_client)
        .credentials_provider(SharedCredentialsProvider::new(
            EnvironmentVariableCredentialsProvider::new(),
        ))
        .identity_cache(IdentityCache::lazy().build())
        .timeout_config(timeouts())
        .retry_config(retries());
    config.set_region(region.map(|region| Region::new(region.to_owned())));
    config.set_app_name(app_name());
    config.set_use_fips(flag(variables, "AWS_USE_FIPS_ENDPOINT"));
    config.set_use_dual_stack(flag(variables, "AWS_USE_DUALSTACK_ENDPOINT"));
    config.insert_origin("retry_config", Origin::shared_config());
    if !variables.is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
        let url = variables.get(ENDPOINT_URL).map(ToOwned::to_owned);
        config.set_endpoint_url(url);
        config.insert_origin("endpoint_url", Origin::shared_environment_variable());
        config = config.service_config(OfServices(variables.clone()));
    }
    config.build()
}

fn flag(variables: &Variables, name: &str) -> Option<bool> {
    variables.get(name).map(|_| variables.is_true(name))
}

#[cfg(test)]
mod tests {
    use aws_config::retry::RetryConfig;

    use super::*;
    use crate::config::http_client;
    use crate::signed::{self, Service};

    const KMS: Service = Service {
        prefix: "kms",
        id: "KMS",
        name: "AWS KMS",
    };

    fn of(variables: &[(&str, &str)]) -> SdkConfig {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        config(&variables.collect(), http_client())
    }

    /// As the SDK's own loader reads them: the service's own endpoint goes before that of all, and an
    /// empty one is none.
    #[test]
    fn a_function_is_configured_by_its_variables() {
        const OWN: &str = "https://kms.eu-west-1.amazonaws.com";
        const ALL: (&str, &str) = ("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
        const SERVICE: (&str, &str) = ("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:2");
        for (variables, url) in [
            (vec![], OWN),
            (vec![("AWS_ENDPOINT_URL", "")], OWN),
            (vec![ALL], ALL.1),
            (vec![ALL, SERVICE], SERVICE.1),
            (vec![ALL, ("AWS_ENDPOINT_URL_KMS", "")], ALL.1),
            (
                vec![ALL, ("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:3")],
                ALL.1,
            ),
            (
                vec![
                    ALL,
                    SERVICE,
                    ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
                ],
                OWN,
            ),
            (
                vec![("AWS_USE_FIPS_ENDPOINT", "true")],
                "https://kms-fips.eu-west-1.amazonaws.com",
            ),
            (
                vec![("AWS_USE_DUALSTACK_ENDPOINT", "true")],
                "https://kms.eu-west-1.api.aws",
            ),
        ] {
            let region = [
                ("AWS_REGION", "eu-west-1"),
                ("AWS_DEFAULT_REGION", "us-east-1"),
            ];
            let config = of(&[variables.clone(), region.to_vec()].concat());
            assert_eq!(config.region().unwrap().as_ref(), "eu-west-1");
            let found = signed::url_of(&config, KMS, "eu-west-1");
            assert_eq!(found.as_deref(), Ok(url), "{variables:?}");
        }
        let config = of(&[("AWS_DEFAULT_REGION", "us-east-1")]);
        assert_eq!(config.region().unwrap().as_ref(), "us-east-1");
        assert_eq!(of(&[]).region(), None);
    }

    /// Everything but where the values come from is as people's machines have it.
    #[tokio::test]
    async fn a_function_waits_and_tries_again_as_the_commands_do() {
        let of_commands = crate::config::loader(http_client()).no_credentials();
        let of_commands = of_commands.region("eu-west-1").load().await;
        let of_function = of(&[("AWS_REGION", "eu-west-1")]);
        let timeouts = |config: &SdkConfig| config.timeout_config().cloned();
        assert_eq!(timeouts(&of_function), timeouts(&of_commands));
        let attempts = |config: &SdkConfig| config.retry_config().map(RetryConfig::max_attempts);
        assert_eq!(attempts(&of_function), attempts(&of_commands));
        assert_eq!(of_function.app_name(), of_commands.app_name());
        assert!(of_function.identity_cache().is_some());
    }
}
