//! AWS's errors on the wire, and why the server can't start.

use std::io;
use std::net::SocketAddr;

use axum::Json;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use copymend_remediation::ports::{CallError, CallErrorKind};
use serde_json::json;

/// An error as services with JSON answers give it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AwsError {
    code: String,
    message: String,
}

impl AwsError {
    pub(crate) fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
        }
    }

    pub(crate) fn denied(message: impl Into<String>) -> Self {
        Self::new("AccessDeniedException", message)
    }

    /// What AWS Backup answers for a vault that isn't there, to a caller with every permission: it
    /// tells nobody which vaults exist (seen: boto/boto3#2269, aws/aws-sdk-js#2625,
    /// ansible-collections/amazon.aws#1436, for `ListRecoveryPointsByBackupVault` and
    /// `DescribeBackupVault`; inferred for the other operations on a vault).
    pub(crate) fn no_such_vault() -> Self {
        Self::denied("Insufficient privileges to perform this action.")
    }

    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::new("ResourceNotFoundException", what)
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterValueException", message)
    }

    /// Words that begin with AWS's error code.
    pub(crate) fn of_words(words: &str) -> Self {
        match words.split_once(": ") {
            Some((code, message)) if !code.contains(' ') => {
                let code = match code {
                    "AccessDenied" => "AccessDeniedException",
                    other => other,
                };
                Self::new(code, message)
            }
            Some(_) | None => Self::denied(words),
        }
    }

    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}

impl From<CallError> for AwsError {
    /// The sandbox's details begin with AWS's error code.
    fn from(error: CallError) -> Self {
        let (code, message) = match error.detail.split_once(": ") {
            Some((code, message)) if code.ends_with("Exception") => {
                (code.to_owned(), message.to_owned())
            }
            Some(_) | None => {
                let code = match error.kind {
                    CallErrorKind::AccessDenied => "AccessDeniedException",
                    CallErrorKind::Throttled => "ThrottlingException",
                    CallErrorKind::Timeout
                    | CallErrorKind::Unavailable
                    | CallErrorKind::Unreadable
                    | CallErrorKind::Failed => "ServiceUnavailableException",
                    CallErrorKind::Rejected => "InvalidParameterValueException",
                };
                (code.to_owned(), error.detail)
            }
        };
        Self { code, message }
    }
}

impl IntoResponse for AwsError {
    fn into_response(self) -> Response {
        let status = match self.code.as_str() {
            "AccessDeniedException" | "MissingAuthenticationTokenException" => {
                StatusCode::FORBIDDEN
            }
            "ServiceUnavailableException" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        let header = HeaderName::from_static("x-amzn-errortype");
        let body = json!({"__type": self.code, "Code": self.code, "Message": self.message, "Type": "Client"});
        (status, [(header, self.code)], Json(body)).into_response()
    }
}

/// Why the server can't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is taken, or isn't this machine's.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The world has nowhere for the functions to run.
    #[error("the world has no account with a Region")]
    NoHub,
    /// The other endpoint refuses what the functions need there.
    #[error("cannot prepare what the functions need: {0}")]
    Prepare(String),
}
