//! What follows from a world's copies once all have run, and the dates of what they copy.

use std::collections::BTreeMap;

use copymend_policy::Arn;
use jiff::Timestamp;

use super::schema::CopyJobInput;
use super::{World, WorldError};

impl World {
    /// Gives every recovery point without a date that of the first copy of it, or else the world's
    /// time.
    pub(super) fn date_recovery_points(&mut self, copies: &[CopyJobInput]) {
        let mut first: BTreeMap<&Arn, Timestamp> = BTreeMap::new();
        for copy in copies {
            let date = first
                .entry(&copy.recovery_point_arn)
                .or_insert(copy.creation_date);
            *date = copy.creation_date.min(*date);
        }
        let time = self.time;
        let regions = self.accounts.values_mut();
        let vaults = regions.flat_map(|account| account.regions.values_mut());
        for vault in vaults.flat_map(|region| region.vaults.values_mut()) {
            for point in &mut vault.recovery_points {
                let date = first.get(&point.arn).copied().unwrap_or(time);
                point.creation_date.get_or_insert(date);
            }
        }
    }

    /// Ties the copies of composite backups to those of their parts.
    pub(super) fn relate_copies(&mut self) -> Result<(), WorldError> {
        let mut parts: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, job) in self.jobs.iter().enumerate() {
            let Some(parent) = &job.parent else { continue };
            let parent_at = self.position_of_copy(parent).filter(|found| *found != at);
            let Some(parent_at) = parent_at else {
                let path = format!("copy_jobs[{at}].parent_job_id");
                return Err(WorldError::at(
                    &path,
                    format!("there is no other job `{parent}`"),
                ));
            };
            parts.entry(parent_at).or_default().push(at);
        }
        for (parent, parts) in parts {
            self.relate(parent, &parts);
        }
        Ok(())
    }

    fn relate(&mut self, parent: usize, parts: &[usize]) {
        let mut copies = Vec::new();
        let (mut completed, mut failed) = (0_u64, 0_u64);
        for job in parts.iter().filter_map(|at| self.jobs.get(*at)) {
            match job.destination_recovery_point() {
                Some(copy) => {
                    completed = completed.saturating_add(1);
                    copies.push((job.destination_vault.clone(), copy.clone()));
                }
                None => failed = failed.saturating_add(1),
            }
        }
        let Some(job) = self.jobs.get_mut(parent) else {
            return;
        };
        job.children.completed = completed;
        job.children.failed = failed;
        let vault = job.destination_vault.clone();
        let Some(whole) = job.destination_recovery_point().cloned() else {
            return;
        };
        let found = self
            .vault_to_add_to(&vault)
            .and_then(|vault| vault.recovery_point_mut(whole.as_str()));
        if let Some(point) = found {
            point.is_parent = true;
            if failed > 0 {
                "PARTIAL".clone_into(&mut point.status);
            }
        }
        for (vault, copy) in copies {
            let found = self
                .vault_to_add_to(&vault)
                .and_then(|vault| vault.recovery_point_mut(copy.as_str()));
            if let Some(point) = found {
                point.parent_recovery_point_arn = Some(whole.clone());
            }
        }
    }
}
