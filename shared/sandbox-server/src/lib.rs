//! One address that answers every AWS call that the functions make.
//!
//! Answered here, from the sandbox: AWS Backup, IAM's policy simulator, Organizations' effective
//! policies and parents, and the images, snapshots and tags of recovery points. A service is one module, found by the service's name in a request's signature.
//! Everything else is passed on, as it came, to another endpoint that has the rest of AWS (moto's
//! server), and its answer goes back unchanged.
//!
//! Where there is no other endpoint, what is read of keys, roles and the organization comes from the
//! world too, and roles can be assumed in its accounts.
//!
//! Nothing checks signatures: the access key alone says whose call it is.

mod account_management;
mod backup;
mod bridge;
mod caller;
mod control;
mod control_policies;
mod delayed_retries;
mod ec2;
mod ec2_volumes;
mod endpoint;
mod environment;
mod error;
mod forward;
mod hub;
mod iam;
mod kms;
mod organizations;
mod parameters;
mod presigned;
mod rates;
mod refresh;
mod scope;
mod server;
mod sts;
mod tagging;
#[cfg(test)]
mod tests;
mod upstream;
mod xml;

pub use endpoint::{Endpoint, InvalidEndpoint, NoAnswer};
pub use environment::Environment;
pub use error::StartError;
pub use server::{Pace, Server};
