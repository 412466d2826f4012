//! AWS IAM.

use std::sync::Arc;

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult};
use copymend_diagnosis::{PrincipalPolicies, Role, SimulatedAction, SimulatedDecision};
use copymend_policy::{AccountId, Arn};
use copymend_remediation::ports::{
    CallErrorKind, CallResult, Identities, IdentityWrites, Simulation,
};
use copymend_remediation::write::ApprovedServiceLinkedRole;

use crate::accounts::{Accounts, Clients, Target};
use crate::backup::MOST_PAGES;
use crate::copy_job::{required, text};
use crate::error::Call;
use crate::percent;
use crate::principal_policies;

pub(crate) const ABSENT: &str = "NoSuchEntity";
/// What the simulator takes for no boundary at all.
const NO_BOUNDARY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// AWS IAM. It is global: the SDK finds the endpoint of the partition from the function's Region.
#[derive(Debug)]
pub struct AwsIdentities {
    clients: Clients<Client>,
}

impl AwsIdentities {
    pub(crate) fn new(accounts: Arc<Accounts>) -> Self {
        Self {
            clients: Clients::new(accounts, Client::new),
        }
    }

    /// A client of the account that a role or user belongs to.
    async fn owner(&self, operation: &'static str, principal: &Arn) -> CallResult<(Client, Call)> {
        let call = Call::new(operation, principal.as_str());
        let account = principal
            .account_id()
            .ok_or_else(|| call.error(CallErrorKind::Failed, "its ARN names no real account"))?;
        let target = Target {
            account,
            partition: Some(principal.partition()),
            region: None,
        };
        self.clients.of(call, target).await
    }
}

impl Identities for AwsIdentities {
    async fn get_role(
        &self,
        account: AccountId,
        partition: &str,
        name: &str,
    ) -> CallResult<Option<Role>> {
        let target = Target {
            account,
            partition: Some(partition),
            region: None,
        };
        let resource = format!("arn:{partition}:iam::{account}:role/{name}");
        let (client, call) = self
            .clients
            .of(Call::new("iam:GetRole", resource), target)
            .await?;
        let request = client.get_role().role_name(name);
        let Some(answer) = call.find(ABSENT, request.send()).await? else {
            return Ok(None);
        };
        let role = answer
            .role()
            .ok_or_else(|| call.unreadable("`Role` is missing"))?;
        Ok(Some(Role {
            arn: required("Arn", Some(role.arn())).map_err(|detail| call.unreadable(detail))?,
            trust_policy: role.assume_role_policy_document().and_then(policy_text),
            permissions_boundary: role
                .permissions_boundary()
                .and_then(|boundary| text(boundary.permissions_boundary_arn())),
        }))
    }

