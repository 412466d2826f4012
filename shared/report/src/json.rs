//! The Report as one line of JSON.

use std::fmt::Write as _;

use copymend_remediation::report::Report;

/// The Report as one line of JSON, in ASCII: what isn't ASCII is escaped, so that the line stays one line in every
/// viewer and can't steer a terminal. Nothing is lost: the message and the policies are exact.
#[must_use]
pub fn json(report: &Report) -> String {
    // INVARIANT: a Report serializes: it has string keys only.
    let line = serde_json::to_string(report).unwrap_or_else(|error| {
        serde_json::json!({ "event": report.event, "error": error.to_string() }).to_string()
    });
    if line.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return line;
    }
    let mut ascii = String::with_capacity(line.len());
    for character in line.chars() {
        if character.is_ascii_graphic() || character == ' ' {
            ascii.push(character);
        } else {
            // Only strings hold such characters, so an escape means the same.
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    ascii
}
