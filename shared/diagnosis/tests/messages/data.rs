//! The lists under `tests/data`, and what every explanation must hold.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a broken list must stop the tests"
)]

use copymend_diagnosis::Cause;
use copymend_diagnosis::messages::{Explanation, explain};

const MESSAGES: &str = include_str!("../data/messages.tsv");
const STATUS_MESSAGES: &str = include_str!("../data/status-messages.tsv");
const SEEN: &str = include_str!("../data/seen.tsv");
const UNKNOWN: &str = include_str!("../data/unknown.txt");
const NOT_REPAIRABLE: &str = include_str!("../data/not-repairable.txt");

pub(crate) fn messages() -> Vec<(Cause, &'static str)> {
    MESSAGES
        .lines()
        .skip(1)
        .map(|line| {
            let mut fields = line.split('\t');
            let cause = fields.next().unwrap().parse().unwrap();
            (cause, fields.nth(1).unwrap())
        })
        .collect()
}

/// AWS's own list of job status messages, each with the cause that Copymend gives it.
pub(crate) fn status_messages() -> Vec<(Cause, &'static str)> {
    STATUS_MESSAGES
        .lines()
        .skip(1)
        .map(|line| {
            let (cause, message) = line.split_once('\t').unwrap();
            (cause.parse().unwrap(), message)
        })
        .collect()
}

/// A text as people got it.
pub(crate) struct Seen {
    pub(crate) cause: Cause,
    pub(crate) principal: Part,
    pub(crate) action: Part,
    pub(crate) resource: Part,
    /// With its line ends and tabs escaped, as in a log of JSON.
    pub(crate) escaped: &'static str,
}

impl Seen {
    /// The text with the white space that the escapes stand for.
    pub(crate) fn unescaped(&self) -> String {
        self.escaped
            .replace("\\n", "\n")
            .replace("\\t", "\t")
            .replace("\\\"", "\"")
    }
}

/// What an access-denied sentence names.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// People cut it so that nothing sensible is left: `*`.
    Cut,
    /// Nothing: `-`.
    Absent,
    Named(&'static str),
}

impl Part {
    fn parse(text: &'static str) -> Self {
        match text {
            "*" => Self::Cut,
            "-" => Self::Absent,
            named => Self::Named(named),
        }
    }

    #[track_caller]
    pub(crate) fn assert_is(self, found: Option<&str>, message: &str) {
        match self {
            Self::Cut => {}
            Self::Absent => assert_eq!(found, None, "{message}"),
            Self::Named(named) => assert_eq!(found, Some(named), "{message}"),
        }
    }
}

/// Texts of failures in public, from AWS Backup and from the services that it calls, whole with
/// what stood around them. Accounts, names and ids are changed.
pub(crate) fn seen() -> Vec<Seen> {
    SEEN.lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&'static str> = line.split('\t').collect();
            Seen {
                cause: fields[0].parse().unwrap(),
                principal: Part::parse(fields[2]),
                action: Part::parse(fields[3]),
                resource: Part::parse(fields[4]),
                escaped: fields[5],
            }
        })
        .collect()
}

pub(crate) fn unknown() -> Vec<&'static str> {
    UNKNOWN.lines().collect()
}

/// Texts that speak of a vault, a key or the service-linked role, but whose failure no repair of
/// ours may answer first.
pub(crate) fn not_repairable() -> Vec<&'static str> {
    NOT_REPAIRABLE.lines().collect()
}

pub(crate) fn slugs(explanation: &Explanation<'_>) -> Vec<&'static str> {
    explanation
        .candidates
        .iter()
        .map(|candidate| candidate.cause.slug())
        .collect()
}

/// The slugs of the candidates, best first.
pub(crate) fn causes(message: &str) -> Vec<&'static str> {
    slugs(&explain(message))
}

#[track_caller]
pub(crate) fn assert_best(message: &str, cause: Cause) {
    let explanation = explain(message);
    assert_eq!(
        explanation.best(),
        cause,
        "{message:?}: {:?}",
        slugs(&explanation)
    );
    assert_sound(&explanation);
}

/// What holds for every explanation.
#[track_caller]
pub(crate) fn assert_sound(explanation: &Explanation<'_>) {
    let message = explanation.message;
    let candidates = &explanation.candidates;
    assert!(!candidates.is_empty(), "{message:?}");
    for (at, candidate) in candidates.iter().enumerate() {
        assert!(
            candidate.why.ends_with('.'),
            "{message:?}: {}",
            candidate.why
        );
        assert!(
            candidates[..at]
                .iter()
                .all(|other| other.cause != candidate.cause),
            "{message:?}: {:?}",
            slugs(explanation)
        );
    }
    if candidates
        .iter()
        .any(|candidate| candidate.cause == Cause::Unknown)
    {
        assert_eq!(candidates.len(), 1, "{message:?}");
    }
    assert_eq!(
        explanation.is_repairable(),
        candidates[0].cause.is_repairable() && !explanation.is_of_another_caller
    );
    let denial = explanation.denial.unwrap_or_default();
    let slices = [
        explanation.principal(),
        explanation.action(),
        explanation.resource(),
        denial.policy_arn,
        explanation.key_arn,
    ];
    for slice in slices.into_iter().flatten() {
        let inside = message.as_bytes().as_ptr_range();
        let part = slice.as_bytes().as_ptr_range();
        assert!(
            inside.start <= part.start && part.end <= inside.end,
            "{slice:?} is not inside {message:?}"
        );
        assert!(!slice.is_empty(), "{message:?}");
    }
}
