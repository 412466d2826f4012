//! What reaches people: topics, their subscriptions, and the alarms.

use super::{Kind, PUT_BACK};
use crate::finding::{Part, State};

pub(crate) const TOPIC_MISSING: Kind = Kind {
    id: "topic-missing",
    part: Part::Subscriptions,
    state: State::Broken,
    meaning: "a topic is gone",
    advice: PUT_BACK,
};

pub(crate) const NOBODY_SUBSCRIBED: Kind = Kind {
    id: "nobody-subscribed",
    part: Part::Subscriptions,
    state: State::Broken,
    meaning: "nobody gets the reports",
    advice: "Subscribe somebody to the topic, or set NotificationEmail, and confirm the subscription.",
};

pub(crate) const CHAT_UNREAD: Kind = Kind {
    id: "chat-unread",
    part: Part::Subscriptions,
    state: State::Warning,
    meaning: "no chat gets the reports",
    advice: "Set up a channel of Amazon Q Developer with the topic ChatTopicArn: docs/messages.md#chat. Or set WithChat to false.",
};

pub(crate) const SUBSCRIPTION_PENDING: Kind = Kind {
    id: "subscription-pending",
    part: Part::Subscriptions,
    state: State::Warning,
    meaning: "a subscription is not confirmed",
    advice: "Follow the link in the message that Amazon SNS sent to that address, or subscribe it again: the link is good for two days.",
};

pub(crate) const ALARMS_UNREAD: Kind = Kind {
    id: "alarms-unread",
    part: Part::Subscriptions,
    state: State::Warning,
    meaning: "nobody gets the alarms",
    advice: "Subscribe somebody to the topic AlarmTopicArn, and confirm the subscription.",
};

pub(crate) const AUDIT_UNWATCHED: Kind = Kind {
    id: "audit-unwatched",
    part: Part::Subscriptions,
    state: State::Warning,
    meaning: "nobody reads the audit",
    advice: "Subscribe whoever watches Copymend to the topic AuditTopicArn.",
};

pub(crate) const FAILURES_NOT_KEPT: Kind = Kind {
    id: "failures-not-kept",
    part: Part::Subscriptions,
    state: State::Broken,
    meaning: "what the access advisor fails on reaches no queue",
    advice: PUT_BACK,
};

pub(crate) const ALARM_MISSING: Kind = Kind {
    id: "alarm-missing",
    part: Part::Alarms,
    state: State::Broken,
    meaning: "an alarm is gone, so that a part can break unseen",
    advice: PUT_BACK,
};

pub(crate) const ALARM_OFF: Kind = Kind {
    id: "alarm-off",
    part: Part::Alarms,
    state: State::Broken,
    meaning: "an alarm's actions are switched off",
    advice: "Switch them on: aws cloudwatch enable-alarm-actions --alarm-names NAME.",
};

pub(crate) const ALARM_SENDS_ELSEWHERE: Kind = Kind {
    id: "alarm-sends-elsewhere",
    part: Part::Alarms,
    state: State::Broken,
    meaning: "an alarm does not send to the topic of the alarms",
    advice: PUT_BACK,
};

pub(crate) const ALARM_RAISED: Kind = Kind {
    id: "alarm-raised",
    part: Part::Alarms,
    state: State::Warning,
    meaning: "an alarm is raised now",
    advice: "Do what its description and docs/runbook.md say.",
};

pub(crate) const ALARMS_REFUSED: Kind = Kind {
    id: "alarms-refused",
    part: Part::Alarms,
    state: State::Broken,
    meaning: "the topic of the alarms does not let Amazon CloudWatch publish",
    advice: PUT_BACK,
};
