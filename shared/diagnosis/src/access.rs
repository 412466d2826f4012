//! What the two policies answer to the calls of a copy.
//!
//! Two different principals are checked: the vault policy against the source's job role, the key
//! policy against the destination's `AWSServiceRoleForBackup` (AWS Backup developer guide,
//! "Creating backup copies across AWS accounts", documented). A condition key that a policy asks
//! for and that isn't stated here counts as unknown, never as absent.

use copymend_policy::{
    Decision, Effect, PolicyDocument, Request, Statement, ViaService, evaluate, exclusions,
    service_linked_role_arn,
};

use crate::fact::Fact;
use crate::facts::{Facts, Organization, Tags};
use crate::features::via_service;
use crate::job::BackupCopy;
use crate::resource::{KeyArn, RoleArn};

/// The action on the recovery point that the job role must be allowed.
pub const COPY_FROM_BACKUP_VAULT: &str = "backup:CopyFromBackupVault";
/// The action that the job role must be allowed, and that a destination vault's policy must allow.
pub const COPY_INTO_BACKUP_VAULT: &str = "backup:CopyIntoBackupVault";

/// The calls of AWS KMS that the destination's service-linked role makes for a copy of an encrypted
/// backup, and whether another service makes them for it. The copy can't do without them: what
/// `AWSBackupServiceLinkedRolePolicyForBackup` (version 31) lets the role call, less
/// `kms:ListGrants`, whose absence alone doesn't stop a copy (inferred; not run against AWS).
const KEY_CALLS: [(&str, bool); 4] = [
    ("kms:DescribeKey", false),
    ("kms:ReEncryptFrom", true),
    ("kms:GenerateDataKeyWithoutPlaintext", true),
    (CREATE_GRANT, true),
];
/// It makes a grant for an AWS resource.
const CREATE_GRANT: &str = "kms:CreateGrant";

/// What a policy answers to a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everything that the copy needs is allowed.
    Allowed,
    /// These actions are allowed by no statement.
    Missing {
        /// The actions.
        actions: Vec<&'static str>,
    },
    /// A Deny matches.
    Denied {
        /// The action that is denied.
        action: &'static str,
        /// The statement's place in the policy, from 0.
        statement: usize,
        /// The statement, word for word.
        text: String,
    },
    /// It depends on condition keys that can't be known from here.
    Unknown {
        /// The keys.
        keys: Vec<String>,
    },
}

/// What the destination vault's policy answers to the job role.
#[must_use]
pub fn vault_access(policy: Option<&PolicyDocument>, copy: &BackupCopy, facts: &Facts) -> Access {
    vault_access_of(policy, &copy.role, copy, facts)
}

/// What the destination vault's policy answers to a role of the copy's source account, also another
/// one than the job's.
#[must_use]
pub fn vault_access_of(
    policy: Option<&PolicyDocument>,
    role: &RoleArn,
    copy: &BackupCopy,
    facts: &Facts,
) -> Access {
    let Some(policy) = policy else {
        // Within one account the policy need not allow anything.
        return if copy.is_cross_account() {
            Access::Missing {
                actions: vec![COPY_INTO_BACKUP_VAULT],
            }
        } else {
            Access::Allowed
        };
    };
    let request = vault_request(role, copy, facts);
    let access = decide(policy, &request, COPY_INTO_BACKUP_VAULT);
    if matches!(access, Access::Missing { .. }) && !copy.is_cross_account() {
        Access::Allowed
    } else {
        access
    }
}

/// The request for the destination vault, as its policy judges it. What isn't stated is unknown.
fn vault_request(role: &RoleArn, copy: &BackupCopy, facts: &Facts) -> Request {
    let vault = copy.destination_vault.as_str();
    let request = Request::new(role.as_str(), COPY_INTO_BACKUP_VAULT, vault)
        .with_context("aws:SecureTransport", ["true"])
        .with_context("aws:ResourceAccount", [copy.destination_account.as_str()]);
    let organization = &facts.source_organization;
    let request = with_organization(request, "aws:PrincipalOrgID", organization);
    let organization = &facts.destination_organization;
    let request = with_organization(request, "aws:ResourceOrgID", organization);
    with_resource_tags(request, &facts.vault_tags).with_other_keys_unknown()
}

/// The statements of the destination vault's policy that keep the copy out on purpose, word for
/// word.
#[must_use]
pub fn vault_exclusions<'p>(
    policy: &'p PolicyDocument,
    copy: &BackupCopy,
    facts: &Facts,
) -> Vec<&'p str> {
    exclusions_of(policy, &[vault_request(&copy.role, copy, facts)])
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
) -> Vec<&'p str> {
    let service = via_service(&copy.source_recovery_point);
    let requests: Vec<Request> = KEY_CALLS
        .iter()
        .flat_map(|call| key_requests(*call, key, tags, service, copy, facts))
        .collect();
    exclusions_of(policy, &requests)
}

