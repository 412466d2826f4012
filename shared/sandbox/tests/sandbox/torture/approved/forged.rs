//! Nothing forged counts.

use jiff::Timestamp;

use super::*;

const ELSEWHERE: &str = "arn:aws:lambda:eu-west-1:999999999999:function:copymend:approvals";

/// An attack: what it is, the answer, the function that it is given to, and the words of the refusal.
type Attack = (&'static str, Asked, &'static str, &'static str);

/// By somebody else than who may answer.
fn by_others(good: &Asked, now: Timestamp) -> Vec<Attack> {
    let hash = good.hash;
    let sign = |who: &Person, words: &SignedWords, at| Asked {
        identity: who.sign(words, at),
        ..good.clone()
    };
    let right = SignedWords::of(Reply::Approve, hash, FUNCTION);
    let forged = Person {
        secret_access_key: "guessed".to_owned(),
        ..owner()
    };
    let without_token = Person {
        session_token: None,
        ..owner()
    };
    let nobody = person(
        "ASIANOBODY",
        "arn:aws:sts::444455556666:assumed-role/BackupOwner/x",
    );
    let in_the_payload = Asked {
        identity: SignedIdentity {
            access_key_id: "ASIAOWNER".to_owned(),
            ..stranger().sign(&right, now)
        },
        ..good.clone()
    };
    vec![
        (
            "a forged signature",
            sign(&forged, &right, now),
            FUNCTION,
            "SignatureDoesNotMatch",
        ),
        (
            "a key that AWS doesn't know",
            sign(&nobody, &right, now),
            FUNCTION,
            "InvalidClientTokenId",
        ),
        (
            "a session without its token",
            sign(&without_token, &right, now),
            FUNCTION,
            "InvalidClientTokenId",
        ),
        (
            "another key's signature",
            in_the_payload,
            FUNCTION,
            "InvalidClientTokenId",
        ),
        (
            "somebody who isn't listed",
            sign(&stranger(), &right, now),
            FUNCTION,
            "COPYMEND_APPROVERS does not admit",
        ),
        (
            "somebody of the source account",
            sign(&insider(), &right, now),
            FUNCTION,
            "of account 111122223333",
        ),
    ]
}

/// By somebody who may answer, for something else.
fn for_something_else(good: &Asked, other_hash: PlanHash, now: Timestamp) -> Vec<Attack> {
    let hash = good.hash;
    let sign = |who: &Person, words: &SignedWords, at| Asked {
        identity: who.sign(words, at),
        ..good.clone()
    };
    let right = SignedWords::of(Reply::Approve, hash, FUNCTION);
    let minute = SignedDuration::from_secs(61);
    vec![
        (
            "a no used as a yes",
            sign(
                &owner(),
                &SignedWords::of(Reply::Refuse, hash, FUNCTION),
                now,
            ),
            FUNCTION,
            "SignatureDoesNotMatch",
        ),
        (
            "a yes to another plan",
            sign(
                &owner(),
                &SignedWords::of(Reply::Approve, other_hash, FUNCTION),
                now,
            ),
            FUNCTION,
            "SignatureDoesNotMatch",
        ),
        (
            "another plan's hash",
            Asked {
                hash: other_hash,
                ..sign(
                    &owner(),
                    &SignedWords::of(Reply::Approve, other_hash, FUNCTION),
                    now,
                )
            },
            FUNCTION,
            "another plan",
        ),
        (
            "a yes to another function",
            sign(
                &owner(),
                &SignedWords::of(Reply::Approve, hash, ELSEWHERE),
                now,
            ),
            FUNCTION,
            "SignatureDoesNotMatch",
        ),
        (
            "a yes given to another function",
            good.clone(),
            ELSEWHERE,
            "SignatureDoesNotMatch",
        ),
        (
            "an old yes",
            sign(&owner(), &right, now - minute),
            FUNCTION,
            "60 seconds",
        ),
        (
            "a yes of the future",
            sign(&owner(), &right, now + minute),
            FUNCTION,
            "future",
        ),
        (
            "an old yes with another date",
            Asked {
                identity: SignedIdentity {
                    signed_at: good.identity.signed_at.clone(),
                    ..owner().sign(&right, now - minute)
                },
                ..good.clone()
            },
            FUNCTION,
            "SignatureDoesNotMatch",
        ),
        (
            "a malformed key",
            Asked {
                identity: SignedIdentity {
                    access_key_id: "ASIA&Action=AssumeRole".to_owned(),
                    ..good.identity.clone()
                },
                ..good.clone()
            },
            FUNCTION,
            "malformed",
        ),
    ]
}

#[tokio::test]
async fn nothing_forged_replayed_or_bound_to_something_else_counts() {
    let (sandbox, environment) = scene();
    let plan = asked(&environment, VAULT).await;
    let other = asked(&environment, KEY).await;
    let good = signed(&environment, &plan, Reply::Approve, &owner()).await;
    let now = environment.clock().now();
    let other_hash = hash_of(&environment, &other).await;
    let mut attacks = by_others(&good, now);
    attacks.extend(for_something_else(&good, other_hash, now));
    for (what, attack, function, words) in attacks {
        let answered = tell(&environment, &plan, Some(attack), function, "attack")
            .await
            .unwrap();
        assert_eq!(answered.result, ApprovalResult::NotAccepted, "{what}");
        let why = answered.why.unwrap();
        assert!(why.contains(words), "{what}: {why}");
        assert_eq!(sandbox.writes(), [], "{what}");
    }
    // None of them used the question up.
    let done = tell(&environment, &plan, Some(good.clone()), FUNCTION, "yes")
        .await
        .unwrap();
    assert_eq!(done.result, ApprovalResult::CarriedOut, "{done:#?}");
    let writes = sandbox.writes();
    let replayed = tell(&environment, &plan, Some(good), FUNCTION, "replay")
        .await
        .unwrap();
    assert_eq!(replayed.result, ApprovalResult::NotAccepted);
    assert_eq!(sandbox.writes(), writes);
}
