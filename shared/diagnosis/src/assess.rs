//! What the facts say of a cause.

use serde::Serialize;

use crate::causes::Cause;
use crate::fact::{Fact, WhyUnknown};
use crate::job::BackupCopy;

/// What the facts say of a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

impl Assessment {
    /// One that nobody can look at, without evidence.
    pub(crate) fn unchecked(cause: Cause, why: &str) -> Self {
        Self {
            cause,
            verdict: Verdict::NotCheckable,
            why: why.to_owned(),
            evidence: Vec::new(),
        }
    }

    /// A cause held against the facts.
    pub(crate) fn of(cause: Cause, why: &str, (verdict, evidence): Finding) -> Self {
        Self {
            cause,
            verdict,
            why: why.to_owned(),
            evidence,
        }
    }
}

/// Said where what was read excludes a cause that AWS's message names.
const CONTRADICTED: &str = "AWS's message names it all the same: something has changed since, or AWS judges by what cannot be read";

impl Assessment {
    /// The same of a cause that AWS's message names in so many words: what our rules or the simulator
    /// exclude stays open then.
    pub(crate) fn against_the_message(mut self) -> Self {
        if self.verdict == Verdict::RuledOut {
            self.verdict = Verdict::NotCheckable;
            self.evidence.push(CONTRADICTED.to_owned());
        }
        self
    }
}

/// What a check found, and the evidence.
pub(crate) type Finding = (Verdict, Vec<String>);

/// The same from a check that may end before its end, such as at a read that told nothing.
pub(crate) type Checked = Result<Finding, Finding>;

/// What a check found, wherever it ended.
pub(crate) fn found(checked: Checked) -> Finding {
    match checked {
        Ok(finding) | Err(finding) => finding,
    }
}

pub(crate) fn confirmed(evidence: impl Into<String>) -> Finding {
    (Verdict::Confirmed, vec![evidence.into()])
}

pub(crate) fn ruled_out(evidence: impl Into<String>) -> Finding {
    (Verdict::RuledOut, vec![evidence.into()])
}

pub(crate) fn not_checkable(evidence: impl Into<String>) -> Finding {
    (Verdict::NotCheckable, vec![evidence.into()])
}

impl<T> Fact<T> {
    /// The value, or that it could not be read.
    pub(crate) fn read(&self) -> Result<&T, Finding> {
        match self {
            Self::Known(value) => Ok(value),
            Self::Unknown(why) => Err(unreadable(why)),
        }
    }
}

pub(crate) fn unreadable(why: &WhyUnknown) -> Finding {
    not_checkable(format!("could not be read: {why}"))
}

/// Of a cause that no fact shows or excludes.
pub(crate) const MESSAGE_ALONE: &str = "rests on the message alone";
pub(crate) const SAME_ACCOUNT: &str = "source and destination are one account";

/// Ends the check of what matters between accounts alone.
pub(crate) fn across_accounts(copy: &BackupCopy) -> Result<(), Finding> {
    if copy.is_cross_account() {
        Ok(())
    } else {
        Err(ruled_out(SAME_ACCOUNT))
    }
}

/// The same, with the Denies that may match, word for word.
pub(crate) fn depends_on_denies(policy: &str, keys: &[String], denies: &[&str]) -> Finding {
    let (verdict, mut evidence) = depends_on(policy, keys);
    for deny in denies.iter().take(DENIES_SHOWN) {
        evidence.push(format!("this Deny may match: {deny}"));
    }
    (verdict, evidence)
}

/// How many Denies that may match are quoted.
const DENIES_SHOWN: usize = 5;

pub(crate) fn depends_on(policy: &str, keys: &[String]) -> Finding {
    not_checkable(format!(
        "{policy} depends on condition keys that cannot be known from outside: {}",
        keys.join(", ")
    ))
}
