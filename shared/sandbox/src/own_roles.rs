//! As whom Copymend calls in an account: as the role that the world names there, or as an
//! administrator.

use copymend_diagnosis::RoleArn;
use copymend_policy::{AccountId, Decision, PolicyDocument, evaluate_trust_policy};
use jiff::Timestamp;

use crate::authority::Authority;
use crate::call::{Call, Caller};
use crate::world::{Copymend, World};

/// The role of an administrator, where the world names no roles of Copymend. No policy spares it by
/// name.
const ADMINISTRATOR: &str = "copymend/CopymendMember";
/// The name of Copymend's sessions.
const SESSION: &str = "copymend";

/// As whom Copymend calls in an account, or AWS's words where it can't become that.
pub(crate) fn copymend_in(
    world: &World,
    account: AccountId,
    at: Timestamp,
    full_access: Option<&PolicyDocument>,
) -> Result<(Caller, Authority), String> {
    let Some(copymend) = world.copymend().cloned() else {
        let partition = world
            .account(account)
            .map_or("aws", |account| account.partition.as_str());
        let role = format!("arn:{partition}:iam::{account}:role/{ADMINISTRATOR}");
        return Ok((
            Caller::session(role, account, SESSION, false),
            Authority::of_administrator(world, account, full_access),
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

pub(crate) fn name_of(role: &str) -> &str {
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

/// Both sides must let it: the policies over the function's role, and the trust policy of the
/// member role (documented: IAM `reference_policies_evaluation-logic-cross-account`). One without a
/// trust policy trusts Copymend here; which external id Copymend sends isn't part of a world, so a
/// trust policy that asks for one is taken to get it.
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

/// The Region that calls of IAM and AWS Organizations count for (documented: IAM
/// `reference_policies_condition-keys`, `aws:RequestedRegion`: global services have one endpoint,
/// in US East (N. Virginia)).
pub(crate) fn global_region(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "cn-north-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    }
}
