//! The protocols that answer in JSON: `awsJson1_0`, `awsJson1_1` and `restJson1` (Smithy, "AWS
//! protocols", documented).

use aws_smithy_types::error::ErrorMetadata;
use copymend_remediation::ports::CallResult;
use serde::de::DeserializeOwned;

use crate::error::Call;

/// Reads an answer.
pub(crate) fn read<T: DeserializeOwned>(call: &Call, answer: &str) -> CallResult<T> {
    serde_json::from_str(answer).map_err(|error| call.unreadable(error.to_string()))
}

/// An error: its code in `__type` or `code`, behind a `#` where a namespace stands before it.
pub(crate) fn error(body: &[u8]) -> ErrorMetadata {
    let mut error = ErrorMetadata::builder();
    // What is no JSON, from a proxy for example, carries no code.
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |names: &[&str]| {
        let found = names.iter().find_map(|name| answer.get(name)?.as_str());
        found.map(ToOwned::to_owned)
    };
    if let Some(code) = text(&["__type", "code"]) {
        error = error.code(super::plain_code(&code));
    }
    if let Some(message) = text(&["message", "Message", "errorMessage"]) {
        error = error.message(message);
    }
    error.build()
}
