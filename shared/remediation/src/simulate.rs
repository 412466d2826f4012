//! Asks IAM's policy simulator, and asks once more where one kind of policy hides another. Where it
//! doesn't answer for a job role, the role's policies are read.

use copymend_diagnosis::access::{
    COPY_FROM_BACKUP_VAULT, COPY_INTO_BACKUP_VAULT, has_condition_tags, is_condition_tag,
    own_calls_of_job_role,
};
use copymend_diagnosis::{
    BackupCopy, Fact, Facts, JobRoleAccess, KeyFacts, Organization, RecoveryPointTags, Role,
    Simulated, SimulatedAction, SimulatedFact, SimulatedKey, Tags, UnknownReason, keys_of_job_role,
};
use futures_util::future::join_all;

use crate::investigate::unknown;
use crate::ports::{ContextKey, Identities, Simulation};

/// The operation.
const SIMULATE: &str = "iam:SimulatePrincipalPolicy";
/// The path of the destination's account in its organization. Nobody reads it yet.
const COPY_TARGET_PATHS: &str = "backup:CopyTargetOrgPaths";
/// The organization that owns the resource.
const RESOURCE_ORGANIZATION: &str = "aws:ResourceOrgID";
/// It is in every request (IAM, "Global condition keys", documented). That it is the Region of the
/// resource is inferred.
const REQUESTED_REGION: &str = "aws:RequestedRegion";
/// The tags of the resource.
const RESOURCE_TAGS: &str = "aws:ResourceTag/*";

/// The facts that condition keys of a copy's calls follow from.
#[derive(Clone, Copy)]
pub(crate) struct Known<'f> {
    pub(crate) source_organization: &'f Fact<Option<Organization>>,
    pub(crate) destination_organization: &'f Fact<Option<Organization>>,
    pub(crate) recovery_point_tags: &'f Fact<RecoveryPointTags>,
    pub(crate) vault_tags: &'f Fact<Tags>,
}

/// A simulation on its way: what the simulator is told, and what could not be found out for it.
struct Question {
    simulation: Simulation,
    not_told: Vec<String>,
}

/// What the job role must be allowed for a copy (AWS Backup, service authorization reference,
/// documented). Where the simulator doesn't answer, the role's policies are read one by one;
/// service control policies are not known then.
pub(crate) async fn job_role_access<I: Identities>(
    identities: &I,
    copy: &BackupCopy,
    job_role: &Fact<Option<Role>>,
    known: Known<'_>,
) -> JobRoleAccess {
    let from = copy_from(copy, known);
    let into = copy_into(copy, known);
    let (copy_from, copy_into) = tokio::join!(
        // Boxed, because each may ask up to three times, and every future that awaits them would
        // carry that along.
        Box::pin(ask_one(identities, &from.simulation)),
        Box::pin(ask_one(identities, &into.simulation))
    );
    let mut access = JobRoleAccess {
        copy_from: SimulatedFact {
            not_told: from.not_told,
            ..copy_from
        },
        copy_into: SimulatedFact {
            not_told: into.not_told,
            ..copy_into
        },
    };
    let mut untold: Vec<(&mut SimulatedFact, &Simulation)> = [
        (&mut access.copy_from, &from.simulation),
        (&mut access.copy_into, &into.simulation),
    ]
    .into_iter()
    .filter(|(fact, _)| fact.as_is.known().is_none())
    .collect();
    if untold.is_empty() || is_missing(copy, job_role) {
        return access;
    }
    match identities.principal_policies(copy.role.arn()).await {
        Ok(policies) => {
            for (fact, question) in untold {
                if let Some(policies) = &policies {
                    fact.told_by_policies(policies, question);
                }
            }
        }
        // Told once, though it is of both.
        Err(error) => {
            if let Some((fact, _)) = untold.first_mut() {
                fact.without_scps = Some(Fact::Unknown(error.into_unknown()));
            }
        }
    }
    access
}

