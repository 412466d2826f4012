//! The access policy of the destination vault.

use copymend_policy::{NewStatement, PolicyDocument, PolicyOwner, VaultGrant, VaultScope};
use serde_json::{Value, json};

use super::{Cause, Entry, Family, Pages, Remedy, Repairable, Shown, console, page, rules};
use crate::access::{
    Access, COPY_INTO_BACKUP_VAULT, vault_access, vault_open_denies, without_denies,
};
use crate::advice::standing::{except_from_deny, first_in, other_organizations, with_free_sid};
use crate::advice::stored::to_clean;
use crate::advice::{Case, step};
use crate::assess::{
    Checked, Finding, SAME_ACCOUNT, Verdict, confirmed, depends_on, depends_on_denies,
    not_checkable, ruled_out, unreadable,
};
use crate::fact::Fact;
use crate::facts::Facts;
use crate::job::BackupCopy;
use crate::messages::wording::{
    DESTINATION_VAULT_POLICY_REFUSES, INTO_IT, MISSING_PERMISSION, NO_STATEMENT_OF_IT, NOT_ALLOWED,
    NOT_THE_DESTINATION, OR_EXPLICIT_DENY, OTHER_POLICIES, VAULT_POLICY,
};

pub(super) static POLICY: Entry = Entry {
    slug: "destination-vault-policy",
    title: "The destination vault's access policy does not admit the source",
    happens: "A copy to another account needs a statement in the destination vault's access policy that allows \
        backup:CopyIntoBackupVault to the source. The vault has no policy, or none of its statements matches.",
    found: "The vault's access policy is read and evaluated for the job role, as AWS does it.",
    also: "The same text appears when the vault's access policy admits nobody.",
    messages: rules! {
        // Documented: "Access Denied trying to call AWS Backup service". It stands for the vault
        // policy, for the job role's missing CopyIntoBackupVault, and for a Deny in either place.
        // The service itself: the Backup gateway is another.
        Others 10 ["denied trying to call|denied when trying to call|denied while trying to call",
            "to call aws backup service|to call the aws backup service\
             |to call amazon backup service|to call the amazon backup service\
             |to call backup service|to call the backup service"]
            not [MISSING_PERMISSION, "not denied|no access denied|never denied|backup service to \
                 |backup service for |backup service from |backup service api|listtags| lacks \
                 |gateway"] or [JobRolePermission, ServiceControlPolicy, DestinationVaultDeny, SourceVaultDeny]
            => "The copy into the destination vault was refused; most often the vault's access policy does not admit the source.";
        // Inferred: the vault policy in plain words. The words must stand together, for a text may
        // name several policies.
        Others 20 [DESTINATION_VAULT_POLICY_REFUSES, NOT_ALLOWED, INTO_IT]
            not [NOT_THE_DESTINATION, "authorized to perform:|denies| role"] besides [JobRolePermission]
            => "The message says that the vault's access policy does not allow the copy.";
        Others 30 [NO_STATEMENT_OF_IT, "allows|grants|permits", INTO_IT]
            not [NOT_THE_DESTINATION, "authorized to perform:|denies|denied by|is denied| role"]
            besides [JobRolePermission]
            => "The message says that the vault's access policy does not allow the copy.";
    },
    shown: Shown::ByFacts(120, policy, is_unread),
    families: &[
        Family::Vault,
        Family::UnlessDenied(Cause::DestinationVaultDeny),
    ],
    remedy: Remedy::Repair(Repairable::VaultPolicy),
    who: |case| case.vault_owner(),
    steps: policy_steps,
    console: console::destination_vault,
    page: Pages::One(page::VAULT_POLICY),
};

