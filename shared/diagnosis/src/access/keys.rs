//! What the policies of the two keys answer to whoever uses them for a copy.

mod of_job_role;

use copymend_policy::{PolicyDocument, Request, ViaService, service_linked_role_arn};

use super::{
    Access, Circumstances, Exclusion, REQUESTED_REGION, agreed, by_role, decide, exclusions_of,
    of_source_principal, with_organization, with_resource_tags,
};
use crate::fact::Fact;
use crate::facts::{Facts, SourceKey, Tags};
use crate::features::{is_fully_managed, via_service};
use crate::job::BackupCopy;
use crate::resource::KeyArn;
pub(super) use of_job_role::{JobRoleCall, calls_of_job_role};

/// A call on a key, and whether another service makes it for the caller.
type KeyCall = (&'static str, bool);

const DESCRIBE_KEY: KeyCall = ("kms:DescribeKey", false);
const CREATE_GRANT: &str = "kms:CreateGrant";
/// It belongs to `kms:CreateGrant`, `kms:ListGrants` and `kms:RevokeGrant` alone, and is true where a
/// service that is integrated with AWS KMS makes the call on the principal's behalf (AWS KMS
/// developer guide, "AWS KMS condition keys", `kms:GrantIsForAWSResource`, and "Controlling access to
/// grants", documented). That a copy's grants are of that kind is inferred from the conditions of
/// `AWSBackupServiceRolePolicyForBackup` and `AWSBackupServiceLinkedRolePolicyForBackup`.
const GRANT_IS_FOR_AWS_RESOURCE: &str = "kms:GrantIsForAWSResource";

/// The calls of AWS KMS that the destination's service-linked role makes for a copy of an encrypted
/// backup. The copy can't do without them: what `AWSBackupServiceLinkedRolePolicyForBackup`
/// (version 31) lets the role call, less `kms:ListGrants`, whose absence alone doesn't stop a copy
/// (inferred; not run against AWS).
const SERVICE_LINKED_ROLE_READS: &[KeyCall] = &[
    DESCRIBE_KEY,
    ("kms:ReEncryptFrom", true),
    ("kms:GenerateDataKeyWithoutPlaintext", true),
    (CREATE_GRANT, true),
];
/// What of it the role calls on the key that the copy is encrypted with (inferred from the same
/// policy).
const SERVICE_LINKED_ROLE_WRITES: &[KeyCall] = &[
    DESCRIBE_KEY,
    ("kms:GenerateDataKeyWithoutPlaintext", true),
    (CREATE_GRANT, true),
];
/// What the job role calls on the key of a backup that it copies itself, and on the key of the
/// copy: the least of what `AWSBackupServiceRolePolicyForBackup` lets it do there, whatever the
/// type (inferred).
const JOB_ROLE: &[KeyCall] = &[DESCRIBE_KEY, (CREATE_GRANT, true)];
/// What the customer managed key of a logically air-gapped vault must admit the job role to "for
/// all copy scenarios" (AWS Backup, "Logically air-gapped vaults", documented).
const AIR_GAPPED_VAULTS_KEY: &[KeyCall] = &[
    ("kms:DescribeKey", true),
    (CREATE_GRANT, true),
    ("kms:Encrypt", true),
    ("kms:Decrypt", true),
    ("kms:ReEncryptFrom", true),
    ("kms:ReEncryptTo", true),
    ("kms:GenerateDataKey", true),
    ("kms:GenerateDataKeyWithoutPlaintext", true),
];

/// What the job role also calls on the key of an Amazon EBS snapshot that it copies itself, and on the
/// key of the copy, by what `AWSBackupServiceRolePolicyForBackup` lets it do there (inferred).
const JOB_ROLE_READS_SNAPSHOT: &str = "kms:ReEncryptFrom";
const JOB_ROLE_WRITES_SNAPSHOT: &[&str] =
    &["kms:ReEncryptTo", "kms:GenerateDataKeyWithoutPlaintext"];

/// The calls that the job role makes on a key with permissions of its own, those that no copy does
/// without first. More is asked of the key's policy: for the key of a logically air-gapped vault,
/// the role itself needs no more than these two (AWS Backup, "Logically air-gapped vaults", "IAM
/// role", documented).
#[must_use]
pub fn own_calls_of_job_role(key: &KeyArn, copy: &BackupCopy, facts: &Facts) -> Vec<&'static str> {
    let mut calls: Vec<&'static str> = JOB_ROLE.iter().map(|(action, _)| *action).collect();
    if via_service(&copy.source_recovery_point) != Some(ViaService::Ec2) {
        return calls;
    }
    let is_vault_key = facts
        .vault_key
        .facts()
        .is_some_and(|of_vault| of_vault.arn == *key);
    let is_source_key = match &facts.source_key {
        SourceKey::Key(of_source) => of_source.arn == *key,
        SourceKey::NotEncrypted | SourceKey::Unknown(_) => false,
    };
    if is_vault_key && !facts.is_into_air_gapped_vault() {
        calls.extend(JOB_ROLE_WRITES_SNAPSHOT);
    }
    if is_source_key || !is_vault_key {
        calls.push(JOB_ROLE_READS_SNAPSHOT);
    }
    calls
}

