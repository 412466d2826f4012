//! IAM policy documents: read without loss, evaluate, append, prove, undo, diff.

#![forbid(unsafe_code)]

mod arn;
mod condition;
mod context;
mod document;
mod error;
mod evaluate;
mod identity;
mod json;
mod operand;
mod operator;
mod parse;
mod principal;
mod statement;
mod template;
mod truth;
mod values;
mod wildcard;

pub use arn::{AccountId, Arn, ArnError};
pub use context::{Context, Request};
pub use document::{PolicyDocument, Version};
pub use error::{Location, ParseError, ParseProblem};
pub use evaluate::{Decision, evaluate, evaluate_without_principal};
pub use statement::{Effect, Statement};
pub use wildcard::wildcard_matches;