pub(super) static DENY: Entry = Entry {
    slug: "destination-vault-deny",
    title: "The destination vault's access policy denies the copy",
    happens: "A Deny statement of the destination vault's access policy matches the copy. No Allow outweighs a Deny.",
    found: "The vault's access policy is read and evaluated for the job role; the evidence quotes the statement.",
    also: "A Deny in the vault's access policy gives the same text.",
    messages: rules! {
        Others 70 ["vault policy denies|access policy denies|denied by the vault\
             |denied by the destination vault|denied by the access policy"]
            not [NOT_THE_DESTINATION, "not denied by"]
            => "The message says that the vault's access policy denies the copy.";
        Others 80 [VAULT_POLICY, "explicitly den", "vault"]
            not [OTHER_POLICIES, OR_EXPLICIT_DENY, "authorized to perform:|authorised to perform:\
                 |not explicitly den|key policy|source vault|source backup vault\
                 |copyfrombackupvault| topic|opensearch"]
            => "The message says that the vault's access policy denies the copy.";
    },
    shown: Shown::ByFacts(110, deny, is_unread),
    families: &[Family::Vault],
    remedy: Remedy::Advise,
    who: |case| case.vault_owner(),
    steps: deny_steps,
    console: console::destination_vault,
    page: Pages::One(page::VAULT_POLICY),
};

fn is_unread(_: &BackupCopy, facts: &Facts) -> bool {
    facts.vault_policy.unknown().is_some()
}

fn policy(copy: &BackupCopy, facts: &Facts) -> Checked {
    if !copy.is_cross_account() {
        return Err(ruled_out(format!(
            "{SAME_ACCOUNT}, so the vault policy need not allow the copy"
        )));
    }
    let policy = facts.vault_policy.read()?.as_ref();
    // AWS Backup answers alike for a vault without a policy and for no vault at all.
    match &facts.destination_vault {
        Fact::Known(None) => return Err(ruled_out(NO_VAULT)),
        Fact::Unknown(why) if policy.is_none() => return Err(unreadable(why)),
        Fact::Known(Some(_)) | Fact::Unknown(_) => {}
    }
    Ok(match vault_access(policy, copy, facts) {
        Access::Allowed => {
            ruled_out("the vault policy allows backup:CopyIntoBackupVault to the job role")
        }
        Access::Missing { .. } if policy.is_none() => {
            confirmed("the destination vault has no access policy")
        }
        Access::Missing { .. } => confirmed(NONE_ALLOWS),
        Access::Denied { .. } => behind_the_deny(policy, copy, facts),
        Access::Unknown { keys } => depends_on("the vault policy", &keys),
    })
}

/// Whether the policy would admit the copy if nothing in it denied.
fn behind_the_deny(policy: Option<&PolicyDocument>, copy: &BackupCopy, facts: &Facts) -> Finding {
    let Some(allows) = policy.and_then(without_denies) else {
        return not_checkable("a Deny decides");
    };
    match vault_access(Some(&allows), copy, facts) {
        Access::Allowed => ruled_out("without its Deny, the vault policy allows the copy"),
        Access::Missing { .. } => confirmed(format!("also without its Deny: {NONE_ALLOWS}")),
        Access::Denied { .. } => not_checkable("a Deny decides"),
        Access::Unknown { keys } => depends_on("the vault policy", &keys),
    }
}

const NONE_ALLOWS: &str =
    "no statement of the vault policy allows backup:CopyIntoBackupVault to the job role";
pub(super) const NO_VAULT: &str = "the destination vault does not exist";

fn deny(copy: &BackupCopy, facts: &Facts) -> Checked {
    if matches!(facts.destination_vault, Fact::Known(None)) {
        return Err(ruled_out(NO_VAULT));
    }
    let policy = facts.vault_policy.read()?.as_ref();
    Ok(match vault_access(policy, copy, facts) {
        Access::Denied {
            statement, text, ..
        } => (
            Verdict::Confirmed,
            vec![
                format!(
                    "statement {} of the vault policy denies the copy",
                    statement.saturating_add(1)
                ),
                text,
            ],
        ),
        Access::Allowed | Access::Missing { .. } => {
            ruled_out("no Deny of the vault policy matches")
        }
        Access::Unknown { keys } => {
            let open = policy.map(|policy| vault_open_denies(policy, copy, facts));
            depends_on_denies("the vault policy", &keys, &open.unwrap_or_default())
        }
    })
}

