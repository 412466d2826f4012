//! What was taken back stays back: an undo leaves a refusal, and a statement of ours that somebody
//! removed by hand counts as one for its whole account.

use copymend_diagnosis::access::{Access, key_access_through, vault_access_of};
use copymend_diagnosis::{Fact, Facts, Failure, Organization, RoleArn, SourceKey};
use copymend_policy::{AccountId, KeyGrant, KeyProfile, NewStatement, VaultGrant, VaultScope};

use crate::grantee::{account_of, grantee, key_grantee, overlaps};
use crate::guards::{Answer, Question, not_known};
use crate::investigate::SERVICE_LINKED_ROLE;
use crate::ledger::{LastWrite, PolicyHistory};
use crate::plan::{Edit, Plan, Target, holds};
use crate::settings::Settings;

/// A statement of ours as the ledger knows it: written, and not undone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Granted {
    /// The statement's Sid.
    pub sid: String,
    /// The account that its grantee belongs to: the source account for a vault, the destination
    /// account for a key.
    pub account: String,
    /// Whom it admits, in the ledger's words.
    pub grantee: String,
}

/// A refusal in force: this grantee is not admitted to the resource again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// The change that was taken back; of a plan that a person refused, [`Self::of_plan`].
    pub change_id: String,
    /// Whom it had admitted, in the ledger's words.
    pub grantee: String,
}

/// What stands where a refusal has no change, but a plan.
const OF_PLAN: &str = "plan-";

impl Refusal {
    /// What stands in the place of the change, where a person refused a plan.
    #[must_use]
    pub fn of_plan(id: &str) -> String {
        format!("{OF_PLAN}{id}")
    }

    /// The id of the plan that a person refused, if that is what was refused.
    #[must_use]
    pub fn plan_of(change_id: &str) -> Option<&str> {
        change_id.strip_prefix(OF_PLAN)
    }

    fn words(&self) -> String {
        let Self { change_id, grantee } = self;
        match Self::plan_of(change_id) {
            Some(plan) => format!(
                "somebody refused plan {plan}, which would have admitted `{grantee}`; `copymend undo --allow-again {change_id}` lets it be planned again"
            ),
            None => format!(
                "somebody took change {change_id} back, which admitted `{grantee}`; `copymend undo --allow-again {change_id}` lets it be admitted again"
            ),
        }
    }
}

/// Whether a grantee may be admitted again after its statement was taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Again {
    /// It may not: an undo leaves a refusal. The default.
    #[default]
    Refused,
    /// It may, as if nothing had been taken back.
    Allowed,
}

/// The guard that an earlier undo, or a removal by hand, fails.
pub(crate) fn not_taken_back(question: &Question<'_>) -> Answer {
    let Question {
        failure, settings, ..
    } = *question;
    let Plan { target, edit } = question.planned()?;
    let history = match question.writes? {
        Ok(history) => history,
        Err(error) => return Some(not_known("what Copymend granted before", error)),
    };
    let Some(edit) = edit else {
        return Some(role_not_taken_back(history));
    };
    let facts = question.facts?;
    let grantee = grantee(target, failure, settings);
    let refused = history
        .refusals
        .iter()
        .find(|refusal| overlaps(&refusal.grantee, &grantee));
    if let Some(refusal) = refused {
        return Some((false, refusal.words()));
    }
    let account = account_of(target, failure);
    // A version that kept no grantee wrote it: whom it admitted isn't known.
    let without_grantee = history.sids.iter().find(|sid| {
        let is_granted = history.granted.iter().any(|granted| granted.sid == **sid);
        !is_granted && !edit.has_before(sid)
    });
    let removed = history.granted.iter().find(|granted| {
        let concerns = granted.account == account.as_str() || overlaps(&granted.grantee, &grantee);
        concerns
            && !stands(granted, target, edit, facts, settings)
            && !is_still_admitted(granted, &grantee, (target, edit), failure, facts)
    });
    Some(match (removed, without_grantee) {
        (Some(ours), _) => {
            let Granted {
                sid,
                account,
                grantee: admitted,
            } = ours;
            let remedy = if edit.has_before(sid) {
                "the statement is deleted and the change taken back"
            } else {
                "the change is taken back"
            };
            (
                false,
                format!(
                    "somebody removed or changed {sid}, by which Copymend had admitted `{admitted}` of account {account}: nothing is written for this \
                     account until {remedy} with `copymend undo --allow-again`"
                ),
            )
        }
        (None, Some(sid)) => (
            false,
            format!(
                "somebody removed {sid}, which an older version of Copymend wrote, and whom it admitted is not on record: nothing is written until its \
                 change is taken back with `copymend undo --allow-again`"
            ),
        ),
        (None, None) => (
            true,
            "nobody took back what admits this grantee or its account".to_owned(),
        ),
    })
}

