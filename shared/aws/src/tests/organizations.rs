use copymend_remediation::ports::{CallErrorKind, Environment, Organizations};
use copymend_remediation::settings::Settings;

use super::wire::{Wire, ok, typed_error};
use super::{environment, own, parsed};

#[tokio::test]
async fn an_organization_is_known_absent_or_unknown() {
    let wire = Wire::default();
    let aws = environment(&wire, &Settings::default()).await;
    let operation = "DescribeOrganization";
    wire.once(
        operation,
        ok(r#"{"Organization":{"Id":"o-exampleorgid","MasterAccountId":"777788889999"}}"#),
    )
    .once(operation, ok(r#"{"Organization":{"Id":"o-exampleorgid"}}"#))
    .once(
        operation,
        typed_error("AWSOrganizationsNotInUseException", "none"),
    )
    .once(operation, typed_error("AccessDeniedException", "no"))
    .once(operation, ok(r#"{"Organization":{}}"#))
    .once(
        operation,
        ok(r#"{"Organization":{"Id":"o-1","MasterAccountId":"1"}}"#),
    );
    let read = || aws.organizations().describe_organization(own(), "aws");
    let found = read().await.unwrap().unwrap();
    assert_eq!(found.id, "o-exampleorgid");
    assert_eq!(found.management_account, Some(parsed("777788889999")));
    assert_eq!(read().await.unwrap().unwrap().management_account, None);
    assert_eq!(read().await, Ok(None));
    assert_eq!(read().await.unwrap_err().kind, CallErrorKind::AccessDenied);
    assert_eq!(read().await.unwrap_err().kind, CallErrorKind::Unreadable);
    assert_eq!(read().await.unwrap_err().kind, CallErrorKind::Unreadable);
}
