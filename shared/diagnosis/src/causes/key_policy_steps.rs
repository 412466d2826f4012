//! What people do about the policy of a key.

use copymend_policy::{KeyGrant, KeyProfile, PolicyDocument, PolicyOwner};

use super::vault_policy::as_json;
use super::{page, service_linked_role};
use crate::advice::standing::{except_from_deny, first_in, with_free_sid};
use crate::advice::stored::{putters, to_clean};
use crate::advice::{Case, add_each, step};
use crate::fact::Fact;
use crate::facts::BackupVault;
use crate::features::needs_opt_in;
use crate::resource::KeyArn;

pub(super) fn policy_steps(case: &Case<'_>) -> Vec<String> {
    if let Some(step) = case.other_partition() {
        return vec![step];
    }
    if !case.is_cross_account() || is_into_air_gapped_vault(case) {
        return job_role_steps(case);
    }
    let mut steps = before_all(case);
    let role_is_missing = case
        .facts()
        .is_some_and(|facts| matches!(facts.service_linked_role, Fact::Known(None)));
    if role_is_missing {
        steps.push(service_linked_role::create(case));
    }
    let leaves_air_gapped = case.facts().is_some_and(|facts| {
        let vault = facts.source_vault.known().and_then(Option::as_ref);
        vault.is_some_and(BackupVault::is_logically_air_gapped)
    });
    if case.is_fully_managed() && !leaves_air_gapped {
        steps.push(format!(
            "This type is encrypted with the key of the source vault. Which principal of account {} uses that key is not \
             documented, so Copymend does not edit this policy by itself; AWS's published list admits the whole account.",
            case.account()
        ));
    }
    steps.extend(region_of_key(case));
    steps.push(save_policy(case));
    let standing = standing_policy(case);
    steps.extend(standing.map_or_else(Vec::new, |policy| first_in(policy, true)));
    let statements = if leaves_air_gapped {
        Vec::new()
    } else {
        statements(case)
    };
    if leaves_air_gapped {
        steps.push(format!(
            "The backup is in a logically air-gapped vault. Its key is used by the job role {}, and by AWSServiceRoleForBackup of \
             account {}. Let each of them that the policy does not admit use the key: kms:Encrypt, kms:Decrypt, kms:ReEncrypt*, \
             kms:GenerateDataKey*, kms:DescribeKey, and kms:CreateGrant if kms:GrantIsForAWSResource is true. Admit nobody else of \
             these accounts, and change nothing else in policy.json.",
            case.role_shown(),
            case.account()
        ));
    } else if statements.is_empty() {
        steps.push(format!(
            "Let AWSServiceRoleForBackup of account {} use the key: kms:DescribeKey, kms:ReEncryptFrom, \
             kms:GenerateDataKeyWithoutPlaintext, kms:ListGrants, and kms:CreateGrant if kms:GrantIsForAWSResource is true. Change \
             nothing else in policy.json.",
            case.account()
        ));
    }
    let add = "Add this to the list `Statement` of policy.json, and change nothing else";
    steps.extend(add_each(add, &statements));
    steps.extend(put_as(case));
    steps.extend([write_policy(case), case.start_again_once_it_counts()]);
    steps
}

/// What must be done before anything is written, or instead.
fn before_all(case: &Case<'_>) -> Vec<String> {
    let (Some(key), Some(policy)) = (case.key(), standing_policy(case)) else {
        return Vec::new();
    };
    let support = putters(policy).support(key.arn().account()).into_iter();
    support.chain(to_clean(policy, PolicyOwner::Key)).collect()
}

/// As whom the policy is written back, where it isn't as anybody of the account whom IAM lets.
fn put_as(case: &Case<'_>) -> Option<String> {
    putters(standing_policy(case)?).put_as()
}

fn is_into_air_gapped_vault(case: &Case<'_>) -> bool {
    case.destination_vault()
        .is_some_and(BackupVault::is_logically_air_gapped)
}

/// Into a logically air-gapped vault the job role uses the key (AWS Backup, "Logically air-gapped
/// vaults", documented). Inside an account it is not documented who does; AWS's advice on the
/// message is to admit the job role (AWS Backup, "Troubleshooting", documented).
fn job_role_steps(case: &Case<'_>) -> Vec<String> {
    let mut steps = before_all(case);
    steps.extend([
        save_policy(case),
        format!(
            "Let the job role {} use the key: kms:DescribeKey, kms:Decrypt, kms:GenerateDataKey, and kms:CreateGrant if \
                 kms:GrantIsForAWSResource is true. Change nothing else in policy.json.",
            case.role_shown()
        ),
    ]);
    steps.extend(put_as(case));
    steps.extend([write_policy(case), case.start_again_once_it_counts()]);
    steps
}

