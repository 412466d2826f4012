//! Policies as IAM answers them.

use copymend_policy::PolicyDocument;
use copymend_remediation::ports::CallResult;

use crate::error::Call;
use crate::member::text;
use crate::percent;

/// IAM answers policies URL-encoded (RFC 3986); a plain one, which can't start with an escape, is
/// left alone.
pub(super) fn decoded(document: &str) -> Option<String> {
    if document.trim_start().starts_with('{') {
        return Some(document.to_owned());
    }
    text(percent::decode(document)?.as_str().into())
}

/// The policy named `name`. Leaving out one that can't be read could hide a Deny, so that is an
/// error.
pub(super) fn read(call: &Call, name: &str, document: Option<&str>) -> CallResult<PolicyDocument> {
    let document = document.and_then(decoded).ok_or_else(|| {
        call.unreadable(format!(
            "the document of the policy `{name}` is missing or is not URL-encoded text"
        ))
    })?;
    PolicyDocument::parse(&document)
        .map_err(|error| call.unreadable(format!("the policy `{name}`: {error}")))
}
