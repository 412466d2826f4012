//! Copymend's own calls: as whom it makes them, and whether AWS lets it.
//!
//! A world may name its roles ([`crate::Copymend`]). Then they are roles like any other: their
//! policies, their boundary, the trust policy of the member role and all that binds resources
//! decide. In a world that names none, Copymend is an administrator of the resource's own account,
//! whom only resource policies, service and resource control policies bind.

use std::sync::LazyLock;

use copymend_diagnosis::{BackupVaultArn, KeyAliasArn, KeyArn, KeyManager, RoleArn};
use copymend_policy::{AccountId, Authorization, Layer, PolicyDocument, Verdict};
use jiff::Timestamp;

use crate::authority::Authority;
use crate::call::{Call, Caller};
use crate::copies::CopyFailure;
pub(crate) use crate::own_roles::global_region;
use crate::own_roles::{copymend_in, name_of};
use crate::world::{SERVICE_LINKED_ROLE, World};

static FULL_ACCESS: LazyLock<Option<PolicyDocument>> = LazyLock::new(|| {
    PolicyDocument::parse(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
    )
    .ok()
});

/// What the policy of every AWS managed key lets its own account read (documented: KMS developer
/// guide, "AWS managed keys": their metadata and policies can be viewed).
static METADATA_OF_MANAGED_KEYS: LazyLock<Option<PolicyDocument>> = LazyLock::new(|| {
    PolicyDocument::parse(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":["kms:Describe*","kms:Get*","kms:List*"],"Resource":"*"}}"#,
    )
    .ok()
});

/// Where no key has a policy to ask: for actions on no key, and for a key that doesn't exist, of
/// which KMS says so before it looks for a policy (inferred).
static EVERYONE: LazyLock<Option<PolicyDocument>> = LazyLock::new(|| {
    PolicyDocument::parse(r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}"#).ok()
});

/// What Copymend asks AWS to do.
#[derive(Clone, Debug)]
pub(crate) struct Asked<'a> {
    /// The account that is called.
    pub(crate) account: AccountId,
    pub(crate) action: &'a str,
    /// The resource's ARN; `*` for an action that has none.
    pub(crate) resource: String,
    /// The Region that is called, where the resource names none.
    pub(crate) region: &'a str,
    /// The vault whose policy has a say in calls on a recovery point.
    pub(crate) vault: Option<BackupVaultArn>,
    pub(crate) at: Timestamp,
    /// Condition keys of this action alone.
    pub(crate) keys: Vec<(&'static str, String)>,
}

/// AWS's words where it refuses what Copymend asks. They are remembered for a while.
pub(crate) fn refusal(world: &mut World, asked: &Asked<'_>) -> Option<String> {
    let (caller, authority) =
        match copymend_in(world, asked.account, asked.at, FULL_ACCESS.as_ref()) {
            Ok(found) => found,
            Err(words) => return Some(format!("AccessDenied: {words}")),
        };
    let call = asked.by(&caller);
    if let Some(failure) = world.denials.standing(call) {
        return Some(failure.message.clone());
    }
    let words = decide(world, &authority, asked, call, asked.policy(world).as_ref())?;
    let message = format!("{}: {words}", code(asked.action));
    let failure = CopyFailure {
        message: message.clone(),
        category: "ACCESS_DENIED".to_owned(),
        cause: None,
    };
    world
        .denials
        .remember(call.to_remember(), asked.at, failure);
    Some(message)
}

/// Whether Copymend gets into an account.
pub(crate) fn copymend_gets_into(world: &World, account: AccountId, at: Timestamp) -> bool {
    copymend_in(world, account, at, FULL_ACCESS.as_ref()).is_ok()
}

/// Whether Copymend may still change the policy of a key once it is this one (documented: KMS API
/// reference, `PutKeyPolicy`: the policy "must allow the calling principal to make a subsequent
/// `PutKeyPolicy` request").
pub(crate) fn keeps_control(
    world: &World,
    key: &KeyArn,
    policy: &PolicyDocument,
    at: Timestamp,
) -> bool {
    let Some(account) = key.account_id() else {
        return false;
    };
    let asked = Asked {
        account,
        action: "kms:PutKeyPolicy",
        resource: key.to_string(),
        region: key.region(),
        vault: None,
        at,
        keys: Vec::new(),
    };
    copymend_in(world, account, at, FULL_ACCESS.as_ref()).is_ok_and(|(caller, authority)| {
        decide(world, &authority, &asked, asked.by(&caller), Some(policy)).is_none()
    })
}

