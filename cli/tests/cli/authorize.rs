//! `copymend policy authorize`.

use serde_json::{Value, json};

use crate::support::{KEY, ROLE, file, run, run_with};

const DECRYPT: &str = "kms:Decrypt";
const OWN_ROLE: &str = "arn:aws:iam::444455556666:role/Reader";

fn policy(effect: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": "*", "Resource": "*"}]})
}

/// A resource control policy: it names a principal, which is everyone.
fn everyone_denied() -> Value {
    let mut policy = policy("Deny");
    policy["Statement"][0]["Principal"] = "*".into();
    policy
}

/// A key policy that delegates to this account.
fn key_policy(account: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": account}, "Action": "kms:*", "Resource": "*"}]})
}

/// A request across accounts that every policy allows.
fn allowed() -> Value {
    json!({
        "request": {"principal": ROLE, "action": DECRYPT, "resource": KEY, "resource_account": "444455556666", "context": {}},
        "identity": [policy("Allow")],
        "boundary": [policy("Allow")],
        "session": policy("Allow"),
        "scps": [[policy("Allow")], [policy("Allow")]],
        "rcps": [[policy("Allow")]],
        "resource_policy": key_policy("111122223333"),
        "unknown": [],
    })
}

fn with(member: &str, value: Value) -> Value {
    let mut question = allowed();
    question[member] = value;
    question
}

/// The answers to these questions, which all can be answered.
fn answers(questions: &[Value]) -> Vec<(String, String)> {
    let lines: Vec<String> = questions.iter().map(Value::to_string).collect();
    let ran = run_with(&["policy", "authorize", "--lines"], lines.join("\n"));
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    ran.json_lines()
        .iter()
        .map(|answer| {
            assert_eq!(answer.as_object().unwrap().len(), 2);
            let layers = answer["blocked_by"].as_array().unwrap();
            let layers: Vec<&str> = layers.iter().map(|layer| layer.as_str().unwrap()).collect();
            (
                answer["decision"].as_str().unwrap().to_owned(),
                layers.join(" "),
            )
        })
        .collect()
}

#[test]
fn the_layer_in_the_way_is_named() {
    let questions = [
        allowed(),
        with("identity", json!([])),
        with("boundary", json!([])),
        with("session", json!({"Version": "2012-10-17", "Statement": []})),
        with("scps", json!([[policy("Allow")], []])),
        with("rcps", json!([[everyone_denied()]])),
        with("resource_policy", json!(null)),
        with("identity", json!([policy("Allow"), policy("Deny")])),
    ];
    let denied = |decision: &str, layer: &str| (decision.to_owned(), layer.to_owned());
    assert_eq!(
        answers(&questions),
        [
            denied("allowed", ""),
            denied("implicitly-denied", "identity"),
            denied("implicitly-denied", "boundary"),
            denied("implicitly-denied", "session"),
            denied("implicitly-denied", "scp"),
            denied("explicitly-denied", "rcp"),
            denied("implicitly-denied", "resource"),
            denied("explicitly-denied", "identity"),
        ]
    );
}

#[test]
fn what_is_missing_counts_as_null_or_empty() {
    let request = json!({"principal": OWN_ROLE, "action": DECRYPT, "resource": KEY});
    let bare = json!({"request": request});
    let nulls = json!({"request": {"principal": OWN_ROLE, "action": DECRYPT, "resource": KEY, "resource_account": null, "context": null},
        "identity": null, "boundary": null, "session": null, "scps": null, "rcps": null, "resource_policy": null, "unknown": null});
    let delegated = json!({"request": request, "identity": [policy("Allow")], "resource_policy": key_policy("444455556666")});
    let answers = answers(&[bare, nulls, delegated]);
    assert_eq!(
        answers[0],
        (
            "implicitly-denied".to_owned(),
            "identity resource".to_owned()
        )
    );
    assert_eq!(answers[1], answers[0]);
    assert_eq!(answers[2], ("allowed".to_owned(), String::new()));
}

#[test]
fn policies_may_be_strings() {
    let text = |policy: Value| Value::from(policy.to_string());
    let mut question = allowed();
    question["identity"] = json!([text(policy("Allow"))]);
    question["session"] = text(policy("Allow"));
    question["scps"] = json!([[text(policy("Allow"))]]);
    question["resource_policy"] = text(key_policy("111122223333"));
    assert_eq!(answers(&[question])[0].0, "allowed");
}

