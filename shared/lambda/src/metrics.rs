//! Metrics in CloudWatch's embedded metric format: one JSON object a line, from which CloudWatch
//! Logs makes metrics (CloudWatch user guide, "Specification: Embedded metric format", documented).
//!
//! Each combination of dimension values is a metric that is paid for. So the dimensions are the
//! function, and a cause or a guard, of which there are few, and of a limited number of vaults the vault
//! alone; never a resource, an account or a job.

use std::collections::BTreeMap;
use std::io::Write;

use copymend_remediation::copy_age::CopyAgeAnswer;
use copymend_remediation::preflight::{PreflightAnswer, PreflightState};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::sweep::SweptCounts;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The namespace of all metrics.
pub const NAMESPACE: &str = "Copymend";

/// The dimension whose values are the ARNs of vaults.
const VAULT: &str = "Vault";

/// A metric of the functions. Its name is what alarms and dashboards rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// An event was handled; also one that asked for nothing.
    EventsHandled,
    /// A copy, call or job failed, by its cause. Each is counted by the delivery that came to a
    /// decision, not by those that were put off or repeated.
    Failures,
    /// A policy was repaired, by the cause of the failure.
    Repairs,
    /// A guard refused a repair or a retry.
    Refusals,
    /// A copy was started again.
    Retries,
    /// The time from the first failure of an incident to a copy that worked.
    SecondsToGoodCopy,
    /// A sweep ended.
    SweepsCompleted,
    /// Copies that a sweep could not handle, or places where it could not look.
    SweepFailures,
    /// A preflight ended.
    PreflightsCompleted,
    /// Routes of planned copies that are known to fail, when a preflight ended.
    RoutesThatWillFail,
    /// The age of the oldest newest good copy in a vault.
    WorstCopyAge,
    /// Of how many resources the newest good copy in a vault is older than the objective, or there is
    /// none.
    CopiesOverObjective,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 12] = [
        Self::EventsHandled,
        Self::Failures,
        Self::Repairs,
        Self::Refusals,
        Self::Retries,
        Self::SecondsToGoodCopy,
        Self::SweepsCompleted,
        Self::SweepFailures,
        Self::PreflightsCompleted,
        Self::RoutesThatWillFail,
        Self::WorstCopyAge,
        Self::CopiesOverObjective,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EventsHandled => "EventsHandled",
            Self::Failures => "Failures",
            Self::Repairs => "Repairs",
            Self::Refusals => "Refusals",
            Self::Retries => "Retries",
            Self::SecondsToGoodCopy => "SecondsToGoodCopy",
            Self::SweepsCompleted => "SweepsCompleted",
            Self::SweepFailures => "SweepFailures",
            Self::PreflightsCompleted => "PreflightsCompleted",
            Self::RoutesThatWillFail => "RoutesThatWillFail",
            Self::WorstCopyAge => "WorstCopyAge",
            Self::CopiesOverObjective => "CopiesOverObjective",
        }
    }

    /// The dimension beside the function, where it has one. That of a vault stands alone: whoever asks for
    /// it knows the vault, and not which function looked.
    #[must_use]
    pub const fn dimension(self) -> Option<&'static str> {
        match self {
            Self::Failures | Self::Repairs => Some("Cause"),
            Self::Refusals => Some("Guard"),
            Self::WorstCopyAge | Self::CopiesOverObjective => Some(VAULT),
            Self::EventsHandled
            | Self::Retries
            | Self::SecondsToGoodCopy
            | Self::SweepsCompleted
            | Self::SweepFailures
            | Self::PreflightsCompleted
            | Self::RoutesThatWillFail => None,
        }
    }

    const fn unit(self) -> &'static str {
        match self {
            Self::SecondsToGoodCopy | Self::WorstCopyAge => "Seconds",
            Self::EventsHandled
            | Self::Failures
            | Self::Repairs
            | Self::Refusals
            | Self::Retries
            | Self::SweepsCompleted
            | Self::SweepFailures
            | Self::PreflightsCompleted
            | Self::RoutesThatWillFail
            | Self::CopiesOverObjective => "Count",
        }
    }
}

/// What one invocation counted: for each value of the second dimension, the metrics.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    counted: BTreeMap<Option<(&'static str, String)>, BTreeMap<Metric, f64>>,
}

/// What every line says of its origin.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The function's name.
    pub function: &'a str,
    /// The level of the line: that of the log's filter, because a line below it is dropped. A line
    /// without a level and a time counts as `INFO` (Lambda developer guide, "Log-level filtering",
    /// documented for lines that are JSON; for embedded metrics inferred).
    pub level: &'a str,
    /// Now.
    pub at: Timestamp,
}

impl Metrics {
    /// What the report of one event counts.
    #[must_use]
    pub fn of_report(report: &Report) -> Self {
        let mut metrics = Self::default();
        metrics.add(Metric::EventsHandled, "", 1);
        metrics.add_report(report);
        metrics
    }

