//! The test message.

use copymend_remediation::test_message::TestMessage;

use super::body::Body;
use super::{BODY_LIMIT, Email};
use crate::text::inline;

/// The e-mail that says that the way to people works.
#[must_use]
pub fn email_of_test_message(message: &TestMessage) -> Email {
    let mut body = Body::default();
    write(&mut body, message);
    Email {
        subject: "[Copymend] test message: the way to people works".to_owned(),
        body: body.finish(BODY_LIMIT),
    }
}

pub(super) fn write(body: &mut Body, message: &TestMessage) {
    body.line(
        "This is a test message of Copymend. Nothing has happened: whoever reads it is reached by \
         Copymend's reports as well.",
    );
    body.heading("What to do");
    body.item("Nothing, if the message was expected.");
    body.item(
        "A message comes once a week, and when somebody runs `copymend doctor --send`. If it stays \
         away, run `copymend doctor`: it says what is broken.",
    );
    body.heading("What sent it");
    body.item(&format!("time: {}", message.at.strftime("%F %H:%M UTC")));
    body.item(&format!("mode: {}", message.mode));
    if let Some(topic) = &message.topic {
        body.item(&format!("topic: {}", inline(topic)));
    }
}