    async fn simulate_principal_policy(
        &self,
        simulation: &Simulation,
    ) -> CallResult<Vec<SimulatedAction>> {
        let (client, call) = self
            .owner("iam:SimulatePrincipalPolicy", &simulation.principal)
            .await?;
        let context = simulation
            .context
            .iter()
            .map(|(key, value)| {
                ContextEntry::builder()
                    .context_key_name(*key)
                    .context_key_type(ContextKeyTypeEnum::String)
                    .context_key_values(value)
                    .build()
            })
            .collect();
        let boundary = simulation
            .without_boundary
            .then(|| vec![NO_BOUNDARY.to_owned()]);
        let actions = simulation.actions.iter().map(|action| (*action).to_owned());
        let request = client
            .simulate_principal_policy()
            .policy_source_arn(simulation.principal.as_str())
            .set_action_names(Some(actions.collect()))
            .resource_arns(&simulation.resource)
            .set_context_entries(Some(context))
            .set_permissions_boundary_policy_input_list(boundary);
        let mut results = Vec::new();
        let mut marker = None;
        for _ in 0..MOST_PAGES {
            let page = call.send(request.clone().set_marker(marker).send()).await?;
            results.extend(page.evaluation_results.unwrap_or_default());
            marker = text(page.marker.as_deref());
            if !page.is_truncated {
                break;
            }
            if marker.is_none() {
                return Err(call.unreadable("`IsTruncated` is true, but `Marker` is missing"));
            }
        }
        let answer = |action: &&'static str| {
            results
                .iter()
                .find(|result| result.eval_action_name.eq_ignore_ascii_case(action))
                .ok_or_else(|| format!("there is no answer for {action}"))
                .and_then(|result| simulated(result, &simulation.resource))
        };
        simulation
            .actions
            .iter()
            .map(answer)
            .collect::<Result<_, _>>()
            .map_err(|detail| call.unreadable(detail))
    }

    async fn principal_policies(&self, principal: &Arn) -> CallResult<Option<PrincipalPolicies>> {
        let (client, call) = self.owner("iam:GetPolicy", principal).await?;
        let name = principal.resource().rsplit('/').next().unwrap_or_default();
        match principal.resource().split('/').next() {
            Some("role") => principal_policies::of_role(&client, &call, name).await,
            Some("user") => principal_policies::of_user(&client, &call, name).await,
            Some(_) | None => Err(call.error(
                CallErrorKind::Failed,
                "only a role or a user has policies that can be read",
            )),
        }
    }
}

impl IdentityWrites for AwsIdentities {
    async fn create_service_linked_role(&self, role: &ApprovedServiceLinkedRole) -> CallResult<()> {
        let target = Target {
            account: role.account(),
            partition: Some(role.partition()),
            region: None,
        };
        let (client, call) = self
            .clients
            .of(
                Call::new("iam:CreateServiceLinkedRole", role.account().as_str()),
                target,
            )
            .await?;
        let request = client
            .create_service_linked_role()
            .aws_service_name("backup.amazonaws.com");
        call.send(request.send()).await?;
        Ok(())
    }
}

/// One result. Where a resource was named, what concerns it stands in a list of its own (IAM API reference,
/// `EvaluationResult` [documented]).
fn simulated(result: &EvaluationResult, resource: &str) -> Result<SimulatedAction, String> {
    let specific = result
        .resource_specific_results()
        .iter()
        .find(|specific| specific.eval_resource_name == resource);
    let decision = specific.map_or(&result.eval_decision, |specific| {
        &specific.eval_resource_decision
    });
    let decision = match decision.as_str() {
        "allowed" => SimulatedDecision::Allowed,
        "explicitDeny" => SimulatedDecision::ExplicitDeny,
        "implicitDeny" => SimulatedDecision::ImplicitDeny,
        other => return Err(format!("`EvalDecision` is `{other}`")),
    };
    let boundary = specific
        .and_then(|specific| specific.permissions_boundary_decision_detail())
        .or(result.permissions_boundary_decision_detail());
    let matched = specific.map_or_else(
        || result.matched_statements().len(),
        |specific| specific.matched_statements().len(),
    );
    let missing = specific.map_or_else(
        || result.missing_context_values(),
        |specific| specific.missing_context_values(),
    );
    Ok(SimulatedAction {
        action: result.eval_action_name.clone(),
        resource: resource.to_owned(),
        decision,
        allowed_by_organizations: result
            .organizations_decision_detail()
            .map(aws_sdk_iam::types::OrganizationsDecisionDetail::allowed_by_organizations),
        allowed_by_permissions_boundary: boundary.map(
            aws_sdk_iam::types::PermissionsBoundaryDecisionDetail::allowed_by_permissions_boundary,
        ),
        matched_statements: matched,
        missing_context_values: missing.to_vec(),
    })
}

/// IAM answers policies URL-encoded (RFC 3986); a plain one, which can't start with an escape, is left alone.
pub(crate) fn policy_text(document: &str) -> Option<String> {
    if document.trim_start().starts_with('{') {
        return Some(document.to_owned());
    }
    text(percent::decode(document)?.as_str().into())
}
