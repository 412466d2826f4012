//! The message proposes, the facts decide.

mod named;

use std::cmp::Ordering;

use crate::access::{COPY_FROM_BACKUP_VAULT, COPY_INTO_BACKUP_VAULT};
use crate::assess::{Assessment, Finding, Verdict};
use crate::causes::{Cause, Family, is_of_no_use, open_at_keys};
use crate::fact::Fact;
use crate::facts::{Facts, ImageKeys, SimulatedFact, SourceKey};
use crate::foresee::Foreseen;
use crate::job::{BackupCopy, Failure};
use crate::messages::{Candidate, Explanation, PolicyType};
use named::Named;

/// The ranked causes of a failure, each with its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    candidates: Vec<Assessment>,
    proposed: Vec<Cause>,
}

impl Diagnosis {
    /// What the message alone suggests, for an event that can't be verified. Nothing in it is
    /// confirmed.
    #[must_use]
    pub fn from_message(explanation: &Explanation<'_>) -> Self {
        let candidates = explanation.candidates.iter();
        let unchecked =
            |candidate: &Candidate| Assessment::unchecked(candidate.cause, candidate.why);
        Self {
            candidates: candidates.map(unchecked).collect(),
            proposed: proposed(explanation),
        }
    }

    /// What would be said of a planned copy once it has failed: AWS's message would suggest what
    /// stands in the way first, which the facts show. `None` where nothing is shown to.
    #[must_use]
    pub fn of_planned(foreseen: &Foreseen) -> Option<Self> {
        let Foreseen::WillFail { in_the_way, open } = foreseen else {
            return None;
        };
        let first = in_the_way.first()?;
        Some(Self {
            candidates: in_the_way.iter().chain(open).cloned().collect(),
            proposed: vec![first.cause],
        })
    }

    /// The most likely cause.
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.candidates
            .first()
            .map_or(Cause::Unknown, |first| first.cause)
    }

    /// Every cause that was considered, best first.
    #[must_use]
    pub fn candidates(&self) -> &[Assessment] {
        &self.candidates
    }

    /// The cause, if the message suggests it and the facts show it: the only kind that a repair may
    /// rest on.
    #[must_use]
    pub fn confirmed_cause(&self) -> Option<Cause> {
        let first = self.candidates.first()?;
        (first.verdict == Verdict::Confirmed).then_some(first.cause)
    }

    /// The same with this cause first, the others in their order.
    #[must_use]
    pub fn led_by(mut self, cause: Cause) -> Self {
        self.candidates
            .sort_by_key(|candidate| candidate.cause != cause);
        self
    }

    /// Whether the message itself suggests this cause.
    #[must_use]
    pub fn is_proposed(&self, cause: Cause) -> bool {
        self.proposed.contains(&cause)
    }
}

/// Why a cause is considered that no message suggests.
const SEEN: &str = "seen while the facts were read";
/// The same where nobody could look at it.
const OPEN: &str = "nothing excludes it for this copy";
/// The same where it may be what is left.
const ALIKE: &str = "the same words may mean this, and it could not be read";

/// The causes that a message suggests, best first.
fn proposed(explanation: &Explanation<'_>) -> Vec<Cause> {
    let candidates = explanation.candidates.iter();
    candidates.map(|candidate| candidate.cause).collect()
}

