//! What was called and when, what was written, and which calls are made to fail.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use copymend_remediation::ports::{CallError, CallErrorKind, CallResult};

/// A write that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The operation, such as `kms:PutKeyPolicy`.
    pub operation: &'static str,
    /// The vault or key; for `backup:StartCopyJob` the destination vault.
    pub resource: String,
    /// The policy before; absent where there was none.
    pub before: Option<String>,
    /// The policy after; for `backup:StartCopyJob` the new job's id.
    pub after: String,
}

/// A call that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// The operation, such as `kms:GetKeyPolicy`.
    pub operation: &'static str,
    /// The resource.
    pub resource: String,
    /// Which round of calls it belongs to, from 1: one more than the latest round of which a call
    /// had ended when this one began. Calls that are made side by side are of one round; a call
    /// that waits for another is of a later one.
    pub round: u64,
}

/// Which calls of an operation fail.
#[derive(Clone, Copy, Debug)]
enum Failing {
    Always,
    /// The call with this number, counted from 1.
    Call(u64),
}

#[derive(Default)]
struct State {
    begun: Vec<CallRecord>,
    /// The latest round of which a call has ended.
    ended: u64,
    counts: BTreeMap<String, u64>,
    /// How often an operation was answered as a part of another call.
    parts: BTreeMap<String, u64>,
    writes: Vec<Write>,
    failing: BTreeMap<String, Vec<(Failing, CallErrorKind)>>,
}

impl State {
    /// How often an operation was answered, as a call or as a part of one.
    fn answered(&self, operation: &str) -> u64 {
        let count =
            |counts: &BTreeMap<String, u64>| counts.get(operation).copied().unwrap_or_default();
        count(&self.counts).saturating_add(count(&self.parts))
    }

    /// The error that the answer which was counted last was made to fail with.
    fn fault(&self, operation: &'static str, resource: &str) -> Option<CallError> {
        let number = self.answered(operation);
        let failing = self.failing.get(operation).into_iter().flatten();
        let kind = failing
            .filter(|(which, _)| match which {
                Failing::Always => true,
                Failing::Call(chosen) => *chosen == number,
            })
            .map(|(_, kind)| *kind)
            .next()?;
        Some(CallError {
            operation,
            resource: resource.to_owned(),
            kind,
            detail: detail(kind).to_owned(),
        })
    }
}

/// A record of all calls, and the faults to come. Clones share it.
#[derive(Clone, Default)]
pub struct Calls(Arc<Mutex<State>>);

impl fmt::Debug for Calls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(&self.state().counts).finish()
    }
}

/// A call on its way. It ends when this is dropped.
pub(crate) struct Running {
    calls: Calls,
    round: u64,
    fault: Option<CallError>,
}

impl Running {
    /// The error that the call was made to fail with.
    pub(crate) fn fault(&mut self) -> CallResult<()> {
        self.fault.take().map_or(Ok(()), Err)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.calls.state();
        state.ended = state.ended.max(self.round);
    }
}

impl Calls {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a call.
    pub(crate) fn begin(&self, operation: &'static str, resource: &str) -> Running {
        let mut state = self.state();
        let round = state.ended.saturating_add(1);
        state.begun.push(CallRecord {
            operation,
            resource: resource.to_owned(),
            round,
        });
        let count = state.counts.entry(operation.to_owned()).or_default();
        *count = count.saturating_add(1);
        Running {
            calls: self.clone(),
            round,
            fault: state.fault(operation, resource),
        }
    }

    /// What an operation would have answered, as a part of another call: it fails where the operation is
    /// made to fail, and is no call of its own.
    pub(crate) fn part(&self, operation: &'static str, resource: &str) -> CallResult<()> {
        let mut state = self.state();
        let count = state.parts.entry(operation.to_owned()).or_default();
        *count = count.saturating_add(1);
        state.fault(operation, resource).map_or(Ok(()), Err)
    }

    pub(crate) fn record(&self, write: Write) {
        self.state().writes.push(write);
    }

    /// Every call so far, in the order in which they were begun.
    #[must_use]
    pub fn begun(&self) -> Vec<CallRecord> {
        self.state().begun.clone()
    }

    /// How often an operation was called, such as `kms:GetKeyPolicy`.
    #[must_use]
    pub fn count(&self, operation: &str) -> u64 {
        self.state()
            .counts
            .get(operation)
            .copied()
            .unwrap_or_default()
    }

    /// How often each operation was called.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.state().counts.clone()
    }

    /// The writes that were carried out, oldest first: policies and started copies.
    #[must_use]
    pub fn writes(&self) -> Vec<Write> {
        self.state().writes.clone()
    }

    /// Makes every call of an operation fail from now on.
    pub fn fail(&self, operation: &str, kind: CallErrorKind) {
        self.add(operation, Failing::Always, kind);
    }

    /// Makes one call of an operation fail: the `number`th from now, counted from 1. What is answered as a
    /// part of another call counts, too.
    pub fn fail_call(&self, operation: &str, number: u64, kind: CallErrorKind) {
        let number = self.state().answered(operation).saturating_add(number);
        self.add(operation, Failing::Call(number), kind);
    }

    /// Lets an operation work again.
    pub fn mend(&self, operation: &str) {
        self.state().failing.remove(operation);
    }

    fn add(&self, operation: &str, which: Failing, kind: CallErrorKind) {
        self.state()
            .failing
            .entry(operation.to_owned())
            .or_default()
            .push((which, kind));
    }
}

const fn detail(kind: CallErrorKind) -> &'static str {
    match kind {
        CallErrorKind::AccessDenied => "AccessDeniedException: the caller is not authorized",
        CallErrorKind::Throttled => "ThrottlingException: Rate exceeded",
        CallErrorKind::Timeout => "no answer within the time allowed",
        CallErrorKind::Unreadable => "the answer cannot be read",
        CallErrorKind::Rejected => "InvalidParameterValueException: refused",
        CallErrorKind::Unavailable => "ServiceUnavailableException: try again later",
        CallErrorKind::Failed => "the call failed",
    }
}
