//! Who answers a plan: what is signed, what is sent to AWS STS, and what of its answers is believed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use copymend_remediation::agreement::PlanHash;
use copymend_remediation::approval::{Callers, FreshIdentity, Reply, SignedIdentity, SignedWords};
use copymend_remediation::ports::{CallErrorKind, Environment};
use copymend_remediation::settings::Deployment;

use super::wire::{Reply as WireReply, Wire, ok, status, xml_error};
use super::{config_on, environment, wire};
use crate::sign_answer;

/// 2026-11-22T23:30:00Z.
const SIGNED_AT: u64 = 1_795_390_200;
const FUNCTION: &str = "arn:aws:lambda:eu-west-1:111122223333:function:copymend:approvals";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(SIGNED_AT)
}

fn words() -> SignedWords {
    let hash: PlanHash = "0a".repeat(32).parse().unwrap();
    SignedWords::of(Reply::Approve, hash, FUNCTION)
}

async fn signed(wire: &Wire) -> SignedIdentity {
    let config = config_on(wire).await;
    sign_answer(&config, "eu-west-1", &words(), now())
        .await
        .unwrap()
}

fn fresh(identity: SignedIdentity) -> FreshIdentity {
    let at = identity.moment().unwrap();
    identity.fresh(at).unwrap()
}

#[tokio::test]
async fn what_is_signed_is_sent_as_it_is_and_by_nobody_elses_credentials() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    let identity = SignedIdentity {
        session_token: Some("a/token+with=signs".to_owned()),
        ..signed(&wire).await
    };
    assert_eq!(identity.access_key_id, "OWNKEY");
    assert_eq!(identity.signed_at, "20261122T233000Z");
    wire.once("GET /", wire::identity("444455556666"));
    let signature = identity.signature.clone();
    let caller = aws
        .callers()
        .who_signed(&fresh(identity), &words())
        .await
        .unwrap();
    assert_eq!(caller.account.as_str(), "444455556666");
    assert_eq!(
        caller.arn.as_str(),
        "arn:aws:sts::444455556666:assumed-role/Copymend/f"
    );
    let [sent] = &wire.sent("GET /")[..] else {
        panic!("one request");
    };
    assert_eq!(sent.authorization, "", "it isn't signed once more");
    assert_eq!(
        sent.uri,
        format!(
            "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential=OWNKEY%2F20261122%2Feu-west-1%2Fsts%2Faws4_request&X-Amz-Date=20261122T233000Z&X-Amz-Expires=60\
             &X-Amz-Security-Token=a%2Ftoken%2Bwith%3Dsigns&X-Amz-SignedHeaders=host%3Bx-copymend-approval&X-Amz-Signature={signature}"
        )
    );
    assert_eq!(sent.header("host"), Some("sts.eu-west-1.amazonaws.com"));
    assert_eq!(sent.header("x-copymend-approval"), Some(words().as_str()));
}

#[tokio::test]
async fn each_answer_to_another_plan_reply_or_function_has_another_signature() {
    let wire = Wire::default();
    let config = config_on(&wire).await;
    let hash: PlanHash = "0a".repeat(32).parse().unwrap();
    let other: PlanHash = "0b".repeat(32).parse().unwrap();
    let mut signatures = Vec::new();
    for words in [
        SignedWords::of(Reply::Approve, hash, FUNCTION),
        SignedWords::of(Reply::Refuse, hash, FUNCTION),
        SignedWords::allowing_again(hash, FUNCTION),
        SignedWords::of(Reply::Approve, other, FUNCTION),
        SignedWords::of(Reply::Approve, hash, &FUNCTION.replace("copymend", "other")),
    ] {
        let identity = sign_answer(&config, "eu-west-1", &words, now())
            .await
            .unwrap();
        signatures.push(identity.signature);
    }
    let mut distinct = signatures.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), signatures.len());
}

#[tokio::test(start_paused = true)]
async fn what_sts_refuses_or_garbles_is_no_identity() {
    let cases: [(WireReply, CallErrorKind, &str); 6] = [
        (
            xml_error(
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match",
            ),
            CallErrorKind::Failed,
            "SignatureDoesNotMatch",
        ),
        (
            xml_error(
                403,
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
            ),
            CallErrorKind::Failed,
            "InvalidClientTokenId",
        ),
        (
            xml_error(
                403,
                "ExpiredToken",
                "The security token included in the request is expired",
            ),
            CallErrorKind::Failed,
            "ExpiredToken",
        ),
        (
            ok("<html>welcome</html>"),
            CallErrorKind::Unreadable,
            "no Account",
        ),
        (
            ok(
                "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>",
            ),
            CallErrorKind::Unreadable,
            "",
        ),
        (
            ok(
                "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>\
                <Arn>arn:aws:iam::444455556666:user/mary</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>",
            ),
            CallErrorKind::Unreadable,
            "another account",
        ),
    ];
    for (reply, kind, words_of_error) in cases {
        let wire = Wire::default();
        let aws = environment(&wire, &Deployment::default()).await;
        wire.always("GET /", reply.clone());
        let identity = fresh(signed(&wire).await);
        let error = aws
            .callers()
            .who_signed(&identity, &words())
            .await
            .unwrap_err();
        assert_eq!(error.kind, kind, "{reply:?}: {error}");
        assert!(!error.may_pass());
        assert!(error.detail.contains(words_of_error), "{error}");
        assert!(
            !error.to_string().contains(&identity.parts().signature),
            "{error}"
        );
    }
}

#[tokio::test]
async fn the_request_that_aws_would_have_signed_is_not_repeated() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    let identity = SignedIdentity {
        session_token: Some("THETOKEN".to_owned()),
        ..signed(&wire).await
    };
    let message = "The request signature we calculated does not match the signature you provided.\n\n\
        The Canonical String for this request should have been\n'GET\n/\nX-Amz-Security-Token=THETOKEN'";
    wire.once("GET /", xml_error(403, "SignatureDoesNotMatch", message));
    let error = aws
        .callers()
        .who_signed(&fresh(identity), &words())
        .await
        .unwrap_err();
    let told = error.to_string();
    assert!(told.contains("does not match the signature"), "{told}");
    assert!(!told.contains("THETOKEN"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_fails_for_a_passing_reason_says_nothing_of_who_it_is() {
    for reply in [
        xml_error(400, "Throttling", "Rate exceeded"),
        status(503, "no"),
        wire::silence(),
    ] {
        let wire = Wire::default();
        let aws = environment(&wire, &Deployment::default()).await;
        wire.always("GET /", reply);
        let identity = fresh(signed(&wire).await);
        let error = aws
            .callers()
            .who_signed(&identity, &words())
            .await
            .unwrap_err();
        assert!(error.may_pass(), "{error}");
    }
}
