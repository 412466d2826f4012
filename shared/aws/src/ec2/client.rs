//! A client of the query protocol of Amazon EC2.

use aws_config::SdkConfig;

use super::answer;
use crate::signed::{Answering, Protocol, Service, not_made, send};

/// The version of the API (Amazon EC2 API reference, "Query requests", documented).
const VERSION: &str = "2016-11-15";
const SERVICE: Service = Service {
    prefix: "ec2",
    id: "EC2",
    name: "Amazon EC2",
};
const PROTOCOL: Protocol = Protocol {
    headers: &[("content-type", "application/x-www-form-urlencoded")],
    target: None,
    error: answer::error,
};

/// Sends queries to Amazon EC2 in one account and Region.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    config: SdkConfig,
}

impl Client {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self {
            config: config.clone(),
        }
    }

    /// Sends a query with these parameters.
    #[cfg(feature = "proving")]
    pub(crate) fn query(&self, action: &'static str, parameters: &[(&str, &str)]) -> Answering {
        let mut body = format!("Action={action}&Version={VERSION}");
        for (name, value) in parameters {
            body.extend(["&", name, "=", &crate::percent::encode(value)]);
        }
        send(&self.config, SERVICE, PROTOCOL, action, body)
    }

    /// Describes the images or snapshots with these ids.
    pub(super) fn describe(
        &self,
        action: &'static str,
        parameter: &str,
        ids: &[&str],
    ) -> Answering {
        let is_plain = |id: &&str| id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !ids.iter().all(is_plain) {
            return not_made("an id holds more than letters, digits and hyphens");
        }
        let mut body = format!("Action={action}&Version={VERSION}");
        for (number, id) in (1_usize..).zip(ids) {
            body.extend(["&", parameter, ".", &number.to_string(), "=", id]);
        }
        send(&self.config, SERVICE, PROTOCOL, action, body)
    }
}
