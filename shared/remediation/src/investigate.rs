//! Collects the facts of a verified failure: two rounds of reads, each round in parallel. What a
//! service control policy or a permissions boundary hides takes one more for each, and so do the keys
//! that the job role uses itself.

use std::fmt::Display;

use copymend_diagnosis::features::{is_fully_managed, via_service};
use copymend_diagnosis::{
    BackupCopy, BackupVault, BackupVaultArn, Fact, Facts, ImageKeys, KeyArn, KeyFacts,
    Organization, RecoveryPoint, SourceKey, TagPolicy, UnknownReason, VaultKey, WhyUnknown,
    led_by_key_in_the_way,
};
use copymend_policy::{Arn, PolicyDocument, ViaService};
use futures_util::future::join_all;

use crate::places::{path_of, read_parents, read_recovery_point_tags};
use crate::ports::{
    Backup, CallResult, Clock as _, Identities, Images, Keys, Location, Organizations, Reads,
};
use crate::simulate::{Known, job_role_access, job_role_keys};

/// The name of AWS Backup's service-linked role.
pub const SERVICE_LINKED_ROLE: &str = "AWSServiceRoleForBackup";

/// Reads side by side, each answer beside the name that it gets.
macro_rules! read_at_once {
    ($($name:ident: $read:expr),* $(,)?) => {
        let ($($name,)*) = tokio::join!($($read),*);
    };
}

/// Reads everything that a diagnosis may need. Never fails: what can't be read is an unknown fact.
pub async fn investigate<E: Reads>(environment: &E, copy: &BackupCopy) -> Facts {
    let vault = &copy.destination_vault;
    let backup = environment.backup();
    let identities = environment.identities();
    let organizations = environment.organizations();
    let source = Location::new(copy.account, &copy.region);
    let destination_account = copy.destination_account;
    read_at_once! {
        recovery_point: backup.describe_recovery_point(
            &source,
            copy.source_vault.name(),
            &copy.source_recovery_point
        ),
        source_vault: backup.describe_backup_vault(&copy.source_vault),
        source_vault_policy: backup.get_backup_vault_access_policy(&copy.source_vault),
        destination_vault: backup.describe_backup_vault(vault),
        vault_policy: backup.get_backup_vault_access_policy(vault),
        vault_tags: backup.list_vault_tags(vault),
        source_organization: organizations.describe_organization(copy.account, vault.partition()),
        destination_organization:
            organizations.describe_organization(destination_account, vault.partition()),
        service_linked_role:
            identities.get_role(destination_account, vault.partition(), SERVICE_LINKED_ROLE),
        job_role: identities.get_role(copy.account, copy.role.partition(), copy.role.name()),
        recovery_point_tags: read_recovery_point_tags(environment, copy, &source),
        tag_policy: organizations.effective_tag_policy(destination_account, vault.partition()),
        of_image: read_image(environment, copy, &source),
        parents: read_parents(environment, copy),
    }

    let recovery_point = fact(recovery_point);
    let source_vault = fact(source_vault);
    let destination_vault = fact(destination_vault);
    let named = which_source_key(copy, &recovery_point, &source_vault);
    let source_organization = fact(source_organization);
    let source_organization_path = path_of(&source_organization, parents);
    let destination_organization = fact(destination_organization);
    let vault_tags = fact(vault_tags);
    let job_role = fact(job_role);
    let known = Known {
        source_organization: &source_organization,
        destination_organization: &destination_organization,
        recovery_point_tags: &recovery_point_tags,
        vault_tags: &vault_tags,
    };
    let owners = Owners {
        copy,
        source_organization: &source_organization,
        destination_organization: &destination_organization,
    };
    let (
        (source_key, image_keys),
        vault_key,
        service_default_key,
        job_role_access,
        cross_account_backup,
    ) = tokio::join!(
        read_source_keys(environment, named, of_image, owners),
        read_vault_key(environment, &destination_vault, owners),
        read_service_default_key(environment, copy, &destination_vault),
        job_role_access(identities, copy, &job_role, known),
        read_global_settings(environment, &source, &source_organization),
    );

    let mut facts = Facts {
        lifecycle: copy.lifecycle.clone(),
        read_at: environment.clock().now(),
        recovery_point,
        source_key,
        image_keys,
        source_vault,
        source_vault_policy: vault_policy_fact(&copy.source_vault, source_vault_policy),
        vault_policy: vault_policy_fact(&copy.destination_vault, vault_policy),
        destination_vault,
        vault_tags,
        vault_key,
        service_default_key,
        source_organization,
        source_organization_path,
        destination_organization,
        // A role of that name with another path is not the service-linked role: anyone can make
        // one.
        service_linked_role: match fact(service_linked_role) {
            Fact::Known(role) => Fact::Known(
                role.filter(|role| role.arn.path() == "/aws-service-role/backup.amazonaws.com/"),
            ),
            Fact::Unknown(why) => Fact::Unknown(why),
        },
        job_role,
        job_role_access,
        job_role_keys: Vec::new(),
        recovery_point_tags,
        tag_policy: parsed(
            "organizations:DescribeEffectivePolicy",
            destination_account.as_str(),
            tag_policy,
            TagPolicy::parse,
        ),
        cross_account_backup,
    };
    // Which keys the job role uses follows from all of that.
    facts.job_role_keys = Box::pin(job_role_keys(identities, copy, &facts)).await;
    led_by_key_in_the_way(copy, facts)
}

