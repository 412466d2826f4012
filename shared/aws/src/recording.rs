//! What AWS answered, word for word: an HTTP client that keeps the answers of named operations.
//!
//! Only operations of a list are kept. No answer that carries credentials is among them, and none
//! that tells of anything but what a run itself made.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use jiff::Timestamp;

/// The operations of services with JSON or query requests whose answers are kept. Those of AWS
/// Backup are found by their path.
const KEPT: [(&str, &[&str]); 3] = [
    (
        "kms",
        &[
            "CreateKey",
            "DescribeKey",
            "GetKeyPolicy",
            "PutKeyPolicy",
            "ListKeyPolicies",
            "ScheduleKeyDeletion",
        ],
    ),
    ("ec2", &["CreateVolume", "DescribeVolumes", "DeleteVolume"]),
    ("iam", &["SimulatePrincipalPolicy"]),
];

/// One call and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// When it was sent.
    pub at: Timestamp,
    /// How long the answer took.
    pub milliseconds: u64,
    /// The service, such as `backup`.
    pub service: String,
    /// The operation, such as `StartCopyJob`.
    pub operation: String,
    /// The HTTP status.
    pub status: u16,
    /// The error's code, where the answer names one in its header.
    pub error: Option<String>,
    /// The body of the answer.
    pub body: String,
}

/// What was answered so far. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<Vec<Exchange>>>);

impl Recorder {
    /// The answers so far, in the order in which they came.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn keep(&self, exchange: Exchange) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(exchange);
    }

    /// The same HTTP client, whose answers are kept here.
    pub(crate) fn around(&self, client: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(RecordingClient {
            inner: client,
            recorder: self.clone(),
        })
    }
}

#[derive(Debug)]
struct RecordingClient {
    inner: SharedHttpClient,
    recorder: Recorder,
}

impl HttpClient for RecordingClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(RecordingConnector {
            inner: self.inner.http_connector(settings, components),
            recorder: self.recorder.clone(),
        })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

#[derive(Debug)]
struct RecordingConnector {
    inner: SharedHttpConnector,
    recorder: Recorder,
}

impl HttpConnector for RecordingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some((service, operation)) = operation_of(&request) else {
            return self.inner.call(request);
        };
        let recorder = self.recorder.clone();
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            let (at, start) = (Timestamp::now(), Instant::now());
            let mut answer: HttpResponse = answer.await?;
            let body = ByteStream::new(answer.take_body())
                .collect()
                .await
                .map_err(|error| ConnectorError::io(error.into()))?
                .into_bytes();
            let text = String::from_utf8_lossy(&body);
            let text = if service == "iam" {
                without(&text, "MatchedStatements")
            } else {
                text.into_owned()
            };
            let error = answer.headers().get("x-amzn-errortype");
            recorder.keep(Exchange {
                at,
                milliseconds: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
                service,
                operation,
                status: answer.status().as_u16(),
                error: error.map(ToOwned::to_owned),
                body: text,
            });
            *answer.body_mut() = SdkBody::from(body);
            Ok(answer)
        })
    }
}

/// The service and the operation of a request whose answer is kept.
fn operation_of(request: &HttpRequest) -> Option<(String, String)> {
    let service = service_of(request.headers().get("authorization")?)?;
    if service == "backup" {
        let operation = operation_of_backup(request.method(), request.uri())?;
        return Some((service.to_owned(), operation.to_owned()));
    }
    let operation = match request.headers().get("x-amz-target") {
        Some(target) => target.rsplit('.').next()?,
        None => std::str::from_utf8(request.body().bytes()?)
            .ok()?
            .split('&')
            .find_map(|part| part.strip_prefix("Action="))?,
    };
    let (_, kept) = KEPT.iter().find(|(name, _)| *name == service)?;
    kept.contains(&operation)
        .then(|| (service.to_owned(), operation.to_owned()))
}

/// The service of a signature: `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
fn service_of(authorization: &str) -> Option<&str> {
    let scope = authorization.split_once("Credential=")?.1;
    scope.split([',', ' ']).next()?.split('/').nth(3)
}

