//! The parts of a question that other programs write as JSON.

use std::collections::BTreeMap;

use copymend_policy::{PolicyDocument, Request};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Condition keys and their values.
pub(super) type Context<'q> = BTreeMap<String, &'q RawValue>;

/// The request of a question. A context, where there is one, keeps its text: numbers count as they
/// are written.
#[derive(Deserialize)]
pub(super) struct RequestInput<'q> {
    principal: String,
    action: String,
    pub(super) resource: String,
    pub(super) resource_account: Option<String>,
    #[serde(borrow)]
    context: Option<Context<'q>>,
}

impl RequestInput<'_> {
    pub(super) fn request(&self, unknown: Option<&[String]>) -> Result<Request, String> {
        let mut request = Request::new(&self.principal, &self.action, &self.resource);
        for (key, values) in self.context.iter().flatten() {
            request = request.with_context(key, texts(key, values)?);
        }
        for key in unknown.unwrap_or_default() {
            request = request.with_unknown(key);
        }
        Ok(request)
    }
}

/// A policy: an object, or a string that holds one.
pub(super) fn document(raw: &RawValue) -> Result<PolicyDocument, String> {
    let text = raw.get();
    let parsed = if text.starts_with('"') {
        let inner: String = serde_json::from_str(text).map_err(|error| error.to_string())?;
        PolicyDocument::parse(&inner)
    } else {
        PolicyDocument::parse(text)
    };
    parsed.map_err(|error| error.to_string())
}

/// The values of a condition key: a list or one value.
fn texts(key: &str, values: &RawValue) -> Result<Vec<String>, String> {
    if values.get().starts_with('[') {
        let values: Vec<&RawValue> =
            serde_json::from_str(values.get()).map_err(|error| error.to_string())?;
        values.into_iter().map(|value| text(key, value)).collect()
    } else {
        Ok(vec![text(key, values)?])
    }
}

/// A string's content; the JSON text of a number or boolean.
fn text(key: &str, value: &RawValue) -> Result<String, String> {
    let text = value.get();
    match text.bytes().next() {
        Some(b'"') => serde_json::from_str(text).map_err(|error| error.to_string()),
        Some(b't' | b'f' | b'-' | b'0'..=b'9') => Ok(text.to_owned()),
        Some(_) | None => Err(format!(
            "the condition key `{key}` has a value that is no string, number or boolean"
        )),
    }
}
