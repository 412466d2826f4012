//! IAM policy documents.

#![forbid(unsafe_code)]

mod arn;

pub use arn::{AccountId, Arn, ArnError};
