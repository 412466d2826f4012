//! Condition operators, case by case from AWS's pages.

use crate::support::{holds, holds_without};

/// (condition on `k`, the key's values, whether it holds)
type Case = (&'static str, &'static [&'static str], bool);

fn check(cases: &[Case]) {
    for (condition, values, expected) in cases {
        assert_eq!(
            holds(condition, "k", values),
            *expected,
            "{condition} with {values:?}"
        );
    }
}

#[test]
fn strings() {
    check(&[
        (r#"{"StringEquals":{"k":"a"}}"#, &["a"], true),
        (r#"{"StringEquals":{"k":"a"}}"#, &["A"], false),
        (r#"{"StringEquals":{"k":["b","a"]}}"#, &["a"], true),
        (r#"{"StringEquals":{"k":"a*"}}"#, &["ab"], false),
        (r#"{"StringEquals":{"k":""}}"#, &[""], true),
        (r#"{"StringNotEquals":{"k":"a"}}"#, &["b"], true),
        (r#"{"StringNotEquals":{"k":["a","b"]}}"#, &["b"], false),
        (
            r#"{"StringEqualsIgnoreCase":{"k":"PreProd"}}"#,
            &["preprod"],
            true,
        ),
        (r#"{"StringEqualsIgnoreCase":{"k":"É"}}"#, &["é"], true),
        (r#"{"StringNotEqualsIgnoreCase":{"k":"A"}}"#, &["a"], false),
        (r#"{"StringLike":{"k":"t1.*"}}"#, &["t1.micro"], true),
        (r#"{"StringLike":{"k":"t?.*"}}"#, &["t1.micro"], true),
        (r#"{"StringLike":{"k":"t?.*"}}"#, &["t.micro"], false),
        (r#"{"StringLike":{"k":"a.c"}}"#, &["abc"], false),
        (r#"{"StringNotLike":{"k":["a*","b*"]}}"#, &["bc"], false),
        (r#"{"StringEquals":{"k":true}}"#, &["true"], true),
        (r#"{"StringEquals":{"k":12}}"#, &["12"], true),
        (r#"{"StringEquals":{"k":[]}}"#, &["a"], false),
        (r#"{"StringNotEquals":{"k":[]}}"#, &["a"], true),
    ]);
}

#[test]
fn numbers() {
    check(&[
        (r#"{"NumericEquals":{"k":"10"}}"#, &["10.0"], true),
        (r#"{"NumericEquals":{"k":10}}"#, &["10"], true),
        (
            r#"{"NumericEquals":{"k":"9007199254740993"}}"#,
            &["9007199254740992"],
            false,
        ),
        (r#"{"NumericNotEquals":{"k":"10"}}"#, &["11"], true),
        (r#"{"NumericNotEquals":{"k":"10"}}"#, &["x"], false),
        (r#"{"NumericLessThan":{"k":"-1"}}"#, &["-2.5"], true),
        (r#"{"NumericLessThanEquals":{"k":"10"}}"#, &["10"], true),
        (r#"{"NumericGreaterThan":{"k":"9"}}"#, &["10"], true),
        (r#"{"NumericGreaterThan":{"k":"0.45"}}"#, &["0.5"], true),
        (
            r#"{"NumericGreaterThanEquals":{"k":"10"}}"#,
            &["9.99"],
            false,
        ),
        (r#"{"NumericEquals":{"k":["x","2"]}}"#, &["2"], true),
        (r#"{"NumericEquals":{"k":"10"}}"#, &["1e1"], false),
        (r#"{"NumericEquals":{"k":"-0"}}"#, &["0"], true),
        (r#"{"NumericEquals":{"k":"."}}"#, &["0"], false),
    ]);
}

#[test]
fn dates() {
    check(&[
        (
            r#"{"DateEquals":{"k":"2020-01-01T00:00:00Z"}}"#,
            &["1577836800"],
            true,
        ),
        (
            r#"{"DateEquals":{"k":"2020-01-01T01:00:00+01:00"}}"#,
            &["2020-01-01T00:00:00Z"],
            true,
        ),
        (
            r#"{"DateEquals":{"k":"2020-01-01"}}"#,
            &["2020-01-01T00:00Z"],
            true,
        ),
        (
            r#"{"DateEquals":{"k":"2020"}}"#,
            &["2020-01-01T00:00:00Z"],
            true,
        ),
        (
            r#"{"DateEquals":{"k":"2020-02-29"}}"#,
            &["1582934400"],
            true,
        ),
        (
            r#"{"DateEquals":{"k":"2021-02-29"}}"#,
            &["2021-03-01"],
            false,
        ),
        (
            r#"{"DateLessThan":{"k":"2020-01-01T00:00:00.5Z"}}"#,
            &["2020-01-01T00:00:00.45Z"],
            true,
        ),
        (
            r#"{"DateGreaterThan":{"k":"2020-01-01T00:00:01Z"}}"#,
            &["2020-01-01T00:00:01Z"],
            false,
        ),
        (
            r#"{"DateGreaterThanEquals":{"k":1577836800}}"#,
            &["2020-01-01T00:00:00Z"],
            true,
        ),
        (
            r#"{"DateLessThanEquals":{"k":"1969-12-31T23:59:59Z"}}"#,
            &["-1"],
            true,
        ),
        (
            r#"{"DateNotEquals":{"k":"2020-01-01"}}"#,
            &["2020-01-02"],
            true,
        ),
        (r#"{"DateNotEquals":{"k":"2020-01-01"}}"#, &["soon"], false),
    ]);
}

#[test]
fn booleans_and_binary() {
    check(&[
        (r#"{"Bool":{"k":"true"}}"#, &["TRUE"], true),
        (r#"{"Bool":{"k":false}}"#, &["false"], true),
        (r#"{"Bool":{"k":"false"}}"#, &["true"], false),
        (r#"{"Bool":{"k":"yes"}}"#, &["yes"], false),
        (r#"{"BinaryEquals":{"k":"QmluYXJ5"}}"#, &["QmluYXJ5"], true),
        (r#"{"BinaryEquals":{"k":"QQ=="}}"#, &["qq=="], false),
    ]);
}

#[test]
fn addresses() {
    check(&[
        (
            r#"{"IpAddress":{"k":"203.0.113.0/24"}}"#,
            &["203.0.113.1"],
            true,
        ),
        (
            r#"{"IpAddress":{"k":"203.0.113.0/24"}}"#,
            &["198.51.100.1"],
            false,
        ),
        (
            r#"{"IpAddress":{"k":"203.0.113.9"}}"#,
            &["203.0.113.9"],
            true,
        ),
        (r#"{"IpAddress":{"k":"0.0.0.0/0"}}"#, &["10.1.2.3"], true),
        (
            r#"{"IpAddress":{"k":"0.0.0.0/0"}}"#,
            &["2001:db8::1"],
            false,
        ),
        (
            r#"{"IpAddress":{"k":"2001:DB8:1234:5678::/64"}}"#,
            &["2001:db8:1234:5678::9"],
            true,
        ),
        (
            r#"{"IpAddress":{"k":"2001:db8::1"}}"#,
            &["2001:DB8:0:0::1"],
            true,
        ),
        (r#"{"IpAddress":{"k":"1.2.3.4/33"}}"#, &["1.2.3.4"], false),
        (
            r#"{"NotIpAddress":{"k":["203.0.113.0/24","10.0.0.0/8"]}}"#,
            &["10.2.3.4"],
            false,
        ),
        (
            r#"{"NotIpAddress":{"k":"203.0.113.0/24"}}"#,
            &["2001:db8::1"],
            true,
        ),
        (
            r#"{"NotIpAddress":{"k":"203.0.113.0/24"}}"#,
            &["backup.amazonaws.com"],
            false,
        ),
    ]);
}

#[test]
fn arns_are_compared_part_by_part() {
    const ROLE: &str = "arn:aws:iam::111122223333:role/team/a";
    check(&[
        (
            r#"{"ArnEquals":{"k":"arn:aws:iam::111122223333:role/*"}}"#,
            &[ROLE],
            true,
        ),
        (
            r#"{"ArnLike":{"k":"arn:aws:iam::11112222333?:role/team/a"}}"#,
            &[ROLE],
            true,
        ),
        (
            r#"{"ArnLike":{"k":"arn:aws:iam:*:111122223333:role/team/a"}}"#,
            &[ROLE],
            true,
        ),
        (
            r#"{"ArnLike":{"k":"arn:aws:iam::*role/team/a"}}"#,
            &[ROLE],
            false,
        ),
        (r#"{"ArnLike":{"k":"arn:aws:iam:*"}}"#, &[ROLE], false),
        (r#"{"ArnLike":{"k":"*"}}"#, &[ROLE], false),
        (
            r#"{"ArnEquals":{"k":"arn:aws:iam::111122223333:role/team/A"}}"#,
            &[ROLE],
            false,
        ),
        (
            r#"{"ArnLike":{"k":"arn:aws:backup:*:*:backup-vault:*"}}"#,
            &["arn:aws:backup:eu-west-1:1:backup-vault:a:b"],
            true,
        ),
        (
            r#"{"ArnNotEquals":{"k":"arn:aws:iam::111122223333:role/team/b"}}"#,
            &[ROLE],
            true,
        ),
        (
            r#"{"ArnNotLike":{"k":"arn:aws:iam::*:role/*"}}"#,
            &[ROLE],
            false,
        ),
        (
            r#"{"ArnNotLike":{"k":"arn:aws:iam::*:role/*"}}"#,
            &["no ARN"],
            false,
        ),
    ]);
}

#[test]
fn null_asks_whether_a_key_is_there() {
    check(&[
        (r#"{"Null":{"k":"true"}}"#, &["a"], false),
        (r#"{"Null":{"k":"false"}}"#, &["a"], true),
        (r#"{"Null":{"k":true}}"#, &[], true),
        (r#"{"Null":{"k":"false"}}"#, &[], false),
        (r#"{"Null":{"k":["true","false"]}}"#, &["a"], true),
    ]);
    assert!(holds_without(r#"{"Null":{"k":"true"}}"#));
    assert!(!holds_without(r#"{"Null":{"k":"false"}}"#));
}

#[test]
fn a_missing_key() {
    for (condition, expected) in [
        (r#"{"StringEquals":{"k":"a"}}"#, false),
        (r#"{"StringLike":{"k":"*"}}"#, false),
        (r#"{"Bool":{"k":"false"}}"#, false),
        (r#"{"NumericLessThan":{"k":"9"}}"#, false),
        (r#"{"IpAddress":{"k":"0.0.0.0/0"}}"#, false),
        (r#"{"ArnLike":{"k":"arn:*:*:*:*:*"}}"#, false),
        (r#"{"StringNotEquals":{"k":"a"}}"#, true),
        (r#"{"StringNotLike":{"k":"*"}}"#, true),
        (r#"{"NumericNotEquals":{"k":"9"}}"#, true),
        (r#"{"DateNotEquals":{"k":"2020"}}"#, true),
        (r#"{"NotIpAddress":{"k":"0.0.0.0/0"}}"#, true),
        (r#"{"ArnNotLike":{"k":"arn:*:*:*:*:*"}}"#, true),
        (r#"{"StringEqualsIfExists":{"k":"a"}}"#, true),
        (r#"{"StringNotEqualsIfExists":{"k":"a"}}"#, true),
        (r#"{"BoolIfExists":{"k":"true"}}"#, true),
        (r#"{"ForAllValues:StringEquals":{"k":"a"}}"#, true),
        (r#"{"ForAllValues:StringNotEquals":{"k":"a"}}"#, true),
        (r#"{"ForAnyValue:StringEquals":{"k":"a"}}"#, false),
        (r#"{"ForAnyValue:StringNotEquals":{"k":"a"}}"#, false),
        (r#"{"ForAnyValue:StringEqualsIfExists":{"k":"a"}}"#, true),
        (
            r#"{"ForAllValues:StringEquals":{"k":"a"},"Null":{"k":"false"}}"#,
            false,
        ),
    ] {
        assert_eq!(holds_without(condition), expected, "{condition}");
    }
}

#[test]
fn set_operators() {
    check(&[
        (
            r#"{"ForAllValues:StringEquals":{"k":["a","b"]}}"#,
            &["a", "b"],
            true,
        ),
        (
            r#"{"ForAllValues:StringEquals":{"k":["a","b"]}}"#,
            &["a", "c"],
            false,
        ),
        (r#"{"ForAllValues:StringEquals":{"k":["a"]}}"#, &[""], true),
        (
            r#"{"ForAnyValue:StringEquals":{"k":["a","b"]}}"#,
            &["c", "a"],
            true,
        ),
        (
            r#"{"ForAnyValue:StringEquals":{"k":["a","b"]}}"#,
            &["c"],
            false,
        ),
        (
            r#"{"ForAllValues:StringNotEquals":{"k":["a"]}}"#,
            &["b", "a"],
            false,
        ),
        (
            r#"{"ForAllValues:StringNotEquals":{"k":["a"]}}"#,
            &["b", "c"],
            true,
        ),
        (
            r#"{"ForAnyValue:StringNotEquals":{"k":["a"]}}"#,
            &["b", "a"],
            true,
        ),
        (
            r#"{"ForAnyValue:StringNotEquals":{"k":["a"]}}"#,
            &["a"],
            false,
        ),
        (
            r#"{"ForAnyValue:StringLike":{"k":"o-a/r-b/*"}}"#,
            &["o-a/r-b/ou-c/"],
            true,
        ),
        (
            r#"{"ForAllValues:ArnLike":{"k":"arn:aws:iam::1:*"}}"#,
            &["arn:aws:iam::1:a", "arn:aws:iam::1:b"],
            true,
        ),
        (
            r#"{"ForAllValues:Bool":{"k":"true"}}"#,
            &["true", "false"],
            false,
        ),
    ]);
}

#[test]
fn several_values_without_a_set_operator_match_nothing() {
    check(&[
        (r#"{"StringEquals":{"k":"a"}}"#, &["a", "b"], false),
        (r#"{"StringNotEquals":{"k":"z"}}"#, &["a", "b"], false),
    ]);
    let path = ["o-a/r-b/ou-c/"];
    let key = "aws:PrincipalOrgPaths";
    assert!(!holds(
        r#"{"StringLike":{"aws:PrincipalOrgPaths":"o-a/*"}}"#,
        key,
        &path
    ));
    assert!(holds(
        r#"{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-a/*"}}"#,
        key,
        &path
    ));
}

#[test]
fn keys_and_operators_ignore_case_and_all_must_hold() {
    assert!(holds(
        r#"{"stringequals":{"AWS:PrincipalOrgID":"o-a"}}"#,
        "aws:principalorgid",
        &["o-a"]
    ));
    assert!(!holds(
        r#"{"StringEquals":{"k":"a","other":"b"}}"#,
        "k",
        &["a"]
    ));
    assert!(!holds(
        r#"{"StringEquals":{"k":"a"},"StringNotEquals":{"k":"a"}}"#,
        "k",
        &["a"]
    ));
    assert!(holds(r#"{"StringEquals":{}}"#, "k", &["a"]));
    assert!(holds("{}", "k", &["a"]));
}
