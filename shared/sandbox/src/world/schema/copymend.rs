//! The roles that Copymend runs as.

use copymend_policy::AccountId;
use serde::Deserialize;

/// As whom Copymend calls AWS. Its calls are judged as those of any role.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Copymend {
    /// The account of the function.
    pub account: AccountId,
    /// The name of the function's role, with its path if it has one. It calls in the function's own
    /// account, and assumes the member roles.
    pub role: String,
    /// The name of the role that it assumes in every other account, with its path if it has one.
    pub member_role: String,
}