/// Whether the job role is known to make a call on one of its keys in this copy, so that a refusal
/// stops it, and isn't inferred to.
pub(crate) fn is_certain_call_of_job_role(
    action: &str,
    key: &KeyArn,
    copy: &BackupCopy,
    facts: &Facts,
) -> bool {
    let is_vault_key = facts
        .vault_key
        .facts()
        .is_some_and(|of_vault| of_vault.arn == *key);
    let is_certain_use = if is_vault_key {
        facts.is_into_air_gapped_vault()
    } else {
        users_of_source_key(copy, facts).contains(&(KeyUser::JobRole, true))
    };
    is_certain_use && JOB_ROLE.iter().any(|(certain, _)| *certain == action)
}

/// Who uses a key for a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUser {
    /// `AWSServiceRoleForBackup` of the destination account (AWS Backup, "Creating backup copies
    /// across AWS accounts", documented).
    ServiceLinkedRole,
    /// The job role.
    JobRole,
}

impl KeyUser {
    /// The user in a sentence.
    #[must_use]
    pub fn shown(self, copy: &BackupCopy) -> String {
        match self {
            Self::ServiceLinkedRole => format!(
                "AWSServiceRoleForBackup of account {}",
                copy.destination_account
            ),
            Self::JobRole => format!("the job role `{}`", copy.role),
        }
    }
}

/// How a key is used: by whom, and in which calls.
struct KeyUse<'a> {
    user: KeyUser,
    /// Whether it is asked for the user's account itself.
    is_whole_account: bool,
    calls: &'static [KeyCall],
    /// The Regions that `kms:ViaService` may name: all must be allowed.
    regions: Vec<&'a str>,
    service: Option<ViaService>,
    key: &'a KeyArn,
    tags: &'a Fact<Tags>,
    copy: &'a BackupCopy,
    facts: &'a Facts,
}

/// What the source key's policy answers to the destination's service-linked role.
#[must_use]
pub fn key_access(
    policy: &PolicyDocument,
    key: &KeyArn,
    tags: &Fact<Tags>,
    copy: &BackupCopy,
    facts: &Facts,
) -> Access {
    let service = via_service(&copy.source_recovery_point);
    key_access_through(policy, key, tags, service, copy, facts)
}

/// What the source key's policy answers to the destination's service-linked role that uses the key
/// through this service, also through another one than the copy's.
#[must_use]
pub fn key_access_through(
    policy: &PolicyDocument,
    key: &KeyArn,
    tags: &Fact<Tags>,
    service: Option<ViaService>,
    copy: &BackupCopy,
    facts: &Facts,
) -> Access {
    KeyUse {
        service,
        ..source_key_use(KeyUser::ServiceLinkedRole, key, tags, copy, facts)
    }
    .access(policy)
}

/// What a key's policy answers to one of those who use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserAccess {
    /// Who it is.
    pub user: KeyUser,
    /// The answer.
    pub access: Access,
    /// Whether this copy is known to need it, and not inferred to.
    pub is_certain: bool,
}

