//! The name of a condition key.

use compact_str::CompactString;

/// A condition key as a policy writes it. Its case does not count (documented: IAM
/// `reference_policies_elements_condition`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    lower: CompactString,
    written: CompactString,
}

impl Key {
    pub(crate) fn new(written: &str) -> Self {
        Self {
            lower: lower_case(written),
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

/// The text in lower case. Short text stays off the heap.
pub(crate) fn lower_case(text: &str) -> CompactString {
    if !text.is_ascii() {
        return text.to_lowercase().into();
    }
    let mut lower = CompactString::new(text);
    lower.make_ascii_lowercase();
    lower
}
