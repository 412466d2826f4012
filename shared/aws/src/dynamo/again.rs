//! Writes that are sent again, where that does no harm.

use std::error::Error;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use copymend_remediation::ports::{CallErrorKind, CallResult};

use super::REFUSED;
use crate::error::{Answer, Call, code};

/// A write met a transaction on its item, and did nothing (Amazon DynamoDB API reference, `UpdateItem`,
/// documented). The SDK doesn't send it again.
pub(super) const CONFLICT: &str = "TransactionConflictException";
/// The first pause; each is twice as long as the one before, and up to twice as long again, from
/// one job to the next.
const PAUSE: Duration = Duration::from_millis(50);

/// After which errors a write is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// After every throttle, and after a transaction on its item. Of writes that may be done twice, and of those that the
    /// SDK doesn't send again itself.
    Throttled,
    /// After a transaction on its item alone. Of writes that the SDK sends again itself and that are not to be done twice: after any
    /// other error an attempt before the last may have been done.
    BetweenTransactions,
}

impl Again {
    /// All events of a storm write to one item, and wait for it. A message waits less than a second.
    const fn attempts(self) -> u32 {
        match self {
            Self::Throttled => 7,
            Self::BetweenTransactions => 4,
        }
    }

    fn is_worth_it(self, code: Option<&str>, kind: CallErrorKind) -> bool {
        match self {
            Self::Throttled => kind == CallErrorKind::Throttled,
            Self::BetweenTransactions => code == Some(CONFLICT),
        }
    }
}

/// Sends a conditional write, again where that is worth it. None where the condition fails.
pub(super) async fn find_again<T, E, F>(
    call: &Call,
    asked_by: &str,
    again: Again,
    request: impl Fn() -> F,
) -> CallResult<Option<T>>
where
    T: Send,
    E: ProvideErrorMetadata + Error + Send + 'static,
    F: Future<Output = Answer<T, E>> + Send,
{
    match attempts(call, asked_by, again, request).await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if code(&error) == Some(REFUSED) => Ok(None),
        Err(error) => Err(call.failed(&error)),
    }
}

/// Sends a write without a condition, again where that is worth it.
pub(super) async fn send_again<T, E, F>(
    call: &Call,
    asked_by: &str,
    again: Again,
    request: impl Fn() -> F,
) -> CallResult<T>
where
    T: Send,
    E: ProvideErrorMetadata + Error + Send + 'static,
    F: Future<Output = Answer<T, E>> + Send,
{
    let answer = attempts(call, asked_by, again, request).await;
    answer.map_err(|error| call.failed(&error))
}

async fn attempts<T, E, F>(
    call: &Call,
    asked_by: &str,
    again: Again,
    request: impl Fn() -> F,
) -> Answer<T, E>
where
    T: Send,
    E: ProvideErrorMetadata + Error + Send + 'static,
    F: Future<Output = Answer<T, E>> + Send,
{
    let mut attempt = 1;
    loop {
        match call.try_send(request()).await {
            Err(error)
                if attempt < again.attempts()
                    && again.is_worth_it(code(&error), call.failed(&error).kind) =>
            {
                tokio::time::sleep(pause(asked_by, attempt)).await;
                attempt += 1;
            }
            answer => return answer,
        }
    }
}

/// Longer from one attempt to the next, and other for each who asks, so that a storm doesn't ask in
/// step.
pub(super) fn pause(asked_by: &str, attempt: u32) -> Duration {
    let mut hasher = DefaultHasher::new();
    (asked_by, attempt).hash(&mut hasher);
    let [byte, ..] = hasher.finish().to_be_bytes();
    let pause = PAUSE * 2_u32.saturating_pow(attempt - 1);
    pause + pause.mul_f64(f64::from(byte) / 255.0)
}
