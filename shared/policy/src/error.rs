//! Why a text is not a policy document, and where.

use std::fmt;

/// A place in a policy document: where the reader stopped and what it was reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    line: usize,
    column: usize,
    path: String,
}

impl Location {
    /// The place of byte `offset` of `text`.
    pub(crate) fn new(text: &str, offset: usize, path: String) -> Self {
        let bytes = text.as_bytes();
        let before = bytes.get(..offset).unwrap_or(bytes);
        let line = before.split(|byte| *byte == b'\n').count();
        let start = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let column = before
            .get(start..)
            .unwrap_or_default()
            .iter()
            .filter(|byte| **byte & 0xC0 != 0x80)
            .count()
            + 1;
        Self { line, column, path }
    }

    /// The line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column in characters, from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }

    /// The JSON path, such as `$.Statement[1].Condition.StringEquals`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "line {}, column {} (`{}`)",
            self.line, self.column, self.path
        )
    }
}

/// What is wrong with a policy document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseProblem {
    /// The text is not JSON.
    #[error("this is not JSON: {0}")]
    Json(&'static str),
    /// A string holds a control character that JSON does not allow unescaped.
    #[error("a string holds an unescaped control character")]
    ControlCharacter,
    /// Values are nested deeper than a policy can be.
    #[error("values are nested deeper than {0} levels")]
    TooDeep(usize),
    /// Text follows the document.
    #[error("text follows the end of the document")]
    TrailingText,
    /// One object holds the same key twice; which one would count is not defined.
    #[error("the key `{0}` appears twice in one object")]
    DuplicateKey(String),
    /// An element that the policy language does not have.
    #[error("`{0}` is not an element of the policy language here")]
    UnknownElement(String),
    /// An element that must be there is not.
    #[error("the element `{0}` is missing")]
    MissingElement(&'static str),
    /// Two elements that exclude each other.
    #[error("`{0}` and `{1}` exclude each other")]
    Exclusive(&'static str, &'static str),
    /// The value has the wrong shape.
    #[error("this must be {0}")]
    Expected(&'static str),
    /// The policy language has no such version.
    #[error("`{0}` is not a version of the policy language; it has 2008-10-17 and 2012-10-17")]
    UnknownVersion(String),
    /// The condition operator does not exist.
    #[error("`{0}` is not a condition operator")]
    UnknownOperator(String),
}

/// A text that is not a policy document: what is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}, at {location}")]
pub struct ParseError {
    problem: ParseProblem,
    location: Location,
}

impl ParseError {
    pub(crate) fn new(problem: ParseProblem, location: Location) -> Self {
        Self { problem, location }
    }

    /// What is wrong.
    #[must_use]
    pub fn problem(&self) -> &ParseProblem {
        &self.problem
    }

    /// Where it is.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }
}

/// Text from a document, made fit for an error message: escaped, and cut to 120 characters.
pub(crate) fn shown(text: &str) -> String {
    crate::text::escaped(text, 120)
}
