//! Percent-encoding (RFC 3986): of the policies that IAM answers, and of queries.

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

/// The encoded text: all but letters, digits and the characters `-_.~` is escaped.
pub(crate) fn encode(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |value: u8| char::from(DIGITS.get(usize::from(value)).copied().unwrap_or(b'0'));
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(['%', digit(byte >> 4), digit(byte & 0x0f)]);
        }
    }
    encoded
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn escapes_become_bytes_and_a_plus_stays() {
        assert_eq!(
            decode("%7B%22a%22%3a%22%C3%A4+b%22%7D").as_deref(),
            Some(r#"{"a":"ä+b"}"#)
        );
        assert_eq!(decode("").as_deref(), Some(""));
    }

    #[test]
    fn what_was_encoded_is_decoded_again() {
        for text in ["", "a-b_c.d~e", "arn:aws:kms:eu-west-1:1:key/2", "ä +&=%"] {
            let encoded = encode(text);
            assert!(
                !encoded.contains(['&', '=', '+', ' ', ':', '/']),
                "{encoded}"
            );
            assert_eq!(decode(&encoded).as_deref(), Some(text));
        }
        assert_eq!(encode("arn:aws:x/ä b"), "arn%3Aaws%3Ax%2F%C3%A4%20b");
    }

    #[test]
    fn broken_escapes_are_refused() {
        for broken in ["%", "%7", "%zz", "%+1", "%FF", "abc%2"] {
            assert_eq!(decode(broken), None, "{broken}");
        }
    }
}
