//! `copymend policy evaluate`.

use serde_json::json;

use crate::support::{COPY, ROLE, Ran, VAULT, file, run, run_with};

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Deny","Principal":"*","Action":"backup:DeleteRecoveryPoint","Resource":"*"},
    {"Effect":"Allow","Principal":"*","Action":"backup:CopyIntoBackupVault","Resource":"*",
     "Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-abcde12345"}}}]}"#;

fn evaluate(name: &str, action: &str, more: &[&str]) -> Ran {
    let policy = file(&format!("evaluate-{name}.json"), POLICY);
    let mut arguments = vec![
        "policy",
        "evaluate",
        &policy,
        "--principal",
        ROLE,
        "--action",
        action,
    ];
    arguments.extend(["--resource", VAULT]);
    arguments.extend(more);
    run(&arguments)
}

#[test]
fn the_decision_and_its_statement_are_printed() {
    let ran = evaluate(
        "allowed",
        COPY,
        &["--context", "aws:PrincipalOrgID=o-abcde12345"],
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(
        ran.stdout
            .starts_with("allowed\nstatement 2:\n{\"Effect\":\"Allow\""),
        "{}",
        ran.stdout
    );
    let ran = evaluate("implicit", COPY, &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "implicitly-denied\n"));
    let ran = evaluate("unknown", COPY, &["--unknown", "aws:PrincipalOrgID"]);
    assert_eq!(ran.stdout, "unknown\ndepends on: aws:PrincipalOrgID\n");
}

#[test]
fn a_key_given_twice_has_both_values() {
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"ForAllValues:StringEquals":{"a:k":["1","2"]},"ForAnyValue:StringEquals":{"a:k":"2"}}}}"#;
    let policy = file("evaluate-twice.json", policy);
    let ran = run(&[
        "policy",
        "evaluate",
        &policy,
        "--principal",
        ROLE,
        "--action",
        COPY,
        "--resource",
        VAULT,
        "--context",
        "a:k=1",
        "--context",
        "A:K=2",
    ]);
    assert!(ran.stdout.starts_with("allowed\n"), "{}", ran.stdout);
}

#[test]
fn json_has_the_contracted_members() {
    let denied = evaluate("json", "backup:DeleteRecoveryPoint", &["--json"]);
    assert_eq!(
        denied.stdout,
        "{\"decision\":\"explicitly-denied\",\"statement\":0}\n"
    );
    let implicit = evaluate("json-none", COPY, &["--json"]);
    assert_eq!(
        implicit.stdout,
        "{\"decision\":\"implicitly-denied\",\"statement\":null}\n"
    );
}

#[test]
fn a_policy_may_come_from_standard_input() {
    let arguments = [
        "policy",
        "evaluate",
        "-",
        "--principal",
        ROLE,
        "--action",
        COPY,
        "--resource",
        VAULT,
    ];
    // As tools on Windows write it.
    let ran = run_with(&arguments, format!("\u{feff}{POLICY}\r\n"));
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "implicitly-denied\n"));
    let ran = run_with(&arguments, "{}");
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.starts_with("copymend: `-` is no policy: "),
        "{}",
        ran.stderr
    );
}

#[test]
fn wrong_usage_is_refused() {
    assert_eq!(run(&["policy", "evaluate"]).code, 2);
    assert_eq!(evaluate("usage", COPY, &["--context", "no-value"]).code, 2);
    assert_eq!(
        run(&["policy", "evaluate", "--lines", "policy.json"]).code,
        2
    );
}

#[test]
fn every_line_is_answered_in_order() {
    let policy: serde_json::Value = serde_json::from_str(POLICY).unwrap();
    let question = |context| json!({"policy": policy, "request": {"principal": ROLE, "action": COPY, "resource": VAULT, "context": context}});
    let mut unknown = question(json!(null));
    unknown["unknown"] = json!(["aws:PrincipalOrgID"]);
    let mut text = question(json!({"aws:PrincipalOrgID": ["o-abcde12345"]}));
    text["policy"] = POLICY.into();
    let lines = [
        question(json!({"aws:PrincipalOrgID": "o-abcde12345"})).to_string(),
        "not json".to_owned(),
        String::new(),
        question(json!({})).to_string(),
        unknown.to_string(),
        question(json!({"aws:PrincipalOrgID": {"no": "object"}})).to_string(),
        text.to_string(),
    ];
    let ran = run_with(&["policy", "evaluate", "--lines"], lines.join("\r\n"));
    assert_eq!(ran.code, 1);
    let answers = ran.json_lines();
    let decisions: Vec<_> = answers
        .iter()
        .map(|answer| answer["decision"].as_str())
        .collect();
    assert_eq!(
        decisions,
        [
            Some("allowed"),
            None,
            None,
            Some("implicitly-denied"),
            Some("unknown"),
            None,
            Some("allowed")
        ]
    );
    for answer in &answers {
        assert_ne!(
            answer.get("decision").is_some(),
            answer.get("error").is_some()
        );
    }
}

#[test]
fn numbers_and_booleans_count_as_they_are_written() {
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"a:n":"1.50","a:b":"true","a:big":"123456789012345678901234567890"}}}]}"#;
    let line = format!(
        r#"{{"policy":{policy},"request":{{"principal":"{ROLE}","action":"{COPY}","resource":"{VAULT}","context":{{"a:n":1.50,"a:b":[ true ],"a:big":[123456789012345678901234567890]}}}}}}"#
    );
    let ran = run_with(&["policy", "evaluate", "--lines"], line);
    assert_eq!(
        (ran.code, &ran.json()["decision"]),
        (0, &json!("allowed")),
        "{}",
        ran.stdout
    );
}
