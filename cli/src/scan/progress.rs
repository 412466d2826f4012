//! How far a scan came.

use std::sync::{Mutex, PoisonError};

use copymend_survey::scan::{Progress, Stopped};

use crate::progress::Line;

/// The steps that were taken, and the line that tells of them.
pub(super) struct Steps {
    line: Line,
    places: usize,
    taken: Mutex<Taken>,
}

#[derive(Clone, Copy, Default)]
struct Taken {
    places_read: usize,
    pages: u64,
    jobs: u64,
    routes: usize,
    routes_investigated: usize,
}

impl Steps {
    /// Of a scan of so many accounts and Regions.
    pub(super) fn new(places: usize) -> Self {
        Self {
            line: Line::new(),
            places,
            taken: Mutex::default(),
        }
    }

    /// Takes a step note of.
    pub(super) fn on(&self, progress: Progress) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Progress::Page(found) => {
                taken.pages += 1;
                taken.jobs = found;
            }
            Progress::Place => taken.places_read += 1,
            Progress::Routes(routes) => taken.routes = routes,
            Progress::Route => taken.routes_investigated += 1,
        }
        self.line.show(|| text(*taken, self.places));
    }

    /// Removes the line.
    pub(super) fn clear(&self) {
        self.line.clear();
    }

    /// How far it came.
    pub(super) fn stopped(&self) -> Stopped {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        Stopped {
            places_read: taken.places_read,
            routes_investigated: taken.routes_investigated,
            routes: taken.routes,
        }
    }
}

fn text(taken: Taken, places: usize) -> String {
    let read = format!(
        "{} of {places} accounts and Regions, {} pages, {} failed jobs",
        taken.places_read, taken.pages, taken.jobs
    );
    if taken.routes == 0 {
        read
    } else {
        format!(
            "{read}; {} of {} routes",
            taken.routes_investigated, taken.routes
        )
    }
}
