//! From the SDK's errors to [`CallError`].
//!
//! AWS Backup, KMS and IAM don't declare access denied and throttling in their models, so errors
//! are told apart by their code, never by the SDK's enums.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use copymend_policy::AccountId;
use copymend_policy::text::{condensed, is_hidden};
use copymend_remediation::ports::{CallError, CallErrorKind, CallResult};

use crate::sts::NotAssumed;

/// Details longer than this are cut. They come from outside and end up in reports.
const LONGEST_DETAIL: usize = 1_000;

/// What the SDK answers.
pub(crate) type Answer<T, E> = Result<T, SdkError<E, HttpResponse>>;

/// One call: what is done to what, and as whom.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    operation: &'static str,
    resource: String,
    account: Option<AccountId>,
    role: Option<Arc<str>>,
}

impl Call {
    pub(crate) fn new(operation: &'static str, resource: impl Into<String>) -> Self {
        Self {
            operation,
            resource: resource.into(),
            account: None,
            role: None,
        }
    }

    /// The account that the call works in, and the role that is assumed for it.
    pub(crate) fn within(mut self, account: AccountId, role: Option<Arc<str>>) -> Self {
        self.account = Some(account);
        self.role = role;
        self
    }

    /// What it is done to.
    pub(crate) fn resource(&self) -> &str {
        &self.resource
    }

    /// The operation.
    #[cfg(feature = "survey")]
    pub(crate) const fn operation(&self) -> &'static str {
        self.operation
    }

    /// Sends the request.
    pub(crate) fn send<T, E>(
        &self,
        request: impl Future<Output = Answer<T, E>> + Send,
    ) -> impl Future<Output = CallResult<T>> + Send
    where
        T: Send,
        E: ProvideErrorMetadata + Error + Send + 'static,
    {
        let answer = self.try_send(request);
        async move { answer.await.map_err(|error| self.failed(&error)) }
    }

    /// Sends the request; `None` where the service answers an error code that states absence.
    pub(crate) fn find<T, E>(
        &self,
        absent: &'static [&'static str],
        request: impl Future<Output = Answer<T, E>> + Send,
    ) -> impl Future<Output = CallResult<Option<T>>> + Send
    where
        T: Send,
        E: ProvideErrorMetadata + Error + Send + 'static,
    {
        let answer = self.try_send(request);
        async move {
            match answer.await {
                Ok(answer) => Ok(Some(answer)),
                Err(error) if code(&error).is_some_and(|code| absent.contains(&code)) => Ok(None),
                Err(error) => Err(self.failed(&error)),
            }
        }
    }

    /// Sends the request and leaves the error as it is, for callers that expect one.
    pub(crate) fn try_send<T, E>(
        &self,
        request: impl Future<Output = Answer<T, E>> + Send,
    ) -> impl Future<Output = Answer<T, E>> + Send
    where
        T: Send,
        E: ProvideErrorMetadata + Send,
    {
        // The SDK's futures take many kilobytes, which every future that awaits them would carry
        // along.
        let request = Box::pin(request);
        async move {
            let start = Instant::now();
            let answer = request.await;
            tracing::debug!(
                operation = self.operation,
                resource = self.resource,
                account = self.account.map(tracing::field::display),
                milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
                failed = answer.is_err(),
                code = answer.as_ref().err().and_then(code),
                "called AWS"
            );
            answer
        }
    }

    /// An error of this call that the SDK doesn't know of.
    pub(crate) fn error(&self, kind: CallErrorKind, detail: impl AsRef<str>) -> CallError {
        CallError {
            operation: self.operation,
            resource: self.resource.clone(),
            kind,
            detail: cleaned(detail.as_ref()),
        }
    }

    /// The answer can't be understood.
    pub(crate) fn unreadable(&self, detail: impl AsRef<str>) -> CallError {
        self.error(CallErrorKind::Unreadable, detail)
    }

    /// The SDK's error as the port's.
    pub(crate) fn failed<E>(&self, error: &SdkError<E, HttpResponse>) -> CallError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        // An error of the credentials comes wrapped in an error of the call that needed them.
        let assume_role = chain(error).find_map(|cause| cause.downcast_ref::<NotAssumed>());
        if let (Some(not_assumed), Some(role)) = (assume_role, &self.role) {
            let (kind, detail) = match not_assumed {
                NotAssumed::Failed(refused) => explain(refused),
                NotAssumed::Unreadable(why) => (CallErrorKind::Unreadable, cleaned(why)),
            };
            return CallError {
                operation: "sts:AssumeRole",
                resource: role.to_string(),
                kind,
                detail,
            };
        }
        let credentials = chain(error).find_map(|cause| cause.downcast_ref::<CredentialsError>());
        if let Some(credentials) = credentials {
            let kind = if matches!(credentials, CredentialsError::ProviderTimedOut(_)) {
                CallErrorKind::Timeout
            } else {
                CallErrorKind::Failed
            };
            return self.error(kind, format!("no credentials: {}", told(credentials)));
        }
        let (kind, detail) = explain(error);
        CallError {
            operation: self.operation,
            resource: self.resource.clone(),
            kind,
            detail,
        }
    }
}

