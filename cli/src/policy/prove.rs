//! `copymend policy prove`: that statements of Copymend were added, and nothing else changed.

use std::io::{self, Write};

use copymend_policy::{
    Certificate, NewStatement, PolicyDocument, ProofError, SID_PREFIX, Statement, prove_only_adds,
};
use serde::Serialize;
use serde_json::Value;

use super::arguments::Prove;
use super::before_and_after;
use crate::output::{self, BOLD, printable};
use crate::{CommandError, Ending, io_error};

#[derive(Serialize)]
struct Proved<'a> {
    proved: bool,
    certificate: &'a Certificate,
}

/// The first thing that is not as it must be.
#[derive(Serialize)]
struct NotProved {
    proved: bool,
    reason: String,
    statement: Option<usize>,
    sid: Option<String>,
}

pub(super) fn run(arguments: &Prove) -> Result<Ending, CommandError> {
    let (before, after) = before_and_after(arguments.before.as_deref(), &arguments.after)?;
    let result = prove(before.as_ref(), &after);
    let written = if arguments.json {
        let output = io::stdout().lock();
        match &result {
            Ok(certificate) => output::json(
                output,
                &Proved {
                    proved: true,
                    certificate,
                },
            ),
            Err(reason) => output::json(output, reason),
        }
    } else {
        human(output::terminal(), &result)
    };
    written.map_err(io_error("write the answer"))?;
    Ok(if result.is_ok() {
        Ending::Done
    } else {
        Ending::Failed
    })
}

fn prove(
    before: Option<&PolicyDocument>,
    after: &PolicyDocument,
) -> Result<Certificate, NotProved> {
    let added = added(before, after);
    prove_only_adds(before, after, &added).map_err(|error| not_proved(error, before, after))
}

/// The statements of `after` that say they are ours and that `before` lacks. What only looks like
/// one of ours is left out: the proof stops at it then.
fn added(before: Option<&PolicyDocument>, after: &PolicyDocument) -> Vec<NewStatement> {
    let old = before.map_or(&[][..], PolicyDocument::statements);
    let text = |statement: &Statement| match before {
        Some(_) => statement.as_str().to_owned(),
        None => built(statement),
    };
    let mut added: Vec<NewStatement> = Vec::new();
    for statement in after.statements() {
        let is_old = old.iter().any(|was| was.as_str() == statement.as_str());
        if !is_old
            && let Ok(new) = NewStatement::from_recorded(&text(statement))
            && !added.contains(&new)
        {
            added.push(new);
        }
    }
    added
}

/// The statement as it was built: a new document is proved to be the one that would be made of such
/// statements.
fn built(statement: &Statement) -> String {
    serde_json::from_str::<Value>(statement.as_str()).map_or_else(
        |_| statement.as_str().to_owned(),
        |value| format!("{value:#}"),
    )
}

fn not_proved(
    error: ProofError,
    before: Option<&PolicyDocument>,
    after: &PolicyDocument,
) -> NotProved {
    let mut reason = error.to_string();
    let mut place = (None, None);
    match error {
        ProofError::OutsideChanged => {
            if before.is_none() {
                "the new policy is not one that Copymend makes".clone_into(&mut reason);
            }
        }
        ProofError::StatementChanged { index, sid } => {
            "the statement was changed, moved or removed".clone_into(&mut reason);
            place = (Some(index), sid);
        }
        ProofError::Unannounced { index, sid } => {
            if let Some(statement) = after.statements().get(index) {
                why_foreign(statement).clone_into(&mut reason);
            }
            place = (Some(index), sid);
        }
        ProofError::Open(sid) => {
            "the statement is open beyond the organization".clone_into(&mut reason);
            let is_it = |statement: &Statement| statement.sid() == Some(sid.as_str());
            place = (after.statements().iter().position(is_it), Some(sid));
        }
        // What is announced is read from `after`, so it is there; the enum may grow.
        ProofError::NotAdded(_) | _ => {}
    }
    let (statement, sid) = place;
    NotProved {
        proved: false,
        reason,
        statement,
        sid,
    }
}

/// Why a statement that was added is not one that Copymend adds.
fn why_foreign(statement: &Statement) -> &'static str {
    let sid = statement.sid().unwrap_or_default();
    if !sid.starts_with(SID_PREFIX) {
        "the statement was added, and its Sid is not one of Copymend's"
    } else if NewStatement::from_recorded(statement.as_str()).is_err() {
        "the statement was added, and it does not allow as those of Copymend do"
    } else {
        "the statement was added a second time"
    }
}

fn human(mut output: impl Write, result: &Result<Certificate, NotProved>) -> io::Result<()> {
    match result {
        Ok(certificate) => {
            writeln!(output, "{BOLD}proved{BOLD:#}")?;
            writeln!(output, "{}", printable(&certificate.to_string()))
        }
        Err(NotProved {
            reason,
            statement,
            sid,
            ..
        }) => {
            writeln!(output, "{BOLD}not proved{BOLD:#}")?;
            if let Some(index) = statement {
                write!(output, "statement {}", index.saturating_add(1))?;
                if let Some(sid) = sid {
                    write!(output, " (`{}`)", printable(sid))?;
                }
                write!(output, ": ")?;
            }
            writeln!(output, "{}", printable(reason))
        }
    }
}
