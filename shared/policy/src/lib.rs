//! IAM policy documents: read without loss, evaluate, append, prove, undo, diff.
//!
//! - [`PolicyDocument::parse`] keeps every byte; [`evaluate`] says what a resource's policy alone
//!   answers, with [`Decision::Unknown`] where an unknown condition key decides; [`Authorization`]
//!   asks all policies together.
//! - [`VaultGrant`] and [`KeyGrant`] build the only statements that can be added; [`append`] adds
//!   what is missing, [`undo`] takes it out again, [`prove_only_adds`] proves that nothing else
//!   changed.
//!
//! Rules taken from AWS carry a label: documented (with the page), inferred, or unverified.
//!
//! ```
//! use copymend_policy::{PolicyDocument, Request, VaultGrant, VaultScope, append, evaluate, prove_only_adds};
//!
//! let before = PolicyDocument::parse(r#"{"Version":"2012-10-17","Statement":[]}"#)?;
//! let role = "arn:aws:iam::111122223333:role/CopyRole";
//! let request = Request::new(
//!     role,
//!     "backup:CopyIntoBackupVault",
//!     "arn:aws:backup:eu-west-1:444455556666:backup-vault:copies",
//! )
//! .with_context("aws:PrincipalOrgID", ["o-abcde12345"]);
//! assert_eq!(evaluate(&before, &request).slug(), "implicitly-denied");
//!
//! let grant = VaultGrant {
//!     partition: "aws".to_owned(),
//!     source_account: "111122223333".parse()?,
//!     role_arn: role.parse()?,
//!     scope: VaultScope::Role,
//!     organization_id: Some("o-abcde12345".to_owned()),
//!     organization_paths: Vec::new(),
//! };
//! let added = grant.statements()?;
//! let after = append(Some(&before), &added)?;
//! assert!(evaluate(&after, &request).is_allowed());
//! assert_eq!(prove_only_adds(Some(&before), &after, &added)?.granted().len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
mod exclusion;
pub mod grant;
mod identity;
mod json;
mod key;
mod layer;
mod layout;
mod meaning;
mod operand;
mod operator;
mod parse;
mod principal;
pub mod proof;
mod statement;
mod storable;
mod template;
pub mod text;
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
pub use evaluate::{Decision, evaluate, evaluate_trust_policy, evaluate_without_principal};
pub use exclusion::{exclusions, exclusions_of_anyone, open_exclusions};
pub use grant::{
    GrantError, KeyGrant, KeyProfile, NewStatement, RecordedError, SID_PREFIX, UnknownName,
    VaultGrant, VaultScope, ViaService, service_linked_role_arn,
};
pub use proof::{Certificate, Granted, ProofError, prove_only_adds};
pub use statement::{Effect, NOT_PRINCIPAL_WITHOUT_ACCOUNT, Statement};
pub use storable::{PolicyOwner, Unstorable, WhyUnstorable, unstorable};
pub use wildcard::{arn_matches, wildcard_matches};
