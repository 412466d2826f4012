//! The job role: whether AWS Backup may assume it, and whether it may copy.

use copymend_diagnosis::Cause;
use copymend_policy::{Request, evaluate_trust_policy};

use super::calls::{call, not_denied_lately, says};
use super::{Verdict, refused};
use crate::authority::{Authority, Layer, Refusal, is_denied};
use crate::call::{Call, Caller};
use crate::copies::NewCopy;
use crate::world::{Role, World};

pub(super) fn check(world: &World, copy: &NewCopy) -> Verdict {
    let not_assumed = |cause| {
        // One text for both (seen: AWS's list of status messages); GetRole tells them apart.
        let message = format!("IAM Role {} cannot be assumed by AWS Backup", copy.role);
        Err(refused(cause, "ACCESS_DENIED", message))
    };
    if copy.role.account_id() != copy.source_vault.account_id() {
        return not_assumed(Cause::JobRoleTrust);
    }
    let (Some(role), Some(authority), Some(caller)) = (
        world.role(&copy.role),
        Authority::of(world, copy.role.arn()),
        Caller::job_role(world, &copy.role),
    ) else {
        return not_assumed(Cause::JobRoleMissing);
    };
    if !is_trusting(role, copy) {
        return not_assumed(Cause::JobRoleTrust);
    }
    let destination = copy.destination_vault.account_id();
    let from = call(
        copy,
        &caller,
        "backup:CopyFromBackupVault",
        copy.recovery_point.as_str(),
        copy.source_vault.account_id(),
    );
    let paths = destination.and_then(|id| world.organization_of(id)?.path_of(id));
    let request = from
        .request(world)
        .with_context("backup:CopyTargets", [copy.destination_vault.as_str()])
        .with_context("backup:CopyTargetOrgPaths", paths);
    may(world, &authority, from, &request)?;
    let policy = world
        .vault(&copy.source_vault)
        .and_then(|vault| vault.policy.as_ref());
    if is_denied(&says(policy, &request)) {
        return Err(from.refused(
            Cause::SourceVaultDeny,
            "ACCESS_DENIED",
            from.explicit("a resource-based policy"),
        ));
    }
    let into = call(
        copy,
        &caller,
        "backup:CopyIntoBackupVault",
        copy.destination_vault.as_str(),
        destination,
    );
    may(world, &authority, into, &into.request(world))
}

/// Whether the trust policy lets `backup.amazonaws.com` assume the role (documented: developer
/// guide, "IAM service roles").
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
fn may(world: &World, authority: &Authority, call: Call<'_>, request: &Request) -> Verdict {
    not_denied_lately(world, call)?;
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
    Err(call.refused(cause, "ACCESS_DENIED", message))
}
