//! Calls that principals make for a copy: their condition keys, and AWS's words when they are refused.

use copymend_diagnosis::Tags;
use copymend_policy::{AccountId, Request};

use crate::copies::NewCopy;
use crate::ids;
use crate::world::World;

/// A principal's call on a resource.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    /// The role's ARN.
    pub(crate) role: &'a str,
    /// The role's account.
    pub(crate) account: AccountId,
    /// The action.
    pub(crate) action: &'a str,
    /// The resource.
    pub(crate) resource: &'a str,
    /// The resource's account, if it has a real one.
    pub(crate) owner: Option<AccountId>,
}

impl Call<'_> {
    /// The role's partition.
    pub(crate) fn partition(&self) -> &str {
        self.role.split(':').nth(1).unwrap_or("aws")
    }

    /// Every request has one (documented: IAM `reference_policies_condition-keys`). That it is the resource's is inferred.
    fn region<'r>(&'r self, copy: &'r NewCopy) -> &'r str {
        match self.resource.split(':').nth(3) {
            Some(region) if !region.is_empty() => region,
            Some(_) | None => copy.source_vault.region(),
        }
    }

    fn name(&self) -> &str {
        self.role.rsplit('/').next().unwrap_or_default()
    }

    /// The request with the global condition keys that AWS fills in (documented: IAM
    /// `reference_policies_condition-keys`). Keys that only the caller's network or a person would bring are absent.
    pub(crate) fn request(&self, world: &World, copy: &NewCopy) -> Request {
        let seconds = copy.created.as_second().to_string();
        let user_id = format!("{}:AWSBackup-{}", ids::role_id(self.role), self.name());
        let mut request = Request::new(self.role, self.action, self.resource)
            .with_context("aws:PrincipalArn", [self.role])
            .with_context("aws:PrincipalAccount", [self.account.as_str()])
            .with_context("aws:PrincipalType", ["AssumedRole"])
            .with_context("aws:userid", [user_id])
            .with_context("aws:SecureTransport", ["true"])
            .with_context("aws:RequestedRegion", [self.region(copy)])
            .with_context("aws:CurrentTime", [copy.created.to_string()])
            .with_context("aws:EpochTime", [seconds]);
        request = of_organization(request, "Principal", Some(self.account), world);
        request = of_organization(request, "Resource", self.owner, world);
        if let Some(owner) = self.owner {
            request = request.with_context("aws:ResourceAccount", [owner.as_str()]);
        }
        request
    }

    /// AWS's access-denied grammar (documented: IAM `troubleshoot_access-denied`), with the session that AWS Backup opens.
    pub(crate) fn denied(&self, ending: &str) -> String {
        let (partition, name) = (self.partition(), self.name());
        let Self {
            account,
            action,
            resource,
            ..
        } = self;
        format!(
            "User: arn:{partition}:sts::{account}:assumed-role/{name}/AWSBackup-{name} is not authorized to perform: {action} on resource: {resource} {ending}"
        )
    }

    /// The ending for a policy type that allows nothing.
    pub(crate) fn no(&self, policy_type: &str) -> String {
        self.denied(&format!(
            "because no {policy_type} allows the {} action",
            self.action
        ))
    }

    /// The ending for a policy type that denies.
    pub(crate) fn explicit(&self, policy_type: &str) -> String {
        self.denied(&format!("with an explicit deny in {policy_type}"))
    }
}

/// The request with the tags of its resource (documented: IAM `reference_policies_condition-keys`).
pub(super) fn tagged(request: Request, tags: &Tags) -> Request {
    tags.iter().fold(request, |request, (key, value)| {
        request.with_context(&format!("aws:ResourceTag/{key}"), [value.as_str()])
    })
}

fn of_organization(
    request: Request,
    whose: &str,
    account: Option<AccountId>,
    world: &World,
) -> Request {
    let Some((account, organization)) =
        account.and_then(|id| Some((id, world.organization_of(id)?)))
    else {
        return request;
    };
    request
        .with_context(&format!("aws:{whose}OrgID"), [organization.id.as_str()])
        .with_context(
            &format!("aws:{whose}OrgPaths"),
            organization.path_of(account),
        )
}