/// The settings can be read in the management account alone (AWS Backup API reference,
/// `DescribeGlobalSettings`, documented): a member account is refused (seen), and the refusal
/// stands in its CloudTrail. So the source's own account is asked only where no management account
/// is known.
async fn read_global_settings<E: Reads>(
    environment: &E,
    source: &Location,
    organization: &Fact<Option<Organization>>,
) -> Fact<bool> {
    let management = organization
        .known()
        .and_then(Option::as_ref)
        .and_then(|organization| organization.management_account);
    let location = Location::new(management.unwrap_or(source.account), &source.region);
    let backup = environment.backup();
    fact(backup.is_cross_account_backup_enabled(&location).await)
}

pub(crate) fn fact<T>(result: CallResult<T>) -> Fact<T> {
    match result {
        Ok(value) => Fact::Known(value),
        Err(error) => Fact::Unknown(error.into_unknown()),
    }
}

pub(crate) fn unknown(
    operation: &str,
    resource: &str,
    reason: UnknownReason,
    detail: impl Into<String>,
) -> WhyUnknown {
    WhyUnknown {
        operation: operation.to_owned(),
        resource: resource.to_owned(),
        reason,
        detail: detail.into(),
    }
}

/// A policy as a fact. One that can't be parsed is unknown, not absent.
fn parsed<T, E: Display>(
    operation: &str,
    resource: &str,
    answer: CallResult<Option<String>>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Fact<Option<T>> {
    match answer.map(|text| text.as_deref().map(parse).transpose()) {
        Ok(Ok(policy)) => Fact::Known(policy),
        Ok(Err(error)) => Fact::Unknown(unknown(
            operation,
            resource,
            UnknownReason::Unreadable,
            error.to_string(),
        )),
        Err(error) => Fact::Unknown(error.into_unknown()),
    }
}

/// The policy of a vault as a fact.
pub(crate) fn vault_policy_fact(
    vault: &BackupVaultArn,
    answer: CallResult<Option<String>>,
) -> Fact<Option<PolicyDocument>> {
    let operation = "backup:GetBackupVaultAccessPolicy";
    parsed(operation, vault.as_str(), answer, PolicyDocument::parse)
}

/// The key policy as a fact. A key that doesn't exist has no policy to reason about.
pub(crate) fn key_policy_fact(
    key: &KeyArn,
    answer: CallResult<Option<String>>,
) -> Fact<PolicyDocument> {
    let (operation, key) = ("kms:GetKeyPolicy", key.as_str());
    match parsed(operation, key, answer, PolicyDocument::parse) {
        Fact::Known(Some(policy)) => Fact::Known(policy),
        Fact::Known(None) => {
            let reason = UnknownReason::NotRead;
            Fact::Unknown(unknown(operation, key, reason, "the key does not exist"))
        }
        Fact::Unknown(why) => Fact::Unknown(why),
    }
}

enum WhichKey {
    NotEncrypted,
    Unknown(WhyUnknown),
    Key(KeyArn),
}

/// Fully managed types use the source vault's key, others the resource's. `DescribeRecoveryPoint`
/// names either; the message never decides which key is looked at, because anyone may have written
/// it.
fn which_source_key(
    copy: &BackupCopy,
    recovery_point: &Fact<Option<RecoveryPoint>>,
    source_vault: &Fact<Option<BackupVault>>,
) -> WhichKey {
    let operation = "backup:DescribeRecoveryPoint";
    let arn = copy.source_recovery_point.as_str();
    let not_read =
        |detail| WhichKey::Unknown(unknown(operation, arn, UnknownReason::NotRead, detail));
    let recovery_point = match recovery_point {
        Fact::Unknown(why) => return WhichKey::Unknown(why.clone()),
        Fact::Known(None) => return not_read("the recovery point does not exist"),
        Fact::Known(Some(recovery_point)) => recovery_point,
    };
    if recovery_point.is_encrypted == Some(false) {
        return WhichKey::NotEncrypted;
    }
    if let Some(key) = &recovery_point.encryption_key {
        return WhichKey::Key(key.clone());
    }
    if !is_fully_managed(&copy.source_recovery_point) {
        return not_read("the recovery point names no key");
    }
    match source_vault {
        Fact::Known(Some(vault)) => match vault.describable_key() {
            Some(key) => WhichKey::Key(key.clone()),
            None => not_read(
                "neither the recovery point nor its vault names a key that can be described",
            ),
        },
        Fact::Unknown(why) => WhichKey::Unknown(why.clone()),
        Fact::Known(None) => not_read("the recovery point names no key"),
    }
}

/// The organizations of the accounts that may own a key, as far as they were read.
#[derive(Clone, Copy)]
struct Owners<'a> {
    copy: &'a BackupCopy,
    source_organization: &'a Fact<Option<Organization>>,
    destination_organization: &'a Fact<Option<Organization>>,
}

