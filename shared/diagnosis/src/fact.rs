//! Facts: what a read of AWS told, or why it told nothing.

use std::fmt;

use serde::Serialize;

/// What one read told. An unknown fact never permits a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact<T> {
    /// The read worked. Absence that AWS states (such as `ResourceNotFoundException`) is known too:
    /// `Known(None)`.
    Known(T),
    /// The read didn't work, or was not possible.
    Unknown(WhyUnknown),
}

impl<T> Fact<T> {
    /// The value, if it is known.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// Why the value isn't known, if it isn't.
    pub const fn unknown(&self) -> Option<&WhyUnknown> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(why) => Some(why),
        }
    }
}

/// Why a fact isn't known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WhyUnknown {
    /// The API operation, such as `kms:GetKeyPolicy`.
    pub operation: String,
    /// The resource that was asked about.
    pub resource: String,
    /// What went wrong.
    pub reason: UnknownReason,
    /// The service's own words, or what to do next.
    pub detail: String,
}

impl fmt::Display for WhyUnknown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            resource,
            reason,
            detail,
        } = self;
        write!(formatter, "{operation} on `{resource}`: {reason}")?;
        if detail.is_empty() {
            Ok(())
        } else {
            write!(formatter, " ({detail})")
        }
    }
}

/// The ways in which a read can tell nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum UnknownReason {
    /// AWS refused the read. This is never the same as "absent".
    AccessDenied,
    /// AWS throttled the read.
    Throttled,
    /// No answer in time.
    Timeout,
    /// The service had a fault of its own, or could not be reached.
    Unavailable,
    /// The answer can't be understood, such as a policy that is no policy.
    Unreadable,
    /// Another error.
    Failed,
    /// Nothing was asked, because what the question needs isn't known either.
    NotRead,
}

impl UnknownReason {
    /// Whether the same read may well work a little later.
    #[must_use]
    pub const fn may_pass(self) -> bool {
        match self {
            Self::Throttled | Self::Timeout | Self::Unavailable => true,
            Self::AccessDenied | Self::Unreadable | Self::Failed | Self::NotRead => false,
        }
    }
}

impl fmt::Display for UnknownReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::AccessDenied => "access denied",
            Self::Throttled => "throttled",
            Self::Timeout => "no answer in time",
            Self::Unavailable => "the service is not available",
            Self::Unreadable => "the answer cannot be understood",
            Self::Failed => "the call failed",
            Self::NotRead => "not read",
        })
    }
}
