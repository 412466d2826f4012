//! What the facts say of a cause.

use serde::Serialize;

use crate::causes::Cause;
use crate::fact::WhyUnknown;

/// What the facts say of a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The facts show it.
    Confirmed,
    /// The facts can't tell.
    NotCheckable,
    /// The facts exclude it.
    RuledOut,
}

/// A cause with its verdict and what led to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assessment {
    /// The cause.
    pub cause: Cause,
    /// What the facts say of it.
    pub verdict: Verdict,
    /// Why it was considered.
    pub why: String,
    /// What was seen, one sentence each.
    pub evidence: Vec<String>,
}

/// What a check found, and the evidence.
pub(crate) type Finding = (Verdict, Vec<String>);

pub(crate) fn confirmed(evidence: impl Into<String>) -> Finding {
    (Verdict::Confirmed, vec![evidence.into()])
}

pub(crate) fn ruled_out(evidence: impl Into<String>) -> Finding {
    (Verdict::RuledOut, vec![evidence.into()])
}

pub(crate) fn not_checkable(evidence: impl Into<String>) -> Finding {
    (Verdict::NotCheckable, vec![evidence.into()])
}

pub(crate) fn unreadable(why: &WhyUnknown) -> Finding {
    not_checkable(format!("could not be read: {why}"))
}

/// Of a cause that no fact shows or excludes.
pub(crate) const MESSAGE_ALONE: &str = "rests on the message alone";
pub(crate) const SAME_ACCOUNT: &str = "source and destination are one account";

pub(crate) fn depends_on(policy: &str, keys: &[String]) -> Finding {
    not_checkable(format!(
        "{policy} depends on condition keys that cannot be known from outside: {}",
        keys.join(", ")
    ))
}
