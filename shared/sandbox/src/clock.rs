//! A clock that only moves when it is asked to.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use copymend_remediation::ports::Clock;
use jiff::Timestamp;

/// The sandbox's time.
#[derive(Clone, Debug)]
pub struct SandboxClock(Arc<Mutex<Timestamp>>);

impl SandboxClock {
    /// A clock that stands at this time.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    /// Moves the clock on. A time beyond what can be told leaves it where it is.
    pub fn advance(&self, time: Duration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.checked_add(time).unwrap_or(*now);
    }

    /// Sets the clock.
    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Clock for SandboxClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn sleep(&self, time: Duration) {
        self.advance(time);
    }

    async fn until(&self, at: Timestamp) {
        // Nobody wakes it: what goes on beside it asks again.
        std::future::poll_fn(|_| {
            if self.now() < at {
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
    }
}