/// Who uses the source key for this copy, and whether that is certain.
///
/// | copy | user | label |
/// |---|---|---|
/// | to another account | the destination's service-linked role | documented: AWS Backup, "Creating backup copies across AWS accounts"; of a fully managed type unverified |
/// | into a logically air-gapped vault | the job role | documented: AWS Backup, "Logically air-gapped vaults" |
/// | out of one | the job role, and into a standard vault the destination's service-linked role too | documented: as before |
/// | inside the account | the job role; for a fully managed type it may be either | inferred |
#[must_use]
pub fn users_of_source_key(copy: &BackupCopy, facts: &Facts) -> Vec<(KeyUser, bool)> {
    use KeyUser::{JobRole, ServiceLinkedRole};
    let fully_managed = is_fully_managed(&copy.source_recovery_point);
    match (
        facts.leaves_air_gapped_vault(copy),
        facts.enters_air_gapped_vault(),
    ) {
        (_, Some(true)) => vec![(JobRole, true)],
        (Some(true), Some(false)) => vec![(JobRole, true), (ServiceLinkedRole, true)],
        (Some(true), None) => vec![(JobRole, true), (ServiceLinkedRole, false)],
        (Some(false), Some(false)) if copy.is_cross_account() => {
            vec![(ServiceLinkedRole, !fully_managed)]
        }
        (Some(false), _) if !copy.is_cross_account() && !fully_managed => vec![(JobRole, false)],
        (Some(false) | None, Some(false) | None) => {
            vec![(ServiceLinkedRole, false), (JobRole, false)]
        }
    }
}

/// Whether it isn't known at all which principal of the destination account uses the source key: of a
/// fully managed type AWS documents the whole account in one place and its service-linked role in
/// another (unverified).
#[must_use]
pub fn is_source_keys_user_unknown(copy: &BackupCopy, facts: &Facts) -> bool {
    let fully_managed = is_fully_managed(&copy.source_recovery_point);
    fully_managed
        && copy.is_cross_account()
        && facts.leaves_air_gapped_vault(copy) == Some(false)
        && facts.enters_air_gapped_vault() == Some(false)
}

/// Whether the source key's policy leaves it to the destination account as a whole to use the key,
/// so that it doesn't matter which of its principals does.
pub(crate) fn admits_destination_account(
    policy: &PolicyDocument,
    key: &KeyArn,
    tags: &Fact<Tags>,
    copy: &BackupCopy,
    facts: &Facts,
) -> bool {
    let using = KeyUse {
        is_whole_account: true,
        ..source_key_use(KeyUser::ServiceLinkedRole, key, tags, copy, facts)
    };
    using.access(policy) == Access::Allowed
}

/// What the source key's policy answers to each who uses it for this copy.
#[must_use]
pub fn source_key_access(
    policy: &PolicyDocument,
    key: &KeyArn,
    tags: &Fact<Tags>,
    copy: &BackupCopy,
    facts: &Facts,
) -> Vec<UserAccess> {
    let users = users_of_source_key(copy, facts).into_iter();
    users
        .map(|(user, is_certain)| UserAccess {
            user,
            access: source_key_access_of(user, policy, key, tags, copy, facts),
            is_certain,
        })
        .collect()
}

/// What the source key's policy answers to this user.
#[must_use]
pub fn source_key_access_of(
    user: KeyUser,
    policy: &PolicyDocument,
    key: &KeyArn,
    tags: &Fact<Tags>,
    copy: &BackupCopy,
    facts: &Facts,
) -> Access {
    source_key_use(user, key, tags, copy, facts).access(policy)
}

/// The statements of the source key's policy that keep the destination's service-linked role out on
/// purpose, word for word.
#[must_use]
pub fn key_exclusions<'p>(
    policy: &'p PolicyDocument,
    key: &KeyArn,
    tags: &Fact<Tags>,
    copy: &BackupCopy,
    facts: &Facts,
) -> Vec<Exclusion<'p>> {
    let using = source_key_use(KeyUser::ServiceLinkedRole, key, tags, copy, facts);
    let requests: Vec<Request> = using
        .calls
        .iter()
        .flat_map(|call| using.requests(*call))
        .collect();
    exclusions_of(
        policy,
        &requests,
        Circumstances::of_service_linked_role(copy, facts),
    )
}

fn source_key_use<'a>(
    user: KeyUser,
    key: &'a KeyArn,
    tags: &'a Fact<Tags>,
    copy: &'a BackupCopy,
    facts: &'a Facts,
) -> KeyUse<'a> {
    KeyUse {
        user,
        is_whole_account: false,
        calls: match user {
            KeyUser::ServiceLinkedRole => SERVICE_LINKED_ROLE_READS,
            // The key of the backup is the air-gapped vault's own then.
            KeyUser::JobRole if facts.leaves_air_gapped_vault(copy) == Some(true) => {
                AIR_GAPPED_VAULTS_KEY
            }
            KeyUser::JobRole => JOB_ROLE,
        },
        // Which of the two is named is unverified.
        regions: vec![copy.region.as_str(), copy.destination_vault.region()],
        service: via_service(&copy.source_recovery_point),
        key,
        tags,
        copy,
        facts,
    }
}