/// The error code under which a service refuses.
fn code(action: &str) -> &'static str {
    match action.split(':').next() {
        Some("iam" | "sts") => "AccessDenied",
        Some("ec2") => "UnauthorizedOperation",
        Some(_) | None => "AccessDeniedException",
    }
}

impl Asked<'_> {
    fn by<'c>(&'c self, caller: &'c Caller) -> Call<'c> {
        Call {
            caller,
            action: self.action,
            resource: &self.resource,
            owner: Some(self.account),
            region: self.region,
            at: self.at,
            via_service: None,
        }
    }

    /// The policy of the resource: of the vault, of the vault that the recovery point is in
    /// (documented: "Vault access policies"), or of the key.
    fn policy(&self, world: &World) -> Option<PolicyDocument> {
        let vault = match &self.vault {
            Some(vault) => Some(vault.clone()),
            None => self.resource.parse().ok(),
        };
        if let Some(vault) = vault {
            return world
                .vault(&vault)?
                .policy
                .as_ref()?
                .document()
                .ok()
                .cloned();
        }
        if self.resource == "*" && !self.action.starts_with("kms:") {
            return None;
        }
        if self.resource == "*" || self.resource.parse::<KeyAliasArn>().is_ok() {
            return EVERYONE.clone();
        }
        let Some(key) = world.key(&self.resource.parse().ok()?) else {
            return EVERYONE.clone();
        };
        if key.manager == KeyManager::Aws {
            return METADATA_OF_MANAGED_KEYS.clone();
        }
        key.policy.as_ref()?.document().ok().cloned()
    }

    /// Resource control policies leave AWS managed keys alone (documented: Organizations
    /// `orgs_manage_policies_rcps`).
    fn is_on_aws_managed_key(&self, world: &World) -> bool {
        let key: Option<KeyArn> = self.resource.parse().ok();
        key.and_then(|key| world.key(&key))
            .is_some_and(|key| key.manager == KeyManager::Aws)
    }
}

/// The condition keys that an action has beside those of every request (documented: service
/// authorization reference).
pub(crate) fn keys_of(action: &str) -> Vec<(&'static str, String)> {
    let backup = || "backup.amazonaws.com".to_owned();
    match action {
        "iam:CreateServiceLinkedRole" => vec![("iam:AWSServiceName", backup())],
        "iam:PassRole" => vec![("iam:PassedToService", backup())],
        _ => Vec::new(),
    }
}

/// All policies together (documented: IAM `reference_policies_evaluation-logic`; the crate `policy`
/// names the pages). Which of several refusals AWS names is inferred.
fn decide(
    world: &World,
    authority: &Authority,
    asked: &Asked<'_>,
    call: Call<'_>,
    resource_policy: Option<&PolicyDocument>,
) -> Option<String> {
    const ORDER: [Layer; 6] = [
        Layer::Scp,
        Layer::Rcp,
        Layer::Identity,
        Layer::Boundary,
        Layer::Session,
        Layer::Resource,
    ];
    let full_access = FULL_ACCESS.iter().cloned();
    let scps = authority.service_control.as_ref().map(|policies| {
        let own = policies
            .iter()
            .filter_map(|policy| policy.document().ok().cloned());
        full_access.chain(own).collect()
    });
    let organization = world
        .organization_of(asked.account)
        .filter(|_| !asked.is_on_aws_managed_key(world));
    let rcps = organization.map(|organization| {
        organization
            .binding(&organization.resource_control_policies, asked.account)
            .filter_map(|policy| policy.document().ok().cloned())
            .collect()
    });
    let request = asked
        .keys
        .iter()
        .fold(call.request(world), |request, (key, value)| {
            request.with_context(key, [value.as_str()])
        });
    let answer = Authorization {
        request,
        resource_account: asked.account,
        identity: authority.identity.clone(),
        boundary: authority.boundary.clone().map(|policy| vec![policy]),
        session: None,
        scps: scps.into_iter().collect(),
        rcps: rcps.into_iter().collect(),
        resource_policy: resource_policy.cloned(),
    }
    .decide();
    let layer = ORDER
        .into_iter()
        .find(|layer| answer.blocked_by.contains(layer))
        .unwrap_or(Layer::Resource);
    match answer.decision {
        Verdict::Allowed => None,
        Verdict::ImplicitlyDenied => Some(call.no(type_of(layer))),
        // Inferred: a Deny that AWS says may hit does.
        Verdict::ExplicitlyDenied | Verdict::Unknown { .. } => {
            let article = if layer == Layer::Identity { "an" } else { "a" };
            Some(call.explicit(&format!("{article} {}", type_of(layer))))
        }
    }
}

