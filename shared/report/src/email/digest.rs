//! The digest.

use copymend_remediation::digest::{
    Changed, Digest, Failing, OldestCopy, OpenQuestion, Part, Recovered, Refused,
};
use copymend_remediation::ledger::Pause;
use copymend_remediation::settings::Mode;
use jiff::Timestamp;

use super::body::Body;
use super::{BODY_LIMIT, Email};
use crate::text::{command, inline};
use crate::words;

/// So many questions have their commands on the first screen.
const QUESTIONS: usize = 5;

/// The e-mail on what happened since the last digest.
#[must_use]
pub fn email_of_digest(digest: &Digest) -> Email {
    let mut body = Body::default();
    opening(&mut body, digest);
    body.heading("What to do");
    to_do(&mut body, digest);
    failing(&mut body, "New", &digest.new);
    failing(
        &mut body,
        "Still failing, and seen before",
        &digest.still_failing,
    );
    failing(
        &mut body,
        "Not seen again, and not known to be put right",
        &digest.not_seen_again,
    );
    failing(
        &mut body,
        "Started again, or put off until later",
        &digest.under_way,
    );
    list(&mut body, "Works again", &digest.recovered, recovered);
    list(&mut body, "Changed by Copymend", &digest.repaired, changed);
    list(&mut body, "Taken back", &digest.undone, undone);
    list(&mut body, "Refused by people", &digest.refused, refused);
    counts(&mut body, digest);
    oldest_copies(&mut body, digest);
    not_read(&mut body, digest);
    footer(&mut body, digest);
    Email {
        subject: subject(digest),
        body: body.finish(BODY_LIMIT),
    }
}

/// What it is all about.
pub(super) fn opening(body: &mut Body, digest: &Digest) {
    body.line(&summary(digest));
    body.gap();
    body.line(&since(digest));
    for note in &digest.notes {
        body.gap();
        body.line(&format!("Note: {}.", inline(note)));
    }
}

fn subject(digest: &Digest) -> String {
    let day = digest.at.strftime("%F");
    match digest.needs_a_person() {
        0 if digest.is_empty() => format!("[Copymend] digest of {day}: nothing failed"),
        0 => format!("[Copymend] digest of {day}: nobody has to act"),
        1 => format!("[Copymend] digest of {day}: 1 thing needs a person"),
        count => format!("[Copymend] digest of {day}: {count} things need a person"),
    }
}

/// The first line.
fn summary(digest: &Digest) -> String {
    if digest.is_empty() {
        return "No copy failed, no policy was changed, and nobody has to do anything.".to_owned();
    }
    let parts = [
        (digest.new.count, "new"),
        (digest.still_failing.count, "still failing"),
        (digest.not_seen_again.count, "not seen again"),
        (digest.under_way.count, "started again or put off"),
        (digest.recovered.count, "working again"),
        (digest.repaired.count, "repaired"),
        (digest.undone.count, "taken back"),
        (digest.refused.count, "refused by people"),
        (digest.questions.count, "waiting for a yes or no"),
        (digest.unanswered, "not answered in time"),
    ];
    let vaults = match digest.vaults_too_old() {
        0 => None,
        1 => Some("the copies of 1 vault too old".to_owned()),
        count => Some(format!("the copies of {count} vaults too old")),
    };
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .chain(vaults)
        .collect();
    let needs = match digest.needs_a_person() {
        0 => "Nobody has to act".to_owned(),
        1 => "1 thing needs a person".to_owned(),
        count => format!("{count} things need a person"),
    };
    if parts.is_empty() {
        return format!("{needs}.");
    }
    format!("{needs}. {}.", parts.join(", "))
}

fn since(digest: &Digest) -> String {
    let failing = [
        &digest.new,
        &digest.still_failing,
        &digest.not_seen_again,
        &digest.under_way,
    ];
    let counted = if failing.iter().all(|part| part.count == 0) {
        ""
    } else {
        " Each cause at one vault, key or role counts once for each account and each grantee."
    };
    format!(
        "From {} to {} UTC.{counted}",
        minute(digest.since),
        minute(digest.at)
    )
}

fn minute(at: Timestamp) -> impl std::fmt::Display {
    at.strftime("%F %H:%M")
}

