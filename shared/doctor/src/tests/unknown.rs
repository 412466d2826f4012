//! What can't be read is neither fine nor broken, and never absent.

use copymend_diagnosis::SimulatedDecision;
use copymend_remediation::ports::CallErrorKind;

use super::healthy::{denied, healthy, roles};
use crate::facts::{Facts, Trail};
use crate::finding::State;
use crate::{Part, judge};

type Refused = (Part, fn(&mut Facts));

const READS: &[Refused] = &[
    (Part::Functions, |facts| {
        facts.functions[0].function.found = Err(denied("lambda:GetFunctionConfiguration"));
    }),
    (Part::Concurrency, |facts| {
        facts.functions[0].reserved = Err(denied("lambda:GetFunctionConcurrency"));
    }),
    (Part::Rules, |facts| {
        facts.functions[0].policy = Err(denied("lambda:GetPolicy"));
    }),
    (Part::Permissions, |facts| {
        for (_, answer) in &mut facts.roles[0].needs {
            *answer = Err(denied("iam:SimulatePrincipalPolicy"));
        }
    }),
    (Part::Rules, |facts| {
        facts.rules[0].rule.found = Err(denied("events:DescribeRule"));
    }),
    (Part::Rules, |facts| {
        facts.rules[0].targets = Err(denied("events:ListTargetsByRule"));
    }),
    (Part::Bus, |facts| {
        facts.buses[0].found = Err(denied("events:DescribeEventBus"));
    }),
    (Part::Queues, |facts| {
        facts.queues[0].found = Err(denied("sqs:GetQueueAttributes"));
    }),
    (Part::Queues, |facts| {
        facts.mappings[0].found = Err(denied("lambda:GetEventSourceMapping"));
    }),
    (Part::Subscriptions, |facts| {
        facts.topics[0].found = Err(denied("sns:ListSubscriptionsByTopic"));
    }),
    (Part::Ledger, |facts| {
        facts.tables[0].found = Err(denied("dynamodb:DescribeTable"));
    }),
    (Part::Ledger, |facts| {
        let table = facts.tables[0].found.as_mut().unwrap().as_mut().unwrap();
        table.is_recoverable = Err(denied("dynamodb:DescribeContinuousBackups"));
    }),
    (Part::Ledger, |facts| {
        let table = facts.tables[1].found.as_mut().unwrap().as_mut().unwrap();
        table.forgets_by = Err(denied("dynamodb:DescribeTimeToLive"));
    }),
    (Part::Alarms, |facts| {
        for alarm in &mut facts.alarms {
            alarm.found = Err(denied("cloudwatch:DescribeAlarms"));
        }
    }),
    (Part::Alarms, |facts| {
        facts.alarm_topic = Some(Err(denied("sns:GetTopicAttributes")));
    }),
    (Part::Functions, |facts| {
        facts.functions[0].on_failure = Err(denied("lambda:GetFunctionEventInvokeConfig"));
    }),
    (Part::Functions, |facts| {
        facts.log_groups[0].found = Err(denied("logs:DescribeLogGroups"));
    }),
    (Part::Trail, |facts| {
        facts.trails = Err(denied("cloudtrail:DescribeTrails"));
    }),
    (Part::Trail, |facts| {
        own_trail(facts).is_logging = Err(denied("cloudtrail:GetTrailStatus"));
    }),
    (Part::Trail, |facts| {
        own_trail(facts).logs = Err(denied("cloudtrail:GetEventSelectors"));
    }),
    (Part::SelfCheck, |facts| {
        facts.self_check = Err(denied("lambda:InvokeFunction"));
    }),
    (Part::TestMessage, |facts| {
        facts.test_message = Some(Err(denied("lambda:InvokeFunction")));
    }),
    (Part::ServiceLinkedRoles, |facts| {
        facts.self_check = Err(denied("lambda:InvokeFunction"));
        facts.service_linked_role = Err(denied("iam:GetRole"));
    }),
];

