//! The organization's policies that limit what its accounts may do.

use super::job_role_keys::may_be_under_resource_control;
use super::permission::{names, not_by_organization};
use super::simulation::{Layer, may_copy};
use super::{Entry, Family, Pages, Remedy, Shown, always, console, page, rules};
use crate::advice::{Case, is_plain, step};
use crate::assess::{Finding, MESSAGE_ALONE, not_checkable};
use crate::facts::Facts;
use crate::job::BackupCopy;
use crate::messages::explain;
use crate::messages::wording::{BLOCKS, GRAMMAR};

pub(super) static SERVICE: Entry = Entry {
    slug: "service-control-policy",
    title: "A service control policy blocks the call",
    happens: "A service control policy of the organization denies a call of the copy, or does not allow it, whatever the \
        role's own policies say.",
    found: "The policy simulator is asked about the two calls of AWS Backup that every copy makes. It is believed where it was \
        told every condition key that counts, and where nothing else explains the message.",
    also: "A service control policy of the organization can refuse it too.",
    messages: rules! {
        // Documented policy types, in plain words.
        Others 90 ["service control polic|service-control polic|scp|scps", BLOCKS] not [GRAMMAR]
            => "The message names a service control policy of the organization.";
    },
    shown: Shown::ByFacts(
        30,
        |copy, facts| may_copy(Layer::Organization, copy, facts),
        always,
    ),
    families: &[Family::Role, Family::Simulated, Family::OtherPolicy],
    remedy: Remedy::Advise,
    who: |case| case.organization_owner(),
    steps: service_steps,
    console: |case| console::organization(case, "policies/service-control-policy"),
    page: Pages::One(page::SERVICE_CONTROL),
};

pub(super) static RESOURCE: Entry = Entry {
    slug: "resource-control-policy",
    title: "A resource control policy blocks the call",
    happens: "A resource control policy of the organization denies the call in the account that owns the resource. \
        These policies cover AWS KMS and not AWS Backup, so the resource is most likely a key.",
    found: "The message tells. No simulator judges these policies and Copymend does not read them: where the job role uses a \
        customer managed key of an account in an organization, nothing excludes it. They never bind service-linked roles.",
    also: "A resource control policy of the organization can refuse it too.",
    messages: rules! {
        Others 100 ["resource control polic|rcp|rcps", BLOCKS] not [GRAMMAR]
            => "The message names a resource control policy of the organization.";
    },
    // After what else may be about a key: nobody but the organization can look at it.
    shown: Shown::ByFacts(
        205,
        |copy, facts| Ok(resource(copy, facts)),
        may_be_under_resource_control,
    ),
    families: &[Family::OtherPolicy],
    remedy: Remedy::Advise,
    who: |case| case.organization_owner(),
    steps: resource_steps,
    console: |case| console::organization(case, "policies/resource-control-policy"),
    page: Pages::One(page::RESOURCE_CONTROL),
};

fn resource(copy: &BackupCopy, facts: &Facts) -> Finding {
    not_checkable(if may_be_under_resource_control(copy, facts) {
        "the job role uses a key, and no simulator judges resource control policies; they are not read"
    } else {
        MESSAGE_ALONE
    })
}

fn policies_of(account: &str, kind: &str) -> String {
    step!("List the policies on account {account}, then in the same way on each unit above it, up to the root";
        "aws organizations list-policies-for-target --target-id {account} --filter {kind} --query 'Policies[].[Id,Name]' \
         --output text\n\
         aws organizations list-parents --child-id {account}")
}

/// Reading the policy that the message names, or any of those listed. Its id comes from the
/// message, which only a reading command may rest on.
fn read_policy(case: &Case<'_>, kind: &str) -> String {
    let explanation = explain(&case.event().status_message);
    let named = explanation
        .denial
        .and_then(|denial| denial.policy_arn)
        .and_then(|arn| arn.rsplit('/').next())
        .filter(|id| id.starts_with("p-") && is_plain(id));
    match named {
        Some(id) => step!("The message names the policy {id}. Read it";
            "aws organizations describe-policy --policy-id {id} --query Policy.Content --output text"),
        None => step!("Read each of them, with POLICY set to its id, and look for {kind}";
            "aws organizations describe-policy --policy-id $POLICY --query Policy.Content --output text"),
    }
}

fn service_steps(case: &Case<'_>) -> Vec<String> {
    let account = case.role().arn().account();
    let stopped = not_by_organization(case);
    let action = if stopped.is_empty() {
        "the action that the message names".to_owned()
    } else {
        names(&stopped)
    };
    let mut steps = Vec::new();
    if !stopped.is_empty() {
        steps.push(format!(
            "By the policy simulator, the service control policies of account {account} do not allow {action} to the job role. It \
             takes a condition key that it is not told as absent, so read them."
        ));
    }
    steps.extend([
        policies_of(account, "SERVICE_CONTROL_POLICY"),
        read_policy(case, &format!("a Deny of {action}, or an Allow that leaves it out")),
        format!(
            "If the copy is wanted, allow {action} at every level, or except the job role from the Deny: add the condition ArnNotEquals \
             with aws:PrincipalArn {}.",
            case.role_shown()
        ),
        case.start_again(),
    ]);
    steps
}

fn resource_steps(case: &Case<'_>) -> Vec<String> {
    let account = case.key().map_or(case.account(), |key| key.arn().account());
    vec![
            "These policies act on the account that owns the resource. They cover AWS KMS keys; AWS does not list AWS Backup among the \
             services they cover."
                .to_owned(),
            policies_of(account, "RESOURCE_CONTROL_POLICY"),
            read_policy(case, "a Deny of the action that the message names"),
            "If the copy is wanted, except the principal that the message names from the Deny: add the condition ArnNotEquals with \
             aws:PrincipalArn and its ARN."
                .to_owned(),
            case.start_again(),
    ]
}
