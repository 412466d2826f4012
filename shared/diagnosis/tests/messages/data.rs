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
const UNKNOWN: &str = include_str!("../data/unknown.txt");

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

pub(crate) fn unknown() -> Vec<&'static str> {
    UNKNOWN.lines().collect()
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
        candidates[0].cause.is_repairable()
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
