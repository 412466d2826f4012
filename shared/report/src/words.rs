//! The words that the e-mail and the terminal view share.

use copymend_diagnosis::{BackupVaultArn, Cause, KeyArn, Verdict};
use copymend_remediation::ownership::ManagedBy;
use copymend_remediation::report::{DecisionKind, DiagnosisReport, Outcome, PolicyChange, Report};
use copymend_remediation::settings::Mode;

use crate::approval;
use crate::text::{inline, without_hosts};

/// The outcome in one or two words. `is_confirmed` tells whether AWS confirms what failed.
pub(crate) const fn outcome(outcome: Outcome, is_confirmed: bool) -> &'static str {
    match outcome {
        Outcome::RepairedAndRetried => "repaired",
        Outcome::Repaired => "repaired, not started again",
        Outcome::Retried => "started again",
        Outcome::RetryPlanned => "for later",
        Outcome::Planned => "planned",
        Outcome::Advised if is_confirmed => "action needed",
        Outcome::Advised => "unverified",
        Outcome::Refused => "refused",
        Outcome::Failed => "failed",
        Outcome::Recovered => "recovered",
        Outcome::Nothing => "nothing to do",
        Outcome::AlreadyHandled => "already handled",
    }
}

/// What Copymend did, in one or two sentences.
pub(crate) fn deed(report: &Report) -> String {
    let change = report.changes.first();
    match report.outcome {
        Outcome::RepairedAndRetried => format!("Copymend {} and started the copy again.", added("added", change)),
        Outcome::Repaired => format!(
            "Copymend {}. The copy was not started again; the notes say why.",
            added("added", change)
        ),
        Outcome::Retried => "Copymend changed no policy, and started the copy again.".to_owned(),
        Outcome::RetryPlanned => planned_retry(report),
        Outcome::Planned if approval::question(report).is_some() => match change {
            Some(_) => format!(
                "Copymend asks whether to {} and start the copy again. Nothing was written.",
                added("add", change)
            ),
            None => "Copymend asks whether to start the copy again. Nothing was started.".to_owned(),
        },
        Outcome::Planned if report.mode == Some(Mode::Approve) => match change {
            Some(_) => format!(
                "Copymend would {} and start the copy again, if a person approves. Nothing was written.",
                added("add", change)
            ),
            None => "Copymend would start the copy again, if a person approves. Nothing was started.".to_owned(),
        },
        Outcome::Planned if change.is_some() => format!(
            "Copymend would {} and start the copy again. It runs in observe mode: nothing was written.",
            added("add", change)
        ),
        Outcome::Planned => {
            "Copymend would start the copy again. It runs in observe mode: nothing was started.".to_owned()
        }
        Outcome::Advised if report.verified => "Copymend changed nothing. People must act.".to_owned(),
        Outcome::Advised => {
            "AWS Backup did not confirm this event. The cause is read from its message alone, and nothing was changed.".to_owned()
        }
        Outcome::Refused if report.is_refused_by_a_person() => {
            "A person refused the plan. Nothing was written, and the copy was not started again.".to_owned()
        }
        Outcome::Refused if report.verified => {
            format!("Copymend refused the repair; nothing was written. Guards that failed: {}.", failed_guards(report))
        }
        Outcome::Refused => "The event and AWS Backup disagree, so Copymend refused to act on it. Nothing was written.".to_owned(),
        Outcome::Failed if report.decision == DecisionKind::Retry => {
            "Copymend tried to start the copy again, and failed. The notes say why.".to_owned()
        }
        Outcome::Failed => "Copymend tried a repair, and failed. The notes say how things stand.".to_owned(),
        Outcome::Recovered => "A copy that Copymend had started again has worked; the notes say how long it took.".to_owned(),
        Outcome::Nothing => "There is nothing to do.".to_owned(),
        Outcome::AlreadyHandled => "This job was handled before, or is being handled. Nothing was done.".to_owned(),
    }
}

/// That the copy is started again later, or that it is decided later.
fn planned_retry(report: &Report) -> String {
    let after = after(report);
    let change = report.changes.first().filter(|change| change.applied);
    match (change, report.decision) {
        (Some(_), _) => format!(
            "Copymend {}. The copy will be started again {after}.",
            added("added", change)
        ),
        (None, DecisionKind::Retry) => {
            format!("Copymend changed no policy. The copy will be started again {after}.")
        }
        (None, _) => format!(
            "Not everything could be asked just now. Copymend takes this copy up again {after}; nothing was changed."
        ),
    }
}

/// `after 03:05 UTC`.
pub(crate) fn after(report: &Report) -> String {
    match report.not_before {
        Some(time) => format!("after {} UTC", time.strftime("%H:%M")),
        None => "later".to_owned(),
    }
}

fn added(verb: &str, change: Option<&PolicyChange>) -> String {
    match change {
        Some(change) if is_role(change) => {
            let verb = if verb == "added" { "created" } else { "create" };
            format!("{verb} {}", inline(&change.resource))
        }
        Some(change) => format!(
            "{verb} {} to {}",
            statements(change.added.len()),
            policy_of(&change.resource)
        ),
        None => format!("{verb} what was missing"),
    }
}

/// Whether what was read confirms the first cause.
pub(crate) fn is_cause_confirmed(diagnosis: &DiagnosisReport) -> bool {
    let first = diagnosis.candidates.first();
    first.is_some_and(|first| first.verdict == Verdict::Confirmed)
}

