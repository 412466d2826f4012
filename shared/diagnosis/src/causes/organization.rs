//! The organization of the two accounts, and the Regions that an account may use.

use super::{ADMITTED, Entry, Family, Pages, Remedy, Shown, console, never, page, rules};
use crate::advice::{Case, step};
use copymend_policy::AccountId;

use crate::access::{KeyUser, users_of_source_key};
use crate::assess::{
    Checked, Finding, MESSAGE_ALONE, Verdict, across_accounts, confirmed, not_checkable, ruled_out,
    unreadable,
};
use crate::fact::Fact;
use crate::facts::{Facts, SourceKey, VaultKey};
use crate::features::needs_opt_in;
use crate::job::BackupCopy;
use crate::resource::KeyArn;

pub(super) static MEMBERSHIP: Entry = Entry {
    slug: "organization-membership",
    title: "The accounts are not in the same organization",
    happens: "AWS Backup copies between accounts of one organization alone. One of the accounts left it, or never was in it.",
    found: "Each account is asked for its organization.",
    also: ADMITTED,
    messages: rules! {
        // Documented: "Both source and destination account must be a member of the same
        // organization."
        First 40 ["same organization|same aws organization|same amazon organization\
             |same organisation|an organization|any organization|an aws organization\
             |your organization|the organization|an organisation", "must be a member|must be member\
             |must both be|must belong|must be in the same|must be part|must be within\
             |should be in the same|should be a member|not in the same|not in an org\
             |not in your org|not a member|not member|not a part of|not part of|not belong\
             |not within the same|need to be in the same|need to be member|have to be in the same\
             |outside of your org|outside your org|is outside the org|is outside of the org\
             |are outside the org|are outside of the org|no longer a member|not both in\
             |not both member"]
            => "The message says that the accounts are not in the same organization.";
        // Seen: error code and text of AWS Organizations.
        First 50 ["awsorganizationsnotinuse|different organizations|different aws organizations\
             |organizations not in use"]
            => "The message says that an account is in no organization, or in another one.";
    },
    shown: Shown::ByFacts(80, membership, |_, facts| {
        facts.source_organization.unknown().is_some()
            || facts.destination_organization.unknown().is_some()
    }),
    families: &[Family::Vault, Family::Key],
    remedy: Remedy::Advise,
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
    messages: rules! {
        // Documented: "Cross-account copy feature is not enabled for the current organization."
        First 60 ["cross-account copy|cross account copy|cross-account backup|cross account backup",
            "copy feature is disabled|backup feature is disabled|copy is not enabled\
             |backup is not enabled|copy is disabled|backup is disabled|feature is not enabled\
             |copy has not been enabled|backup has not been enabled|feature has not been enabled\
             |backup is turned off|copy is turned off|feature is turned off\
             |feature is not turned on|backup is not turned on|not enabled for the current org\
             |not enabled for your org|not enabled for the org|not enabled for this org\
             |not enabled in your org|not enabled in the org|must be enabled|must be turned on\
             |is not enabled in the management account|is not enabled by the management account"]
            => "The message says that cross-account backup is off in the organization.";
        First 70 ["feature is not enabled for the current org|iscrossaccountbackupenabled is false"]
            => "The message says that cross-account backup is off in the organization.";
    },
    shown: Shown::ByFacts(90, feature_off, never),
    families: &[],
    remedy: Remedy::Advise,
    who: |case| case.organization_owner(),
    steps: feature_off_steps,
    console: |case| console::here(case, "backup", "/settings"),
    page: Pages::One(page::ACROSS_ACCOUNTS),
};

