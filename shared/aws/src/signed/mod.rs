//! Requests that are sent by the SDK's own runtime, without a client of the SDK for their service:
//! signing, retries, timeouts, headers and the HTTP client are those of every other client (ADR 018).

mod endpoint;
pub(crate) mod json;
pub(crate) mod query;
pub(crate) mod xml;

use std::pin::Pin;

use aws_config::{Region, SdkConfig};
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::recursion_detection::RecursionDetectionInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::service_clock_skew::ServiceClockSkewInterceptor;
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_runtime::client::orchestrator::operation::{Operation, OperationBuilder};
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::SigningRegion;

use crate::error::Answer;
use endpoint::Place;
pub(crate) use endpoint::suffix;

/// A service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service {
    /// The prefix of its endpoints, by which it is signed for, too.
    pub(crate) prefix: &'static str,
    /// The id by which the environment names it in `AWS_ENDPOINT_URL_…`.
    pub(crate) id: &'static str,
    /// Its name, for people.
    pub(crate) name: &'static str,
}

/// The headers of a request, and what an answer that failed is read as.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Protocol {
    pub(crate) headers: &'static [(&'static str, &'static str)],
    /// What stands before the operation's name in the header that names it, where the protocol has that
    /// header.
    pub(crate) target: Option<&'static str>,
    pub(crate) error: fn(&[u8]) -> ErrorMetadata,
}

/// The header that names the operation in the JSON protocols without paths (Smithy, "AWS JSON 1.1
/// protocol", documented).
const TARGET: &str = "x-amz-target";

/// Asks a service that had the query protocol before to name errors as it did then, in the header
/// [`QUERY_ERROR`], which goes before all others (Smithy, "awsQueryCompatible", documented).
pub(crate) const QUERY_MODE: (&str, &str) = ("x-amzn-query-mode", "true");
const QUERY_ERROR: &str = "x-amzn-query-error";

/// The header that names an error in the protocol `restJson1`, which has it nowhere else (Smithy, "AWS
/// restJson1 protocol", documented).
const ERROR_TYPE: &str = "x-amzn-errortype";

/// An answer on its way.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Answer<String, ErrorMetadata>> + Send>>;

type Signed = Operation<String, String, ErrorMetadata>;

/// How a request begins.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    method: &'static str,
    path: String,
}

impl Line {
    /// Of the protocols that name the operation elsewhere.
    fn of_operation() -> Self {
        Self::post("/".to_owned())
    }

    pub(crate) const fn post(path: String) -> Self {
        let method = "POST";
        Self { method, path }
    }

    pub(crate) const fn get(path: String) -> Self {
        let method = "GET";
        Self { method, path }
    }

    pub(crate) const fn put(path: String) -> Self {
        let method = "PUT";
        Self { method, path }
    }
}

fn request(
    line: &Line,
    body: String,
    protocol: Protocol,
    action: &'static str,
) -> Result<HttpRequest, BoxError> {
    let length = body.len().to_string();
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method(line.method)?;
    request.set_uri(line.path.as_str())?;
    request.headers_mut().try_insert("content-length", length)?;
    for (name, value) in protocol.headers {
        request.headers_mut().try_insert(*name, *value)?;
    }
    if let Some(target) = protocol.target {
        let target = format!("{target}.{action}");
        request.headers_mut().try_insert(TARGET, target)?;
    }
    Ok(request)
}

/// That a request couldn't be made.
pub(crate) fn not_made(error: impl Into<BoxError>) -> Answering {
    Box::pin(std::future::ready(Err(SdkError::construction_failure(
        error,
    ))))
}

/// Sends a body to a service in the account and Region of the configuration; answers the text of
/// the answer.
pub(crate) fn send(
    config: &SdkConfig,
    service: Service,
    protocol: Protocol,
    action: &'static str,
    body: String,
) -> Answering {
    send_to(
        config,
        service,
        protocol,
        action,
        Line::of_operation(),
        body,
    )
}

/// The same, to a path of its own.
pub(crate) fn send_to(
    config: &SdkConfig,
    service: Service,
    protocol: Protocol,
    action: &'static str,
    line: Line,
    body: String,
) -> Answering {
    match operation(config, service, protocol, action, line) {
        Ok(operation) => Box::pin(async move { operation.invoke(body).await }),
        Err(error) => not_made(error),
    }
}

