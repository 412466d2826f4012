//! Who answers a plan: a signed `sts:GetCallerIdentity` request, made by the command line, and sent to
//! AWS STS by the function.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_xml::decode::{Document, XmlDecodeError};
use copymend_policy::Arn;
use copymend_remediation::approval::{
    CallerIdentity, Callers, FreshIdentity, SIGNED_FOR, SIGNED_HEADER, SignedIdentity, SignedWords,
};
use copymend_remediation::ports::{CallErrorKind, CallResult};

use crate::ec2::answer::{each, text};
use crate::error::Call;
use crate::percent;
use crate::signed::{self, Protocol};
use crate::sts::{IDENTITY, SERVICE};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// AWS STS in the function's own Region.
#[derive(Debug)]
pub struct AwsCallers {
    config: SdkConfig,
}

/// Why an answer can't be signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// There is nothing to sign with.
    #[error("there are no AWS credentials to sign the answer with: {0}")]
    NoCredentials(String),
    /// The place isn't known.
    #[error("{0}")]
    NoHost(String),
    /// It can't be signed.
    #[error("the answer can't be signed: {0}")]
    NotSigned(String),
}

/// The host that is signed: AWS's own, whatever address the request is sent to.
fn host(region: &str) -> Result<String, String> {
    let suffix = signed::suffix(region)
        .ok_or_else(|| format!("the host of AWS STS in Region `{region}` is not known"))?;
    Ok(format!("sts.{region}.{suffix}"))
}

impl AwsCallers {
    pub(crate) const fn new(config: SdkConfig) -> Self {
        Self { config }
    }
}

/// Signs an answer with a person's credentials, for AWS STS in this Region.
pub async fn sign_answer(
    config: &SdkConfig,
    region: &str,
    words: &SignedWords,
    now: SystemTime,
) -> Result<SignedIdentity, SigningError> {
    let host = host(region).map_err(SigningError::NoHost)?;
    let provider = config
        .credentials_provider()
        .ok_or_else(|| SigningError::NoCredentials("none are set".to_owned()))?;
    let credentials = provider
        .provide_credentials()
        .await
        .map_err(|error| SigningError::NoCredentials(error.to_string()))?;
    let not_signed = |error: &dyn std::fmt::Display| SigningError::NotSigned(error.to_string());
    let identity = credentials.clone().into();
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(Duration::from_secs(u64::from(SIGNED_FOR)));
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(SERVICE.prefix)
        .time(now)
        .settings(settings)
        .build()
        .map_err(|error| not_signed(&error))?;
    let uri = format!("https://{host}/?Action=GetCallerIdentity&Version=2011-06-15");
    let headers = [("host", host.as_str()), (SIGNED_HEADER, words.as_str())];
    let request = SignableRequest::new("GET", &uri, headers.into_iter(), SignableBody::Bytes(&[]))
        .map_err(|error| not_signed(&error))?;
    let output = sign(request, &parameters.into()).map_err(|error| not_signed(&error))?;
    let (instructions, signature) = output.into_parts();
    let (_, query) = instructions.into_parts();
    let date = query.iter().find(|(name, _)| *name == "X-Amz-Date");
    let date = date.ok_or_else(|| not_signed(&"the signature has no date"))?;
    Ok(SignedIdentity {
        access_key_id: credentials.access_key_id().to_owned(),
        signed_at: date.1.to_string(),
        session_token: credentials.session_token().map(ToOwned::to_owned),
        signature,
    })
}

