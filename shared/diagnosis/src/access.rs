//! What the two policies answer to the calls of a copy.
//!
//! Two different principals are checked: the policies of the vaults against the source's job role,
//! those of the keys against the destination's `AWSServiceRoleForBackup` (AWS Backup developer
//! guide, "Creating backup copies across AWS accounts", documented) or the job role. A condition
//! key that a policy asks for and that isn't stated here counts as unknown, never as absent.

mod control;
mod keys;
mod resource_tags;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use copymend_policy::{
    Decision, Effect, PolicyDocument, Request, Statement, evaluate, exclusions, open_exclusions,
};
use jiff::{SignedDuration, Timestamp};

use crate::fact::Fact;
use crate::facts::{Facts, Organization};
use crate::job::BackupCopy;
use crate::resource::RoleArn;
pub(crate) use control::{KeyCallAnswer, job_role_at_key, under_service_control};
pub use keys::{
    KeyUser, UserAccess, is_source_keys_user_unknown, key_access, key_access_through,
    key_exclusions, own_calls_of_job_role, source_key_access, source_key_access_of,
    users_of_source_key, vault_key_access,
};
pub(crate) use keys::{admits_destination_account, is_certain_call_of_job_role};
pub use resource_tags::{has_condition_tags, is_condition_tag};
use resource_tags::{with_resource_tags, with_tags_of_recovery_point};

/// The action on the recovery point that the job role must be allowed.
pub const COPY_FROM_BACKUP_VAULT: &str = "backup:CopyFromBackupVault";
/// The action that the job role must be allowed, and that a destination vault's policy must allow.
pub const COPY_INTO_BACKUP_VAULT: &str = "backup:CopyIntoBackupVault";

/// The condition key of the principal's path in its organization.
pub const ORGANIZATION_PATHS: &str = "aws:PrincipalOrgPaths";

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
    let circumstances = Circumstances::of_job_role(role, copy, facts);
    let access = decide(policy, &request, circumstances, COPY_INTO_BACKUP_VAULT);
    if matches!(access, Access::Missing { .. }) && !copy.is_cross_account() {
        Access::Allowed
    } else {
        access
    }
}

/// A request that a role makes: a service passes on its own account as `aws:SourceAccount` and
/// `aws:SourceOrgID` only where its service principal calls (IAM, "Global condition keys",
/// documented), so these are absent.
fn by_role(request: Request) -> Request {
    request
        .with_context("aws:SecureTransport", ["true"])
        .without_key("aws:SourceAccount")
        .without_key("aws:SourceOrgID")
}

/// The Region that is called: in every request (IAM, "Global condition keys", documented). Whether AWS
/// Backup calls the source's Region or the destination's for the destination vault is unverified, so
/// there it is stated where they are one, and unknown elsewhere. A call on a key is taken to be made
/// in the key's own Region (inferred from AWS KMS, "Key ARN": keys belong to one Region).
const REQUESTED_REGION: &str = "aws:RequestedRegion";

/// The request for the destination vault, as its policy judges it. What isn't stated is unknown.
fn vault_request(role: &RoleArn, copy: &BackupCopy, facts: &Facts) -> Request {
    let vault = copy.destination_vault.as_str();
    let request = by_role(Request::new(role.as_str(), COPY_INTO_BACKUP_VAULT, vault));
    let is_one_region = copy.region == copy.destination_vault.region();
    let request = if is_one_region {
        request.with_context(REQUESTED_REGION, [copy.region.as_str()])
    } else {
        request
    };
    let request = request.with_context("aws:ResourceAccount", [copy.destination_account.as_str()]);
    let request = of_source_principal(request, facts);
    let organization = &facts.destination_organization;
    let request = with_organization(request, "aws:ResourceOrgID", organization);
    with_resource_tags(request, &facts.vault_tags).with_other_keys_unknown()
}

