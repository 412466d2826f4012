//! What the SAM CLI makes of an endpoint that isn't set.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use super::OWN;
use super::wire::{self, Wire};
use crate::endpoint::{ENDPOINT_URL, without_endpoint};

/// An environment in which the variable is there and empty.
#[derive(Debug)]
struct Empty;

impl LoadServiceConfig for Empty {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        (key.env() == ENDPOINT_URL).then(String::new)
    }
}

#[tokio::test]
async fn an_empty_endpoint_is_none() {
    let wire = Wire::default();
    wire.always("GetCallerIdentity", wire::identity(OWN));
    let credentials = Credentials::new("OWNKEY", "secret", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(wire.client())
        .service_config(Empty)
        .build();

    let client = aws_sdk_sts::Client::new(&without_endpoint(config));
    client.get_caller_identity().send().await.unwrap();

    let [sent] = &wire.sent("GetCallerIdentity")[..] else {
        panic!("one call is made");
    };
    assert!(sent.uri.starts_with("https://sts.eu-west-1.amazonaws.com/"));
}
