//! Each adapter against answers as they come over the wire.

mod accounts;
mod advisor;
mod backup;
mod callers;
mod channels;
mod delayed_retries;
mod dynamo;
mod endpoint;
mod errors;
#[cfg(feature = "survey")]
mod guardrails;
mod iam;
mod images;
mod kms;
mod ledger_contract;
mod ledger_items;
mod ledger_table;
#[cfg(feature = "survey")]
mod lists;
mod local_runs;
mod notifier;
mod organizations;
mod policies;
#[cfg(feature = "doctor")]
mod policy_writer;
#[cfg(feature = "survey")]
mod reach;
mod real_table;
mod records;
mod service_jobs;
mod simulation;
#[cfg(feature = "doctor")]
mod stack;
mod tags;
mod told;
mod wire;

use aws_config::{Region, SdkConfig};
use copymend_policy::AccountId;
use copymend_remediation::ports::Location;
use copymend_remediation::settings::Deployment;

use crate::{AwsEnvironment, ReadOnly, ReadWrite, config};
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
async fn environment(wire: &Wire, deployment: &Deployment) -> AwsEnvironment<ReadWrite> {
    AwsEnvironment::new(config_on(wire).await, deployment)
}

/// As [`environment`], for the access advisor.
async fn advisor_environment(wire: &Wire, deployment: &Deployment) -> AwsEnvironment<ReadOnly> {
    AwsEnvironment::new(config_on(wire).await, deployment)
}

async fn config_on(wire: &Wire) -> SdkConfig {
    wire.always("GetCallerIdentity", wire::identity(OWN));
    config::loader(wire.client())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(aws_credential_types::Credentials::new(
            "OWNKEY", "secret", None, None, "test",
        ))
        .load()
        .await
}
