//! The access policy of the source vault.

use super::{Entry, Family, Pages, Remedy, Shown, console, page, rules};
use crate::access::{Access, source_vault_access, source_vault_open_denies};
use crate::advice::standing::except_from_deny;
use crate::advice::{Case, step};
use crate::assess::{Checked, Verdict, depends_on_denies, ruled_out};
use crate::facts::Facts;
use crate::job::BackupCopy;
use crate::messages::wording::VAULT_POLICY;

pub(super) static DENY: Entry = Entry {
    slug: "source-vault-deny",
    title: "The source vault's access policy denies the copy",
    happens: "A Deny statement of the source vault's access policy matches backup:CopyFromBackupVault. The policy need not \
        allow a copy, but no Allow outweighs a Deny.",
    found: "The source vault's access policy is read and evaluated for the job role; the evidence quotes the statement.",
    also: "A Deny in the source vault's access policy gives the same text.",
    messages: rules! {
        Others 60 ["source vault|source backup vault|copyfrombackupvault", VAULT_POLICY,
            "explicitly den|denies"]
            not ["authorized to perform:|authorised to perform:|not explicitly den"]
            besides [JobRolePermission]
            => "The message says that the source vault's access policy denies the copy.";
    },
    shown: Shown::ByFacts(25, deny, |_, facts| {
        facts.source_vault_policy.unknown().is_some()
    }),
    families: &[Family::Vault],
    remedy: Remedy::Advise,
    who: |case| {
        format!(
            "The owner of backup vault `{}`: account {}, Region {}",
            case.source_vault(),
            case.source_account(),
            case.source_region()
        )
    },
    steps,
    console: console::source_vault,
    page: Pages::One(page::VAULT_POLICY),
};

fn deny(copy: &BackupCopy, facts: &Facts) -> Checked {
    let policy = facts.source_vault_policy.read()?.as_ref();
    Ok(match source_vault_access(policy, copy, facts) {
        Access::Denied {
            statement,
            text,
            action,
        } => (
            Verdict::Confirmed,
            vec![
                format!(
                    "statement {} of the source vault's policy denies {action}",
                    statement.saturating_add(1)
                ),
                text,
            ],
        ),
        Access::Allowed | Access::Missing { .. } => {
            ruled_out("no Deny of the source vault's policy matches")
        }
        Access::Unknown { keys } => {
            let open = policy.map(|policy| source_vault_open_denies(policy, copy, facts));
            depends_on_denies(
                "the source vault's policy",
                &keys,
                &open.unwrap_or_default(),
            )
        }
    })
}

fn steps(case: &Case<'_>) -> Vec<String> {
    let (vault, region) = (case.source_vault(), case.source_region());
    vec![
        step!("Save the access policy of vault `{vault}`, in account {}", case.source_account();
            "aws backup get-backup-vault-access-policy --backup-vault-name {vault} --region {region} --query Policy --output text \
             > policy.json"),
        "Find the Deny of backup:CopyFromBackupVault that matches the copy; the report's evidence quotes it. Someone put it there \
         on purpose: ask its author first. Copymend never changes a Deny."
            .to_owned(),
        format!(
            "If the copy should be allowed, add the destination vault to the condition on backup:CopyTargets, or except the job role \
             from that Deny: {}",
            except_from_deny(
                case.facts()
                    .and_then(|facts| facts.source_vault_policy.known()?.as_ref()),
                &case.role_shown()
            )
        ),
        step("Write the policy back", &format!(
            "aws backup put-backup-vault-access-policy --backup-vault-name {vault} --region {region} --policy file://policy.json"
        )),
        case.start_again(),
    ]
}
