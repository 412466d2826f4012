//! The shape of the e-mail's text: sentences, headings, labelled lines, lists, quotes.

use std::fmt::Write as _;

use crate::text::pieces;

/// The width of labels.
const LABEL: usize = 14;
/// No line is wider, unless it is a command, a line of a policy, or a single word.
const WIDTH: usize = 100;

/// The text as it grows. What is wrapped goes on behind an indent, so that nobody's text begins a
/// line.
#[derive(Debug)]
pub(super) struct Body {
    text: String,
    width: usize,
}

impl Default for Body {
    fn default() -> Self {
        Self {
            text: String::new(),
            width: WIDTH,
        }
    }
}

impl Body {
    /// A text whose sentences are not wrapped, for readers that do that themselves.
    pub(super) fn unwrapped() -> Self {
        Self {
            width: usize::MAX,
            ..Self::default()
        }
    }

    /// Its lines without their indents; empty ones are dropped.
    pub(super) fn into_lines(self) -> Vec<String> {
        let lines = self.text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty());
        lines.map(ToOwned::to_owned).collect()
    }

    /// A sentence of ours, at the margin.
    pub(super) fn line(&mut self, text: &str) {
        self.wrapped("", 2, text);
    }

    /// An empty line.
    pub(super) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// A heading, after an empty line.
    pub(super) fn heading(&mut self, text: &str) {
        let _ = writeln!(self.text, "\n{}", text.to_uppercase());
    }

    /// A sentence below a heading.
    pub(super) fn prose(&mut self, text: &str) {
        self.wrapped("  ", 2, text);
    }

    /// A labelled value, wrapped below itself where its words are short enough.
    pub(super) fn field(&mut self, label: &str, value: &str) {
        let first = format!("  {label:<LABEL$}  ");
        let width = first.len();
        let fits = value
            .split(' ')
            .all(|word| word.chars().count() <= self.width - width);
        self.wrapped(&first, if fits { width } else { 4 }, value);
    }

    /// An item of a list.
    pub(super) fn item(&mut self, text: &str) {
        self.wrapped("  - ", 4, text);
    }

    /// An item below an indented line.
    pub(super) fn inner_item(&mut self, text: &str) {
        self.wrapped("      - ", 8, text);
    }

    /// A line with a mark of two characters before it.
    pub(super) fn marked(&mut self, mark: &str, text: &str) {
        self.wrapped(&format!("  {mark}  "), 6, text);
    }

    /// A numbered sentence.
    pub(super) fn numbered(&mut self, number: usize, text: &str) {
        self.wrapped(&format!("  {number}. "), 5, text);
    }

    /// A command or a line of a policy that belongs to a numbered sentence, as it is.
    pub(super) fn pasteable(&mut self, line: &str) {
        let _ = writeln!(self.text, "       {line}");
    }

    /// An indented sentence.
    pub(super) fn indented(&mut self, text: &str) {
        self.wrapped("    ", 6, text);
    }

    /// A command or a line of a policy, indented and as it is.
    pub(super) fn exactly(&mut self, text: &str) {
        let _ = writeln!(self.text, "    {text}");
    }

    /// A line that others wrote.
    pub(super) fn quoted(&mut self, text: &str) {
        let _ = writeln!(self.text, "> {text}");
    }

    /// What was written elsewhere.
    pub(super) fn append(&mut self, other: &Self) {
        self.text.push_str(&other.text);
    }

    /// How many lines there are.
    pub(super) fn lines(&self) -> usize {
        self.text.bytes().filter(|byte| *byte == b'\n').count()
    }

    /// A text behind `first`, broken at spaces; its further lines stand `indent` columns to the
    /// right. A word that is too long stands alone on its line.
    fn wrapped(&mut self, first: &str, indent: usize, text: &str) {
        let mut line = first.to_owned();
        let mut width = first.chars().count();
        let mut is_bare = true;
        for word in text.split(' ').flat_map(pieces) {
            let size = word.chars().count();
            let space = usize::from(!is_bare);
            let goes_on = width + space + size <= self.width || (is_bare && width <= indent);
            if !goes_on {
                let _ = writeln!(self.text, "{}", line.trim_end());
                line = " ".repeat(indent);
                width = indent;
            } else if !is_bare {
                line.push(' ');
                width += 1;
            }
            line.push_str(&word);
            width += size;
            is_bare = false;
        }
        let _ = writeln!(self.text, "{}", line.trim_end());
    }

    /// The text, at most `limit` bytes of it.
    pub(super) fn finish(self, limit: usize) -> String {
        if self.text.len() <= limit {
            return self.text;
        }
        let mut kept = String::new();
        for line in self.text.split_inclusive('\n') {
            if kept.len() + line.len() > limit {
                break;
            }
            kept.push_str(line);
        }
        kept.push_str("\n[The rest did not fit into an e-mail.]\n");
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(write: impl FnOnce(&mut Body)) -> String {
        let mut body = Body::default();
        write(&mut body);
        body.text
    }

    #[test]
    fn long_sentences_go_on_behind_an_indent() {
        let text = of(|body| body.line(&"word ".repeat(30)));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(
            lines[0].len() <= WIDTH && lines[1].starts_with("  word"),
            "{text}"
        );
    }

    #[test]
    fn a_word_that_does_not_fit_stands_alone() {
        let word = "x".repeat(97);
        let text = of(|body| body.field("Job role", &format!("a {word} b")));
        assert_eq!(text, format!("  Job role        a\n    {word}\n    b\n"));
        let text = of(|body| body.item(&word));
        assert_eq!(text, format!("  - {word}\n"));
        assert_eq!(of(|body| body.field("Empty", "")), "  Empty\n");
    }
}
