//! The history for people: a line a record for pipes, a few lines a record for terminals.

use copymend_remediation::incident::IncidentOf;
use copymend_remediation::ledger::ChangeState;
use copymend_remediation::records::{
    ApprovalRecord, ChangeRecord, IncidentRecord, PauseRecord, Record, RecordsAsked, RecordsFound,
    RefusalRecord,
};
use copymend_survey::table::{fold, table};
use jiff::Timestamp;

const INDENT: &str = "    ";

/// What was found, and what was not.
pub(super) fn text(
    asked: &RecordsAsked,
    found: &RecordsFound,
    width: Option<usize>,
    now: Timestamp,
) -> String {
    let shown = found.records.iter().map(|record| Shown::of(record, now));
    let shown: Vec<Shown> = shown.collect();
    let mut lines = if shown.is_empty() {
        vec![format!(
            "nothing is on record from {} to {}",
            minute(asked.since),
            minute(asked.until)
        )]
    } else {
        match width {
            None => rows(&shown),
            Some(width) => blocks(&shown, width),
        }
    };
    let mut foot = Vec::new();
    if let Some(before) = found.goes_on_before {
        foot.push(format!(
            "there may be more: what was before {} is shown with --until {before}, or with a higher --most",
            minute(before)
        ));
    }
    if !found.unreadable.is_empty() {
        foot.push(format!(
            "not readable, since a later version of Copymend wrote it or it is broken: {}",
            found.unreadable.join(", ")
        ));
    }
    for line in foot {
        lines.extend(fold(&one_line(&line), width));
    }
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

/// A record as it is shown.
struct Shown {
    at: Timestamp,
    kind: &'static str,
    state: String,
    /// A sentence each.
    said: Vec<String>,
}

impl Shown {
    fn of(record: &Record, now: Timestamp) -> Self {
        let (state, said) = match record {
            Record::Incident(incident) => incident_said(incident),
            Record::Change(change) => change_said(change),
            Record::Refusal(refusal) => refusal_said(refusal),
            Record::Pause(pause) => pause_said(pause, now),
            Record::Approval(approval) => approval_said(approval, now),
        };
        Self {
            at: record.at(),
            kind: record.kind().slug(),
            state,
            said: said.iter().map(|sentence| one_line(sentence)).collect(),
        }
    }

    fn columns(&self) -> Vec<String> {
        let kind = self.kind.to_owned();
        vec![minute(self.at), kind, one_line(&self.state)]
    }
}

fn incident_said(incident: &IncidentRecord) -> (String, Vec<String>) {
    let mut said = Vec::new();
    if let Some(of) = IncidentOf::of_fingerprint(&incident.fingerprint) {
        let unconfirmed = if of.is_confirmed {
            ""
        } else {
            ", not confirmed by AWS Backup"
        };
        said.push(format!("{} at {}{unconfirmed}", of.cause, of.resource));
        said.push(match of.grantee {
            Some(grantee) => format!("copies of account {}, of {grantee}", of.account),
            None => format!("copies of account {}", of.account),
        });
    } else {
        said.push(incident.fingerprint.clone());
    }
    let times = |count| match count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    };
    if let Some(open) = &incident.open {
        let since = minute(open.first_seen);
        said.push(format!("seen {} since {since}", times(open.count)));
    }
    if let Some(ended) = &incident.ended {
        said.push(format!(
            "over at {}, after it was seen {} since {}",
            minute(ended.at),
            times(ended.count),
            minute(ended.first_seen)
        ));
    }
    let state = match &incident.open {
        Some(open) => open.outcome.clone(),
        None => "over".to_owned(),
    };
    (state, said)
}

fn change_said(record: &ChangeRecord) -> (String, Vec<String>) {
    let change = &record.change;
    let by = change.made_by.as_deref();
    let (state, verb) = match (&change.undoes, record.state) {
        (None, ChangeState::Intended) => ("intended", "would admit"),
        (None, ChangeState::Written) => ("written", "admits"),
        (None, ChangeState::Undone) => ("undone", "admitted"),
        (Some(_), ChangeState::Intended) => {
            ("undo intended", "admits, until this undo is written,")
        }
        (Some(_), ChangeState::Written | ChangeState::Undone) => ("undo", "no longer admits"),
    };
    let mut said = vec![format!("{} {verb} {}", change.resource, change.grantee)];
    let who = match (by, &change.undoes) {
        (Some(by), _) => format!(" by {by}"),
        (None, None) => " by the function".to_owned(),
        (None, Some(_)) => String::new(),
    };
    said.push(match &change.undoes {
        None => format!("change {}{who}", change.id),
        Some(undone) => format!("change {}, which took {undone} back{who}", change.id),
    });
    if let Some(undo) = &record.undone_by {
        said.push(format!("taken back by change {undo}"));
    }
    said.extend(record.undo_command().map(|command| {
        let may_be = match record.state {
            ChangeState::Intended => "to take it back, if it was written",
            ChangeState::Written | ChangeState::Undone => "to take it back",
        };
        format!("{may_be}: `{command}`")
    }));
    (state.to_owned(), said)
}

