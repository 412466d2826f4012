//! A message that names its cause keeps it: where everything that is read says otherwise, the cause
//! is not checkable, never ruled out and never absent.

use copymend_diagnosis::{Cause, Verdict};
use copymend_remediation::settings::Mode;
use copymend_sandbox::Sandbox;
use copymend_sandbox::editor::{Backup, Draft, Shape, VaultKind};
use serde_json::{Value, json};

use crate::matrix::messages::fail_with;
use crate::matrix::scene::{ROLE, Scene, broken_rule, handle};

const JOB_ROLE: &str = "arn:aws:sts::111122223333:assumed-role/BackupRole/AWSBackup-BackupRole";

/// What a message can name.
struct Names {
    point: String,
    vault: String,
    linked_role: String,
    source_key: Option<String>,
    vault_key: Option<String>,
}

impl Names {
    fn of(world: &Value) -> Self {
        let text = |pointer: &str| world.pointer(pointer).and_then(Value::as_str);
        let job = |field: &str| text(&format!("/copy_jobs/0/{field}")).unwrap().to_owned();
        let key_of = |vault: &str, of_point: &str| {
            let mut parts = vault.split(':').skip(3);
            let (region, account) = (parts.next().unwrap(), parts.next().unwrap());
            let name = vault.rsplit(':').next().unwrap();
            let pointer = format!("/accounts/{account}/regions/{region}/vaults/{name}");
            text(&format!("{pointer}{of_point}/encryption_key_arn"))
                .or_else(|| text(&format!("{pointer}/encryption_key_arn")))
                .map(ToOwned::to_owned)
        };
        let (source, vault) = (job("source_vault_arn"), job("destination_vault_arn"));
        let account = vault.split(':').nth(4).unwrap();
        Self {
            point: job("recovery_point_arn"),
            linked_role: format!(
                "arn:aws:sts::{account}:assumed-role/AWSServiceRoleForBackup/AWSBackup-Copy"
            ),
            source_key: key_of(&source, "/recovery_points/0"),
            vault_key: key_of(&vault, "/no_point"),
            vault,
        }
    }
}

/// A denial in IAM's grammar, of each kind of policy with and without a Deny.
fn denial(who: &str, action: &str, resource: &str, policy: &str, explicit: bool) -> String {
    let article = if policy.starts_with('i') { "an" } else { "a" };
    let why = if explicit {
        format!("with an explicit deny in {article} {policy}")
    } else {
        format!("because no {policy} allows the {action} action")
    };
    format!("User: {who} is not authorized to perform: {action} on resource: {resource} {why}")
}

/// The kinds of policies that aren't a resource's own, with the cause that each is.
const OTHER_POLICIES: [(&str, Cause); 6] = [
    ("identity-based policy", Cause::JobRolePermission),
    ("permissions boundary", Cause::PermissionsBoundary),
    ("service control policy", Cause::ServiceControlPolicy),
    ("resource control policy", Cause::ResourceControlPolicy),
    ("session policy", Cause::SessionPolicy),
    ("VPC endpoint policy", Cause::VpcEndpointPolicy),
];

const OF_KEYS: [&str; 6] = [
    "kms:DescribeKey",
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:ReEncryptFrom",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
];

