//! Whom a statement is about.

use copymend_policy::{Decision, NOT_PRINCIPAL_WITHOUT_ACCOUNT, Request, evaluate};

use crate::support::{ACCOUNT, COPY, ROLE, SESSION, VAULT, allowed, statements};

fn allows(principal: &str, who: &str) -> bool {
    let policy = statements(&format!(
        r#"{{"Effect":"Allow","Principal":{principal},"Action":"*","Resource":"*"}}"#
    ));
    allowed(&policy, &Request::new(who, COPY, VAULT))
}

#[test]
fn principal() {
    let slr = "arn:aws:iam::444455556666:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup";
    for (principal, who, expected) in [
        (r#""*""#, ROLE, true),
        (r#""*""#, "anonymous", true),
        (r#""*""#, "backup.amazonaws.com", true),
        (r#"{"AWS":"*"}"#, "anonymous", true),
        (r#"{"AWS":"111122223333"}"#, ROLE, true),
        (r#"{"AWS":"111122223333"}"#, SESSION, true),
        (r#"{"AWS":"arn:aws:iam::111122223333:root"}"#, ROLE, true),
        (
            r#"{"AWS":"arn:aws-cn:iam::111122223333:root"}"#,
            ROLE,
            false,
        ),
        (
            r#"{"AWS":"arn:aws:iam::111122223333:root"}"#,
            "backup.amazonaws.com",
            false,
        ),
        (
            r#"{"AWS":"arn:aws:iam::111122223333:root"}"#,
            "anonymous",
            false,
        ),
        (r#"{"AWS":"arn:aws:iam::*:root"}"#, ROLE, false),
        (
            r#"{"AWS":"arn:aws:iam::111122223333:role/service-role/CopyRole"}"#,
            ROLE,
            true,
        ),
        (
            r#"{"AWS":"arn:aws:iam::111122223333:role/CopyRole"}"#,
            ROLE,
            false,
        ),
        (
            r#"{"AWS":"arn:aws:iam::111122223333:role/service-role/copyrole"}"#,
            ROLE,
            false,
        ),
        (r#"{"AWS":"arn:aws:iam::111122223333:role/*"}"#, ROLE, false),
        (
            r#"{"AWS":"arn:aws:iam::111122223333:role/service-role/CopyRole"}"#,
            SESSION,
            true,
        ),
        (
            r#"{"AWS":"arn:aws:iam::111122223333:role/CopyRole"}"#,
            SESSION,
            true,
        ),
        (
            r#"{"AWS":"arn:aws:iam::111122223333:role/Other"}"#,
            SESSION,
            false,
        ),
        (
            r#"{"AWS":"arn:aws:iam::999999999999:role/CopyRole"}"#,
            SESSION,
            false,
        ),
        (
            r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/CopyRole/job-1"}"#,
            SESSION,
            true,
        ),
        (
            r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/CopyRole/job-2"}"#,
            SESSION,
            false,
        ),
        (
            r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/CopyRole/*"}"#,
            SESSION,
            false,
        ),
        (
            r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/CopyRole/job-1"}"#,
            ROLE,
            false,
        ),
        (r#"{"AWS":"AROAEXAMPLEID"}"#, ROLE, false),
        (
            r#"{"Service":"backup.amazonaws.com"}"#,
            "backup.amazonaws.com",
            true,
        ),
        (r#"{"Service":"backup.amazonaws.com"}"#, ROLE, false),
        (
            r#"{"Service":["a.amazonaws.com","b.amazonaws.com"],"AWS":[]}"#,
            "b.amazonaws.com",
            true,
        ),
        (
            r#"{"Federated":"cognito-identity.amazonaws.com"}"#,
            "cognito-identity.amazonaws.com",
            true,
        ),
        (r#"{"CanonicalUser":"79a59df9"}"#, "79a59df9", true),
        (r#"{"AWS":"444455556666"}"#, slr, true),
    ] {
        assert_eq!(allows(principal, who), expected, "{principal} and {who}");
    }
    assert!(allows(&format!(r#"{{"AWS":"{slr}"}}"#), slr));
}

#[test]
fn the_context_says_a_sessions_path() {
    let policy = statements(&format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":"{ROLE}"}},"Action":"*","Resource":"*"}}"#
    ));
    let request =
        |arn: &str| Request::new(SESSION, COPY, VAULT).with_context("aws:PrincipalArn", [arn]);
    assert!(allowed(&policy, &request(ROLE)));
    assert!(!allowed(
        &policy,
        &request("arn:aws:iam::111122223333:role/CopyRole")
    ));
    // An ARN that can't be the session's is no evidence.
    assert!(allowed(
        &policy,
        &request("arn:aws:iam::111122223333:role/Other")
    ));
}

#[test]
fn a_unique_id_is_matched_by_the_user_id_only() {
    let policy = statements(
        r#"{"Effect":"Allow","Principal":{"AWS":"AROAEXAMPLEID"},"Action":"*","Resource":"*"}"#,
    );
    let request = |id: &str| Request::new(SESSION, COPY, VAULT).with_context("aws:userid", [id]);
    assert!(allowed(&policy, &request("AROAEXAMPLEID:job-1")));
    assert!(!allowed(&policy, &request("AROAEXAMPLEIDX:job-1")));
}

#[test]
fn not_principal_with_deny_spares_whom_it_names_whole() {
    const SPARED: Decision = Decision::ImplicitlyDenied;
    const DENIED: Decision = Decision::ExplicitlyDenied { statement: 0 };
    let unclear = Decision::Unknown {
        keys: vec![NOT_PRINCIPAL_WITHOUT_ACCOUNT.to_owned()],
    };
    for (named, who, expected) in [
        (
            format!(r#"{{"AWS":["{SESSION}","{ROLE}","{ACCOUNT}"]}}"#),
            SESSION,
            &SPARED,
        ),
        // AWS may look for the account, then the role, then the session.
        (
            format!(r#"{{"AWS":["{ROLE}","{ACCOUNT}"]}}"#),
            SESSION,
            &unclear,
        ),
        (
            format!(r#"{{"AWS":["{ROLE}","{ACCOUNT}"]}}"#),
            ROLE,
            &unclear,
        ),
        (format!(r#"{{"AWS":"{ACCOUNT}"}}"#), ROLE, &unclear),
        (r#""*""#.to_owned(), ROLE, &SPARED),
        // "must also specify the account", or else it "might deny access to the entire account".
        (format!(r#"{{"AWS":"{ROLE}"}}"#), ROLE, &unclear),
        (
            format!(r#"{{"AWS":["{ROLE}","999999999999"]}}"#),
            SESSION,
            &unclear,
        ),
        (format!(r#"{{"AWS":"{SESSION}"}}"#), SESSION, &unclear),
        (r#"{"AWS":"999999999999"}"#.to_owned(), ROLE, &DENIED),
        (
            r#"{"Service":"backup.amazonaws.com"}"#.to_owned(),
            ROLE,
            &DENIED,
        ),
        (
            r#"{"Service":"backup.amazonaws.com"}"#.to_owned(),
            "backup.amazonaws.com",
            &SPARED,
        ),
    ] {
        let policy = statements(&format!(
            r#"{{"Effect":"Deny","NotPrincipal":{named},"Action":"*","Resource":"*"}}"#
        ));
        let request = Request::new(who, COPY, VAULT);
        assert_eq!(&evaluate(&policy, &request), expected, "{named} and {who}");
        let is_service = who.ends_with(".amazonaws.com");
        assert_eq!(
            &evaluate(&policy, &request.by_principal_with_boundary()),
            if is_service { &SPARED } else { &DENIED },
            "{named} and {who} with a boundary"
        );
    }
    // What no condition lets through is denied by nothing, whoever is named.
    let policy = statements(&format!(
        r#"{{"Effect":"Deny","NotPrincipal":{{"AWS":"{ROLE}"}},"Action":"*","Resource":"*","Condition":{{"StringEquals":{{"aws:PrincipalAccount":"999999999999"}}}}}}"#
    ));
    assert_eq!(
        evaluate(&policy, &Request::new(ROLE, COPY, VAULT)),
        Decision::ImplicitlyDenied
    );
}

#[test]
fn a_session_that_is_named_by_itself_may_be_that_of_a_role_that_is_asked_about() {
    let other = SESSION.replace("CopyRole", "OtherRole");
    for (named, expected) in [(SESSION, "unknown"), (other.as_str(), "implicitly-denied")] {
        for effect in ["Allow", "Deny"] {
            let policy = statements(&format!(
                r#"{{"Effect":"{effect}","Principal":{{"AWS":"{named}"}},"Action":"*","Resource":"*"}}"#
            ));
            let answer = evaluate(&policy, &Request::new(ROLE, COPY, VAULT));
            assert_eq!(answer.slug(), expected, "{effect} {named}");
        }
    }
}

#[test]
fn keys_that_follow_from_the_principal() {
    for (who, key, value) in [
        (ROLE, "aws:PrincipalArn", ROLE),
        (
            SESSION,
            "aws:PrincipalArn",
            "arn:aws:iam::111122223333:role/CopyRole",
        ),
        (ROLE, "aws:PrincipalAccount", ACCOUNT),
        (SESSION, "aws:PrincipalType", "AssumedRole"),
        (
            "arn:aws:iam::111122223333:user/x/ann",
            "aws:PrincipalType",
            "User",
        ),
        (
            "arn:aws:iam::111122223333:user/x/ann",
            "aws:username",
            "ann",
        ),
        (
            "arn:aws:iam::111122223333:root",
            "aws:PrincipalType",
            "Account",
        ),
        (
            "backup.amazonaws.com",
            "aws:PrincipalServiceName",
            "backup.amazonaws.com",
        ),
        ("backup.amazonaws.com", "aws:PrincipalIsAWSService", "true"),
        (ROLE, "aws:PrincipalIsAWSService", "false"),
    ] {
        let policy =
            crate::support::allow_if(&format!(r#"{{"StringEquals":{{"{key}":"{value}"}}}}"#));
        let request = Request::new(who, COPY, VAULT);
        assert!(allowed(&policy, &request), "{who} {key}");
        assert!(
            !allowed(&policy, &request.clone().with_context(key, ["given"])),
            "{who} {key}"
        );
        let none: [&str; 0] = [];
        assert!(
            !allowed(&policy, &request.with_context(key, none)),
            "{who} {key}"
        );
    }
}
