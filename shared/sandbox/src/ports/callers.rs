//! AWS STS in memory: it knows people by their access keys, and believes their signatures alone.

use copymend_policy::Arn;
use copymend_remediation::approval::{
    CallerIdentity, Callers, FreshIdentity, SIGNED_FOR, SIGNED_HEADER, SignedIdentity, SignedWords,
};
use copymend_remediation::ports::{CallErrorKind, CallResult};
use jiff::Timestamp;

use crate::sandbox::Sandbox;
use crate::signature::presigned;

const REGION: &str = "eu-west-1";
const HOST: &str = "sts.eu-west-1.amazonaws.com";

/// Somebody with credentials.
#[derive(Clone, Debug)]
pub struct Person {
    /// The id of the access key, by which AWS knows them.
    pub access_key_id: String,
    /// The secret key.
    pub secret_access_key: String,
    /// The session's token, where they are of a session.
    pub session_token: Option<String>,
    /// What AWS calls them.
    pub arn: Arn,
}

impl Person {
    /// Signs an answer, as the command line does.
    #[must_use]
    pub fn sign(&self, words: &SignedWords, at: Timestamp) -> SignedIdentity {
        let mut identity = SignedIdentity {
            access_key_id: self.access_key_id.clone(),
            signed_at: SignedIdentity::signed_time(at),
            session_token: self.session_token.clone(),
            signature: String::new(),
        };
        identity.signature = signature(self, &identity, words).unwrap_or_default();
        identity
    }
}

/// What a person's signature of this request is.
fn signature(person: &Person, identity: &SignedIdentity, words: &SignedWords) -> Option<String> {
    let day = identity.signed_at.get(..8)?;
    let mut query: Vec<(String, String)> = [
        ("Action", "GetCallerIdentity".to_owned()),
        ("Version", "2011-06-15".to_owned()),
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned()),
        (
            "X-Amz-Credential",
            format!("{}/{day}/{REGION}/sts/aws4_request", identity.access_key_id),
        ),
        ("X-Amz-Date", identity.signed_at.clone()),
        ("X-Amz-Expires", SIGNED_FOR.to_string()),
        ("X-Amz-SignedHeaders", format!("host;{SIGNED_HEADER}")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec();
    if let Some(token) = &identity.session_token {
        query.push(("X-Amz-Security-Token".to_owned(), token.clone()));
    }
    let headers = [("host", HOST), (SIGNED_HEADER, words.as_str())];
    presigned(&person.secret_access_key, &query, &headers)
}

impl Callers for Sandbox {
    async fn who_signed(
        &self,
        identity: &FreshIdentity,
        words: &SignedWords,
    ) -> CallResult<CallerIdentity> {
        let identity = identity.parts();
        let calling = self.calling("sts:GetCallerIdentity", &"*");
        let mut running = self.calls.begin(calling.operation, &calling.resource);
        tokio::task::yield_now().await;
        running.fault()?;
        let refused = |words: &str| calling.error(CallErrorKind::AccessDenied, words);
        let person = self.person(&identity.access_key_id).ok_or_else(|| {
            refused("InvalidClientTokenId: The security token included in the request is invalid.")
        })?;
        if person.session_token != identity.session_token {
            return Err(refused(
                "InvalidClientTokenId: The security token included in the request is invalid",
            ));
        }
        if signature(&person, identity, words).as_ref() != Some(&identity.signature) {
            return Err(refused(
                "SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
            ));
        }
        let account = person
            .arn
            .account_id()
            .ok_or_else(|| calling.error(CallErrorKind::Unreadable, "the ARN has no account"))?;
        Ok(CallerIdentity {
            account,
            arn: person.arn,
        })
    }
}
