//! What isn't answered here goes to the other endpoint as it came, and its answer goes back as it
//! is.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONNECTION, EXPECT, HeaderName, TRANSFER_ENCODING};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use http_body_util::Full;
use hyper::body::Bytes;

use crate::error::AwsError;
use crate::server::App;

/// The largest body that is passed on, in bytes. The largest that AWS takes of the functions' calls
/// is one megabyte (Lambda's event, SNS's message).
const LARGEST_BODY: usize = 16 << 20;

/// Headers that are about one connection, not about the message (documented: RFC 9110, section
/// 7.6.1).
const OF_THE_CONNECTION: [HeaderName; 4] = [
    CONNECTION,
    TRANSFER_ENCODING,
    EXPECT,
    HeaderName::from_static("keep-alive"),
];

/// Passes a request on: method, path, query, headers and body.
pub(crate) async fn forward(app: &App, request: Request) -> Response {
    match read_body(request).await {
        Ok(request) => forward_read(app, request).await,
        Err(error) => error.into_response(),
    }
}

/// The request with its whole body.
pub(crate) async fn read_body(request: Request) -> Result<axum::http::Request<Bytes>, AwsError> {
    let (parts, body) = request.into_parts();
    match to_bytes(body, LARGEST_BODY).await {
        Ok(body) => Ok(axum::http::Request::from_parts(parts, body)),
        Err(error) => Err(AwsError::new(
            "RequestEntityTooLargeException",
            format!("the body could not be read: {error}"),
        )),
    }
}

/// Passes a request on whose body was read.
pub(crate) async fn forward_read(app: &App, request: axum::http::Request<Bytes>) -> Response {
    let Some(endpoint) = app.upstream().endpoint() else {
        let message =
            "the sandbox itself doesn't answer this, and no other endpoint is behind it (`--aws`)";
        return AwsError::new("ServiceUnavailableException", message).into_response();
    };
    let mut request = request.map(Full::new);
    without_connection(request.headers_mut());
    match endpoint.exchange(request).await {
        Ok(answer) => {
            let mut answer = answer.map(Body::from);
            without_connection(answer.headers_mut());
            answer
        }
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

fn without_connection(headers: &mut HeaderMap) {
    for name in &OF_THE_CONNECTION {
        headers.remove(name);
    }
}
