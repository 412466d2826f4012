//! What AWS stores no policy with, although such a policy may stand there already.

use crate::document::PolicyDocument;
use crate::statement::{Effect, Statement};

/// Whose policy it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyOwner {
    /// A backup vault.
    Vault,
    /// A KMS key.
    Key,
}

/// A statement that AWS stores no policy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unstorable<'p> {
    /// The statement's place in the policy, from 1.
    pub place: usize,
    /// Its Sid.
    pub sid: Option<&'p str>,
    /// What is wrong with it.
    pub why: WhyUnstorable<'p>,
}

/// What AWS refuses in a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyUnstorable<'p> {
    /// It names a deleted user or role by its unique id (documented: IAM
    /// `reference_policies_elements_principal`).
    DeletedPrincipal(&'p str),
    /// It allows everybody but those whom its `NotPrincipal` names (documented: IAM
    /// `reference_policies_elements_notprincipal`).
    AllowsByNotPrincipal,
    /// A vault's policy may hold no wildcard in an action (documented: AWS Backup
    /// `create-a-vault-access-policy`).
    WildcardInAction(&'p str),
}

/// The statements that AWS stores no policy of this owner with, in their order; each for the first
/// reason of those that are known from the text alone.
pub fn unstorable(
    policy: &PolicyDocument,
    owner: PolicyOwner,
) -> impl Iterator<Item = Unstorable<'_>> {
    let statements = (1_usize..).zip(policy.statements());
    statements.filter_map(move |(place, statement)| {
        Some(Unstorable {
            place,
            sid: statement.sid(),
            why: why_unstorable(statement, owner)?,
        })
    })
}

fn why_unstorable(statement: &Statement, owner: PolicyOwner) -> Option<WhyUnstorable<'_>> {
    if let Some(id) = statement.unique_ids().next() {
        return Some(WhyUnstorable::DeletedPrincipal(id));
    }
    if statement.effect() == Effect::Allow && statement.has_not_principal() {
        return Some(WhyUnstorable::AllowsByNotPrincipal);
    }
    let mut actions = match owner {
        PolicyOwner::Vault => statement.actions(),
        PolicyOwner::Key => return None,
    };
    let wildcard = actions.find(|action| action.contains(['*', '?']))?;
    Some(WhyUnstorable::WildcardInAction(wildcard))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROOT: &str = "arn:aws:iam::111122223333:root";

    fn found(statement: &serde_json::Value, owner: PolicyOwner) -> Option<String> {
        let good = json!({"Effect": "Allow", "Principal": {"AWS": ROOT},
            "Action": "backup:CopyIntoBackupVault", "Resource": "*"});
        let policy = json!({"Version": "2012-10-17", "Statement": [good, statement]}).to_string();
        let policy = PolicyDocument::parse(&policy).unwrap();
        let mut found = unstorable(&policy, owner);
        let first = found.next()?;
        assert_eq!(found.next(), None);
        assert_eq!((first.place, first.sid), (2, Some("Two")));
        Some(format!("{:?}", first.why))
    }

    #[test]
    fn what_aws_stores_no_policy_with_is_found() {
        use PolicyOwner::{Key, Vault};
        let by_exception = Some("AllowsByNotPrincipal".to_owned());
        let statement = |effect: &str, element: &str, action: &str| {
            json!({"Sid": "Two", "Effect": effect, element: {"AWS": ROOT}, "Action": [action],
                "Resource": "*"})
        };
        for (effect, element, action, in_vault, in_key) in [
            (
                "Allow",
                "Principal",
                "backup:CopyIntoBackupVault",
                None,
                None,
            ),
            (
                "Deny",
                "NotPrincipal",
                "backup:CopyIntoBackupVault",
                None,
                None,
            ),
            (
                "Allow",
                "NotPrincipal",
                "kms:Decrypt",
                by_exception.clone(),
                by_exception.clone(),
            ),
            (
                "Deny",
                "Principal",
                "backup:Put*",
                Some("WildcardInAction(\"backup:Put*\")".to_owned()),
                None,
            ),
            (
                "Allow",
                "Principal",
                "kms:Get?",
                Some("WildcardInAction(\"kms:Get?\")".to_owned()),
                None,
            ),
        ] {
            let statement = statement(effect, element, action);
            assert_eq!(found(&statement, Vault), in_vault, "{statement}");
            assert_eq!(found(&statement, Key), in_key, "{statement}");
        }
        let mut dead = statement("Allow", "Principal", "kms:Decrypt");
        dead["Principal"]["AWS"] = "AROAEXAMPLEEXAMPLE111".into();
        let id = Some("DeletedPrincipal(\"AROAEXAMPLEEXAMPLE111\")".to_owned());
        assert_eq!(found(&dead, Key), id);
    }
}
