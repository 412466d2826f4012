//! An endpoint that is set and empty.

use aws_config::SdkConfig;
use aws_types::origin::Origin;

/// The variable that leads every client to another endpoint than AWS's own.
pub(crate) const ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";

/// The same configuration where `AWS_ENDPOINT_URL` has a value or isn't set; where it is empty, the
/// configuration without it.
///
/// The SAM CLI can't leave out a variable that the template declares: it hands it over empty. The
/// SDK's clients would take that for an endpoint and panic at the first call (seen:
/// aws-smithy-types 1.9, "URL was unset").
pub(crate) fn without_empty_endpoint(config: SdkConfig) -> SdkConfig {
    if std::env::var(ENDPOINT_URL).is_ok_and(|url| url.is_empty()) {
        without_endpoint(config)
    } else {
        config
    }
}

/// Says that "no endpoint" was chosen by the program, so that a client asks the environment no
/// more.
pub(crate) fn without_endpoint(config: SdkConfig) -> SdkConfig {
    let mut builder = config.into_builder();
    builder.set_endpoint_url(None);
    builder.insert_origin("endpoint_url", Origin::shared_config());
    builder.build()
}
