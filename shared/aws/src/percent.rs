//! Percent-decoding (RFC 3986), for the policies that IAM answers.

/// The decoded text; `None` where it isn't valid UTF-8 or an escape is broken. A `+` stays a `+`.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => (hex(bytes.next()?)? << 4) | hex(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn escapes_become_bytes_and_a_plus_stays() {
        assert_eq!(
            decode("%7B%22a%22%3a%22%C3%A4+b%22%7D").as_deref(),
            Some(r#"{"a":"ä+b"}"#)
        );
        assert_eq!(decode("").as_deref(), Some(""));
    }

    #[test]
    fn broken_escapes_are_refused() {
        for broken in ["%", "%7", "%zz", "%+1", "%FF", "abc%2"] {
            assert_eq!(decode(broken), None, "{broken}");
        }
    }
}
