//! What goes out: JSON as it is, text for people without anything that a terminal would act on.

use std::io::{self, StdoutLock, Write};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use copymend_policy::text::{is_hidden, push_json_escape};
use serde::Serialize;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIMMED: Style = Style::new().dimmed();

/// Standard output for people: colours only where somebody sees them and `NO_COLOR` does not forbid
/// it.
pub(crate) fn terminal() -> AutoStream<StdoutLock<'static>> {
    AutoStream::auto(io::stdout().lock())
}

/// How wide the terminal is that standard output goes to; nothing for files and pipes.
#[cfg(feature = "aws")]
pub(crate) fn width() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size_of(io::stdout())?;
    Some(usize::from(width.0))
}

/// One line of JSON.
pub(crate) fn json(mut output: impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut output, value)?;
    writeln!(output)
}

/// Text from outside, made harmless: what can't be seen or turns the direction of text is written
/// as a JSON escape. Line feeds and tabs stay; a carriage return, which JSON needs nowhere, goes.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars().filter(|character| *character != '\r') {
        if is_hidden(character) && !matches!(character, '\n' | '\t') {
            push_json_escape(&mut out, character);
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
