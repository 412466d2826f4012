//! How far a look at plans came.

use std::sync::{Mutex, PoisonError};

use copymend_survey::preflight::Step;

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
    routes: Option<usize>,
    routes_judged: usize,
}

impl Steps {
    /// Of a look at so many accounts and Regions.
    pub(super) fn new(places: usize) -> Self {
        Self {
            line: Line::new(),
            places,
            taken: Mutex::default(),
        }
    }

    /// Takes a step note of.
    pub(super) fn on(&self, step: Step) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        match step {
            Step::Place => taken.places_read += 1,
            Step::Routes(routes) => taken.routes = Some(routes),
            Step::Route => taken.routes_judged += 1,
        }
        self.line.show(|| text(*taken, self.places));
    }

    /// Removes the line.
    pub(super) fn clear(&self) {
        self.line.clear();
    }
}

fn text(taken: Taken, places: usize) -> String {
    match taken.routes {
        None => format!("{} of {places} accounts and Regions", taken.places_read),
        Some(routes) => format!("{} of {routes} routes", taken.routes_judged),
    }
}