fn to_do(body: &mut Body, digest: &Digest) {
    if digest.needs_a_person() == 0 {
        body.prose("Nothing.");
        return;
    }
    if let Some(pause) = &digest.pause {
        paused(body, pause);
    }
    questions(body, &digest.questions);
    if digest.failing() > 0 {
        put_right(body, digest);
    }
    if digest.vaults_too_old() > 0 {
        body.prose(
            "Look at the vaults whose copies are too old, below. To see of which resources:",
        );
        body.exactly("copymend rpo --account ACCOUNT --region REGION --objective 26h");
    }
}

/// How to look at what fails, and at one of its copies.
fn put_right(body: &mut Body, digest: &Digest) {
    // Of what wasn't seen again nobody knows here when the last of it was seen.
    let since = if digest.not_seen_again.count == 0 {
        digest.since
    } else {
        let waits = digest.not_seen_again.first.iter();
        let first = waits.map(|failing| failing.last_seen).min();
        first.unwrap_or(digest.since).min(digest.since)
    };
    body.prose(
        "Put right what fails below. Its message of that day, or this, says how; docs/causes.md explains each cause. What is on record of it, and of one vault or key:",
    );
    body.exactly(&format!(
        "copymend history --stack NAME --kind incident --since {}",
        since.strftime("%F")
    ));
    body.exactly("copymend history --stack NAME --resource ARN");
    body.prose("Failed copies, each with the id of a job, and what to do for one of them:");
    body.exactly("copymend scan --account ACCOUNT --region REGION --json");
    body.exactly("copymend plan COPY-JOB --stack NAME --account ACCOUNT --region REGION");
}

fn paused(body: &mut Body, pause: &Pause) {
    let until = match pause.until {
        Some(until) => format!("until {} UTC", minute(until)),
        None => "until somebody ends it".to_owned(),
    };
    body.prose(&format!(
        "Copymend is paused since {} UTC, {until}: {}. To let it go on, with COPYMEND_LEDGER_TABLE set:",
        minute(pause.since),
        inline(&pause.reason).trim_end_matches('.')
    ));
    body.exactly("copymend resume");
}

fn questions(body: &mut Body, questions: &Part<OpenQuestion>) {
    if questions.count == 0 {
        return;
    }
    body.prose("Say yes or no. Each command shows the plan first; no answer means no:");
    for question in questions.first.iter().take(QUESTIONS) {
        let about = question.resource.as_deref().map_or_else(
            || format!("a copy of account {}", inline(&question.account)),
            words::policy_of,
        );
        body.item(&format!(
            "{about}, until {} UTC:",
            minute(question.expires_at)
        ));
        body.pasteable(&command(&format!(
            "copymend approve {} --stack NAME",
            question.plan
        )));
    }
    let shown = questions.first.len().min(QUESTIONS);
    more(body, questions.count, shown);
}

/// `3 more.`
fn more(body: &mut Body, count: u64, shown: usize) {
    let left = count.saturating_sub(u64::try_from(shown).unwrap_or(u64::MAX));
    if left > 0 {
        body.item(&format!("{left} more"));
    }
}

fn list<T>(body: &mut Body, heading: &str, part: &Part<T>, words: impl Fn(&T) -> String) {
    if part.count == 0 {
        return;
    }
    body.heading(heading);
    for one in &part.first {
        body.item(&words(one));
    }
    more(body, part.count, part.first.len());
}

fn failing(body: &mut Body, heading: &str, part: &Part<Failing>) {
    list(body, heading, part, |one| {
        let seen = if one.count == 1 {
            format!("seen once, on {} UTC", minute(one.last_seen))
        } else {
            format!(
                "seen {} times from {} to {} UTC",
                one.count,
                minute(one.first_seen),
                minute(one.last_seen)
            )
        };
        let unverified = if one.is_confirmed {
            ""
        } else {
            ", not confirmed by AWS Backup"
        };
        format!(
            "{}{}{}: {seen}, {}{unverified}",
            inline(&one.cause),
            place(&one.resource, one.account.as_deref()),
            admits(one.grantee.as_deref()),
            inline(&one.outcome)
        )
    });
}

/// ` at arn:… for account 111122223333`.
fn place(resource: &str, account: Option<&str>) -> String {
    let of = account.map_or_else(String::new, |account| {
        format!(" for account {}", inline(account))
    });
    format!(" at {}{of}", inline(resource))
}

/// `, of arn:…`: of whom it is, where several may fail at one place.
fn admits(grantee: Option<&str>) -> String {
    grantee.map_or_else(String::new, |grantee| format!(", of {}", inline(grantee)))
}