/// How AWS names a kind of policy in its words (documented: IAM `troubleshoot_access-denied`).
const fn type_of(layer: Layer) -> &'static str {
    match layer {
        Layer::Identity => "identity-based policy",
        Layer::Boundary => "permissions boundary",
        Layer::Session => "session policy",
        Layer::Scp => "service control policy",
        Layer::Rcp => "resource control policy",
        Layer::Resource => "resource-based policy",
    }
}

/// The job role is passed to AWS Backup with a copy, which the caller must be allowed (documented:
/// service authorization reference, `StartCopyJob`, dependent action `iam:PassRole`).
pub(crate) fn passing_role<'a>(role: &RoleArn, at: Timestamp) -> Option<Asked<'a>> {
    Some(Asked {
        account: role.account_id()?,
        action: "iam:PassRole",
        resource: role.to_string(),
        region: global_region(role.partition()),
        vault: None,
        at,
        keys: keys_of("iam:PassRole"),
    })
}

/// The resource of a call: an ARN as it is, a role or the service-linked role by the names that the
/// call has, or none.
pub(crate) fn resource_of(
    world: &World,
    operation: &str,
    named: &str,
    account: AccountId,
) -> String {
    let partition = world
        .account(account)
        .map_or("aws", |account| account.partition.as_str());
    match operation {
        // These know no resource (documented: service authorization reference).
        "kms:ListAliases" | "ec2:DescribeImages" | "ec2:DescribeSnapshots" => "*".to_owned(),
        "iam:CreateServiceLinkedRole" => world.service_linked_role_arn(account),
        "iam:GetRole" => {
            let name = name_of(named);
            let found = world
                .account(account)
                .and_then(|found| found.roles.get(name));
            match found {
                Some(role) => format!("arn:{partition}:iam::{account}:role{}{name}", role.path),
                None if name == SERVICE_LINKED_ROLE => world.service_linked_role_arn(account),
                None => format!("arn:{partition}:iam::{account}:role/{name}"),
            }
        }
        _ if named.starts_with("arn:") => named
            .parse()
            .ok()
            .and_then(|alias| world.key_of_alias(&alias))
            .map_or_else(|| named.to_owned(), |key| key.to_string()),
        _ => "*".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_policy_that_locks_copymend_out_is_none_that_it_may_put() {
        let world = World::default_world();
        let (key, _) = world
            .keys()
            .into_iter()
            .find(|(_, key)| key.manager == KeyManager::Customer)
            .unwrap();
        let account = key.account_id().unwrap();
        let keeps = |effect: &str, action: &str| {
            let statement = |effect: &str, action: &str| {
                format!(
                    r#"{{"Effect":"{effect}","Principal":{{"AWS":"{account}"}},"Action":"{action}","Resource":"*"}}"#
                )
            };
            let policy = format!(
                r#"{{"Statement":[{},{}]}}"#,
                statement("Allow", "kms:*"),
                statement(effect, action)
            );
            keeps_control(
                &world,
                &key,
                &PolicyDocument::parse(&policy).unwrap(),
                world.time(),
            )
        };
        assert!(keeps("Allow", "kms:Decrypt"));
        assert!(keeps("Deny", "kms:ScheduleKeyDeletion"));
        assert!(!keeps("Deny", "kms:PutKeyPolicy"));
    }
}
