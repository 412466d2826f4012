//! One thing that was found.

use copymend_remediation::ports::{CallError, CallErrorKind};
use serde::Serialize;

use crate::kinds::Kind;

/// A part of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The stack itself.
    Stack,
    /// The Lambda functions.
    Functions,
    /// What the functions' roles may do.
    Permissions,
    /// The rules, their targets, and whether they may invoke.
    Rules,
    /// The hub's event bus.
    Bus,
    /// The member roles in the accounts that the lists name.
    MemberRoles,
    /// The queues.
    Queues,
    /// The topics and who reads them.
    Subscriptions,
    /// The alarms.
    Alarms,
    /// The ledgers.
    Ledger,
    /// CloudTrail.
    Trail,
    /// AWS Backup's service-linked roles.
    ServiceLinkedRoles,
    /// Settings that contradict each other.
    Settings,
    /// Concurrency.
    Concurrency,
    /// Protection from deletion.
    DeletionProtection,
    /// What the function says of itself.
    SelfCheck,
    /// The test message.
    TestMessage,
}

impl Part {
    /// Every part, in the order of the table.
    pub const ALL: [Self; 17] = [
        Self::Stack,
        Self::Functions,
        Self::Permissions,
        Self::Rules,
        Self::Bus,
        Self::MemberRoles,
        Self::Queues,
        Self::Subscriptions,
        Self::Alarms,
        Self::Ledger,
        Self::Trail,
        Self::ServiceLinkedRoles,
        Self::Settings,
        Self::Concurrency,
        Self::DeletionProtection,
        Self::SelfCheck,
        Self::TestMessage,
    ];

    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stack => "stack",
            Self::Functions => "functions",
            Self::Permissions => "permissions",
            Self::Rules => "rules",
            Self::Bus => "bus",
            Self::MemberRoles => "member roles",
            Self::Queues => "queues",
            Self::Subscriptions => "subscriptions",
            Self::Alarms => "alarms",
            Self::Ledger => "ledger",
            Self::Trail => "trail",
            Self::ServiceLinkedRoles => "service-linked roles",
            Self::Settings => "settings",
            Self::Concurrency => "concurrency",
            Self::DeletionProtection => "deletion protection",
            Self::SelfCheck => "self check",
            Self::TestMessage => "test message",
        }
    }
}

/// How a part stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing is wrong.
    Fine,
    /// It works, and somebody should look.
    Warning,
    /// It doesn't do what it is for.
    Broken,
    /// It can't be told.
    NotCheckable,
}

impl State {
    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Warning => "warning",
            Self::Broken => "broken",
            Self::NotCheckable => "not checkable",
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub part: Part,
    /// Its stable name: that of a [`Kind`], `fine` or `not-checkable`.
    pub id: &'static str,
    /// How that stands.
    pub state: State,
    /// What was found, in a sentence.
    pub found: String,
    /// What to do about it; nothing where it is fine.
    #[serde(rename = "do")]
    pub advice: Option<String>,
}

impl Finding {
    /// That something is as it should be.
    pub(crate) fn fine(part: Part, found: impl Into<String>) -> Self {
        Self {
            part,
            id: "fine",
            state: State::Fine,
            found: found.into(),
            advice: None,
        }
    }

    /// That something isn't.
    pub(crate) fn of(kind: &Kind, found: impl Into<String>) -> Self {
        Self {
            part: kind.part,
            id: kind.id,
            state: kind.state,
            found: found.into(),
            advice: Some(kind.advice.to_owned()),
        }
    }

    /// That a call failed, so that nobody knows. A refused call never means "absent".
    pub(crate) fn unknown(part: Part, error: &CallError) -> Self {
        let (operation, resource) = (error.operation, &error.resource);
        let (found, advice) = match error.kind {
            CallErrorKind::AccessDenied => (
                format!("This can't be told: you may not call {operation} on {resource}."),
                "Run it again with the policy of docs/doctor.md.",
            ),
            CallErrorKind::Throttled
            | CallErrorKind::Timeout
            | CallErrorKind::Unavailable
            | CallErrorKind::Unreadable
            | CallErrorKind::Rejected
            | CallErrorKind::Failed => (
                format!(
                    "This can't be told: {operation} on {resource} failed: {}.",
                    error.detail.trim_end_matches('.')
                ),
                "Run it again.",
            ),
        };
        Self {
            part,
            id: "not-checkable",
            state: State::NotCheckable,
            found,
            advice: Some(advice.to_owned()),
        }
    }

    /// That it can't be told from here, and whom to ask.
    pub(crate) fn not_from_here(part: Part, found: String, advice: String) -> Self {
        Self {
            part,
            id: "not-checkable",
            state: State::NotCheckable,
            found,
            advice: Some(advice),
        }
    }

    /// That a call of the function failed, so that nobody knows.
    pub(crate) fn unknown_to_function(part: Part, found: String) -> Self {
        Self {
            part,
            id: "not-checkable",
            state: State::NotCheckable,
            found,
            advice: Some("Look at what the function's role may do there.".to_owned()),
        }
    }
}
