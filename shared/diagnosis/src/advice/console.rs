//! Links to the pages of the AWS console that people should start from.
//!
//! Every part of a link is checked or escaped here, whatever its type promised before, so that no
//! event can make a link that leads elsewhere. The paths are those that AWS's documentation or
//! public tools use (seen); a path that AWS moves leads to the start page of the same console.

use std::fmt::Write as _;

use copymend_policy::Arn;

use super::case::Case;
use crate::features::Obstacle;
use crate::resource::{BackupVaultArn, KeyArn, RoleArn, is_region};

/// The console's domain. The partitions without one here have consoles that this project doesn't
/// know.
fn domain(partition: &str) -> Option<&'static str> {
    match partition {
        "aws" => Some("console.aws.amazon.com"),
        "aws-cn" => Some("console.amazonaws.cn"),
        "aws-us-gov" => Some("console.amazonaws-us-gov.com"),
        _ => None,
    }
}

/// Whether a text is a single label of a host name, as every Region code is.
fn is_label(text: &str) -> bool {
    is_region(text) && !text.starts_with('-') && !text.ends_with('-')
}

/// A name inside a link: what a link could be made of is escaped.
fn segment(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// A page of a service that has a console in each Region. `place` is what follows the `#`, its
/// names escaped.
pub(crate) fn regional(
    partition: &str,
    region: &str,
    service: &str,
    place: &str,
) -> Option<String> {
    let domain = domain(partition)?;
    is_label(region)
        .then(|| format!("https://{region}.{domain}/{service}/home?region={region}#{place}"))
}

/// A page of a service with one console for the partition.
fn in_partition(partition: &str, path: &str) -> Option<String> {
    Some(format!("https://{}/{path}", domain(partition)?))
}

fn vault(vault: &BackupVaultArn) -> Option<String> {
    let name = vault.name();
    // AWS's samples show names that its API refuses; a page of their own they don't have.
    let place = if name.contains(['/', '.']) {
        "/backupvaults".to_owned()
    } else {
        format!("/backupvaults/details/{}", segment(name))
    };
    regional(vault.partition(), vault.region(), "backup", &place)
}

fn key(key: &KeyArn) -> Option<String> {
    let id = key.arn().resource().strip_prefix("key/")?;
    let place = format!("/kms/keys/{}", segment(id));
    regional(key.partition(), key.region(), "kms", &place)
}

fn role(role: &RoleArn) -> Option<String> {
    let path = format!("iam/home#/roles/details/{}", segment(role.name()));
    in_partition(role.partition(), &path)
}

/// The page of an IAM policy.
fn policy(arn: &str) -> Option<String> {
    let parsed: Arn = arn.parse().ok()?;
    let is_policy = parsed.service() == "iam" && parsed.resource().starts_with("policy/");
    let path = format!("iam/home#/policies/details/{}", segment(arn));
    is_policy.then(|| in_partition(parsed.partition(), &path))?
}

/// A page of a service in the Region that the copy comes from.
pub(crate) fn here(case: &Case<'_>, service: &str, place: &str) -> Option<String> {
    regional(case.partition(), case.source_region(), service, place)
}

/// A page of a service in the Region that the copy goes to.
pub(crate) fn there(case: &Case<'_>, service: &str, place: &str) -> Option<String> {
    let vault = &case.event().destination_vault;
    regional(vault.partition(), vault.region(), service, place)
}

/// A page of a service with one console.
pub(crate) fn global(case: &Case<'_>, path: &str) -> Option<String> {
    in_partition(case.partition(), path)
}

pub(crate) fn organization(case: &Case<'_>, page: &str) -> Option<String> {
    global(case, &format!("organizations/v2/home/{page}"))
}

pub(crate) fn source_vault(case: &Case<'_>) -> Option<String> {
    vault(&case.event().source_vault)
}

/// The settings of AWS Backup where they are what stands in the way of the copy.
pub(crate) fn source_vault_or_settings(case: &Case<'_>) -> Option<String> {
    if case.obstacle() == Some(Obstacle::BasicDynamoDb) {
        here(case, "backup", "/settings")
    } else {
        source_vault(case)
    }
}

pub(crate) fn destination_vault(case: &Case<'_>) -> Option<String> {
    vault(&case.event().destination_vault)
}

/// The destination vault's key where it can't be used.
pub(crate) fn vault_key(case: &Case<'_>) -> Option<String> {
    match case.unusable_vault_key() {
        Some(found) => key(&found.arn),
        None => destination_vault(case),
    }
}

/// The key of the backup where it is known.
pub(crate) fn source_key(case: &Case<'_>) -> Option<String> {
    case.key().map_or_else(|| source_vault(case), key)
}

pub(crate) fn job_role(case: &Case<'_>) -> Option<String> {
    role(case.role())
}

/// The role that IAM knows by the job role's name.
pub(crate) fn found_role(case: &Case<'_>) -> Option<String> {
    match case.job_role() {
        Some(found) => role(&found.arn),
        None => global(case, "iam/home#/roles"),
    }
}

pub(crate) fn boundary(case: &Case<'_>) -> Option<String> {
    case.boundary().and_then(policy).or_else(|| job_role(case))
}

pub(crate) fn snapshot(case: &Case<'_>) -> Option<String> {
    let page = |id| {
        let place = format!("SnapshotDetails:snapshotId={}", segment(id));
        here(case, "ec2", &place)
    };
    case.snapshot()
        .and_then(page)
        .or_else(|| source_vault(case))
}

pub(crate) fn job(case: &Case<'_>) -> Option<String> {
    let id = segment(&case.event().copy_job_id);
    here(case, "backup", &format!("/jobs/copy/details/{id}"))
}

/// Service Quotas puts no Region behind its path.
pub(crate) fn quotas(case: &Case<'_>) -> Option<String> {
    let (domain, region) = (domain(case.partition())?, case.source_region());
    is_label(region)
        .then(|| format!("https://{region}.{domain}/servicequotas/home/services/backup/quotas"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_have_consoles_of_their_own() {
        let vault_in = |partition: &str, region: &str| {
            let arn = format!("arn:{partition}:backup:{region}:444455556666:backup-vault:dr");
            vault(&arn.parse().unwrap())
        };
        assert_eq!(
            vault_in("aws", "eu-west-1").unwrap(),
            "https://eu-west-1.console.aws.amazon.com/backup/home?region=eu-west-1#/backupvaults/details/dr"
        );
        assert_eq!(
            vault_in("aws-cn", "cn-north-1").unwrap(),
            "https://cn-north-1.console.amazonaws.cn/backup/home?region=cn-north-1#/backupvaults/details/dr"
        );
        assert_eq!(
            vault_in("aws-us-gov", "us-gov-west-1").unwrap(),
            "https://us-gov-west-1.console.amazonaws-us-gov.com/backup/home?region=us-gov-west-1#/backupvaults/details/dr"
        );
        assert_eq!(vault_in("aws-iso", "us-iso-east-1"), None);
        assert_eq!(vault_in("aws-eusc", "eusc-de-east-1"), None);
    }

    #[test]
    fn no_part_of_a_link_can_lead_elsewhere() {
        for region in [
            "",
            "a.b",
            "evil.example/",
            "x@y",
            "-a",
            "a-",
            "EU",
            "a b",
            &"a".repeat(33),
        ] {
            assert_eq!(
                regional("aws", region, "backup", "/settings"),
                None,
                "{region:?}"
            );
        }
        assert_eq!(
            segment("a/b?c#d%e f\n@:+="),
            "a%2Fb%3Fc%23d%25e%20f%0A%40%3A%2B%3D"
        );
        assert_eq!(segment("\u{e9}"), "%C3%A9");
        let named = "arn:aws:iam::111122223333:role/team/Backup+Role@x"
            .parse()
            .unwrap();
        assert_eq!(
            role(&named).unwrap(),
            "https://console.aws.amazon.com/iam/home#/roles/details/Backup%2BRole%40x"
        );
    }

    #[test]
    fn only_policies_have_a_policy_page() {
        assert_eq!(
            policy("arn:aws-us-gov:iam::111122223333:policy/a/Limits").unwrap(),
            "https://console.amazonaws-us-gov.com/iam/home#/policies/details/arn%3Aaws-us-gov%3Aiam%3A%3A111122223333%3Apolicy%2Fa%2FLimits"
        );
        for refused in [
            "",
            "x",
            "arn:aws:iam::111122223333:role/x",
            "arn:aws:s3:::policy/x",
        ] {
            assert_eq!(policy(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_vault_name_that_the_api_refuses_leads_to_the_list_of_vaults() {
        let arn = "arn:aws:backup:us-west-2:111122223333:backup-vault:aws/efs/x"
            .parse()
            .unwrap();
        assert!(vault(&arn).unwrap().ends_with("#/backupvaults"));
    }
}
