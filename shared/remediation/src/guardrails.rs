//! Reads that stand over a planned copy: the organization's policies, and which Regions an account
//! has enabled.

use std::collections::BTreeMap;

use copymend_diagnosis::{
    BackupCopy, ControlPolicies, ControlPolicyKind, Fact, Facts, GuardrailQuestions, Guardrails,
    Organization, UnknownReason,
};
use copymend_policy::{AccountId, PolicyDocument};
use futures_util::future::join_all;

use crate::investigate::{fact, unknown};
use crate::places::path_of;
use crate::ports::{CallResult, Identities as _, Organizations as _, Reads};
use crate::read_once::ReadOnce;

/// What only the management account, a delegated administrator or the account itself may read.
pub trait GuardrailReads: Send + Sync {
    /// The ids of the policies of a kind that are attached to an account, a unit or the root itself, by
    /// `ListPoliciesForTarget`, asked in `reader`: AWS answers the management account and delegated
    /// administrators alone (Organizations API reference, documented).
    fn policies_for_target(
        &self,
        reader: AccountId,
        target: &str,
        kind: ControlPolicyKind,
        partition: &str,
    ) -> impl Future<Output = CallResult<Vec<String>>> + Send;

    /// The text of such a policy, by `DescribePolicy`, asked in `reader`.
    fn policy_text(
        &self,
        reader: AccountId,
        policy: &str,
        partition: &str,
    ) -> impl Future<Output = CallResult<String>> + Send;

    /// Whether an account has enabled a Region, or need not, by `account:GetRegionOptStatus` in the
    /// account itself (Account Management API reference, documented).
    fn is_region_enabled(
        &self,
        account: AccountId,
        region: &str,
        partition: &str,
    ) -> impl Future<Output = CallResult<bool>> + Send;
}

/// The policies of a kind over an account, as texts: one list a level, root first. Accounts share their
/// units and policies: through [`ReadOnce`] each list and each text is read once for all of them.
pub async fn read_control_policies<E: Reads + GuardrailReads>(
    environment: &E,
    reader: AccountId,
    account: AccountId,
    kind: ControlPolicyKind,
    partition: &str,
) -> CallResult<Vec<Vec<String>>> {
    let organizations = environment.organizations();
    let mut targets = organizations
        .list_parents(reader, account, partition)
        .await?;
    targets.push(account.to_string());
    let mut levels = Vec::new();
    for target in &targets {
        let attached = environment
            .policies_for_target(reader, target, kind, partition)
            .await?;
        let mut texts = Vec::new();
        for policy in attached {
            texts.push(environment.policy_text(reader, &policy, partition).await?);
        }
        levels.push(texts);
    }
    Ok(levels)
}

/// Reads what stands over a planned copy. Never fails: what can't be read is an unknown fact.
pub async fn look_at_guardrails<E: Reads + GuardrailReads>(
    environment: &E,
    copy: &BackupCopy,
    facts: &Facts,
) -> Guardrails {
    let questions = GuardrailQuestions::of(copy, facts);
    let partition = copy.destination_vault.partition();
    let control =
        async |account, kind| control_policies(environment, account, kind, partition).await;
    let role = async {
        if !questions.job_role_policies {
            return None;
        }
        let answer = environment.identities().principal_policies(copy.role.arn());
        Some(fact(answer.await))
    };
    let service_control = async {
        match questions.service_control {
            Some(account) => Some(control(account, ControlPolicyKind::Service).await),
            None => None,
        }
    };
    let resource_control = join_all(questions.resource_control.iter().map(async |account| {
        let policies = control(*account, ControlPolicyKind::Resource).await;
        (*account, policies)
    }));
    let destination_path = async {
        let account = questions.path_of?;
        path(
            environment,
            account,
            &facts.destination_organization,
            partition,
        )
        .await
    };
    let regions = join_all(questions.regions.iter().map(async |(account, region)| {
        let answer = environment.is_region_enabled(*account, region, partition);
        ((*account, region.clone()), fact(answer.await))
    }));
    let (job_role_policies, service_control, resource_control, destination_path, regions) = tokio::join!(
        role,
        service_control,
        resource_control,
        destination_path,
        regions
    );
    Guardrails {
        job_role_policies,
        service_control,
        resource_control: resource_control.into_iter().collect::<BTreeMap<_, _>>(),
        destination_path,
        regions: regions.into_iter().collect(),
    }
}

async fn control_policies<E: Reads + GuardrailReads>(
    environment: &E,
    account: AccountId,
    kind: ControlPolicyKind,
    partition: &str,
) -> Fact<ControlPolicies> {
    const OPERATION: &str = "organizations:ListPoliciesForTarget";
    let Some(reader) = environment.organization_reader() else {
        return Fact::Unknown(unknown(
            OPERATION,
            account.as_str(),
            UnknownReason::NotRead,
            "no account is named that may read the organization's policies (COPYMEND_ORGANIZATION_READER)",
        ));
    };
    let read = read_control_policies(environment, reader, account, kind, partition);
    let texts = match read.await {
        Ok(texts) => texts,
        Err(error) => return Fact::Unknown(error.into_unknown()),
    };
    let mut levels = Vec::new();
    for level in texts {
        let parsed: Result<Vec<PolicyDocument>, _> = level
            .iter()
            .map(|text| PolicyDocument::parse(text))
            .collect();
        match parsed {
            Ok(policies) => levels.push(policies),
            Err(error) => {
                return Fact::Unknown(unknown(
                    OPERATION,
                    account.as_str(),
                    UnknownReason::Unreadable,
                    error.to_string(),
                ));
            }
        }
    }
    Fact::Known(ControlPolicies { levels })
}

async fn path<E: Reads>(
    environment: &E,
    account: AccountId,
    organization: &Fact<Option<Organization>>,
    partition: &str,
) -> Option<Fact<String>> {
    let reader = environment.organization_reader()?;
    let organizations = environment.organizations();
    let parents = organizations.list_parents(reader, account, partition);
    path_of(organization, Some(parents.await))
}

impl<E: Reads + GuardrailReads> GuardrailReads for ReadOnce<'_, E> {
    async fn policies_for_target(
        &self,
        reader: AccountId,
        target: &str,
        kind: ControlPolicyKind,
        partition: &str,
    ) -> CallResult<Vec<String>> {
        let read = self
            .environment()
            .policies_for_target(reader, target, kind, partition);
        let asked = (reader, target, kind, partition);
        self.once("policies_for_target", &asked, read).await
    }

    async fn policy_text(
        &self,
        reader: AccountId,
        policy: &str,
        partition: &str,
    ) -> CallResult<String> {
        let read = self.environment().policy_text(reader, policy, partition);
        let asked = (reader, policy, partition);
        self.once("policy_text", &asked, read).await
    }

    async fn is_region_enabled(
        &self,
        account: AccountId,
        region: &str,
        partition: &str,
    ) -> CallResult<bool> {
        let read = self
            .environment()
            .is_region_enabled(account, region, partition);
        let asked = (account, region, partition);
        self.once("is_region_enabled", &asked, read).await
    }
}
