//! A message as programs read it: the JSON of the topic and of the events on the bus.

mod kinds;
mod shorten;

#[cfg(test)]
mod schema_tests;

use std::collections::BTreeSet;

use copymend_diagnosis::Cause;
use copymend_policy::{AccountId, Arn};
use copymend_remediation::digest::Digest;
use copymend_remediation::ledger::LeftOut;
use copymend_remediation::message::Message;
use copymend_remediation::preflight::PreflightNews;
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::test_message::TestMessage;
use jiff::Timestamp;
use serde::Serialize;

pub use kinds::{Kind, Severity};

use crate::email::{Email, email_of_message};
use crate::json::ascii;

/// The version of this JSON. Members and values are added to a version; nothing is renamed, and nothing
/// changes its meaning.
pub const VERSION: &str = "1";

/// What people are told, as programs read it. A reader takes no offence at members and values that it
/// doesn't know: the same version may get more of them.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Notice<'m> {
    /// The version of this JSON.
    #[cfg_attr(test, schemars(extend("const" = VERSION)))]
    pub version: &'static str,
    /// What is told.
    pub kind: Kind,
    /// The same when a message is sent again, so that a reader can tell.
    pub id: String,
    /// When the message was made; absent for a report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The subject of the e-mail: fewer than 100 printable ASCII characters, without quotes and backslashes,
    /// so that it can stand in a text of JSON as it is.
    pub title: String,
    /// How it ended; of a report only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The cause that the incident is counted under; of a report only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The account of what failed; absent where there are several, or none is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// Every account that it is about.
    pub accounts: BTreeSet<AccountId>,
    /// The name of the incident, in 32 hexadecimal digits: the same in every report of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// How much it matters.
    pub severity: Severity,
    /// Whether a person has something to do or to decide now.
    pub needs_action: bool,
    /// The ARNs that it is about: vaults, keys, resources.
    pub resources: BTreeSet<String>,
    /// What is told, under a member that the kind names.
    #[serde(flatten)]
    pub contents: Contents<'m>,
    /// What didn't fit, by JSON pointers (RFC 6901): a text that is empty here, a list without its
    /// items, or a member that is not here. The e-mail may hold it, and so does the function's answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cut: Vec<String>,
}

/// What is told.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Contents<'m> {
    /// What became of one event.
    Report(&'m Report),
    /// Messages that were left out.
    LeftOut(&'m LeftOut),
    /// That the way to people works.
    TestMessage(&'m TestMessage),
    /// What a preflight found that people don't know yet.
    Preflight(&'m PreflightNews),
    /// What happened since the last digest, and what needs a person.
    Digest(&'m Digest),
}

/// What can be filtered by: the name and the value of each attribute of a message.
pub type Attributes = Vec<(&'static str, String)>;

impl<'m> Notice<'m> {
    /// A message as programs read it.
    #[must_use]
    pub fn of(message: Message<'m>) -> Self {
        Self::with_title(message, &email_of_message(message).subject)
    }

    /// The same, where the e-mail is there already.
    #[must_use]
    pub fn beside(message: Message<'m>, email: &Email) -> Self {
        Self::with_title(message, &email.subject)
    }

    fn with_title(message: Message<'m>, title: &str) -> Self {
        let about = kinds::about(message);
        let account = match about.account {
            Some(account) => Some(account),
            None if about.accounts.len() == 1 => about.accounts.first().copied(),
            None => None,
        };
        Self {
            version: VERSION,
            kind: Kind::of(message),
            id: message.id(),
            at: about.at,
            title: title.replace(['"', '\\'], "'"),
            outcome: about.outcome,
            cause: about.cause,
            account,
            accounts: about.accounts,
            incident: about.incident,
            severity: about.severity,
            needs_action: about.needs_action,
            resources: about.resources.iter().map(Arn::to_string).collect(),
            contents: match message {
                Message::Report(report) => Contents::Report(report),
                Message::LeftOut(left_out) => Contents::LeftOut(left_out),
                Message::Test(test) => Contents::TestMessage(test),
                Message::Preflight(news) => Contents::Preflight(news),
                Message::Digest(digest) => Contents::Digest(digest),
            },
            cut: Vec::new(),
        }
    }

    /// One line of JSON in ASCII.
    #[must_use]
    pub fn json(&self) -> String {
        // INVARIANT: a notice serializes: it has string keys only.
        ascii(serde_json::to_string(self).unwrap_or_default())
    }

    /// The same, in at most so many bytes as `size` counts: the largest parts are left out first, one
    /// after the other, and `cut` names them.
    #[must_use]
    pub fn json_within(&self, limit: usize, size: fn(&str) -> usize) -> String {
        let whole = self.json();
        if size(&whole) <= limit {
            return whole;
        }
        shorten::within(&whole, limit, size)
    }

    /// What can be filtered by. `outcome` is the kind where it is no report.
    #[must_use]
    pub fn attributes(&self) -> Attributes {
        let outcome = self.outcome.map_or(self.kind.slug(), Outcome::slug);
        let needs_action = if self.needs_action { "yes" } else { "no" };
        let mut attributes = vec![
            ("outcome", outcome.to_owned()),
            ("message_id", self.id.clone()),
            ("severity", self.severity.slug().to_owned()),
            ("needs-action", needs_action.to_owned()),
        ];
        if let Some(cause) = self.cause {
            attributes.push(("cause", cause.slug().to_owned()));
        }
        if let Some(account) = self.account {
            attributes.push(("account", account.to_string()));
        }
        attributes
    }
}
