//! What the policies over a principal let it do: service control policies, its own policies, its
//! permissions boundary. The rules of a copy and the policy simulator rest on the same ones.

use copymend_policy::{
    AccountId, Arn, Decision, PolicyDocument, Request, evaluate_without_principal,
};

use crate::managed;
use crate::world::{Account, PermissionsBoundary, PolicyText, Role, User, World};

/// A layer of policies over a principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    /// The service control policies over its account.
    ServiceControl,
    /// Its own policies.
    Identity,
    /// Its permissions boundary.
    Boundary,
}

/// The layer that refuses a request, and whether by a Deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) layer: Layer,
    pub(crate) explicit: bool,
}

/// The policies over a role or user.
#[derive(Clone, Debug)]
pub(crate) struct Authority {
    /// Beside `FullAWSAccess`. Nothing where no service control policy binds the account or the
    /// principal: outside an organization, in its management account, and for service-linked roles
    /// (documented: Organizations `orgs_manage_policies_scps`).
    pub(crate) service_control: Option<Vec<PolicyText>>,
    /// Inline and attached policies.
    pub(crate) identity: Vec<PolicyDocument>,
    /// The permissions boundary.
    pub(crate) boundary: Option<PolicyDocument>,
}

impl Authority {
    /// The policies over a role or user of the world; nothing where there is no such principal.
    pub(crate) fn of(world: &World, principal: &Arn) -> Option<Self> {
        let account: AccountId = principal.account().parse().ok()?;
        let found = world.account(account)?;
        if principal.service() != "iam" || principal.partition() != found.partition {
            return None;
        }
        if principal.as_str() == world.service_linked_role_arn(account) {
            return found.service_linked_role.then(|| Self {
                service_control: None,
                identity: managed::service_linked_role()
                    .into_iter()
                    .cloned()
                    .collect(),
                boundary: None,
            });
        }
        let own = if let Some(name) = principal.resource().strip_prefix("user/") {
            world.user(account, name)?.into()
        } else {
            Own::from(world.role(&principal.as_str().parse().ok()?)?)
        };
        Some(own.under(world, account, found))
    }

    /// An administrator of an account, whom only service control policies bind.
    pub(crate) fn of_administrator(
        world: &World,
        account: AccountId,
        everything: Option<&PolicyDocument>,
    ) -> Self {
        Self {
            service_control: service_control(world, account),
            identity: everything.into_iter().cloned().collect(),
            boundary: None,
        }
    }

    /// Why a request is refused, if it is (documented: IAM `reference_policies_evaluation-logic`):
    /// a Deny anywhere wins, and each layer must allow. Which of several refusals AWS names is
    /// inferred.
    pub(crate) fn refusal(&self, request: &Request) -> Option<Refusal> {
        let refused = |layer, explicit| Some(Refusal { layer, explicit });
        let controls = self.service_control.iter().flatten();
        if controls
            .filter_map(|policy| policy.document().ok())
            .any(|policy| is_denied(&evaluate_without_principal(policy, request)))
        {
            return refused(Layer::ServiceControl, true);
        }
        let identity = self.identity(request);
        if identity.iter().any(is_denied) {
            return refused(Layer::Identity, true);
        }
        let boundary = self.boundary(request);
        if boundary.as_ref().is_some_and(is_denied) {
            return refused(Layer::Boundary, true);
        }
        if !identity.iter().any(Decision::is_allowed) {
            return refused(Layer::Identity, false);
        }
        if boundary.is_some_and(|decision| !decision.is_allowed()) {
            return refused(Layer::Boundary, false);
        }
        None
    }

    /// What each of the principal's own policies says.
    pub(crate) fn identity(&self, request: &Request) -> Vec<Decision> {
        self.identity
            .iter()
            .map(|policy| evaluate_without_principal(policy, request))
            .collect()
    }

    /// What the boundary says, if there is one.
    pub(crate) fn boundary(&self, request: &Request) -> Option<Decision> {
        self.boundary
            .as_ref()
            .map(|policy| evaluate_without_principal(policy, request))
    }
}

/// The service control policies that bind an account's principals. None bind those of the
/// management account.
fn service_control(world: &World, account: AccountId) -> Option<Vec<PolicyText>> {
    let organization = world
        .organization_of(account)
        .filter(|organization| organization.management_account != account)?;
    let binding = organization.binding(&organization.service_control_policies, account);
    Some(binding.cloned().collect())
}

pub(crate) const fn is_denied(decision: &Decision) -> bool {
    matches!(decision, Decision::ExplicitlyDenied { .. })
}

/// A principal's own policies, as the world names them.
struct Own<'w> {
    inline: Vec<&'w PolicyText>,
    managed: &'w [String],
    boundary: Option<&'w PermissionsBoundary>,
}

impl<'w> From<&'w Role> for Own<'w> {
    fn from(role: &'w Role) -> Self {
        Self {
            inline: role.policies.values().collect(),
            managed: &role.managed_policies,
            boundary: role.permissions_boundary.as_ref(),
        }
    }
}

impl<'w> From<&'w User> for Own<'w> {
    fn from(user: &'w User) -> Self {
        Self {
            inline: user.policies.values().collect(),
            managed: &user.managed_policies,
            boundary: user.permissions_boundary.as_ref(),
        }
    }
}

impl Own<'_> {
    fn under(&self, world: &World, id: AccountId, account: &Account) -> Authority {
        // INVARIANT: a world whose policies aren't policies isn't loaded.
        let inline = self
            .inline
            .iter()
            .filter_map(|text| text.document().ok().cloned());
        let managed = self
            .managed
            .iter()
            .filter_map(|name| managed::policy(name, &account.partition));
        Authority {
            service_control: service_control(world, id),
            identity: managed.chain(inline).collect(),
            boundary: self
                .boundary
                .and_then(|boundary| boundary.policy.document().ok().cloned()),
        }
    }
}
