//! `copymend policy grant`.

use serde_json::{Value, json};

use crate::support::{KEY_POLICY, ROLE, Ran, file, run, run_with};

const ORGANIZATION: [&str; 2] = ["--organization-id", "o-abcde12345"];
const PATH: &str = "o-abcde12345/r-ab12/ou-ab12-11111111/*";

fn vault(more: &[&str]) -> Ran {
    run(&[&["policy", "grant", "vault", "--role", ROLE], more].concat())
}

fn key(more: &[&str]) -> Ran {
    run(&[
        &[
            "policy",
            "grant",
            "key",
            "--destination-account",
            "444455556666",
        ],
        more,
    ]
    .concat())
}

fn refused(ran: &Ran, code: i32, reason: &str) {
    assert_eq!(ran.code, code, "{}", ran.stderr);
    assert!(ran.stderr.contains(reason), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
}

#[test]
fn a_vault_statement_is_printed() {
    let ran = vault(&ORGANIZATION);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(ran.stdout);
    // What the role's ARN says may be said again.
    let explicit = vault(
        &[
            &ORGANIZATION[..],
            &["--source-account", "111122223333", "--partition", "aws"],
        ]
        .concat(),
    );
    assert_eq!(explicit.stdout, ran.stdout);
}

#[test]
fn every_scope_has_its_own_statement() {
    for (scope, more, principal) in [
        (
            "role",
            &[][..],
            json!({"AWS": "arn:aws:iam::111122223333:root"}),
        ),
        (
            "account",
            &[],
            json!({"AWS": "arn:aws:iam::111122223333:root"}),
        ),
        ("organization", &[], json!("*")),
        (
            "organizational-unit",
            &["--organization-path", PATH],
            json!("*"),
        ),
    ] {
        let ran = vault(&[&ORGANIZATION[..], &["--scope", scope, "--json"], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let answer = ran.json();
        let statements = answer["statements"].as_array().unwrap();
        assert_eq!(statements.len(), 1);
        assert_eq!(statements[0]["Principal"], principal, "{scope}");
        assert_eq!(
            statements[0]["Condition"]["StringEquals"]["aws:PrincipalOrgID"],
            "o-abcde12345"
        );
        assert_eq!(answer["policy"], Value::Null);
        assert_eq!(answer["certificate"], Value::Null);
    }
}

#[test]
fn an_unsafe_grant_is_refused() {
    refused(&vault(&[]), 2, "an organization id is needed");
    refused(
        &vault(&["--organization-id", "o-*"]),
        2,
        "is not an organization id",
    );
    let with = |more: &[&str]| vault(&[&ORGANIZATION[..], more].concat());
    refused(
        &with(&["--source-account", "999999999999"]),
        2,
        "does not belong to the source account",
    );
    refused(
        &with(&["--partition", "aws-cn"]),
        2,
        "does not belong to the source account",
    );
    refused(
        &with(&["--scope", "organizational-unit"]),
        2,
        "at least one organization path",
    );
    // A path that limits nothing would leave the vault open wider than asked for.
    refused(
        &with(&["--organization-path", PATH]),
        2,
        "does not limit the scope `role`",
    );
    refused(
        &with(&["--scope", "everyone"]),
        2,
        "invalid value 'everyone'",
    );
    refused(&key(&[]), 2, "no service is named");
    refused(
        &key(&["--via", "ec2", "--profile", "documented"]),
        2,
        "does not limit the profile `documented`",
    );
    refused(
        &key(&["--via", "ec2", "--partition", "mars"]),
        2,
        "is not a partition",
    );
    let wildcard = [
        "policy",
        "grant",
        "vault",
        "--role",
        "arn:aws:iam::111122223333:role/*",
    ];
    refused(
        &run(&[&wildcard[..], &ORGANIZATION].concat()),
        2,
        "wildcard",
    );
}

#[test]
fn key_statements_are_printed() {
    let ran = key(&["--via", "rds", "--via", "ec2"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!(ran.stdout);
    let documented = key(&["--profile", "documented", "--json"]);
    assert_eq!(documented.json()["statements"].as_array().unwrap().len(), 2);
}

#[test]
fn the_merged_policy_and_its_certificate_are_printed() {
    let path = file("grant-merged.json", KEY_POLICY);
    let ran = key(&["--via", "ec2", "--policy", &path]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(ran.stdout);
}

#[test]
fn json_holds_the_text_to_put() {
    let ran = run_with(
        &[
            "policy",
            "grant",
            "key",
            "--destination-account",
            "444455556666",
            "--via",
            "ec2",
            "--policy",
            "-",
            "--json",
        ],
        KEY_POLICY,
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let answer = ran.json();
    let text = answer["policy"].as_str().unwrap();
    assert!(text.starts_with(KEY_POLICY.strip_suffix("]}").unwrap()));
    let policy: Value = serde_json::from_str(text).unwrap();
    assert_eq!(
        policy["Statement"].as_array().unwrap()[1..],
        answer["statements"].as_array().unwrap()[..]
    );
    assert_eq!(answer["certificate"]["kept"], 1);
    assert_eq!(
        answer["certificate"]["granted"].as_array().unwrap().len(),
        3
    );
    assert_eq!(answer.get("error"), None);
}

#[test]
fn what_is_there_is_not_added_again() {
    let path = file("grant-again.json", KEY_POLICY);
    let once = key(&["--via", "ec2", "--policy", &path, "--json"]).json();
    let path = file("grant-again.json", once["policy"].as_str().unwrap());
    let twice = key(&["--via", "ec2", "--policy", &path, "--json"]).json();
    assert_eq!(twice["policy"], once["policy"]);
    assert_eq!(twice["certificate"]["granted"], json!([]));
    let human = key(&["--via", "ec2", "--policy", &path]);
    assert!(
        human
            .stdout
            .ends_with("certificate:\n4 statements unchanged, 0 added\n"),
        "{}",
        human.stdout
    );
}

#[test]
fn a_new_policy_can_be_made_for_a_vault_alone() {
    let ran = vault(&[&ORGANIZATION[..], &["--new", "--json"]].concat());
    let answer = ran.json();
    let policy: Value = serde_json::from_str(answer["policy"].as_str().unwrap()).unwrap();
    assert_eq!(policy["Statement"], answer["statements"]);
    assert_eq!(answer["certificate"]["kept"], 0);
    // A key always has a policy; a new one would lock its owner out.
    assert_eq!(key(&["--via", "ec2", "--new"]).code, 2);
}

#[test]
fn a_sid_that_is_taken_fails_the_check() {
    let taken = KEY_POLICY.replace("Enable IAM", "CopymendDescribe444455556666Ec2");
    let path = file("grant-taken.json", &taken);
    let ran = key(&["--via", "ec2", "--policy", &path]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr
            .contains("another statement with the `Sid` `CopymendDescribe444455556666Ec2`")
    );
    let ran = key(&["--via", "ec2", "--policy", &path, "--json"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    let answer = ran.json();
    assert_eq!(
        (&answer["policy"], &answer["certificate"]),
        (&Value::Null, &Value::Null)
    );
    assert!(
        answer["error"]
            .as_str()
            .unwrap()
            .contains("CopymendDescribe444455556666Ec2")
    );
}

#[test]
fn a_key_policy_that_kms_would_not_take_fails_the_check() {
    let large = KEY_POLICY.replace("Enable IAM", &"a".repeat(32_768));
    let path = file("grant-large.json", &large);
    let ran = key(&["--via", "ec2", "--policy", &path]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("the limit is 32768"), "{}", ran.stderr);
    let path = file(
        "grant-character.json",
        &KEY_POLICY.replace("Enable IAM", "漢字"),
    );
    let ran = key(&["--via", "ec2", "--policy", &path]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("U+6F22"), "{}", ran.stderr);
}

#[test]
fn a_file_that_is_no_policy_is_wrong_usage() {
    let path = file("grant-broken.json", r#"{"Statement":[{"Effect":"Maybe"}]}"#);
    refused(
        &key(&["--via", "ec2", "--policy", &path]),
        2,
        "is no policy",
    );
    refused(
        &key(&["--via", "ec2", "--policy", "no-such-file.json"]),
        2,
        "cannot read",
    );
}
