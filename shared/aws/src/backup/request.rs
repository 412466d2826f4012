//! Requests to AWS Backup, of the protocol `restJson1` (AWS Backup API reference, "Request Syntax" of each
//! operation, documented).

use aws_config::SdkConfig;
use serde_json::Value;

use crate::percent;
use crate::signed::{Answering, Line, Protocol, Service, json, not_made, send_to};

const SERVICE: Service = Service {
    prefix: "backup",
    id: "Backup",
    name: "AWS Backup",
};
const READ: Protocol = Protocol {
    headers: &[],
    target: None,
    error: json::error,
};
const WRITE: Protocol = Protocol {
    headers: &[("content-type", "application/json")],
    ..READ
};

/// A path with its query.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    text: String,
    has_query: bool,
    is_whole: bool,
}

impl Path {
    /// A path of these parts. What isn't text of the API itself is escaped.
    pub(crate) fn of(parts: &[&str]) -> Self {
        let mut text = String::new();
        for part in parts {
            text.push('/');
            text.push_str(&percent::encode(part));
        }
        Self {
            text,
            has_query: false,
            is_whole: parts.iter().all(|part| !part.is_empty()),
        }
    }

    /// The same with a parameter, where it has a value.
    pub(crate) fn with(mut self, name: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.text.push(if self.has_query { '&' } else { '?' });
            self.has_query = true;
            self.text.extend([name, "=", &percent::encode(value)]);
        }
        self
    }
}

/// Sends a `GET`. A path one of whose parts is empty would be that of another operation.
pub(crate) fn get(config: &SdkConfig, action: &'static str, path: Path) -> Answering {
    if !path.is_whole {
        return not_made("a name or id is empty");
    }
    let line = Line::get(path.text);
    send_to(config, SERVICE, READ, action, line, String::new())
}

/// Sends a `PUT` with a body.
pub(super) fn put(config: &SdkConfig, action: &'static str, path: Path, body: &Value) -> Answering {
    if !path.is_whole {
        return not_made("a name or id is empty");
    }
    let line = Line::put(path.text);
    send_to(config, SERVICE, WRITE, action, line, body.to_string())
}
