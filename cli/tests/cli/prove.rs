//! `copymend policy prove`.

use serde_json::{Value, json};

use crate::support::{KEY_POLICY, Ran, file, run, run_with};

/// The policy after a grant by this program.
fn granted(name: &str) -> String {
    let path = file(&format!("prove-{name}-before.json"), KEY_POLICY);
    let ran = run(&[
        "policy",
        "grant",
        "key",
        "--destination-account",
        "444455556666",
        "--via",
        "ec2",
        "--json",
        "--policy",
        &path,
    ]);
    ran.json()["policy"].as_str().unwrap().to_owned()
}

fn prove(name: &str, before: &str, after: &str) -> Ran {
    let before = file(&format!("prove-{name}-1.json"), before);
    let after = file(&format!("prove-{name}-2.json"), after);
    let human = run(&["policy", "prove", &before, &after]);
    let json = run(&["policy", "prove", &before, &after, "--json"]);
    assert_eq!(human.code, json.code);
    assert_eq!(
        human.stdout.starts_with("proved\n"),
        json.json()["proved"] == true
    );
    json
}

/// The reason there is no proof, and where.
fn reason(ran: &Ran) -> (String, Value, Value) {
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    let answer = ran.json();
    assert_eq!(answer["proved"], false);
    (
        answer["reason"].as_str().unwrap().to_owned(),
        answer["statement"].clone(),
        answer["sid"].clone(),
    )
}

#[test]
fn what_copymend_adds_is_proved() {
    let after = granted("added");
    let ran = prove("added", KEY_POLICY, &after);
    assert_eq!(ran.code, 0);
    let certificate = &ran.json()["certificate"];
    assert_eq!(certificate["kept"], 1);
    let sids: Vec<_> = certificate["granted"]
        .as_array()
        .unwrap()
        .iter()
        .map(|granted| granted["sid"].clone())
        .collect();
    assert_eq!(
        sids,
        [
            "CopymendDescribe444455556666Ec2",
            "CopymendUse444455556666Ec2",
            "CopymendGrant444455556666Ec2"
        ]
    );
    // Nothing at all is proved as well; a line feed at a file's end is none of the policy's.
    let ran = prove("same", &after, &format!("{after}\n"));
    assert_eq!(
        (ran.code, &ran.json()["certificate"]["granted"]),
        (0, &json!([]))
    );
}

#[test]
fn the_certificate_is_shown_to_people() {
    let before = file("prove-human-1.json", KEY_POLICY);
    let ran = run_with(&["policy", "prove", &before, "-"], granted("human"));
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(ran.stdout);
}

#[test]
fn the_first_difference_is_named() {
    let after = granted("difference");
    let ran = prove("changed", KEY_POLICY, &after.replace("kms:*", "kms:Get*"));
    assert_eq!(
        reason(&ran),
        (
            "the statement was changed, moved or removed".to_owned(),
            json!(0),
            json!("Enable IAM")
        )
    );
    let ran = prove("removed", &after, KEY_POLICY);
    assert_eq!(reason(&ran).1, 1);
    let ran = prove(
        "version",
        KEY_POLICY,
        &after.replace("2012-10-17", "2008-10-17"),
    );
    assert_eq!(
        reason(&ran),
        (
            "something outside the `Statement` element changed".to_owned(),
            Value::Null,
            Value::Null
        )
    );
    let foreign = "the statement was added, and its Sid is not one of Copymend's".to_owned();
    let ran = prove("foreign", KEY_POLICY, &after.replace("CopymendUse", "Use"));
    assert_eq!(
        reason(&ran),
        (foreign, json!(2), json!("Use444455556666Ec2"))
    );
}

#[test]
fn a_statement_that_only_looks_like_ours_is_not_proved() {
    let add = |statement: &str| KEY_POLICY.replace("]}", &format!(",{statement}]}}"));
    let deny = add(
        r#"{"Sid":"CopymendX","Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*"}"#,
    );
    let (text, place, sid) = reason(&prove("deny", KEY_POLICY, &deny));
    assert_eq!((place, sid), (json!(1), json!("CopymendX")));
    assert!(text.contains("does not allow"), "{text}");
    let open = add(
        r#"{"Sid":"CopymendX","Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*"}"#,
    );
    let (text, place, _) = reason(&prove("open", KEY_POLICY, &open));
    assert_eq!(place, 1);
    assert!(text.contains("open beyond the organization"), "{text}");
    for other in [
        r#"{"Sid":"CopymendX","Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"}"#,
        r#"{"Sid":"CopymendX","Effect":"Allow","Principal":{"AWS":"111122223333"},"NotAction":"kms:Decrypt","Resource":"*"}"#,
        r#"{"Sid":"CopymendX","Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"kms:Decrypt","Resource":"*"}"#,
        r#"{"Sid":"CopymendX","Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:ScheduleKeyDeletion","Resource":"*"}"#,
    ] {
        let (text, place, _) = reason(&prove("other", KEY_POLICY, &add(other)));
        assert_eq!(place, 1);
        assert!(text.contains("does not allow as those"), "{text}");
    }
    let statement = r#"{"Sid":"CopymendX","Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:Decrypt","Resource":"*"}"#;
    let (text, place, _) = reason(&prove(
        "twice",
        KEY_POLICY,
        &add(&format!("{statement},{statement}")),
    ));
    assert_eq!(place, 2);
    assert!(text.contains("a second time"), "{text}");
}

#[test]
fn people_count_statements_from_one() {
    let before = file("prove-count-1.json", KEY_POLICY);
    let after = file(
        "prove-count-2.json",
        &KEY_POLICY.replace("kms:*", "kms:Get*"),
    );
    let ran = run(&["policy", "prove", &before, &after]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    assert_eq!(
        ran.stdout,
        "not proved\nstatement 1 (`Enable IAM`): the statement was changed, moved or removed\n"
    );
}

#[test]
fn a_new_policy_is_proved_against_none() {
    let role = "arn:aws:iam::111122223333:role/CopyRole";
    let ran = run(&[
        "policy",
        "grant",
        "vault",
        "--role",
        role,
        "--organization-id",
        "o-abcde12345",
        "--new",
        "--json",
    ]);
    let made = ran.json()["policy"].as_str().unwrap().to_owned();
    let ran = run_with(&["policy", "prove", "--new", "-", "--json"], made);
    assert_eq!(
        (ran.code, &ran.json()["proved"]),
        (0, &json!(true)),
        "{}",
        ran.stdout
    );
    let ran = run_with(&["policy", "prove", "--new", "-", "--json"], KEY_POLICY);
    assert_eq!(
        reason(&ran).0,
        "the new policy is not one that Copymend makes"
    );
}

#[test]
fn wrong_usage_is_refused() {
    let policy = file("prove-usage.json", KEY_POLICY);
    let broken = file("prove-broken.json", "{");
    assert_eq!(run(&["policy", "prove"]).code, 2);
    // No policy before has to be said: a name left out by mistake is not that.
    assert_eq!(run(&["policy", "prove", &policy]).code, 2);
    assert_eq!(run(&["policy", "prove", "--new", &policy, &policy]).code, 2);
    assert_eq!(run(&["policy", "prove", &policy, &broken]).code, 2);
    assert_eq!(
        run(&["policy", "prove", &policy, "no-such-file.json"]).code,
        2
    );
    let ran = run(&["policy", "prove", "-", "-"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("only one"), "{}", ran.stderr);
}
