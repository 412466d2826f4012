//! The ports of `copymend-remediation` on the AWS SDK for Rust.
//!
//! [`AwsEnvironment`] reads regions, credentials and endpoints from the process's environment as every AWS SDK does. It calls
//! nothing at the start; each client is made when it is first needed, on one shared HTTP client.
//!
//! ```no_run
//! use copymend_aws::AwsEnvironment;
//! use copymend_remediation::settings::Settings;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings::read(|name| std::env::var(name).ok())?;
//! let environment = AwsEnvironment::load(&settings).await;
//! # Ok(())
//! # }
//! ```

mod accounts;
mod advisor_environment;
mod backup;
mod clock;
mod config;
mod copy_job;
mod dead_letters;
mod dynamo;
mod environment;
mod error;
mod identities;
mod item;
mod kms;
mod organizations;
mod percent;
mod principal_policies;
mod service_job;
mod sns;

#[cfg(test)]
mod tests;

pub use advisor_environment::AwsAdvisorEnvironment;
pub use backup::AwsBackup;
pub use clock::SystemClock;
pub use dead_letters::{DeadLetter, DeadLetters};
pub use dynamo::DynamoLedger;
pub use environment::AwsEnvironment;
pub use identities::AwsIdentities;
pub use kms::AwsKeys;
pub use organizations::AwsOrganizations;
pub use sns::SnsNotifier;
