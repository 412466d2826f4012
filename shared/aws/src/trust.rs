//! Whose certificates a program trusts for its calls of AWS.

use aws_smithy_http_client::tls::{TlsContext, TrustStore};

use crate::endpoint::ENDPOINT_URL;
use crate::function::Variables;

/// The roots of Amazon Trust Services, of which every certificate of an AWS endpoint in the partitions
/// `aws` and `aws-us-gov` comes: Amazon Root CA 1 to 4, and Starfield Services Root Certificate
/// Authority - G2 (AWS security blog, "How to prepare for AWS's move to its own certificate authority",
/// and the repository of Amazon Trust Services, documented; for `aws-us-gov` inferred).
const AMAZON_ROOTS: &str = include_str!("amazon_roots.pem");

/// The Regions whose partitions are known to have these roots alone begin with none of these: China, the
/// sovereign and the isolated ones.
const OTHER_PARTITIONS: [&str; 4] = ["cn-", "eusc-", "us-iso", "eu-iso"];

/// The beginnings of the variables by which the machine's store is another one (OpenSSL's own names), by
/// which services are reached elsewhere, and of a run by hand.
const LEAD_ELSEWHERE: [&str; 4] = [
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    ENDPOINT_URL,
    "AWS_SAM_LOCAL",
];

/// Whose certificates are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Those of Amazon Trust Services, from the program itself: no file is read, and nobody else can
    /// pass for AWS.
    Amazon,
    /// Those in the machine's store, or in what `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    Machine,
}

impl Trust {
    /// What a deployed function trusts, by its variables. A store that somebody chose, an endpoint that
    /// isn't AWS's own, a run by hand, and a partition with other roots have the machine's store.
    pub(crate) fn of_function(variables: &Variables) -> Self {
        let region = variables.get("AWS_REGION").unwrap_or_default();
        let has_amazons_roots = !region.is_empty()
            && !OTHER_PARTITIONS
                .iter()
                .any(|start| region.starts_with(start));
        let is_led_elsewhere = LEAD_ELSEWHERE.iter().any(|name| variables.has_any(name));
        if has_amazons_roots && !is_led_elsewhere {
            Self::Amazon
        } else {
            Self::Machine
        }
    }

    /// The TLS configuration. That of the machine reads its files when the first connector is made.
    pub(crate) fn context(self) -> TlsContext {
        match self {
            Self::Machine => TlsContext::default(),
            Self::Amazon => {
                let roots = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS);
                // INVARIANT: it can't fail: it only keeps what it is given.
                TlsContext::builder()
                    .with_trust_store(roots)
                    .build()
                    .unwrap_or_default()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::base64;

    use super::*;

    fn trust(variables: &[(&str, &str)]) -> Trust {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Trust::of_function(&variables.collect())
    }

    #[test]
    fn a_deployed_function_trusts_amazon_alone() {
        for region in ["eu-west-1", "us-gov-west-1", "eu-isoe"] {
            let expected = if region == "eu-isoe" {
                Trust::Machine
            } else {
                Trust::Amazon
            };
            assert_eq!(trust(&[("AWS_REGION", region)]), expected, "{region}");
        }
        // The template leaves no variable out; the SAM CLI hands it over empty.
        let empty = [("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL", "")];
        assert_eq!(trust(&empty), Trust::Amazon);
    }

    #[test]
    fn what_is_led_elsewhere_trusts_the_machine() {
        for name in [
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
            "AWS_ENDPOINT_URL",
            "AWS_ENDPOINT_URL_DYNAMODB",
            "AWS_SAM_LOCAL",
        ] {
            let variables = [("AWS_REGION", "eu-west-1"), (name, "true")];
            assert_eq!(trust(&variables), Trust::Machine, "{name}");
        }
        for region in [
            "cn-north-1",
            "us-iso-east-1",
            "us-isob-east-1",
            "eusc-de-east-1",
            "",
        ] {
            assert_eq!(trust(&[("AWS_REGION", region)]), Trust::Machine, "{region}");
        }
    }

    /// Their fingerprints are those that Amazon Trust Services publishes, so that no other certificate
    /// can slip in.
    #[test]
    fn the_roots_are_those_of_amazon_trust_services() {
        use sha2::{Digest as _, Sha256};

        let published = [
            "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
            "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
            "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
            "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
            "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
        ];
        let certificates = AMAZON_ROOTS
            .split("-----BEGIN CERTIFICATE-----")
            .skip(1)
            .map(|text| {
                let body = text.split("-----END").next().unwrap();
                let der = base64::decode(body.replace('\n', "")).unwrap();
                let digest = Sha256::digest(&der);
                let halves = digest.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
                halves
                    .filter_map(|half| char::from_digit(u32::from(half), 16))
                    .collect()
            });
        assert_eq!(certificates.collect::<Vec<String>>(), published);
    }
}
