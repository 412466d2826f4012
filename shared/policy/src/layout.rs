//! How a document is laid out, and where text goes in and out of its `Statement` element.
//!
//! What [`Layout::insert`] puts in is what [`Layout::remove`] takes out, byte for byte:
//! - into a list with statements: after the last one, `,` and the white space that follows the `[`;
//! - into an empty list: straight after the `[`;
//! - next to a single object: `[` before it, and after it `, ` with a space. No list gets that
//!   separator when there is no white space after its `[`, so it tells a wrapped object from a list
//!   of one.

use std::ops::Range;

use crate::document::PolicyDocument;
use crate::grant::NewStatement;
use crate::statement::Statement;

/// What is left of a document of ours when its statements are gone.
pub(crate) const EMPTY: &str = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n  ]\n}";

/// A new document that holds the statements.
pub(crate) fn fresh(statements: &[&NewStatement]) -> String {
    let items: Vec<String> = statements
        .iter()
        .map(|statement| format!("\n    {}", indented(statement.as_str(), "\n    ")))
        .collect();
    let (head, tail) = EMPTY.split_once('[').unwrap_or((EMPTY, ""));
    format!("{head}[{}{tail}", items.join(","))
}

/// `text` with every line break replaced.
fn indented(text: &str, line_break: &str) -> String {
    text.replace('\n', line_break)
}

/// JSON without the white space between its tokens.
pub(crate) fn compact(text: &str) -> String {
    let mut compact = String::with_capacity(text.len());
    let mut quoted = false;
    let mut escaped = false;
    for character in text.chars() {
        if !quoted && matches!(character, ' ' | '\t' | '\n' | '\r') {
            continue;
        }
        compact.push(character);
        if escaped {
            escaped = false;
        } else if quoted && character == '\\' {
            escaped = true;
        } else if character == '"' {
            quoted = !quoted;
        }
    }
    compact
}

pub(crate) struct Layout<'a> {
    text: &'a str,
    element: Range<usize>,
    is_list: bool,
    statements: &'a [Statement],
}

impl<'a> Layout<'a> {
    pub(crate) fn of(document: &'a PolicyDocument) -> Self {
        let element = document.statement_element();
        Self {
            text: document.as_str(),
            element: element.span.clone(),
            is_list: element.is_list,
            statements: document.statements(),
        }
    }

    fn part(&self, range: Range<usize>) -> &'a str {
        self.text.get(range).unwrap_or_default()
    }

    /// The white space between `[` and the first statement.
    fn lead(&self) -> &'a str {
        match self.statements.first() {
            Some(first) if self.is_list => self.part(self.element.start + 1..first.span().start),
            Some(_) | None => "",
        }
    }

    fn line_break(&self) -> &'static str {
        if self.text.contains("\r\n") {
            "\r\n"
        } else {
            "\n"
        }
    }

    /// The white space at the start of the line that `at` is in.
    fn indent_at(&self, at: usize) -> &'a str {
        let before = self.part(0..at);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = self.part(start..self.text.len());
        let width = line.len() - line.trim_start_matches([' ', '\t']).len();
        self.part(start..start + width)
    }

    /// A statement as text in this document's style: over several lines if the document's
    /// statements are.
    fn styled(&self, statement: &NewStatement) -> String {
        let last = self.statements.last();
        let lead = self.lead();
        let many_lines = match last {
            Some(last) => last.as_str().contains('\n'),
            None => self.text.trim().contains('\n'),
        };
        if !many_lines {
            return compact(statement.as_str());
        }
        let base = match (lead.rsplit_once('\n'), last) {
            (Some((_, indent)), _) => indent,
            (None, Some(last)) => self.indent_at(last.span().end),
            (None, None) => self.indent_at(self.element.start),
        };
        indented(statement.as_str(), &format!("{}{base}", self.line_break()))
    }

    /// The whole text with the statements added.
    pub(crate) fn insert(&self, statements: &[&NewStatement]) -> String {
        let styled = statements.iter().map(|statement| self.styled(statement));
        let Some(last) = self.statements.last() else {
            let items: Vec<String> = styled.collect();
            let at = self.element.start + 1;
            let (head, tail) = self.text.split_at_checked(at).unwrap_or((self.text, ""));
            return format!("{head}{}{tail}", items.join(","));
        };
        let separator = if self.is_list {
            format!(",{}", self.lead())
        } else {
            String::from(", ")
        };
        let mut items = String::new();
        for item in styled {
            items.push_str(&separator);
            items.push_str(&item);
        }
        let (open, close) = if self.is_list { ("", "") } else { ("[", "]") };
        format!(
            "{}{open}{}{items}{close}{}",
            self.part(0..self.element.start),
            self.part(self.element.start..last.span().end),
            self.part(last.span().end..self.text.len()),
        )
    }

    /// The whole text without one statement. `None` when the statement is the document's only one
    /// and no list.
    pub(crate) fn remove(&self, index: usize) -> Option<String> {
        if !self.is_list {
            return None;
        }
        let span = self.statements.get(index)?.span();
        let previous = index.checked_sub(1).and_then(|at| self.statements.get(at));
        let next = self.statements.get(index + 1);
        let cut = match (previous, next) {
            (Some(previous), _) => previous.span().end..span.end,
            (None, Some(next)) => span.start..next.span().start,
            (None, None) => self.element.start + 1..span.end,
        };
        if let (Some(previous), None, 1) = (previous, next, index) {
            let separator = self.part(previous.span().end..span.start);
            let rest = self.part(span.end..self.element.end);
            if separator == ", " && self.lead().is_empty() && rest == "]" {
                return Some(format!(
                    "{}{}{}",
                    self.part(0..self.element.start),
                    previous.as_str(),
                    self.part(self.element.end..self.text.len())
                ));
            }
        }
        Some(format!(
            "{}{}",
            self.part(0..cut.start),
            self.part(cut.end..self.text.len())
        ))
    }
}
