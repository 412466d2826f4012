//! What was called, what was written, and which calls are made to fail.

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

/// Which calls of an operation fail.
#[derive(Clone, Copy, Debug)]
enum Failing {
    Always,
    /// The call with this number, counted from 1.
    Call(u64),
}

#[derive(Default)]
struct State {
    counts: BTreeMap<String, u64>,
    writes: Vec<Write>,
    failing: BTreeMap<String, Vec<(Failing, CallErrorKind)>>,
}

/// A record of all calls, and the faults to come. Clones share it.
#[derive(Clone, Default)]
pub struct Calls(Arc<Mutex<State>>);

impl fmt::Debug for Calls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(&self.state().counts).finish()
    }
}

impl Calls {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call, and answers the error it was made to fail with.
    pub(crate) fn begin(&self, operation: &'static str, resource: &str) -> CallResult<()> {
        let mut state = self.state();
        let count = state.counts.entry(operation.to_owned()).or_default();
        *count = count.saturating_add(1);
        let number = *count;
        let failing = state.failing.get(operation).into_iter().flatten();
        let kind = failing
            .filter(|(which, _)| match which {
                Failing::Always => true,
                Failing::Call(chosen) => *chosen == number,
            })
            .map(|(_, kind)| *kind)
            .next();
        match kind {
            None => Ok(()),
            Some(kind) => Err(CallError {
                operation,
                resource: resource.to_owned(),
                kind,
                detail: detail(kind).to_owned(),
            }),
        }
    }

    pub(crate) fn record(&self, write: Write) {
        self.state().writes.push(write);
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

    /// Makes one call of an operation fail: the `number`th from now, counted from 1.
    pub fn fail_call(&self, operation: &str, number: u64, kind: CallErrorKind) {
        let number = self.count(operation).saturating_add(number);
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
