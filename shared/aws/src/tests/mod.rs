//! Each adapter against answers as they come over the wire.

mod accounts;
mod backup;
mod dynamo;
mod errors;
mod iam;
mod kms;
mod ledger_contract;
mod organizations;
mod sns;
mod wire;

use copymend_policy::AccountId;
use copymend_remediation::ports::Location;
use copymend_remediation::settings::Settings;

use crate::{AwsEnvironment, config};
use wire::Wire;

const OWN: &str = "111122223333";
const OTHER: &str = "444455556666";

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn own() -> AccountId {
    parsed(OWN)
}

fn source() -> Location {
    Location {
        account: own(),
        region: "eu-west-1".to_owned(),
    }
}

/// The function runs in account 111122223333 and Region eu-west-1.
async fn environment(wire: &Wire, settings: &Settings) -> AwsEnvironment {
    wire.always("GetCallerIdentity", wire::identity(OWN));
    let config = config::loader(wire.client())
        .region(aws_config::Region::from_static("eu-west-1"))
        .credentials_provider(aws_credential_types::Credentials::new(
            "OWNKEY", "secret", None, None, "test",
        ))
        .load()
        .await;
    AwsEnvironment::new(config, settings)
}
