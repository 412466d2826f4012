//! The summary of messages that were left out.

use copymend_remediation::ledger::LeftOut;

use super::body::Body;
use super::{BODY_LIMIT, Email};
use crate::text::inline;

/// The e-mail on messages that were left out.
#[must_use]
pub fn email_of_left_out(left_out: &LeftOut) -> Email {
    let (count, account) = (left_out.count, left_out.of.account);
    let messages = if count == 1 { "message" } else { "messages" };
    let mut body = Body::default();
    write(&mut body, left_out);
    let unverified = if left_out.of.is_confirmed {
        ""
    } else {
        "unverified "
    };
    Email {
        subject: format!(
            "[Copymend] {count} {unverified}{messages} left out for account {account}"
        ),
        body: body.finish(BODY_LIMIT),
    }
}

pub(super) fn write(body: &mut Body, left_out: &LeftOut) {
    let (count, account) = (left_out.count, left_out.of.account);
    let (messages, were) = match count {
        1 => ("message", "was"),
        _ => ("messages", "were"),
    };
    let (first, last) = (left_out.first_at, left_out.last_at);
    body.line(&format!(
        "{count} {messages} about copies of account {account} {were} left out between {} and {}.",
        first.strftime("%F %H:%M"),
        last.strftime("%F %H:%M UTC")
    ));
    body.gap();
    body.line(
        "Why: there were more in one hour than SourceMessageBudget allows. Messages about a change of \
         a policy or role are never left out.",
    );
    if !left_out.of.is_confirmed {
        body.line("AWS Backup did not confirm these events: they may be made up.");
    }
    body.heading("What to do");
    body.prose(
        "Look at the account's failed copies; causes with the most copies come first below:",
    );
    body.exactly(&format!("copymend scan --account {account}"));
    body.heading("What they were about");
    for (cause, count) in &left_out.causes {
        body.item(&format!("{}: {count}", inline(cause)));
    }
    if !left_out.copy_jobs.is_empty() {
        body.heading("The first copy jobs");
        for job in &left_out.copy_jobs {
            body.item(&inline(job));
        }
    }
}
