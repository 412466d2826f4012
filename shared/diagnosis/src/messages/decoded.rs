//! A decoded authorization message.
//!
//! `sts:DecodeAuthorizationMessage` answers with a JSON that holds who asked, the action, the
//! resource, and whether a Deny matched (AWS STS API reference, `DecodeAuthorizationMessage`,
//! documented). People paste it as it is, or inside the JSON of the answer, where its quotes are
//! escaped.

use serde::Deserialize;

use super::access_denied::{AccessDenial, Sentence};
use super::text;
use super::verb::Verb;

/// A fragment of its plain text, by which it is told.
pub(super) const SIGN: &str = "explicitdeny\":";

/// It is no longer than this (`DecodedMessage` has no documented limit; inferred from the 10,240
/// characters of the encoded one).
const LONGEST: usize = 65_536;

/// Read in lower case, as letter case makes no difference in a message.
#[derive(Deserialize)]
struct Decoded {
    allowed: bool,
    #[serde(rename = "explicitdeny")]
    explicit_deny: bool,
    context: Context,
}

#[derive(Deserialize)]
struct Context {
    principal: Option<Principal>,
    action: Option<String>,
    resource: Option<String>,
}

#[derive(Deserialize)]
struct Principal {
    arn: Option<String>,
}

/// The refusal that the message holds decoded, if it does.
pub(super) fn parse(message: &str) -> Option<Sentence<'_>> {
    let part = message.get(..message.floor_char_boundary(LONGEST))?;
    let allowed = text::find(part, "allowed", 0)?;
    let start = part.get(..allowed)?.rfind('{')?;
    let json = part.get(start..)?.replace('\\', "").to_ascii_lowercase();
    let mut values = serde_json::Deserializer::from_str(&json).into_iter::<Decoded>();
    let decoded = values.next()?.ok()?;
    if decoded.allowed {
        return None;
    }
    let context = decoded.context;
    let slice = |value: Option<String>| {
        let text = value.filter(|value| !value.is_empty())?;
        let at = text::find(message, &text, 0)?;
        message.get(at..at + text.len())
    };
    let denial = AccessDenial {
        principal: slice(context.principal.and_then(|principal| principal.arn)),
        action: slice(context.action),
        resource: slice(context.resource),
        explicit: decoded.explicit_deny,
        ..AccessDenial::default()
    };
    Some(Sentence {
        denial,
        verb: Verb::Perform,
        leaves_a_deny_open: false,
    })
}
