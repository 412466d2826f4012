//! Job roles with every path and name that IAM allows, from the event to the statement.

use copymend_diagnosis::{CopyJobEvent, RoleArn};
use copymend_policy::{
    GrantError, PolicyDocument, Request, VaultGrant, VaultScope, append, arn_matches, evaluate,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const ACCOUNT: &str = "111122223333";
const ORGANIZATION: &str = "o-exampleorgid";
const VAULT: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr";

/// IAM's own patterns (IAM API reference, `CreateRole`): up to 512 and 64 characters.
fn role() -> impl Strategy<Value = (String, String)> {
    let path = prop_oneof![
        Just("/".to_owned()),
        "/[!-~]{1,40}/",
        "/[:/*?${}\"'`\\\\]{1,8}/",
        "/[!-~]{510}/",
    ];
    let name = prop_oneof!["[A-Za-z0-9_+=,.@-]{1,64}", "[A-Za-z0-9_+=,.@-]{64}"];
    (path, name)
}

fn arn(path: &str, name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role{path}{name}")
}

fn event(role: &str) -> Value {
    json!({
        "version": "0", "id": "e-1", "source": "aws.backup", "detail-type": "Copy Job State Change",
        "account": ACCOUNT, "region": "us-east-1", "time": "2026-11-01T00:00:00Z",
        "resources": ["arn:aws:ec2:us-east-1::snapshot/snap-1"],
        "detail": {
            "copyJobId": "job-1", "state": "FAILED", "iamRoleArn": role,
            "sourceBackupVaultArn": format!("arn:aws:backup:us-east-1:{ACCOUNT}:backup-vault:prod"),
            "destinationBackupVaultArn": VAULT
        }
    })
}

fn may_copy(policy: &PolicyDocument, role: &str) -> bool {
    let request = Request::new(role, "backup:CopyIntoBackupVault", VAULT)
        .with_context("aws:PrincipalArn", [role])
        .with_context("aws:PrincipalOrgID", [ORGANIZATION]);
    evaluate(policy, &request).is_allowed()
}

proptest! {
    #[test]
    fn every_role_that_iam_allows_is_read_from_an_event_and_keeps_its_parts((path, name) in role()) {
        let text = arn(&path, &name);
        let read = CopyJobEvent::from_json(&event(&text));
        prop_assert!(read.is_ok(), "{text}: {read:?}");
        let role: RoleArn = read.unwrap().role;
        prop_assert_eq!(role.as_str(), text);
        prop_assert_eq!(role.path(), path);
        prop_assert_eq!(role.name(), name);
    }

    #[test]
    fn a_pattern_of_the_account_admits_every_role_and_one_of_another_account_none((path, name) in role()) {
        let text = arn(&path, &name);
        let every = format!("arn:aws:iam::{ACCOUNT}:role/*");
        prop_assert!(arn_matches(&every, &text));
        prop_assert!(arn_matches("arn:aws:iam::*:role/*", &text));
        prop_assert!(!arn_matches("arn:aws:iam::444455556666:role/*", &text));
        let same_name = format!("arn:aws:iam::{ACCOUNT}:role/*/{name}");
        prop_assert_eq!(arn_matches(&same_name, &text), path != "/");
    }

    /// In a condition, `*`, `?` and `${` in a role's ARN would mean other roles too: no statement
    /// is made for such a role.
    #[test]
    fn a_statement_admits_exactly_its_role_or_is_not_made((path, name) in role()) {
        let text = arn(&path, &name);
        let grant = VaultGrant {
            partition: "aws".to_owned(),
            source_account: ACCOUNT.parse().unwrap(),
            role_arn: text.parse().unwrap(),
            scope: VaultScope::Role,
            organization_id: Some(ORGANIZATION.to_owned()),
            organization_paths: Vec::new(),
        };
        match grant.statements() {
            Ok(statements) => {
                let policy = append(None, &statements).unwrap();
                let policy = PolicyDocument::parse(policy.as_str()).unwrap();
                prop_assert!(may_copy(&policy, &text), "{text}");
                for other in [
                    arn(&path, &format!("{name}x")),
                    arn(&format!("{path}x/"), &name),
                    text.replace(ACCOUNT, "444455556666"),
                ] {
                    prop_assert!(!may_copy(&policy, &other), "{text} {other}");
                }
            }
            Err(error) => {
                prop_assert!(matches!(error, GrantError::WildcardRole(_)), "{error}");
                prop_assert!(text.contains(['*', '?', '$', '{', '}']), "{text}: {error}");
            }
        }
    }
}
