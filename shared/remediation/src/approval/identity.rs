//! Who answers. The payload of an invocation proves nothing: Lambda doesn't say who invoked it. So the
//! person signs a request of `sts:GetCallerIdentity`, and only what AWS STS answers to it counts.

use std::fmt;

use copymend_policy::{AccountId, Arn};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ApprovalRequest, Asked, Reply};
use crate::agreement::PlanHash;
use crate::ports::CallResult;

/// The header that is signed along with the host. STS checks signed headers, and reads no meaning in
/// them (IAM user guide, "Create a signed AWS API request", documented).
pub const SIGNED_HEADER: &str = "x-copymend-approval";
/// So long a signed answer is good, in seconds. AWS STS itself takes a signed request for 15 minutes,
/// whatever it says of its end (seen: aws-iam-authenticator), so this is checked here, by the time that
/// is signed.
pub const SIGNED_FOR: u16 = 60;
/// A person's clock may be this much ahead.
const AHEAD: SignedDuration = SignedDuration::from_secs(15);
/// What is signed instead of the reply where a no lets the same be asked again.
const ALLOWING_AGAIN: &str = "refuse-and-allow-again";
const SIGNED_TIME: &str = "%Y%m%dT%H%M%SZ";
const LONGEST_TOKEN: usize = 16_384;

/// What a person's `sts:GetCallerIdentity` request is made of, besides what is always the same: it is
/// signed for AWS STS in the function's Region, for the host and [`SIGNED_HEADER`] alone, and for
/// [`SIGNED_FOR`] seconds. Whoever holds it can ask AWS who the person is, and nothing else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIdentity {
    /// The id of the access key.
    pub access_key_id: String,
    /// When it was signed, as `X-Amz-Date` has it: `20261122T233000Z`.
    pub signed_at: String,
    /// The session's token, where the credentials are of a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_token: Option<String>,
    /// The signature, 64 hexadecimal digits.
    pub signature: String,
}

impl fmt::Debug for SignedIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SignedIdentity")
            .field("access_key_id", &self.access_key_id)
            .field("signed_at", &self.signed_at)
            .finish_non_exhaustive()
    }
}

/// Why a signed request isn't even shown to AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityNotUsable {
    /// It isn't made of what such a request is made of.
    #[error("the signed request has a malformed {0}")]
    Malformed(&'static str),
    /// It is too old.
    #[error(
        "the answer was signed more than {SIGNED_FOR} seconds ago: answer again, and check the clock of your machine if that doesn't help"
    )]
    TooOld,
    /// It is of the future.
    #[error("the answer was signed in the future: check the clock of your machine")]
    OfTheFuture,
}

/// A signed request that is well formed and fresh. Only [`SignedIdentity::fresh`] makes one.
#[derive(Clone, Debug)]
pub struct FreshIdentity(SignedIdentity);

impl FreshIdentity {
    /// Its parts.
    #[must_use]
    pub const fn parts(&self) -> &SignedIdentity {
        &self.0
    }
}

impl SignedIdentity {
    /// The time as it is signed.
    #[must_use]
    pub fn signed_time(at: Timestamp) -> String {
        at.strftime(SIGNED_TIME).to_string()
    }

    /// The moment of [`Self::signed_at`]; `None` where it isn't one.
    #[must_use]
    pub fn moment(&self) -> Option<Timestamp> {
        let civil = DateTime::strptime(SIGNED_TIME, &self.signed_at).ok()?;
        let moment = civil.to_zoned(TimeZone::UTC).ok()?.timestamp();
        // As it is written, not as it might be read.
        (Self::signed_time(moment) == self.signed_at).then_some(moment)
    }

    /// The request, if it may be shown to AWS now.
    pub fn fresh(self, now: Timestamp) -> Result<FreshIdentity, IdentityNotUsable> {
        let key = self.access_key_id.as_bytes();
        let is_key = (4..=128).contains(&key.len())
            && key
                .iter()
                .all(|sign| sign.is_ascii_alphanumeric() || *sign == b'_');
        if !is_key {
            return Err(IdentityNotUsable::Malformed("access_key_id"));
        }
        let is_signature = self.signature.len() == 64
            && self
                .signature
                .bytes()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        if !is_signature {
            return Err(IdentityNotUsable::Malformed("signature"));
        }
        let is_token = |token: &String| {
            (1..=LONGEST_TOKEN).contains(&token.len())
                && token.bytes().all(|sign| sign.is_ascii_graphic())
        };
        if !self.session_token.as_ref().is_none_or(is_token) {
            return Err(IdentityNotUsable::Malformed("session_token"));
        }
        let signed_at = self
            .moment()
            .ok_or(IdentityNotUsable::Malformed("signed_at"))?;
        let age = now.duration_since(signed_at);
        if age > SignedDuration::from_secs(i64::from(SIGNED_FOR)) {
            return Err(IdentityNotUsable::TooOld);
        }
        if age < -AHEAD {
            return Err(IdentityNotUsable::OfTheFuture);
        }
        Ok(FreshIdentity(self))
    }
}

