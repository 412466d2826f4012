//! The command line as its users meet it, one module per command.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic, and so may the helpers of tests"
)]

mod authorize;
mod diff;
mod evaluate;
mod explain;
mod grant;
mod help;
mod manual;
mod pages;
mod prove;
mod real_accounts;
mod replay;
mod sandbox;
mod scan;
mod support;
mod terminal;