/// What the job role may do with the keys that it uses itself: one question a key. None is asked where
/// the copy makes the role use no key, where there is no such role, and where it isn't known what kind
/// of vault the copy goes to, which decides who uses the keys.
pub(crate) async fn job_role_keys<I: Identities>(
    identities: &I,
    copy: &BackupCopy,
    facts: &Facts,
) -> Vec<SimulatedKey> {
    if is_missing(copy, &facts.job_role) || facts.enters_air_gapped_vault().is_none() {
        return Vec::new();
    }
    let keys = keys_of_job_role(copy, facts);
    let asked = keys.into_iter().map(async |key| SimulatedKey {
        key: key.arn.clone(),
        actions: of_key(identities, copy, key, facts).await,
    });
    join_all(asked).await
}

async fn of_key<I: Identities>(
    identities: &I,
    copy: &BackupCopy,
    key: &KeyFacts,
    facts: &Facts,
) -> Fact<Vec<SimulatedAction>> {
    let Question { simulation, .. } = use_of_key(copy, key, facts);
    let mut actions = Vec::new();
    for answer in answers(identities, &simulation).await {
        match answer {
            Fact::Known(action) => actions.push(action),
            Fact::Unknown(why) => return Fact::Unknown(why),
        }
    }
    Fact::Known(actions)
}

/// That a service makes a grant for a resource belongs to `kms:CreateGrant` alone. One question is asked
/// about all calls on a key, so that a policy which lets the role describe a key only where it makes
/// a grant seems to let it (no policy of AWS's does; inferred that nobody's does). Which service
/// calls, in which Region, and for which encryption context isn't told: what depends on it is
/// unclear then.
const FOR_AWS_RESOURCE: &str = "kms:GrantIsForAWSResource";

fn use_of_key(copy: &BackupCopy, key: &KeyFacts, facts: &Facts) -> Question {
    let calls = own_calls_of_job_role(&key.arn, copy, facts);
    let (region, owner) = (key.arn.region(), key.arn.arn().account());
    let mut question = Question::new(copy, calls, key.arn.as_str(), region, owner);
    question.tell(ContextKey::one("kms:CallerAccount", copy.account.as_str()));
    question.tell(ContextKey::one(FOR_AWS_RESOURCE, "true"));
    question.of_organization(&key.organization);
    if let Fact::Known(tags) = &key.tags {
        question.tagged(tags);
    }
    // They hide what the role's own policies say, and can't be judged at keys.
    question.simulation.without_scps = true;
    question
}

fn is_missing(copy: &BackupCopy, job_role: &Fact<Option<Role>>) -> bool {
    matches!(job_role, Fact::Known(found)
        if found.as_ref().is_none_or(|role| role.arn != copy.role))
}

/// `backup:CopyTargets` is the destination vault, in a list (AWS Backup, "Creating backup copies
/// across AWS accounts" and service authorization reference, documented).
fn copy_from(copy: &BackupCopy, known: Known<'_>) -> Question {
    let job = copy;
    let mut question = Question::new(
        copy,
        vec![COPY_FROM_BACKUP_VAULT],
        job.source_recovery_point.as_str(),
        &job.region,
        job.account.as_str(),
    );
    question.tell(ContextKey::many(
        "backup:CopyTargets",
        [job.destination_vault.as_str().to_owned()],
    ));
    // Outside an organization there is no path.
    if !matches!(known.destination_organization, Fact::Known(None)) {
        question.not_told.push(COPY_TARGET_PATHS.to_owned());
    }
    question.of_organization(known.source_organization);
    match known.recovery_point_tags {
        Fact::Known(RecoveryPointTags::Tags(tags))
            if has_condition_tags(&copy.source_recovery_point) =>
        {
            question.tagged(tags);
        }
        Fact::Known(RecoveryPointTags::Tags(_) | RecoveryPointTags::NotApplicable)
        | Fact::Unknown(_) => question.not_told.push(RESOURCE_TAGS.to_owned()),
    }
    question
}

fn copy_into(copy: &BackupCopy, known: Known<'_>) -> Question {
    let vault = &copy.destination_vault;
    let mut question = Question::new(
        copy,
        vec![COPY_INTO_BACKUP_VAULT],
        vault.as_str(),
        vault.region(),
        copy.destination_account.as_str(),
    );
    question.of_organization(known.destination_organization);
    match known.vault_tags {
        Fact::Known(tags) => question.tagged(tags),
        Fact::Unknown(_) => question.not_told.push(RESOURCE_TAGS.to_owned()),
    }
    question
}