pub(super) fn same_account_page(case: &Case<'_>) -> Option<&'static str> {
    (!case.is_cross_account()).then_some(page::TROUBLESHOOTING)
}

pub(super) fn deny_steps(case: &Case<'_>) -> Vec<String> {
    let role = case
        .service_linked_role()
        .filter(|_| !is_into_air_gapped_vault(case))
        .or_else(|| is_into_air_gapped_vault(case).then(|| case.role().to_string()))
        .unwrap_or_else(|| format!("AWSServiceRoleForBackup of account {}", case.account()));
    let mut steps = before_all(case);
    steps.extend([
            save_policy(case),
            "Find the Deny that matches the copy; the report's evidence quotes it. Someone put it there on purpose: ask its author \
             first. Copymend never changes a Deny."
                .to_owned(),
            format!(
                "If the copy should be allowed, except this role from that Deny: {}",
                except_from_deny(standing_policy(case), &format!("`{role}`"))
            ),
    ]);
    steps.extend(put_as(case));
    steps.extend([write_policy(case), case.start_again()]);
    steps
}

/// The key's policy, where it was read.
fn standing_policy<'c>(case: &Case<'c>) -> Option<&'c PolicyDocument> {
    case.key_facts()?.policy.known()
}

/// Credentials of AWS STS's global endpoint don't count in a Region that an account must enable
/// first (IAM user guide, "Manage AWS STS in an AWS Region", documented).
fn region_of_key(case: &Case<'_>) -> Option<String> {
    let key = case.key()?;
    let region = key.region();
    needs_opt_in(region).then(|| {
        step!("Region {region}, where the key is, must be enabled in account {} and in account {}, and calls there need credentials of AWS \
             STS's regional endpoint (AWS_STS_REGIONAL_ENDPOINTS=regional). See in each whether it is", key.arn().account(), case.account();
            "aws account get-region-opt-status --region-name {region}")
    })
}

fn save_policy(case: &Case<'_>) -> String {
    match case.key() {
        Some(key) => step!("Save the key policy";
            "aws kms get-key-policy --key-id {key} --policy-name default --region {} --query Policy --output text > \
             policy.json", key.region()),
        None => case.look_at_recovery_point(
            "Find the key of the backup (EncryptionKeyArn), then save its policy `default` with aws kms get-key-policy as policy.json",
        ),
    }
}

fn write_policy(case: &Case<'_>) -> String {
    match case.key() {
        Some(key) => step!("Write the policy back, in the account that owns the key";
            "aws kms put-key-policy --key-id {key} --policy-name default --region {} --policy file://policy.json",
            key.region()),
        None => {
            "Write policy.json back with aws kms put-key-policy, in the account that owns the key."
                .to_owned()
        }
    }
}

/// The statements that a repair would add, each on one line. Empty without a verified job.
fn statements(case: &Case<'_>) -> Vec<String> {
    let partition = case.key().map(KeyArn::partition);
    let statements = partition.map_or_else(Vec::new, |partition| statements_in(partition, case));
    let free = |text: &String| {
        let statement = serde_json::from_str(text).ok()?;
        Some(with_free_sid(standing_policy(case), statement).to_string())
    };
    statements.iter().filter_map(free).collect()
}

/// The statements that let the destination account use a key for this copy, each on one line.
pub(crate) fn statements_in(partition: &str, case: &Case<'_>) -> Vec<String> {
    let Some(destination_account) = case.event().destination_vault.account_id() else {
        return Vec::new();
    };
    let service = case.via_service();
    let grant = KeyGrant {
        partition: partition.to_owned(),
        destination_account,
        // Through which service a fully managed type uses the key is not documented.
        profile: match service {
            Some(_) => KeyProfile::LeastPrivilege,
            None => KeyProfile::Documented,
        },
        via_services: service.into_iter().collect(),
        organization_id: case
            .destination_organization()
            .map(|organization| organization.id.clone()),
    };
    let statements = grant.statements().unwrap_or_default();
    let shown = statements.iter().filter_map(as_json);
    shown.map(|json| json.to_string()).collect()
}