/// What the source vault's policy answers to the job role that copies from it. It need not allow
/// that (IAM, "Policy evaluation logic", documented: one account), so that only a Deny matters, and
/// that nothing is allowed counts as allowed. The resource of `backup:CopyFromBackupVault` is the
/// recovery point (service authorization reference, documented).
#[must_use]
pub fn source_vault_access(
    policy: Option<&PolicyDocument>,
    copy: &BackupCopy,
    facts: &Facts,
) -> Access {
    let Some(policy) = policy else {
        return Access::Allowed;
    };
    let request = copy_from_request(copy, facts);
    let circumstances = Circumstances::of_job_role(&copy.role, copy, facts);
    // What only an Allow makes to depend on a key doesn't matter.
    match only(policy, Effect::Deny).map(|denies| {
        let request = request.with_other_keys_unknown();
        decide(&denies, &request, circumstances, COPY_FROM_BACKUP_VAULT)
    }) {
        None | Some(Access::Allowed | Access::Missing { .. }) => Access::Allowed,
        Some(Access::Denied { action, text, .. }) => Access::Denied {
            action,
            statement: place_of(policy, &text),
            text,
        },
        Some(unknown @ Access::Unknown { .. }) => unknown,
    }
}

/// The request for the recovery point. What isn't stated isn't settled yet.
fn copy_from_request(copy: &BackupCopy, facts: &Facts) -> Request {
    let point = copy.source_recovery_point.as_str();
    let request = by_role(Request::new(
        copy.role.as_str(),
        COPY_FROM_BACKUP_VAULT,
        point,
    ))
    .with_context("aws:ResourceAccount", [copy.account.as_str()])
    // In a list (service authorization reference, documented).
    .with_context("backup:CopyTargets", [copy.destination_vault.as_str()]);
    let organization = &facts.source_organization;
    let request = of_source_principal(request, facts);
    let request = with_organization(request, "aws:ResourceOrgID", organization);
    with_tags_of_recovery_point(request, copy, facts)
}

/// The Denies of the destination vault's policy that may match, word for word.
#[must_use]
pub fn vault_open_denies<'p>(
    policy: &'p PolicyDocument,
    copy: &BackupCopy,
    facts: &Facts,
) -> Vec<&'p str> {
    open_denies(policy, |deny| vault_access(Some(deny), copy, facts))
}

/// The same of the source vault's policy.
#[must_use]
pub fn source_vault_open_denies<'p>(
    policy: &'p PolicyDocument,
    copy: &BackupCopy,
    facts: &Facts,
) -> Vec<&'p str> {
    open_denies(policy, |deny| source_vault_access(Some(deny), copy, facts))
}

/// The Denies of which it isn't known whether they match, each looked at alone.
pub(crate) fn open_denies(
    policy: &PolicyDocument,
    access: impl Fn(&PolicyDocument) -> Access,
) -> Vec<&str> {
    let version = policy.version();
    let denies = policy.statements().iter();
    denies
        .filter(|statement| statement.effect() == Effect::Deny)
        .map(Statement::as_str)
        .filter(|text| {
            let alone = format!(r#"{{"Version":"{version}","Statement":[{text}]}}"#);
            PolicyDocument::parse(&alone)
                .is_ok_and(|deny| matches!(access(&deny), Access::Unknown { .. }))
        })
        .collect()
}

/// The statements of the destination vault's policy that keep the copy out on purpose, word for
/// word.
#[must_use]
pub fn vault_exclusions<'p>(
    policy: &'p PolicyDocument,
    copy: &BackupCopy,
    facts: &Facts,
) -> Vec<Exclusion<'p>> {
    let circumstances = Circumstances::of_job_role(&copy.role, copy, facts);
    let request = vault_request(&copy.role, copy, facts);
    exclusions_of(policy, &[request], circumstances)
}

/// Whether a role has a permissions boundary, which a Deny with `NotPrincipal` always hits (IAM,
/// `NotPrincipal`, documented).
#[derive(Clone, Copy)]
enum Boundary {
    None,
    Some,
    Unknown,
}

/// The name of what decides where a Deny with `NotPrincipal` hits a role with a boundary, and
/// whether it has one isn't known.
const OPEN_BOUNDARY: &str = "NotPrincipal, with a permissions boundary of the role";

