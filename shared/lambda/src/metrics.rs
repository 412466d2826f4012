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
mod tests {
    use copymend_diagnosis::Cause;
    use copymend_remediation::copy_age::{CopyAgeState, VaultAge};
    use copymend_remediation::report::{CallSummary, Guard, GuardResult, PolicyChange, Subject};

    use super::*;

    fn report(outcome: Outcome) -> Report {
        let call = CallSummary {
            operation: "StartCopyJob".to_owned(),
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
            caller: "arn:aws:iam::111122223333:role/Copies".to_owned(),
            error_code: "AccessDenied".to_owned(),
            resource: None,
        };
        let blank = Report::blank("event".to_owned(), Subject::ApiCall(call), "message");
        let mut report = Report { outcome, ..blank };
        report.diagnosis.cause = Cause::DestinationVaultPolicy;
        report
    }

    fn applied() -> PolicyChange {
        PolicyChange {
            resource: "arn:aws:backup:eu-west-1:444455556666:backup-vault:copies".to_owned(),
            before: None,
            after: "{}".to_owned(),
            added: Vec::new(),
            certificate: None,
            applied: true,
            id: None,
            grantee: None,
        }
    }

    fn asked(guard: Guard, passed: bool) -> GuardResult {
        GuardResult {
            guard,
            passed,
            detail: String::new(),
        }
    }

    fn lines(metrics: &Metrics) -> Vec<Value> {
        let origin = Origin {
            function: "copymend-copies",
            level: "WARN",
            at: "2026-11-29T03:00:00.5Z".parse().unwrap(),
        };
        let parsed = |line: &String| serde_json::from_str(line).unwrap();
        metrics.lines(origin).iter().map(parsed).collect()
    }

    /// Every value that the lines hold for a metric, with the other dimension's value.
    fn values(metrics: &Metrics, metric: Metric) -> Vec<(String, f64)> {
        let value = |line: &Value| {
            let value = line.get(metric.name())?.as_f64()?;
            let dimension = metric
                .dimension()
                .map_or("", |name| line[name].as_str().unwrap());
            Some((dimension.to_owned(), value))
        };
        lines(metrics).iter().filter_map(value).collect()
    }

    #[test]
    fn each_line_is_what_the_specification_asks_for() {
        let mut refused = report(Outcome::Refused);
        refused.guards = vec![
            asked(Guard::VerifiedFailure, true),
            asked(Guard::SourceAllowed, false),
            asked(Guard::DestinationAllowed, false),
        ];
        let lines = lines(&Metrics::of_report(&refused));
        assert_eq!(lines.len(), 4, "{lines:#?}");
        for line in &lines {
            assert_eq!(line["level"], "WARN");
            assert_eq!(line["timestamp"], "2026-11-29T03:00:00.5Z");
            assert_eq!(line["_aws"]["Timestamp"], 1_795_921_200_500_i64);
            let [described] = line["_aws"]["CloudWatchMetrics"]
                .as_array()
                .unwrap()
                .as_slice()
            else {
                panic!("{line:#}")
            };
            assert_eq!(described["Namespace"], NAMESPACE);
            let [dimensions] = described["Dimensions"].as_array().unwrap().as_slice() else {
                panic!("{line:#}")
            };
            for dimension in dimensions.as_array().unwrap() {
                assert!(line[dimension.as_str().unwrap()].is_string(), "{line:#}");
            }
            for metric in described["Metrics"].as_array().unwrap() {
                assert!(
                    line[metric["Name"].as_str().unwrap()].is_number(),
                    "{line:#}"
                );
                assert!(metric["Unit"].is_string(), "{line:#}");
            }
        }
    }

    #[test]
    fn a_repair_is_counted_by_its_cause_and_a_refusal_by_each_guard() {
        let mut repaired = report(Outcome::RepairedAndRetried);
        repaired.retried_job = Some("retry".to_owned());
        repaired.changes = vec![applied()];
        let metrics = Metrics::of_report(&repaired);
        let cause = Cause::DestinationVaultPolicy.slug().to_owned();
        for (metric, expected) in [
            (Metric::EventsHandled, vec![(String::new(), 1.0)]),
            (Metric::Failures, vec![(cause.clone(), 1.0)]),
            (Metric::Repairs, vec![(cause, 1.0)]),
            (Metric::Refusals, vec![]),
            (Metric::Retries, vec![(String::new(), 1.0)]),
        ] {
            assert_eq!(values(&metrics, metric), expected, "{metric:?}");
        }
        let mut refused = report(Outcome::Refused);
        refused.guards = vec![
            asked(Guard::VerifiedFailure, true),
            asked(Guard::SourceAllowed, false),
        ];
        let metrics = Metrics::of_report(&refused);
        let guard = Guard::SourceAllowed.name().to_owned();
        assert_eq!(values(&metrics, Metric::Refusals), [(guard, 1.0)]);
        assert_eq!(values(&metrics, Metric::Repairs), []);
    }

