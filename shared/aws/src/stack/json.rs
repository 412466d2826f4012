//! Calls of services that answer in JSON.

use aws_config::SdkConfig;
use serde_json::Value;

use crate::signed::json::error;
pub(super) use crate::signed::json::read;
use crate::signed::{Answering, Protocol, Service, send};

/// A service of the protocol `awsJson1_1`.
#[derive(Clone, Copy, Debug)]
pub(super) struct JsonService {
    pub(super) service: Service,
}

/// The headers of one operation, of which one names it.
pub(super) const fn protocol(headers: &'static [(&'static str, &'static str)]) -> Protocol {
    let target = None;
    Protocol {
        headers,
        target,
        error,
    }
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