impl Question {
    fn new(
        copy: &BackupCopy,
        actions: Vec<&'static str>,
        resource: &str,
        region: &str,
        owner: &str,
    ) -> Self {
        let role = &copy.role;
        Self {
            simulation: Simulation {
                principal: role.arn().clone(),
                actions,
                resource: resource.to_owned(),
                context: vec![
                    ContextKey::one(REQUESTED_REGION, region),
                    ContextKey::one("aws:PrincipalArn", role.as_str()),
                    ContextKey::one("aws:ResourceAccount", owner),
                    ContextKey::one("aws:SecureTransport", "true"),
                ],
                without_scps: false,
                without_boundary: false,
            },
            not_told: Vec::new(),
        }
    }

    fn tell(&mut self, key: ContextKey) {
        self.simulation.context.push(key);
    }

    fn of_organization(&mut self, organization: &Fact<Option<Organization>>) {
        match organization {
            Fact::Known(Some(organization)) => {
                self.tell(ContextKey::one(RESOURCE_ORGANIZATION, &organization.id));
            }
            Fact::Known(None) => {}
            Fact::Unknown(_) => self.not_told.push(RESOURCE_ORGANIZATION.to_owned()),
        }
    }

    fn tagged(&mut self, tags: &Tags) {
        for (name, value) in tags {
            let key = format!("aws:ResourceTag/{name}");
            if is_condition_tag(name) {
                self.tell(ContextKey::one(key, value));
            } else {
                self.not_told.push(key);
            }
        }
    }
}

async fn ask_one<I: Identities>(identities: &I, simulation: &Simulation) -> SimulatedFact {
    match ask(identities, simulation).await.into_iter().next() {
        Some(fact) => fact,
        None => Fact::Unknown(unknown(
            SIMULATE,
            simulation.principal.as_str(),
            UnknownReason::Unreadable,
            "the simulator answered nothing",
        ))
        .into(),
    }
}

/// One answer an action, in the order asked. Service control policies hide what the principal's own
/// policies say, and its boundary does too: then the simulation is asked once more without them.
pub(crate) async fn ask<I: Identities>(
    identities: &I,
    simulation: &Simulation,
) -> Vec<SimulatedFact> {
    let asked = answers(identities, simulation).await;
    let mut facts: Vec<SimulatedFact> = asked.into_iter().map(Into::into).collect();
    let means = |fact: Option<&Fact<SimulatedAction>>, meaning: Simulated| {
        fact.and_then(Fact::known)
            .is_some_and(|action| action.meaning() == meaning)
    };
    let hidden = |fact: &SimulatedFact| means(Some(&fact.as_is), Simulated::NotByOrganization);
    let without_scps = simulation.without_scps || facts.iter().any(hidden);
    if without_scps && !simulation.without_scps {
        let again = Simulation {
            without_scps,
            ..simulation.clone()
        };
        for (fact, answer) in facts.iter_mut().zip(answers(identities, &again).await) {
            if hidden(fact) {
                fact.without_scps = Some(answer);
            }
        }
    }
    let hidden = |fact: &SimulatedFact| means(fact.behind_scps(), Simulated::NotByBoundary);
    if facts.iter().any(hidden) {
        let again = Simulation {
            without_scps,
            without_boundary: true,
            ..simulation.clone()
        };
        for (fact, answer) in facts.iter_mut().zip(answers(identities, &again).await) {
            if hidden(fact) {
                fact.without_boundary = Some(answer);
            }
        }
    }
    facts
}

async fn answers<I: Identities>(
    identities: &I,
    simulation: &Simulation,
) -> Vec<Fact<SimulatedAction>> {
    let wanted = simulation.actions.len();
    let why = match identities.simulate_principal_policy(simulation).await {
        Ok(answers) if answers.len() == wanted => {
            return answers.into_iter().map(Fact::Known).collect();
        }
        Ok(answers) => unknown(
            SIMULATE,
            simulation.principal.as_str(),
            UnknownReason::Unreadable,
            format!("{} answers to {wanted} questions", answers.len()),
        ),
        Err(error) => error.into_unknown(),
    };
    vec![Fact::Unknown(why); wanted]
}