/// Ranks the causes of a verified failure.
#[must_use]
pub fn diagnose(failure: &Failure, explanation: &Explanation<'_>, facts: &Facts) -> Diagnosis {
    let named = Named::by(explanation, facts);
    let suggested: Vec<Cause> = named.candidates.iter().map(|one| one.cause).collect();
    let copy = failure.copy();
    let ranked = Cause::in_order_of_repair();
    let considered = |cause, why: &str| {
        let assessment = Assessment::of(cause, why, assess(cause, copy, facts));
        let assessment = doubted(assessment, &suggested, copy, facts);
        beyond_simulation(assessment, explanation, copy, facts)
    };
    let mut candidates: Vec<Assessment> = named
        .candidates
        .iter()
        .map(|candidate| considered(candidate.cause, candidate.why))
        .collect();
    candidates.extend(
        ranked
            .iter()
            .filter(|cause| !suggested.contains(cause))
            // Of another call than the simulated ones only a message that suggests it can speak.
            .map(|cause| Assessment::of(*cause, SEEN, assess(*cause, copy, facts)))
            .map(|assessment| doubted(assessment, &suggested, copy, facts))
            .filter_map(|assessment| standing(assessment, copy, facts))
            .map(|assessment| match assessment.verdict {
                Verdict::NotCheckable => Assessment {
                    why: OPEN.to_owned(),
                    ..assessment
                },
                Verdict::Confirmed | Verdict::RuledOut => assessment,
            }),
    );
    candidates.extend(of_other_keys(&candidates, facts));
    let by_now = admits_by_now(&candidates, facts);
    let mut candidates: Vec<Assessment> =
        candidates.into_iter().map(|one| named.kept(one)).collect();
    candidates.sort_by(|left, right| compare(left, right, &suggested));
    let all_excluded = candidates
        .first()
        .is_none_or(|first| class_of(first, &suggested) >= Class::Open);
    if by_now {
        candidates.insert(0, nothing_left(by_now));
    } else if all_excluded {
        // AWS words these like what the message suggests, and nobody could look at them: they may
        // be what is left.
        let (mut left, others): (Vec<Assessment>, Vec<Assessment>) =
            candidates.into_iter().partition(|assessment| {
                class_of(assessment, &suggested) == Class::Open
                    && is_worded_alike(assessment.cause, &suggested)
            });
        for assessment in &mut left {
            ALIKE.clone_into(&mut assessment.why);
        }
        if left.is_empty() {
            left.push(nothing_left(by_now));
        }
        left.extend(others);
        candidates = left;
    }
    // What the message suggests keeps its place: it speaks of another call.
    let candidates = candidates
        .into_iter()
        .map(|assessment| open_at_keys(assessment, copy, facts))
        .collect();
    let diagnosis = Diagnosis {
        candidates,
        proposed: named.proposed(),
    };
    // A repair would be in vain then: no grant is of use.
    if diagnosis.cause().is_repairable() && is_of_no_use(copy, facts) {
        diagnosis.led_by(Cause::DestinationVaultKey)
    } else {
        diagnosis
    }
}

/// What stands in the way of a copy by the facts alone, in the order in which it must be put right:
/// for a copy that has not been tried, without a message. What could not be looked at is among it,
/// as not checkable.
#[must_use]
pub fn obstacles(copy: &BackupCopy, facts: &Facts) -> Vec<Assessment> {
    let causes = Cause::in_order_of_repair().into_iter();
    causes
        .map(|cause| Assessment::of(cause, SEEN, assess(cause, copy, facts)))
        .filter_map(|assessment| standing(assessment, copy, facts))
        .map(|assessment| match assessment.verdict {
            // The simulator alone is not believed.
            Verdict::Confirmed if assessment.cause == Cause::ServiceControlPolicy => Assessment {
                verdict: Verdict::NotCheckable,
                ..assessment
            },
            Verdict::Confirmed | Verdict::NotCheckable | Verdict::RuledOut => assessment,
        })
        .collect()
}

/// What one key of an image shows, the others may have too: where they weren't read, a repair of the
/// one may not be all.
fn of_other_keys(candidates: &[Assessment], facts: &Facts) -> Option<Assessment> {
    let ImageKeys::Unknown(why) = &facts.image_keys else {
        return None;
    };
    let shown = candidates.iter().find(|candidate| {
        candidate.cause == Cause::SourceKeyPolicy && candidate.verdict == Verdict::Confirmed
    })?;
    Some(Assessment {
        verdict: Verdict::NotCheckable,
        why: OPEN.to_owned(),
        evidence: vec![format!(
            "an image can hold several snapshots under several keys; the others were not read ({why})"
        )],
        ..shown.clone()
    })
}

