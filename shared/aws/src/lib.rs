//! The ports of `copymend-remediation` on the AWS SDK for Rust.
//!
//! [`AwsEnvironment`] is what the copy remediator works with and, [`ReadOnly`], the access advisor.
//! Each takes Region, credentials and endpoints from the environment variables of a function. It reads and
//! calls nothing at the start: each configuration, the HTTP client that all share, and its certificates
//! are made when they are first needed.
//!
//! ```no_run
//! use copymend_aws::{AwsEnvironment, ReadWrite};
//! use copymend_remediation::settings::Settings;
//!
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings::read(|name| std::env::var(name).ok())?;
//! let environment = AwsEnvironment::<ReadWrite>::of_function(&settings.deployment);
//! # Ok(())
//! # }
//! ```

mod access;
mod accounts;
mod backup;
mod callers;
mod clock;
mod config;
mod dead_letter_queue;
mod delayed_retries;
mod dynamo;
mod ec2;
mod endpoint;
mod environment;
mod error;
mod function;
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
mod signed;
#[cfg(feature = "doctor")]
mod stack;
mod sts;
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