/// The operations of AWS Backup that a run makes (AWS Backup API reference, documented).
fn operation_of_backup(method: &str, uri: &str) -> Option<&'static str> {
    let path = match uri.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => uri.trim_start_matches('/'),
    };
    let path = path.split('?').next()?.trim_end_matches('/');
    let parts: Vec<&str> = path.split('/').collect();
    Some(match (method, parts.as_slice()) {
        ("PUT", ["backup-vaults", _]) => "CreateBackupVault",
        ("GET", ["backup-vaults", _]) => "DescribeBackupVault",
        ("DELETE", ["backup-vaults", _]) => "DeleteBackupVault",
        ("GET", ["backup-vaults", _, "access-policy"]) => "GetBackupVaultAccessPolicy",
        ("PUT", ["backup-vaults", _, "access-policy"]) => "PutBackupVaultAccessPolicy",
        ("GET", ["backup-vaults", _, "recovery-points"]) => "ListRecoveryPointsByBackupVault",
        ("GET", ["backup-vaults", _, "recovery-points", _]) => "DescribeRecoveryPoint",
        ("DELETE", ["backup-vaults", _, "recovery-points", _]) => "DeleteRecoveryPoint",
        ("PUT", ["backup-jobs"]) => "StartBackupJob",
        ("GET", ["backup-jobs", _]) => "DescribeBackupJob",
        ("PUT", ["copy-jobs"]) => "StartCopyJob",
        ("GET", ["copy-jobs", _]) => "DescribeCopyJob",
        ("GET", ["global-settings"]) => "DescribeGlobalSettings",
        _ => return None,
    })
}

/// The text without the elements of this name, which hold none of the same name.
fn without(xml: &str, element: &str) -> String {
    let (begin, end) = (format!("<{element}>"), format!("</{element}>"));
    let mut out = String::with_capacity(xml.len());
    let mut rest = xml;
    while let Some((before, after)) = rest.split_once(&begin) {
        out.push_str(before);
        rest = after.split_once(&end).map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_of_backup_is_known_by_its_path() {
        for (method, uri, operation) in [
            (
                "PUT",
                "https://backup.eu-west-1.amazonaws.com/copy-jobs",
                Some("StartCopyJob"),
            ),
            (
                "GET",
                "http://127.0.0.1:1/copy-jobs/1F",
                Some("DescribeCopyJob"),
            ),
            (
                "GET",
                "/backup-vaults/v/access-policy",
                Some("GetBackupVaultAccessPolicy"),
            ),
            (
                "GET",
                "/backup-vaults/v/recovery-points/?maxResults=1",
                Some("ListRecoveryPointsByBackupVault"),
            ),
            (
                "GET",
                "/backup-vaults/v/recovery-points/arn%3Aaws%2Fx",
                Some("DescribeRecoveryPoint"),
            ),
            ("GET", "/backup-vaults", None),
            ("GET", "/copy-jobs?state=FAILED", None),
        ] {
            assert_eq!(
                operation_of_backup(method, uri),
                operation,
                "{method} {uri}"
            );
        }
    }

    fn request(authorization: &str, target: Option<&str>, body: &'static str) -> HttpRequest {
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method("POST").unwrap();
        request.set_uri("https://example.com/").unwrap();
        let headers = request.headers_mut();
        headers.insert("authorization", authorization.to_owned());
        if let Some(target) = target {
            headers.insert("x-amz-target", target.to_owned());
        }
        request
    }

    #[test]
    fn what_carries_credentials_or_tells_of_others_is_not_kept() {
        let signed = |service: &str| {
            format!(
                "AWS4-HMAC-SHA256 Credential=K/20261129/eu-west-1/{service}/aws4_request, SignedHeaders=host"
            )
        };
        for (service, target, body, kept) in [
            ("kms", Some("TrentService.CreateKey"), "{}", true),
            ("kms", Some("TrentService.ListKeys"), "{}", false),
            ("ec2", None, "Action=DescribeVolumes&Version=1", true),
            ("sts", None, "Action=AssumeRole&Version=1", false),
            ("iam", None, "Action=SimulatePrincipalPolicy", true),
            ("iam", None, "Action=GetRole", false),
            (
                "organizations",
                Some("AWSOrganizationsV20161128.DescribeOrganization"),
                "{}",
                false,
            ),
        ] {
            let found = operation_of(&request(&signed(service), target, body));
            assert_eq!(found.is_some(), kept, "{service} {target:?} {body}");
        }
        assert_eq!(
            operation_of(&request("Bearer x", None, "Action=CreateVolume")),
            None
        );
    }

    #[test]
    fn elements_are_left_out_wherever_they_are() {
        let xml = "<a><M><x>1</x></M><b/><M>2</M></a>";
        assert_eq!(without(xml, "M"), "<a><b/></a>");
        assert_eq!(without("<a><M>cut", "M"), "<a>");
    }
}
