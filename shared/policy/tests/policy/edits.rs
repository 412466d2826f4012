//! Appending, undoing, size, diff.

use copymend_policy::{
    EditError, KEY_POLICY_MAX_BYTES, KeyGrant, KeyProfile, NewStatement, PolicyDocument, Undone,
    VaultGrant, VaultScope, ViaService, append, check_key_policy_characters, check_size, diff,
    undo,
};

use crate::support::{ROLE, policy};

pub(crate) fn vault_statements() -> Vec<NewStatement> {
    VaultGrant {
        partition: "aws".to_owned(),
        source_account: "111122223333".parse().unwrap(),
        role_arn: ROLE.parse().unwrap(),
        scope: VaultScope::Role,
        organization_id: Some("o-abcde12345".to_owned()),
        organization_paths: Vec::new(),
    }
    .statements()
    .unwrap()
}

pub(crate) fn key_statements() -> Vec<NewStatement> {
    KeyGrant {
        partition: "aws".to_owned(),
        destination_account: "444455556666".parse().unwrap(),
        profile: KeyProfile::LeastPrivilege,
        organization_id: None,
        via_services: vec![ViaService::Rds, ViaService::Ec2],
    }
    .statements()
    .unwrap()
}

/// Layouts seen in the wild, and odd ones.
pub(crate) const LAYOUTS: &[&str] = &[
    r#"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}"#,
    r#"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Deny"},{"Sid":"b","Effect":"Deny"}],"Id":"x"}"#,
    r#"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Deny"}, {"Sid":"b","Effect":"Deny"}]}"#,
    r#"{"Version": "2012-10-17", "Statement": [ {"Sid": "a", "Effect": "Deny"} ] }"#,
    r#"{"Version":"2008-10-17","Statement":{"Sid":"a","Effect":"Deny"}}"#,
    r#"  {"Statement" : {"Sid":"a","Effect":"Deny"} , "Id":"x"}  "#,
    r#"{"Statement":[]}"#,
    r#"{"Statement":[  ],"Version":"2012-10-17"}"#,
    "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n  ]\n}\n",
    "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Sid\": \"a\",\n      \"Effect\": \"Deny\"\n    }\n  ]\n}\n",
    "{\n    \"Version\" : \"2012-10-17\",\n    \"Statement\" : [ {\n        \"Sid\" : \"a\",\n        \"Effect\" : \"Deny\"\n    }, {\n        \"Sid\" : \"b\",\n        \"Effect\" : \"Deny\"\n    } ]\n}",
    "{\n\t\"Statement\": {\n\t\t\"Sid\": \"a\",\n\t\t\"Effect\": \"Deny\"\n\t}\n}",
    "{\r\n  \"Statement\": [\r\n    {\r\n      \"Sid\": \"a\",\r\n      \"Effect\": \"Deny\"\r\n    }\r\n  ]\r\n}\r\n",
    "{\"Statement\":[\n{\"Sid\":\"a\",\"Effect\":\"Deny\"},\n{\"Sid\":\"b\",\"Effect\":\"Deny\"}\n]}",
];

#[test]
fn append_keeps_every_byte_and_undo_restores_them() {
    for text in LAYOUTS {
        for added in [vault_statements(), key_statements()] {
            let before = policy(text);
            let after = append(Some(&before), &added).unwrap();
            assert_eq!(
                after.statements().len(),
                before.statements().len() + added.len()
            );
            for (was, is) in before.statements().iter().zip(after.statements()) {
                assert_eq!(was.as_str(), is.as_str());
            }
            assert_eq!(
                append(Some(&after), &added).unwrap(),
                after,
                "twice: {text}"
            );
            assert_eq!(
                undo(&after, &added).unwrap(),
                Undone::Document(before),
                "{text}"
            );
        }
    }
}

#[test]
fn two_appends_are_undone_in_either_size() {
    for text in LAYOUTS {
        let before = policy(text);
        let once = append(Some(&before), &vault_statements()).unwrap();
        let twice = append(Some(&once), &key_statements()).unwrap();
        assert_eq!(
            undo(&twice, &key_statements()).unwrap(),
            Undone::Document(once)
        );
        let both = [vault_statements(), key_statements()].concat();
        assert_eq!(
            undo(&twice, &both).unwrap(),
            Undone::Document(before),
            "{text}"
        );
    }
}

#[test]
fn layouts_are_followed() {
    insta::assert_snapshot!(
        LAYOUTS
            .iter()
            .map(|text| append(Some(&policy(text)), &vault_statements())
                .unwrap()
                .to_string())
            .collect::<Vec<_>>()
            .join("\n----\n")
            .replace('\r', "␍")
            .replace('\t', "⇥")
    );
}

