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
    answer.left_out = vec!["arn:aws:backup:eu-west-1:444455556666:backup-vault:more".to_owned()];
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