/// The service's error code.
pub(crate) fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.as_service_error()?.code()
}

fn explain<E>(error: &SdkError<E, HttpResponse>) -> (CallErrorKind, String)
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let (kind, detail) = match error {
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            match (answer.err().code(), answer.err().message()) {
                (Some(code), Some(message)) => {
                    (kind_of(code, status), format!("{code}: {message}"))
                }
                (Some(code), None) => (kind_of(code, status), code.to_owned()),
                (None, _) => (
                    kind_of_status(status),
                    format!(
                        "HTTP status {status} without an error code: {}",
                        told(error)
                    ),
                ),
            }
        }
        SdkError::TimeoutError(_) => (CallErrorKind::Timeout, told(error)),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            (CallErrorKind::Timeout, told(error))
        }
        // What the SDK refuses to send was never sent. Any other failure of a connection may have
        // lost nothing but the answer.
        SdkError::DispatchFailure(failure) if !failure.is_user() => {
            (CallErrorKind::Unavailable, told(error))
        }
        SdkError::ResponseError(_) => (CallErrorKind::Unreadable, told(error)),
        // `SdkError` may grow. What isn't known is no statement of anything.
        SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) | _ => {
            (CallErrorKind::Failed, told(error))
        }
    };
    (kind, cleaned(&detail))
}

pub(crate) fn kind_of(code: &str, status: u16) -> CallErrorKind {
    match code {
        "AccessDenied"
        | "AccessDeniedException"
        | "AccessDeniedForDependencyException"
        | "AuthorizationError"
        | "AuthorizationErrorException"
        | "NotAuthorized"
        | "NotAuthorizedException"
        // The key of an encrypted queue or topic (API references of Amazon SQS, `SendMessage`, and
        // Amazon SNS, `Publish`, documented).
        | "KMS.AccessDeniedException"
        | "KmsAccessDenied"
        | "KMSAccessDenied"
        | "UnauthorizedOperation"
        | "UnauthorizedException" => CallErrorKind::AccessDenied,
        // `LimitExceededException` isn't among them, although the SDK retries it: AWS KMS answers
        // it for a policy that is too long, AWS Backup for a quota.
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "ProvisionedThroughputExceededException"
        | "BandwidthLimitExceeded"
        | "SlowDown"
        | "KMS.ThrottlingException"
        | "KmsThrottled"
        | "KMSThrottling"
        | "PriorRequestNotComplete"
        | "ReplicatedWriteConflictException"
        | "TransactionConflictException"
        | "TransactionInProgressException" => CallErrorKind::Throttled,
        "RequestTimeout" | "RequestTimeoutException" | "DependencyTimeoutException" => {
            CallErrorKind::Timeout
        }
        "MalformedPolicyDocument"
        | "MalformedPolicyDocumentException"
        | "PackedPolicyTooLarge"
        | "InvalidParameter"
        | "InvalidParameterException"
        | "InvalidParameterValue"
        | "InvalidParameterValueException"
        | "MissingParameterValueException"
        | "InvalidRequest"
        | "InvalidRequestException"
        | "InvalidArnException"
        | "InvalidInput"
        | "InvalidInputException"
        | "ValidationError"
        | "ValidationException"
        | "LimitExceeded"
        | "LimitExceededException"
        | "DisabledException"
        | "KMSInvalidStateException"
        | "UnsupportedOperationException" => CallErrorKind::Rejected,
        _ if status >= 500 => CallErrorKind::Unavailable,
        _ => CallErrorKind::Failed,
    }
}

/// The kind of an answer that carries no code, from a proxy for example.
const fn kind_of_status(status: u16) -> CallErrorKind {
    match status {
        // A success that can't be parsed reaches us as an error of the service.
        200..=299 => CallErrorKind::Unreadable,
        401 | 403 => CallErrorKind::AccessDenied,
        408 | 504 => CallErrorKind::Timeout,
        429 => CallErrorKind::Throttled,
        500..=599 => CallErrorKind::Unavailable,
        _ => CallErrorKind::Failed,
    }
}

fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |cause: &&'e (dyn Error + 'static)| {
        (*cause).source()
    })
}

/// The error with its causes, each said once.
fn told(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for cause in chain(error).map(ToString::to_string) {
        if !text.ends_with(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    text
}

/// Without characters that can't be seen or that change the reading direction, without what no person
/// reads, and not too long.
fn cleaned(text: &str) -> String {
    let text = condensed(text);
    let mut clean: String = text
        .chars()
        .take(LONGEST_DETAIL)
        .map(|c| if is_hidden(c) { ' ' } else { c })
        .collect();
    if text.chars().nth(LONGEST_DETAIL).is_some() {
        clean.push('…');
    }
    clean
}