/// Reads the key that AWS Backup names, and those of an image's other snapshots.
async fn read_source_keys<E: Reads>(
    environment: &E,
    named: WhichKey,
    of_image: OfImage,
    owners: Owners<'_>,
) -> (SourceKey, ImageKeys) {
    let read = |arn| read_key(environment, arn, owners);
    let (others, unknown) = match of_image {
        OfImage::NotApplicable => (Vec::new(), ImageKeys::NotApplicable),
        OfImage::Unknown(why) => (Vec::new(), ImageKeys::Unknown(why)),
        OfImage::Keys(keys) => (keys, ImageKeys::Others(Vec::new())),
    };
    let mut others = others.into_iter();
    let named = match named {
        WhichKey::Key(arn) => Ok(arn),
        // The snapshots tell what AWS Backup doesn't.
        WhichKey::NotEncrypted => others.next().ok_or(SourceKey::NotEncrypted),
        WhichKey::Unknown(why) => others.next().ok_or(SourceKey::Unknown(why)),
    };
    let named = match named {
        Ok(named) => named,
        Err(source_key) => return (source_key, unknown),
    };
    let others: Vec<KeyArn> = others.filter(|key| *key != named).collect();
    let (source_key, others) = tokio::join!(read(named), join_all(others.into_iter().map(read)));
    let image_keys = match unknown {
        ImageKeys::Others(_) => ImageKeys::Others(others),
        ImageKeys::NotApplicable | ImageKeys::Unknown(_) => unknown,
    };
    (SourceKey::Key(Box::new(source_key)), image_keys)
}

