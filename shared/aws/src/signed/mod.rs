//! Requests to services that have no client of the SDK here, sent by the SDK's own runtime: signing,
//! retries, timeouts and the HTTP client are those of every other client.

use std::pin::Pin;

use aws_config::SdkConfig;
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
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
use aws_types::service_config::ServiceConfigKey;

use crate::error::Answer;

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
    pub(crate) error: fn(&[u8]) -> ErrorMetadata,
}

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
}

fn request(
    line: &Line,
    body: String,
    headers: &[(&'static str, &'static str)],
) -> Result<HttpRequest, BoxError> {
    let length = body.len().to_string();
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method(line.method)?;
    request.set_uri(line.path.as_str())?;
    request.headers_mut().try_insert("content-length", length)?;
    for (name, value) in headers {
        request.headers_mut().try_insert(*name, *value)?;
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
    let region = config.region().map(ToString::to_string).unwrap_or_default();
    let operation = match plain(config, service, "AsSigned", &region) {
        Ok(operation) => operation.no_auth(),
        Err(error) => return not_made(error),
    };
    let operation = operation
        .serializer(move |(): ()| {
            let mut request = request(&Line::get(path.clone()), String::new(), &[])?;
            for (name, value) in &headers {
                request.headers_mut().try_insert(*name, value.clone())?;
            }
            Ok(request)
        })
        .deserializer(move |response: &HttpResponse| read(response, protocol.error))
        .build();
    Box::pin(async move { operation.invoke(()).await })
}

/// A request on its way to the service, with the client, the retries and the timeouts of every other one;
/// not signed yet.
fn plain(
    config: &SdkConfig,
    service: Service,
    action: &'static str,
    region: &str,
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
        .endpoint_url(&endpoint(config, service, region)?)
        .standard_retry(&retries)
        .timeout_config(timeouts)
        .retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
        .retry_classifier(AwsErrorCodeClassifier::<ErrorMetadata>::new())
        .retry_classifier(HttpStatusCodeClassifier::default());
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
    let credentials = config
        .credentials_provider()
        .ok_or("there are no credentials")?;
    let mut layer = Layer::new("signing");
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SigV4OperationSigningConfig {
        region: Some(SigningRegion::from(region.clone())),
        name: Some(SigningName::from_static(service.prefix)),
        ..SigV4OperationSigningConfig::default()
    });
    let mut components = RuntimeComponentsBuilder::new("signing");
    components.set_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![
        SCHEME_ID,
    ])));
    components.push_auth_scheme(SigV4AuthScheme::new());
    components.set_identity_cache(config.identity_cache());
    components.set_identity_resolver(SCHEME_ID, credentials);
    let operation = plain(config, service, action, region.as_ref())?.runtime_plugin(
        StaticRuntimePlugin::new()
            .with_config(layer.freeze())
            .with_runtime_components(components),
    );
    Ok(operation
        .serializer(move |body| request(&line, body, protocol.headers))
        .deserializer(move |response: &HttpResponse| read(response, protocol.error))
        .build())
}

/// Whether another address stands for AWS's own.
#[cfg(feature = "doctor")]
pub(crate) fn is_elsewhere(config: &SdkConfig, service: Service, region: &str) -> bool {
    let own = suffix(region).map(|suffix| format!("https://{}.{region}.{suffix}", service.prefix));
    endpoint(config, service, region).ok() != own
}

/// `AWS_ENDPOINT_URL_…` of the service, then `AWS_ENDPOINT_URL`, then AWS's own.
fn endpoint(config: &SdkConfig, service: Service, region: &str) -> Result<String, String> {
    let is_chosen = config.get_origin("endpoint_url").is_client_config();
    let of_service = || {
        let key = ServiceConfigKey::builder()
            .service_id(service.id)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .ok()?;
        config.service_config()?.load_config(key)
    };
    let set = if is_chosen { None } else { of_service() };
    if let Some(url) = set.or_else(|| config.endpoint_url().map(ToOwned::to_owned)) {
        return Ok(url);
    }
    let suffix = suffix(region).ok_or_else(|| {
        format!(
            "the endpoint of {} in Region `{region}` is not known: set AWS_ENDPOINT_URL_{}",
            service.name,
            service.id.to_uppercase().replace(' ', "_")
        )
    })?;
    Ok(format!("https://{}.{region}.{suffix}", service.prefix))
}

/// The domain of a Region's endpoints (AWS SDKs, `partitions.json`, seen). None where nothing is
/// known of such a Region.
pub(crate) fn suffix(region: &str) -> Option<&'static str> {
    const COMMERCIAL: [&str; 9] = ["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"];
    Some(match region.split_once('-')? {
        ("us", rest) if rest.starts_with("isob-") => "sc2s.sgov.gov",
        ("us", rest) if rest.starts_with("isof-") => "csp.hci.ic.gov",
        ("us", rest) if rest.starts_with("iso-") => "c2s.ic.gov",
        ("eu", rest) if rest.starts_with("isoe-") => "cloud.adc-e.uk",
        ("cn", _) => "amazonaws.com.cn",
        ("eusc", _) => "amazonaws.eu",
        (prefix, _) if COMMERCIAL.contains(&prefix) => "amazonaws.com",
        _ => return None,
    })
}

fn read(
    response: &HttpResponse,
    error: fn(&[u8]) -> ErrorMetadata,
) -> Result<String, OrchestratorError<ErrorMetadata>> {
    let body = response.body().bytes().unwrap_or_default();
    if !response.status().is_success() {
        let error = error(body);
        let named = response.headers().get(ERROR_TYPE);
        let (None, Some(named)) = (error.code(), named) else {
            return Err(OrchestratorError::operation(error));
        };
        let code = named.split(':').next().unwrap_or(named);
        let mut named = ErrorMetadata::builder().code(code);
        if let Some(message) = error.message() {
            named = named.message(message);
        }
        return Err(OrchestratorError::operation(named.build()));
    }
    let text =
        std::str::from_utf8(body).map_err(|wrong| OrchestratorError::response(wrong.into()))?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_has_its_domain_and_an_unknown_region_none() {
        for (region, expected) in [
            ("eu-west-1", Some("amazonaws.com")),
            ("us-gov-west-1", Some("amazonaws.com")),
            ("cn-north-1", Some("amazonaws.com.cn")),
            ("us-iso-east-1", Some("c2s.ic.gov")),
            ("us-isob-east-1", Some("sc2s.sgov.gov")),
            ("us-isof-south-1", Some("csp.hci.ic.gov")),
            ("eu-isoe-west-1", Some("cloud.adc-e.uk")),
            ("eusc-de-east-1", Some("amazonaws.eu")),
            ("moon-1", None),
            ("nowhere", None),
        ] {
            assert_eq!(suffix(region), expected, "{region}");
        }
    }
}
