//! Whether AWS would accept the changed policy.

use copymend_diagnosis::access::is_condition_tag;
use copymend_diagnosis::{Fact, Facts, SourceKey, Tags};
use copymend_policy::text::escaped;
use copymend_policy::{
    Decision, PolicyOwner, Request, Statement, Unstorable, WhyUnstorable, evaluate, unstorable,
};

use super::{Act, Answer, Question, not_known};

/// What the policy itself says to the call that writes it (AWS Backup developer guide, "Vault
/// access policies", and AWS KMS developer guide, "Default key policy", documented): a vault's must
/// not deny it, a key's must allow it. And AWS stores no policy with what [`unstorable`] finds.
pub(super) fn put_accepted(question: &Question<'_>) -> Answer {
    let edit = question.edit()?;
    let owner = match question.act {
        Act::KeyPolicy => PolicyOwner::Key,
        Act::VaultPolicy | Act::ServiceLinkedRole | Act::Retry => PolicyOwner::Vault,
    };
    if let Some(found) = unstorable(&edit.after, owner).next() {
        return Some((false, why_not_stored(&found)));
    }
    let Some(before) = &edit.before else {
        return Some((
            true,
            "there is no policy that could refuse the put".to_owned(),
        ));
    };
    let facts = question.facts?;
    let (action, tags) = match (question.act, &facts.source_key) {
        (Act::KeyPolicy, SourceKey::Key(key)) => ("kms:PutKeyPolicy", &key.tags),
        (_, _) => ("backup:PutBackupVaultAccessPolicy", &facts.vault_tags),
    };
    let request = put(action, tags, question, facts)?;
    let quoted = |place: usize| {
        let statement = before.statements().get(place).map(Statement::as_str);
        statement.unwrap_or_default().to_owned()
    };
    Some(match evaluate(before, &request) {
        Decision::ExplicitlyDenied { statement } => (
            false,
            format!("the policy denies {action}: {}", quoted(statement)),
        ),
        Decision::Unknown { keys } => not_known(
            &format!("whether the policy lets Copymend call {action}"),
            format!("it depends on {}", keys.join(", ")),
        ),
        Decision::ImplicitlyDenied if question.act == Act::KeyPolicy => (
            false,
            format!(
                "the key policy neither allows {action} to Copymend's role nor leaves it to its account's IAM policies"
            ),
        ),
        Decision::ImplicitlyDenied | Decision::Allowed { .. } => {
            (true, format!("the policy does not refuse {action}"))
        }
    })
}

/// Why AWS would refuse the put for a statement.
fn why_not_stored(found: &Unstorable<'_>) -> String {
    let Unstorable { place, sid, why } = found;
    let named = sid.map_or_else(String::new, |sid| format!(" (Sid `{}`)", escaped(sid, 128)));
    let what = match why {
        WhyUnstorable::DeletedPrincipal(id) => {
            format!("names `{id}`, which AWS leaves of a deleted user or role")
        }
        WhyUnstorable::AllowsByNotPrincipal => {
            "allows with NotPrincipal, which AWS does not take".to_owned()
        }
        WhyUnstorable::WildcardInAction(action) => format!(
            "has the wildcard action `{}`, which no vault's policy may hold",
            escaped(action, 128)
        ),
    };
    format!(
        "statement {place}{named} {what}: the policy can't be stored again before that is taken out"
    )
}

/// Stands for a role whose name isn't known.
const UNKNOWN_ROLE: &str = "role-that-is-not-known";

/// The put, by the role that Copymend has in the account of the resource. Where its name isn't
/// known, conditions on it are unknown, and a statement that names another principal by its ARN
/// isn't taken to mean it: AWS then refuses the put.
fn put(action: &str, tags: &Fact<Tags>, question: &Question<'_>, facts: &Facts) -> Option<Request> {
    let target = question.target()?.as_str();
    let arn: copymend_policy::Arn = target.parse().ok()?;
    let account = arn.account_id()?;
    let deployment = &question.settings.deployment;
    let request = match deployment.role_in(arn.partition(), account) {
        Some(role) => Request::new(role, action, target),
        // Some role of the account: which one isn't known.
        None => Request::new(
            format!("arn:{}:iam::{account}:role/{UNKNOWN_ROLE}", arn.partition()),
            action,
            target,
        )
        .with_unknown("aws:PrincipalArn")
        .with_unknown("aws:userid"),
    };
    let request = request
        .with_context("aws:SecureTransport", ["true"])
        .with_context("aws:PrincipalIsAWSService", ["false"])
        .with_context("aws:ViaAWSService", ["false"])
        .with_context("aws:ResourceAccount", [account.as_str()])
        .with_context("kms:CallerAccount", [account.as_str()])
        .with_context("kms:BypassPolicyLockoutSafetyCheck", ["false"])
        .with_context("aws:RequestedRegion", [arn.region()]);
    let organization = match (question.act, &facts.source_key) {
        (Act::KeyPolicy, SourceKey::Key(key)) => &key.organization,
        (_, _) => &facts.destination_organization,
    };
    let request = match organization {
        Fact::Known(Some(organization)) => {
            let id = organization.id.as_str();
            let request = request.with_context("aws:PrincipalOrgID", [id]);
            request.with_context("aws:ResourceOrgID", [id])
        }
        Fact::Known(None) => {
            let request = request.without_key("aws:PrincipalOrgID");
            request.without_key("aws:ResourceOrgID")
        }
        Fact::Unknown(_) => request.with_unknown("aws:PrincipalOrgID"),
    };
    let request = match tags {
        Fact::Known(tags) => tags.iter().filter(|(name, _)| is_condition_tag(name)).fold(
            request,
            |request, (name, value)| {
                request.with_context(&format!("aws:ResourceTag/{name}"), [value.as_str()])
            },
        ),
        Fact::Unknown(_) => request,
    };
    // Where a service calls, and nowhere else (IAM user guide, "AWS global condition context keys",
    // documented).
    let of_services = [
        "aws:SourceAccount",
        "aws:SourceArn",
        "aws:SourceOrgID",
        "aws:SourceOrgPaths",
    ];
    let request = of_services.into_iter().fold(request, Request::without_key);
    Some(request.with_other_keys_unknown())
}
