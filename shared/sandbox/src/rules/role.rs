//! The job role: whether AWS Backup may assume it, and whether it may copy.

use copymend_diagnosis::Cause;
use copymend_policy::{Decision, PolicyDocument, Request, evaluate, evaluate_without_principal};
use serde_json::Value;

use super::{Call, Verdict, refused};
use crate::copies::NewCopy;
use crate::managed;
use crate::world::{Organization, PolicyText, Role, World};

pub(super) fn check(world: &World, copy: &NewCopy) -> Verdict {
    let not_assumed = |cause| {
        // One text for both (seen: AWS's list of status messages); GetRole tells them apart.
        let message = format!("IAM Role {} cannot be assumed by AWS Backup", copy.role);
        Err(refused(cause, "ACCESS_DENIED", message))
    };
    if copy.role.account_id() != copy.source_vault.account_id() {
        return not_assumed(Cause::JobRoleTrust);
    }
    let Some(role) = world.role(&copy.role) else {
        return not_assumed(Cause::JobRoleMissing);
    };
    if !is_trusting(role, copy) {
        return not_assumed(Cause::JobRoleTrust);
    }
    let Some(account) = copy.role.account_id() else {
        return not_assumed(Cause::JobRoleMissing);
    };
    let call = |action, resource, owner| Call {
        role: copy.role.as_str(),
        account,
        action,
        resource,
        owner,
    };
    let destination = copy.destination_vault.account_id();
    let from = call(
        "backup:CopyFromBackupVault",
        copy.recovery_point.as_str(),
        Some(account),
    );
    let paths = destination.and_then(|id| world.organization_of(id)?.path_of(id));
    let request = from
        .request(world, copy)
        .with_context("backup:CopyTargets", [copy.destination_vault.as_str()])
        .with_context("backup:CopyTargetOrgPaths", paths);
    may(world, role, from, &request)?;
    if let Some(policy) = world
        .vault(&copy.source_vault)
        .and_then(|vault| vault.policy.as_ref())
        && is_denied(policy, &request)
    {
        return Err(refused(
            Cause::DestinationVaultDeny,
            "ACCESS_DENIED",
            from.explicit("a resource-based policy"),
        ));
    }
    let into = call(
        "backup:CopyIntoBackupVault",
        copy.destination_vault.as_str(),
        destination,
    );
    may(world, role, into, &into.request(world, copy))
}

/// Whether the trust policy lets `backup.amazonaws.com` assume the role (documented: developer guide, "IAM service roles").
fn is_trusting(role: &Role, copy: &NewCopy) -> bool {
    let Some(policy) = &role.trust_policy else {
        return true;
    };
    let Some(policy) = with_resource(policy.as_str()) else {
        return false;
    };
    let (account, region) = (
        copy.source_vault.arn().account(),
        copy.source_vault.region(),
    );
    let source = format!(
        "arn:{}:backup:{region}:{account}:*",
        copy.source_vault.partition()
    );
    let request = Request::new("backup.amazonaws.com", "sts:AssumeRole", copy.role.as_str())
        .with_context("aws:SourceAccount", [account])
        .with_context("aws:SourceArn", [source]);
    evaluate(&policy, &request).is_allowed()
}

/// A trust policy names no resource, because the role it is attached to is the only one.
fn with_resource(policy: &str) -> Option<PolicyDocument> {
    let mut policy: Value = serde_json::from_str(policy).ok()?;
    let statements = policy.get_mut("Statement")?;
    let statements = if statements.is_array() {
        statements.as_array_mut()?.as_mut_slice()
    } else {
        std::slice::from_mut(statements)
    };
    for statement in statements {
        statement
            .as_object_mut()?
            .insert("Resource".to_owned(), "*".into());
    }
    PolicyDocument::parse(&policy.to_string()).ok()
}

/// Identity policies, boundary and service control policies (documented: IAM `reference_policies_evaluation-logic`).
fn may(world: &World, role: &Role, call: Call<'_>, request: &Request) -> Verdict {
    let denied = |cause, message| Err(refused(cause, "ACCESS_DENIED", message));
    if is_denied_by_organization(world, call, request) {
        return denied(
            Cause::ServiceControlPolicy,
            call.explicit("a service control policy"),
        );
    }
    let managed = role
        .managed_policies
        .iter()
        .filter_map(|name| managed::policy(name, call.partition()))
        .map(|policy| evaluate_without_principal(&policy, request));
    let inline = role
        .policies
        .values()
        .map(|policy| of_identity(policy, request));
    let decisions: Vec<Decision> = managed.chain(inline).collect();
    let is_denied = |decision: &Decision| matches!(decision, Decision::ExplicitlyDenied { .. });
    if decisions.iter().any(is_denied) {
        return denied(
            Cause::JobRolePermission,
            call.explicit("an identity-based policy"),
        );
    }
    let boundary = role
        .permissions_boundary
        .as_ref()
        .map(|boundary| of_identity(&boundary.policy, request));
    if boundary.as_ref().is_some_and(is_denied) {
        return denied(
            Cause::PermissionsBoundary,
            call.explicit("a permissions boundary"),
        );
    }
    if !decisions.iter().any(Decision::is_allowed) {
        return denied(Cause::JobRolePermission, call.no("identity-based policy"));
    }
    if boundary.is_some_and(|decision| !decision.is_allowed()) {
        return denied(Cause::PermissionsBoundary, call.no("permissions boundary"));
    }
    Ok(())
}

fn of_identity(policy: &PolicyText, request: &Request) -> Decision {
    policy
        .document()
        .map_or(Decision::ImplicitlyDenied, |policy| {
            evaluate_without_principal(policy, request)
        })
}

/// Service control policies don't bind the management account (documented: Organizations `orgs_manage_policies_scps`).
fn is_denied_by_organization(world: &World, call: Call<'_>, request: &Request) -> bool {
    let Some(organization) = world.organization_of(call.account) else {
        return false;
    };
    organization.management_account != call.account
        && organization
            .service_control_policies
            .iter()
            .filter(|policy| {
                policy
                    .targets
                    .iter()
                    .any(|target| contains(organization, target, call))
            })
            .any(|policy| {
                matches!(
                    of_identity(&policy.policy, request),
                    Decision::ExplicitlyDenied { .. }
                )
            })
}

fn contains(organization: &Organization, target: &str, call: Call<'_>) -> bool {
    target == call.account.as_str()
        || organization
            .path_of(call.account)
            .is_some_and(|path| path.split('/').any(|part| part == target))
}

fn is_denied(policy: &PolicyText, request: &Request) -> bool {
    policy
        .document()
        .is_ok_and(|policy| matches!(evaluate(policy, request), Decision::ExplicitlyDenied { .. }))
}