    #[test]
    fn what_waits_or_was_handled_before_is_no_further_failure() {
        for outcome in [
            Outcome::RetryPlanned,
            Outcome::AlreadyHandled,
            Outcome::Nothing,
            Outcome::Recovered,
        ] {
            let mut report = report(outcome);
            report.retried_job = None;
            let metrics = Metrics::of_report(&report);
            assert_eq!(values(&metrics, Metric::Failures), [], "{outcome:?}");
            assert_eq!(values(&metrics, Metric::EventsHandled).len(), 1);
        }
    }

    #[test]
    fn a_copy_that_works_again_tells_how_long_that_took() {
        let mut recovered = report(Outcome::Recovered);
        recovered.seconds_to_good_copy = Some(5_400);
        let metrics = Metrics::of_report(&recovered);
        let seconds = values(&metrics, Metric::SecondsToGoodCopy);
        assert_eq!(seconds, [(String::new(), 5_400.0)]);
    }

    #[test]
    fn a_sweep_counts_what_it_found_and_what_it_could_not_look_at() {
        let counts = SweptCounts {
            found: 3,
            handled_before: 1,
            outcomes: BTreeMap::new(),
            left: 0,
            failed: 2,
            errors: Vec::new(),
        };
        let reports = [report(Outcome::Advised), report(Outcome::Advised)];
        let metrics = Metrics::of_sweep(&counts, &reports);
        let cause = Cause::DestinationVaultPolicy.slug().to_owned();
        for (metric, expected) in [
            (Metric::SweepsCompleted, vec![(String::new(), 1.0)]),
            (Metric::SweepFailures, vec![(String::new(), 2.0)]),
            (Metric::Failures, vec![(cause, 2.0)]),
            (Metric::EventsHandled, vec![]),
        ] {
            assert_eq!(values(&metrics, metric), expected, "{metric:?}");
        }
    }

    #[test]
    fn a_preflight_counts_itself_and_what_will_fail_unless_another_is_at_it() {
        let at = "2026-11-29T03:00:00Z".parse().unwrap();
        for (state, counted) in [
            (PreflightState::Told, 1),
            (PreflightState::NothingNew, 1),
            (PreflightState::NoTopic, 1),
            (PreflightState::Running, 0),
        ] {
            let mut answer = PreflightAnswer::blank(state, at);
            answer.known_to_fail = 7;
            let metrics = Metrics::of_preflight(&answer);
            let completed = values(&metrics, Metric::PreflightsCompleted);
            assert_eq!(completed, vec![(String::new(), 1.0); counted], "{state:?}");
            let failing = values(&metrics, Metric::RoutesThatWillFail);
            assert_eq!(failing, vec![(String::new(), 7.0); counted], "{state:?}");
        }
    }

    #[test]
    fn the_ages_of_copies_are_two_numbers_a_vault_and_none_where_no_copy_is_good() {
        let at = "2026-11-29T03:00:00Z".parse().unwrap();
        let vault = |name: &str, worst_age_seconds, over_objective| VaultAge {
            vault: format!("arn:aws:backup:eu-west-1:444455556666:backup-vault:{name}"),
            worst_age_seconds,
            over_objective,
        };
        let mut answer = CopyAgeAnswer::blank(CopyAgeState::Measured, at);
        answer.vaults = vec![vault("dr", Some(100_800), 2), vault("empty", None, 3)];
        answer.left_out =
            vec!["arn:aws:backup:eu-west-1:444455556666:backup-vault:more".to_owned()];
        let metrics = Metrics::of_copy_age(&answer);
        let [dr, empty] = [0, 1].map(|index| answer.vaults[index].vault.clone());
        let ages = values(&metrics, Metric::WorstCopyAge);
        assert_eq!(ages, [(dr.clone(), 100_800.0)]);
        let over = values(&metrics, Metric::CopiesOverObjective);
        assert_eq!(over, [(dr, 2.0), (empty, 3.0)]);
        for line in lines(&metrics) {
            let described = &line["_aws"]["CloudWatchMetrics"][0];
            assert_eq!(described["Dimensions"], json!([["Vault"]]), "{line:#}");
            assert_eq!(described["Namespace"], NAMESPACE);
            assert_eq!(
                line["Function"], "copymend-copies",
                "for who searches the log"
            );
        }
        let nothing = CopyAgeAnswer::blank(CopyAgeState::NoObjective, at);
        assert!(lines(&Metrics::of_copy_age(&nothing)).is_empty());
    }

    #[test]
    fn names_of_metrics_differ() {
        let names: std::collections::BTreeSet<&str> = Metric::ALL.map(Metric::name).into();
        assert_eq!(names.len(), Metric::ALL.len());
    }
}