/// A role that Copymend created, and that is missing, was deleted by somebody.
fn role_not_taken_back(history: &PolicyHistory) -> (bool, String) {
    match &history.last_write {
        Some(LastWrite { at, .. }) => (
            false,
            format!(
                "Copymend created {SERVICE_LINKED_ROLE} at {at}, and somebody deleted it since: whoever wants it again creates it by hand"
            ),
        ),
        None => (true, "nobody deleted a role of ours".to_owned()),
    }
}

/// Whether our statement is in the policy as it was written: one that somebody changed and left its
/// Sid may admit nobody.
fn stands(
    granted: &Granted,
    target: &Target,
    edit: &Edit,
    facts: &Facts,
    settings: &Settings,
) -> bool {
    let Some(policy) = &edit.before else {
        return false;
    };
    let written = match target {
        Target::ServiceLinkedRole(_) => None,
        Target::VaultPolicy(vault) => vault_statements(granted, vault.partition(), facts, settings),
        Target::KeyPolicy(key) => key_grantee(&granted.grantee).and_then(|(account, service)| {
            let grant = KeyGrant {
                partition: key.partition().to_owned(),
                destination_account: account.parse().ok()?,
                profile: service.map_or(KeyProfile::Documented, |_| KeyProfile::LeastPrivilege),
                via_services: service.into_iter().collect(),
                organization_id: organization_id(&facts.destination_organization),
            };
            grant.statements().ok()
        }),
    };
    let written = written.and_then(|statements| {
        let mut statements = statements.into_iter();
        statements.find(|statement| statement.sid() == granted.sid)
    });
    match written {
        Some(statement) => holds(policy, std::slice::from_ref(&statement)),
        // What can't be said again as it was can only be looked for.
        None => edit.has_before(&granted.sid),
    }
}

fn organization_id(organization: &Fact<Option<Organization>>) -> Option<String> {
    let organization = organization.known()?.as_ref()?;
    Some(organization.id.clone())
}

/// The statement by which a vault's policy admits a grantee. Of a unit of the organization the
/// paths at the time aren't known.
fn vault_statements(
    granted: &Granted,
    partition: &str,
    facts: &Facts,
    settings: &Settings,
) -> Option<Vec<NewStatement>> {
    let organization = facts.source_organization.known()?.as_ref()?;
    let source_account: AccountId = granted.account.parse().ok()?;
    let role: Option<RoleArn> = granted.grantee.parse().ok();
    let scope = match (&role, granted.grantee.parse::<AccountId>()) {
        (Some(_), _) => VaultScope::Role,
        (None, Ok(_)) => VaultScope::Account,
        (None, Err(_)) if granted.grantee == VaultScope::Organization.to_string() => {
            VaultScope::Organization
        }
        (None, Err(_)) => return None,
    };
    let role_arn = match &role {
        Some(role) => role.arn().clone(),
        // Not said in a wider statement.
        None => format!("arn:{partition}:iam::{source_account}:role/any")
            .parse()
            .ok()?,
    };
    let grant = VaultGrant {
        partition: partition.to_owned(),
        source_account,
        role_arn,
        scope,
        organization_id: Some(organization.id.clone()),
        organization_paths: settings.organization_paths.clone(),
    };
    grant.statements().ok()
}

/// Whether the policy admits a grantee although our statement is gone: then somebody only said it
/// otherwise. What can't be evaluated isn't admitted.
fn is_still_admitted(
    granted: &Granted,
    planned: &str,
    (target, edit): (&Target, &Edit),
    failure: &Failure,
    facts: &Facts,
) -> bool {
    if granted.grantee == planned {
        return edit.access_before == Access::Allowed;
    }
    if granted.account != account_of(target, failure).as_str() {
        return false;
    }
    let policy = edit.before.as_ref();
    let access = match (target, &facts.source_key) {
        (Target::VaultPolicy(_), _) => match granted.grantee.parse::<RoleArn>() {
            Ok(role) => vault_access_of(policy, &role, failure.copy(), facts),
            Err(_) => return false,
        },
        (Target::KeyPolicy(_), SourceKey::Key(key)) => {
            match (policy, key_grantee(&granted.grantee)) {
                (Some(policy), Some((_, Some(service)))) => key_access_through(
                    policy,
                    &key.arn,
                    &key.tags,
                    Some(service),
                    failure.copy(),
                    facts,
                ),
                (Some(_), Some((_, None)) | None) | (None, _) => return false,
            }
        }
        (Target::KeyPolicy(_), SourceKey::NotEncrypted | SourceKey::Unknown(_))
        | (Target::ServiceLinkedRole(_), _) => return false,
    };
    access == Access::Allowed
}
