//! What an account refuses: a line with its reason, the permission, and what to do about it.

use copymend_remediation::ports::{CallError, CallErrorKind, Location};
use serde::Serialize;

/// A list, or a part of one, that could not be read. The rest of the answer holds without it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotRead {
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The call that failed, such as `backup:ListCopyJobs`.
    pub operation: String,
    /// What it was about.
    pub resource: String,
    /// Why, in a word or two, such as `access denied`.
    pub reason: String,
    /// What AWS said.
    pub detail: String,
    /// The permission that is missing, where one is.
    pub permission: Option<String>,
    /// Whether the same call may well work a little later: it was throttled, or AWS did not answer in
    /// time. Nobody refused it.
    #[serde(skip)]
    pub may_pass: bool,
    /// What to do.
    #[serde(rename = "do")]
    pub what_to_do: String,
    /// How many pages had been read before.
    pub pages_read: u64,
}

/// Codes of an answer that says the credentials don't hold in a Region (AWS General Reference, "Common
/// errors", documented; that a Region which is off answers them, seen).
const CREDENTIALS_DO_NOT_HOLD: [&str; 3] = [
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "AuthFailure",
];

impl NotRead {
    /// The line of an error that a call at a place met.
    #[must_use]
    pub fn of(at: &Location, error: CallError, pages_read: u64) -> Self {
        let permission =
            (error.kind == CallErrorKind::AccessDenied).then(|| error.operation.to_owned());
        let may_pass = error.may_pass();
        let what_to_do = what_to_do(at, &error);
        let unknown = error.into_unknown();
        Self {
            account: at.account.to_string(),
            region: at.region.clone(),
            operation: unknown.operation,
            resource: unknown.resource,
            reason: unknown.reason.to_string(),
            detail: unknown.detail,
            permission,
            may_pass,
            what_to_do,
            pages_read,
        }
    }
}

fn what_to_do(at: &Location, error: &CallError) -> String {
    let (account, region) = (at.account, &at.region);
    let is_role = error.operation == "sts:AssumeRole";
    match error.kind {
        CallErrorKind::AccessDenied if is_role => format!(
            "deploy member.yaml in account {account} with yourself in ReaderPrincipalArns, or name a role that you may assume there with --reader-role, and its external id with --external-id"
        ),
        CallErrorKind::AccessDenied => format!(
            "allow {} in account {account} to the role or credentials that were used",
            error.operation
        ),
        CallErrorKind::Throttled => "run it again, with a lower --calls-per-second".to_owned(),
        CallErrorKind::Timeout | CallErrorKind::Unavailable => format!(
            "check that this machine reaches AWS in {region} and that AWS Backup is there, and run it again"
        ),
        CallErrorKind::Failed | CallErrorKind::Rejected
            if CREDENTIALS_DO_NOT_HOLD
                .iter()
                .any(|code| error.detail.contains(code)) =>
        {
            format!("check that Region {region} is on in account {account}, or leave it out")
        }
        CallErrorKind::Unreadable | CallErrorKind::Rejected | CallErrorKind::Failed if is_role => {
            "check --reader-role and --external-id".to_owned()
        }
        CallErrorKind::Unreadable | CallErrorKind::Rejected | CallErrorKind::Failed => {
            "see what AWS said; the other accounts and Regions are not affected".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(operation: &'static str, kind: CallErrorKind, detail: &str) -> NotRead {
        let at = Location::new("444455556666".parse().unwrap(), "eu-west-1");
        let error = CallError {
            operation,
            resource: "444455556666".to_owned(),
            kind,
            detail: detail.to_owned(),
        };
        NotRead::of(&at, error, 3)
    }

    #[test]
    fn a_refused_role_and_a_refused_call_have_different_remedies() {
        let role = line("sts:AssumeRole", CallErrorKind::AccessDenied, "no");
        assert_eq!(role.permission.as_deref(), Some("sts:AssumeRole"));
        assert!(role.what_to_do.contains("ReaderPrincipalArns"));
        let call = line("backup:ListCopyJobs", CallErrorKind::AccessDenied, "no");
        assert_eq!(call.permission.as_deref(), Some("backup:ListCopyJobs"));
        assert!(
            call.what_to_do
                .starts_with("allow backup:ListCopyJobs in account 4444")
        );
        assert_eq!(call.pages_read, 3);
    }

    #[test]
    fn what_is_no_matter_of_permissions_names_none() {
        let throttled = line("backup:ListCopyJobs", CallErrorKind::Throttled, "Rate");
        assert_eq!(throttled.permission, None);
        assert!(throttled.may_pass);
        assert!(throttled.what_to_do.contains("--calls-per-second"));
        let off = line(
            "backup:ListCopyJobs",
            CallErrorKind::Failed,
            "UnrecognizedClientException: the token is invalid",
        );
        assert!(off.what_to_do.contains("Region eu-west-1 is on"), "{off:?}");
        assert!(!off.may_pass);
    }
}
