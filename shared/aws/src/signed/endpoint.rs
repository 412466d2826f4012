//! Where a service of AWS is reached, by the SDK's rules: a test holds each rule against the SDK's own.

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

use super::Service;

/// Where requests go, and the Region that they are signed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) url: String,
    pub(super) region: String,
}

/// A partition of AWS (AWS SDKs, `partitions.json`, seen).
struct Partition {
    suffix: &'static str,
    dual_stack_suffix: &'static str,
    /// The Region of what is global in it.
    global: &'static str,
}

const AWS: Partition = Partition {
    suffix: "amazonaws.com",
    dual_stack_suffix: "api.aws",
    global: "us-east-1",
};
const US_GOV: Partition = Partition {
    global: "us-gov-west-1",
    ..AWS
};
const CN: Partition = Partition {
    suffix: "amazonaws.com.cn",
    dual_stack_suffix: "api.amazonwebservices.com.cn",
    global: "cn-northwest-1",
};
const EUSC: Partition = Partition {
    suffix: "amazonaws.eu",
    dual_stack_suffix: "api.amazonwebservices.eu",
    global: "eusc-de-east-1",
};
const ISO: Partition = Partition {
    suffix: "c2s.ic.gov",
    dual_stack_suffix: "api.aws.ic.gov",
    global: "us-iso-east-1",
};
const ISO_B: Partition = Partition {
    suffix: "sc2s.sgov.gov",
    dual_stack_suffix: "api.aws.scloud",
    global: "us-isob-east-1",
};
const ISO_E: Partition = Partition {
    suffix: "cloud.adc-e.uk",
    dual_stack_suffix: "api.cloud-aws.adc-e.uk",
    global: "eu-isoe-west-1",
};
const ISO_F: Partition = Partition {
    suffix: "csp.hci.ic.gov",
    dual_stack_suffix: "api.aws.hci.ic.gov",
    global: "us-isof-south-1",
};

/// The partition of a Region; none where nothing is known of such a Region.
fn partition(region: &str) -> Option<&'static Partition> {
    let (prefix, rest) = region.split_once('-')?;
    Some(match prefix {
        "us" if rest.starts_with("isob-") => &ISO_B,
        "us" if rest.starts_with("isof-") => &ISO_F,
        "us" if rest.starts_with("iso-") => &ISO,
        "us" if rest.starts_with("gov-") => &US_GOV,
        "eu" if rest.starts_with("isoe-") => &ISO_E,
        "cn" => &CN,
        "eusc" => &EUSC,
        // A Region of a continent that AWS didn't have before is of the partition `aws`, too.
        _ if prefix.len() == 2 && rest.contains('-') => &AWS,
        _ => return None,
    })
}

/// The domain of a Region's endpoints; none where nothing is known of such a Region.
pub(crate) fn suffix(region: &str) -> Option<&'static str> {
    partition(region).map(|partition| partition.suffix)
}

/// What an address may have to be.
#[derive(Clone, Copy, Debug, Default)]
struct Kind {
    /// `AWS_USE_FIPS_ENDPOINT`.
    fips: bool,
    /// `AWS_USE_DUALSTACK_ENDPOINT`.
    dual_stack: bool,
}

/// `AWS_ENDPOINT_URL_…` of the service, then `AWS_ENDPOINT_URL`, then AWS's own.
pub(super) fn place(config: &SdkConfig, service: Service, region: &str) -> Result<Place, String> {
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
        return Ok(Place {
            url,
            region: region.to_owned(),
        });
    }
    let kind = Kind {
        fips: config.use_fips() == Some(true),
        dual_stack: config.use_dual_stack() == Some(true),
    };
    own(service, region, kind).ok_or_else(|| {
        format!(
            "the endpoint of {} in Region `{region}` is not known: set AWS_ENDPOINT_URL_{}",
            service.name,
            service.id.to_uppercase().replace(' ', "_")
        )
    })
}

/// AWS's own address. AWS IAM and AWS Organizations are global: one Region of a partition has them, and
/// requests are signed for it (AWS SDKs, endpoint rules of each service, seen).
fn own(service: Service, region: &str, kind: Kind) -> Option<Place> {
    let partition = partition(region)?;
    let prefix = service.prefix;
    let (host, region) = match prefix {
        "iam" => (host_of_iam(partition, kind), region_of_iam(partition)),
        "organizations" => {
            let home = partition.global;
            (host(prefix, home, partition, kind), home)
        }
        _ => (host(prefix, region, partition, kind), region),
    };
    Some(Place {
        url: format!("https://{host}"),
        region: region.to_owned(),
    })
}

