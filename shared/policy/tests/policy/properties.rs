//! What holds for every input.

use copymend_policy::{
    Decision, PolicyDocument, Request, Undone, append, diff, evaluate, prove_only_adds, undo,
    wildcard_matches,
};
use proptest::prelude::*;

use crate::edits::{key_statements, vault_statements};

fn one_of(values: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(values).prop_map(str::to_owned)
}

fn condition() -> impl Strategy<Value = String> {
    let operator = one_of(&[
        "StringEquals",
        "StringNotEquals",
        "StringLikeIfExists",
        "ForAnyValue:StringLike",
        "ForAllValues:StringNotEquals",
        "ArnLike",
        "NumericLessThan",
        "DateGreaterThan",
        "Bool",
        "IpAddress",
        "NotIpAddress",
        "Null",
    ]);
    let key = one_of(&[
        "k",
        "K",
        "aws:PrincipalOrgID",
        "aws:PrincipalArn",
        "kms:ViaService",
    ]);
    let value = one_of(&[
        "\"a\"",
        "\"*\"",
        "[\"a\",\"b*\"]",
        "true",
        "12",
        "\"${k}\"",
        "\"${x, 'a'}\"",
        "\"arn:aws:iam::*:role/*\"",
        "\"10.0.0.0/8\"",
        "\"2020-01-01\"",
        "[]",
        "\"o-abcde12345\"",
    ]);
    (operator, key, value)
        .prop_map(|(operator, key, value)| format!(r#"{{"{operator}":{{"{key}":{value}}}}}"#))
}

fn statement() -> impl Strategy<Value = String> {
    let principal = one_of(&[
        r#""Principal":"*","#,
        r#""Principal":{"AWS":"111122223333"},"#,
        r#""NotPrincipal":{"AWS":["arn:aws:iam::111122223333:role/service-role/CopyRole","111122223333"]},"#,
        r#""Principal":{"AWS":"arn:aws:iam::111122223333:role/service-role/CopyRole"},"#,
        r#""Principal":{"Service":"backup.amazonaws.com"},"#,
        "",
    ]);
    let action = one_of(&[
        r#""Action":"*","#,
        r#""Action":["backup:CopyIntoBackupVault"],"#,
        r#""NotAction":"kms:*","#,
        r#""Action":"kms:De*","#,
        "",
    ]);
    let resource = one_of(&[
        r#""Resource":"*""#,
        r#""Resource":"arn:aws:backup:*:*:backup-vault:${k}""#,
        r#""NotResource":["arn:aws:kms:*"]"#,
    ]);
    let effect = one_of(&["Allow", "Deny"]);
    (
        effect,
        principal,
        action,
        resource,
        proptest::option::of(condition()),
    )
        .prop_map(|(effect, principal, action, resource, condition)| {
            let condition = condition.map_or_else(String::new, |c| format!(r#","Condition":{c}"#));
            format!(r#"{{"Effect":"{effect}",{principal}{action}{resource}{condition}}}"#)
        })
}

fn white_space() -> impl Strategy<Value = String> {
    one_of(&["", " ", "\n", "\n  ", "\r\n\t", "  \n "])
}

/// A document in some layout.
fn document() -> impl Strategy<Value = String> {
    let list = (
        prop::collection::vec((white_space(), statement(), white_space()), 0..4),
        white_space(),
    )
        .prop_map(|(items, empty)| {
            if items.is_empty() {
                return format!("[{empty}]");
            }
            let items: Vec<String> = items
                .into_iter()
                .map(|(a, s, b)| format!("{a}{s}{b}"))
                .collect();
            format!("[{}]", items.join(","))
        });
    let element = prop_oneof![3 => list, 1 => statement()];
    let head = one_of(&[
        "",
        "\"Version\":\"2012-10-17\",",
        "\"Id\" : \"x\" ,\n \"Version\":\"2008-10-17\",",
    ]);
    (white_space(), head, white_space(), element, white_space()).prop_map(
        |(a, head, b, element, c)| format!(r#"{a}{{{head}{b}"Statement":{b}{element}{c}}}{c}"#),
    )
}

fn request() -> impl Strategy<Value = Request> {
    let who = one_of(&[
        "arn:aws:iam::111122223333:role/service-role/CopyRole",
        "arn:aws:sts::111122223333:assumed-role/CopyRole/s",
        "arn:aws:iam::999999999999:user/eve",
        "arn:aws:iam::444455556666:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup",
        "backup.amazonaws.com",
        "anonymous",
    ]);
    let action = one_of(&[
        "backup:CopyIntoBackupVault",
        "kms:DescribeKey",
        "kms:CreateGrant",
        "kms:Decrypt",
    ]);
    let resource = one_of(&[
        "arn:aws:backup:eu-west-1:444455556666:backup-vault:a",
        "arn:aws:kms:eu-west-1:111122223333:key/k",
    ]);
    let keys = prop::collection::vec(
        (
            one_of(&[
                "k",
                "x",
                "aws:PrincipalOrgID",
                "kms:ViaService",
                "kms:GrantIsForAWSResource",
            ]),
            prop::collection::vec(
                one_of(&[
                    "a",
                    "b",
                    "o-abcde12345",
                    "12",
                    "true",
                    "10.1.1.1",
                    "ec2.eu-west-1.amazonaws.com",
                ]),
                0..3,
            ),
        ),
        0..5,
    );
    let unknown = proptest::option::of(one_of(&["k", "aws:PrincipalOrgID", "aws:PrincipalArn"]));
    (who, action, resource, keys, unknown).prop_map(|(who, action, resource, keys, unknown)| {
        let request = Request::new(who, action, resource);
        let request = keys
            .into_iter()
            .fold(request, |r, (key, values)| r.with_context(&key, values));
        unknown
            .into_iter()
            .fold(request, |r, key| r.with_unknown(&key))
    })
}

/// Wildcards the slow and obvious way.
fn naive(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => (0..=text.len()).any(|at| naive(rest, &text[at..])),
        Some(('?', rest)) => !text.is_empty() && naive(rest, &text[1..]),
        Some((c, rest)) => text.first() == Some(c) && naive(rest, &text[1..]),
    }
}

/// The same document with the lists inside its statements in another order, members too, and single
/// entries as lists of one.
fn reordered(value: &serde_json::Value, seed: usize, in_statement: bool) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items
                .iter()
                .map(|item| reordered(item, seed, in_statement))
                .collect();
            if !items.is_empty() {
                let by = seed % items.len();
                items.rotate_left(by);
            }
            Value::Array(items)
        }
        Value::Object(members) => {
            let is_list = |name: &str| matches!(name, "Action" | "NotAction" | "Resource");
            let mut members: Vec<(String, Value)> = members
                .iter()
                .map(|(name, value)| {
                    let value = reordered(value, seed, true);
                    let is_one = value.is_string() && is_list(name) && seed % 2 == 1;
                    let value = if is_one {
                        Value::Array(vec![value])
                    } else {
                        value
                    };
                    (name.clone(), value)
                })
                .collect();
            if in_statement && seed % 3 == 1 {
                members.reverse();
            }
            Value::Object(members.into_iter().collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parsing_keeps_every_byte(text in document()) {
        let parsed = PolicyDocument::parse(&text).unwrap();
        prop_assert_eq!(parsed.as_str(), &text);
        for statement in parsed.statements() {
            prop_assert_eq!(&text[statement.span()], statement.as_str());
        }
    }

    #[test]
    fn append_then_undo_is_nothing(text in document()) {
        let before = PolicyDocument::parse(&text).unwrap();
        for added in [vault_statements(), key_statements()] {
            let after = append(Some(&before), &added).unwrap();
            prop_assert_eq!(&append(Some(&after), &added).unwrap(), &after);
            prove_only_adds(Some(&before), &after, &added).unwrap();
            prop_assert_eq!(undo(&after, &added).unwrap(), Undone::Document(before.clone()));
        }
    }

    #[test]
    fn an_append_allows_nothing_but_what_was_added(text in document(), request in request()) {
        let before = PolicyDocument::parse(&text).unwrap();
        for added in [vault_statements(), key_statements()] {
            let after = append(Some(&before), &added).unwrap();
            let was = evaluate(&before, &request);
            let is = evaluate(&after, &request);
            let alone = evaluate(&append(None, &added).unwrap(), &request);
            if alone == Decision::ImplicitlyDenied {
                prop_assert_eq!(&was, &is);
            }
            if matches!(was, Decision::ExplicitlyDenied { .. } | Decision::Allowed { .. }) {
                prop_assert_eq!(&was, &is);
            }
        }
    }

    /// Whatever an unknown key turns out to be, a certain answer stays. Another statement may then
    /// be the first to decide.
    #[test]
    fn a_certain_answer_holds_for_every_value(text in document(), request in request(), value in one_of(&["a", "12", "true", "o-abcde12345", "z"]), present in any::<bool>()) {
        let policy = PolicyDocument::parse(&text).unwrap();
        let with_unknown = request.clone().with_unknown("k");
        let decision = evaluate(&policy, &with_unknown);
        let values = if present { vec![value] } else { vec![] };
        if !request.context().is_unknown("k") && decision.slug() != "unknown" {
            let known = evaluate(&policy, &request.with_context("k", values));
            prop_assert_eq!(known.slug(), decision.slug());
        }
    }

    /// Another order is no other policy: it decides every request alike, our statements are found
    /// in it and taken out.
    #[test]
    fn another_order_means_the_same(text in document(), seed in 0_usize..12, request in request()) {
        let policy = PolicyDocument::parse(&text).unwrap();
        for added in [vault_statements(), key_statements()] {
            let with_ours = append(Some(&policy), &added).unwrap();
            let value: serde_json::Value = serde_json::from_str(with_ours.as_str()).unwrap();
            let other = reordered(&value, seed, false).to_string();
            let other = PolicyDocument::parse(&other).unwrap();
            prop_assert!(with_ours.means_the_same_as(&other));
            prop_assert!(other.means_the_same_as(&with_ours));
            prop_assert_eq!(other.canonical(), with_ours.canonical());
            prop_assert_eq!(evaluate(&with_ours, &request).slug(), evaluate(&other, &request).slug());
            prop_assert_eq!(&append(Some(&other), &added).unwrap(), &other);
            let Undone::Document(left) = undo(&other, &added).unwrap() else {
                return Err(TestCaseError::fail("nothing was taken out"));
            };
            prop_assert!(left.means_the_same_as(&policy), "{}", left);
        }
    }

    /// Documents that mean the same decide every request alike, whatever they look like.
    #[test]
    fn the_same_meaning_gives_the_same_answer(left in document(), right in document(), request in request()) {
        let (left, right) = (PolicyDocument::parse(&left).unwrap(), PolicyDocument::parse(&right).unwrap());
        prop_assert_eq!(left.canonical() == right.canonical(), left.means_the_same_as(&right));
        if left.means_the_same_as(&right) {
            prop_assert_eq!(evaluate(&left, &request).slug(), evaluate(&right, &request).slug());
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}") {
        let _ = PolicyDocument::parse(&text);
        let _ = diff(Some(&text), &text);
    }

    #[test]
    fn a_damaged_document_never_panics(text in document(), at in any::<prop::sample::Index>(), noise in "[\\[\\]{}\",:\\\\u0-9a-z\u{1}é]{0,3}") {
        let mut characters: Vec<char> = text.chars().collect();
        let at = at.index(characters.len());
        characters.splice(at..=at, noise.chars());
        let damaged: String = characters.into_iter().collect();
        if let Ok(policy) = PolicyDocument::parse(&damaged) {
            prop_assert_eq!(policy.as_str(), &damaged);
            let _ = evaluate(&policy, &Request::new("a", "b", "c"));
        }
        // A document is JSON as others read it.
        if PolicyDocument::parse(&damaged).is_ok() {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&damaged).is_ok());
        }
    }

    #[test]
    fn wildcards_match_as_the_naive_way(pattern in "[ab:*?é]{0,8}", text in "[ab:é]{0,8}") {
        let p: Vec<char> = pattern.chars().collect();
        let t: Vec<char> = text.chars().collect();
        prop_assert_eq!(wildcard_matches(&pattern, &text), naive(&p, &t));
    }
}