/// What of a call isn't one thing: how the principal's boundary is, and the time.
#[derive(Clone, Copy)]
struct Circumstances {
    boundary: Boundary,
    /// The times between which AWS may have judged, or may judge, a call of the copy.
    from: Timestamp,
    until: Timestamp,
    /// When the facts were read.
    at: Timestamp,
}

/// How far from a copy's attempt and from the reading of the facts AWS may judge a call of the copy
/// (inferred: a copy is tried within minutes, and clocks differ).
const ABOUT_THEN: SignedDuration = SignedDuration::from_hours(1);
const CURRENT_TIME: &str = "aws:CurrentTime";
const EPOCH_TIME: &str = "aws:EpochTime";

impl Circumstances {
    fn new(boundary: Boundary, copy: &BackupCopy, facts: &Facts) -> Self {
        let at = facts.read_at;
        let tried_at = copy.tried_at.unwrap_or(at);
        Self {
            boundary,
            from: tried_at
                .min(at)
                .saturating_sub(ABOUT_THEN)
                .unwrap_or(Timestamp::MIN),
            until: tried_at
                .max(at)
                .saturating_add(ABOUT_THEN)
                .unwrap_or(Timestamp::MAX),
            at,
        }
    }

    /// No boundary can be set for a service-linked role (IAM, "Service-linked roles", documented).
    fn of_service_linked_role(copy: &BackupCopy, facts: &Facts) -> Self {
        Self::new(Boundary::None, copy, facts)
    }

    fn of_job_role(role: &RoleArn, copy: &BackupCopy, facts: &Facts) -> Self {
        Self::new(job_role_boundary(role, copy, facts), copy, facts)
    }

    /// The request as it may be made: with and without a boundary, where that isn't known. Both keys
    /// of the time are in every request (IAM, "Global condition keys", documented). They are stated
    /// where all that the policy says of the time is the same from the attempt until now; otherwise
    /// they are unknown.
    fn requests(self, request: &Request, policy: &PolicyDocument) -> Vec<Request> {
        let request = self.timed(request, std::iter::once(policy));
        let with = || request.clone().by_principal_with_boundary();
        match self.boundary {
            Boundary::None => vec![request],
            Boundary::Some => vec![with()],
            Boundary::Unknown => vec![request.clone(), with()],
        }
    }

    /// The request with its time, where that is the same for all these policies.
    fn timed<'p>(
        self,
        request: &Request,
        mut policies: impl Iterator<Item = &'p PolicyDocument>,
    ) -> Request {
        let (from, until) = (self.from.as_second(), self.until.as_second());
        let request = request.clone().with_unverified_denies_unknown();
        if policies.all(|policy| policy.is_settled_between(from, until)) {
            let at = self.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            request
                .with_context(CURRENT_TIME, [at])
                .with_context(EPOCH_TIME, [self.at.as_second().to_string()])
        } else {
            request.with_unknown(CURRENT_TIME).with_unknown(EPOCH_TIME)
        }
    }
}

fn job_role_boundary(role: &RoleArn, copy: &BackupCopy, facts: &Facts) -> Boundary {
    match &facts.job_role {
        Fact::Known(Some(found)) if *role == copy.role => match found.permissions_boundary {
            Some(_) => Boundary::Some,
            None => Boundary::None,
        },
        Fact::Known(None) if *role == copy.role => Boundary::None,
        Fact::Known(_) | Fact::Unknown(_) => Boundary::Unknown,
    }
}

/// A statement that keeps the copy out on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exclusion<'p> {
    /// The statement, word for word.
    pub statement: &'p str,
    /// Whether it is known to mean the copy. Else its exception may mean something else.
    pub is_certain: bool,
}

