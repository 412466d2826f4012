//! Links to the pages of the AWS console that people should start from.
//!
//! Every part of a link is checked or escaped here, whatever its type promised before, so that no event can make a link that
//! leads elsewhere. The paths are those that AWS's documentation or public tools use (seen); a path that AWS moves leads to
//! the start page of the same console.

use std::fmt::Write as _;

use copymend_policy::Arn;

use super::case::Case;
use crate::cause::Cause;
use crate::features::Obstacle;
use crate::resource::{BackupVaultArn, KeyArn, RoleArn};

/// The console's domain. The partitions without one here have consoles that this project doesn't know.
fn domain(partition: &str) -> Option<&'static str> {
    match partition {
        "aws" => Some("console.aws.amazon.com"),
        "aws-cn" => Some("console.amazonaws.cn"),
        "aws-us-gov" => Some("console.amazonaws-us-gov.com"),
        _ => None,
    }
}

/// Whether a text is a single label of a host name, as every Region code is.
fn is_region(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
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

/// A page of a service that has a console in each Region. `place` is what follows the `#`, its names escaped.
fn regional(partition: &str, region: &str, service: &str, place: &str) -> Option<String> {
    let domain = domain(partition)?;
    is_region(region)
        .then(|| format!("https://{region}.{domain}/{service}/home?region={region}#{place}"))
}

/// A page of a service with one console for the partition.
fn global(partition: &str, path: &str) -> Option<String> {
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
    global(role.partition(), &path)
}

/// The page of an IAM policy.
fn policy(arn: &str) -> Option<String> {
    let parsed: Arn = arn.parse().ok()?;
    let is_policy = parsed.service() == "iam" && parsed.resource().starts_with("policy/");
    let path = format!("iam/home#/policies/details/{}", segment(arn));
    is_policy.then(|| global(parsed.partition(), &path))?
}

fn organizations(case: &Case<'_>, page: &str) -> Option<String> {
    global(case.partition(), &format!("organizations/v2/home/{page}"))
}

/// The page to start from for a cause.
pub(super) fn page(cause: Cause, failed: &Case<'_>) -> Option<String> {
    let event = failed.event();
    let partition = failed.partition();
    let here =
        |service: &str, place: &str| regional(partition, failed.source_region(), service, place);
    let there = |service: &str, place: &str| {
        let vault = &event.destination_vault;
        regional(vault.partition(), vault.region(), service, place)
    };
    let source_vault = || vault(&event.source_vault);
    match cause {
        Cause::DestinationVaultPolicy
        | Cause::DestinationVaultDeny
        | Cause::RetentionOutOfRange => vault(&event.destination_vault),
        Cause::DestinationVaultKey => failed
            .unusable_vault_key()
            .map_or_else(|| vault(&event.destination_vault), |found| key(&found.arn)),
        Cause::VaultNotFound => there("backup", "/backupvaults"),
        Cause::SourceKeyPolicy
        | Cause::KeyPolicy
        | Cause::SourceKeyDeny
        | Cause::SourceKeyState
        | Cause::KeyNotFound => failed.key().map_or_else(source_vault, key),
        Cause::CrossAccountBackupDisabled => here("backup", "/settings"),
        Cause::UnsupportedResourceType if failed.obstacle() == Some(Obstacle::BasicDynamoDb) => {
            here("backup", "/settings")
        }
        Cause::AwsManagedKey
        | Cause::UnsupportedResourceType
        | Cause::SourceNotFound
        | Cause::ContinuousBackup
        | Cause::TagLimit
        | Cause::Licensing
        | Cause::ScheduleWindow => source_vault(),
        Cause::JobRolePermission
        | Cause::CallerPermission
        | Cause::JobRoleTrust
        | Cause::SessionPolicy => role(failed.role()),
        Cause::JobRoleMissing => failed.job_role().map_or_else(
            || global(partition, "iam/home#/roles"),
            |found| role(&found.arn),
        ),
        Cause::PermissionsBoundary => failed
            .boundary()
            .and_then(policy)
            .or_else(|| role(failed.role())),
        Cause::ServiceLinkedRole => global(partition, "iam/home#/roles"),
        Cause::OrganizationMembership => organizations(failed, "accounts"),
        Cause::ServiceControlPolicy => organizations(failed, "policies/service-control-policy"),
        Cause::ResourceControlPolicy => organizations(failed, "policies/resource-control-policy"),
        Cause::TagPolicy => organizations(failed, "policies/tag-policy"),
        Cause::VpcEndpointPolicy => here("vpcconsole", "Endpoints:"),
        Cause::Quota => quotas(partition, failed.source_region()),
        Cause::AllowedAmis => there("ec2", "Settings:"),
        Cause::OptionGroup => there("rds", "option-groups-list:"),
        Cause::RegionOptIn => global(partition, "billing/home#/account"),
        Cause::ShareRevoked => here("cloudtrailv2", "/events?EventName=ModifySnapshotAttribute"),
        Cause::ShareCleanup => failed
            .snapshot()
            .and_then(|id| {
                here(
                    "ec2",
                    &format!("SnapshotDetails:snapshotId={}", segment(id)),
                )
            })
            .or_else(source_vault),
        Cause::Concurrency
        | Cause::Transient
        | Cause::ServiceFault
        | Cause::ResourceState
        | Cause::Unknown => here(
            "backup",
            &format!("/jobs/copy/details/{}", segment(&event.copy_job_id)),
        ),
    }
}

/// Service Quotas puts no Region behind its path.
fn quotas(partition: &str, region: &str) -> Option<String> {
    let domain = domain(partition)?;
    is_region(region)
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
