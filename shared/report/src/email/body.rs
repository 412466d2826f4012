//! The shape of the e-mail's text: headings, labelled lines, lists, quotes.

use std::fmt::Write as _;

/// The width of labels.
const LABEL: usize = 14;

/// The text as it grows.
#[derive(Debug, Default)]
pub(super) struct Body(String);

impl Body {
    /// A line of ours.
    pub(super) fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    /// A heading, after an empty line.
    pub(super) fn heading(&mut self, text: &str) {
        let _ = writeln!(self.0, "\n{}", text.to_uppercase());
    }

    /// A labelled value.
    pub(super) fn field(&mut self, label: &str, value: &str) {
        let _ = writeln!(self.0, "  {label:<LABEL$}  {value}");
    }

    /// An item of a list.
    pub(super) fn item(&mut self, text: &str) {
        let _ = writeln!(self.0, "  - {text}");
    }

    /// A numbered step. What follows the first line stands on lines of its own, to be copied.
    pub(super) fn step<'t>(&mut self, number: usize, mut lines: impl Iterator<Item = &'t str>) {
        let _ = writeln!(self.0, "  {number}. {}", lines.next().unwrap_or_default());
        for line in lines {
            let _ = writeln!(self.0, "       {line}");
        }
    }

    /// An indented line.
    pub(super) fn indented(&mut self, text: &str) {
        let _ = writeln!(self.0, "    {text}");
    }

    /// A line that others wrote.
    pub(super) fn quoted(&mut self, text: &str) {
        let _ = writeln!(self.0, "> {text}");
    }

    /// The text, at most `limit` bytes of it.
    pub(super) fn finish(self, limit: usize) -> String {
        if self.0.len() <= limit {
            return self.0;
        }
        let mut kept = String::new();
        for line in self.0.split_inclusive('\n') {
            if kept.len() + line.len() > limit {
                break;
            }
            kept.push_str(line);
        }
        kept.push_str("\n[The rest did not fit into an e-mail.]\n");
        kept
    }
}
