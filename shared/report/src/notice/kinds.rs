//! What each kind of message says of itself.

use std::collections::BTreeSet;

use copymend_diagnosis::Cause;
use copymend_policy::{AccountId, Arn};
use copymend_remediation::digest::Digest;
use copymend_remediation::ledger::LeftOut;
use copymend_remediation::message::Message;
use copymend_remediation::preflight::{Failing, PreflightNews};
use copymend_remediation::report::{Outcome, Report, Subject};
use jiff::Timestamp;
use serde::Serialize;

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// What became of one event: the member `report`.
    Report,
    /// Messages that were left out, since an hour had too many: `left_out`.
    LeftOut,
    /// That the way to people works: `test_message`.
    TestMessage,
    /// What a preflight found that people don't know yet: `preflight`.
    Preflight,
    /// What happened since the last digest, and what needs a person: `digest`.
    Digest,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Report,
        Self::LeftOut,
        Self::TestMessage,
        Self::Preflight,
        Self::Digest,
    ];

    pub(super) const fn of(message: Message<'_>) -> Self {
        match message {
            Message::Report(_) => Self::Report,
            Message::LeftOut(_) => Self::LeftOut,
            Message::Test(_) => Self::TestMessage,
            Message::Preflight(_) => Self::Preflight,
            Message::Digest(_) => Self::Digest,
        }
    }

    /// The stable name.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::LeftOut => "left-out",
            Self::TestMessage => "test-message",
            Self::Preflight => "preflight",
            Self::Digest => "digest",
        }
    }

    /// The detail-type of its events. None is one that asks Copymend for something.
    #[must_use]
    pub const fn detail_type(self) -> &'static str {
        match self {
            Self::Report => "Copymend Report",
            Self::LeftOut => "Copymend Report Left Out",
            Self::TestMessage => "Copymend Report Test",
            Self::Preflight => "Copymend Report Preflight",
            Self::Digest => "Copymend Report Digest",
        }
    }
}

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Nobody has to do anything; or nobody knows whether it is true, and nothing can come of it.
    Low,
    /// Something waits for a person: a plan, a copy that wasn't started again, copies that will fail, a
    /// refused call, what AWS Backup doesn't confirm.
    Medium,
    /// A copy, a backup or a restore failed, AWS Backup confirms it, and nothing that Copymend has begun
    /// takes care of it.
    High,
}

impl Severity {
    /// The stable name.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    fn of_report(report: &Report) -> Self {
        if !report.needs_action() {
            return Self::Low;
        }
        match (report.outcome, &report.subject) {
            (_, Subject::ApiCall(_)) => Self::Medium,
            (_, _) if !report.is_confirmed() => Self::Medium,
            (Outcome::Advised | Outcome::Refused | Outcome::Failed, _) => Self::High,
            (
                Outcome::RepairedAndRetried
                | Outcome::Repaired
                | Outcome::Retried
                | Outcome::RetryPlanned
                | Outcome::Planned
                | Outcome::Recovered
                | Outcome::Nothing
                | Outcome::AlreadyHandled,
                _,
            ) => Self::Medium,
        }
    }
}

/// What a message is about.
pub(super) struct About {
    pub(super) at: Option<Timestamp>,
    pub(super) outcome: Option<Outcome>,
    pub(super) cause: Option<Cause>,
    pub(super) account: Option<AccountId>,
    pub(super) accounts: BTreeSet<AccountId>,
    pub(super) incident: Option<String>,
    pub(super) severity: Severity,
    pub(super) needs_action: bool,
    pub(super) resources: BTreeSet<Arn>,
}

impl About {
    fn new(severity: Severity, needs_action: bool) -> Self {
        Self {
            at: None,
            outcome: None,
            cause: None,
            account: None,
            accounts: BTreeSet::new(),
            incident: None,
            severity,
            needs_action,
            resources: BTreeSet::new(),
        }
    }
}

pub(super) fn about(message: Message<'_>) -> About {
    match message {
        Message::Report(report) => of_report(report),
        Message::LeftOut(left_out) => of_left_out(left_out),
        Message::Test(test) => About {
            at: Some(test.at),
            ..About::new(Severity::Low, false)
        },
        Message::Preflight(news) => of_preflight(news),
        Message::Digest(digest) => of_digest(digest),
    }
}