pub(super) static REGION_OPT_IN: Entry = Entry {
    slug: "region-opt-in",
    title: "The account is not enabled in the Region",
    happens: "A Region is one that each account must enable first: the destination's, or that of a key, which another \
        account can use only where it has enabled the key's Region. Or the account has not signed up for the resource's service \
        in the destination's Region.",
    found: "The message tells. Which Regions an account has enabled is not read: where the source key is in such a Region \
        and the destination in another, or a logically air-gapped vault's key in one and the source in another, nothing excludes it.",
    also: "A Region that is not enabled gives the same text.",
    messages: rules! {
        // Documented: "The AWS Access Key Id needs a subscription for the service". Seen:
        // OptInRequired.
        First 270 ["needs a subscription for the service|need a subscription for the service\
             |optinrequired:|not subscribed to this service|not subscribed to the service\
             |region is not enabled|region not enabled|region is disabled|region disabled\
             |region that is not enabled|not opted in|not opted-in|opt in to the region\
             |opt-in region is|must opt in|is not enabled in region\
             |account is not enabled in the region|region has not been enabled\
             |regiondisabledexception"] not ["marketplace|kms key"]
            => "The account is not enabled in the Region.";
        // Inferred: "Region me-south-1 must be enabled". The names of Regions end in a digit.
        First 280 ["region must be enabled|-1 must be enabled|-2 must be enabled|-3 must be enabled\
             |-4 must be enabled|-5 must be enabled|-6 must be enabled|-7 must be enabled",
            "region"]
            not ["kms key|feature|cross-account|cross account|cross-region|in region|in the region\
                 |protection"] => "The account is not enabled in the Region.";
        // Seen: what a Region that is not enabled answers.
        First 290 ["security token included in the request is invalid|unrecognizedclientexception\
             |not able to validate the provided access credentials"] or [Transient]
            => "A Region that is not enabled does not know the account's credentials.";
    },
    // After what the key itself may be, before its policy: who is not enabled in the key's Region
    // can't use the key, whatever its policy says.
    shown: Shown::ByFacts(
        185,
        |copy, facts| Ok(region_opt_in(copy, facts)),
        |copy, facts| !keys_in_opt_in_regions(copy, facts).is_empty(),
    ),
    families: &[Family::Key],
    remedy: Remedy::Advise,
    who: |case| {
        let which = if is_region_of_source(case) {
            "source"
        } else {
            "destination"
        };
        let (account, _) = account_and_region(case);
        format!("An administrator of the {which} account {account}")
    },
    steps: region_opt_in_steps,
    console: |case| console::global(case, "billing/home#/account"),
    page: Pages::One(page::REGIONS),
};

fn membership(copy: &BackupCopy, facts: &Facts) -> Checked {
    across_accounts(copy)?;
    Ok(
        match (&facts.source_organization, &facts.destination_organization) {
            (Fact::Known(None), _) => {
                confirmed(format!("account {} is in no organization", copy.account))
            }
            (_, Fact::Known(None)) => confirmed(format!(
                "account {} is in no organization",
                copy.destination_account
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
        },
    )
}

/// The flag matters between accounts alone (AWS Backup, "Creating backup copies across AWS
/// accounts", documented).
fn feature_off(copy: &BackupCopy, facts: &Facts) -> Checked {
    across_accounts(copy)?;
    Ok(if *facts.cross_account_backup.read()? {
        ruled_out("cross-account backup is on")
    } else {
        confirmed("isCrossAccountBackupEnabled is false")
    })
}

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
    let mut steps = vec![
        step!("Run this in account {source} and in account {destination}; both must show the same id";
            "aws organizations describe-organization --query Organization.Id --output text"),
    ];
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
            step!("Account {account} is in no organization. If it should belong to yours, invite it, {}",
                case.in_management_account();
                "aws organizations invite-account-to-organization --target Id={account},Type=ACCOUNT"),
            step!("Accept the invitation in account {account}";
                "HANDSHAKE=$(aws organizations list-handshakes-for-account --query 'Handshakes[0].Id' --output text)\n\
                 aws organizations accept-handshake --handshake-id $HANDSHAKE"),
        ]);
    }
    steps.push(case.start_again());
    steps
}

fn feature_off_steps(case: &Case<'_>) -> Vec<String> {
    let region = case.source_region();
    let from = case.in_management_account();
    vec![
        step!("Look at isCrossAccountBackupEnabled, {from}; no other account can read and set it";
            "aws backup describe-global-settings --region {region}"),
        step!("Turn cross-account backup on, {from}";
            "aws backup update-global-settings --region {region} --global-settings isCrossAccountBackupEnabled=true"),
        case.start_again_with(
            "Wait 15 minutes, the time a change may take, then start the copy again",
        ),
    ]
}

/// A key that a principal of another account uses in a Region that each account must enable first.
pub(crate) struct KeyInOptInRegion<'f> {
    /// Which key it is, in words.
    pub(crate) what: &'static str,
    /// The Region.
    pub(crate) region: &'f str,
    /// The account of the principal.
    pub(crate) user: AccountId,
    /// Whether the copy is known to make a principal of that account use the key.
    pub(crate) is_certain: bool,
}