/// Sends a `GET` that somebody else has signed, with the headers that are signed. It isn't signed once
/// more, and needs no credentials of our own.
pub(crate) fn send_as_signed(
    config: &SdkConfig,
    service: Service,
    protocol: Protocol,
    path: String,
    headers: Vec<(&'static str, String)>,
) -> Answering {
    const ACTION: &str = "AsSigned";
    let region = config.region().map(ToString::to_string).unwrap_or_default();
    let place = endpoint::place(config, service, &region);
    let operation = match place.and_then(|place| plain(config, service, ACTION, &place)) {
        Ok(operation) => operation.no_auth(),
        Err(error) => return not_made(error),
    };
    let operation = operation
        .serializer(move |(): ()| {
            let line = Line::get(path.clone());
            let mut request = request(&line, String::new(), protocol, ACTION)?;
            for (name, value) in &headers {
                request.headers_mut().try_insert(*name, value.clone())?;
            }
            Ok(request)
        })
        .deserializer(move |response: &HttpResponse| read(response, protocol))
        .build();
    Box::pin(async move { operation.invoke(()).await })
}

/// A request on its way to the service, with the client, the retries and the timeouts of every other one;
/// not signed yet.
fn plain(
    config: &SdkConfig,
    service: Service,
    action: &'static str,
    place: &Place,
) -> Result<OperationBuilder, String> {
    let http_client = config.http_client().ok_or("there is no HTTP client")?;
    let retries = config
        .retry_config()
        .cloned()
        .unwrap_or_else(RetryConfig::standard);
    let timeouts = config
        .timeout_config()
        .cloned()
        .unwrap_or_else(TimeoutConfig::disabled);
    let mut operation = Operation::builder()
        .service_name(service.prefix)
        .operation_name(action)
        .http_client(http_client)
        .endpoint_url(&place.url)
        .standard_retry(&retries)
        .timeout_config(timeouts)
        .retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
        .retry_classifier(AwsErrorCodeClassifier::<ErrorMetadata>::new())
        .retry_classifier(HttpStatusCodeClassifier::default())
        .with_connection_poisoning();
    if let Some(sleep) = config.sleep_impl() {
        operation = operation.sleep_impl(sleep);
    }
    if let Some(time) = config.time_source() {
        operation = operation.time_source(time);
    }
    Ok(operation)
}

fn operation(
    config: &SdkConfig,
    service: Service,
    protocol: Protocol,
    action: &'static str,
    line: Line,
) -> Result<Signed, String> {
    let region = config.region().ok_or("no Region is set")?;
    let place = endpoint::place(config, service, region.as_ref())?;
    let credentials = config
        .credentials_provider()
        .ok_or("there are no credentials")?;
    let mut layer = Layer::new("signing");
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SigV4OperationSigningConfig {
        region: Some(SigningRegion::from(Region::new(place.region.clone()))),
        name: Some(SigningName::from_static(service.prefix)),
        ..SigV4OperationSigningConfig::default()
    });
    layer.store_put(ApiMetadata::new(service.prefix, env!("CARGO_PKG_VERSION")));
    if let Some(name) = config.app_name() {
        layer.store_put(name.clone());
    }
    let mut components = RuntimeComponentsBuilder::new("signing");
    components.set_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![
        SCHEME_ID,
    ])));
    components.push_auth_scheme(SigV4AuthScheme::new());
    components.set_identity_cache(config.identity_cache());
    components.set_identity_resolver(SCHEME_ID, credentials);
    let operation = plain(config, service, action, &place)?
        .interceptor(ServiceClockSkewInterceptor::new())
        .interceptor(RequestInfoInterceptor::new())
        .interceptor(UserAgentInterceptor::new())
        .interceptor(InvocationIdInterceptor::new())
        .interceptor(RecursionDetectionInterceptor::new())
        .runtime_plugin(
            StaticRuntimePlugin::new()
                .with_config(layer.freeze())
                .with_runtime_components(components),
        );
    Ok(operation
        .serializer(move |body| request(&line, body, protocol, action))
        .deserializer(move |response: &HttpResponse| read(response, protocol))
        .build())
}

/// Where a service is reached.
#[cfg(test)]
pub(crate) fn url_of(config: &SdkConfig, service: Service, region: &str) -> Result<String, String> {
    endpoint::place(config, service, region).map(|place| place.url)
}

/// Whether another address stands for AWS's own.
#[cfg(feature = "doctor")]
pub(crate) fn is_elsewhere(config: &SdkConfig, service: Service, region: &str) -> bool {
    let own = suffix(region).map(|suffix| format!("https://{}.{region}.{suffix}", service.prefix));
    let place = endpoint::place(config, service, region).ok();
    place.map(|place| place.url) != own
}

fn read(
    response: &HttpResponse,
    protocol: Protocol,
) -> Result<String, OrchestratorError<ErrorMetadata>> {
    let body = response.body().bytes().unwrap_or_default();
    if !response.status().is_success() {
        let error = named(response, protocol, (protocol.error)(body));
        return Err(OrchestratorError::operation(error));
    }
    let text =
        std::str::from_utf8(body).map_err(|wrong| OrchestratorError::response(wrong.into()))?;
    Ok(text.to_owned())
}

/// The error with the code that a header gives it, where one does.
fn named(response: &HttpResponse, protocol: Protocol, error: ErrorMetadata) -> ErrorMetadata {
    let header = |name| response.headers().get(name);
    let of_query = protocol.headers.contains(&QUERY_MODE).then(|| {
        let (code, _) = header(QUERY_ERROR)?.split_once(';')?;
        Some(code)
    });
    let of_query = of_query.flatten();
    let Some(code) = of_query.or_else(|| header(ERROR_TYPE).map(plain_code)) else {
        return error;
    };
    let mut named = ErrorMetadata::builder().code(code);
    if let Some(message) = error.message() {
        named = named.message(message);
    }
    named.build()
}

/// The code without the namespace before it and the address after it.
fn plain_code(code: &str) -> &str {
    let code = code.split(':').next().unwrap_or(code);
    code.rsplit('#').next().unwrap_or(code)
}