/// Denials in IAM's grammar, with the cause that each names.
fn denials(names: &Names) -> Vec<(Cause, String)> {
    let Names { point, vault, .. } = names;
    let keys = [&names.source_key, &names.vault_key];
    let keys = keys.into_iter().flatten();
    let of_keys = keys.flat_map(|key| OF_KEYS.map(|action| (action, key)));
    let calls: Vec<(&str, &String)> = [
        ("backup:CopyIntoBackupVault", vault),
        ("backup:CopyFromBackupVault", point),
    ]
    .into_iter()
    .chain(of_keys)
    .collect();
    let mut denials = Vec::new();
    for (action, resource) in calls {
        for explicit in [false, true] {
            for (policy, cause) in OTHER_POLICIES {
                denials.push((cause, denial(JOB_ROLE, action, resource, policy, explicit)));
            }
        }
    }
    let mut of_resource = |cause, who: &str, action: &str, resource: &str, explicit| {
        let message = denial(who, action, resource, "resource-based policy", explicit);
        denials.push((cause, message));
    };
    let into = "backup:CopyIntoBackupVault";
    of_resource(Cause::DestinationVaultPolicy, JOB_ROLE, into, vault, false);
    of_resource(Cause::DestinationVaultDeny, JOB_ROLE, into, vault, true);
    let from = "backup:CopyFromBackupVault";
    of_resource(Cause::SourceVaultDeny, JOB_ROLE, from, point, true);
    for action in OF_KEYS {
        for who in [JOB_ROLE, &names.linked_role] {
            // What AWS's own role may not do by its own policy, no other policy decides.
            let is_own =
                who != JOB_ROLE && ["kms:Decrypt", "kms:GenerateDataKey"].contains(&action);
            if let Some(key) = &names.source_key {
                // The role of the key's own account uses the destination's keys.
                let is_of_owner = key.split(':').nth(4) == who.split(':').nth(4);
                if !is_own && (who == JOB_ROLE || !is_of_owner) {
                    of_resource(Cause::SourceKeyPolicy, who, action, key, false);
                }
                of_resource(Cause::SourceKeyDeny, who, action, key, true);
            }
            if let Some(key) = &names.vault_key {
                if !is_own {
                    of_resource(Cause::DestinationVaultKey, who, action, key, false);
                }
                of_resource(Cause::DestinationVaultKey, who, action, key, true);
            }
        }
    }
    denials
}

/// AWS's own words, and plain ones, each with the cause that it names.
const TEXTS: [(Cause, &str); 24] = [
    (
        Cause::DestinationVaultPolicy,
        "The destination vault's access policy does not allow the copy into it.",
    ),
    (
        Cause::DestinationVaultDeny,
        "The copy was denied by the destination vault's access policy.",
    ),
    (
        Cause::SourceVaultDeny,
        "The source vault's access policy denies backup:CopyFromBackupVault.",
    ),
    (
        Cause::SourceKeyPolicy,
        "The key policy of the source key does not allow the use of the key.",
    ),
    (
        Cause::SourceKeyDeny,
        "The use of the key was denied by the key policy.",
    ),
    (
        Cause::SourceKeyState,
        "KMSInvalidStateException: the KMS key of the snapshot is pending deletion.",
    ),
    (Cause::KeyNotFound, "Given key ID does not exist"),
    (
        Cause::AwsManagedKey,
        "Snapshots encrypted with the AWS managed key can't be shared. Specify another snapshot.",
    ),
    (
        Cause::AwsManagedKey,
        "Encrypted snapshots with Amazon EBS default key cannot be shared",
    ),
    (
        Cause::DestinationVaultKey,
        "Copy job failed because the destination Backup vault is encrypted with the default Backup service managed key. The contents of this vault cannot be copied.",
    ),
    (
        Cause::DestinationVaultKey,
        "Must specify new KMS key for cross region encrypted snapshot copy.",
    ),
    (
        Cause::OrganizationMembership,
        "Copy job failed. Both source and destination account must be a member of the same organization",
    ),
    (
        Cause::CrossAccountBackupDisabled,
        "Copy job failed. Cross-account copy feature is not enabled for the current organization.",
    ),
    (
        Cause::UnsupportedResourceType,
        "Feature is not supported for provided resource type.",
    ),
    (
        Cause::UnsupportedResourceType,
        "This resource type is not supported by logically air-gapped backup vault.",
    ),
    (
        Cause::JobRoleTrust,
        "IAM Role arn:aws:iam::111122223333:role/BackupRole cannot be assumed by AWS Backup",
    ),
    (
        Cause::JobRolePermission,
        "The role's policy does not allow the backup action.",
    ),
    (
        Cause::PermissionsBoundary,
        "The permissions boundary of the role denies the action.",
    ),
    (
        Cause::ServiceControlPolicy,
        "The action was denied by a service control policy.",
    ),
    (
        Cause::ServiceLinkedRole,
        "AWSServiceRoleForBackup is missing in the destination account.",
    ),
    (
        Cause::TagPolicy,
        "The tag policy does not allow the specified value for the following tag key: 'xyz'.",
    ),
    (
        Cause::TagLimit,
        "The resultant tag set must not have more than 50 user tags.",
    ),
    (
        Cause::RetentionOutOfRange,
        "Copy job failed. The retention specified in the job is not within the range specified for the target Backup Vault.",
    ),
    (Cause::SourceNotFound, "Cannot find recovery point"),
];

