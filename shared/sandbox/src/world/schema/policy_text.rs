//! The text of a policy.

use copymend_policy::{ParseError, PolicyDocument};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A policy's text, byte for byte. In JSON it is a string that holds the policy, or the policy
/// itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyText {
    text: String,
    document: Result<PolicyDocument, ParseError>,
}

impl PolicyText {
    /// Keeps a text, whether it is a policy or not.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            document: PolicyDocument::parse(&text),
            text,
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What the text says, if it is a policy.
    pub const fn document(&self) -> Result<&PolicyDocument, &ParseError> {
        self.document.as_ref()
    }
}

impl<'de> Deserialize<'de> for PolicyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if raw.get().starts_with('"') {
            serde_json::from_str::<String>(raw.get())
                .map(Self::new)
                .map_err(D::Error::custom)
        } else {
            Ok(Self::new(raw.get()))
        }
    }
}