fn refusal_said(refusal: &RefusalRecord) -> (String, Vec<String>) {
    let mut said = vec![format!(
        "{} is not admitted to {} again",
        refusal.grantee, refusal.resource
    )];
    let by = refusal.made_by.as_deref();
    said.push(match by {
        Some(by) => format!("change {} was taken back by {by}", refusal.change_id),
        None => format!("change {} was taken back", refusal.change_id),
    });
    let state = match &refusal.lifted {
        None => "in force",
        Some(ended) => {
            let by = ended.by.as_deref();
            let at = minute(ended.at);
            said.push(match by {
                Some(by) => format!("lifted at {at} by {by}"),
                None => format!("lifted at {at}"),
            });
            "lifted"
        }
    };
    let command = refusal.lift_command();
    said.extend(command.map(|command| format!("to lift it: `{command}`")));
    (state.to_owned(), said)
}

fn pause_said(record: &PauseRecord, now: Timestamp) -> (String, Vec<String>) {
    let pause = &record.pause;
    let by = pause.by.as_deref();
    let since = minute(pause.since);
    let mut said = vec![pause.reason.clone()];
    said.push(match by {
        Some(by) => format!("since {since}, by {by}"),
        None => format!("since {since}"),
    });
    let until = pause.until;
    said.extend(until.map(|until| format!("until {}", minute(until))));
    if let Some(ended) = &record.lifted {
        let at = minute(ended.at);
        said.push(match &ended.by {
            Some(by) => format!("ended at {at} by {by}"),
            None => format!("ended at {at}"),
        });
    }
    let state = if record.is_in_force(now) {
        said.push("to end it: `copymend resume`".to_owned());
        "in force"
    } else {
        "over"
    };
    (state.to_owned(), said)
}

fn approval_said(record: &ApprovalRecord, now: Timestamp) -> (String, Vec<String>) {
    let request = &record.request;
    let mut said = vec![match (&request.resource, &request.grantee) {
        (Some(resource), Some(grantee)) => format!("whether {resource} admits {grantee}"),
        (Some(resource), None) => format!("whether {resource} is made or changed"),
        (None, _) => format!("whether copy job {} is started again", request.copy_job_id),
    }];
    said.push(format!(
        "plan {} for copy job {} of account {}, asked until {}",
        request.id(),
        request.copy_job_id,
        request.account,
        minute(request.expires_at)
    ));
    if let Some(answered) = record.state.answered() {
        said.push(format!(
            "answered by {} at {}",
            answered.by,
            minute(answered.at)
        ));
    }
    said.extend(
        record
            .outcome()
            .map(|outcome| format!("what came of it: {outcome}")),
    );
    (record.standing(now).to_owned(), said)
}

const HEAD: [&str; 3] = ["WHEN (UTC)", "WHAT", "STATE"];

fn rows(shown: &[Shown]) -> Vec<String> {
    let rows = shown.iter().map(|one| {
        let mut row = one.columns();
        row.push(one.said.join("; "));
        row
    });
    let [when, what, state] = HEAD;
    let head = [when, what, state, "ABOUT"];
    table(&head, &rows.collect::<Vec<_>>(), None).concat()
}

fn blocks(shown: &[Shown], width: usize) -> Vec<String> {
    let rows: Vec<_> = shown.iter().map(Shown::columns).collect();
    let mut rows = table(&HEAD, &rows, Some(width)).into_iter();
    let mut lines = rows.next().unwrap_or_default();
    let room = Some(width.saturating_sub(INDENT.len()).max(1));
    for (row, one) in rows.zip(shown) {
        lines.extend(row);
        let said = one.said.iter().flat_map(|sentence| fold(sentence, room));
        lines.extend(said.map(|line| format!("{INDENT}{line}")));
    }
    lines
}

/// To the minute, in UTC.
fn minute(at: Timestamp) -> String {
    at.strftime("%F %H:%M").to_string()
}

/// Text of others may have lines of its own.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
