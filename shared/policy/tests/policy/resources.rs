//! Actions and resources.

use copymend_policy::{Request, arn_matches, wildcard_matches};

use crate::support::{ROLE, allowed, statements};

fn on(resource: &str, wanted: &str) -> bool {
    let policy = statements(&format!(
        r#"{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"{resource}"}}"#
    ));
    let request = Request::new(ROLE, "backup:X", wanted).with_context("v", ["vault"]);
    allowed(&policy, &request)
}

#[test]
fn resources() {
    let vault = "arn:aws:backup:eu-west-1:444455556666:backup-vault:vault";
    for (pattern, expected) in [
        ("*", true),
        ("**", true),
        ("?*", true),
        (vault, true),
        (
            "arn:aws:backup:eu-west-1:444455556666:backup-vault:Vault",
            false,
        ),
        ("arn:aws:backup:*:444455556666:backup-vault:*", true),
        ("arn:aws:backup:eu-*:444455556666:backup-vault:v?ult", true),
        ("arn:aws:backup:*", true),
        ("arn:aws:backup:eu-west-1:4444*", true),
        ("arn:aws:backup:eu*1:444455556666:backup-vault:vault", true),
        ("arn:aws:backup:eu*:backup-vault:vault", true),
        ("arn:aws:backup:eu*5556666:backup-vault:vault", false),
        (
            "arn:aws:backup:eu-west-1?444455556666:backup-vault:vault",
            false,
        ),
        ("arn:aws:backup:eu-west-1:444455556666:backup-vault", false),
        (
            "arn:aws:backup:eu-west-1:444455556666:backup-vault:${v}",
            true,
        ),
        (
            "arn:aws:backup:eu-west-1:444455556666:backup-vault:${w}",
            false,
        ),
        (
            "arn:aws:backup:eu-west-1:444455556666:backup-vault:${w, 'vault'}",
            true,
        ),
        ("arn:aws:backup:eu-west-1:${v}:backup-vault:vault", false),
        ("${v}", false),
    ] {
        assert_eq!(on(pattern, vault), expected, "{pattern}");
    }
}

#[test]
fn not_resource() {
    let policy = |resource: &str| {
        statements(&format!(
            r#"{{"Effect":"Allow","Principal":"*","Action":"*","NotResource":"{resource}"}}"#
        ))
    };
    let request = Request::new(ROLE, "kms:X", "arn:aws:kms:eu-west-1:1:key/a");
    assert!(allowed(&policy("arn:aws:backup:*"), &request));
    assert!(!allowed(&policy("arn:aws:kms:*"), &request));
    assert!(allowed(
        &policy("arn:aws:kms:eu-west-1:1:key/${w}"),
        &request
    ));
}

#[test]
fn actions_ignore_case() {
    for (action, expected) in [
        (r#""Action":"*""#, true),
        (r#""Action":"kms:*""#, true),
        (r#""Action":"KMS:reencryptfrom""#, true),
        (r#""Action":"kms:ReEncrypt*""#, true),
        (r#""Action":["kms:Decrypt","kms:ReEncrypt????"]"#, true),
        (r#""Action":"kms:Decrypt""#, false),
        (r#""NotAction":"kms:Decrypt""#, true),
        (r#""NotAction":"kms:Re*""#, false),
        (r#""Action":[]"#, false),
    ] {
        let policy = statements(&format!(
            r#"{{"Effect":"Allow","Principal":"*",{action},"Resource":"*"}}"#
        ));
        let request = Request::new(ROLE, "kms:ReEncryptFrom", "arn:aws:kms:eu-west-1:1:key/a");
        assert_eq!(allowed(&policy, &request), expected, "{action}");
    }
}

#[test]
fn a_statement_that_lacks_an_element_matches_nothing() {
    let request = Request::new(ROLE, "kms:Decrypt", "arn:aws:kms:eu-west-1:1:key/a");
    for statement in [
        r#"{"Effect":"Allow","Principal":"*","Resource":"*"}"#,
        r#"{"Effect":"Allow","Principal":"*","Action":"*"}"#,
        r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#,
    ] {
        assert!(!allowed(&statements(statement), &request), "{statement}");
    }
}

#[test]
fn a_hostile_pattern_takes_no_longer_than_a_friendly_one() {
    let pattern = "*a".repeat(2_000) + "b";
    assert!(!wildcard_matches(&pattern, &"a".repeat(20_000)));
    let narrow = format!("arn:{}:x", "*a*b".repeat(300));
    assert!(!on(&narrow, &"arn:ab".repeat(400)));
}

#[test]
fn an_arn_pattern_is_matched_part_by_part() {
    let vault = "arn:aws:backup:eu-west-1:444455556666:backup-vault:a:b";
    for (pattern, expected) in [
        (vault, true),
        ("arn:aws:backup:*:444455556666:backup-vault:*", true),
        ("arn:aws:backup:*:backup-vault:*", false),
        ("arn:aws:backup:*", false),
        ("*", false),
        ("", false),
    ] {
        assert_eq!(arn_matches(pattern, vault), expected, "{pattern}");
    }
}
