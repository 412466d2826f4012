//! What is to be said of a cause.

use crate::advice::Case;
use crate::assess::{Checked, Finding, MESSAGE_ALONE, found, not_checkable};
use crate::causes::Cause;
use crate::facts::Facts;
use crate::job::BackupCopy;
use crate::messages::Rule;

/// All about one cause. There is no default: a field that is left out doesn't compile.
pub(crate) struct Entry {
    /// The stable name.
    pub(crate) slug: &'static str,
    /// One line for people.
    pub(crate) title: &'static str,
    /// How it comes about.
    pub(crate) happens: &'static str,
    /// How Copymend finds it.
    pub(crate) found: &'static str,
    /// Why it is named after another cause, whose wording admits it too.
    pub(crate) also: &'static str,
    /// The wordings that stand for it, one rule each.
    pub(crate) messages: &'static [Rule],
    /// What shows it.
    pub(crate) shown: Shown,
    /// With which causes it can be confused.
    pub(crate) families: &'static [Family],
    /// What Copymend can do about it.
    pub(crate) remedy: Remedy,
    /// Who must act.
    pub(crate) who: fn(&Case<'_>) -> String,
    /// What they do, in order.
    pub(crate) steps: fn(&Case<'_>) -> Vec<String>,
    /// The page of the AWS console to start from.
    pub(crate) console: fn(&Case<'_>) -> Option<String>,
    /// AWS's page on it.
    pub(crate) page: Pages,
}

/// What shows a cause.
pub(crate) enum Shown {
    /// A message alone: no fact shows or excludes it.
    ByMessage,
    /// Facts, whatever the message says:
    ///
    /// - its place among such causes: what has a higher one can't be mended, or doesn't matter,
    ///   while this stands;
    /// - what holds it against the facts;
    /// - whether a read that it rests on told nothing, so that it may be what is left of its
    ///   family.
    ByFacts(
        u8,
        fn(&BackupCopy, &Facts) -> Checked,
        fn(&BackupCopy, &Facts) -> bool,
    ),
}

/// For a cause that is not what is left where nobody could look at it.
pub(crate) const fn never(_: &BackupCopy, _: &Facts) -> bool {
    false
}

/// For a cause that may be what is left wherever the facts can't tell.
pub(crate) const fn always(_: &BackupCopy, _: &Facts) -> bool {
    true
}

impl Entry {
    /// Its place among the causes that facts can show.
    pub(crate) const fn rank(&self) -> Option<u8> {
        match self.shown {
            Shown::ByMessage => None,
            Shown::ByFacts(rank, _, _) => Some(rank),
        }
    }

    /// Holds it against the facts.
    pub(crate) fn check(&self, copy: &BackupCopy, facts: &Facts) -> Finding {
        match self.shown {
            Shown::ByMessage => not_checkable(MESSAGE_ALONE),
            Shown::ByFacts(_, check, _) => found(check(copy, facts)),
        }
    }

    /// Whether it may be what is left of its family, because a read told nothing.
    pub(crate) fn is_unread(&self, copy: &BackupCopy, facts: &Facts) -> bool {
        match self.shown {
            Shown::ByMessage => false,
            Shown::ByFacts(_, _, is_unread) => is_unread(copy, facts),
        }
    }
}

/// Causes that can be confused with each other. A cause outside the message's family never takes
/// the first place, however clearly it shows: it is named after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// AWS words them alike, and speaks of a vault.
    Vault,
    /// AWS words them alike, and speaks of a key.
    Key,
    /// AWS Backup assumes the job role before it does anything else, so a role that is missing or
    /// can't be assumed never hides behind a message about a vault or a key (inferred). A message
    /// that suggests one layer of the role's permissions suggests the others too: "You are not
    /// authorized" names none, and not even whose permissions it means.
    Role,
    /// The policy simulator tells of it, for the two calls that it is asked about.
    Simulated,
    /// An Allow is missing. Where a Deny decides, which no Allow lifts, it is this cause instead.
    UnlessDenied(Cause),
    /// A policy that no repair touches. A message that names one is about it, whatever else it
    /// says.
    OtherPolicy,
}

/// What Copymend can do about a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Put it right, behind every guard.
    Repair(Repairable),
    /// Start the copy again.
    Retry,
    /// Say who must do what.
    Advise,
}

/// What Copymend can put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repairable {
    /// The destination vault's access policy.
    VaultPolicy,
    /// The source key's policy.
    KeyPolicy,
    /// AWS Backup's service-linked role in the destination account.
    ServiceLinkedRole,
}

/// AWS's page on a cause.
pub(crate) enum Pages {
    /// The same for every copy.
    One(&'static str),
    /// This one, unless the copy asks for another.
    ByCase(&'static str, fn(&Case<'_>) -> Option<&'static str>),
}

impl Pages {
    pub(crate) fn of(&self, case: &Case<'_>) -> &'static str {
        match self {
            Self::One(page) => page,
            Self::ByCase(usual, other) => other(case).unwrap_or(usual),
        }
    }
}

/// For a cause that never comes second: no message that points at another admits it.
pub(crate) const ADMITTED: &str = "The wording admits this too.";
