use copymend_remediation::ports::{CallErrorKind, Identities, Reads};
use copymend_remediation::settings::Deployment;

use super::wire::{Reply, Wire, ok, xml_error};
use super::{environment, own};

fn role(arn: &str, rest: &str) -> Reply {
    ok(format!(
        "<GetRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetRoleResult><Role>\
         <Path>/service-role/</Path><RoleName>R</RoleName><RoleId>AROA</RoleId><Arn>{arn}</Arn>\
         <CreateDate>2026-01-01T00:00:00Z</CreateDate>{rest}</Role></GetRoleResult></GetRoleResponse>"
    ))
}

const ARN: &str = "arn:aws:iam::111122223333:role/service-role/R";

#[tokio::test]
async fn a_role_is_read_with_its_path_its_decoded_trust_policy_and_its_boundary() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    wire.once("GetRole", role(ARN, "<AssumeRolePolicyDocument>%7B%22Statement%22%3A%5B%7B%22Sid%22%3A%22a%2Bb+c%22%7D%5D%7D</AssumeRolePolicyDocument>\
        <PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>\
        <PermissionsBoundaryArn>arn:aws:iam::111122223333:policy/B</PermissionsBoundaryArn></PermissionsBoundary>"));
    let found = aws
        .identities()
        .get_role(own(), "aws", "R")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.arn.path(), "/service-role/");
    assert_eq!(
        found.trust_policy.as_deref(),
        Some(r#"{"Statement":[{"Sid":"a+b+c"}]}"#)
    );
    assert_eq!(
        found.permissions_boundary.as_deref(),
        Some("arn:aws:iam::111122223333:policy/B")
    );
    assert!(wire.sent("GetRole")[0].body.contains("RoleName=R"));
}

#[tokio::test]
async fn a_trust_policy_that_cannot_be_read_is_none() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    for (document, expected) in [
        ("", None),
        (
            "<AssumeRolePolicyDocument></AssumeRolePolicyDocument>",
            None,
        ),
        (
            "<AssumeRolePolicyDocument>%7B%FF</AssumeRolePolicyDocument>",
            None,
        ),
        (
            "<AssumeRolePolicyDocument>{\"a\":\"100%\"}</AssumeRolePolicyDocument>",
            Some(r#"{"a":"100%"}"#),
        ),
    ] {
        wire.once("GetRole", role(ARN, document));
        let found = aws
            .identities()
            .get_role(own(), "aws", "R")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.trust_policy.as_deref(), expected, "{document}");
    }
}

#[tokio::test]
async fn a_role_is_absent_denied_or_unreadable() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    wire.once("GetRole", xml_error(404, "NoSuchEntity", "no role"))
        .once("GetRole", xml_error(403, "AccessDenied", "no"))
        .once("GetRole", role("arn:aws:iam::111122223333:user/R", ""))
        .once("GetRole", ok("<html></html>"));
    let read = || aws.identities().get_role(own(), "aws", "R");
    assert_eq!(read().await, Ok(None));
    let denied = read().await.unwrap_err();
    assert_eq!(denied.kind, CallErrorKind::AccessDenied);
    assert_eq!(denied.resource, "arn:aws:iam::111122223333:role/R");
    assert_eq!(read().await.unwrap_err().kind, CallErrorKind::Unreadable);
    assert_eq!(read().await.unwrap_err().kind, CallErrorKind::Unreadable);
}