/// The same, and those that name a resource.
fn texts(names: &Names) -> Vec<(Cause, String)> {
    let mut texts = TEXTS.map(|(cause, text)| (cause, text.to_owned())).to_vec();
    texts.push((
        Cause::VaultNotFound,
        format!(
            "Copy job failed because backup vault {} does not exist.",
            names.vault
        ),
    ));
    if let Some(key) = &names.source_key {
        texts.push((
            Cause::SourceKeyState,
            format!("KMSInvalidStateException: {key} is pending deletion."),
        ));
    }
    texts
}

/// What is wrong with the report of a copy that fails with this message although every rule that
/// can be read lets it pass.
async fn wrong(world: &Value, cause: Cause, message: &str) -> Option<String> {
    let mut scene = Scene(world.clone());
    fail_with(&mut scene, message);
    let sandbox = Sandbox::new(scene.load());
    let report = handle(&sandbox, Mode::Repair).await;
    let told: Vec<(Cause, Verdict)> = report
        .diagnosis
        .candidates
        .iter()
        .map(|one| (one.cause, one.verdict))
        .collect();
    let is_kept = report.diagnosis.cause == cause && told.contains(&(cause, Verdict::NotCheckable));
    let is_written = sandbox
        .writes()
        .iter()
        .any(|write| write.operation != "backup:StartCopyJob");
    (!is_kept || is_written).then(|| format!("{cause}: {message}\n    {told:?}"))
}

async fn keeps(shape: Shape, change: fn(&mut Scene)) {
    let mut scene = Scene(Draft::healthy(shape).json().clone());
    change(&mut scene);
    assert_eq!(broken_rule(&scene.load()), None);
    let names = Names::of(&scene.0);
    let mut all = denials(&names);
    all.extend(texts(&names));
    let mut lost = Vec::new();
    for (cause, message) in &all {
        lost.extend(wrong(&scene.0, *cause, message).await);
    }
    assert!(
        lost.is_empty(),
        "{} of {} messages in {shape:?}:\n{}",
        lost.len(),
        all.len(),
        lost.join("\n")
    );
}

#[tokio::test]
async fn between_accounts() {
    keeps(Shape::USUAL, |_| {}).await;
}

/// The simulator judges a boundary that is there, and a service control policy.
#[tokio::test]
async fn under_policies_that_admit_the_copy() {
    keeps(Shape::USUAL, |scene| {
        let all = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"}]});
        let boundary = json!({"arn": "arn:aws:iam::111122223333:policy/All", "policy": all});
        scene.set(ROLE, "permissions_boundary", boundary);
    })
    .await;
}

#[tokio::test]
async fn inside_one_account() {
    let shape = Shape {
        cross_account: false,
        ..Shape::USUAL
    };
    keeps(shape, |_| {}).await;
}

#[tokio::test]
async fn of_a_fully_managed_type() {
    let shape = Shape {
        backup: Backup::S3,
        ..Shape::USUAL
    };
    keeps(shape, |_| {}).await;
}

#[tokio::test]
async fn of_an_image_and_of_what_is_not_encrypted() {
    for backup in [Backup::Image, Backup::PlainEbs] {
        let shape = Shape {
            backup,
            ..Shape::USUAL
        };
        keeps(shape, |_| {}).await;
    }
}

#[tokio::test]
async fn into_and_out_of_air_gapped_vaults() {
    let under_key = VaultKind::AirGappedUnderCustomerKey;
    for (source, destination) in [
        (VaultKind::Standard, under_key),
        (VaultKind::Standard, VaultKind::AirGapped),
        (under_key, VaultKind::Standard),
    ] {
        let shape = Shape {
            source,
            destination,
            ..Shape::USUAL
        };
        keeps(shape, |_| {}).await;
    }
}
