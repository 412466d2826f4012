//! The proof that an edit only added.

use copymend_policy::{NewStatement, ProofError, append, prove_only_adds};

use crate::edits::{LAYOUTS, key_statements, vault_statements};
use crate::support::policy;

#[test]
fn every_append_is_proved() {
    for text in LAYOUTS {
        let before = policy(text);
        let after = append(Some(&before), &key_statements()).unwrap();
        let certificate = prove_only_adds(Some(&before), &after, &key_statements()).unwrap();
        assert_eq!(certificate.kept(), before.statements().len());
        assert_eq!(certificate.granted().len(), 3);
        // What is there already is not granted again.
        let certificate = prove_only_adds(Some(&after), &after, &key_statements()).unwrap();
        assert_eq!(certificate.granted().len(), 0);
    }
    let made = append(None, &vault_statements()).unwrap();
    let certificate = prove_only_adds(None, &made, &vault_statements()).unwrap();
    insta::assert_snapshot!(certificate.to_string());
    insta::assert_json_snapshot!(certificate);
}

#[test]
fn any_other_change_is_found() {
    let before = policy(
        r#"{"Version":"2012-10-17","Id":"i","Statement":[{"Sid":"a","Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*"},{"Sid":"b","Effect":"Allow"}]}"#,
    );
    let added = vault_statements();
    let after = append(Some(&before), &added).unwrap();
    let proof = |from: &str, to: &str| {
        let text = after.as_str().replacen(from, to, 1);
        assert_ne!(text, after.as_str());
        prove_only_adds(Some(&before), &policy(&text), &added).unwrap_err()
    };
    let changed = |index, sid: &str| ProofError::StatementChanged {
        index,
        sid: Some(sid.to_owned()),
    };
    assert_eq!(
        proof("2012-10-17", "2008-10-17"),
        ProofError::OutsideChanged
    );
    assert_eq!(
        proof(r#""Id":"i""#, r#""Id":"j""#),
        ProofError::OutsideChanged
    );
    assert_eq!(proof(r#""Id":"i","#, ""), ProofError::OutsideChanged);
    assert_eq!(proof("Deny", "Allow"), changed(0, "a"));
    assert_eq!(proof("kms:Decrypt", "kms:Encrypt"), changed(0, "a"));
    assert_eq!(
        proof(r#",{"Sid":"b","Effect":"Allow"}"#, ""),
        changed(1, "b")
    );
    assert_eq!(
        proof(
            r#"{"Sid":"b","Effect":"Allow"}"#,
            r#"{"Effect":"Allow","Sid":"b"}"#
        ),
        changed(1, "b")
    );
    let sid = Some(added[0].sid().to_owned());
    assert_eq!(
        proof("o-abcde12345", "o-other12345"),
        ProofError::Unannounced {
            index: 2,
            sid: sid.clone()
        }
    );
    assert_eq!(
        proof("111122223333:root", "999999999999:root"),
        ProofError::Unannounced { index: 2, sid }
    );
    assert_eq!(
        prove_only_adds(Some(&before), &before, &added),
        Err(ProofError::NotAdded(added[0].sid().to_owned()))
    );
    assert!(matches!(
        prove_only_adds(Some(&before), &after, &[]),
        Err(ProofError::Unannounced { .. })
    ));
    // A made document must be the one we would make.
    assert_eq!(
        prove_only_adds(None, &after, &added),
        Err(ProofError::OutsideChanged)
    );
}

#[test]
fn a_statement_open_to_everyone_is_never_proved() {
    for (condition, open) in [
        ("", true),
        (
            r#","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-*"}}"#,
            true,
        ),
        (
            r#","Condition":{"StringLike":{"aws:PrincipalOrgID":"o-abcde12345"}}"#,
            true,
        ),
        (
            r#","Condition":{"StringEquals":{"aws:PrincipalOrgID":["o-abcde12345","x"]}}"#,
            true,
        ),
        (
            r#","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-abcde12345"}}"#,
            false,
        ),
    ] {
        for principal in [r#""*""#, r#"{"AWS":["111122223333","*"]}"#] {
            let text = format!(
                r#"{{"Sid":"CopymendX","Effect":"Allow","Principal":{principal},"Action":"kms:Decrypt","Resource":"*"{condition}}}"#
            );
            let added = [NewStatement::from_recorded(&text).unwrap()];
            let after = append(None, &added).unwrap();
            assert_eq!(
                prove_only_adds(None, &after, &added).is_err(),
                open,
                "{text}"
            );
        }
    }
}