fn host(prefix: &str, region: &str, partition: &Partition, kind: Kind) -> String {
    /// In AWS GovCloud (US) their ordinary endpoints are FIPS endpoints.
    const FIPS_BY_THEMSELVES: [&str; 4] = ["organizations", "sns", "sqs", "sts"];
    let is_fips_already = region.starts_with("us-gov-") && FIPS_BY_THEMSELVES.contains(&prefix);
    let fips = if kind.fips && !(is_fips_already && (!kind.dual_stack || prefix == "organizations"))
    {
        "-fips"
    } else {
        ""
    };
    let suffix = if kind.dual_stack {
        partition.dual_stack_suffix
    } else {
        partition.suffix
    };
    format!("{prefix}{fips}.{region}.{suffix}")
}

/// AWS IAM signs in China for Beijing.
fn region_of_iam(partition: &Partition) -> &'static str {
    match partition.global {
        "cn-northwest-1" => "cn-north-1",
        home => home,
    }
}

fn host_of_iam(partition: &Partition, kind: Kind) -> String {
    let fips = if kind.fips { "-fips" } else { "" };
    let (suffix, dual_stack) = (partition.suffix, partition.dual_stack_suffix);
    match (partition.global, kind.fips, kind.dual_stack) {
        ("us-east-1", _, false) => format!("iam{fips}.{suffix}"),
        ("us-east-1", _, true) => format!("iam{fips}.global.{dual_stack}"),
        ("us-gov-west-1", _, false) => format!("iam.us-gov.{suffix}"),
        ("us-gov-west-1", _, true) => format!("iam.us-gov.{dual_stack}"),
        ("cn-northwest-1" | "eusc-de-east-1", false, true) => format!("iam.global.{dual_stack}"),
        ("us-iso-east-1" | "us-isob-east-1", true, false) | (_, false, false) => {
            host("iam", region_of_iam(partition), partition, kind)
        }
        (_, true, false) => format!("iam-fips.{suffix}"),
        (_, _, true) => format!("iam{fips}.{dual_stack}"),
    }
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
            ("nz-north-1", Some("amazonaws.com")),
            ("moon-1", None),
            ("nowhere", None),
        ] {
            assert_eq!(suffix(region), expected, "{region}");
        }
    }

    const REGIONS: [&str; 12] = [
        "us-east-1",
        "eu-west-1",
        "mx-central-1",
        "us-gov-west-1",
        "us-gov-east-1",
        "cn-north-1",
        "cn-northwest-1",
        "eusc-de-east-1",
        "us-iso-east-1",
        "us-isob-east-1",
        "eu-isoe-west-1",
        "us-isof-south-1",
    ];

    const KINDS: [Kind; 4] = [
        kind(false, false),
        kind(true, false),
        kind(false, true),
        kind(true, true),
    ];

    const fn kind(fips: bool, dual_stack: bool) -> Kind {
        Kind { fips, dual_stack }
    }

    /// Every address of a service that isn't what the SDK's rules say.
    macro_rules! wrong {
        ($sdk:ident, $prefix:literal) => {{
            use $sdk::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
            let service = Service {
                prefix: $prefix,
                id: $prefix,
                name: $prefix,
            };
            let mut wrong = Vec::new();
            for (region, kind) in REGIONS
                .iter()
                .flat_map(|one| KINDS.map(|kind| (*one, kind)))
            {
                let params = Params::builder().region(region).use_fips(kind.fips);
                let params = params.use_dual_stack(kind.dual_stack).build().unwrap();
                // What a partition doesn't have is refused.
                let Ok(found) = DefaultResolver::new().resolve_endpoint(&params).await else {
                    continue;
                };
                let scheme = found.auth_schemes().first();
                let signed_for = scheme.and_then(|one| one.get("signingRegion")?.as_string());
                let expected = Place {
                    url: found.url().to_owned(),
                    region: signed_for.unwrap_or(region).to_owned(),
                };
                let own = own(service, region, kind);
                if own.as_ref() != Some(&expected) {
                    wrong.push((region, kind, own, expected));
                }
            }
            wrong
        }};
    }

    #[tokio::test]
    async fn addresses_are_those_of_the_sdks_rules() {
        let wrong = [
            wrong!(aws_sdk_backup, "backup"),
            wrong!(aws_sdk_iam, "iam"),
            wrong!(aws_sdk_kms, "kms"),
            wrong!(aws_sdk_organizations, "organizations"),
            wrong!(aws_sdk_sns, "sns"),
            wrong!(aws_sdk_sqs, "sqs"),
            wrong!(aws_sdk_sts, "sts"),
        ];
        assert!(wrong.iter().all(Vec::is_empty), "{wrong:#?}");
    }
}