fn exclusions_of<'p>(
    policy: &'p PolicyDocument,
    requests: &[Request],
    circumstances: Circumstances,
) -> Vec<Exclusion<'p>> {
    let requests: Vec<Request> = requests
        .iter()
        .flat_map(|request| circumstances.requests(request, policy))
        .collect();
    let all = |of: fn(&PolicyDocument, &Request) -> Vec<usize>| -> BTreeSet<usize> {
        requests
            .iter()
            .flat_map(|request| of(policy, request))
            .collect()
    };
    let (places, open) = (all(exclusions), all(open_exclusions));
    let statements = places
        .into_iter()
        .filter_map(|place| Some((place, policy.statements().get(place)?)));
    statements
        .map(|(place, statement)| Exclusion {
            statement: statement.as_str(),
            is_certain: !open.contains(&place),
        })
        .collect()
}

/// The policy without its Denies: what stands behind them. Nothing where that is no policy, which
/// can't be.
pub(crate) fn without_denies(policy: &PolicyDocument) -> Option<PolicyDocument> {
    only(policy, Effect::Allow)
}

fn only(policy: &PolicyDocument, effect: Effect) -> Option<PolicyDocument> {
    let kept: Vec<&str> = policy
        .statements()
        .iter()
        .filter(|statement| statement.effect() == effect)
        .map(Statement::as_str)
        .collect();
    let (version, kept) = (policy.version(), kept.join(","));
    PolicyDocument::parse(&format!(
        r#"{{"Version":"{version}","Statement":[{kept}]}}"#
    ))
    .ok()
}

/// The place of a statement that is in the policy word for word.
fn place_of(policy: &PolicyDocument, text: &str) -> usize {
    let mut statements = policy.statements().iter();
    statements
        .position(|statement| statement.as_str() == text)
        .unwrap_or_default()
}

/// What a principal of the source account brings of its organization: the id, and the path, of which
/// there is one (IAM, "Global condition keys", documented; the key has a list of values all the
/// same).
fn of_source_principal(request: Request, facts: &Facts) -> Request {
    let organization = &facts.source_organization;
    let request = with_organization(request, "aws:PrincipalOrgID", organization);
    match (organization, &facts.source_organization_path) {
        (Fact::Known(None), _) => request.without_key(ORGANIZATION_PATHS),
        (Fact::Known(Some(organization)), Some(Fact::Known(path)))
            if path.starts_with(&format!("{}/", organization.id)) =>
        {
            request.with_context(ORGANIZATION_PATHS, [path.as_str()])
        }
        (Fact::Known(Some(_)) | Fact::Unknown(_), _) => request.with_unknown(ORGANIZATION_PATHS),
    }
}

fn with_organization(request: Request, key: &str, fact: &Fact<Option<Organization>>) -> Request {
    match fact {
        Fact::Known(Some(organization)) => request.with_context(key, [organization.id.as_str()]),
        Fact::Known(None) => request.without_key(key),
        Fact::Unknown(_) => request.with_unknown(key),
    }
}

fn decide(
    policy: &PolicyDocument,
    request: &Request,
    circumstances: Circumstances,
    action: &'static str,
) -> Access {
    let requests = circumstances.requests(request, policy);
    let answers = requests
        .iter()
        .map(|request| decide_one(policy, request, action));
    agreed(answers, OPEN_BOUNDARY)
}

/// The answer, if it is one; else it depends on what the requests differ in too.
fn agreed(answers: impl IntoIterator<Item = Access>, open: &str) -> Access {
    let answers: Vec<Access> = answers.into_iter().collect();
    let Some(first) = answers.first() else {
        return Access::Unknown { keys: Vec::new() };
    };
    let is_denied = |answer: &Access| matches!(answer, Access::Denied { .. });
    if answers.iter().all(|answer| answer == first) || answers.iter().all(is_denied) {
        return first.clone();
    }
    let mut keys = vec![open.to_owned()];
    for answer in answers {
        if let Access::Unknown { keys: more } = answer {
            keys.extend(more);
        }
    }
    keys.sort();
    keys.dedup();
    Access::Unknown { keys }
}

fn decide_one(policy: &PolicyDocument, request: &Request, action: &'static str) -> Access {
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
