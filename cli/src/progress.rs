//! How far long work came: one line on standard error, where that is a terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The line is written again so often at most.
const EVERY: Duration = Duration::from_millis(100);

/// The line.
pub(crate) struct Line {
    is_shown: bool,
    written: Mutex<Option<Instant>>,
}

impl Line {
    pub(crate) fn new() -> Self {
        Self {
            is_shown: io::stderr().is_terminal(),
            written: Mutex::new(None),
        }
    }

    /// Shows a text if it is time.
    pub(crate) fn show(&self, text: impl FnOnce() -> String) {
        if !self.is_shown {
            return;
        }
        let now = Instant::now();
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.is_none_or(|written| now.duration_since(written) >= EVERY) {
            *written = Some(now);
            // Who doesn't see it misses nothing.
            let _ = write!(io::stderr(), "\r\x1b[K{}", text());
            let _ = io::stderr().flush();
        }
    }

    /// Removes the line, so that what was found stands alone.
    pub(crate) fn clear(&self) {
        if self.is_shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
            let _ = io::stderr().flush();
        }
    }
}
