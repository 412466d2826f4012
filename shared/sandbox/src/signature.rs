//! Signatures of requests that are signed in their query, worked out as AWS does (IAM user guide,
//! "Create a signed AWS API request", documented).

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The signature of a `GET` of `/` with this query and these headers, which are those that are signed,
/// names in small letters. The query is decoded; what it has of a signature isn't signed. `None` where
/// it lacks what a signed query has.
///
/// ```
/// use copymend_sandbox::presigned;
///
/// assert_eq!(presigned("secret", &[], &[]), None);
/// ```
#[must_use]
pub fn presigned(
    secret: &str,
    query: &[(String, String)],
    headers: &[(&str, &str)],
) -> Option<String> {
    let value = |name: &str| {
        let mut pairs = query.iter();
        pairs
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    let (date, credential) = (value("X-Amz-Date")?, value("X-Amz-Credential")?);
    let (_, scope) = credential.split_once('/')?;
    let mut parts = scope.split('/');
    let (day, region, service) = (parts.next()?, parts.next()?, parts.next()?);
    if value("X-Amz-Algorithm") != Some(ALGORITHM) || !date.starts_with(day) {
        return None;
    }
    let mut pairs: Vec<(String, String)> = query
        .iter()
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| (encoded(name), encoded(value)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut headers: Vec<(&str, &str)> = headers.to_vec();
    headers.sort_unstable();
    let mut canonical = String::new();
    for (name, value) in &headers {
        // Writing to a string never fails.
        let _ = writeln!(canonical, "{name}:{}", value.trim());
    }
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let request = format!(
        "GET\n/\n{}\n{canonical}\n{}\n{}",
        pairs.join("&"),
        names.join(";"),
        hex(&Sha256::digest(b""))
    );
    let signed = format!(
        "{ALGORITHM}\n{date}\n{scope}\n{}",
        hex(&Sha256::digest(request.as_bytes()))
    );
    let key = [day, region, service, "aws4_request"]
        .iter()
        .try_fold(format!("AWS4{secret}").into_bytes(), |key, part| {
            hmac(&key, part.as_bytes())
        })?;
    hmac(&key, signed.as_bytes()).map(|signature| hex(&signature))
}

fn hmac(key: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(text);
    Some(mac.finalize().into_bytes().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// All but letters, digits and the characters `-_.~` is escaped.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}
