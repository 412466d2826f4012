//! Copymend's own calls: as whom it makes them, and whether AWS lets it.
//!
//! A world may name its roles ([`crate::Copymend`]). Then they are roles like any other: their policies, their boundary, the trust
//! policy of the member role and all that binds resources decide. In a world that names none, Copymend is an administrator of the
//! resource's own account, whom only resource policies, service and resource control policies bind.

use std::sync::LazyLock;

use copymend_diagnosis::{BackupVaultArn, KeyAliasArn, KeyArn, KeyManager, RoleArn};
use copymend_policy::{
    AccountId, Authorization, Decision, Layer, PolicyDocument, Verdict, evaluate_trust_policy,
};
use jiff::Timestamp;

use crate::authority::Authority;
use crate::call::{Call, Caller};
use crate::copies::CopyFailure;
use crate::world::{Copymend, SERVICE_LINKED_ROLE, World};

/// The role of an administrator, where the world names no roles of Copymend. No policy spares it by name.
const ADMINISTRATOR: &str = "copymend/CopymendMember";
/// The name of Copymend's sessions.
const SESSION: &str = "copymend";

static FULL_ACCESS: LazyLock<Option<PolicyDocument>> = LazyLock::new(|| {
    PolicyDocument::parse(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
    )
    .ok()
});

/// What the policy of every AWS managed key lets its own account read (documented: KMS developer guide, "AWS managed keys": their
/// metadata and policies can be viewed).
static METADATA_OF_MANAGED_KEYS: LazyLock<Option<PolicyDocument>> = LazyLock::new(|| {
    PolicyDocument::parse(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":["kms:Describe*","kms:Get*","kms:List*"],"Resource":"*"}}"#,
    )
    .ok()
});

/// Where no key has a policy to ask: for actions on no key, and for a key that doesn't exist, of which KMS says so before it looks for a
/// policy (inferred).
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
    let (caller, authority) = match copymend_in(world, asked.account, asked.at) {
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

/// Whether Copymend may still change the policy of a key once it is this one (documented: KMS API reference, `PutKeyPolicy`: the
/// policy "must allow the calling principal to make a subsequent `PutKeyPolicy` request").
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
    copymend_in(world, account, at).is_ok_and(|(caller, authority)| {
        decide(world, &authority, &asked, asked.by(&caller), Some(policy)).is_none()
    })
}

/// The error code under which a service refuses.
fn code(action: &str) -> &'static str {
    match action.split(':').next() {
        Some("iam" | "sts") => "AccessDenied",
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

    /// The policy of the resource: of the vault, of the vault that the recovery point is in (documented: "Vault access policies"),
    /// or of the key.
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

    /// Resource control policies leave AWS managed keys alone (documented: Organizations `orgs_manage_policies_rcps`).
    fn is_on_aws_managed_key(&self, world: &World) -> bool {
        let key: Option<KeyArn> = self.resource.parse().ok();
        key.and_then(|key| world.key(&key))
            .is_some_and(|key| key.manager == KeyManager::Aws)
    }
}

/// As whom Copymend calls in an account, or AWS's words where it can't become that.
fn copymend_in(
    world: &World,
    account: AccountId,
    at: Timestamp,
) -> Result<(Caller, Authority), String> {
    let Some(copymend) = world.copymend().cloned() else {
        let partition = world
            .account(account)
            .map_or("aws", |account| account.partition.as_str());
        let role = format!("arn:{partition}:iam::{account}:role/{ADMINISTRATOR}");
        return Ok((
            Caller::session(role, account, SESSION, false),
            Authority::of_administrator(world, account, FULL_ACCESS.as_ref()),
        ));
    };
    let hub = copymend.role_in(world, copymend.account);
    if account == copymend.account {
        return hub.ok_or_else(|| format!("the role {} does not exist", copymend.role));
    }
    let refused = format!(
        "User: arn:aws:sts::{}:assumed-role/{}/{SESSION} is not authorized to perform: sts:AssumeRole on resource: \
         arn:aws:iam::{account}:role/{}",
        copymend.account,
        name_of(&copymend.role),
        copymend.member_role
    );
    let (Some((caller, authority)), Some(member)) = (hub, copymend.role_in(world, account)) else {
        return Err(refused);
    };
    if may_assume(world, &caller, &authority, member.0.principal(), at) {
        Ok(member)
    } else {
        Err(refused)
    }
}