#[test]
fn without_a_document_one_is_made_and_undone() {
    let made = append(None, &vault_statements()).unwrap();
    insta::assert_snapshot!(made.as_str());
    assert_eq!(append(Some(&made), &vault_statements()).unwrap(), made);
    assert_eq!(
        undo(&made, &vault_statements()).unwrap(),
        Undone::NoDocument
    );
    let more = append(Some(&made), &key_statements()).unwrap();
    assert_eq!(
        undo(&more, &key_statements()).unwrap(),
        Undone::Document(made)
    );
    assert_eq!(append(None, &[]), Err(EditError::NothingToAdd));
}

#[test]
fn a_statement_is_recognised_in_another_layout() {
    let made = append(None, &vault_statements()).unwrap();
    let compacted: String = serde_json::from_str::<serde_json::Value>(made.as_str())
        .unwrap()
        .to_string();
    let compacted = policy(&compacted);
    assert_eq!(
        append(Some(&compacted), &vault_statements()).unwrap(),
        compacted
    );
    match undo(&compacted, &vault_statements()).unwrap() {
        Undone::Document(left) => assert!(left.statements().is_empty()),
        other @ (Undone::Unchanged | Undone::NoDocument) => panic!("{other:?}"),
    }
}

#[test]
fn a_taken_or_changed_statement_is_refused() {
    let added = vault_statements();
    let sid = added[0].sid();
    let other = policy(&format!(
        r#"{{"Statement":[{{"Sid":"{sid}","Effect":"Deny"}}]}}"#
    ));
    assert_eq!(
        append(Some(&other), &added),
        Err(EditError::SidTaken(sid.to_owned()))
    );
    assert_eq!(
        undo(&other, &added),
        Err(EditError::Changed(sid.to_owned()))
    );
}

#[test]
fn undo_leaves_what_others_did_since() {
    let before = policy(LAYOUTS[1]);
    let after = append(Some(&before), &vault_statements()).unwrap();
    let edited = after.as_str().replace(
        r#"[{"Sid":"a""#,
        r#"[{"Sid":"new","Effect":"Allow"},{"Sid":"a""#,
    );
    let expected = before.as_str().replace(
        r#"[{"Sid":"a""#,
        r#"[{"Sid":"new","Effect":"Allow"},{"Sid":"a""#,
    );
    assert_eq!(
        undo(&policy(&edited), &vault_statements()).unwrap(),
        Undone::Document(policy(&expected))
    );
    assert_eq!(
        undo(&before, &vault_statements()).unwrap(),
        Undone::Unchanged
    );
}

#[test]
fn the_limits_of_a_key_policy() {
    let document = policy(r#"{"Statement":[]}"#);
    assert_eq!(check_size(&document, KEY_POLICY_MAX_BYTES), Ok(()));
    assert_eq!(
        check_size(&document, 15),
        Err(EditError::TooLarge {
            bytes: 16,
            limit: 15
        })
    );
    assert_eq!(
        check_key_policy_characters(&policy("{\"Id\":\"ÿ\",\r\n\t\"Statement\":[]}")),
        Ok(())
    );
    assert_eq!(
        check_key_policy_characters(&policy(r#"{"Id":"Ā","Statement":[]}"#)),
        Err(EditError::Character(0x100))
    );
}

#[test]
fn a_diff_shows_the_added_lines_only() {
    let before = policy(LAYOUTS[0]);
    let after = append(Some(&before), &vault_statements()).unwrap();
    let shown = diff(Some(before.as_str()), after.as_str());
    assert!(
        shown.lines().filter(|line| line.starts_with('-')).count() <= 1,
        "{shown}"
    );
    insta::assert_snapshot!(shown);
    assert_eq!(
        diff(Some(LAYOUTS[0]), &before.as_str().replace(':', " : ")),
        ""
    );
    assert!(
        diff(None, after.as_str())
            .lines()
            .skip(1)
            .all(|line| line.starts_with('+'))
    );
}

#[test]
fn a_recorded_statement_is_read_back_only_if_it_is_ours() {
    for statement in [vault_statements(), key_statements()].concat() {
        assert_eq!(
            NewStatement::from_recorded(statement.as_str()).unwrap(),
            statement
        );
    }
    for text in [
        "",
        "[]",
        r#"{"Sid":"Other","Effect":"Allow"}"#,
        r#"{"Effect":"Allow"}"#,
        r#"{"Sid":"CopymendX","Effect":"Deny"}"#,
        r#"{"Sid":"CopymendX","Effect":"Allow"},{"Sid":"CopymendY","Effect":"Allow"}"#,
        r#"{"Sid":"CopymendX","Effect":"Allow"}],"Id":["#,
    ] {
        assert!(NewStatement::from_recorded(text).is_err(), "{text}");
    }
    let _: &PolicyDocument = vault_statements()[0].as_policy();
}
