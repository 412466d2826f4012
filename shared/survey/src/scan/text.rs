//! The scan for people.

use jiff::Timestamp;

use super::incidents::{Act, Incident, Scan};
use crate::table::{fold, table};

/// The incidents, what could not be read, and how far it came. With a terminal's `width` every incident
/// is a block that fits; without one it is a line.
#[must_use]
pub fn text(scan: &Scan, width: Option<usize>) -> String {
    let mut lines = match width {
        Some(width) => blocks(scan, width),
        None => rows(scan),
    };
    if scan.incidents.is_empty() {
        lines.push(match (scan.not_read.is_empty(), scan.stopped) {
            (true, None) => "nothing failed".to_owned(),
            (false, _) | (_, Some(_)) => "nothing failed in what was read".to_owned(),
        });
    } else {
        lines.push(String::new());
        lines.push(format!(
            "{} jobs in {} incidents since {}",
            scan.jobs(),
            scan.incidents.len(),
            day(Some(scan.since))
        ));
    }
    for line in foot(scan) {
        lines.extend(fold(&line, width));
    }
    let mut out = lines.join("\n");
    out.push('\n');
    out
}

/// One line an incident, for pipes.
fn rows(scan: &Scan) -> Vec<String> {
    if scan.incidents.is_empty() {
        return Vec::new();
    }
    let head = [
        "COUNT",
        "FIRST",
        "LAST",
        "ACCOUNTS",
        "CAUSE",
        "VAULT OR KEY",
        "COPYMEND WOULD",
    ];
    let incidents = scan.incidents.iter();
    let rows: Vec<_> = incidents
        .map(|incident| {
            let mut row = columns(incident);
            row.extend([one_line(&incident.resource), would(incident)]);
            row
        })
        .collect();
    table(&head, &rows, None).concat()
}

/// A few lines an incident, for terminals.
fn blocks(scan: &Scan, width: usize) -> Vec<String> {
    if scan.incidents.is_empty() {
        return Vec::new();
    }
    let head = ["COUNT", "FIRST", "LAST", "ACCOUNTS", "CAUSE"];
    let rows: Vec<_> = scan.incidents.iter().map(columns).collect();
    let mut rows = table(&head, &rows, Some(width)).into_iter();
    let mut lines = rows.next().unwrap_or_default();
    let room = Some(width.saturating_sub(INDENT.len() + 3));
    for (row, incident) in rows.zip(&scan.incidents) {
        lines.extend(row);
        for (sign, text) in [
            ("at", one_line(&incident.resource)),
            ("->", would(incident)),
        ] {
            let folded = fold(&text, room).into_iter().enumerate();
            lines.extend(folded.map(|(place, line)| {
                let sign = if place == 0 { sign } else { "  " };
                format!("{INDENT}{sign} {line}")
            }));
        }
    }
    lines
}

const INDENT: &str = "    ";

fn columns(incident: &Incident) -> Vec<String> {
    let accounts = match incident.accounts.len() {
        1 => incident.accounts.keys().next().cloned().unwrap_or_default(),
        many => format!("{many} accounts"),
    };
    vec![
        incident.count.to_string(),
        day(incident.first_seen),
        day(incident.last_seen),
        accounts,
        name_of_cause(incident),
    ]
}

/// The cause's name, with what is wrong where it isn't a failed copy.
#[must_use]
pub fn name_of_cause(incident: &Incident) -> String {
    let cause = incident.cause.slug();
    match (incident.kind, incident.problem.as_str()) {
        ("copy", "failed") => cause.to_owned(),
        ("copy", problem) => format!("{cause} ({problem})"),
        (kind, problem) => format!("{cause} ({kind} {problem})"),
    }
}

/// What Copymend would do, marked where the message alone says so.
fn would(incident: &Incident) -> String {
    let mark = match how_sure(incident) {
        sure if sure.is_empty() => sure,
        sure => format!(" ({sure})"),
    };
    format!("{}{mark}", would_do(incident))
}

/// What Copymend would do, on one line.
#[must_use]
pub fn would_do(incident: &Incident) -> String {
    // The other sentences begin with what is done.
    let act = match incident.would.act {
        Act::Advise => "advise: ",
        Act::Repair | Act::Retry | Act::Refuse | Act::Nothing => "",
    };
    // A command that follows a step stands in the JSON.
    let step = incident.would.text.lines().next().unwrap_or_default();
    format!("{act}{}", one_line(step.trim_end_matches(':')))
}

/// Why the cause isn't certain; empty where the facts confirm it.
#[must_use]
pub fn how_sure(incident: &Incident) -> String {
    match (incident.from_message, incident.confirmed) {
        (true, _) => "from the message".to_owned(),
        (false, true) => String::new(),
        (false, false) if incident.unknown_facts > 0 => format!(
            "not confirmed: {} facts could not be read",
            incident.unknown_facts
        ),
        (false, false) => "not confirmed by the facts".to_owned(),
    }
}

/// What could not be read, what people should know beside the incidents, and how far a stopped scan came:
/// a line each.
#[must_use]
pub fn foot(scan: &Scan) -> Vec<String> {
    let mut lines = Vec::new();
    for line in &scan.not_read {
        let detail = one_line(&line.detail);
        lines.push(format!(
            "NOT READ  {} {}: {} on {}: {} ({detail}); {}",
            line.account,
            line.region,
            line.operation,
            one_line(&line.resource),
            line.reason,
            line.what_to_do
        ));
    }
    let told = u64::try_from(scan.unreadable.len()).unwrap_or(u64::MAX);
    lines.extend(
        scan.unreadable
            .iter()
            .map(|row| format!("UNREADABLE  {}", one_line(row))),
    );
    let others = scan.unreadable_count.saturating_sub(told);
    if others > 0 {
        lines.push(format!("UNREADABLE  {others} more rows"));
    }
    lines.extend(
        scan.notes
            .iter()
            .map(|note| format!("NOTE  {}", one_line(note))),
    );
    if let Some(stopped) = scan.stopped {
        let (read, places) = (stopped.places_read, scan.places);
        lines.push(format!(
            "STOPPED  after {read} of {places} accounts and Regions, and {} of {} routes: what is above is what was found until then",
            stopped.routes_investigated, stopped.routes
        ));
    }
    lines
}

/// Text from outside on one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A day in UTC; `-` for none.
#[must_use]
pub fn day(time: Option<Timestamp>) -> String {
    time.map_or_else(
        || "-".to_owned(),
        |time| time.strftime("%Y-%m-%d").to_string(),
    )
}
