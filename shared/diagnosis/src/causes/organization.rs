//! The organization of the two accounts, and the Regions that an account may use.

use super::{ADMITTED, Entry, Family, Pages, Remedy, console, message_alone, page};
use crate::advice::{Case, step};
use crate::assess::{Finding, SAME_ACCOUNT, confirmed, ruled_out, unreadable};
use crate::fact::Fact;
use crate::facts::Facts;
use crate::job::Failure;

pub(super) static MEMBERSHIP: Entry = Entry {
    slug: "organization-membership",
    title: "The accounts are not in the same organization",
    happens: "AWS Backup copies between accounts of one organization alone. One of the accounts left it, or never was in it.",
    found: "Each account is asked for its organization.",
    also: ADMITTED,
    rank: Some(80),
    families: &[Family::Vault, Family::Key],
    deny: None,
    remedy: Remedy::Advise,
    check: membership,
    unread: |facts| {
        facts.source_organization.unknown().is_some()
            || facts.destination_organization.unknown().is_some()
    },
    who: |case| case.organization_owner(),
    steps: membership_steps,
    console: |case| console::organization(case, "accounts"),
    page: Pages::One(page::ACROSS_ACCOUNTS),
};

pub(super) static FEATURE_OFF: Entry = Entry {
    slug: "cross-account-backup-disabled",
    title: "Cross-account backup is off in the organization",
    happens: "The management account switches cross-account backup on for the whole organization. It is off.",
    found: "AWS Backup's global settings are read in the management account, where Copymend may.",
    also: ADMITTED,
    rank: Some(90),
    families: &[],
    deny: None,
    remedy: Remedy::Advise,
    check: feature_off,
    unread: |_| false,
    who: |case| case.organization_owner(),
    steps: feature_off_steps,
    console: |case| console::here(case, "backup", "/settings"),
    page: Pages::One(page::ACROSS_ACCOUNTS),
};

pub(super) static REGION_OPT_IN: Entry = Entry {
    slug: "region-opt-in",
    title: "The account is not enabled in the Region",
    happens: "The destination's Region is one that each account must enable first, or the account has not signed up for the \
        resource's service there.",
    found: "The message alone tells; Copymend reads nothing that could show or exclude it.",
    also: "A Region that is not enabled gives the same text.",
    rank: None,
    families: &[],
    deny: None,
    remedy: Remedy::Advise,
    check: message_alone,
    unread: |_| false,
    who: |case| {
        format!(
            "An administrator of the destination account {}",
            case.account()
        )
    },
    steps: region_opt_in_steps,
    console: |case| console::global(case, "billing/home#/account"),
    page: Pages::One(page::REGIONS),
};

fn membership(failure: &Failure, facts: &Facts) -> Finding {
    if !failure.is_cross_account() {
        return ruled_out(SAME_ACCOUNT);
    }
    match (&facts.source_organization, &facts.destination_organization) {
        (Fact::Known(None), _) => confirmed(format!(
            "account {} is in no organization",
            failure.job().account
        )),
        (_, Fact::Known(None)) => confirmed(format!(
            "account {} is in no organization",
            failure.destination_account()
        )),
        (Fact::Known(Some(source)), Fact::Known(Some(destination))) => {
            if source.id == destination.id {
                ruled_out(format!("both accounts are in {}", source.id))
            } else {
                confirmed(format!(
                    "the source is in {}, the destination in {}",
                    source.id, destination.id
                ))
            }
        }
        (Fact::Unknown(why), _) | (_, Fact::Unknown(why)) => unreadable(why),
    }
}

/// The flag matters between accounts alone (AWS Backup, "Creating backup copies across AWS accounts", documented).
fn feature_off(failure: &Failure, facts: &Facts) -> Finding {
    if !failure.is_cross_account() {
        return ruled_out(SAME_ACCOUNT);
    }
    match &facts.cross_account_backup {
        Fact::Unknown(why) => unreadable(why),
        Fact::Known(true) => ruled_out("cross-account backup is on"),
        Fact::Known(false) => confirmed("isCrossAccountBackupEnabled is false"),
    }
}

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

fn membership_steps(case: &Case<'_>) -> Vec<String> {
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
    steps
}

fn feature_off_steps(case: &Case<'_>) -> Vec<String> {
    let region = case.source_region();
    let from = case.in_management_account();
    vec![
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
    ]
}

fn region_opt_in_steps(case: &Case<'_>) -> Vec<String> {
    let (account, region) = (case.account(), case.region());
    vec![
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
    ]
}
