//! Errors by code, undeclared ones included, as AWS Backup sends them.

use copymend_diagnosis::BackupVaultArn;
use copymend_remediation::ports::{Backup, CallError, CallErrorKind, Reads};
use copymend_remediation::settings::Deployment;

use super::wire::{Reply, Wire, json_error, ok, silence, status, typed_error};
use super::{environment, parsed};

const OPERATION: &str = "GET /backup-vaults/dr/access-policy";

async fn answered(reply: Reply) -> (Result<Option<String>, CallError>, usize) {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    wire.always(OPERATION, reply);
    let vault: BackupVaultArn = parsed("arn:aws:backup:eu-west-1:111122223333:backup-vault:dr");
    let answer = aws.backup().get_backup_vault_access_policy(&vault).await;
    (answer, wire.sent(OPERATION).len())
}

#[tokio::test(start_paused = true)]
async fn each_kind_is_told_by_its_code() {
    use CallErrorKind::{
        AccessDenied, Failed, Rejected, Throttled, Timeout, Unavailable, Unreadable,
    };
    let long = "x".repeat(5_000);
    for (reply, kind, attempts) in [
        (
            json_error(403, "AccessDeniedException", "no"),
            AccessDenied,
            1,
        ),
        (json_error(400, "AccessDenied", "no"), AccessDenied, 1),
        (typed_error("AccessDeniedException", "no"), AccessDenied, 1),
        (
            json_error(403, "UnauthorizedOperation", "no"),
            AccessDenied,
            1,
        ),
        (status(403, "<html>forbidden</html>"), AccessDenied, 1),
        (json_error(400, "ThrottlingException", "slow"), Throttled, 3),
        (
            json_error(429, "TooManyRequestsException", "slow"),
            Throttled,
            3,
        ),
        (typed_error("RequestLimitExceeded", "slow"), Throttled, 3),
        (status(429, ""), Throttled, 1),
        (
            json_error(400, "InvalidParameterValueException", "bad"),
            Rejected,
            1,
        ),
        (
            json_error(400, "LimitExceededException", "full"),
            Rejected,
            3,
        ),
        (
            json_error(500, "ServiceUnavailableException", "down"),
            Unavailable,
            3,
        ),
        (status(500, "<html>oops</html>"), Unavailable, 3),
        (status(404, "<html>not found</html>"), Failed, 1),
        (json_error(400, "SomethingNewException", &long), Failed, 1),
        (silence(), Timeout, 3),
        (ok("<html>"), Unreadable, 1),
        (ok("{\"Policy\":"), Unreadable, 1),
        (ok("{\"Policy\":7}"), Unreadable, 1),
        (ok("{}"), Unreadable, 1),
        (ok(""), Unreadable, 1),
        (ok("{\"Policy\":\"\"}"), Unreadable, 1),
    ] {
        let (answer, sent) = answered(reply.clone()).await;
        let error = answer.unwrap_err();
        assert_eq!(error.kind, kind, "{reply:?} {error:?}");
        assert_eq!(sent, attempts, "{reply:?} {error:?}");
        assert_eq!(error.operation, "backup:GetBackupVaultAccessPolicy");
        assert!(
            !error.detail.is_empty() && error.detail.chars().count() <= 1_001,
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn absence_is_one_code_only() {
    let (absent, _) = answered(json_error(400, "ResourceNotFoundException", "none")).await;
    assert_eq!(absent, Ok(None));
    let (other, _) = answered(json_error(404, "NotFoundException", "none")).await;
    assert!(other.is_err());
}

#[tokio::test]
async fn a_detail_has_code_and_message_and_no_control_characters() {
    let (answer, _) = answered(json_error(
        403,
        "AccessDeniedException",
        "User: x\nis\u{1b}[31m not\u{202e} authorized",
    ))
    .await;
    assert_eq!(
        answer.unwrap_err().detail,
        "AccessDeniedException: User: x is [31m not  authorized"
    );
}
