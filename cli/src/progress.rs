//! How far long work came: one line on standard error, where that is a terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use copymend_survey::scan::{Progress, Stopped};
use tokio::time::Instant;

/// The line is written again so often at most.
const EVERY: Duration = Duration::from_millis(100);

/// The line.
pub(crate) struct Line {
    is_shown: bool,
    places: usize,
    state: Mutex<State>,
}

#[derive(Clone, Copy)]
struct State {
    places_read: usize,
    pages: u64,
    jobs: u64,
    routes: usize,
    routes_investigated: usize,
    written: Option<Instant>,
}

impl Line {
    /// A line about so many accounts and Regions.
    pub(crate) fn new(places: usize) -> Self {
        Self {
            is_shown: io::stderr().is_terminal(),
            places,
            state: Mutex::new(State {
                places_read: 0,
                pages: 0,
                jobs: 0,
                routes: 0,
                routes_investigated: 0,
                written: None,
            }),
        }
    }

    /// Takes a step note of, and shows it if it is time.
    pub(crate) fn on(&self, progress: Progress) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Progress::Page(found) => {
                state.pages += 1;
                state.jobs = found;
            }
            Progress::Place => state.places_read += 1,
            Progress::Routes(routes) => state.routes = routes,
            Progress::Route => state.routes_investigated += 1,
        }
        let now = Instant::now();
        let is_due = state
            .written
            .is_none_or(|written| now.duration_since(written) >= EVERY);
        if self.is_shown && is_due {
            state.written = Some(now);
            self.write(*state);
        }
    }

    fn write(&self, state: State) {
        let read = format!(
            "{} of {} accounts and Regions, {} pages, {} failed jobs",
            state.places_read, self.places, state.pages, state.jobs
        );
        let text = if state.routes == 0 {
            read
        } else {
            format!(
                "{read}; {} of {} routes",
                state.routes_investigated, state.routes
            )
        };
        // Who doesn't see it misses nothing.
        let _ = write!(io::stderr(), "\r\x1b[K{text}");
        let _ = io::stderr().flush();
    }

    /// Removes the line, so that what was found stands alone.
    pub(crate) fn clear(&self) {
        if self.is_shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
            let _ = io::stderr().flush();
        }
    }

    /// How far it came.
    pub(crate) fn stopped(&self) -> Stopped {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Stopped {
            places_read: state.places_read,
            routes_investigated: state.routes_investigated,
            routes: state.routes,
        }
    }
}
