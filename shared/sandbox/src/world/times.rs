//! Moving a world in time.

use jiff::{SignedDuration, Timestamp, Unit};

use super::World;
use crate::copies::CopyJob;

/// How long ago the newest failed copy ended, in a world that is moved to the present.
const SINCE_THE_NEWEST_FAILURE: SignedDuration = SignedDuration::from_mins(1);

impl World {
    /// The failed copy job that ended last; where none failed, the copy job that ended last.
    #[must_use]
    pub fn newest_copy_job(&self) -> Option<&CopyJob> {
        let newest = |jobs: &mut dyn Iterator<Item = &'_ CopyJob>| -> Option<String> {
            jobs.max_by_key(|job| job.completed)
                .map(|job| job.id.clone())
        };
        let failed = newest(&mut self.jobs.iter().filter(|job| job.failure().is_some()));
        let id = failed.or_else(|| newest(&mut self.jobs.iter()))?;
        self.copy_job(&id)
    }

    /// The same world at another time: every time is moved by one offset, so that
    /// [`Self::newest_copy_job`] ended one minute before `now`. A world without copies is moved so
    /// that its clock starts then. Times in policies stay: they are their owners'.
    ///
    /// ```
    /// use copymend_sandbox::World;
    ///
    /// let now = "2027-03-01T12:00:00Z".parse().unwrap();
    /// let world = World::default_world().moved_to(now);
    /// let newest = world.newest_copy_job().unwrap();
    /// assert_eq!(newest.completed.to_string(), "2027-03-01T11:59:00Z");
    /// ```
    #[must_use]
    pub fn moved_to(mut self, now: Timestamp) -> Self {
        // AWS tells milliseconds.
        let now = now.round(Unit::Millisecond).unwrap_or(now);
        let offset = match self.newest_copy_job() {
            Some(job) => now.duration_since(job.completed) - SINCE_THE_NEWEST_FAILURE,
            None => now.duration_since(self.time),
        };
        // A time beyond what can be told stays where it is.
        let moved = |time: Timestamp| time.checked_add(offset).unwrap_or(time);
        self.time = moved(self.time);
        for job in &mut self.jobs {
            job.created = moved(job.created);
            job.completed = moved(job.completed);
        }
        self.denials.move_by(offset);
        let move_each = |times: &mut [&mut Option<Timestamp>]| {
            for time in times {
                **time = time.map(moved);
            }
        };
        for job in &mut self.backup_jobs {
            move_each(&mut [&mut job.creation_date, &mut job.completion_date]);
        }
        for job in &mut self.restore_jobs {
            move_each(&mut [&mut job.creation_date, &mut job.completion_date]);
        }
        let regions = self.accounts.values_mut();
        for region in regions.flat_map(|account| account.regions.values_mut()) {
            let vaults = region.vaults.values_mut();
            for point in vaults.flat_map(|vault| &mut vault.recovery_points) {
                move_each(&mut [
                    &mut point.creation_date,
                    &mut point.delete_at,
                    &mut point.move_to_cold_storage_at,
                ]);
            }
            let plans = region.backup_plans.values_mut();
            for rule in plans.flat_map(|plan| &mut plan.rules) {
                for run in &mut rule.next_runs {
                    *run = moved(*run);
                }
            }
        }
        self
    }
}
