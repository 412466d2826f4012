//! The e-mails that SNS sends. Plain text.

mod advisory;
mod body;
mod parts;
mod sections;

use copymend_diagnosis::BackupVaultArn;
use copymend_remediation::advisor::Advisory;
use copymend_remediation::report::Report;

use crate::{needs, words};
use body::Body;

/// An e-mail, as `sns:Publish` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// At most 100 printable ASCII characters, as SNS demands (SNS API reference, `Publish`, documented).
    pub subject: String,
    /// The text. Far below the 256 KiB that SNS takes.
    pub body: String,
}

/// SNS's limit.
const SUBJECT_LIMIT: usize = 100;
/// The body ends here at the latest: SNS takes 262,144 bytes.
const BODY_LIMIT: usize = 240_000;

/// The e-mail on a Report.
#[must_use]
pub fn email(report: &Report) -> Email {
    let mut body = Body::default();
    sections::headline(&mut body, report);
    sections::copy(&mut body, report);
    parts::notes(&mut body, &report.notes);
    sections::changes(&mut body, report);
    sections::left_to_do(&mut body, report);
    parts::evidence(&mut body, &report.diagnosis, &[]);
    parts::message(&mut body, "the job", &report.message);
    parts::unknown(
        &mut body,
        &report.diagnosis,
        "An unknown fact never permits a write.",
    );
    sections::guards(&mut body, report);
    sections::footer(&mut body, report);
    Email {
        subject: subject(report),
        body: body.finish(BODY_LIMIT),
    }
}

fn subject(report: &Report) -> String {
    let place = match report.copy.destination_vault.parse::<BackupVaultArn>() {
        // INVARIANT: name and account of a parsed ARN are printable ASCII.
        Ok(vault) => format!("vault {} ({})", vault.name(), vault.arn().account()),
        Err(_) => "a vault without a readable ARN".to_owned(),
    };
    shortened(format!(
        "[Copymend] {}: {} for {place}",
        words::outcome(report.outcome, report.verified),
        report.diagnosis.cause
    ))
}

fn shortened(subject: String) -> String {
    if subject.len() <= SUBJECT_LIMIT {
        return subject;
    }
    let kept: String = subject.chars().take(SUBJECT_LIMIT - 3).collect();
    format!("{kept}...")
}

/// The e-mail on what the access advisor found out.
#[must_use]
pub fn advisory_email(advisory: &Advisory) -> Email {
    Email {
        subject: shortened(format!(
            "[Copymend] {}: {} for {}",
            words::outcome(advisory.outcome, needs::is_confirmed(advisory)),
            advisory.diagnosis.cause,
            needs::place(&advisory.subject)
        )),
        body: advisory::body(advisory).finish(BODY_LIMIT),
    }
}
