//! Backup plans, and the short list of vaults.

use copymend_diagnosis::BackupVaultArn;
use copymend_policy::{AccountId, Arn};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::World;
use super::schema::{Plan, PlanRule, PlanSelection, Region, Vault};
use crate::index::{Listed, page_of_few, place};

/// The schedule of a rule that names none (AWS Backup API reference, `BackupRule`, documented).
pub const DEFAULT_SCHEDULE: &str = "cron(0 5 ? * * *)";

impl World {
    fn region(&self, account: AccountId, region: &str) -> Option<&Region> {
        self.account(account)?.regions.get(region)
    }

    /// One backup plan.
    #[must_use]
    pub fn backup_plan(&self, account: AccountId, region: &str, id: &str) -> Option<&Plan> {
        self.region(account, region)?.backup_plans.get(id)
    }

    /// The ARN of a backup plan of this id.
    #[must_use]
    pub fn backup_plan_arn(&self, account: AccountId, region: &str, id: &str) -> Option<Arn> {
        let partition = &self.account(account)?.partition;
        format!("arn:{partition}:backup:{region}:{account}:backup-plan:{id}")
            .parse()
            .ok()
    }

    /// A page of the backup plans of an account and Region, with their ids.
    #[must_use]
    pub fn page_of_backup_plans(
        &self,
        account: AccountId,
        region: &str,
        from: Option<u64>,
        size: usize,
    ) -> Listed<(&str, &Plan)> {
        let plans = self
            .region(account, region)
            .map(|found| &found.backup_plans);
        let plans = plans.into_iter().flatten();
        let plans = plans.map(|(id, plan)| (place(id), (id.as_str(), plan)));
        page_of_few(plans, from, size)
    }

    /// A page of the vaults of an account and Region, with their ARNs.
    #[must_use]
    pub fn page_of_vaults(
        &self,
        account: AccountId,
        region: &str,
        admits: impl Fn(&Vault) -> bool,
        from: Option<u64>,
        size: usize,
    ) -> Listed<(BackupVaultArn, &Vault)> {
        let partition = self
            .account(account)
            .map_or("aws", |account| account.partition.as_str());
        let vaults = self.region(account, region).map(|found| &found.vaults);
        let vaults = vaults.into_iter().flatten().filter_map(|(name, vault)| {
            let arn = format!("arn:{partition}:backup:{region}:{account}:backup-vault:{name}");
            Some((place(name), (arn.parse().ok()?, vault)))
        });
        page_of_few(vaults.filter(|(_, (_, vault))| admits(vault)), from, size)
    }
}

impl Plan {
    /// The name, or else the id.
    #[must_use]
    pub fn name<'p>(&'p self, id: &'p str) -> &'p str {
        self.name.as_deref().unwrap_or(id)
    }

    /// A page of the selections, with their ids.
    #[must_use]
    pub fn page_of_selections(
        &self,
        from: Option<u64>,
        size: usize,
    ) -> Listed<(&str, &PlanSelection)> {
        let selections = self
            .selections
            .iter()
            .map(|(id, selection)| (place(id), (id.as_str(), selection)));
        page_of_few(selections, from, size)
    }

    /// The next runs after a time, soonest first, with the rules' ids: as many as are asked for
    /// (AWS Backup API reference, `ScheduledRunsPreview`, documented).
    #[must_use]
    pub fn next_runs(&self, now: Timestamp, most: usize) -> Vec<(Timestamp, &str)> {
        let mut runs: Vec<(Timestamp, &str)> = self
            .rules
            .iter()
            .flat_map(|rule| {
                let runs = rule.next_runs_after(now, most);
                runs.into_iter().map(|run| (run, rule.id.as_str()))
            })
            .collect();
        runs.sort_unstable();
        runs.truncate(most);
        runs
    }
}

impl PlanRule {
    /// The name, or else the id.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }

    /// `ScheduleExpression`.
    #[must_use]
    pub fn schedule(&self) -> &str {
        self.schedule.as_deref().unwrap_or(DEFAULT_SCHEDULE)
    }

    fn next_runs_after(&self, now: Timestamp, most: usize) -> Vec<Timestamp> {
        if !self.next_runs.is_empty() {
            let mut runs = self.next_runs.clone();
            runs.retain(|run| *run > now);
            return runs;
        }
        let Some(time) = time_of_every_day(self.schedule()) else {
            return Vec::new();
        };
        let today = now.to_zoned(TimeZone::UTC).date();
        (0..=most)
            .filter_map(|day| {
                let day = today
                    .checked_add(i64::try_from(day).ok()?.days())
                    .ok()?
                    .to_datetime(time);
                Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
            })
            .filter(|run| *run > now)
            .take(most)
            .collect()
    }
}

/// The time of a schedule that is one time of every day, such as `cron(30 5 ? * * *)`.
fn time_of_every_day(schedule: &str) -> Option<Time> {
    let fields = schedule.strip_prefix("cron(")?.strip_suffix(')')?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let [minute, hour, day, month, weekday, year] = *fields.as_slice() else {
        return None;
    };
    let is_every_day = [day, month, weekday, year]
        .iter()
        .all(|field| matches!(*field, "*" | "?"));
    if !is_every_day {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_runs_follow_from_a_time_of_every_day() {
        let rule: PlanRule =
            serde_json::from_str(r#"{"id": "daily", "target_vault": "prod"}"#).unwrap();
        let plan = Plan {
            rules: vec![rule],
            ..Plan::default()
        };
        let now = "2026-11-02T06:00:00Z".parse().unwrap();
        let runs = plan.next_runs(now, 2);
        let runs: Vec<String> = runs.iter().map(|(run, _)| run.to_string()).collect();
        assert_eq!(runs, ["2026-11-03T05:00:00Z", "2026-11-04T05:00:00Z"]);
        assert!(plan.next_runs(now, 0).is_empty());
        assert_eq!(time_of_every_day("cron(0 5 ? * MON *)"), None);
        assert_eq!(time_of_every_day("rate(1 day)"), None);
    }
}