/// A cause that no message suggests, where it stands in the way of the copy by the facts, or may
/// stand there for all that is known.
fn standing(assessment: Assessment, copy: &BackupCopy, facts: &Facts) -> Option<Assessment> {
    match assessment.verdict {
        Verdict::Confirmed => Some(assessment),
        Verdict::NotCheckable if assessment.cause.entry().is_unread(copy, facts) => {
            Some(assessment)
        }
        Verdict::NotCheckable => None,
        Verdict::RuledOut => Some(open_at_keys(assessment, copy, facts))
            .filter(|assessment| assessment.verdict == Verdict::NotCheckable),
    }
}

/// How much speaks for a cause, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// Shown, and of the message's family.
    Shown,
    /// Suggested and not excluded.
    Suggested,
    /// Shown, but of another family.
    ShownBeside,
    /// Neither suggested nor excluded.
    Open,
    /// Excluded.
    Excluded,
}

fn class_of(assessment: &Assessment, proposed: &[Cause]) -> Class {
    match assessment.verdict {
        Verdict::Confirmed if is_of_family(assessment.cause, proposed) => Class::Shown,
        Verdict::NotCheckable if proposed.contains(&assessment.cause) => Class::Suggested,
        Verdict::Confirmed => Class::ShownBeside,
        Verdict::NotCheckable => Class::Open,
        Verdict::RuledOut => Class::Excluded,
    }
}

fn compare(left: &Assessment, right: &Assessment, proposed: &[Cause]) -> Ordering {
    let rank = |assessment: &Assessment| match class_of(assessment, proposed) {
        Class::Shown | Class::ShownBeside | Class::Open => {
            assessment.cause.entry().rank().unwrap_or(u8::MAX)
        }
        // A stable sort keeps the order in which the message suggests them.
        Class::Suggested | Class::Excluded => 0,
    };
    let place = |assessment| (class_of(assessment, proposed), rank(assessment));
    place(left).cmp(&place(right))
}

fn assess(cause: Cause, copy: &BackupCopy, facts: &Facts) -> Finding {
    cause.entry().check(copy, facts)
}

/// Whether AWS words a cause like the one that the message suggests first.
fn is_worded_alike(cause: Cause, proposed: &[Cause]) -> bool {
    let first = proposed.first();
    [Family::Vault, Family::Key]
        .into_iter()
        .any(|family| cause.is_in(family) && first.is_some_and(|first| first.is_in(family)))
}

fn is_of_family(cause: Cause, proposed: &[Cause]) -> bool {
    let any = |is: &dyn Fn(Cause) -> bool| proposed.iter().any(|proposed| is(*proposed));
    let of_role = cause.is_in(Family::Role) && any(&|proposed| proposed.is_in(Family::Role));
    // What a policy doesn't allow can't be mended while it denies it.
    let decides = any(&|proposed| proposed.denied() == Some(cause));
    proposed.contains(&cause) || of_role || decides || is_worded_alike(cause, proposed)
}

/// The simulator takes a condition key that nobody told it as absent, and so a service control
/// policy may refuse there what passes (IAM user guide, "Testing IAM policies", documented). It is
/// believed only where nothing else explains a message that doesn't name such a policy. A message
/// that names one, and a simulation that refuses, confirm each other.
fn doubted(
    mut assessment: Assessment,
    proposed: &[Cause],
    copy: &BackupCopy,
    facts: &Facts,
) -> Assessment {
    let is_named = proposed.first() == Some(&Cause::ServiceControlPolicy);
    if is_named
        && assessment.cause == Cause::ServiceControlPolicy
        && assessment.verdict == Verdict::NotCheckable
        && facts
            .job_role_access
            .actions()
            .into_iter()
            .any(SimulatedFact::is_refused_by_organization)
    {
        assessment.verdict = Verdict::Confirmed;
        assessment
            .evidence
            .push("AWS's message names such a policy too".to_owned());
    }
    if assessment.cause != Cause::ServiceControlPolicy
        || assessment.verdict != Verdict::Confirmed
        || is_named
    {
        return assessment;
    }
    let explains = |cause: &Cause| assess(*cause, copy, facts).0 == Verdict::Confirmed;
    let others = proposed
        .iter()
        .filter(|cause| **cause != Cause::ServiceControlPolicy);
    if !proposed.contains(&Cause::ServiceControlPolicy) || others.into_iter().any(explains) {
        assessment.verdict = Verdict::NotCheckable;
        assessment.evidence.push(
            "the simulator takes condition keys that it is not told as absent, and something else explains the message"
                .to_owned(),
        );
    }
    assessment
}

