//! Advice on the organization: membership, its features and policies, Regions.

use super::case::{Case, advice, step};
use super::{Advice, page};
use crate::fact::Fact;

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
        steps.push(step(
            &format!(
                "Account {account} is in no organization. If it should belong to yours, invite it from the management account, and \
                 accept the invitation in account {account}"
            ),
            &format!("aws organizations invite-account-to-organization --target Id={account},Type=ACCOUNT"),
        ));
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
    advice(
        case.organization_owner(),
        [
            step(
                "Look at isCrossAccountBackupEnabled; only the management account can read and set it",
                &format!("aws backup describe-global-settings --region {region}"),
            ),
            step(
                "Turn cross-account backup on",
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
            "aws organizations list-policies-for-target --target-id {account} --filter {kind}"
        ),
    )
}

fn parents_of(account: &str) -> String {
    step(
        "Find the unit above it",
        &format!("aws organizations list-parents --child-id {account}"),
    )
}

pub(super) fn service_control(case: &Case<'_>) -> Advice {
    let account = case.role().arn().account();
    advice(
        case.organization_owner(),
        [
            "If the message names the policy's ARN, look at that policy first.".to_owned(),
            policies_of(account, "SERVICE_CONTROL_POLICY"),
            parents_of(account),
            format!(
                "If the copy is wanted, allow the action that the message names at every level, or except the job role from the Deny: \
                 add the condition ArnNotEquals with aws:PrincipalArn `{}`.",
                case.role()
            ),
            case.start_again(),
        ],
        page::SERVICE_CONTROL,
    )
}

pub(super) fn resource_control(case: &Case<'_>) -> Advice {
    let account = case.key().map_or(case.account(), |key| key.arn().account());
    advice(
        case.organization_owner(),
        [
            "If the message names the policy's ARN, look at that policy first. These policies act on the account that owns the \
             resource; they cover AWS KMS keys, and AWS does not list AWS Backup among the services they cover."
                .to_owned(),
            policies_of(account, "RESOURCE_CONTROL_POLICY"),
            parents_of(account),
            "If the copy is wanted, except the principal that the message names from the Deny.".to_owned(),
            case.start_again(),
        ],
        page::RESOURCE_CONTROL,
    )
}

pub(super) fn tag_policy(case: &Case<'_>) -> Advice {
    let (account, region) = (case.source_account(), case.source_region());
    let tags = match case.recovery_point() {
        Some(point) => step(
            &format!("List the tags of the recovery point, in account {account}"),
            &format!("aws backup list-tags --resource-arn {point} --region {region}"),
        ),
        None => format!(
            "List the tags of the recovery point: open vault `{}` in the AWS Backup console of account {account}, Region {region}.",
            case.source_vault()
        ),
    };
    advice(
        format!("The owner of the backups, account {account}, or the administrator of the organization's tag policy"),
        [
            step(
                &format!("See which values the tag policy allows, in account {} and in account {account}", case.account()),
                "aws organizations describe-effective-policy --policy-type TAG_POLICY --query EffectivePolicy.PolicyContent --output text",
            ),
            tags,
            "Compare keys, their upper and lower case, and values. Correct the tag on the resource, on the recovery point and in the \
             backup plan's tags, or allow the value in the tag policy."
                .to_owned(),
            case.start_again(),
        ],
        page::TAG_POLICIES,
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