#[test]
fn a_refused_read_leaves_its_part_unjudged_and_says_which_call() {
    for (part, refuse) in READS {
        let mut facts = healthy();
        refuse(&mut facts);
        let findings = judge(&facts);
        let unknown: Vec<_> = findings
            .iter()
            .filter(|one| one.state != State::Fine)
            .collect();
        assert!(!unknown.is_empty(), "{part:?}");
        for finding in &unknown {
            assert_eq!(finding.state, State::NotCheckable, "{part:?}: {finding:?}");
            assert_eq!(finding.id, "not-checkable");
            assert!(
                finding.found.contains("you may not call"),
                "{}",
                finding.found
            );
        }
        assert!(
            unknown.iter().any(|one| one.part == *part),
            "{part:?}: {unknown:?}"
        );
    }
}

fn own_trail(facts: &mut Facts) -> &mut Trail {
    let trail = &mut facts.trails.as_mut().unwrap()[0];
    trail.arn = "arn:aws:cloudtrail:us-east-1:111122223333:trail/own".to_owned();
    trail
}

/// A member account's trail of the organization answers in the organization's account alone.
#[test]
fn of_the_organizations_trail_its_own_account_is_asked() {
    let mut facts = healthy();
    let trail = &mut facts.trails.as_mut().unwrap()[0];
    let mut error = denied("cloudtrail:GetTrailStatus");
    error.kind = CallErrorKind::Failed;
    error.detail = "TrailNotFoundException: no".to_owned();
    trail.is_logging = Err(error);
    let findings = judge(&facts);
    let [unknown] = &findings
        .iter()
        .filter(|one| one.state != State::Fine)
        .collect::<Vec<_>>()[..]
    else {
        panic!("not one")
    };
    assert_eq!(
        (unknown.part, unknown.state),
        (Part::Trail, State::NotCheckable)
    );
    assert!(
        unknown.found.contains("account 999988887777"),
        "{}",
        unknown.found
    );
    let advice = unknown.advice.as_deref().unwrap();
    assert!(
        advice.contains("Ask those who run account 999988887777"),
        "{advice}"
    );
}

/// The simulator can't be shown the policy of another account's key.
#[test]
fn a_key_of_another_account_is_not_missing_but_not_checkable() {
    for (owner, state) in [
        ("999988887777", State::NotCheckable),
        ("111122223333", State::Broken),
    ] {
        let mut facts = healthy();
        let key = format!("arn:aws:kms:eu-west-1:{owner}:key/1");
        let parameters = &mut facts.deployed.parameters;
        parameters.insert("EncryptionKey".to_owned(), key);
        facts.roles = roles(&facts.deployed);
        for (need, answer) in &mut facts.roles[0].needs {
            if need.action.starts_with("kms:")
                && need.resource.contains(owner)
                && need.resource.ends_with("key/1")
            {
                answer.as_mut().unwrap().decision = SimulatedDecision::ImplicitDeny;
            }
        }
        let findings = judge(&facts);
        let found: Vec<_> = findings
            .iter()
            .filter(|one| one.part == Part::Permissions && one.state != State::Fine)
            .collect();
        assert_eq!(found.len(), 2, "{found:#?}");
        assert!(found.iter().all(|one| one.state == state), "{found:#?}");
    }
}

/// One simulation that was refused is like another: it is told once.
#[test]
fn a_refused_simulation_is_told_once() {
    let mut facts = healthy();
    for (_, answer) in &mut facts.roles[0].needs {
        *answer = Err(denied("iam:SimulatePrincipalPolicy"));
    }
    let findings = judge(&facts);
    let unknown = findings
        .iter()
        .filter(|one| one.state == State::NotCheckable);
    assert_eq!(unknown.count(), 1);
}

#[test]
fn what_the_function_itself_may_not_read_is_no_fault_of_the_account() {
    let mut facts = healthy();
    let answer = &mut facts.self_check.as_mut().unwrap().answer;
    for check in answer["checks"].as_array_mut().unwrap().iter_mut().skip(2) {
        check["state"] = "failed".into();
    }
    let findings = judge(&facts);
    assert!(!crate::is_broken(&findings), "{findings:#?}");
    let unknown = findings
        .iter()
        .filter(|one| one.state == State::NotCheckable);
    assert!(unknown.count() >= 3);
}
