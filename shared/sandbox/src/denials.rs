//! Denials that AWS remembers.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::call::Call;
use crate::copies::CopyFailure;

/// How long AWS answers a call as it did before although the policies have changed since (seen: the
/// test of vault access policies in `localstack/localstack`, which is validated against AWS, waits
/// a minute between its tries). That it counts from the refused call, and for the same principal,
/// action and resource, is inferred.
/// [`World::set_denials_last`](crate::World::set_denials_last) changes it.
const REMEMBERED: SignedDuration = SignedDuration::from_secs(60);

/// A call that was refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RefusedCall {
    /// The role.
    pub(crate) principal: String,
    /// The action.
    pub(crate) action: String,
    /// The resource.
    pub(crate) resource: String,
}

/// The calls that were refused of late.
#[derive(Clone, Debug)]
pub(crate) struct Denials {
    calls: BTreeMap<RefusedCall, (Timestamp, CopyFailure)>,
    last: SignedDuration,
}

impl Default for Denials {
    fn default() -> Self {
        Self {
            calls: BTreeMap::new(),
            last: REMEMBERED,
        }
    }
}

impl Denials {
    pub(crate) fn remember(&mut self, call: RefusedCall, at: Timestamp, failure: CopyFailure) {
        self.calls.insert(call, (at, failure));
    }

    /// What AWS still answers to a call.
    pub(crate) fn standing(&self, call: Call<'_>) -> Option<&CopyFailure> {
        let (at, failure) = self.calls.get(&call.to_remember())?;
        let age = call.at.duration_since(*at);
        (SignedDuration::ZERO <= age && age < self.last).then_some(failure)
    }

    /// How long a denial is remembered.
    pub(crate) const fn set_last(&mut self, time: SignedDuration) {
        self.last = time;
    }

    /// Moves what was remembered to another time, as its world is.
    pub(crate) fn move_by(&mut self, time: SignedDuration) {
        for (at, _) in self.calls.values_mut() {
            *at = at.checked_add(time).unwrap_or(*at);
        }
    }
}
