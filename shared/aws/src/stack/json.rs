//! Calls of services that answer in JSON.

use aws_config::SdkConfig;
use copymend_remediation::ports::CallResult;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Call;
use crate::signed::{Answering, Protocol, Service, send};
use crate::tags::error;

/// A service of the protocol `awsJson1_1`.
#[derive(Clone, Copy, Debug)]
pub(super) struct JsonService {
    pub(super) service: Service,
}

/// The headers of one operation, of which one names it.
pub(super) const fn protocol(headers: &'static [(&'static str, &'static str)]) -> Protocol {
    Protocol { headers, error }
}

impl JsonService {
    pub(super) fn send(
        self,
        config: &SdkConfig,
        headers: &'static [(&'static str, &'static str)],
        action: &'static str,
        body: &Value,
    ) -> Answering {
        send(
            config,
            self.service,
            protocol(headers),
            action,
            body.to_string(),
        )
    }
}

/// Reads an answer.
pub(super) fn read<T: DeserializeOwned>(call: &Call, answer: &str) -> CallResult<T> {
    serde_json::from_str(answer).map_err(|error| call.unreadable(error.to_string()))
}
