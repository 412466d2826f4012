//! The statements Copymend may add, each the smallest that makes a copy legal.
//!
//! Everything here is deterministic: the same grant always gives the same bytes, so that a
//! statement that is already there is recognised, and never added twice.

mod key;
mod name;
mod statement;
mod vault;

pub use key::{KeyGrant, KeyProfile, ViaService, service_linked_role_arn};
pub use name::UnknownName;
pub use statement::{NewStatement, RecordedError};
pub use vault::{VaultGrant, VaultScope};

use crate::arn::is_partition;

/// Every `Sid` of ours starts with this.
pub const SID_PREFIX: &str = "Copymend";

/// Why no statement can be built for a grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// The partition is not one of AWS's.
    #[error("`{0}` is not a partition")]
    Partition(String),
    /// No organization id: without it the statement would be open to more than the organization.
    #[error(
        "an organization id is needed, or the statement would not be limited to the organization"
    )]
    NoOrganization,
    /// The organization id is not one.
    #[error("`{0}` is not an organization id")]
    Organization(String),
    /// The scope `organization-unit` needs at least one path.
    #[error("the scope organizational-unit needs at least one organization path")]
    NoOrganizationPath,
    /// A path is not one of the organization's units.
    #[error(
        "`{0}` is not a path to an organizational unit of this organization, such as `o-…/r-…/ou-…/*`"
    )]
    OrganizationPath(String),
    /// The ARN is not a role's.
    #[error("`{0}` is not the ARN of an IAM role")]
    NotARole(String),
    /// The role belongs to another account or partition than the grant.
    #[error("the role `{0}` does not belong to the source account")]
    ForeignRole(String),
    /// The role's ARN holds a character that a condition would read as a wildcard or variable.
    #[error("the role `{0}` holds a wildcard or variable character")]
    WildcardRole(String),
    /// The least-privilege profile needs a service through which the key is used.
    #[error("no service is named through which the key would be used")]
    NoService,
    /// The statement that was built is not one. It is never returned.
    #[error("the statement that was built is not one: {0}")]
    Broken(#[from] RecordedError),
}

fn check_partition(partition: &str) -> Result<(), GrantError> {
    if is_partition(partition) {
        Ok(())
    } else {
        Err(GrantError::Partition(crate::error::shown(partition)))
    }
}

/// A stable 64-bit hash (FNV-1a) as 16 hexadecimal digits. It tells names apart; it protects
/// nothing: two grants that collide get the same `Sid`, and the second one is refused as taken.
fn stable_hash(text: &str) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        hash ^= u64::from(byte);
        hash = hash.wrapping_mul(0x0100_0000_01b3);
    }
    format!("{hash:016x}")
}
