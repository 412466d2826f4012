//! `copymend policy diff`.

use std::io::{self, Write};

use copymend_policy::{PolicyDocument, diff};
use serde::Serialize;
use serde_json::Value;

use super::arguments::Diff;
use super::before_and_after;
use crate::output::{self, coloured_diff};
use crate::{CommandError, Ending, io_error};

/// The difference statement by statement, as other programs read it.
#[derive(Serialize)]
struct Difference<'a> {
    added: Vec<Place<'a>>,
    removed: Vec<Place<'a>>,
    changed: Vec<Place<'a>>,
    kept: usize,
    outside_changed: bool,
}

/// A statement in its document, counted from 0.
#[derive(Serialize)]
struct Place<'a> {
    statement: usize,
    sid: Option<&'a str>,
}

pub(super) fn run(arguments: &Diff) -> Result<Ending, CommandError> {
    let (before, after) = before_and_after(arguments.before.as_deref(), &arguments.after)?;
    let written = if arguments.json {
        output::json(io::stdout().lock(), &difference(before.as_ref(), &after))
    } else {
        human(output::terminal(), before.as_ref(), &after)
    };
    written.map_err(io_error("write the answer"))?;
    Ok(Ending::Done)
}

fn human(
    mut output: impl Write,
    before: Option<&PolicyDocument>,
    after: &PolicyDocument,
) -> io::Result<()> {
    let difference = diff(before.map(PolicyDocument::as_str), after.as_str());
    if !difference.is_empty() {
        coloured_diff(output, &difference)
    } else if before == Some(after) {
        writeln!(output, "the policies are the same")
    } else {
        writeln!(output, "the policies differ in white space only")
    }
}

/// A statement that is not matched yet.
struct Open<'a> {
    place: Place<'a>,
    value: Value,
}

fn open(document: Option<&PolicyDocument>) -> Vec<Open<'_>> {
    let statements = document.map_or(&[][..], PolicyDocument::statements);
    statements
        .iter()
        .enumerate()
        .map(|(statement, source)| Open {
            place: Place {
                statement,
                sid: source.sid(),
            },
            // INVARIANT: a statement of a parsed document is JSON.
            value: serde_json::from_str(source.as_str()).unwrap_or_default(),
        })
        .collect()
}

/// Pairs equal statements first, then those with the same `Sid`.
fn difference<'a>(before: Option<&'a PolicyDocument>, after: &'a PolicyDocument) -> Difference<'a> {
    let mut old = open(before);
    let mut new = open(Some(after));
    let mut kept = 0;
    new.retain(
        |new| match old.iter().position(|old| old.value == new.value) {
            Some(same) => {
                old.remove(same);
                kept += 1;
                false
            }
            None => true,
        },
    );
    let mut added = Vec::new();
    let mut changed = Vec::new();
    for Open { place, .. } in new {
        let twin = |old: &Open<'_>| place.sid.is_some() && old.place.sid == place.sid;
        match old.iter().position(twin) {
            Some(twin) => {
                old.remove(twin);
                changed.push(place);
            }
            None => added.push(place),
        }
    }
    Difference {
        added,
        removed: old.into_iter().map(|old| old.place).collect(),
        changed,
        kept,
        outside_changed: before
            .is_some_and(|before| before.version() != after.version() || before.id() != after.id()),
    }
}
