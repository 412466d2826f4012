//! The repair: which policy gets which statements. Pure.

use copymend_diagnosis::access::{Access, key_access, vault_access};
use copymend_diagnosis::features::via_service;
use copymend_diagnosis::{
    BackupVaultArn, Cause, Fact, Facts, Failure, KeyArn, KeyFacts, SourceKey,
};
use copymend_policy::{
    AccountId, Arn, Certificate, EditError, GrantError, KeyGrant, KeyProfile, NewStatement,
    PolicyDocument, ProofError, Undone, VaultGrant, append, prove_only_adds,
    service_linked_role_arn, undo,
};

use crate::investigate::SERVICE_LINKED_ROLE;
use crate::settings::Settings;

/// Whom the service-linked role admits.
pub(crate) const SERVICE: &str = "backup.amazonaws.com";

/// What a repair writes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The destination vault's access policy.
    VaultPolicy(BackupVaultArn),
    /// The source key's policy.
    KeyPolicy(KeyArn),
    /// The service-linked role of the destination account, which is created.
    ServiceLinkedRole(ServiceLinkedRole),
}

impl Target {
    /// The ARN of the vault, key or role.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::VaultPolicy(vault) => vault.as_str(),
            Self::KeyPolicy(key) => key.as_str(),
            Self::ServiceLinkedRole(role) => &role.arn,
        }
    }

    /// What this ARN, as the ledger has it, stands for.
    pub(crate) fn of_resource(resource: &str) -> Option<Self> {
        let vault = resource.parse().map(Self::VaultPolicy).ok();
        let key = || resource.parse().map(Self::KeyPolicy).ok();
        let role = || {
            let arn: Arn = resource.parse().ok()?;
            let role = ServiceLinkedRole::of(arn.partition(), arn.account_id()?);
            (role.arn == resource).then_some(Self::ServiceLinkedRole(role))
        };
        vault.or_else(key).or_else(role)
    }

    /// The cause that is repaired there.
    pub(crate) const fn cause(&self) -> Cause {
        match self {
            Self::VaultPolicy(_) => Cause::DestinationVaultPolicy,
            Self::KeyPolicy(_) => Cause::SourceKeyPolicy,
            Self::ServiceLinkedRole(_) => Cause::ServiceLinkedRole,
        }
    }
}

/// AWS Backup's service-linked role of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceLinkedRole {
    account: AccountId,
    partition: String,
    arn: String,
}

impl ServiceLinkedRole {
    fn of(partition: &str, account: AccountId) -> Self {
        Self {
            account,
            partition: partition.to_owned(),
            arn: service_linked_role_arn(partition, account),
        }
    }

    /// The account.
    #[must_use]
    pub const fn account(&self) -> AccountId {
        self.account
    }

    /// The account's partition.
    #[must_use]
    pub fn partition(&self) -> &str {
        &self.partition
    }
}

/// A planned repair.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The vault, key or role.
    pub target: Target,
    /// What changes in its policy; none where a role is created.
    pub edit: Option<Edit>,
}

/// A planned change of one policy.
#[derive(Clone, Debug)]
pub struct Edit {
    /// The policy as it was read; `None` where a vault has none.
    pub before: Option<PolicyDocument>,
    /// The policy with our statements.
    pub after: PolicyDocument,
    /// The statements that are added.
    pub added: Vec<NewStatement>,
    /// What the policy answers to the copy now.
    pub access_before: Access,
    /// What it would answer then.
    pub access_after: Access,
    /// The proof that nothing but our statements is new.
    pub proof: Result<Certificate, ProofError>,
}

impl Plan {
    /// The policy before, as text; `None` where there is none.
    #[must_use]
    pub fn before(&self) -> Option<String> {
        let before = self.edit.as_ref()?.before.as_ref()?;
        Some(before.as_str().to_owned())
    }

    /// What is there after it: the policy, or the role.
    #[must_use]
    pub fn after(&self) -> String {
        match &self.edit {
            Some(edit) => edit.after.as_str().to_owned(),
            None => format!("{SERVICE_LINKED_ROLE}, created for {SERVICE}"),
        }
    }

