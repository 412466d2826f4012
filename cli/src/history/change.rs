//! One change, for people: what was written, what it was decided on, and how it is taken back.

use std::io::{self, Write};

use copymend_remediation::ledger::Grounds;
use copymend_remediation::records::{ChangeRecord, state_slug};

use crate::output::{self, BOLD};

/// What a version before this one didn't keep.
const NOT_KEPT: &str = "not on record";

pub(super) fn show(mut out: impl Write, record: &ChangeRecord) -> io::Result<()> {
    let text = |text: &str| output::printable(&text.replace('\n', " "));
    let change = &record.change;
    let id = text(&change.id);
    let state = state_slug(record.state);
    writeln!(out, "{BOLD}Change {id}{BOLD:#}: {state} at {}", change.at)?;
    let made_by = match (&change.made_by, &change.undoes) {
        (Some(by), _) => text(by),
        (None, None) => "the function".to_owned(),
        (None, Some(_)) => NOT_KEPT.to_owned(),
    };
    let verb = if change.undoes.is_some() {
        "no more:"
    } else {
        "admits:"
    };
    let account = change.account.as_deref().unwrap_or(NOT_KEPT);
    let certificate = record.certificate();
    let lines = [
        ("policy of:", Some(text(&change.resource))),
        (verb, Some(text(&change.grantee))),
        ("account:", Some(text(account))),
        ("copy job:", Some(text(&change.copy_job_id))),
        ("made by:", Some(made_by)),
        ("takes back:", change.undoes.as_deref().map(text)),
        ("taken back by:", record.undone_by.as_deref().map(text)),
        (
            "certificate:",
            certificate.map(|one| text(&one.to_string())),
        ),
    ];
    for (name, value) in lines {
        if let Some(value) = value {
            writeln!(out, "  {name:<15} {value}")?;
        }
    }
    grounds(&mut out, &change.grounds, change.undoes.is_some())?;
    let after = change.after.as_deref().unwrap_or_default();
    let diff = copymend_policy::diff(change.before.as_deref(), after);
    output::coloured_diff(&mut out, &diff)?;
    match record.undo_command() {
        Some(command) => writeln!(out, "{}", text(&format!("`{command}` takes it back."))),
        None => Ok(()),
    }
}

/// What it was decided on. An undo is decided by a person alone.
fn grounds(out: &mut impl Write, grounds: &Grounds, is_undo: bool) -> io::Result<()> {
    let text = |text: &str| output::printable(&text.replace('\n', " "));
    let or_none = |value: &Option<String>| text(value.as_deref().unwrap_or(NOT_KEPT));
    let version = or_none(&grounds.program_version);
    writeln!(out, "  {:<15} {version}", "version:")?;
    if is_undo {
        return Ok(());
    }
    let hash = or_none(&grounds.settings_hash);
    writeln!(out, "  {:<15} {hash}", "settings:")?;
    for (name, value) in &grounds.settings {
        writeln!(out, "    {}={}", text(name), text(value))?;
    }
    for (name, list) in [
        ("admitted by:", &grounds.admitted_by),
        ("guards:", &grounds.guards),
    ] {
        if list.is_empty() {
            writeln!(out, "  {name:<15} {NOT_KEPT}")?;
            continue;
        }
        writeln!(out, "  {name}")?;
        for entry in list {
            writeln!(out, "    {}", text(entry))?;
        }
    }
    Ok(())
}
