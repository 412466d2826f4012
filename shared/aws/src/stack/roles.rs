//! The functions' roles, and what IAM's policy simulator says of them.

use copymend_diagnosis::SimulatedAction;
use copymend_doctor::{Deployed, Need, RoleFacts, needs_of};
use copymend_policy::Arn;
use copymend_remediation::ports::{CallErrorKind, CallResult, Identities, Simulation};

use crate::error::Call;

const ROLES: [&str; 2] = ["CopyRemediatorRole", "AccessAdvisorRole"];

pub(super) async fn read(identities: &impl Identities, deployed: &Deployed) -> Vec<RoleFacts> {
    let mut roles = Vec::new();
    for logical in ROLES {
        if let Some(name) = deployed.id(logical) {
            roles.push(role(identities, deployed, logical, name).await);
        }
    }
    roles
}

/// Whether the stack's account has a role of this name.
pub(super) async fn exists(
    identities: &impl Identities,
    deployed: &Deployed,
    name: &str,
) -> CallResult<bool> {
    let role = identities
        .get_role(deployed.account, &deployed.partition, name)
        .await?;
    Ok(role.is_some())
}

async fn role(
    identities: &impl Identities,
    deployed: &Deployed,
    logical: &str,
    name: &str,
) -> RoleFacts {
    let call = Call::new("iam:SimulatePrincipalPolicy", name);
    let found = identities
        .get_role(deployed.account, &deployed.partition, name)
        .await;
    let arn = match &found {
        Ok(Some(role)) => role.arn.to_string(),
        Ok(None) | Err(_) => {
            deployed.global_arn("iam", &format!("role/{}", path_of(deployed, name)))
        }
    };
    let needs = needs_of(logical, deployed)
        .map_err(|error| call.unreadable(error.to_string()))
        .and_then(|needs| {
            Ok((
                needs,
                arn.parse::<Arn>()
                    .map_err(|error| call.error(CallErrorKind::Failed, error.to_string()))?,
            ))
        });
    let needs = match (needs, found) {
        (Ok((needs, _)), Ok(None)) => {
            let error = call.error(CallErrorKind::Failed, "NoSuchEntity");
            failed(needs, &error)
        }
        (Ok((needs, principal)), Ok(Some(_)) | Err(_)) => {
            simulated(identities, &principal, needs).await
        }
        (Err(error), _) => failed(Vec::new(), &error),
    };
    RoleFacts {
        logical: logical.to_owned(),
        arn,
        needs,
    }
}

/// Where the stack's roles are, as far as its parameters say.
fn path_of(deployed: &Deployed, name: &str) -> String {
    let path = match deployed.parameter("RolePath") {
        "" => "/copymend/",
        path => path,
    };
    format!("{}{name}", path.trim_start_matches('/'))
}

fn failed(
    needs: Vec<Need>,
    error: &copymend_remediation::ports::CallError,
) -> Vec<(Need, CallResult<SimulatedAction>)> {
    let needs = needs.into_iter();
    needs.map(|need| (need, Err(error.clone()))).collect()
}

/// Needs on the same resource are one question; each action of it has an answer of its own.
async fn simulated(
    identities: &impl Identities,
    principal: &Arn,
    mut needs: Vec<Need>,
) -> Vec<(Need, CallResult<SimulatedAction>)> {
    let mut answered = Vec::new();
    while let Some(first) = needs.first().cloned() {
        let (asked, left): (Vec<Need>, Vec<Need>) = needs
            .into_iter()
            .partition(|need| need.resource == first.resource && need.context == first.context);
        needs = left;
        let simulation = Simulation {
            principal: principal.clone(),
            actions: asked.iter().map(|need| need.action).collect(),
            resource: first.resource,
            context: first.context,
            without_scps: false,
            without_boundary: false,
        };
        match identities.simulate_principal_policy(&simulation).await {
            Ok(answers) => answered.extend(asked.into_iter().zip(answers.into_iter().map(Ok))),
            Err(error) => answered.extend(failed(asked, &error)),
        }
    }
    answered
}