fn exclusions_of<'p>(policy: &'p PolicyDocument, requests: &[Request]) -> Vec<&'p str> {
    let mut places: Vec<usize> = requests
        .iter()
        .flat_map(|request| exclusions(policy, request))
        .collect();
    places.sort_unstable();
    places.dedup();
    let statements = places
        .into_iter()
        .filter_map(|place| policy.statements().get(place));
    statements.map(Statement::as_str).collect()
}

/// The policy without its Denies: what stands behind them. Nothing where that is no policy, which
/// can't be.
pub(crate) fn without_denies(policy: &PolicyDocument) -> Option<PolicyDocument> {
    let allows: Vec<&str> = policy
        .statements()
        .iter()
        .filter(|statement| statement.effect() == Effect::Allow)
        .map(Statement::as_str)
        .collect();
    let (version, allows) = (policy.version(), allows.join(","));
    PolicyDocument::parse(&format!(
        r#"{{"Version":"{version}","Statement":[{allows}]}}"#
    ))
    .ok()
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
    let mut missing = Vec::new();
    let mut unknown = Vec::new();
    for call in KEY_CALLS {
        let requests = key_requests(call, key, tags, service, copy, facts);
        let answers = requests.map(|request| decide(policy, &request, call.0));
        for answer in &answers {
            match answer {
                Access::Denied { .. } => return answer.clone(),
                Access::Unknown { keys } => unknown.extend(keys.iter().cloned()),
                Access::Missing { actions } => missing.extend(actions.iter().copied()),
                Access::Allowed => {}
            }
        }
        let allowed_somewhere = answers.contains(&Access::Allowed);
        if allowed_somewhere && answers.iter().any(|answer| *answer != Access::Allowed) {
            unknown.push("kms:ViaService".to_owned());
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

/// The requests of one call. The Region in `kms:ViaService` is the source's or the destination's
/// (unverified): both must be allowed.
fn key_requests(
    (action, is_via_service): (&'static str, bool),
    key: &KeyArn,
    tags: &Fact<Tags>,
    service: Option<ViaService>,
    copy: &BackupCopy,
    facts: &Facts,
) -> [Request; 2] {
    [copy.region.as_str(), copy.destination_vault.region()].map(|region| {
        let request = key_request(action, key, copy, facts);
        let request = match service {
            _ if !is_via_service => request.without_key("kms:ViaService"),
            Some(service) => request.with_context("kms:ViaService", [service.endpoint(region)]),
            None => request.with_unknown("kms:ViaService"),
        };
        with_resource_tags(request, tags).with_other_keys_unknown()
    })
}

fn key_request(action: &str, key: &KeyArn, copy: &BackupCopy, facts: &Facts) -> Request {
    let account = copy.destination_account;
    let role = service_linked_role_arn(key.partition(), account);
    let request = Request::new(role, action, key.as_str())
        .with_context("aws:SecureTransport", ["true"])
        .with_context("kms:CallerAccount", [account.as_str()]);
    let organization = &facts.destination_organization;
    let request = with_organization(request, "aws:PrincipalOrgID", organization);
    if action == CREATE_GRANT {
        request.with_context("kms:GrantIsForAWSResource", ["true"])
    } else {
        request
    }
}

fn with_organization(request: Request, key: &str, fact: &Fact<Option<Organization>>) -> Request {
    match fact {
        Fact::Known(Some(organization)) => request.with_context(key, [organization.id.as_str()]),
        Fact::Known(None) => request.without_key(key),
        Fact::Unknown(_) => request.with_unknown(key),
    }
}

fn with_resource_tags(request: Request, tags: &Fact<Tags>) -> Request {
    match tags {
        Fact::Known(tags) => tags.iter().fold(request, |request, (key, value)| {
            request.with_context(&format!("aws:ResourceTag/{key}"), [value.as_str()])
        }),
        Fact::Unknown(_) => request,
    }
}

fn decide(policy: &PolicyDocument, request: &Request, action: &'static str) -> Access {
    match evaluate(policy, request) {
        Decision::Allowed { .. } => Access::Allowed,
        Decision::ImplicitlyDenied => Access::Missing {
            actions: vec![action],
        },
        Decision::ExplicitlyDenied { statement } => Access::Denied {
            action,
            statement,
            text: policy
                .statements()
                .get(statement)
                .map(|statement| statement.as_str().to_owned())
                .unwrap_or_default(),
        },
        Decision::Unknown { keys } => Access::Unknown { keys },
    }
}
