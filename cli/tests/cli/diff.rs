//! `copymend policy diff`.

use serde_json::json;

use crate::support::{KEY_POLICY, Ran, file, run, run_with};

const BEFORE: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Sid":"Kept","Effect":"Allow","Principal":"*","Action":"a:b","Resource":"*"},
    {"Sid":"Changed","Effect":"Allow","Principal":"*","Action":"a:b","Resource":"*"},
    {"Effect":"Deny","Principal":"*","Action":"a:c","Resource":"*"},
    {"Sid":"Removed","Effect":"Allow","Principal":"*","Action":"a:d","Resource":"*"}]}"#;
const AFTER: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Deny","Principal":"*","Action":"a:e","Resource":"*"},
    {"Sid":"Changed","Effect":"Deny","Principal":"*","Action":"a:b","Resource":"*"},
    {"Action":"a:b","Effect":"Allow","Principal":"*","Resource":"*","Sid":"Kept"}]}"#;

fn diff(name: &str, before: &str, after: &str, more: &[&str]) -> Ran {
    let before = file(&format!("diff-{name}-1.json"), before);
    let after = file(&format!("diff-{name}-2.json"), after);
    run(&[&["policy", "diff", &before, &after], more].concat())
}

#[test]
fn people_see_the_lines_that_differ() {
    let ran = diff("human", BEFORE, AFTER, &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(ran.stdout);
}

#[test]
fn json_says_which_statements_differ() {
    let ran = diff("json", BEFORE, AFTER, &["--json"]);
    assert_eq!(ran.code, 0);
    assert_eq!(
        ran.json(),
        json!({
            "added": [{"statement": 0, "sid": null}],
            "removed": [{"statement": 2, "sid": null}, {"statement": 3, "sid": "Removed"}],
            "changed": [{"statement": 1, "sid": "Changed"}],
            "kept": 1,
            "outside_changed": false,
        })
    );
    let ran = diff(
        "version",
        KEY_POLICY,
        &KEY_POLICY.replace("2012", "2008"),
        &["--json"],
    );
    assert_eq!(
        ran.json(),
        json!({"added": [], "removed": [], "changed": [], "kept": 1, "outside_changed": true})
    );
}

#[test]
fn white_space_is_no_difference() {
    let wide = KEY_POLICY.replace(':', ": ");
    let wide = wide
        .replace(
            "arn: aws: iam: : 111122223333: root",
            "arn:aws:iam::111122223333:root",
        )
        .replace("kms: *", "kms:*");
    assert_eq!(
        diff("space", KEY_POLICY, &wide, &[]).stdout,
        "the policies differ in white space only\n"
    );
    assert_eq!(
        diff("same", KEY_POLICY, KEY_POLICY, &[]).stdout,
        "the policies are the same\n"
    );
}

#[test]
fn a_new_policy_is_all_added() {
    let ran = run_with(&["policy", "diff", "--new", "-", "--json"], KEY_POLICY);
    assert_eq!(
        ran.json()["added"],
        json!([{"statement": 0, "sid": "Enable IAM"}])
    );
    let ran = run_with(&["policy", "diff", "--new", "-"], KEY_POLICY);
    assert!(
        ran.stdout.lines().skip(1).all(|line| line.starts_with('+')),
        "{}",
        ran.stdout
    );
}

#[test]
fn wrong_usage_is_refused() {
    let policy = file("diff-usage.json", KEY_POLICY);
    assert_eq!(run(&["policy", "diff", &policy]).code, 2);
    let ran = run_with(&["policy", "diff", &policy, "-"], "[]");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(
        ran.stderr.starts_with("copymend: `-` is no policy: "),
        "{}",
        ran.stderr
    );
}
