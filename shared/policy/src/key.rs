//! The name of a condition key.

/// A condition key as a policy writes it. Its case does not count (documented: IAM
/// `reference_policies_elements_condition`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    lower: Box<str>,
    written: Box<str>,
}

impl Key {
    pub(crate) fn new(written: &str) -> Self {
        Self {
            lower: written.to_lowercase().into(),
            written: written.into(),
        }
    }

    /// The name to look it up by.
    pub(crate) fn lower(&self) -> &str {
        &self.lower
    }

    /// The name to show.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }
}
