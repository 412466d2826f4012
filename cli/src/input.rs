//! What comes in: files, standard input, lines.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use copymend_sandbox::World;
use serde_json::Value;

use crate::{CommandError, io_error};

/// Reads a file; `-` is standard input.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    let result = if path == Path::new("-") {
        io::stdin().lock().read_to_end(&mut bytes).map(|_| ())
    } else {
        std::fs::read(path).map(|read| bytes = read)
    };
    result.map_err(io_error(format!("read `{}`", path.display())))?;
    Ok(bytes)
}

/// Reads a file that should be JSON, without its byte order mark: Windows writes one before UTF-8 too.
/// `-` is standard input.
///
/// # Errors
///
/// UTF-16, which no JSON between programs is (RFC 8259, section 8.1).
pub(crate) fn json_text(path: &Path) -> Result<Vec<u8>, CommandError> {
    let mut bytes = read(path)?;
    // JSON begins with a character of ASCII, of which UTF-16 makes a zero byte and another one.
    let is_utf_16 = match bytes.as_slice() {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        [0, other, ..] | [other, 0, ..] => *other != 0 && other.is_ascii(),
        _ => false,
    };
    if is_utf_16 {
        let path = path.display();
        return Err(CommandError::Usage(format!(
            "`{path}` is UTF-16; save it as UTF-8"
        )));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    Ok(bytes)
}

/// The events in a file: one, or a list of them. `-` is standard input.
///
/// # Errors
///
/// What isn't JSON, or more than one JSON document, with the place where it breaks.
pub(crate) fn events(path: &Path) -> Result<Vec<Value>, CommandError> {
    let text = &*json_text(path)?;
    let broken = |why: String| CommandError::Usage(format!("`{}` {why}", path.display()));
    if text.trim_ascii().is_empty() {
        return Err(broken(
            "is empty; it should hold one event, or a list of events, as JSON".to_owned(),
        ));
    }
    let mut documents = serde_json::Deserializer::from_slice(text).into_iter::<Value>();
    let event = match documents.next() {
        Some(Ok(event)) => event,
        Some(Err(error)) => return Err(broken(format!("is not JSON: {error}"))),
        None => return Err(broken("is empty".to_owned())),
    };
    let end = documents.byte_offset();
    let rest = text.get(end..).unwrap_or_default();
    if !rest.trim_ascii().is_empty() {
        let line = text
            .get(..end)
            .unwrap_or_default()
            .split(|byte| *byte == b'\n')
            .count();
        return Err(broken(format!(
            "goes on after the end of its JSON document, in line {line}; put several events into a list, or into files of their own"
        )));
    }
    let Value::Array(events) = event else {
        return Ok(vec![event]);
    };
    if events.is_empty() {
        return Err(broken("holds no event: its list is empty".to_owned()));
    }
    Ok(events)
}

/// Reads a world file. Without one it is the world of the sample events.
pub(crate) fn world(path: Option<&Path>) -> Result<World, CommandError> {
    let Some(path) = path else {
        return Ok(World::default_world());
    };
    let text = json_text(path)?;
    World::from_json(&String::from_utf8_lossy(&text))
        .map_err(|error| CommandError::Usage(format!("`{}`: {error}", path.display())))
}

/// Answers every line of standard input on standard output, in order. One line at a time is held in
/// memory.
///
/// A line is passed on without its line feed. What was written goes out as soon as no further line
/// is waiting, so that a program can ask one question after the other.
pub(crate) fn answer_lines(
    mut answer: impl FnMut(&[u8], &mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut input = BufReader::with_capacity(1 << 16, io::stdin().lock());
    let mut output = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        answer(line.strip_suffix(b"\n").unwrap_or(&line), &mut output)?;
        if !input.buffer().contains(&b'\n') {
            output.flush()?;
        }
        line.clear();
    }
    output.flush()
}