fn of_report(report: &Report) -> About {
    // Another delivery may name another cause, but counts the copy under the same incident.
    let incident = report.incident.as_ref();
    let cause = incident.map_or(report.diagnosis.cause, |incident| incident.cause);
    let changes = report.changes.iter().chain(&report.refused_changes);
    let (account, mut named) = match &report.subject {
        Subject::Copy(copy) => {
            let vaults = [copy.source_vault.as_str(), &copy.destination_vault];
            let mut named = vaults.to_vec();
            named.extend(copy.resource.as_deref());
            named.extend(copy.recovery_point.as_deref());
            (&copy.account, named)
        }
        Subject::ApiCall(call) => (
            &call.account,
            call.resource.as_deref().into_iter().collect(),
        ),
        Subject::Job(job) => {
            let named = job.resource.iter().chain(&job.vault);
            (&job.account, named.map(String::as_str).collect())
        }
    };
    named.extend(changes.map(|change| change.resource.as_str()));
    let resources: BTreeSet<Arn> = named
        .into_iter()
        .filter_map(|arn| arn.parse().ok())
        .collect();
    let account: Option<AccountId> = account.parse().ok();
    About {
        outcome: Some(report.outcome),
        cause: Some(cause),
        account,
        accounts: accounts_of(&resources).chain(account).collect(),
        incident: Some(report.incident_name()),
        resources,
        ..About::new(Severity::of_report(report), report.needs_action())
    }
}

fn accounts_of(resources: &BTreeSet<Arn>) -> impl Iterator<Item = AccountId> {
    resources.iter().filter_map(Arn::account_id)
}

fn of_left_out(left_out: &LeftOut) -> About {
    let severity = if left_out.of.is_confirmed {
        Severity::Medium
    } else {
        Severity::Low
    };
    About {
        at: Some(left_out.last_at),
        accounts: [left_out.of.account].into(),
        ..About::new(severity, true)
    }
}

fn of_digest(digest: &Digest) -> About {
    let needs_action = digest.needs_a_person() > 0;
    let severity = if needs_action {
        Severity::Medium
    } else {
        Severity::Low
    };
    let accounts = digest.accounts.keys();
    About {
        at: Some(digest.at),
        accounts: accounts.filter_map(|id| id.parse().ok()).collect(),
        ..About::new(severity, needs_action)
    }
}

fn of_preflight(news: &PreflightNews) -> About {
    let failing = || news.new.iter().chain(&news.changed);
    let needs_action = failing().next().is_some();
    let severity = if needs_action {
        Severity::Medium
    } else {
        Severity::Low
    };
    let resources: BTreeSet<Arn> = failing()
        .filter_map(|one| match one {
            Failing::Route(route) => Some([&route.source_vault, &route.destination_vault]),
            Failing::Rule(_) => None,
        })
        .flatten()
        .filter_map(|vault| vault.parse().ok())
        .collect();
    let places = failing()
        .map(|one| match one {
            Failing::Route(route) => &route.at,
            Failing::Rule(rule) => &rule.at,
        })
        .chain(news.over.iter().map(|over| &over.at))
        .chain(news.cleared.iter().map(|cleared| &cleared.at))
        .map(|at| at.account);
    About {
        at: Some(news.at),
        accounts: accounts_of(&resources).chain(places).collect(),
        resources,
        ..About::new(severity, needs_action)
    }
}

#[cfg(test)]
mod tests {
    use copymend_remediation::digest::DIGEST_DETAIL_TYPE;
    use copymend_remediation::preflight::PREFLIGHT_DETAIL_TYPE;
    use copymend_remediation::self_check::SELF_CHECK_DETAIL_TYPE;
    use copymend_remediation::sweep::SWEEP_DETAIL_TYPE;
    use copymend_remediation::test_message::TEST_MESSAGE_DETAIL_TYPE;

    use super::*;

    #[test]
    fn no_event_on_the_bus_asks_copymend_for_anything() {
        for kind in Kind::ALL {
            for asking in [
                DIGEST_DETAIL_TYPE,
                PREFLIGHT_DETAIL_TYPE,
                SELF_CHECK_DETAIL_TYPE,
                SWEEP_DETAIL_TYPE,
                TEST_MESSAGE_DETAIL_TYPE,
            ] {
                assert_ne!(kind.detail_type(), asking);
            }
            // Amazon EventBridge takes 128 characters (API reference, documented).
            assert!(kind.detail_type().len() <= 128);
            assert_eq!(serde_json::json!(kind), kind.slug());
        }
    }
}