/// Keys that a copy uses where nothing shows that the user's account has enabled the Region: an
/// account can use a key of another account only where it has enabled the key's Region (AWS KMS,
/// "Allowing users in other accounts to use a KMS key", documented). That an
/// account has enabled the Regions that its vaults are in is (inferred): nobody of it could reach
/// them else (Account Management API reference, `DisableRegion`, documented).
pub(crate) fn keys_in_opt_in_regions<'f>(
    copy: &'f BackupCopy,
    facts: &'f Facts,
) -> Vec<KeyInOptInRegion<'f>> {
    if !copy.is_cross_account() {
        return Vec::new();
    }
    let home = copy.destination_vault.region();
    let is_open = |key: Option<&KeyArn>, region: &str, user: AccountId, own: &str| {
        needs_opt_in(region)
            && region != own
            && key.is_none_or(|key| key.account_id() != Some(user))
    };
    let mut keys = Vec::new();
    let source_key = match &facts.source_key {
        SourceKey::NotEncrypted => None,
        SourceKey::Unknown(_) if facts.is_source_key_owned_by_aws(copy) => None,
        SourceKey::Unknown(_) => Some((None, copy.region.as_str())),
        SourceKey::Key(key) => Some((Some(&key.arn), key.arn.region())),
    };
    let by_destination = users_of_source_key(copy, facts)
        .into_iter()
        .find(|(user, _)| *user == KeyUser::ServiceLinkedRole);
    if let Some((key, region)) = source_key
        && let Some((_, is_certain)) = by_destination
        && is_open(key, region, copy.destination_account, home)
    {
        keys.push(KeyInOptInRegion {
            what: "the source key",
            region,
            user: copy.destination_account,
            is_certain: key.is_some() && is_certain,
        });
    }
    let vault_key = match &facts.vault_key {
        VaultKey::None if facts.enters_air_gapped_vault().is_some() => None,
        VaultKey::None | VaultKey::Unknown(_) => Some((None, home)),
        VaultKey::Key(key) => Some((Some(&key.arn), key.arn.region())),
    };
    if let Some((key, region)) = vault_key
        && facts.enters_air_gapped_vault() != Some(false)
        && is_open(key, region, copy.account, &copy.region)
    {
        keys.push(KeyInOptInRegion {
            what: "the destination vault's key",
            region,
            user: copy.account,
            is_certain: key.is_some() && facts.is_into_air_gapped_vault(),
        });
    }
    keys
}

fn region_opt_in(copy: &BackupCopy, facts: &Facts) -> Finding {
    let keys = keys_in_opt_in_regions(copy, facts);
    if keys.is_empty() {
        return not_checkable(MESSAGE_ALONE);
    }
    let sentence = |key: &KeyInOptInRegion<'_>| {
        format!(
            "{} is in {}, which each account must enable first; whether account {} has is not read",
            key.what, key.region, key.user
        )
    };
    (Verdict::NotCheckable, keys.iter().map(sentence).collect())
}

/// Whether the source account must enable the Region: of a logically air-gapped vault's key, which
/// the job role uses.
fn is_region_of_source(case: &Case<'_>) -> bool {
    case.facts().is_some_and(Facts::is_into_air_gapped_vault)
        && case.is_cross_account()
        && case.is_cross_region()
        && needs_opt_in(case.region())
}

/// Who must enable which Region.
fn account_and_region<'c>(case: &Case<'c>) -> (&'c str, &'c str) {
    if is_region_of_source(case) {
        return (case.source_account(), case.region());
    }
    let of_key = case
        .key()
        .map(KeyArn::region)
        .filter(|region| needs_opt_in(region));
    let region = of_key
        .filter(|_| case.is_cross_account() && !needs_opt_in(case.region()))
        .unwrap_or_else(|| case.region());
    (case.account(), region)
}

fn region_opt_in_steps(case: &Case<'_>) -> Vec<String> {
    let (account, region) = account_and_region(case);
    vec![
        step!("See whether the account may use the Region";
            "aws account get-region-opt-status --region-name {region}"),
        step!("Enable the Region, if it is disabled; this takes minutes to hours";
            "aws account enable-region --region-name {region}"),
        format!(
            "If the Region is enabled, open the console of the resource's own service in account {account}, Region {region}: the \
                 account may not have signed up for that service."
        ),
        case.start_again(),
    ]
}
