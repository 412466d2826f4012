//! Policy variables in conditions.

use copymend_policy::evaluate;

use crate::support::{allow_if, request};

#[test]
fn variables() {
    let with_tag = |condition: &str, value: &str| {
        let request = request()
            .with_context("k", [value])
            .with_context("aws:PrincipalTag/team", ["red*"]);
        evaluate(&allow_if(condition), &request).is_allowed()
    };
    for (condition, value, expected) in [
        (
            r#"{"StringEquals":{"k":"${aws:PrincipalTag/team}"}}"#,
            "red*",
            true,
        ),
        (
            r#"{"StringEquals":{"k":"${AWS:principaltag/TEAM}"}}"#,
            "red*",
            true,
        ),
        (
            r#"{"StringLike":{"k":"${aws:PrincipalTag/team}"}}"#,
            "redder",
            false,
        ),
        (
            r#"{"StringLike":{"k":"x-${aws:PrincipalTag/team}-*"}}"#,
            "x-red*-1",
            true,
        ),
        (
            r#"{"StringEquals":{"k":"${aws:PrincipalTag/none, 'a}b'}"}}"#,
            "a}b",
            true,
        ),
        (
            r#"{"StringEquals":{"k":"${aws:PrincipalTag/team, 'none'}"}}"#,
            "red*",
            true,
        ),
        (
            r#"{"StringEquals":{"k":"${aws:PrincipalTag/none}"}}"#,
            "",
            false,
        ),
        (
            r#"{"StringNotEquals":{"k":"${aws:PrincipalTag/none}"}}"#,
            "x",
            true,
        ),
        (
            r#"{"StringNotEquals":{"k":["${aws:PrincipalTag/none}","x"]}}"#,
            "x",
            false,
        ),
        (r#"{"StringLike":{"k":"a${*}${?}${$}"}}"#, "a*?$", true),
        (r#"{"StringLike":{"k":"a${*}"}}"#, "abc", false),
        (r#"{"StringEquals":{"k":"${unclosed"}}"#, "${unclosed", true),
        (
            r#"{"StringEqualsIgnoreCase":{"k":"${aws:PrincipalTag/team}"}}"#,
            "RED*",
            true,
        ),
        (
            r#"{"ArnEquals":{"k":"arn:aws:iam::1:role/${aws:PrincipalTag/team}"}}"#,
            "arn:aws:iam::1:role/red*",
            true,
        ),
        (
            r#"{"ArnEquals":{"k":"arn:aws:iam::1:role/${aws:PrincipalTag/team}"}}"#,
            "arn:aws:iam::1:role/red1",
            false,
        ),
        (
            r#"{"NumericEquals":{"k":"${aws:PrincipalTag/team}"}}"#,
            "red*",
            false,
        ),
    ] {
        assert_eq!(
            with_tag(condition, value),
            expected,
            "{condition} with {value}"
        );
    }
}

#[test]
fn version_2008_has_no_variables() {
    let policy = crate::support::policy(
        r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*",
            "Condition":{"StringEquals":{"k":"${aws:PrincipalTag/team}"}}}}"#,
    );
    let ask = |value: &str| {
        let request = request()
            .with_context("k", [value])
            .with_context("aws:PrincipalTag/team", ["a"]);
        evaluate(&policy, &request).is_allowed()
    };
    assert!(ask("${aws:PrincipalTag/team}"));
    assert!(!ask("a"));
}
