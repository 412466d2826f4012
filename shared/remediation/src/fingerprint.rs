//! What incidents are counted under.

use std::fmt::Write as _;

use copymend_diagnosis::Cause;
use sha2::{Digest as _, Sha256};

use crate::report::{CopySummary, Report, Subject};

/// What the fingerprints of events begin with that AWS Backup doesn't confirm.
const UNVERIFIED: &str = "unverified#";
/// What those of the access advisor begin with.
const ADVISOR: &str = "advisor";

/// What an incident of copies is counted under: same cause, same resource, same source account, and the
/// same grantee where a change would admit one.
#[must_use]
pub fn fingerprint(cause: Cause, resource: &str, account: &str, grantee: Option<&str>) -> String {
    match grantee {
        Some(grantee) => format!("{cause}#{resource}#{account}#{grantee}"),
        None => format!("{cause}#{resource}#{account}"),
    }
}

/// What an incident of copies is of: its [`fingerprint`], taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IncidentOf<'f> {
    /// Whether AWS Backup confirmed the events.
    pub is_confirmed: bool,
    /// The cause's slug.
    pub cause: &'f str,
    /// The vault, key or role.
    pub resource: &'f str,
    /// The source account.
    pub account: &'f str,
    /// Whom a change would admit, where there is one.
    pub grantee: Option<&'f str>,
}

impl<'f> IncidentOf<'f> {
    /// Takes a fingerprint apart; `None` for what isn't about a copy, such as the advisor's. Neither
    /// a cause nor an ARN of a vault, a key or a role has a `#`.
    #[must_use]
    pub fn of_fingerprint(fingerprint: &'f str) -> Option<Self> {
        let confirmed = fingerprint.strip_prefix(UNVERIFIED);
        let mut parts = confirmed.unwrap_or(fingerprint).splitn(4, '#');
        let (cause, resource, account) = (parts.next()?, parts.next()?, parts.next()?);
        (cause != ADVISOR).then_some(Self {
            is_confirmed: confirmed.is_none(),
            cause,
            resource,
            account,
            grantee: parts.next(),
        })
    }
}

/// So many bytes of the hash name an incident: as many as a random UUID has.
const NAME: usize = 16;

impl Report {
    /// The name of the incident that it is counted under, in 32 hexadecimal digits: the same for every
    /// report of it. Nothing that others wrote stands in it.
    #[must_use]
    pub fn incident_name(&self) -> String {
        let hash = Sha256::digest(self.fingerprint());
        hash.iter()
            .take(NAME)
            .fold(String::new(), |mut name, byte| {
                // Writing to a string does not fail.
                let _ = write!(name, "{byte:02x}");
                name
            })
    }

    /// What it is counted under. Unverified events have incidents of their own, so that made-up
    /// ones can't silence real ones.
    pub(crate) fn fingerprint(&self) -> String {
        let unverified = if self.is_confirmed() { "" } else { UNVERIFIED };
        let cause = self.diagnosis.cause;
        let (what, who, account) = match &self.subject {
            Subject::Copy(copy) => return self.fingerprint_of_copy(copy, unverified),
            Subject::ApiCall(call) => {
                let caller = without_session(&call.caller);
                (call.operation.as_str(), caller, &call.account)
            }
            Subject::Job(job) => {
                let role = job.role.as_deref().unwrap_or_default();
                (job.kind.name(), role, &job.account)
            }
        };
        format!("{ADVISOR}#{unverified}{cause}#{what}#{who}#{account}")
    }

    /// Same cause, same resource, same source account, and the same grantee where there is a
    /// change: each is told of.
    fn fingerprint_of_copy(&self, copy: &CopySummary, unverified: &str) -> String {
        let first = self.changes.first().or(self.refused_changes.first());
        let (cause, resource, grantee) = match (&self.incident, first) {
            (Some(incident), _) => (
                incident.cause,
                incident.resource.as_str(),
                incident.grantee.as_deref(),
            ),
            (None, Some(change)) => (
                self.diagnosis.cause,
                change.resource.as_str(),
                change.grantee.as_deref(),
            ),
            (None, None) => (self.diagnosis.cause, copy.destination_vault.as_str(), None),
        };
        let fingerprint = fingerprint(cause, resource, &copy.account, grantee);
        format!("{unverified}{fingerprint}")
    }
}

/// The role of a session's ARN: tools give every session another name. Other ARNs stay whole.
fn without_session(caller: &str) -> &str {
    match caller.split_once(":assumed-role/") {
        Some((_, role_and_session)) if role_and_session.contains('/') => {
            caller.rsplit_once('/').map_or(caller, |(role, _)| role)
        }
        Some(_) | None => caller,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_taken_apart_as_it_was_made() {
        let vault = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr";
        for grantee in [None, Some("arn:aws:iam::111122223333:role/BackupRole")] {
            let made = fingerprint(
                Cause::DestinationVaultPolicy,
                vault,
                "111122223333",
                grantee,
            );
            let expected = IncidentOf {
                is_confirmed: true,
                cause: "destination-vault-policy",
                resource: vault,
                account: "111122223333",
                grantee,
            };
            assert_eq!(IncidentOf::of_fingerprint(&made), Some(expected));
            let made_up = format!("{UNVERIFIED}{made}");
            let unverified = IncidentOf {
                is_confirmed: false,
                ..expected
            };
            assert_eq!(IncidentOf::of_fingerprint(&made_up), Some(unverified));
        }
        for other in [
            "advisor#unknown#CreateBackupVault#role#1",
            "incident",
            "a#b",
        ] {
            assert_eq!(IncidentOf::of_fingerprint(other), None, "{other}");
        }
    }
}