/// What the signed header says: the reply, the request's id and hash, and the function that is
/// answered. A signature for another answer, another request or another function is none for this
/// one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedWords(String);

impl SignedWords {
    /// Of this reply to this request, given to this function, by its whole ARN with the alias.
    #[must_use]
    pub fn of(reply: Reply, request: PlanHash, function_arn: &str) -> Self {
        Self::said(reply.name(), request, function_arn)
    }

    /// Of a no that lets the same be asked again. Other words than those of a no, so that nobody makes
    /// the one of the other.
    #[must_use]
    pub fn allowing_again(request: PlanHash, function_arn: &str) -> Self {
        Self::said(ALLOWING_AGAIN, request, function_arn)
    }

    fn said(name: &str, request: PlanHash, function_arn: &str) -> Self {
        let id = request.id();
        // A header's value; an ARN has neither blanks nor lines.
        let function: String = function_arn
            .chars()
            .filter(char::is_ascii_graphic)
            .collect();
        Self(format!("{name} {id} {request} {function}"))
    }

    pub(super) fn to_request(asked: &Asked, request: &ApprovalRequest, function_arn: &str) -> Self {
        match asked.reply {
            Reply::Refuse if asked.allow_again => Self::allowing_again(request.hash, function_arn),
            Reply::Approve | Reply::Refuse => Self::of(asked.reply, request.hash, function_arn),
        }
    }

    /// The header's value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whom AWS says a request is signed by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerIdentity {
    /// The account.
    pub account: AccountId,
    /// The user or session.
    pub arn: Arn,
}

/// Asks AWS who signed.
pub trait Callers: Send + Sync {
    /// Sends the signed request to AWS STS as it is, with the header that must be signed. An error
    /// that doesn't pass means that AWS doesn't confirm it: the signature is another header's, forged,
    /// of another Region, or of credentials that are no more.
    fn who_signed(
        &self,
        identity: &FreshIdentity,
        words: &SignedWords,
    ) -> impl Future<Output = CallResult<CallerIdentity>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-22T23:30:00Z";

    fn signed(at: &str) -> SignedIdentity {
        SignedIdentity {
            access_key_id: "ASIAEXAMPLE".to_owned(),
            signed_at: at.to_owned(),
            session_token: Some("token==".to_owned()),
            signature: "0a".repeat(32),
        }
    }

    #[test]
    fn an_answer_is_good_for_a_minute() {
        let now = NOW.parse().unwrap();
        for (at, expected) in [
            ("20261122T233000Z", None),
            ("20261122T232900Z", None),
            ("20261122T232859Z", Some(IdentityNotUsable::TooOld)),
            ("20261121T233000Z", Some(IdentityNotUsable::TooOld)),
            ("20261122T233015Z", None),
            ("20261122T233016Z", Some(IdentityNotUsable::OfTheFuture)),
            ("20271122T233000Z", Some(IdentityNotUsable::OfTheFuture)),
        ] {
            assert_eq!(signed(at).fresh(now).err(), expected, "{at}");
        }
    }

    #[test]
    fn what_could_change_the_request_is_malformed() {
        let now: Timestamp = NOW.parse().unwrap();
        let good = signed("20261122T233000Z");
        for (what, identity) in [
            (
                "access_key_id",
                SignedIdentity {
                    access_key_id: "ASIA/20261122/eu-west-1/sts/aws4_request&Action=".to_owned(),
                    ..good.clone()
                },
            ),
            (
                "signature",
                SignedIdentity {
                    signature: "0A".repeat(32),
                    ..good.clone()
                },
            ),
            (
                "signature",
                SignedIdentity {
                    signature: "0a".repeat(31) + "&b",
                    ..good.clone()
                },
            ),
            (
                "session_token",
                SignedIdentity {
                    session_token: Some("a\r\nb".to_owned()),
                    ..good.clone()
                },
            ),
            ("signed_at", signed("2026-11-22T23:30:00Z")),
            ("signed_at", signed("20261122T233000Z ")),
            ("signed_at", signed("20261122T2330Z")),
        ] {
            assert_eq!(
                identity.fresh(now).err(),
                Some(IdentityNotUsable::Malformed(what))
            );
        }
    }

    #[test]
    fn its_debug_form_holds_no_credential() {
        let shown = format!("{:?}", signed("20261122T233000Z"));
        assert!(
            !shown.contains("token==") && !shown.contains("0a0a"),
            "{shown}"
        );
    }
}
