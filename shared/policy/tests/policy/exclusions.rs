//! Statements that keep a request out on purpose.

use copymend_policy::{Request, exclusions, exclusions_of_anyone, open_exclusions};

use crate::support::{COPY, ROLE, VAULT, statements};

fn excluded(rest: &str) -> bool {
    let policy = statements(&format!(r#"{{"Effect":"Allow",{rest}}}"#));
    let request = Request::new(ROLE, COPY, VAULT)
        .with_context("aws:PrincipalArn", [ROLE])
        .with_context("aws:PrincipalAccount", ["111122223333"])
        .with_other_keys_unknown();
    !exclusions(&policy, &request).is_empty()
}

const ALL: &str = r#""Action":"backup:CopyIntoBackupVault","Resource":"*""#;

#[test]
fn what_is_kept_out_on_purpose_is_told_from_what_nobody_thought_of() {
    for (rest, expected) in [
        // Owners' exclusions.
        (format!(r#""Principal":"*",{ALL},"Condition":{{"ArnNotEquals":{{"aws:PrincipalArn":"{ROLE}"}}}}"#), true),
        (format!(r#""Principal":"*",{ALL},"Condition":{{"StringNotEquals":{{"aws:PrincipalAccount":"111122223333"}}}}"#), true),
        (format!(r#""NotPrincipal":{{"AWS":"{ROLE}"}},{ALL}"#), true),
        (r#""Principal":"*","NotAction":"backup:CopyIntoBackupVault","Resource":"*""#.to_owned(), true),
        (format!(r#""Principal":"*","Action":"*","NotResource":"{VAULT}""#), true),
        // What they name as an exception is meant, also where the statement asks for more.
        (r#""Principal":"*","NotAction":"backup:CopyIntoBackupVault","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"9"}}"#.to_owned(), true),
        (format!(r#""Principal":"*","Action":"*","NotResource":"{VAULT}","Condition":{{"StringEquals":{{"aws:PrincipalAccount":"9"}}}}"#), true),
        (format!(r#""NotPrincipal":{{"AWS":"{ROLE}"}},{ALL},"Condition":{{"StringEquals":{{"aws:PrincipalAccount":"9"}}}}"#), true),
        (r#""Principal":{"AWS":"111122223333"},"NotAction":"backup:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}"#.to_owned(), true),
        // What decides isn't known: it counts.
        (format!(r#""Principal":"*",{ALL},"Condition":{{"StringNotEquals":{{"aws:PrincipalOrgID":"o-other"}}}}"#), true),
        (
            format!(r#""Principal":"*",{ALL},"Condition":{{"StringEquals":{{"aws:SourceVpc":"v"}},"ArnNotEquals":{{"aws:PrincipalArn":"{ROLE}"}}}}"#),
            true,
        ),
        // Statements about others.
        (r#""Principal":{"AWS":"999999999999"},"NotAction":"backup:CopyIntoBackupVault","Resource":"*""#.to_owned(), false),
        (format!(r#""Principal":"*","Action":"backup:ListTags","NotResource":"{VAULT}""#), false),
        (format!(r#""Principal":"*","NotAction":"backup:CopyIntoBackupVault","Resource":"{VAULT}-2""#), false),
        (format!(r#""Principal":{{"AWS":"999999999999"}},{ALL}"#), false),
        (format!(r#""Principal":{{"AWS":"999999999999"}},{ALL},"Condition":{{"ArnNotEquals":{{"aws:PrincipalArn":"{ROLE}"}}}}"#), true),
        (
            format!(r#""Principal":"*",{ALL},"Condition":{{"StringEquals":{{"aws:PrincipalAccount":"9"}},"ArnNotEquals":{{"aws:PrincipalArn":"{ROLE}"}}}}"#),
            true,
        ),
        (r#""Principal":"*","Action":"backup:ListTags","Resource":"*","Condition":{"ArnNotEquals":{"aws:PrincipalArn":"x"}}"#.to_owned(), false),
        (format!(r#""Principal":"*",{ALL},"Condition":{{"StringEquals":{{"aws:PrincipalAccount":"9"}}}}"#), false),
        // What is allowed isn't excluded.
        (format!(r#""Principal":"*",{ALL},"Condition":{{"StringNotEquals":{{"aws:PrincipalAccount":"9"}}}}"#), false),
    ] {
        assert_eq!(excluded(&rest), expected, "{rest}");
    }
}

#[test]
fn who_else_is_kept_out_is_told_too() {
    let anyone = |rest: &str| {
        let policy = statements(&format!(r#"{{"Effect":"Allow",{rest}}}"#));
        !exclusions_of_anyone(&policy, &Request::new(ROLE, COPY, VAULT)).is_empty()
    };
    let rogue = r#""Condition":{"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/Rogue"}}"#;
    assert!(anyone(&format!(r#""Principal":"*",{ALL},{rogue}"#)));
    assert!(anyone(&format!(
        r#""NotPrincipal":{{"AWS":"999999999999"}},{ALL}"#
    )));
    // An action that somebody is kept from, and one that others are.
    let not_action = r#""NotAction":"backup:Copy*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}"#;
    assert!(anyone(&format!(
        r#""Principal":{{"AWS":"111122223333"}},{not_action}"#
    )));
    assert!(!anyone(&format!(
        r#""Principal":{{"AWS":"999999999999"}},{not_action}"#
    )));
    assert!(!anyone(&format!(r#""Principal":"*",{ALL}"#)));
    assert!(!anyone(&format!(
        r#""Principal":"*","Action":"backup:ListTags","Resource":"*",{rogue}"#
    )));
}

#[test]
fn a_deny_is_no_exclusion() {
    let policy = statements(&format!(
        r#"{{"Effect":"Deny","NotPrincipal":{{"AWS":"{ROLE}"}},{ALL}}}"#
    ));
    assert!(exclusions(&policy, &Request::new(ROLE, COPY, VAULT)).is_empty());
}

#[test]
fn unique_ids_are_told_from_arns_accounts_and_services() {
    let policy = statements(
        r#"{"Effect":"Allow","Principal":{"AWS":["AROAEXAMPLE","111122223333","arn:aws:iam::111122223333:role/R","*"],"Service":"backup.amazonaws.com"},"Action":"*","Resource":"*"},
           {"Effect":"Deny","NotPrincipal":{"AWS":"AIDAEXAMPLE"},"Action":"*","Resource":"*"}"#,
    );
    let found: Vec<Vec<&str>> = policy
        .statements()
        .iter()
        .map(|statement| statement.unique_ids().collect())
        .collect();
    assert_eq!(found, [["AROAEXAMPLE"], ["AIDAEXAMPLE"]]);
}

#[test]
fn an_exception_of_which_nobody_can_tell_whom_it_means_is_open() {
    let conditions = [
        (
            format!(r#"{{"ArnNotEquals":{{"aws:PrincipalArn":"{ROLE}"}}}}"#),
            false,
        ),
        (
            r#"{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}"#.to_owned(),
            true,
        ),
        (
            format!(
                r#"{{"StringNotEquals":{{"aws:SourceVpc":"vpc-1"}},"ArnNotEquals":{{"aws:PrincipalArn":"{ROLE}"}}}}"#
            ),
            false,
        ),
    ];
    for (condition, is_open) in conditions {
        let policy = statements(&format!(
            r#"{{"Effect":"Allow","Principal":"*",{ALL},"Condition":{condition}}}"#
        ));
        let request = Request::new(ROLE, COPY, VAULT)
            .with_context("aws:PrincipalArn", [ROLE])
            .with_other_keys_unknown();
        assert_eq!(exclusions(&policy, &request), [0], "{condition}");
        let open: &[usize] = if is_open { &[0] } else { &[] };
        assert_eq!(open_exclusions(&policy, &request), open, "{condition}");
    }
}
