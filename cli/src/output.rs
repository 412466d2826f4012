//! What goes out: JSON as it is, text for people without anything that a terminal would act on.

use std::fmt::Write as _;
use std::io::{self, StdoutLock, Write};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use serde::Serialize;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIMMED: Style = Style::new().dimmed();

/// Standard output for people: colours only where somebody sees them and `NO_COLOR` does not forbid it.
pub(crate) fn terminal() -> AutoStream<StdoutLock<'static>> {
    AutoStream::auto(io::stdout().lock())
}

/// One line of JSON.
pub(crate) fn json(mut output: impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut output, value)?;
    writeln!(output)
}

/// Text from outside, made harmless: control characters and those that turn the direction of text are written as JSON
/// escapes. Line feeds and tabs stay; a carriage return, which JSON needs nowhere, goes.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars().filter(|character| *character != '\r') {
        let harmful = match character {
            '\n' | '\t' => false,
            '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => true,
            other => other.is_control(),
        };
        if harmful {
            // Writing to a string does not fail.
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}

/// A unified diff: what is added in green, what is removed in red.
pub(crate) fn coloured_diff(mut output: impl Write, diff: &str) -> io::Result<()> {
    for line in printable(diff).lines() {
        let style = match line.chars().next() {
            Some('+') => AnsiColor::Green.on_default(),
            Some('-') => AnsiColor::Red.on_default(),
            Some('@') => AnsiColor::Cyan.on_default(),
            Some(_) | None => Style::new(),
        };
        writeln!(output, "{style}{line}{style:#}")?;
    }
    Ok(())
}