    /// What a sweep counts: itself, and each copy that no event had brought.
    #[must_use]
    pub fn of_sweep<'a>(
        counts: &SweptCounts,
        reports: impl IntoIterator<Item = &'a Report>,
    ) -> Self {
        let mut metrics = Self::default();
        metrics.add(Metric::SweepsCompleted, "", 1);
        let failed = u32::try_from(counts.failed).unwrap_or(u32::MAX);
        metrics.add(Metric::SweepFailures, "", failed);
        for report in reports {
            metrics.add_report(report);
        }
        metrics
    }

    /// What a preflight counts: itself, and the routes that are known to fail.
    #[must_use]
    pub fn of_preflight(answer: &PreflightAnswer) -> Self {
        let mut metrics = Self::default();
        match answer.preflight {
            // The invocation that is at it counts.
            PreflightState::Running => {}
            PreflightState::Told | PreflightState::NothingNew | PreflightState::NoTopic => {
                let failing = u32::try_from(answer.known_to_fail).unwrap_or(u32::MAX);
                metrics.add(Metric::PreflightsCompleted, "", 1);
                metrics.add(Metric::RoutesThatWillFail, "", failing);
            }
        }
        metrics
    }

    /// The ages of the newest good copies, two metrics a vault. Of a vault without any good copy there is
    /// no age.
    #[must_use]
    pub fn of_copy_age(answer: &CopyAgeAnswer) -> Self {
        let mut metrics = Self::default();
        for of_vault in &answer.vaults {
            if let Some(seconds) = of_vault.worst_age_seconds {
                let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
                metrics.add(Metric::WorstCopyAge, &of_vault.vault, seconds);
            }
            let over = u32::try_from(of_vault.over_objective).unwrap_or(u32::MAX);
            metrics.add(Metric::CopiesOverObjective, &of_vault.vault, over);
        }
        metrics
    }

    fn add_report(&mut self, report: &Report) {
        let cause = report.diagnosis.cause.slug();
        if is_decided(report) {
            self.add(Metric::Failures, cause, 1);
            for refused in report.guards.iter().filter(|asked| !asked.passed) {
                self.add(Metric::Refusals, refused.guard.name(), 1);
            }
        }
        let repairs = report.changes.iter().filter(|change| change.applied);
        for _ in repairs {
            self.add(Metric::Repairs, cause, 1);
        }
        if report.retried_job.is_some() && report.outcome != Outcome::AlreadyHandled {
            self.add(Metric::Retries, "", 1);
        }
        if let Some(seconds) = report.seconds_to_good_copy {
            self.add(Metric::SecondsToGoodCopy, "", seconds);
        }
    }

    fn add(&mut self, metric: Metric, value: &str, count: u32) {
        let dimension = metric.dimension().map(|name| (name, value.to_owned()));
        let counted = self.counted.entry(dimension).or_default();
        *counted.entry(metric).or_default() += f64::from(count);
    }

    /// The lines, one for each value of the second dimension: a line holds one value of it.
    #[must_use]
    pub fn lines(&self, origin: Origin<'_>) -> Vec<String> {
        let line = |(dimension, counted): (&Option<(&'static str, String)>, _)| {
            line(dimension.as_ref(), counted, origin).to_string()
        };
        self.counted.iter().map(line).collect()
    }
}

fn line(
    dimension: Option<&(&'static str, String)>,
    counted: &BTreeMap<Metric, f64>,
    origin: Origin<'_>,
) -> Value {
    let is_of_vault = dimension.is_some_and(|(name, _)| *name == VAULT);
    let function = (!is_of_vault).then_some("Function");
    let names: Vec<&str> = function
        .into_iter()
        .chain(dimension.map(|(name, _)| *name))
        .collect();
    let described: Vec<Value> = counted
        .keys()
        .map(|metric| json!({"Name": metric.name(), "Unit": metric.unit()}))
        .collect();
    let mut line = Map::new();
    line.insert("timestamp".to_owned(), json!(origin.at.to_string()));
    line.insert("level".to_owned(), json!(origin.level));
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": origin.at.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [names],
                "Metrics": described,
            }],
        }),
    );
    line.insert("Function".to_owned(), json!(origin.function));
    if let Some((name, value)) = dimension {
        line.insert((*name).to_owned(), json!(value));
    }
    for (metric, value) in counted {
        line.insert(metric.name().to_owned(), json!(value));
    }
    Value::Object(line)
}

/// Whether it tells of a failure that was decided on by this delivery.
fn is_decided(report: &Report) -> bool {
    match report.outcome {
        Outcome::RepairedAndRetried
        | Outcome::Repaired
        | Outcome::Retried
        | Outcome::Planned
        | Outcome::Advised
        | Outcome::Refused
        | Outcome::Failed => !report.awaits_another_delivery(),
        // One that waits is counted by the delivery that ends the wait.
        Outcome::RetryPlanned | Outcome::Recovered | Outcome::Nothing | Outcome::AlreadyHandled => {
            false
        }
    }
}

/// Prints the lines where AWS Lambda takes the log from. Nothing stands around a line.
pub fn print(metrics: &Metrics) {
    let function = std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default();
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_else(|_| "INFO".to_owned());
    let lines = metrics.lines(Origin {
        function: &function,
        level: &level.to_uppercase(),
        at: Timestamp::now(),
    });
    let mut stdout = std::io::stdout().lock();
    for line in lines {
        if let Err(error) = writeln!(stdout, "{line}") {
            tracing::warn!(%error, "metrics were not printed");
        }
    }
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