    /// The statements that are added.
    pub(crate) fn added(&self) -> &[NewStatement] {
        self.edit.as_ref().map_or(&[], |edit| &edit.added)
    }
}

impl Edit {
    /// Whether the policy as it was read has a statement with this Sid.
    pub(crate) fn has_before(&self, sid: &str) -> bool {
        self.before.as_ref().is_some_and(|policy| {
            let mut statements = policy.statements().iter();
            statements.any(|statement| statement.sid() == Some(sid))
        })
    }
}

pub(crate) fn sids(statements: &[NewStatement]) -> Vec<String> {
    statements
        .iter()
        .map(|statement| statement.sid().to_owned())
        .collect()
}

/// Whether a policy holds these statements as they were written.
pub(crate) fn holds(policy: &PolicyDocument, statements: &[NewStatement]) -> bool {
    append(Some(policy), statements).is_ok_and(|after| after.as_str() == policy.as_str())
}

/// Why no change could be planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The cause has no repair.
    #[error("there is no repair for `{0}`")]
    NoRepair(Cause),
    /// The policy isn't known.
    #[error("the policy is not known; it could not be read: {0}")]
    PolicyNotRead(String),
    /// The organization isn't known, and no statement of ours goes without it.
    #[error("the organization of the source account is not known")]
    OrganizationNotKnown,
    /// Through which service the destination uses the key isn't known for this kind of backup.
    #[error(
        "it is not known through which service a copy of `{0}` uses its key; the profile `documented` does not need to know"
    )]
    ServiceNotKnown(String),
    /// The statement can't be said safely.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// The statement can't be added.
    #[error(transparent)]
    Edit(#[from] EditError),
}

/// Plans the repair of a confirmed cause.
pub fn plan(
    cause: Cause,
    failure: &Failure,
    facts: &Facts,
    settings: &Settings,
) -> Result<Plan, PlanError> {
    match (cause, &facts.source_key) {
        (Cause::DestinationVaultPolicy, _) => plan_vault(failure, facts, settings),
        // Our statements admit the service-linked role, which doesn't use this key then.
        (Cause::SourceKeyPolicy, SourceKey::Key(_)) if facts.is_into_air_gapped_vault() => {
            Err(PlanError::NoRepair(cause))
        }
        (Cause::SourceKeyPolicy, SourceKey::Key(key)) => plan_key(key, failure, facts, settings),
        (Cause::SourceKeyPolicy, SourceKey::Unknown(why)) => {
            Err(PlanError::PolicyNotRead(why.to_string()))
        }
        (Cause::ServiceLinkedRole, _) => {
            let partition = failure.job().destination_vault.partition();
            let role = ServiceLinkedRole::of(partition, failure.copy().destination_account);
            Ok(Plan {
                target: Target::ServiceLinkedRole(role),
                edit: None,
            })
        }
        (cause, _) => Err(PlanError::NoRepair(cause)),
    }
}

fn plan_vault(failure: &Failure, facts: &Facts, settings: &Settings) -> Result<Plan, PlanError> {
    let before = match &facts.vault_policy {
        Fact::Known(policy) => policy.clone(),
        Fact::Unknown(why) => return Err(PlanError::PolicyNotRead(why.to_string())),
    };
    let Fact::Known(Some(organization)) = &facts.source_organization else {
        return Err(PlanError::OrganizationNotKnown);
    };
    let grant = vault_grant(failure, settings, organization.id.clone());
    let target = Target::VaultPolicy(failure.job().destination_vault.clone());
    let access = |policy: Option<&PolicyDocument>| vault_access(policy, failure.copy(), facts);
    build(target, before, &grant.statements()?, access)
}

