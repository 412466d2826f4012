//! What can't be read is never left out.

use copymend_remediation::ports::CallErrorKind;

use super::super::wire::{Wire, xml_error};
use super::{
    ROLE, answer, attached, bare_role, boundary, document, encoded, managed, members, names, read,
    role,
};

#[tokio::test]
async fn a_principal_that_vanishes_between_two_calls_has_no_known_policies() {
    let wire = Wire::default();
    bare_role(&wire);
    wire.once(
        "ListRolePolicies",
        xml_error(404, "NoSuchEntity", "not found"),
    );
    let error = read(&wire, ROLE).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Failed);
    assert_eq!(error.operation, "iam:ListRolePolicies");
}

#[tokio::test]
async fn one_denied_read_leaves_nothing_known() {
    for (denied, operation, resource) in [
        ("GetRole", "iam:GetRole", ROLE),
        ("ListRolePolicies", "iam:ListRolePolicies", ROLE),
        (
            "ListAttachedRolePolicies",
            "iam:ListAttachedRolePolicies",
            ROLE,
        ),
        ("GetRolePolicy", "iam:GetRolePolicy", ROLE),
        (
            "GetPolicy",
            "iam:GetPolicy",
            "arn:aws:iam::aws:policy/Managed",
        ),
        (
            "GetPolicyVersion",
            "iam:GetPolicyVersion",
            "arn:aws:iam::aws:policy/Managed",
        ),
    ] {
        let wire = Wire::default();
        wire.once(denied, xml_error(403, "AccessDenied", "not authorized"));
        wire.always("GetRole", role(ROLE, ""))
            .always(
                "ListRolePolicies",
                answer("ListRolePolicies", &names(&["one"], None)),
            )
            .always(
                "ListAttachedRolePolicies",
                answer(
                    "ListAttachedRolePolicies",
                    &attached(&["arn:aws:iam::aws:policy/Managed"], None),
                ),
            )
            .always("GetRolePolicy", answer("GetRolePolicy", &document("One")));
        managed(&wire, "arn:aws:iam::aws:policy/Managed", "v1", "Managed");
        let error = read(&wire, ROLE).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::AccessDenied, "{denied}");
        assert_eq!(error.operation, operation);
        assert_eq!(error.resource, resource);
        assert_eq!(wire.sent(denied).len(), 1, "{denied}");
    }
}

#[tokio::test]
async fn an_inline_policy_that_cannot_be_read_is_named() {
    for text in [
        encoded("{\"Statement\":"),
        encoded(r#"{"Statement":[{"Effect":"Perhaps"}]}"#),
        "%7B%FF".to_owned(),
        String::new(),
    ] {
        let wire = Wire::default();
        bare_role(&wire);
        wire.once(
            "ListRolePolicies",
            answer("ListRolePolicies", &names(&["broken"], None)),
        )
        .once(
            "GetRolePolicy",
            answer(
                "GetRolePolicy",
                &format!("<PolicyDocument>{text}</PolicyDocument>"),
            ),
        );
        let error = read(&wire, ROLE).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Unreadable, "{text}");
        assert_eq!(error.operation, "iam:GetRolePolicy");
        assert_eq!(error.resource, ROLE);
        assert!(error.detail.contains("`broken`"), "{error}");
    }
}

#[tokio::test]
async fn a_managed_policy_or_a_boundary_that_cannot_be_read_is_named() {
    let arn = "arn:aws:iam::111122223333:policy/Broken";
    let version = |document: &str| {
        format!("<PolicyVersion>{document}<VersionId>v1</VersionId></PolicyVersion>")
    };
    let policy = "<Policy><DefaultVersionId>v1</DefaultVersionId></Policy>";
    for (policy, version, operation, said) in [
        ("", String::new(), "iam:GetPolicy", "DefaultVersionId"),
        (
            "<Policy></Policy>",
            String::new(),
            "iam:GetPolicy",
            "DefaultVersionId",
        ),
        (policy, String::new(), "iam:GetPolicyVersion", arn),
        (policy, version(""), "iam:GetPolicyVersion", arn),
        (
            policy,
            version("<Document>%7B</Document>"),
            "iam:GetPolicyVersion",
            arn,
        ),
    ] {
        for is_boundary in [false, true] {
            let wire = Wire::default();
            bare_role(&wire);
            wire.always("GetPolicy", answer("GetPolicy", policy))
                .always("GetPolicyVersion", answer("GetPolicyVersion", &version));
            if is_boundary {
                wire.once("GetRole", role(ROLE, &boundary(arn)));
            } else {
                wire.once(
                    "ListAttachedRolePolicies",
                    answer("ListAttachedRolePolicies", &attached(&[arn], None)),
                );
            }
            let error = read(&wire, ROLE).await.unwrap_err();
            assert_eq!(error.kind, CallErrorKind::Unreadable);
            assert_eq!(error.operation, operation);
            assert_eq!(error.resource, arn);
            assert!(error.detail.contains(said), "{error}");
        }
    }
}

#[tokio::test]
async fn a_boundary_without_an_arn_is_not_taken_for_none() {
    let wire = Wire::default();
    bare_role(&wire);
    wire.once(
        "GetRole",
        role(ROLE, "<PermissionsBoundary></PermissionsBoundary>"),
    );
    let error = read(&wire, ROLE).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Unreadable);
    assert!(error.detail.contains("PermissionsBoundaryArn"), "{error}");
}

#[tokio::test]
async fn an_answer_that_lacks_what_is_needed_is_unreadable() {
    for (operation, result) in [
        ("GetRole", String::new()),
        ("GetRole", "<Role></Role>".to_owned()),
        (
            "ListAttachedRolePolicies",
            members("AttachedPolicies", &["<PolicyName>p</PolicyName>"], None),
        ),
        (
            "ListRolePolicies",
            "<PolicyNames></PolicyNames><IsTruncated>true</IsTruncated>".to_owned(),
        ),
    ] {
        let wire = Wire::default();
        bare_role(&wire);
        wire.once(operation, answer(operation, &result));
        let error = read(&wire, ROLE).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Unreadable, "{operation}");
        assert_eq!(error.operation, format!("iam:{operation}"));
    }
}

#[tokio::test]
async fn pages_without_end_are_unreadable() {
    let wire = Wire::default();
    bare_role(&wire);
    wire.always(
        "ListRolePolicies",
        answer("ListRolePolicies", &names(&["one"], Some("again"))),
    );
    let error = read(&wire, ROLE).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Unreadable);
    assert_eq!(wire.sent("ListRolePolicies").len(), 20);
}

#[tokio::test]
async fn what_is_neither_role_nor_user_is_never_asked_about() {
    let wire = Wire::default();
    for principal in [
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::111122223333:group/admins",
        "arn:aws:iam::111122223333:saml-provider/okta",
        "arn:aws:iam::111122223333:user/",
        "arn:aws:iam::111122223333:role/a/",
        "arn:aws:sts::111122223333:assumed-role/R/session",
        "arn:aws:sts::111122223333:federated-user/alice",
        "arn:aws:sts::111122223333:user/alice",
    ] {
        let error = read(&wire, principal).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Failed, "{principal}");
        assert_eq!(error.resource, principal);
        assert!(error.detail.contains("no role or user"), "{error}");
    }
    let error = read(&wire, "arn:aws:iam::1112223334444:role/R")
        .await
        .unwrap_err();
    assert!(error.detail.contains("no real account"), "{error}");
    assert!(wire.sent("GetCallerIdentity").is_empty());
}
