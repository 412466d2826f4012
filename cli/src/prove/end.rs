//! How a run ends early, and waiting.

use std::io;
use std::time::Instant;

use copymend_remediation::ports::{CallError, CallResult};

use super::arguments::Pace;

/// Why a run ended before it was done.
#[derive(Debug)]
pub(crate) enum End {
    /// A person stopped it.
    Stopped,
    /// Something went wrong.
    Failed(String),
    /// This machine can't write or read.
    Io(io::Error),
}

impl From<CallError> for End {
    fn from(error: CallError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// How often a call is tried that fails for what passes by itself. The SDK has repeated it by then.
const TRIES: u32 = 4;

/// Tries a call again that failed for what may pass by itself. Every call of a run may be repeated:
/// what a second one makes carries the run's tag, and is found by it.
pub(crate) async fn patiently<T>(
    pace: Pace,
    mut call: impl AsyncFnMut() -> CallResult<T>,
) -> CallResult<T> {
    for _ in 1..TRIES {
        match call().await {
            Err(error) if error.may_pass() => tokio::time::sleep(pace.every).await,
            other => return other,
        }
    }
    call().await
}

/// Asks until there is an answer. What may pass by itself is asked again.
pub(crate) async fn until<T>(
    pace: Pace,
    what: &str,
    mut ask: impl AsyncFnMut() -> CallResult<Option<T>>,
) -> Result<T, End> {
    let start = Instant::now();
    loop {
        match ask().await {
            Ok(Some(found)) => return Ok(found),
            Err(error) if !error.may_pass() => return Err(error.into()),
            Ok(None) | Err(_) => {}
        }
        if start.elapsed() >= pace.patience {
            let minutes = pace.patience.as_secs() / 60;
            return Err(End::Failed(format!("{what} within {minutes} minutes")));
        }
        tokio::time::sleep(pace.every).await;
    }
}
