//! Collects the facts of a refused call or a job that came to nothing. Reads only.

use std::collections::BTreeMap;

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

/// The needs that one simulation asks about: those on one resource, called the same way.
struct Group<'n> {
    simulation: Simulation,
    needs: Vec<&'n Need>,
}

/// What a call needs, and what is known of it.
pub(super) async fn call<E: Reads>(
    environment: &E,
    call: &ApiCallEvent,
) -> (Vec<Need>, CallerFacts) {
    let key = call.key();
    if let (None, Some(alias)) = (&key, call.key_alias()) {
        return call_by_alias(environment, call, alias).await;
    }
    let needs = needs::of_call(call, key.as_ref());
    let principal = call.caller.principal.as_ref();
    let facts = caller(environment, principal, &call.region, &needs, key.as_ref()).await;
    (needs, facts)
}

/// The same, where the key is found by its alias. That takes a round of calls of its own, in which everything is asked that has
/// nothing to do with the key.
async fn call_by_alias<E: Reads>(
    environment: &E,
    call: &ApiCallEvent,
    alias: KeyAliasArn,
) -> (Vec<Need>, CallerFacts) {
    let principal = call.caller.principal.as_ref();
    let mut needs: Vec<Need> = needs::of_call(call, None);
    needs.retain(|need| need.key_use.is_none());
    let others = async {
        let simulated = simulated(environment, principal, &call.region, &needs).await;
        let policies = policies(environment, principal, &simulated).await;
        (simulated, policies)
    };
    let of_key = async {
        let found = fact(environment.keys().key_of_alias(&alias).await);
        let key = found.known().and_then(Option::as_ref);
        let mut needs = needs::of_call(call, key);
        needs.retain(|need| need.key_use.is_some());
        let (simulated, key) = tokio::join!(
            simulated(environment, principal, &call.region, &needs),
            read_key(environment, key)
        );
        (found, needs, simulated, key)
    };
    let ((mut simulated, mut policies_read), (found, needs_of_key, of_key, key)) =
        tokio::join!(others, of_key);
    needs.extend(needs_of_key);
    simulated.extend(of_key);
    if policies_read.is_none() {
        policies_read = policies(environment, principal, &simulated).await;
    }
    let facts = CallerFacts {
        access: CallerAccess {
            simulated,
            policies: policies_read,
        },
        alias: Some(AliasInUse { alias, key: found }),
        key,
    };
    (needs, facts)
}

/// Reads what the principal may do, and the key.
async fn caller<E: Reads>(
    environment: &E,
    principal: Option<&Arn>,
    region: &str,
    needs: &[Need],
    key: Option<&KeyArn>,
) -> CallerFacts {
    let access = async {
        let simulated = simulated(environment, principal, region, needs).await;
        CallerAccess {
            policies: policies(environment, principal, &simulated).await,
            simulated,
        }
    };
    let (access, key) = tokio::join!(access, read_key(environment, key));
    CallerFacts {
        access,
        alias: None,
        key,
    }
}

/// Reads what the job role is and may do, and the key.
pub(super) async fn job<E: Reads>(environment: &E, job: &ServiceJob, needs: &[Need]) -> JobFacts {
    let role = async {
        let named = job
            .role
            .as_ref()
            .and_then(|role| Some((role, role.account_id()?)));
        match named {
            Some((role, account)) => fact(
                environment
                    .identities()
                    .get_role(account, role.partition(), role.name())
                    .await,
            ),
            None => Fact::Unknown(unknown(
                "iam:GetRole",
                &job.id,
                UnknownReason::NotRead,
                "the job names no role".to_owned(),
            )),
        }
    };
    let principal = job.role.as_ref().map(RoleArn::arn);
    let (role, caller) = tokio::join!(
        role,
        caller(
            environment,
            principal,
            &job.region,
            needs,
            job.encryption_key.as_ref()
        )
    );
    JobFacts { role, caller }
}

async fn read_key<E: Reads>(environment: &E, key: Option<&KeyArn>) -> Option<KeyInUse> {
    let arn = key?;
    let keys = environment.keys();
    let (described, policy) = tokio::join!(keys.describe_key(arn), keys.get_key_policy(arn));
    Some(KeyInUse {
        key: fact(described),
        policy: key_policy_fact(arn, policy),
        arn: arn.clone(),
    })
}

/// The simulator's answer to each need, in the order of the needs. None where nobody is known to ask about.
async fn simulated<E: Reads>(
    environment: &E,
    principal: Option<&Arn>,
    region: &str,
    needs: &[Need],
) -> Vec<SimulatedFact> {
    let Some(principal) = principal else {
        return Vec::new();
    };
    let groups = grouped(principal, region, needs);
    let identities = environment.identities();
    let asked = join_all(
        groups
            .iter()
            .map(|group| ask(identities, &group.simulation)),
    )
    .await;
    let mut answers: BTreeMap<(&str, &str), SimulatedFact> = BTreeMap::new();
    for (group, facts) in groups.iter().zip(asked) {
        for (need, fact) in group.needs.iter().zip(facts) {
            answers.insert((need.action, need.resource.as_str()), fact);
        }
    }
    needs
        .iter()
        .filter_map(|need| answers.remove(&(need.action, need.resource.as_str())))
        .collect()
}

/// The principal's policies, read where the simulator told nothing.
async fn policies<E: Reads>(
    environment: &E,
    principal: Option<&Arn>,
    simulated: &[SimulatedFact],
) -> Option<Fact<Option<PrincipalPolicies>>> {
    let told_nothing = simulated.iter().any(|fact| fact.as_is.known().is_none());
    let principal = principal.filter(|_| told_nothing)?;
    Some(fact(
        environment.identities().principal_policies(principal).await,
    ))
}

fn grouped<'n>(principal: &Arn, region: &str, needs: &'n [Need]) -> Vec<Group<'n>> {
    let mut groups: Vec<Group<'n>> = Vec::new();
    for need in needs {
        let is_alike =
            |first: &&Need| (&first.resource, &first.key_use) == (&need.resource, &need.key_use);
        let known = groups
            .iter()
            .position(|group| group.needs.first().is_some_and(is_alike));
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
        group.needs.push(need);
    }
    groups
}
