//! Who answers a plan, from the person's signature over real connections to what AWS STS says of it.

use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use copymend_aws::{AwsEnvironment, ReadWrite, sign_answer};
use copymend_remediation::agreement::PlanHash;
use copymend_remediation::approval::{
    CallerIdentity, Callers as _, Reply, SignedIdentity, SignedWords,
};
use copymend_remediation::ports::{CallError, Environment as _};
use copymend_remediation::settings::Deployment;
use jiff::Timestamp;

use super::adapters::served;
use super::{WORKLOADS, alone};

const FUNCTION: &str = "arn:aws:lambda:eu-west-1:444455556666:function:copymend:approvals";
const REGION: &str = "eu-west-1";

async fn config(url: &str, secret: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .credentials_provider(Credentials::new(
            WORKLOADS,
            secret,
            Some("sandbox".to_owned()),
            None,
            "test",
        ))
        .endpoint_url(url)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .load()
        .await
}

fn words(reply: Reply) -> SignedWords {
    let hash: PlanHash = "0a".repeat(32).parse().expect("a hash");
    SignedWords::of(reply, hash, FUNCTION)
}

async fn who(
    url: &str,
    identity: SignedIdentity,
    words: &SignedWords,
) -> Result<CallerIdentity, CallError> {
    // The function's own credentials are nobody's here: it is the person's request that counts.
    let aws: AwsEnvironment<ReadWrite> =
        AwsEnvironment::new(config(url, "own").await, &Deployment::default());
    let fresh = identity.fresh(Timestamp::now()).expect("fresh");
    aws.callers().who_signed(&fresh, words).await
}

#[tokio::test]
async fn a_signature_is_believed_for_what_was_signed_alone() {
    let url = served(alone()).await;
    let right = words(Reply::Approve);
    let good = sign_answer(
        &config(&url, "sandbox").await,
        REGION,
        &right,
        SystemTime::now(),
    )
    .await
    .expect("a signature");
    let caller = who(&url, good.clone(), &right).await.expect("an identity");
    assert_eq!(caller.account.as_str(), WORKLOADS);
    assert_eq!(
        caller.arn.as_str(),
        format!("arn:aws:iam::{WORKLOADS}:root")
    );
    let forged = sign_answer(
        &config(&url, "guessed").await,
        REGION,
        &right,
        SystemTime::now(),
    )
    .await
    .expect("a signature");
    let elsewhere = sign_answer(
        &config(&url, "sandbox").await,
        "us-east-1",
        &right,
        SystemTime::now(),
    )
    .await
    .expect("a signature");
    let later = SystemTime::now() - Duration::from_secs(20);
    let earlier = sign_answer(&config(&url, "sandbox").await, REGION, &right, later)
        .await
        .expect("a signature");
    let redated = SignedIdentity {
        signed_at: good.signed_at.clone(),
        ..earlier
    };
    let without = SignedIdentity {
        session_token: None,
        ..good.clone()
    };
    for (what, identity, signed_words, code) in [
        (
            "another reply",
            good.clone(),
            words(Reply::Refuse),
            "SignatureDoesNotMatch",
        ),
        (
            "a wrong secret",
            forged,
            right.clone(),
            "SignatureDoesNotMatch",
        ),
        (
            "another Region",
            elsewhere,
            right.clone(),
            "SignatureDoesNotMatch",
        ),
        (
            "another date",
            redated,
            right.clone(),
            "SignatureDoesNotMatch",
        ),
        ("no token", without, right.clone(), "InvalidClientTokenId"),
    ] {
        let error = who(&url, identity, &signed_words).await.expect_err(what);
        assert!(error.detail.contains(code), "{what}: {error}");
        assert!(!error.may_pass(), "{what}: {error}");
    }
}
