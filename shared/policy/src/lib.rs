//! IAM policy documents: read without loss, evaluate, append, prove, undo, diff.

#![forbid(unsafe_code)]

mod arn;
pub mod authorize;
mod condition;
mod context;
pub mod diff;
mod document;
pub mod edit;
mod error;
mod evaluate;
pub mod grant;
mod identity;
mod json;
mod layout;
mod operand;
mod operator;
mod parse;
mod principal;
pub mod proof;
mod statement;
mod template;
mod truth;
mod values;
mod wildcard;

pub use arn::{AccountId, Arn, ArnError};
pub use authorize::{Answer, Authorization, Layer, Verdict};
pub use context::{Context, Request};
pub use diff::diff;
pub use document::{PolicyDocument, Version};
pub use edit::{
    EditError, KEY_POLICY_MAX_BYTES, Undone, append, check_key_policy_characters, check_size, undo,
};
pub use error::{Location, ParseError, ParseProblem};
pub use evaluate::{Decision, evaluate, evaluate_without_principal};
pub use grant::{
    GrantError, KeyGrant, KeyProfile, NewStatement, RecordedError, SID_PREFIX, UnknownName,
    VaultGrant, VaultScope, ViaService, service_linked_role_arn,
};
pub use proof::{Certificate, Granted, ProofError, prove_only_adds};
pub use statement::{Effect, Statement};
pub use wildcard::{arn_matches, wildcard_matches};
