//! What the crate promises, one module per promise.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic, and so may the helpers of tests"
)]

mod authorizations;
mod conditions;
mod documents;
mod edits;
mod exclusions;
mod grants;
mod meanings;
mod principals;
mod proofs;
mod properties;
mod resources;
mod support;
mod unknowns;
mod variables;
