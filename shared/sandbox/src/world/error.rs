//! Why a text is no world.

/// Why a world can't be loaded, and where in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the world cannot be used: {reason}{at}")]
pub struct WorldError {
    reason: String,
    at: String,
}

impl WorldError {
    /// Text that is not JSON, or not of the world's shape. The reader's message names line and
    /// column.
    pub(crate) fn json(error: &serde_json::Error) -> Self {
        Self {
            reason: error.to_string(),
            at: String::new(),
        }
    }

    /// A value that can't be, at a path such as
    /// `accounts.111122223333.regions.us-east-1.vaults.prod`.
    pub(crate) fn at(path: &str, reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            at: format!(", at `{path}`"),
        }
    }
}
