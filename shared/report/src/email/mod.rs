//! The e-mails that SNS sends. Plain text.

mod body;
mod digest;
mod left_out;
mod opening;
mod parts;
mod pasted;
mod preflight;
mod preflight_opening;
mod sections;
mod subject;
mod test_message;
mod to_do;
mod unread;

use copymend_remediation::message::Message;
use copymend_remediation::report::{Report, Subject};

use crate::subject::{Key, key_of_change, place, vault_or_role_of_change};
use crate::words;
use body::Body;
use unread::Unread;

pub use digest::email_of_digest;
pub use left_out::email_of_left_out;
pub use preflight::email_of_preflight;
pub use test_message::email_of_test_message;

/// An e-mail, as `sns:Publish` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// Fewer than 100 printable ASCII characters, as SNS demands (SNS API reference, `Publish`,
    /// documented).
    pub subject: String,
    /// The text. Far below the 256 KiB that SNS takes.
    pub body: String,
}

/// The longest subject: SNS demands fewer than 100 characters.
const SUBJECT_LIMIT: usize = 99;
/// The body ends here at the latest: SNS takes 262,144 bytes.
const BODY_LIMIT: usize = 240_000;

/// The e-mail on a message.
#[must_use]
pub fn email_of_message(message: Message<'_>) -> Email {
    match message {
        Message::Report(report) => email(report),
        Message::LeftOut(left_out) => email_of_left_out(left_out),
        Message::Test(test) => email_of_test_message(test),
        Message::Preflight(news) => email_of_preflight(news),
        Message::Digest(digest) => email_of_digest(digest),
    }
}

/// What an e-mail opens with, sentence by sentence: what happened, why, what was done, and what is left
/// to do. Nothing that is to be copied from it.
pub(crate) fn in_short(message: Message<'_>) -> Vec<String> {
    let mut body = Body::unwrapped();
    match message {
        Message::Report(report) => {
            opening::opening(&mut body, report, &Unread::of(&[]));
            to_do::in_short(&mut body, report);
        }
        Message::LeftOut(message) => left_out::write(&mut body, message),
        Message::Test(message) => test_message::write(&mut body, message),
        Message::Preflight(news) => preflight_opening::opening(&mut body, news),
        Message::Digest(digest) => digest::opening(&mut body, digest),
    }
    body.into_lines()
}

/// The e-mail on a Report.
#[must_use]
pub fn email(report: &Report) -> Email {
    let mut body = Body::default();
    let permissions = report.permissions.as_deref().unwrap_or_default();
    let unread = Unread::of(&report.diagnosis.unknown);
    opening::opening(&mut body, report, &unread);
    to_do::left_to_do(&mut body, report);
    parts::notes(&mut body, &report.notes, &unread);
    subject::section(&mut body, report);
    parts::permissions(&mut body, permissions, &unread);
    parts::policy(&mut body, report.policy.as_ref());
    sections::changes(&mut body, report);
    parts::evidence(&mut body, &report.diagnosis, permissions, &unread);
    let (whose, unknown) = match report.subject {
        Subject::Copy(_) => ("job", "An unknown fact never permits a write."),
        Subject::ApiCall(_) => ("call", MAY_BE_IN_THE_WAY),
        Subject::Job(_) => ("job", MAY_BE_IN_THE_WAY),
    };
    parts::message(&mut body, whose, &report.message);
    unread.section(&mut body, unknown);
    sections::guards(&mut body, report, &unread);
    sections::footer(&mut body, report);
    Email {
        subject: subject_line(report),
        body: body.finish(BODY_LIMIT),
    }
}

const MAY_BE_IN_THE_WAY: &str = "What could not be read may be in the way as well.";

fn subject_line(report: &Report) -> String {
    let with = |place: &str| {
        format!(
            "[Copymend] {}: {} for {place}",
            words::outcome(report.outcome, report.is_confirmed()),
            report.diagnosis.cause
        )
    };
    let key = key_of_change(report);
    let changed = key
        .as_ref()
        .map(Key::whole)
        .or_else(|| vault_or_role_of_change(report));
    let place = match (report.copy_job_id(), changed, place(&report.subject)) {
        (Some(_), Some(changed), _) => changed,
        (Some(_), None, Some(vault)) => format!("vault {vault}"),
        (None, _, Some(place)) => place,
        (_, _, None) => "a vault without a readable ARN".to_owned(),
    };
    let mut subject = with(&place);
    if subject.len() > SUBJECT_LIMIT
        && let Some(key) = &key
    {
        subject = with(&key.short());
    }
    if subject.len() <= SUBJECT_LIMIT {
        return subject;
    }
    let kept: String = subject.chars().take(SUBJECT_LIMIT - 3).collect();
    format!("{kept}...")
}
