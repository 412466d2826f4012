//! What a request's signature says: whose call it is, where, and of which service.

use axum::http::HeaderMap;

/// The credential scope of a signature: `Credential=KEY/DATE/REGION/SERVICE/aws4_request`
/// (documented: IAM user guide, "Elements of an AWS API request signature").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) access_key: String,
    pub(crate) region: String,
    /// The service's signing name, such as `backup`.
    pub(crate) service: String,
}

impl Scope {
    /// The scope of the header `Authorization`; nothing where there is none, or no signature of
    /// AWS's.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        Self::parse(headers.get("authorization")?.to_str().ok()?)
    }

    fn parse(authorization: &str) -> Option<Self> {
        let credential = authorization
            .split_once("Credential=")?
            .1
            .split([',', ' '])
            .next()?;
        let mut parts = credential.split('/');
        let mut part = || parts.next().filter(|part| !part.is_empty());
        let (access_key, _date, region, service) = (part()?, part()?, part()?, part()?);
        Some(Self {
            access_key: access_key.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Scope;

    #[test]
    fn the_scope_names_key_region_and_service() {
        let header = "AWS4-HMAC-SHA256 Credential=ASIA1/20261122/eu-west-1/backup/aws4_request, SignedHeaders=host, Signature=0";
        let scope = Scope::parse(header).expect("a scope");
        assert_eq!(
            (&*scope.access_key, &*scope.region, &*scope.service),
            ("ASIA1", "eu-west-1", "backup")
        );
    }

    #[test]
    fn what_is_no_signature_has_no_scope() {
        for header in [
            "",
            "Bearer x",
            "AWS4-HMAC-SHA256 Credential=KEY",
            "AWS4-HMAC-SHA256 Credential=//a/b/c",
        ] {
            assert_eq!(Scope::parse(header), None, "{header}");
        }
    }
}
