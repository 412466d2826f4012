//! A JSON reader that keeps where every value stands, so that a document can be edited without
//! touching its other bytes.
//!
//! Strict (RFC 8259): no comments, no trailing commas, no lone surrogates, no duplicate keys.
//! Linear in the length of the text, and it refuses nesting deeper than [`MAX_DEPTH`].

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use crate::error::{Location, ParseError, ParseProblem, shown};

/// A policy nests six levels; anything near this limit is not one.
pub(crate) const MAX_DEPTH: usize = 32;

/// A JSON value and the bytes it stands in.
#[derive(Clone, Debug)]
pub(crate) struct Node<'a> {
    pub(crate) span: Range<usize>,
    pub(crate) value: Value<'a>,
}

/// A JSON value. A number stays as it was written; a string is copied only when it holds escapes.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    String(Cow<'a, str>),
    Array(Vec<Node<'a>>),
    Object(Vec<Member<'a>>),
}

/// A key of an object and its value.
#[derive(Clone, Debug)]
pub(crate) struct Member<'a> {
    pub(crate) key: Cow<'a, str>,
    pub(crate) key_at: usize,
    pub(crate) node: Node<'a>,
}

/// Reads one JSON document.
pub(crate) fn read(text: &str) -> Result<Node<'_>, ParseError> {
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        at: 0,
        path: Vec::new(),
        items: Vec::new(),
        members: Vec::new(),
    };
    reader.space();
    let node = reader.value(0)?;
    reader.space();
    if reader.at < text.len() {
        return Err(reader.error(ParseProblem::TrailingText));
    }
    Ok(node)
}

/// The path `$.key[index]…` of a place, built only when there is an error to show.
pub(crate) fn path_of(parts: &[Part<'_>]) -> String {
    let mut path = String::from("$");
    for part in parts {
        match part {
            Part::Key(key) => {
                path.push('.');
                path.push_str(&shown(key));
            }
            Part::Index(index) => {
                path.push('[');
                path.push_str(&index.to_string());
                path.push(']');
            }
        }
    }
    path
}

/// One step of a path.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part<'a> {
    Key(&'a str),
    Index(usize),
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    path: Vec<Part<'a>>,
    /// What is read of the arrays and objects that are still open, so that each gets its own list
    /// once, at its full size.
    items: Vec<Node<'a>>,
    members: Vec<Member<'a>>,
}

impl<'a> Reader<'a> {
    fn error(&self, problem: ParseProblem) -> ParseError {
        ParseError::new(
            problem,
            Location::new(self.text, self.at, path_of(&self.path)),
        )
    }

    fn syntax(&self, reason: &'static str) -> ParseError {
        if self.at >= self.bytes.len() {
            return self.error(ParseProblem::Json("the text ends too early"));
        }
        self.error(ParseProblem::Json(reason))
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node<'a>, ParseError> {
        let start = self.at;
        let value = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            _ => return Err(self.syntax("a value was expected")),
        };
        Ok(Node {
            span: start..self.at,
            value,
        })
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, ParseError> {
        let end = self.at + word.len();
        if self.bytes.get(self.at..end) == Some(word.as_bytes()) {
            self.at = end;
            return Ok(value);
        }
        Err(self.syntax("a value was expected"))
    }

    fn digits(&mut self) -> Result<(), ParseError> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.syntax("a digit was expected"));
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Value<'a>, ParseError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.syntax("a number can't start with 0"));
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        Ok(Value::Number(text))
    }

    /// Reads a string; the reader stands on its opening quote.
    fn string(&mut self) -> Result<Cow<'a, str>, ParseError> {
        self.at += 1;
        let mut decoded = String::new();
        loop {
            let start = self.at;
            let rest = self.bytes.get(start..).unwrap_or_default();
            self.at += rest
                .iter()
                .position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))
                .unwrap_or(rest.len());
            let plain = self.text.get(start..self.at).unwrap_or_default();
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    if decoded.is_empty() {
                        return Ok(Cow::Borrowed(plain));
                    }
                    decoded.push_str(plain);
                    return Ok(Cow::Owned(decoded));
                }
                Some(b'\\') => {
                    decoded.push_str(plain);
                    let escaped = self.escape()?;
                    decoded.push(escaped);
                }
                Some(_) => return Err(self.error(ParseProblem::ControlCharacter)),
                None => return Err(self.syntax("a string must end")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, ParseError> {
        self.at += 1;
        let character = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.syntax("this escape does not exist")),
        };
        self.at += 1;
        Ok(character)
    }

    /// Reads `uXXXX`, and the second half of a surrogate pair.
    fn unicode(&mut self) -> Result<char, ParseError> {
        let first = self.hex()?;
        let code = match first {
            0xD800..=0xDBFF => {
                if self.bytes.get(self.at..self.at + 2) != Some(b"\\u") {
                    return Err(self.syntax("a surrogate stands alone"));
                }
                self.at += 1;
                let second = self.hex()?;
                if !(0xDC00..=0xDFFF).contains(&second) {
                    return Err(self.syntax("a surrogate stands alone"));
                }
                0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            code => code,
        };
        char::from_u32(code).ok_or_else(|| self.syntax("a surrogate stands alone"))
    }

    fn hex(&mut self) -> Result<u32, ParseError> {
        self.at += 1;
        let mut code = 0;
        for _ in 0..4 {
            let digit = self
                .peek()
                .and_then(|byte| char::from(byte).to_digit(16))
                .ok_or_else(|| self.syntax("four hexadecimal digits were expected"))?;
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    fn deeper(&self, depth: usize) -> Result<usize, ParseError> {
        if depth >= MAX_DEPTH {
            return Err(self.error(ParseProblem::TooDeep(MAX_DEPTH)));
        }
        Ok(depth + 1)
    }

    fn array(&mut self, depth: usize) -> Result<Value<'a>, ParseError> {
        let depth = self.deeper(depth)?;
        self.at += 1;
        self.space();
        let first = self.items.len();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(Vec::new()));
        }
        loop {
            self.path.push(Part::Index(self.items.len() - first));
            let item = self.value(depth)?;
            self.items.push(item);
            self.path.pop();
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::Array(self.items.split_off(first)));
                }
                _ => return Err(self.syntax("`,` or `]` was expected")),
            }
            self.space();
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value<'a>, ParseError> {
        let depth = self.deeper(depth)?;
        self.at += 1;
        self.space();
        let first = self.members.len();
        let mut seen: Option<HashSet<String>> = None;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(Vec::new()));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.syntax("a key in quotes was expected"));
            }
            let key_at = self.at;
            let key = self.string()?;
            let after = self.at;
            // Few keys are compared one by one; a set keeps an object of many keys linear.
            let members = self.members.get(first..).unwrap_or_default();
            let twice = if members.len() < 16 {
                members.iter().any(|member| member.key == key)
            } else {
                let seen = seen.get_or_insert_with(|| {
                    members
                        .iter()
                        .map(|member| member.key.to_string())
                        .collect()
                });
                !seen.insert(key.to_string())
            };
            if twice {
                self.at = key_at;
                return Err(self.error(ParseProblem::DuplicateKey(shown(&key))));
            }
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.syntax("`:` was expected"));
            }
            self.at += 1;
            self.space();
            self.path.push(Part::Key(
                self.text.get(key_at + 1..after - 1).unwrap_or_default(),
            ));
            let node = self.value(depth)?;
            self.path.pop();
            self.members.push(Member { key, key_at, node });
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Value::Object(self.members.split_off(first)));
                }
                _ => return Err(self.syntax("`,` or `}` was expected")),
            }
            self.space();
        }
    }
}
