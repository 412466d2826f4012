//! What the policies of queues, functions and buses let in.

use copymend_policy::{Decision, PolicyDocument, Request, evaluate};

/// What a service asks for.
pub(crate) struct Asked<'a> {
    pub(crate) action: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) service: &'a str,
    /// The ARN of what it acts for: `aws:SourceArn`.
    pub(crate) source: &'a str,
}

/// Whether the policy allows it. What can't be read, or can't be told, allows nothing.
pub(crate) fn allows(policy: &str, asked: &Asked<'_>) -> bool {
    let Ok(policy) = PolicyDocument::parse(policy) else {
        return false;
    };
    let request = Request::new(asked.service, asked.action, asked.resource)
        .with_context("aws:SourceArn", [asked.source])
        .with_context("aws:SourceAccount", asked.source.split(':').nth(4))
        .with_context("aws:SecureTransport", ["true"]);
    matches!(evaluate(&policy, &request), Decision::Allowed { .. })
}

/// Whose event is put on a bus.
#[derive(Clone, Copy)]
pub(crate) struct Forwarder<'a> {
    pub(crate) bus: &'a str,
    pub(crate) organization: &'a str,
    pub(crate) partition: &'a str,
    /// Path and name.
    pub(crate) role: &'a str,
    /// The event's source.
    pub(crate) source: &'a str,
}

/// Whether a bus's policy lets a role of some account put events.
pub(crate) fn may_forward(policy: &str, of: &Forwarder<'_>) -> bool {
    let Ok(policy) = PolicyDocument::parse(policy) else {
        return false;
    };
    let role = format!("arn:{}:iam::444455556666:role/{}", of.partition, of.role);
    let request = Request::new(role, "events:PutEvents", of.bus)
        .with_context("aws:PrincipalOrgID", [of.organization])
        .with_context("events:source", [of.source]);
    matches!(evaluate(&policy, &request), Decision::Allowed { .. })
}
