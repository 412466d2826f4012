//! The topics: who reads them.

use super::{or_fine, present};
use crate::facts::{Facts, Named, Subscription};
use crate::finding::{Finding, Part};
use crate::kinds::{
    ALARMS_UNREAD, AUDIT_UNWATCHED, CHAT_UNREAD, FAILURES_NOT_KEPT, NOBODY_SUBSCRIBED,
    SUBSCRIPTION_PENDING, TOPIC_MISSING,
};

pub(super) fn judge(facts: &Facts) -> Vec<Finding> {
    let topics = facts.topics.iter();
    topics
        .flat_map(|named| {
            let subscriptions = match present(named, Part::Subscriptions, &TOPIC_MISSING) {
                Ok(subscriptions) => subscriptions,
                Err(finding) => return vec![finding],
            };
            or_fine(Part::Subscriptions, of_topic(named, subscriptions), || {
                let number = subscriptions.len();
                format!("Confirmed subscriptions of {}: {number}.", named.logical)
            })
        })
        .collect()
}

fn of_topic(named: &Named<Vec<Subscription>>, subscriptions: &[Subscription]) -> Vec<Finding> {
    let Named { logical, id, .. } = named;
    let mut findings = Vec::new();
    if !subscriptions.iter().any(|one| one.is_confirmed) {
        let kind = match logical.as_str() {
            "AlarmTopic" => &ALARMS_UNREAD,
            "AuditTopic" => &AUDIT_UNWATCHED,
            "ChatTopic" => &CHAT_UNREAD,
            "AdvisorFailures" => &FAILURES_NOT_KEPT,
            _ => &NOBODY_SUBSCRIBED,
        };
        let found = format!("The topic {logical} ({id}) has no confirmed subscription.");
        findings.push(Finding::of(kind, found));
    }
    let pending = subscriptions.iter().filter(|one| !one.is_confirmed);
    findings.extend(pending.map(|one| {
        Finding::of(
            &SUBSCRIPTION_PENDING,
            format!(
                "The {} subscription of {} to {logical} waits for its confirmation.",
                one.protocol, one.endpoint
            ),
        )
    }));
    findings
}
