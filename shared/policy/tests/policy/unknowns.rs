//! An unknown key counts only where it decides.

use copymend_policy::{Decision, evaluate};

use crate::support::{request, statements};

const ALLOW: &str = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#;
const MAY_ALLOW: &str = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"v"}}}"#;
const DENY: &str = r#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}"#;
const MAY_DENY: &str = r#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpc":"v"}}}"#;
const NEVER_DENIES: &str = r#"{"Effect":"Deny","Principal":"*","Action":"x:y","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpc":"v"}}}"#;
const CERTAINLY_NOT: &str = r#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpc":"v"},"StringEquals":{"k":"no"}}}"#;

fn ask(list: &[&str]) -> Decision {
    let request = request()
        .with_unknown("AWS:SourceVpc")
        .with_context("k", ["yes"]);
    evaluate(&statements(&list.join(",")), &request)
}

fn unknown() -> Decision {
    Decision::Unknown {
        keys: vec!["AWS:SourceVpc".to_owned()],
    }
}

#[test]
fn unknown_only_where_it_decides() {
    assert_eq!(ask(&[MAY_ALLOW]), unknown());
    assert_eq!(ask(&[MAY_DENY]), unknown());
    assert_eq!(ask(&[ALLOW, MAY_DENY]), unknown());
    assert_eq!(ask(&[MAY_ALLOW, MAY_DENY]), unknown());
    assert_eq!(ask(&[MAY_ALLOW, ALLOW]), Decision::Allowed { statement: 1 });
    assert_eq!(
        ask(&[MAY_DENY, DENY]),
        Decision::ExplicitlyDenied { statement: 1 }
    );
    assert_eq!(
        ask(&[ALLOW, NEVER_DENIES]),
        Decision::Allowed { statement: 0 }
    );
    assert_eq!(
        ask(&[ALLOW, CERTAINLY_NOT]),
        Decision::Allowed { statement: 0 }
    );
    assert_eq!(ask(&[CERTAINLY_NOT]), Decision::ImplicitlyDenied);
}

#[test]
fn unknown_in_a_variable_and_in_null() {
    let with = |condition: &str| {
        let statement = format!(
            r#"{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{condition}}}"#
        );
        ask(&[&statement])
    };
    assert_eq!(
        with(r#"{"StringEquals":{"k":"${aws:SourceVpc}"}}"#),
        unknown()
    );
    assert_eq!(
        with(r#"{"StringEquals":{"k":["${aws:SourceVpc}","yes"]}}"#),
        Decision::Allowed { statement: 0 }
    );
    assert_eq!(with(r#"{"Null":{"aws:SourceVpc":"true"}}"#), unknown());
    assert_eq!(
        with(r#"{"Null":{"aws:SourceVpc":["true","false"]}}"#),
        Decision::Allowed { statement: 0 }
    );
    assert_eq!(
        with(r#"{"StringEquals":{"aws:SourceVpc":[]}}"#),
        Decision::ImplicitlyDenied
    );
}

#[test]
fn an_unknown_key_that_would_follow_from_the_principal_stays_unknown() {
    let policy =
        crate::support::allow_if(r#"{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}"#);
    assert_eq!(
        evaluate(&policy, &request().with_unknown("aws:PrincipalAccount")).slug(),
        "unknown"
    );
}

#[test]
fn the_first_statement_that_decides_is_named() {
    assert_eq!(ask(&[MAY_ALLOW, ALLOW, ALLOW]).statement(), Some(1));
    assert_eq!(ask(&[ALLOW, DENY, DENY]).statement(), Some(1));
    assert_eq!(ask(&[]).slug(), "implicitly-denied");
}

#[test]
fn a_key_under_a_prefix_that_is_known_in_full_is_absent() {
    let tagged = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/Stage":"prod"}}}"#;
    let asked = request().with_other_keys_unknown();
    let open = evaluate(&statements(tagged), &asked);
    assert!(matches!(open, Decision::Unknown { .. }));
    let asked = asked.without_other_keys_under("AWS:ResourceTag/");
    assert_eq!(
        evaluate(&statements(tagged), &asked),
        Decision::ImplicitlyDenied
    );
    let asked = asked.with_context("aws:resourcetag/stage", ["prod"]);
    assert!(evaluate(&statements(tagged), &asked).is_allowed());
    let other = asked.with_unknown("aws:ResourceTag/Stage");
    let open = evaluate(&statements(tagged), &other);
    assert!(matches!(open, Decision::Unknown { .. }));
}
