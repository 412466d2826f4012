//! Advice on the organization: membership, its features and policies, Regions.

use super::case::{Case, advice, step};
use super::permission::{names, not_by_organization};
use super::text::is_plain;
use super::{Advice, page};
use crate::fact::Fact;
use crate::messages::explain;

const WHICH_ORGANIZATION: &str =
    "aws organizations describe-organization --query Organization.Id --output text";

/// The accounts that are in no organization, as far as the facts tell.
fn outsiders<'c>(case: &Case<'c>) -> Vec<&'c str> {
    let Some(facts) = case.facts() else {
        return Vec::new();
    };
    [
        (&facts.source_organization, case.source_account()),
        (&facts.destination_organization, case.account()),
    ]
    .into_iter()
    .filter(|(organization, _)| matches!(organization, Fact::Known(None)))
    .map(|(_, account)| account)
    .collect()
}

pub(super) fn membership(case: &Case<'_>) -> Advice {
    let (source, destination) = (case.source_account(), case.account());
    let mut steps = vec![step(
        &format!(
            "Run this in account {source} and in account {destination}; both must show the same id"
        ),
        WHICH_ORGANIZATION,
    )];
    let outsiders = outsiders(case);
    if outsiders.is_empty() {
        steps.push(
            "AWS Backup copies between accounts of one organization only. Invite the account that is outside, or copy to a vault in an \
             account of the same organization."
                .to_owned(),
        );
    }
    for account in outsiders {
        steps.extend([
            step(
                &format!(
                    "Account {account} is in no organization. If it should belong to yours, invite it, {}",
                    case.in_management_account()
                ),
                &format!(
                    "aws organizations invite-account-to-organization --target Id={account},Type=ACCOUNT"
                ),
            ),
            step(
                &format!("Accept the invitation in account {account}"),
                "HANDSHAKE=$(aws organizations list-handshakes-for-account --query 'Handshakes[0].Id' --output text)\n\
                 aws organizations accept-handshake --handshake-id $HANDSHAKE",
            ),
        ]);
    }
    steps.push(case.start_again());
    Advice {
        who: case.organization_owner(),
        steps,
        page: page::ACROSS_ACCOUNTS,
        console: None,
    }
}

pub(super) fn feature_off(case: &Case<'_>) -> Advice {
    let region = case.source_region();
    let from = case.in_management_account();
    advice(
        case.organization_owner(),
        [
            step(
                &format!(
                    "Look at isCrossAccountBackupEnabled, {from}; no other account can read and set it"
                ),
                &format!("aws backup describe-global-settings --region {region}"),
            ),
            step(
                &format!("Turn cross-account backup on, {from}"),
                &format!(
                    "aws backup update-global-settings --region {region} --global-settings isCrossAccountBackupEnabled=true"
                ),
            ),
            case.start_again_with(
                "Wait 15 minutes, the time a change may take, then start the copy again",
                "",
            ),
        ],
        page::ACROSS_ACCOUNTS,
    )
}

fn policies_of(account: &str, kind: &str) -> String {
    step(
        &format!(
            "List the policies on account {account}, then in the same way on each unit above it, up to the root"
        ),
        &format!(
            "aws organizations list-policies-for-target --target-id {account} --filter {kind} --query 'Policies[].[Id,Name]' --output text\n\
             aws organizations list-parents --child-id {account}"
        ),
    )
}

/// Reading the policy that the message names, or any of those listed. Its id comes from the message, which only a reading
/// command may rest on.
fn read_policy(case: &Case<'_>, kind: &str) -> String {
    let explanation = explain(&case.event().status_message);
    let named = explanation
        .denial
        .and_then(|denial| denial.policy_arn)
        .and_then(|arn| arn.rsplit('/').next())
        .filter(|id| id.starts_with("p-") && is_plain(id));
    match named {
        Some(id) => step(
            &format!("The message names the policy {id}. Read it"),
            &format!(
                "aws organizations describe-policy --policy-id {id} --query Policy.Content --output text"
            ),
        ),
        None => step(
            &format!("Read each of them, with POLICY set to its id, and look for {kind}"),
            "aws organizations describe-policy --policy-id $POLICY --query Policy.Content --output text",
        ),
    }
}

pub(super) fn service_control(case: &Case<'_>) -> Advice {
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
    Advice {
        who: case.organization_owner(),
        steps,
        page: page::SERVICE_CONTROL,
        console: None,
    }
}

pub(super) fn resource_control(case: &Case<'_>) -> Advice {
    let account = case.key().map_or(case.account(), |key| key.arn().account());
    advice(
        case.organization_owner(),
        [
            "These policies act on the account that owns the resource. They cover AWS KMS keys; AWS does not list AWS Backup among the \
             services they cover."
                .to_owned(),
            policies_of(account, "RESOURCE_CONTROL_POLICY"),
            read_policy(case, "a Deny of the action that the message names"),
            "If the copy is wanted, except the principal that the message names from the Deny: add the condition ArnNotEquals with \
             aws:PrincipalArn and its ARN."
                .to_owned(),
            case.start_again(),
        ],
        page::RESOURCE_CONTROL,
    )
}

pub(super) fn region_opt_in(case: &Case<'_>) -> Advice {
    let (account, region) = (case.account(), case.region());
    advice(
        format!("An administrator of the destination account {account}"),
        [
            step(
                "See whether the account may use the Region",
                &format!("aws account get-region-opt-status --region-name {region}"),
            ),
            step(
                "Enable the Region, if it is disabled; this takes minutes to hours",
                &format!("aws account enable-region --region-name {region}"),
            ),
            format!(
                "If the Region is enabled, open the console of the resource's own service in account {account}, Region {region}: the \
                 account may not have signed up for that service."
            ),
            case.start_again(),
        ],
        page::REGIONS,
    )
}
