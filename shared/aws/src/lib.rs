//! The ports of `copymend-remediation` on the AWS SDK for Rust.
//!
//! [`AwsEnvironment`] is what the copy remediator works with and, [`ReadOnly`], the access advisor.
//! Each reads regions, credentials and endpoints from the process's environment as every AWS SDK
//! does. It calls nothing at the start; each client is made when it is first needed, on one shared
//! HTTP client.
//!
//! ```no_run
//! use copymend_aws::{AwsEnvironment, ReadWrite};
//! use copymend_remediation::settings::Settings;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings::read(|name| std::env::var(name).ok())?;
//! let environment = AwsEnvironment::<ReadWrite>::load(&settings.deployment).await;
//! # Ok(())
//! # }
//! ```

mod access;
mod accounts;
mod backup;
mod callers;
mod clock;
mod config;
mod copy_job;
mod dead_letter_queue;
mod delayed_retries;
mod dynamo;
mod ec2;
mod endpoint;
mod environment;
mod error;
mod iam;
mod item;
mod kms;
mod member;
mod notifier;
mod organizations;
#[cfg(feature = "survey")]
mod pace;
mod pages;
mod percent;
#[cfg(feature = "doctor")]
mod policy_writer;
#[cfg(feature = "proving")]
pub mod proving;
#[cfg(feature = "proving")]
mod recording;
mod says;
mod service_job;
mod signed;
#[cfg(feature = "doctor")]
mod stack;
#[cfg(feature = "survey")]
mod survey;
mod tags;
mod trust;

#[cfg(test)]
mod tests;

pub use access::{ReadOnly, ReadWrite};
pub use backup::AwsBackup;
pub use callers::{AwsCallers, SigningError, sign_answer};
pub use clock::SystemClock;
pub use dead_letter_queue::{DeadLetterMessage, DeadLetterQueue};
pub use delayed_retries::SqsDelayedRetries;
pub use dynamo::DynamoLedger;
pub use ec2::AwsImages;
pub use environment::AwsEnvironment;
pub use iam::AwsIdentities;
pub use kms::AwsKeys;
pub use notifier::AwsNotifier;
pub use organizations::AwsOrganizations;
#[cfg(feature = "proving")]
pub use recording::{Exchange, Recorder};
#[cfg(feature = "doctor")]
pub use stack::{ApprovalsAlias, AwsStack, NotTheFunction, Whose};
#[cfg(feature = "survey")]
pub use survey::{AwsLists, Reach, ReachError, Reached, Surveying};
pub use tags::AwsResourceTags;
