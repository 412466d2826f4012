//! Collects the facts of a refused call or of a failed, aborted or expired job. Reads only.

use copymend_diagnosis::advisor::{
    AliasInUse, ApiCallEvent, CallerAccess, CallerFacts, JobFacts, KeyInUse, Need, ServiceJob,
    needs,
};
use copymend_diagnosis::{
    Fact, KeyAliasArn, KeyArn, PrincipalPolicies, RoleArn, SimulatedFact, UnknownReason,
};
use copymend_policy::Arn;
use futures_util::future::join_all;

use crate::investigate::{fact, key_policy_fact, unknown};
use crate::ports::{ContextKey, Identities, Keys, Reads, Simulation};
use crate::simulate::ask;

/// The needs that one simulation asks about, with their places: those on one resource, called the
/// same way.
struct Group<'n> {
    simulation: Simulation,
    needs: Vec<(usize, &'n Need)>,
}

/// Whose permissions are read, where and how.
struct Reader<'r, E> {
    environment: &'r E,
    principal: Option<&'r Arn>,
    region: &'r str,
}

/// What a call needs, and what is known of it.
pub(super) async fn call<E: Reads>(
    environment: &E,
    call: &ApiCallEvent,
) -> (Vec<Need>, CallerFacts) {
    let reader = Reader {
        environment,
        principal: call.caller.principal.as_ref(),
        region: &call.region,
    };
    let key = call.key();
    if let (None, Some(alias)) = (&key, call.key_alias()) {
        return reader.call_by_alias(call, alias).await;
    }
    let needs = needs::of_call(call, key.as_ref());
    let facts = reader.facts(&needs, key.as_ref()).await;
    (needs, facts)
}

/// Reads what the job role is and may do, and the key.
pub(super) async fn job<E: Reads>(environment: &E, job: &ServiceJob, needs: &[Need]) -> JobFacts {
    let reader = Reader {
        environment,
        principal: job.role.as_ref().map(RoleArn::arn),
        region: &job.region,
    };
    let role = async {
        let named = job.role.as_ref();
        let Some((role, account)) = named.and_then(|role| Some((role, role.account_id()?))) else {
            let detail = "the job names no role".to_owned();
            let reason = UnknownReason::NotRead;
            return Fact::Unknown(unknown("iam:GetRole", &job.id, reason, detail));
        };
        let identities = environment.identities();
        let (partition, name) = (role.partition(), role.name());
        fact(identities.get_role(account, partition, name).await)
    };
    let (role, caller) = tokio::join!(role, reader.facts(needs, job.encryption_key.as_ref()));
    JobFacts { role, caller }
}

impl<E: Reads> Reader<'_, E> {
    /// Reads what the principal may do, and the key.
    async fn facts(&self, needs: &[Need], key: Option<&KeyArn>) -> CallerFacts {
        let (access, key) = tokio::join!(self.access(needs), self.key(key));
        CallerFacts {
            access,
            alias: None,
            key,
        }
    }

    /// The same for a call whose key is found by its alias. That takes a round of calls of its own,
    /// in which everything is asked that has nothing to do with the key.
    async fn call_by_alias(
        &self,
        call: &ApiCallEvent,
        alias: KeyAliasArn,
    ) -> (Vec<Need>, CallerFacts) {
        let mut needs: Vec<Need> = needs::of_call(call, None);
        needs.retain(|need| need.key_use.is_none());
        let of_key = async {
            let found = fact(self.environment.keys().key_of_alias(&alias).await);
            let key = found.known().and_then(Option::as_ref);
            let mut needs = needs::of_call(call, key);
            needs.retain(|need| need.key_use.is_some());
            let (simulated, key) = tokio::join!(self.simulated(&needs), self.key(key));
            (found, needs, simulated, key)
        };
        let (mut access, (found, needs_of_key, simulated, key)) =
            tokio::join!(self.access(&needs), of_key);
        needs.extend(needs_of_key);
        access.simulated.extend(simulated);
        if access.policies.is_none() {
            access.policies = self.policies(&access.simulated).await;
        }
        let facts = CallerFacts {
            access,
            alias: Some(AliasInUse { alias, key: found }),
            key,
        };
        (needs, facts)
    }

    async fn access(&self, needs: &[Need]) -> CallerAccess {
        let simulated = self.simulated(needs).await;
        CallerAccess {
            policies: self.policies(&simulated).await,
            simulated,
        }
    }

    async fn key(&self, key: Option<&KeyArn>) -> Option<KeyInUse> {
        let arn = key?;
        let keys = self.environment.keys();
        let (described, policy) = tokio::join!(keys.describe_key(arn), keys.get_key_policy(arn));
        Some(KeyInUse {
            key: fact(described),
            policy: key_policy_fact(arn, policy),
            arn: arn.clone(),
        })
    }

    /// The simulator's answer to each need, in the order of the needs. None where nobody is known
    /// to ask about.
    async fn simulated(&self, needs: &[Need]) -> Vec<SimulatedFact> {
        let Some(principal) = self.principal else {
            return Vec::new();
        };
        let groups = grouped(principal, self.region, needs);
        let identities = self.environment.identities();
        let asked = groups
            .iter()
            .map(|group| ask(identities, &group.simulation));
        let asked = join_all(asked).await;
        let mut answers: Vec<(usize, SimulatedFact)> = groups
            .iter()
            .zip(asked)
            .flat_map(|(group, facts)| group.needs.iter().map(|(at, _)| *at).zip(facts))
            .collect();
        answers.sort_by_key(|(at, _)| *at);
        answers.into_iter().map(|(_, fact)| fact).collect()
    }

    /// The principal's policies, read where the simulator told nothing.
    async fn policies(
        &self,
        simulated: &[SimulatedFact],
    ) -> Option<Fact<Option<PrincipalPolicies>>> {
        let told_nothing = simulated.iter().any(|fact| fact.as_is.known().is_none());
        let principal = self.principal.filter(|_| told_nothing)?;
        let identities = self.environment.identities();
        Some(fact(identities.principal_policies(principal).await))
    }
}

fn grouped<'n>(principal: &Arn, region: &str, needs: &'n [Need]) -> Vec<Group<'n>> {
    let mut groups: Vec<Group<'n>> = Vec::new();
    for (at, need) in needs.iter().enumerate() {
        let is_alike =
            |first: &&Need| (&first.resource, &first.key_use) == (&need.resource, &need.key_use);
        let known = groups.iter().position(|group| {
            group
                .needs
                .first()
                .is_some_and(|(_, first)| is_alike(first))
        });
        let group = match known.and_then(|at| groups.get_mut(at)) {
            Some(group) => group,
            None => groups.push_mut(Group {
                simulation: Simulation {
                    principal: principal.clone(),
                    actions: Vec::new(),
                    resource: need.resource.clone(),
                    context: vec![ContextKey::one("aws:RequestedRegion", region)],
                    without_scps: false,
                    without_boundary: false,
                },
                needs: Vec::new(),
            }),
        };
        group.simulation.actions.push(need.action);
        for key in need.context(principal) {
            if !group.simulation.context.contains(&key) {
                group.simulation.context.push(key);
            }
        }
        group.needs.push((at, need));
    }
    groups
}
