//! The findings as people and as programs read them.

use std::fmt::Write as _;
use std::io;

use copymend_diagnosis::BackupVaultArn;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::judge::{Findings, Place, State, VaultSummary};
use super::objective::Objectives;

/// The version of the JSON's form.
const VERSION: u32 = 1;

/// What is said of a place where no plan copies to.
pub const NOT_PLANNED: &str = "no plan of late, but copies arrived there";

/// Which places a text shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// What misses its objective, has no copy, or can't be known.
    Wanting,
    /// Every place.
    All,
}

/// The findings as text, the worst first.
#[must_use]
pub fn text(findings: &Findings, shown: Shown) -> String {
    let mut text = String::new();
    let now = findings.at;
    let shown: Vec<&Place> = findings
        .places
        .iter()
        .filter(|place| shown == Shown::All || is_wanting(place))
        .collect();
    if !shown.is_empty() {
        line(
            &mut text,
            format_args!("{:<13} {:>8} {:>9}  resource", "state", "age", "objective"),
        );
    }
    for place in &shown {
        tell_place(&mut text, place, now);
    }
    if !shown.is_empty() {
        text.push('\n');
    }
    if !findings.vaults.is_empty() {
        line(
            &mut text,
            format_args!("{:<13} {:>8} {:>9}  vault", "missed", "worst", "places"),
        );
    }
    for vault in &findings.vaults {
        tell_vault(&mut text, vault);
    }
    if !findings.vaults.is_empty() {
        text.push('\n');
    }
    for remark in foot(findings) {
        line(&mut text, format_args!("{remark}"));
    }
    line(&mut text, format_args!("{}", summary(findings)));
    text
}

/// Exclusions that are over and what could not be read, a line each.
#[must_use]
pub fn foot(findings: &Findings) -> Vec<String> {
    let expired = findings.expired.iter().map(|exclusion| {
        format!(
            "exclusion over since {}: {} ({}). It left nothing out: renew it or remove it.",
            exclusion.until(),
            exclusion.pattern(),
            exclusion.reason()
        )
    });
    let not_read = findings.not_read.iter();
    let not_read = not_read.map(|one| format!("not read: {}: {}", one.what, one.why));
    expired.chain(not_read).collect()
}

const fn is_wanting(place: &Place) -> bool {
    match place.state {
        State::Gone | State::Never | State::NoGoodCopy | State::Late | State::Unknown => true,
        State::NoObjective | State::NotDue | State::InTime => place.gone > 0,
        State::Excluded => false,
    }
}

fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    // Writing to a string never fails.
    let _ = writeln!(text, "{words}");
}

fn tell_place(text: &mut String, place: &Place, now: Timestamp) {
    let age = place.age(now).map_or_else(|| "none".to_owned(), span);
    let objective = place
        .objective
        .map_or_else(|| "none".to_owned(), |age| span(age.seconds()));
    line(
        text,
        format_args!(
            "{:<13} {age:>8} {objective:>9}  {} {}",
            place.state.name(),
            place.resource_type,
            place.resource
        ),
    );
    let mut more = format!("in {}", place_of(&place.vault));
    if !place.is_planned {
        more.push_str("; ");
        more.push_str(NOT_PLANNED);
    }
    if !place.detail.is_empty() {
        more.push_str("; ");
        more.push_str(&place.detail);
    }
    line(text, format_args!("{:<34}{more}", ""));
}

fn tell_vault(text: &mut String, vault: &VaultSummary) {
    let worst = vault.worst_age.map_or_else(|| "none".to_owned(), span);
    line(
        text,
        format_args!(
            "{:<13} {worst:>8} {:>9}  {}",
            vault.missed,
            vault.places,
            place_of(&vault.vault)
        ),
    );
}

/// A vault by its name, account and Region.
#[must_use]
pub fn place_of(vault: &BackupVaultArn) -> String {
    format!(
        "{} ({}, {})",
        vault.name(),
        vault.arn().account(),
        vault.region()
    )
}

/// A time in its two largest units.
#[must_use]
pub fn span(seconds: i64) -> String {
    let (days, hours, minutes) = (
        seconds / 86_400,
        seconds % 86_400 / 3_600,
        seconds % 3_600 / 60,
    );
    match (days, hours) {
        (0, 0) => format!("{minutes}m"),
        (0, hours) => format!("{hours}h{minutes:02}m"),
        (days, hours) => format!("{days}d{hours:02}h"),
    }
}

/// How many places miss their objective, can't be known or are left out, in a sentence.
#[must_use]
pub fn summary(findings: &Findings) -> String {
    let all = findings.places.len();
    let unknown = findings
        .places
        .iter()
        .filter(|place| place.state == State::Unknown)
        .count();
    let excluded = findings
        .places
        .iter()
        .filter(|place| place.state == State::Excluded)
        .count();
    let mut words = match findings.missed() {
        0 => format!("None of {all} places is known to miss its objective"),
        missed => format!("{missed} of {all} places miss their objective"),
    };
    if unknown > 0 {
        let _ = write!(words, "; {unknown} can't be known");
    }
    if excluded > 0 {
        let _ = write!(words, "; {excluded} are left out on purpose");
    }
    words.push('.');
    words
}

/// Writes the findings as one JSON object on one line, place by place.
///
/// # Errors
/// What writing fails with.
pub fn write_json(
    findings: &Findings,
    objectives: &Objectives,
    mut output: impl io::Write,
) -> io::Result<()> {
    let objectives: Vec<String> = objectives.iter().map(ToString::to_string).collect();
    let now = findings.at;
    write!(
        output,
        "{{\"rpo\":{VERSION},\"at\":{},\"objectives\":{},\"missed\":{},\"places\":[",
        json!(now),
        json!(objectives),
        findings.missed()
    )?;
    for (at, place) in findings.places.iter().enumerate() {
        if at > 0 {
            output.write_all(b",")?;
        }
        serde_json::to_writer(&mut output, &told_place(place, now))?;
    }
    let vaults: Vec<Value> = findings
        .vaults
        .iter()
        .map(|vault| {
            json!({
                "vault": vault.vault,
                "places": vault.places,
                "missed": vault.missed,
                "worst_age_seconds": vault.worst_age,
            })
        })
        .collect();
    let expired: Vec<Value> = findings
        .expired
        .iter()
        .map(|exclusion| {
            json!({
                "pattern": exclusion.pattern(),
                "reason": exclusion.reason(),
                "until": exclusion.until().to_string(),
            })
        })
        .collect();
    let not_read: Vec<Value> = findings
        .not_read
        .iter()
        .map(|not_read| json!({"what": not_read.what, "why": not_read.why}))
        .collect();
    writeln!(
        output,
        "],\"vaults\":{},\"expired_exclusions\":{},\"not_read\":{}}}",
        json!(vaults),
        json!(expired),
        json!(not_read)
    )
}

fn told_place(place: &Place, now: Timestamp) -> Value {
    json!({
        "resource": place.resource,
        "resource_type": place.resource_type,
        "vault": place.vault,
        "planned": place.is_planned,
        "state": place.state.name(),
        "missed": place.is_missed(),
        "age_seconds": place.age(now),
        "objective_seconds": place.objective.map(super::Age::seconds),
        "newest_copy": place.newest_copy,
        "newest_backup": place.newest_backup,
        "gone": place.gone,
        "detail": place.detail,
    })
}
