//! What can't be read is neither fine nor broken, and never absent.

use super::healthy::{denied, healthy};
use crate::facts::Facts;
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
    (Part::Trail, |facts| {
        facts.trails = Err(denied("cloudtrail:DescribeTrails"));
    }),
    (Part::Trail, |facts| {
        facts.trails.as_mut().unwrap()[0].is_logging = Err(denied("cloudtrail:GetTrailStatus"));
    }),
    (Part::Trail, |facts| {
        facts.trails.as_mut().unwrap()[0].logs = Err(denied("cloudtrail:GetEventSelectors"));
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