fn name_of(role: &str) -> &str {
    role.rsplit('/').next().unwrap_or_default()
}

impl Copymend {
    /// The role of an account, and what binds it. Nothing where there is no such role.
    fn role_in(&self, world: &World, account: AccountId) -> Option<(Caller, Authority)> {
        let setting = if account == self.account {
            &self.role
        } else {
            &self.member_role
        };
        let partition = &world.account(account)?.partition;
        let path = setting.trim_start_matches('/');
        let arn: RoleArn = format!("arn:{partition}:iam::{account}:role/{path}")
            .parse()
            .ok()?;
        let role = world.role(&arn)?;
        let has_boundary = role.permissions_boundary.is_some();
        let authority = Authority::of(world, arn.arn())?;
        Some((
            Caller::session(arn.as_str(), account, SESSION, has_boundary),
            authority,
        ))
    }
}

/// Both sides must let it: the policies over the function's role, and the trust policy of the member role (documented: IAM
/// `reference_policies_evaluation-logic-cross-account`). One without a trust policy trusts Copymend here; which external id
/// Copymend sends isn't part of a world, so a trust policy that asks for one is taken to get it.
fn may_assume(
    world: &World,
    caller: &Caller,
    authority: &Authority,
    member: &str,
    at: Timestamp,
) -> bool {
    let owner = member.parse::<RoleArn>().ok();
    let call = Call {
        caller,
        action: "sts:AssumeRole",
        resource: member,
        owner: owner.as_ref().and_then(RoleArn::account_id),
        region: global_region(caller.partition()),
        at,
        via_service: None,
    };
    let request = call.request(world).with_unknown("sts:ExternalId");
    let trusts = owner
        .and_then(|role| world.role(&role)?.trust_policy.clone())
        .is_none_or(|trust| {
            trust.document().is_ok_and(|trust| {
                matches!(
                    evaluate_trust_policy(trust, &request),
                    Decision::Allowed { .. } | Decision::Unknown { .. }
                )
            })
        });
    trusts && authority.refusal(&call.request(world)).is_none()
}

/// The Region that calls of IAM and AWS Organizations count for (documented: IAM `reference_policies_condition-keys`,
/// `aws:RequestedRegion`: global services have one endpoint, in US East (N. Virginia)).
pub(crate) fn global_region(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "cn-north-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    }
}

/// The ARN of `AWSServiceRoleForBackup` is the resource of the call that makes it (documented: service authorization reference).
pub(crate) fn service_linked_role_keys() -> Vec<(&'static str, String)> {
    vec![("iam:AWSServiceName", "backup.amazonaws.com".to_owned())]
}

/// All policies together (documented: IAM `reference_policies_evaluation-logic`; the crate `policy` names the pages). Which of several
/// refusals AWS names is inferred.
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

/// The job role is passed to AWS Backup with a copy, which the caller must be allowed (documented: service authorization reference,
/// `StartCopyJob`, dependent action `iam:PassRole`).
pub(crate) fn passing_role<'a>(role: &RoleArn, at: Timestamp) -> Option<Asked<'a>> {
    Some(Asked {
        account: role.account_id()?,
        action: "iam:PassRole",
        resource: role.to_string(),
        region: global_region(role.partition()),
        vault: None,
        at,
        keys: vec![("iam:PassedToService", "backup.amazonaws.com".to_owned())],
    })
}

/// The resource of a call: an ARN as it is, a role or the service-linked role by the names that the call has, or none.
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
        "kms:ListAliases" => "*".to_owned(),
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
