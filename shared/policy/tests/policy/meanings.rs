//! Which texts are one policy to AWS, and which are not.

use copymend_policy::PolicyDocument;

fn policy(statement: &str) -> PolicyDocument {
    let text =
        format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{statement}}}]}}"#);
    PolicyDocument::parse(&text).unwrap()
}

#[test]
fn what_aws_writes_otherwise_is_the_same() {
    for (one, other) in [
        (
            r#""Principal":{"AWS":["111122223333","444455556666"]},"Action":"kms:*","Resource":"*""#,
            r#""Principal":{"AWS":["arn:aws:iam::444455556666:root","111122223333","111122223333"]},"Action":["KMS:*"],"Resource":["*"]"#,
        ),
        (
            r#""Principal":"*","Action":["kms:Decrypt","kms:Encrypt"],"Resource":"*""#,
            r#""Resource":"*","Principal":{"AWS":"*"},"Action":["kms:encrypt","kms:decrypt"]"#,
        ),
        (
            r#""Principal":"*","Action":"kms:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":true}}"#,
            r#""Principal":"*","Action":"kms:*","Resource":"*","Condition":{"Bool":{"AWS:securetransport":["true"]}}"#,
        ),
        (
            r#""Principal":{"Service":["a.amazonaws.com","b.amazonaws.com"]},"Action":"kms:*","Resource":"*","Condition":{}"#,
            r#""Principal":{"Service":["b.amazonaws.com","a.amazonaws.com"]},"Action":"kms:*","Resource":"*""#,
        ),
    ] {
        assert!(
            policy(one).means_the_same_as(&policy(other)),
            "{one}\n{other}"
        );
    }
}

#[test]
fn what_decides_otherwise_is_not_the_same() {
    let base = r#""Sid":"A","Principal":{"AWS":["111122223333","444455556666"]},"Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-abcde12345"}}"#;
    for (part, instead) in [
        (r#""444455556666""#, r#""777788889999""#),
        (r#","444455556666""#, ""),
        (r#""AWS":["#, r#""Service":["#),
        (r#""Principal""#, r#""NotPrincipal""#),
        (r#""Action""#, r#""NotAction""#),
        (r#""Resource":"*""#, r#""Resource":"arn:aws:kms:*""#),
        ("StringEquals", "StringNotEquals"),
        ("aws:PrincipalOrgID", "aws:SourceOrgID"),
        ("o-abcde12345", "O-abcde12345"),
        (r#""Sid":"A""#, r#""Sid":"a""#),
    ] {
        let changed = base.replacen(part, instead, 1);
        assert_ne!(changed, base, "{part}");
        assert!(
            !policy(base).means_the_same_as(&policy(&changed)),
            "{changed}"
        );
    }
}

#[test]
fn a_root_of_another_partition_is_not_the_account() {
    let of = |principal: &str| {
        policy(&format!(
            r#""Principal":{{"AWS":"{principal}"}},"Action":"kms:*","Resource":"*""#
        ))
    };
    assert!(of("111122223333").means_the_same_as(&of("arn:aws:iam::111122223333:root")));
    for other in [
        "arn:aws-cn:iam::111122223333:root",
        "arn:aws:iam::111122223334:root",
        "arn:aws:iam::111122223333:user/root",
    ] {
        assert!(!of("111122223333").means_the_same_as(&of(other)), "{other}");
    }
    assert!(!of("*").means_the_same_as(&of("arn:aws:iam::*:root")));
}

#[test]
fn the_version_and_the_id_count() {
    let read = |head: &str| {
        let text = format!(
            r#"{{{head}"Statement":{{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}}}"#
        );
        PolicyDocument::parse(&text).unwrap()
    };
    let none = read("");
    assert!(none.means_the_same_as(&read(r#""Version":"2008-10-17","#)));
    assert!(!none.means_the_same_as(&read(r#""Version":"2012-10-17","#)));
    assert!(!none.means_the_same_as(&read(r#""Id":"key-default","#)));
}

#[test]
fn statements_may_come_in_any_order_and_none_may_be_missing() {
    let a = r#"{"Sid":"A","Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*"}"#;
    let b = r#"{"Sid":"B","Effect":"Deny","Principal":"*","Action":"kms:Encrypt","Resource":"*"}"#;
    let read = |statements: &str| {
        PolicyDocument::parse(&format!(r#"{{"Statement":[{statements}]}}"#)).unwrap()
    };
    assert!(read(&format!("{a},{b}")).means_the_same_as(&read(&format!("{b} , {a}"))));
    assert!(!read(&format!("{a},{b}")).means_the_same_as(&read(a)));
}
