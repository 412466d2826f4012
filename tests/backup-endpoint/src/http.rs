//! A client for plain HTTP on the loopback interface.

use std::str::FromStr;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// An address such as `http://127.0.0.1:5000`.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    authority: String,
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let authority = text
            .strip_prefix("http://")
            .map(|rest| rest.trim_end_matches('/'))
            .filter(|authority| !authority.is_empty() && !authority.contains('/'))
            .ok_or("it must look like http://127.0.0.1:5000")?;
        Ok(Self {
            authority: authority.to_owned(),
        })
    }
}

/// A call that got no answer.
#[derive(Debug, thiserror::Error)]
#[error("no answer from {endpoint}: {reason}")]
pub(crate) struct NoAnswer {
    endpoint: String,
    reason: String,
}

/// A request to one of AWS's services.
pub(crate) struct AwsCall<'a> {
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) access_key: &'a str,
    /// The operation for services with JSON bodies, such as `TrentService.DescribeKey`.
    pub(crate) target: Option<&'a str>,
    pub(crate) body: String,
}

impl Endpoint {
    /// Sends a request. Nothing checks signatures here; the access key alone says whose call it is.
    pub(crate) async fn send(&self, call: AwsCall<'_>) -> Result<(StatusCode, String), NoAnswer> {
        self.exchange(call).await.map_err(|error| NoAnswer {
            endpoint: self.authority.clone(),
            reason: error.to_string(),
        })
    }

    async fn exchange(
        &self,
        call: AwsCall<'_>,
    ) -> Result<(StatusCode, String), Box<dyn std::error::Error + Send + Sync>> {
        let AwsCall {
            service,
            region,
            access_key,
            target,
            body,
        } = call;
        let stream = TcpStream::connect(&self.authority).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let content_type = match target {
            Some(_) => "application/x-amz-json-1.1",
            None => "application/x-www-form-urlencoded",
        };
        let mut request = Request::post("/")
            .header("host", &self.authority)
            .header("connection", "close")
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
        let response = sender
            .send_request(request.body(Full::new(Bytes::from(body)))?)
            .await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}