/// The path and query of the request. Everything but the four parts is fixed here, so that nobody makes
/// it another request.
fn path(identity: &SignedIdentity, region: &str) -> String {
    let day = identity.signed_at.get(..8).unwrap_or_default();
    let credential = format!("{}/{day}/{region}/sts/aws4_request", identity.access_key_id);
    let expires = SIGNED_FOR.to_string();
    let headers = format!("host;{SIGNED_HEADER}");
    let token = identity.session_token.as_deref();
    let pairs = [
        ("Action", Some("GetCallerIdentity")),
        ("Version", Some("2011-06-15")),
        ("X-Amz-Algorithm", Some(ALGORITHM)),
        ("X-Amz-Credential", Some(&credential)),
        ("X-Amz-Date", Some(&identity.signed_at)),
        ("X-Amz-Expires", Some(&expires)),
        ("X-Amz-Security-Token", token),
        ("X-Amz-SignedHeaders", Some(&headers)),
        ("X-Amz-Signature", Some(&identity.signature)),
    ];
    let pairs = pairs.into_iter().filter_map(|(name, value)| {
        let value: &str = value?;
        Some(format!("{name}={}", percent::encode(value)))
    });
    format!("/?{}", pairs.collect::<Vec<_>>().join("&"))
}

impl Callers for AwsCallers {
    async fn who_signed(
        &self,
        identity: &FreshIdentity,
        words: &SignedWords,
    ) -> CallResult<CallerIdentity> {
        let call = Call::new(IDENTITY, "*");
        let region = self.config.region().map(ToString::to_string);
        let region = region.unwrap_or_default();
        let host = host(&region).map_err(|why| call.error(CallErrorKind::Failed, why))?;
        let headers = vec![("host", host), (SIGNED_HEADER, words.as_str().to_owned())];
        let protocol = Protocol {
            headers: &[],
            target: None,
            error: xml_error,
        };
        let path = path(identity.parts(), &region);
        let answer = signed::send_as_signed(&self.config, SERVICE, protocol, path, headers);
        let answer = call.send(answer).await?;
        let answer = leaves(&answer).map_err(|error| call.unreadable(error))?;
        let read = |name: &str| {
            let named = answer.get(name);
            named.ok_or_else(|| call.unreadable(format!("the answer names no {name}")))
        };
        let (account, arn) = (read("Account")?, read("Arn")?);
        let account = account
            .parse()
            .map_err(|_| call.unreadable("the answer names no account"))?;
        let arn: Arn = arn
            .parse()
            .map_err(|_| call.unreadable("the answer names no ARN"))?;
        if arn.account_id() != Some(account) {
            return Err(call.unreadable("the answer's ARN is of another account"));
        }
        Ok(CallerIdentity { account, arn })
    }
}

/// The texts of an answer of AWS STS by their names: of `GetCallerIdentityResult`, or of an `Error` (AWS
/// STS API reference, `GetCallerIdentity`, documented).
fn leaves(answer: &str) -> Result<BTreeMap<String, String>, String> {
    let mut leaves = BTreeMap::new();
    let mut document = Document::new(answer);
    document
        .root_element()
        .and_then(|mut root| {
            let end = format!("</{}>", root.start_el().local());
            if !answer.trim_end().ends_with(&end) {
                return Err(XmlDecodeError::custom("the answer is cut"));
            }
            each(&mut root, &mut |name, mut child| {
                if !["GetCallerIdentityResult", "Error"].contains(&name) {
                    return Ok(());
                }
                each(&mut child, &mut |name, leaf| {
                    leaves.insert(name.to_owned(), text(leaf)?);
                    Ok(())
                })
            })
        })
        .map_err(|error| error.to_string())?;
    Ok(leaves)
}

fn xml_error(body: &[u8]) -> ErrorMetadata {
    let mut error = ErrorMetadata::builder();
    // What is no XML, from a proxy for example, carries no code.
    let answer = std::str::from_utf8(body)
        .ok()
        .and_then(|body| leaves(body).ok());
    if let Some(code) = answer.as_ref().and_then(|answer| answer.get("Code")) {
        error = error.code(code);
    }
    if let Some(message) = answer.as_ref().and_then(|answer| answer.get("Message")) {
        // The first line: for a signature that doesn't match, services of AWS go on with the request that
        // they would have signed, in which the session's token is (seen: API Gateway).
        error = error.message(message.lines().next().unwrap_or_default());
    }
    error.build()
}
