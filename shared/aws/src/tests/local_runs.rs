use aws_config::Region;
use copymend_remediation::ports::{Backup, CallErrorKind, Keys, Reads};
use copymend_remediation::settings::Deployment;

use super::wire::{Wire, identity, silence, status, xml_error};
use super::{OWN, parsed, source};
use crate::{AwsEnvironment, ReadWrite, config};

const JOB: &str = "GET /copy-jobs/job";

async fn local_run(wire: &Wire, access_key: &str) -> AwsEnvironment<ReadWrite> {
    let config = config::loader(wire.client())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(aws_credential_types::Credentials::new(
            access_key, "secret", None, None, "test",
        ))
        .load()
        .await;
    let settings = Deployment {
        is_local_run: true,
        ..Deployment::default()
    };
    AwsEnvironment::new(config, &settings)
}

#[tokio::test]
async fn the_sam_clis_made_up_credentials_are_none() {
    let wire = Wire::default();
    wire.always("GetCallerIdentity", identity(OWN));
    let aws = local_run(&wire, "defaultkey").await;
    let error = aws
        .backup()
        .describe_copy_job(&source(), "job")
        .await
        .unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Failed);
    assert!(error.detail.contains("no credentials"), "{error}");
    assert!(wire.all_sent().is_empty());
}

#[tokio::test]
async fn credentials_that_aws_does_not_know_end_the_run_at_the_first_call() {
    for code in [
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "ExpiredToken",
    ] {
        let wire = Wire::default();
        wire.always(
            "GetCallerIdentity",
            xml_error(403, code, "The security token is invalid"),
        );
        let aws = local_run(&wire, "ASIAEXPIRED").await;
        let error = aws
            .backup()
            .describe_copy_job(&source(), "job")
            .await
            .unwrap_err();
        assert!(error.detail.contains(code), "{error}");
        assert_eq!(wire.all_sent().len(), 1, "{code}");
    }
}

/// No network: one attempt in all, whichever services are asked after it.
#[tokio::test(start_paused = true)]
async fn without_an_answer_there_is_one_attempt_in_all() {
    for reply in [silence(), status(503, "unavailable")] {
        let wire = Wire::default();
        wire.always("GetCallerIdentity", reply);
        let aws = local_run(&wire, "OWNKEY").await;
        let key = parsed("arn:aws:kms:eu-west-1:111122223333:key/k");
        let source = source();
        let (job, key) = tokio::join!(
            aws.backup().describe_copy_job(&source, "job"),
            aws.keys().describe_key(&key),
        );
        assert!(job.is_err() && key.is_err());
        assert_eq!(wire.all_sent().len(), 1);
    }
}

#[tokio::test]
async fn real_credentials_reach_the_real_job() {
    let wire = Wire::default();
    wire.always("GetCallerIdentity", identity(OWN));
    wire.always(
        JOB,
        super::wire::json_error(400, "ResourceNotFoundException", "no such job"),
    );
    let aws = local_run(&wire, "OWNKEY").await;
    let job = aws.backup().describe_copy_job(&source(), "job").await;
    assert_eq!(job.unwrap(), None);
    assert_eq!(wire.sent(JOB).len(), 1);
}
