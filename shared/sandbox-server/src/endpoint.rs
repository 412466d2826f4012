//! A client for plain HTTP on this machine.

use std::str::FromStr;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::header::HOST;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// An address such as `http://127.0.0.1:5000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    authority: String,
}

/// A text that is no address of plain HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must look like http://127.0.0.1:5000")]
pub struct InvalidEndpoint;

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidEndpoint> {
        let authority = text
            .strip_prefix("http://")
            .map(|rest| rest.trim_end_matches('/'))
            .filter(|authority| !authority.is_empty() && !authority.contains(['/', '@', '?', '#']))
            .ok_or(InvalidEndpoint)?;
        Ok(Self {
            authority: authority.to_owned(),
        })
    }
}

/// A call that got no answer, or none that makes sense.
#[derive(Debug, thiserror::Error)]
#[error("no answer from {endpoint}: {reason}")]
pub struct NoAnswer {
    endpoint: String,
    reason: String,
}

/// A request to one of AWS's services.
#[derive(Debug)]
pub(crate) struct AwsCall<'a> {
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) access_key: &'a str,
    /// The operation for services with JSON bodies, such as `TrentService.DescribeKey`.
    pub(crate) target: Option<&'a str>,
    pub(crate) body: String,
}

impl Endpoint {
    /// Asks a running sandbox for the EventBridge event of a copy job, by its id or its name in the
    /// world file; `None` where it has no such job.
    pub async fn event(&self, name: &str) -> Result<Option<Value>, NoAnswer> {
        let encoded: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
        // In a path a space is not written as a plus.
        let path = format!("/_sandbox/event/{}", encoded.replace('+', "%20"));
        let (status, text) = self.text(Request::get(path).body(Full::default())).await?;
        if status.is_success() {
            return serde_json::from_str(&text)
                .map(Some)
                .map_err(|error| self.no_answer(&error));
        }
        if text.contains("ResourceNotFoundException") {
            return Ok(None);
        }
        Err(NoAnswer {
            endpoint: self.authority.clone(),
            reason: format!("{status}, is it a sandbox? {text}"),
        })
    }

    /// Sends a request. Nothing checks signatures here; the access key alone says whose call it is.
    pub(crate) async fn send(&self, call: AwsCall<'_>) -> Result<(StatusCode, String), NoAnswer> {
        let AwsCall {
            service,
            region,
            access_key,
            target,
            body,
        } = call;
        let content_type = match target {
            Some(_) => "application/x-amz-json-1.1",
            None => "application/x-www-form-urlencoded",
        };
        let mut request = Request::post("/")
            .header("content-type", content_type)
            .header(
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential={access_key}/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"
                ),
            );
        if let Some(target) = target {
            request = request.header("x-amz-target", target);
        }
        self.text(request.body(Full::new(Bytes::from(body)))).await
    }

    async fn text(
        &self,
        request: Result<Request<Full<Bytes>>, axum::http::Error>,
    ) -> Result<(StatusCode, String), NoAnswer> {
        let request = request.map_err(|error| self.no_answer(&error))?;
        let (parts, body) = self.exchange(request).await?.into_parts();
        Ok((parts.status, String::from_utf8_lossy(&body).into_owned()))
    }

    /// Sends a request as it is, on a connection of its own, and reads the whole answer. A request
    /// without `Host` gets this address.
    pub(crate) async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, NoAnswer> {
        self.try_exchange(request)
            .await
            .map_err(|error| self.no_answer(&*error))
    }

    fn no_answer(&self, reason: &dyn std::error::Error) -> NoAnswer {
        NoAnswer {
            endpoint: self.authority.clone(),
            reason: reason.to_string(),
        }
    }

    async fn try_exchange(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(&self.authority).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let headers = request.headers_mut();
        if !headers.contains_key(HOST) {
            headers.insert(HOST, self.authority.parse()?);
        }
        headers.insert("connection", "close".parse()?);
        let (parts, body) = sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Response::from_parts(parts, body))
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn an_endpoint_is_plain_http_without_a_path() {
        assert!("http://127.0.0.1:5000/".parse::<Endpoint>().is_ok());
        for text in [
            "",
            "127.0.0.1:5000",
            "https://127.0.0.1",
            "http://",
            "http://a/b",
            "http://a?b",
        ] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }
}
