//! Amazon EventBridge: each message is an event (API reference, `PutEvents`, documented).

use aws_config::SdkConfig;
use copymend_remediation::ports::{CallErrorKind, CallResult};
use copymend_report::Notice;
use serde::Deserialize;
use serde_json::json;

use super::in_its_region;
use crate::error::{Call, kind_of};
use crate::signed::{Protocol, Service, send};

/// The source of every event. No rule of Copymend's own matches it.
const SOURCE: &str = "copymend.report";
const EVENTS: Service = Service {
    prefix: "events",
    id: "EventBridge",
    name: "Amazon EventBridge",
};
const PUT_EVENTS: Protocol = Protocol {
    headers: &[
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", "AWSEvents.PutEvents"),
    ],
    target: None,
    error: crate::signed::json::error,
};
/// An event may have 1 MB, but most of what a rule sends it to takes 256 KiB (Amazon SNS and Amazon SQS
/// quotas, documented), in which it stands with its source, its time and its resources.
const LONGEST_DETAIL: usize = 240_000;
/// The codes that the same event may well get past a little later (API reference,
/// `PutEventsResultEntry`, documented); the other one is `ThrottlingException`.
const INTERNAL: [&str; 2] = ["InternalFailure", "InternalException"];

/// The bus of `COPYMEND_REPORT_BUS`, in the account and Region of its ARN or of the function.
#[derive(Debug)]
pub(super) struct ReportBus {
    config: SdkConfig,
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    failed_entry_count: u32,
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Entry {
    error_code: Option<String>,
    error_message: Option<String>,
}

impl ReportBus {
    pub(super) fn new(config: &SdkConfig, bus: &str) -> Self {
        Self {
            config: in_its_region(config, bus),
            name: bus.to_owned(),
        }
    }

    /// Puts one event. A bus that doesn't exist takes it and loses it (the same page, documented):
    /// `copymend doctor` looks whether it is there.
    pub(super) async fn put(&self, notice: &Notice<'_>) -> CallResult<()> {
        let call = Call::new("events:PutEvents", &self.name);
        let body = json!({"Entries": [{
            "Source": SOURCE,
            "DetailType": notice.kind.detail_type(),
            "Detail": notice.json_within(LONGEST_DETAIL, str::len),
            "EventBusName": self.name,
            "Resources": notice.resources,
        }]});
        let answer = send(
            &self.config,
            EVENTS,
            PUT_EVENTS,
            "PutEvents",
            body.to_string(),
        );
        let answer = call.send(answer).await?;
        let answer: Answer =
            serde_json::from_str(&answer).map_err(|error| call.unreadable(error.to_string()))?;
        if answer.failed_entry_count == 0 {
            return Ok(());
        }
        // Some entries failed, and the answer's status is that of a success all the same.
        let failed = answer
            .entries
            .into_iter()
            .find(|entry| entry.error_code.is_some());
        let Entry {
            error_code,
            error_message,
        } = failed.unwrap_or_default();
        let code = error_code.unwrap_or_default();
        let kind = if INTERNAL.contains(&code.as_str()) {
            CallErrorKind::Unavailable
        } else {
            kind_of(&code, 400)
        };
        let message = error_message.unwrap_or_default();
        Err(call.error(kind, format!("{code}: {message}")))
    }
}