/// The causes that are confirmed, in the order in which they must be put right. After a repair only
/// the one that was repaired: [`also_confirmed`] tells of the others.
pub(crate) fn causes_in_order(report: &Report) -> Vec<Cause> {
    if is_repaired(report.outcome) {
        return vec![report.diagnosis.cause];
    }
    let candidates = report.diagnosis.candidates.iter();
    let mut causes: Vec<Cause> = candidates
        .filter(|one| one.verdict == Verdict::Confirmed)
        .map(|one| one.cause)
        .collect();
    causes.sort_by_key(|cause| cause.place_in_repair());
    causes.dedup();
    causes
}

const fn is_repaired(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::RepairedAndRetried | Outcome::Repaired)
}

/// What else is confirmed beside the cause that was repaired, in the order in which it must be put
/// right, each in a line.
pub(crate) fn also_confirmed(report: &Report) -> Vec<String> {
    report
        .also_confirmed()
        .into_iter()
        .map(|other| {
            let seen = other.evidence.first().map(|seen| inline(seen));
            match seen.filter(|seen| !seen.is_empty()) {
                Some(seen) => format!("{} ({}): {seen}", other.cause.title(), other.cause),
                None => format!("{} ({})", other.cause.title(), other.cause),
            }
        })
        .collect()
}

/// The names of the guards that failed.
pub(crate) fn failed_guards(report: &Report) -> String {
    let failed = report.guards.iter().filter(|guard| !guard.passed);
    let names: Vec<&str> = failed.map(|guard| guard.guard.name()).collect();
    names.join(", ")
}

/// How a change stands.
#[derive(Clone, Copy)]
pub enum Standing {
    /// Written and read back.
    Written,
    /// Put, but the read-back doesn't show it yet.
    NotSeen,
    /// Observe mode: to be written.
    Planned,
    /// Tried in vain.
    NotWritten,
    /// A guard forbade it.
    Refused,
}

impl Standing {
    /// The heading in an e-mail; in the terminal what stands before the name of a policy, and of a
    /// role that is missing.
    #[must_use]
    pub const fn words(self) -> [&'static str; 3] {
        match self {
            Self::Written => ["The change, written and read back", "written to", "created"],
            Self::NotSeen => [
                "The change, put, but not seen in the policy",
                "written, but not seen yet in",
                "created, but not seen yet:",
            ],
            Self::Planned => [
                "The change that Copymend would make",
                "planned for",
                "planned: create",
            ],
            Self::NotWritten => ["The change, not written", "not written to", "not created:"],
            Self::Refused => [
                "The change that was refused",
                "refused for",
                "refused: create",
            ],
        }
    }
}

/// The changes, and how each stands.
pub(crate) fn changes(report: &Report) -> impl Iterator<Item = (&PolicyChange, Standing)> {
    let standing = |change: &PolicyChange| match (change.applied, report.outcome) {
        (true, _) => Standing::Written,
        (false, Outcome::Planned) => Standing::Planned,
        (false, _) if change.id.is_some() => Standing::NotSeen,
        (false, _) => Standing::NotWritten,
    };
    let changes = report
        .changes
        .iter()
        .map(move |change| (change, standing(change)));
    let refused = report
        .refused_changes
        .iter()
        .map(|change| (change, Standing::Refused));
    changes.chain(refused)
}

/// Whether a change creates a role, instead of adding statements to a policy.
pub(crate) fn is_role(change: &PolicyChange) -> bool {
    change.added.is_empty()
}

/// `1 statement`, `3 statements`.
pub(crate) fn statements(count: usize) -> String {
    if count == 1 {
        "1 statement".to_owned()
    } else {
        format!("{count} statements")
    }
}

/// The policy of a vault or key, by its short name.
#[must_use]
pub fn policy_of(resource: &str) -> String {
    if let Ok(vault) = resource.parse::<BackupVaultArn>() {
        format!("the access policy of vault {}", without_hosts(vault.name()))
    } else if let Ok(key) = resource.parse::<KeyArn>() {
        let id = key.arn().resource();
        format!(
            "the policy of key {}",
            id.strip_prefix("key/").unwrap_or(id)
        )
    } else {
        format!("the policy of {}", inline(resource))
    }
}

/// A verdict as people say it.
#[must_use]
pub const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Confirmed => "confirmed",
        Verdict::NotCheckable => "could not be checked",
        Verdict::RuledOut => "ruled out",
    }
}

/// How sure the first cause is.
pub(crate) fn certainty(diagnosis: &DiagnosisReport) -> &'static str {
    match diagnosis.candidates.first().map(|first| first.verdict) {
        Some(Verdict::Confirmed) => "confirmed by what Copymend read",
        Some(Verdict::NotCheckable | Verdict::RuledOut) | None => {
            "read from the message, not confirmed"
        }
    }
}

/// The last part of an ARN, such as `volume/vol-1`; other text as it is.
pub(crate) fn short(arn: &str) -> String {
    let resource = arn
        .splitn(6, ':')
        .nth(5)
        .filter(|resource| !resource.is_empty());
    inline(resource.unwrap_or(arn))
}

/// Whose code owns the policy, and what follows.
pub(crate) fn owner(owner: &ManagedBy) -> String {
    let ManagedBy::Cloudformation {
        resource,
        stack,
        logical_id,
        ..
    } = owner;
    let named = logical_id.as_ref().map_or_else(String::new, |id| {
        format!(" (`{}` in its template)", inline(id))
    });
    format!(
        "The tags of {} name CloudFormation stack `{}`{named} as its owner: put the statement into the template, too. The \
         next deployment that changes this policy there takes it out again, and Copymend doesn't add it twice.",
        inline(resource),
        inline(stack)
    )
}