async fn read_vault_key<E: Reads>(
    environment: &E,
    vault: &Fact<Option<BackupVault>>,
    owners: Owners<'_>,
) -> VaultKey {
    match vault {
        Fact::Unknown(why) => VaultKey::Unknown(why.clone()),
        Fact::Known(None) => VaultKey::None,
        Fact::Known(Some(vault)) => match vault.describable_key() {
            None => VaultKey::None,
            Some(key) => VaultKey::Key(Box::new(read_key(environment, key.clone(), owners).await)),
        },
    }
}

async fn read_key<E: Reads>(environment: &E, arn: KeyArn, owners: Owners<'_>) -> KeyFacts {
    let keys = environment.keys();
    let copy = owners.copy;
    // A key of a third account has an organization of its own.
    let owner_organization = async {
        match arn.account_id() {
            Some(owner) if owner == copy.account => owners.source_organization.clone(),
            Some(owner) if owner == copy.destination_account => {
                owners.destination_organization.clone()
            }
            Some(owner) => {
                let organizations = environment.organizations();
                fact(
                    organizations
                        .describe_organization(owner, arn.partition())
                        .await,
                )
            }
            None => Fact::Known(None),
        }
    };
    read_at_once! {
        key: keys.describe_key(&arn),
        policy: keys.get_key_policy(&arn),
        policy_names: keys.list_key_policies(&arn),
        tags: keys.list_key_tags(&arn),
        organization: owner_organization,
    }
    KeyFacts {
        key: fact(key),
        policy: key_policy_fact(&arn, policy),
        policy_names: fact(policy_names),
        tags: fact(tags),
        organization,
        arn,
    }
}

/// What Amazon EC2 tells of the keys of an image.
enum OfImage {
    NotApplicable,
    Unknown(WhyUnknown),
    Keys(Vec<KeyArn>),
}

/// An image can hold several snapshots under several keys, of which `DescribeRecoveryPoint` names
/// one.
async fn read_image<E: Reads>(environment: &E, copy: &BackupCopy, source: &Location) -> OfImage {
    let point = &copy.source_recovery_point;
    if !is_image(point) {
        return OfImage::NotApplicable;
    }
    let not_read = |detail| {
        let (operation, reason) = ("ec2:DescribeImages", UnknownReason::NotRead);
        OfImage::Unknown(unknown(operation, point.as_str(), reason, detail))
    };
    let Some(images) = environment.images() else {
        return not_read("ReadImages (COPYMEND_READ_IMAGES) would let its snapshots be read");
    };
    match images.image_keys(source, point).await {
        Ok(Some(keys)) => OfImage::Keys(keys),
        Ok(None) => not_read("the image does not exist"),
        Err(error) => OfImage::Unknown(error.into_unknown()),
    }
}

/// Whether a recovery point is an image, which AWS Backup makes of instances of Amazon EC2.
fn is_image(point: &Arn) -> bool {
    point.service() == "ec2" && point.resource().starts_with("image/")
}

/// Inside an account a copy may be under the AWS managed key of its type's service, and no other:
/// which key that is, its alias alone tells.
async fn read_service_default_key<E: Reads>(
    environment: &E,
    copy: &BackupCopy,
    vault: &Fact<Option<BackupVault>>,
) -> Option<Fact<Option<KeyArn>>> {
    let vault = vault.known()?.as_ref()?;
    if copy.is_cross_account() {
        return None;
    }
    let key = vault.describable_key()?;
    let name = match via_service(&copy.source_recovery_point)? {
        ViaService::Ec2 => "ebs",
        ViaService::Rds => "rds",
        ViaService::Fsx => "fsx",
    };
    let alias = format!(
        "arn:{}:kms:{}:{}:alias/aws/{name}",
        key.partition(),
        key.region(),
        key.arn().account()
    );
    let alias = alias.parse().ok()?;
    Some(fact(environment.keys().key_of_alias(&alias).await))
}
