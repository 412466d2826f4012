//! What a run says to people, and what it asks them.

use std::io::{self, BufRead, Write};

use crate::output::{BOLD, DIMMED, printable, terminal};

/// One line.
pub(crate) fn say(text: &str) -> io::Result<()> {
    writeln!(terminal(), "{}", printable(text))
}

/// One line below a step.
pub(crate) fn detail(text: &str) -> io::Result<()> {
    writeln!(terminal(), "     {}", printable(text))
}

/// A step that is about to be done, with the calls that it makes.
pub(crate) fn step(number: usize, of: usize, title: &str, calls: &str) -> io::Result<()> {
    let mut output = terminal();
    let (title, calls) = (printable(title), printable(calls));
    writeln!(output, "{BOLD}{number:>2}/{of} {title}{BOLD:#}")?;
    writeln!(output, "     {DIMMED}{calls}{DIMMED:#}")?;
    output.flush()
}

/// Asks a question; only one of these words means yes. The end of the input means no.
pub(crate) fn agreed(question: &str, yes: &[&str]) -> io::Result<bool> {
    let mut output = terminal();
    write!(output, "{question} ")?;
    output.flush()?;
    drop(output);
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(yes.contains(&answer.trim().to_lowercase().as_str()))
}