/// What the destination vault's customer managed key answers to who encrypts the copy with it, and
/// who that is: from another account the destination's service-linked role, inside an account the
/// job role (inferred), and the job role wherever the vault is logically air-gapped.
#[must_use]
pub fn vault_key_access(
    policy: &PolicyDocument,
    key: &KeyArn,
    tags: &Fact<Tags>,
    copy: &BackupCopy,
    facts: &Facts,
) -> (KeyUser, Access) {
    let using = vault_key_use(key, tags, copy, facts);
    (using.user, using.access(policy))
}

fn vault_key_use<'a>(
    key: &'a KeyArn,
    tags: &'a Fact<Tags>,
    copy: &'a BackupCopy,
    facts: &'a Facts,
) -> KeyUse<'a> {
    let (user, calls) = if facts.is_into_air_gapped_vault() {
        (KeyUser::JobRole, AIR_GAPPED_VAULTS_KEY)
    } else if copy.is_cross_account() {
        (KeyUser::ServiceLinkedRole, SERVICE_LINKED_ROLE_WRITES)
    } else {
        (KeyUser::JobRole, JOB_ROLE)
    };
    KeyUse {
        user,
        is_whole_account: false,
        calls,
        regions: vec![copy.destination_vault.region()],
        // Through which service a logically air-gapped vault's key is used is not documented.
        service: via_service(&copy.source_recovery_point)
            .filter(|_| !facts.is_into_air_gapped_vault()),
        key,
        tags,
        copy,
        facts,
    }
}

impl KeyUse<'_> {
    fn access(&self, policy: &PolicyDocument) -> Access {
        let circumstances = match self.user {
            KeyUser::ServiceLinkedRole => {
                Circumstances::of_service_linked_role(self.copy, self.facts)
            }
            KeyUser::JobRole => Circumstances::of_job_role(&self.copy.role, self.copy, self.facts),
        };
        let mut missing = Vec::new();
        let mut unknown = Vec::new();
        for call in self.calls {
            let answers: Vec<Access> = self
                .requests(*call)
                .iter()
                .map(|request| decide(policy, request, circumstances, call.0))
                .collect();
            // Which Region `kms:ViaService` names is unverified, for a Deny as for an Allow.
            match agreed(answers, "kms:ViaService") {
                denied @ Access::Denied { .. } => return denied,
                Access::Unknown { keys } => unknown.extend(keys),
                Access::Missing { actions } => missing.extend(actions),
                Access::Allowed => {}
            }
        }
        missing.dedup();
        unknown.sort();
        unknown.dedup();
        if !unknown.is_empty() {
            Access::Unknown { keys: unknown }
        } else if !missing.is_empty() {
            Access::Missing { actions: missing }
        } else {
            Access::Allowed
        }
    }

    /// The requests of one call, one for each Region that `kms:ViaService` may name.
    fn requests(&self, (action, is_via_service): KeyCall) -> Vec<Request> {
        self.regions
            .iter()
            .map(|region| {
                let request = self.request(action);
                let request = match self.service {
                    _ if !is_via_service => request.without_key("kms:ViaService"),
                    Some(service) => {
                        request.with_context("kms:ViaService", [service.endpoint(region)])
                    }
                    None => request.with_unknown("kms:ViaService"),
                };
                with_resource_tags(request, self.tags).with_other_keys_unknown()
            })
            .collect()
    }

    fn request(&self, action: &str) -> Request {
        let (copy, facts) = (self.copy, self.facts);
        let (principal, account) = match self.user {
            KeyUser::ServiceLinkedRole => (
                service_linked_role_arn(self.key.partition(), copy.destination_account),
                copy.destination_account,
            ),
            KeyUser::JobRole => (copy.role.as_str().to_owned(), copy.account),
        };
        let principal = if self.is_whole_account {
            format!("arn:{}:iam::{account}:root", self.key.partition())
        } else {
            principal
        };
        let request = by_role(Request::new(principal, action, self.key.as_str()))
            .with_context(REQUESTED_REGION, [self.key.region()])
            .with_context("kms:CallerAccount", [account.as_str()]);
        let request = match self.user {
            KeyUser::ServiceLinkedRole => {
                let organization = &facts.destination_organization;
                with_organization(request, "aws:PrincipalOrgID", organization)
            }
            KeyUser::JobRole => of_source_principal(request, facts),
        };
        if action == CREATE_GRANT {
            request.with_context(GRANT_IS_FOR_AWS_RESOURCE, ["true"])
        } else {
            request.without_key(GRANT_IS_FOR_AWS_RESOURCE)
        }
    }
}
