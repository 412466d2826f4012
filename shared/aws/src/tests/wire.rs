//! A connection that answers what a test wrote down and keeps what was sent.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

/// An answer. Status 0 never comes.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    status: u16,
    error_type: Option<&'static str>,
    body: String,
}

pub(super) fn ok(body: impl Into<String>) -> Reply {
    Reply {
        status: 200,
        error_type: None,
        body: body.into(),
    }
}

pub(super) fn status(status: u16, body: &str) -> Reply {
    Reply {
        status,
        error_type: None,
        body: body.to_owned(),
    }
}

/// No answer ever.
pub(super) fn silence() -> Reply {
    status(0, "")
}

/// An error of a JSON protocol, with the code in the header as AWS Backup sends it.
pub(super) fn json_error(status: u16, code: &'static str, message: &str) -> Reply {
    Reply {
        status,
        error_type: Some(code),
        body: serde_json::json!({ "message": message }).to_string(),
    }
}

/// An error of a JSON protocol, with the code in the body.
pub(super) fn typed_error(code: &str, message: &str) -> Reply {
    let body = serde_json::json!({ "__type": format!("com.amazonaws#{code}"), "message": message });
    status(400, &body.to_string())
}

/// An error of the query protocol.
pub(super) fn xml_error(status_code: u16, code: &str, message: &str) -> Reply {
    status(
        status_code,
        &format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
        ),
    )
}

pub(super) fn identity(account: &str) -> Reply {
    ok(format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>arn:aws:sts::{account}:assumed-role/Copymend/f</Arn><UserId>AROA:f</UserId><Account>{account}</Account>\
         </GetCallerIdentityResult></GetCallerIdentityResponse>"
    ))
}

pub(super) fn assumed(key: &str, account: &str) -> Reply {
    ok(format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <AssumedRoleUser><Arn>arn:aws:sts::{account}:assumed-role/Member/copymend</Arn><AssumedRoleId>A:copymend</AssumedRoleId></AssumedRoleUser>\
         <Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
         <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    ))
}

/// What was sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) operation: String,
    pub(super) uri: String,
    pub(super) authorization: String,
    pub(super) body: String,
    headers: HashMap<String, String>,
}

impl Sent {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Debug, Default)]
struct State {
    once: HashMap<String, VecDeque<Reply>>,
    holding: Vec<(String, String, Reply)>,
    always: HashMap<String, Reply>,
    sent: Vec<Sent>,
}

/// Requests are told apart by `X-Amz-Target`, by `Action`, or by method and path.
#[derive(Clone, Debug, Default)]
pub(super) struct Wire(Arc<Mutex<State>>);

impl Wire {
    /// Answers the next request of this operation that isn't answered yet.
    pub(super) fn once(&self, operation: &str, reply: Reply) -> &Self {
        let mut state = self.0.lock().unwrap();
        state
            .once
            .entry(operation.to_owned())
            .or_default()
            .push_back(reply);
        drop(state);
        self
    }

    /// Answers all requests of this operation that hold `part` in their body: for calls that go out
    /// at the same time.
    pub(super) fn holding(&self, operation: &str, part: &str, reply: Reply) -> &Self {
        let mut state = self.0.lock().unwrap();
        state
            .holding
            .push((operation.to_owned(), part.to_owned(), reply));
        drop(state);
        self
    }

    /// Answers all other requests of this operation.
    pub(super) fn always(&self, operation: &str, reply: Reply) -> &Self {
        let mut state = self.0.lock().unwrap();
        state.always.insert(operation.to_owned(), reply);
        drop(state);
        self
    }

    /// All that was sent for an operation.
    pub(super) fn sent(&self, operation: &str) -> Vec<Sent> {
        let state = self.0.lock().unwrap();
        state
            .sent
            .iter()
            .filter(|sent| sent.operation == operation)
            .cloned()
            .collect()
    }

    /// Everything that was sent.
    pub(super) fn all_sent(&self) -> Vec<Sent> {
        self.0.lock().unwrap().sent.clone()
    }

    pub(super) fn client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }
}

fn operation(request: &HttpRequest, body: &str) -> String {
    if let Some(target) = request.headers().get("x-amz-target") {
        return target.rsplit('.').next().unwrap().to_owned();
    }
    if let Some(action) = body.strip_prefix("Action=") {
        return action.split('&').next().unwrap().to_owned();
    }
    let (_, after_scheme) = request.uri().split_once("://").unwrap();
    let path = after_scheme.split_once('/').map_or("", |(_, path)| path);
    let path = path.split('?').next().unwrap().trim_end_matches('/');
    format!("{} /{path}", request.method())
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8(request.body().bytes().unwrap_or_default().to_vec()).unwrap();
        let operation = operation(&request, &body);
        let mut state = self.0.lock().unwrap();
        state.sent.push(Sent {
            operation: operation.clone(),
            uri: request.uri().to_owned(),
            authorization: request
                .headers()
                .get("authorization")
                .unwrap_or_default()
                .to_owned(),
            body: body.clone(),
            headers: request
                .headers()
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        });
        let reply = state
            .once
            .get_mut(&operation)
            .and_then(VecDeque::pop_front)
            .or_else(|| {
                let fits = |(name, part, _): &&(String, String, Reply)| {
                    *name == operation && body.contains(part.as_str())
                };
                let found = state.holding.iter().find(fits);
                found.map(|(_, _, reply)| reply.clone())
            })
            .or_else(|| state.always.get(&operation).cloned())
            .unwrap_or_else(|| panic!("no answer for `{operation}`: {body}"));
        drop(state);
        if reply.status == 0 {
            return HttpConnectorFuture::new(std::future::pending());
        }
        let mut response = HttpResponse::new(
            StatusCode::try_from(reply.status).unwrap(),
            SdkBody::from(reply.body),
        );
        if let Some(code) = reply.error_type {
            let header = format!("{code}:http://internal.amazon.com/coral/com.amazonaws/");
            response.headers_mut().insert("x-amzn-errortype", header);
        }
        HttpConnectorFuture::ready(Ok(response))
    }
}
