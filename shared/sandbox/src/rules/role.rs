//! The job role: whether AWS Backup may assume it, and whether it may copy.

use copymend_diagnosis::Cause;
use copymend_policy::{Request, evaluate, evaluate_trust_policy};

use super::calls::tagged;
use super::{Call, Verdict, refused};
use crate::authority::{Authority, Layer, Refusal, is_denied};
use crate::copies::NewCopy;
use crate::world::{PolicyText, Role, World};

pub(super) fn check(world: &World, copy: &NewCopy) -> Verdict {
    let not_assumed = |cause| {
        // One text for both (seen: AWS's list of status messages); GetRole tells them apart.
        let message = format!("IAM Role {} cannot be assumed by AWS Backup", copy.role);
        Err(refused(cause, "ACCESS_DENIED", message))
    };
    if copy.role.account_id() != copy.source_vault.account_id() {
        return not_assumed(Cause::JobRoleTrust);
    }
    let (Some(role), Some(authority), Some(account)) = (
        world.role(&copy.role),
        Authority::of(world, copy.role.arn()),
        copy.role.account_id(),
    ) else {
        return not_assumed(Cause::JobRoleMissing);
    };
    if !is_trusting(role, copy) {
        return not_assumed(Cause::JobRoleTrust);
    }
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
    let mut request = from
        .request(world, copy)
        .with_context("backup:CopyTargets", [copy.destination_vault.as_str()])
        .with_context("backup:CopyTargetOrgPaths", paths);
    if let Some(point) = world.recovery_point(&copy.source_vault, &copy.recovery_point) {
        request = tagged(request, &point.tags);
    }
    may(&authority, from, &request)?;
    if let Some(policy) = world
        .vault(&copy.source_vault)
        .and_then(|vault| vault.policy.as_ref())
        && denies(policy, &request)
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
    let mut request = into.request(world, copy);
    if let Some(vault) = world.vault(&copy.destination_vault) {
        request = tagged(request, &vault.tags);
    }
    may(&authority, into, &request)
}

/// Whether the trust policy lets `backup.amazonaws.com` assume the role (documented: developer guide, "IAM service roles").
fn is_trusting(role: &Role, copy: &NewCopy) -> bool {
    let Some(policy) = &role.trust_policy else {
        return true;
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
    policy
        .document()
        .is_ok_and(|policy| evaluate_trust_policy(policy, &request).is_allowed())
}

/// Whether the policies over the role allow a call, and AWS's words if they don't.
fn may(authority: &Authority, call: Call<'_>, request: &Request) -> Verdict {
    let Some(Refusal { layer, explicit }) = authority.refusal(request) else {
        return Ok(());
    };
    let (cause, article, policy_type) = match layer {
        Layer::ServiceControl => (Cause::ServiceControlPolicy, "a", "service control policy"),
        Layer::Identity => (Cause::JobRolePermission, "an", "identity-based policy"),
        Layer::Boundary => (Cause::PermissionsBoundary, "a", "permissions boundary"),
    };
    let message = if explicit {
        call.explicit(&format!("{article} {policy_type}"))
    } else {
        call.no(policy_type)
    };
    Err(refused(cause, "ACCESS_DENIED", message))
}

fn denies(policy: &PolicyText, request: &Request) -> bool {
    policy
        .document()
        .is_ok_and(|policy| is_denied(&evaluate(policy, request)))
}