#[test]
fn unknown_keys_and_context_values_are_heard() {
    let condition = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {"NumericEquals": {"a:n": "5"}, "Bool": {"a:b": "true"}}}]});
    let mut known = with("identity", json!([condition]));
    known["request"]["context"] = json!({"a:n": 5, "a:b": [true]});
    let mut unknown = with("identity", json!([condition]));
    unknown["request"]["context"] = json!({"a:n": "5"});
    unknown["unknown"] = json!(["a:b"]);
    let answers = answers(&[known, unknown]);
    assert_eq!(answers[0].0, "allowed");
    assert_eq!(answers[1], ("unknown".to_owned(), "identity".to_owned()));
}

#[test]
fn a_bad_line_gets_an_error_and_the_others_go_on() {
    let mut no_account = allowed();
    no_account["request"]["resource"] = "arn:aws:s3:::bucket".into();
    no_account["request"]["resource_account"] = Value::Null;
    let mut wrong_account = allowed();
    wrong_account["request"]["resource_account"] = "12".into();
    let lines = [
        allowed().to_string(),
        "{".to_owned(),
        String::new(),
        r#"{"request":{"action":"a:b","resource":"*"}}"#.to_owned(),
        no_account.to_string(),
        wrong_account.to_string(),
        with("session", json!({"Statement": 1})).to_string(),
        with("scps", json!([policy("Allow")])).to_string(),
        with("boundary", json!([null])).to_string(),
        allowed().to_string(),
    ];
    let ran = run_with(&["policy", "authorize", "--lines"], lines.join("\n"));
    assert_eq!(ran.code, 1);
    let answers = ran.json_lines();
    assert_eq!(answers.len(), lines.len());
    for (place, answer) in answers.iter().enumerate() {
        if place == 0 || place == lines.len() - 1 {
            assert_eq!(answer["decision"], "allowed");
        } else {
            assert!(
                answer["error"].is_string() && answer.as_object().unwrap().len() == 1,
                "{answer}"
            );
        }
    }
    let reason = |place: usize| answers[place]["error"].as_str().unwrap();
    assert_eq!(
        reason(4),
        "`arn:aws:s3:::bucket` names no account; `resource_account` is needed"
    );
    assert!(reason(5).starts_with("resource_account: "), "{}", reason(5));
    assert!(reason(6).starts_with("session: "), "{}", reason(6));
}

#[test]
fn one_request_comes_from_a_file_or_standard_input() {
    let question = with("boundary", json!([]));
    // Over several lines, as people write it.
    let path = file("authorize.json", &format!("{question:#}\n"));
    let ran = run(&["policy", "authorize", &path]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "implicitly-denied\nblocked by: boundary\n")
    );
    let ran = run_with(&["policy", "authorize", "--json"], question.to_string());
    assert_eq!(
        ran.stdout,
        "{\"decision\":\"implicitly-denied\",\"blocked_by\":[\"boundary\"]}\n"
    );
    assert_eq!(
        run_with(
            &["policy", "authorize", "--json", "-"],
            question.to_string()
        )
        .stdout,
        ran.stdout
    );
}

#[test]
fn the_unknown_keys_are_shown_to_people() {
    let mut question = with(
        "identity",
        json!([{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*",
        "Resource": "*", "Condition": {"Bool": {"a:b": "true"}}}]}]),
    );
    question["unknown"] = json!(["a:b"]);
    let ran = run_with(&["policy", "authorize"], question.to_string());
    assert_eq!(
        ran.stdout,
        "unknown\ndepends on: a:b\nblocked by: identity\n"
    );
}

#[test]
fn one_request_that_is_none_is_wrong_usage() {
    let ran = run_with(&["policy", "authorize", "--json"], "{}");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(
        ran.stderr.starts_with("copymend: `-` is no request: "),
        "{}",
        ran.stderr
    );
    assert_eq!(run(&["policy", "authorize", "no-such-file.json"]).code, 2);
    assert_eq!(
        run(&["policy", "authorize", "--lines", "request.json"]).code,
        2
    );
}

#[test]
fn many_lines_are_answered() {
    let line = format!("{}\n", allowed());
    let ran = run_with(&["policy", "authorize", "--lines"], line.repeat(2_000));
    assert_eq!(ran.code, 0);
    assert_eq!(
        ran.stdout,
        "{\"decision\":\"allowed\",\"blocked_by\":[]}\n".repeat(2_000)
    );
}
