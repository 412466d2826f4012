//! The lease on a policy: one invocation at a time writes it.

use std::time::Duration;

use jiff::SignedDuration;
use sha2::{Digest, Sha256};

use crate::guards::TIME_FOR_A_WRITE;
use crate::handler::Invocation;
use crate::ledger::{Lease, Ledger};
use crate::ports::{CallError, CallErrorKind, CallResult, Clock};

/// How long apart a lease that someone else holds is asked for: from the first to the second,
/// growing, with a part that differs from one invocation to the next, so that a storm doesn't ask
/// in step. It is asked for as long as there is time left for a write; whoever doesn't get it is
/// delivered again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// Long enough for a few tries of a write, and short enough that a function that is killed frees
/// the policy soon.
const TIME: SignedDuration = SignedDuration::from_secs(30);

/// Waits for the lease on a policy, while there is time left for a write.
pub(crate) async fn take_lease<L: Ledger>(
    clock: &impl Clock,
    ledger: &L,
    resource: &str,
    invocation: &Invocation,
) -> CallResult<Lease> {
    let (mut pause, longest) = PAUSES;
    let mut attempt = 0_u32;
    loop {
        let now = clock.now();
        if invocation.deadline.duration_since(now) < TIME_FOR_A_WRITE {
            return Err(CallError::new(
                "acquire the lease",
                resource,
                CallErrorKind::Throttled,
                "other invocations are changing this policy",
            ));
        }
        let until = now.saturating_add(TIME).unwrap_or(now);
        let taken = ledger
            .acquire_lease(resource, &invocation.id, now, until)
            .await?;
        if let Some(lease) = taken {
            return Ok(lease);
        }
        clock
            .sleep(pause + jitter(&invocation.id, attempt, pause))
            .await;
        attempt = attempt.saturating_add(1);
        pause = pause.saturating_mul(2).min(longest);
    }
}

/// Up to as much again, from the invocation's id: it needs to differ, not to be random.
fn jitter(id: &str, attempt: u32, pause: Duration) -> Duration {
    let mut hasher = Sha256::new();
    hasher.update(id.as_bytes());
    hasher.update(attempt.to_be_bytes());
    let byte = hasher.finalize().first().copied().unwrap_or_default();
    pause.mul_f64(f64::from(byte) / 255.0)
}