/// What admits this copy to its destination vault.
pub(crate) fn vault_grant(
    failure: &Failure,
    settings: &Settings,
    organization_id: String,
) -> VaultGrant {
    let job = failure.job();
    VaultGrant {
        partition: job.destination_vault.partition().to_owned(),
        source_account: job.account,
        role_arn: job.role.arn().clone(),
        scope: settings.vault_scope,
        organization_id: Some(organization_id),
        organization_paths: settings.organization_paths.clone(),
    }
}

fn plan_key(
    key: &KeyFacts,
    failure: &Failure,
    facts: &Facts,
    settings: &Settings,
) -> Result<Plan, PlanError> {
    let before = match &key.policy {
        Fact::Known(policy) => policy.clone(),
        Fact::Unknown(why) => return Err(PlanError::PolicyNotRead(why.to_string())),
    };
    let recovery_point = &failure.job().source_recovery_point;
    let service = via_service(recovery_point);
    if service.is_none() && settings.key_profile == KeyProfile::LeastPrivilege {
        return Err(PlanError::ServiceNotKnown(recovery_point.to_string()));
    }
    let Fact::Known(Some(organization)) = &facts.destination_organization else {
        return Err(PlanError::OrganizationNotKnown);
    };
    let grant = KeyGrant {
        partition: key.arn.partition().to_owned(),
        destination_account: failure.copy().destination_account,
        profile: settings.key_profile,
        via_services: service.into_iter().collect(),
        organization_id: Some(organization.id.clone()),
    };
    let access = |policy: Option<&PolicyDocument>| match policy {
        Some(policy) => key_access(policy, &key.arn, &key.tags, failure.copy(), facts),
        None => Access::Unknown { keys: Vec::new() },
    };
    build(
        Target::KeyPolicy(key.arn.clone()),
        Some(before),
        &grant.statements()?,
        access,
    )
}

/// Appends as few of the statements as make the copy legal. Statements that another change of ours
/// added don't count: were that change undone, this one would go with it.
fn build(
    target: Target,
    before: Option<PolicyDocument>,
    statements: &[NewStatement],
    access: impl Fn(Option<&PolicyDocument>) -> Access,
) -> Result<Plan, PlanError> {
    let access_before = access(before.as_ref());
    let mut added = statements.to_vec();
    let alone = match &before {
        Some(policy) if added.len() > 1 => without_ours(policy)?,
        Some(_) | None => before.clone(),
    };
    for statement in statements {
        let fewer: Vec<NewStatement> = added
            .iter()
            .filter(|other| other.sid() != statement.sid())
            .cloned()
            .collect();
        if !fewer.is_empty() && access(Some(&append(alone.as_ref(), &fewer)?)) == Access::Allowed {
            added = fewer;
        }
    }
    // What is there already is another change's to take back.
    added.retain(|one| {
        let policy = before.as_ref();
        !policy.is_some_and(|policy| holds(policy, std::slice::from_ref(one)))
    });
    let after = match &before {
        Some(policy) if added.is_empty() => policy.clone(),
        Some(_) | None => append(before.as_ref(), &added)?,
    };
    let edit = Edit {
        access_after: access(Some(&after)),
        proof: prove_only_adds(before.as_ref(), &after, &added),
        before,
        after,
        added,
        access_before,
    };
    Ok(Plan {
        target,
        edit: Some(edit),
    })
}

/// A policy without the statements that Copymend added; `None` where nothing is left.
fn without_ours(policy: &PolicyDocument) -> Result<Option<PolicyDocument>, EditError> {
    let count = |sid: &str| {
        let statements = policy.statements().iter();
        statements.filter(|other| other.sid() == Some(sid)).count()
    };
    let ours: Vec<NewStatement> = policy
        .statements()
        .iter()
        .filter_map(|statement| NewStatement::from_recorded(statement.as_str()).ok())
        // One that somebody copied is no longer ours alone.
        .filter(|statement| count(statement.sid()) == 1)
        .collect();
    Ok(match undo(policy, &ours)? {
        Undone::Unchanged => Some(policy.clone()),
        Undone::Document(document) => Some(document),
        Undone::NoDocument => None,
    })
}