fn policy_steps(case: &Case<'_>) -> Vec<String> {
    if !case.is_cross_account() {
        let mut steps = deny_steps(case);
        steps.insert(
            0,
            "Source and destination are one account, so the vault policy need not allow the copy; only a Deny in it can block it."
                .to_owned(),
        );
        return steps;
    }
    if let Some(step) = case.other_partition() {
        return vec![step];
    }
    let policy = case.facts().map(|facts| &facts.vault_policy);
    let mut steps = Vec::new();
    let standing = standing_policy(case);
    let statement = statement(case).map(|statement| with_free_sid(standing, statement));
    match (statement, policy) {
        (Some(statement), Some(Fact::Known(None))) => {
            let policy = json!({ "Version": "2012-10-17", "Statement": [statement] });
            steps.push(step(
                "The vault has no access policy. Save this as policy.json",
                &policy.to_string(),
            ));
        }
        (Some(statement), Some(_)) => {
            steps.extend(cleaned(case));
            steps.push(save_policy_or_begin(case));
            steps.extend(as_it_stands(case));
            steps.push(step(
                "Add this to the list `Statement` of policy.json, and change nothing else",
                &statement.to_string(),
            ));
        }
        (_, _) => steps.extend(cleaned(case).into_iter().chain([
            save_policy_or_begin(case),
            format!(
                "Add one statement to policy.json, and change nothing else: it allows {COPY_INTO_BACKUP_VAULT} on `*` to \
                 `arn:{}:iam::{}:root`, if aws:PrincipalArn (ArnEquals) is {} and aws:PrincipalOrgID (StringEquals) is the id \
                 that aws organizations describe-organization shows.",
                case.role().partition(),
                case.source_account(),
                case.role_shown()
            ),
        ])),
    }
    steps.extend([case.write_vault_policy(), case.start_again()]);
    steps
}

/// The vault's policy, where it was read.
fn standing_policy<'c>(case: &Case<'c>) -> Option<&'c PolicyDocument> {
    case.facts()?.vault_policy.known()?.as_ref()
}

/// What AWS takes no policy with.
fn cleaned(case: &Case<'_>) -> Vec<String> {
    standing_policy(case).map_or_else(Vec::new, |policy| to_clean(policy, PolicyOwner::Vault))
}

/// What else the policy needs as it stands.
fn as_it_stands(case: &Case<'_>) -> Vec<String> {
    let Some(policy) = standing_policy(case) else {
        return Vec::new();
    };
    let mut steps = first_in(policy, false);
    if let Some(organization) = case.source_organization() {
        steps.extend(other_organizations(policy, organization));
    }
    steps
}

fn save_policy_or_begin(case: &Case<'_>) -> String {
    let known = case
        .facts()
        .is_some_and(|facts| facts.vault_policy.known().is_some());
    let mut save = case.save_vault_policy();
    if !known {
        save.push_str("\nIf it has none (ResourceNotFoundException), begin with this instead:\n");
        save.push_str(r#"{"Version":"2012-10-17","Statement":[]}"#);
    }
    save
}

/// The statement that a repair of the default scope would add. None without a verified job and a
/// known organization.
pub(crate) fn statement(case: &Case<'_>) -> Option<Value> {
    let vault = &case.event().destination_vault;
    let grant = VaultGrant {
        partition: vault.partition().to_owned(),
        source_account: case.event().source_vault.account_id()?,
        role_arn: case.role().arn().clone(),
        scope: VaultScope::Role,
        organization_id: Some(case.source_organization()?.id.clone()),
        organization_paths: Vec::new(),
    };
    grant.statements().ok()?.first().and_then(as_json)
}

/// The statement as JSON, to be written on one line.
pub(super) fn as_json(statement: &NewStatement) -> Option<Value> {
    serde_json::from_str(statement.as_str()).ok()
}

fn deny_steps(case: &Case<'_>) -> Vec<String> {
    let mut steps = cleaned(case);
    steps.extend([
            case.save_vault_policy(),
            "Find the Deny that matches the copy; the report's evidence quotes it. Someone put it there on purpose: ask its author \
             first. Copymend never changes a Deny."
                .to_owned(),
            format!(
                "If the copy should be allowed, except the job role from that Deny: {}",
                except_from_deny(standing_policy(case), &case.role_shown())
            ),
            case.write_vault_policy(),
            case.start_again(),
    ]);
    steps
}