fn recovered(one: &Recovered) -> String {
    let times = if one.count == 1 {
        "once".to_owned()
    } else {
        format!("{} times", one.count)
    };
    format!(
        "{}{}{}: seen {times}, over on {} UTC",
        inline(&one.cause),
        place(&one.resource, one.account.as_deref()),
        admits(one.grantee.as_deref()),
        minute(one.at)
    )
}

fn by(who: Option<&String>) -> String {
    who.map_or_else(String::new, |who| format!(", by {}", inline(who)))
}

fn changed(one: &Changed) -> String {
    let unclear = if one.is_unclear {
        ". Whether it was written is not on record: look at the policy"
    } else {
        ""
    };
    format!(
        "{} admits {} since {} UTC{}: change {}{unclear}",
        words::policy_of(&one.resource),
        inline(&one.grantee),
        minute(one.at),
        by(one.made_by.as_ref()),
        inline(&one.id)
    )
}

fn undone(one: &Changed) -> String {
    format!(
        "{} admits {} no more since {} UTC{}: change {}",
        words::policy_of(&one.resource),
        inline(&one.grantee),
        minute(one.at),
        by(one.made_by.as_ref()),
        inline(&one.id)
    )
}

fn refused(one: &Refused) -> String {
    let what = match (&one.resource, &one.grantee) {
        (Some(resource), Some(grantee)) => {
            format!("{} for {}", words::policy_of(resource), inline(grantee))
        }
        (Some(resource), None) => words::policy_of(resource),
        (None, _) => "a copy to be started again".to_owned(),
    };
    let fails = if one.is_failing_since {
        "; copies failed for it since"
    } else {
        ""
    };
    format!(
        "{what}, on {} UTC{}{fails}",
        minute(one.at),
        by(one.by.as_ref())
    )
}

fn counts(body: &mut Body, digest: &Digest) {
    let is_cut = [&digest.new, &digest.still_failing, &digest.not_seen_again]
        .iter()
        .any(|part| part.count > u64::try_from(part.first.len()).unwrap_or(u64::MAX));
    if !is_cut {
        return;
    }
    body.heading("All of it, by cause");
    for (cause, count) in &digest.causes {
        body.item(&format!("{}: {count}", inline(cause)));
    }
    body.heading("All of it, by the accounts with the most");
    for (account, count) in &digest.accounts {
        body.item(&format!("{}: {count}", inline(account)));
    }
}

fn oldest_copies(body: &mut Body, digest: &Digest) {
    let Some(oldest) = &digest.oldest_copies else {
        return;
    };
    body.heading("The oldest copies");
    let objective = oldest
        .objective_seconds
        .map_or_else(String::new, |seconds| {
            format!(", where {} is the objective", age(seconds))
        });
    body.prose(&format!("Measured {} UTC{objective}:", minute(oldest.at)));
    for OldestCopy {
        vault,
        worst_age_seconds,
        over_objective,
    } in &oldest.vaults
    {
        let worst = worst_age_seconds.map_or_else(
            || "no resource has a good copy".to_owned(),
            |seconds| {
                format!(
                    "the newest good copy of one resource is {} old",
                    age(seconds)
                )
            },
        );
        body.item(&format!(
            "{}: {worst}; over the objective: {over_objective}",
            inline(vault)
        ));
    }
    if oldest.vaults.is_empty() {
        body.item("no vault was measured as a whole");
    }
}

/// `26 hours`, `9 days`.
fn age(seconds: i64) -> String {
    let hours = seconds / 3_600;
    match hours {
        0 => format!("{} minutes", seconds / 60),
        1..=71 => format!("{hours} hours"),
        _ => format!("{} days", hours / 24),
    }
}

fn not_read(body: &mut Body, digest: &Digest) {
    if digest.read_from.is_none() && digest.unreadable == 0 {
        return;
    }
    body.heading("What was not read");
    if let Some(from) = digest.read_from {
        body.item(&format!(
            "not all that happened before {} UTC: there was more than a digest reads",
            minute(from)
        ));
    }
    if digest.unreadable > 0 {
        body.item(&format!(
            "{} records that another version wrote, or that are broken",
            digest.unreadable
        ));
    }
}

fn footer(body: &mut Body, digest: &Digest) {
    let mode = match digest.mode {
        Mode::Observe => "observe",
        Mode::Approve => "approve",
        Mode::Repair => "repair",
    };
    body.gap();
    body.line("--");
    body.line(&format!(
        "Copymend, {mode} mode. A digest comes by DigestSchedule. If it stays away, run `copymend doctor`."
    ));
}