/// The simulator is asked about the two calls of AWS Backup that every copy makes, and judges
/// service control policies by the condition keys that it is told (IAM user guide, "Testing IAM
/// policies", documented). What it allows doesn't exclude a cause of which the message says more:
/// that a service control policy refused, or that another call was refused.
fn beyond_simulation(
    mut assessment: Assessment,
    explanation: &Explanation<'_>,
    copy: &BackupCopy,
    facts: &Facts,
) -> Assessment {
    let is_of_simulation = assessment.cause.is_in(Family::Simulated);
    let is_missing = || assess(Cause::JobRoleMissing, copy, facts).0 == Verdict::Confirmed;
    if !is_of_simulation || assessment.verdict != Verdict::RuledOut || is_missing() {
        return assessment;
    }
    let names_control_policy = assessment.cause == Cause::ServiceControlPolicy
        && explanation.best() == Cause::ServiceControlPolicy;
    if names_control_policy {
        assessment.verdict = Verdict::NotCheckable;
        assessment.evidence.push(
            "the simulator judges service control policies by the condition keys that it is told, and the message names one"
                .to_owned(),
        );
    } else if speaks_of_other_calls(explanation) {
        assessment.verdict = Verdict::NotCheckable;
        assessment
            .evidence
            .push("not every call that a copy makes was simulated".to_owned());
    }
    assessment
}

fn speaks_of_other_calls(explanation: &Explanation<'_>) -> bool {
    let blames_a_resource = explanation
        .denial
        .is_some_and(|denial| denial.policy_type == Some(PolicyType::Resource));
    let simulated = |action: &str| {
        [COPY_FROM_BACKUP_VAULT, COPY_INTO_BACKUP_VAULT]
            .iter()
            .any(|simulated| simulated.eq_ignore_ascii_case(action))
    };
    match explanation.action() {
        Some(action) => !simulated(action) && !blames_a_resource,
        // Without an action only "Access Denied trying to call AWS Backup service" tells which
        // calls it means.
        None => explanation.best() != Cause::DestinationVaultPolicy,
    }
}

/// Whether a policy that the message blames admits the copy by now, thanks to a statement of ours.
/// Policy changes take seconds to minutes to count, so a copy that was started right after a repair
/// can fail once more.
fn admits_by_now(candidates: &[Assessment], facts: &Facts) -> bool {
    let is_ours =
        |sid: Option<&str>| sid.is_some_and(|sid| sid.starts_with(copymend_policy::SID_PREFIX));
    let ours_in_vault = matches!(&facts.vault_policy, Fact::Known(Some(policy))
        if policy.statements().iter().any(|statement| is_ours(statement.sid())));
    let ours_in_key = matches!(&facts.source_key, SourceKey::Key(key)
        if key.policy.known().is_some_and(|policy| policy.statements().iter().any(|statement| is_ours(statement.sid()))));
    let excluded = |cause| {
        candidates
            .iter()
            .any(|candidate| candidate.cause == cause && candidate.verdict == Verdict::RuledOut)
    };
    let nothing_shown = !candidates
        .iter()
        .any(|candidate| candidate.verdict == Verdict::Confirmed);
    nothing_shown
        && ((ours_in_vault && excluded(Cause::DestinationVaultPolicy))
            || (ours_in_key && excluded(Cause::SourceKeyPolicy)))
}

/// What is said where nothing is left. That something passed is said only where something did
/// change: a statement of ours admits the copy.
fn nothing_left(by_now: bool) -> Assessment {
    let (cause, why) = if by_now {
        (
            Cause::Transient,
            "a statement of ours admits the copy by now; a policy change takes seconds to minutes to count",
        )
    } else {
        (
            Cause::Unknown,
            "the facts exclude everything that the message suggests, and none shows that something changed since the copy failed",
        )
    };
    Assessment::unchecked(cause, why)
}
