//! Amazon SQS: the messages of the queue of delayed retries are kept here, too, since SQS gives none
//! away before its time. All else of SQS is passed on, and these messages are as well.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use copymend_remediation::ports::{Clock as _, Reads as _};
use copymend_sandbox::delivery_of;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::forward::{forward_read, read_body};
use crate::hub::DELAYED_RETRIES;
use crate::scope::Scope;
use crate::server::App;

const SEND: &str = "AmazonSQS.SendMessage";

/// A message that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    region: String,
    input: Value,
    sent: Timestamp,
}

impl Kept {
    fn text(&self, name: &str) -> &str {
        self.input
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// What was sent.
    pub(crate) fn told(&self) -> Value {
        json!({"input": self.input, "sent_at": self.sent})
    }

    /// What Lambda hands the function.
    pub(crate) fn delivered(&self) -> Value {
        let mut parts = self.text("QueueUrl").rsplit('/');
        let name = parts.next().unwrap_or_default();
        let account = parts.next().unwrap_or_default();
        let queue = format!("arn:aws:sqs:{}:{account}:{name}", self.region);
        delivery_of(self.text("MessageBody"), &queue, self.sent)
    }
}

pub(crate) async fn answer(app: &App, request: Request) -> Response {
    let request = match read_body(request).await {
        Ok(request) => request,
        Err(error) => return error.into_response(),
    };
    let message = of_request(app, &request);
    let response = forward_read(app, request).await;
    if let Some(message) = message.filter(|_| response.status() == StatusCode::OK) {
        app.delayed_retries().push_back(message);
    }
    response
}

/// The message to the queue of delayed retries that a request sends.
fn of_request(app: &App, request: &axum::http::Request<hyper::body::Bytes>) -> Option<Kept> {
    let target = request.headers().get("x-amz-target")?;
    if target != SEND {
        return None;
    }
    let kept = Kept {
        region: Scope::of(request.headers())?.region,
        input: serde_json::from_slice(request.body()).ok()?,
        sent: app.sandbox().clock().now(),
    };
    let name = kept.text("QueueUrl").rsplit('/').next();
    (name == Some(DELAYED_RETRIES)).then_some(kept)
}
