//! One case of each kind, in the order of the list.

use copymend_diagnosis::SimulatedDecision;
use copymend_remediation::ports::{CallError, CallErrorKind};
use serde_json::json;

use super::healthy::{bus_policy, check, checked};
use crate::facts::{Facts, Function, Invoked, LoggedCalls, Named};

type Case = (&'static str, fn(&mut Facts));

fn set(facts: &mut Facts, parameters: &[(&str, &str)]) {
    for (name, value) in parameters {
        let parameters = &mut facts.deployed.parameters;
        parameters.insert((*name).to_owned(), (*value).to_owned());
    }
    // The functions have the stack's settings.
    for (function, settings) in facts
        .functions
        .iter_mut()
        .zip([&SETTINGS[..], &ADVISORS[..]])
    {
        let function = function.function.found.as_mut().unwrap().as_mut().unwrap();
        for (parameter, setting) in settings {
            if let Some((_, value)) = parameters.iter().find(|(name, _)| name == parameter) {
                let environment = &mut function.environment;
                environment.insert((*setting).to_owned(), (*value).to_owned());
            }
        }
    }
}

const SETTINGS: [(&str, &str); 15] = [
    ("Mode", "COPYMEND_MODE"),
    ("AllowedSources", "COPYMEND_ALLOWED_SOURCES"),
    ("AllowedDestinations", "COPYMEND_ALLOWED_DESTINATIONS"),
    ("AllowedKeys", "COPYMEND_ALLOWED_KEYS"),
    ("MaxAgeHours", "COPYMEND_MAX_AGE_HOURS"),
    ("RetryBudget", "COPYMEND_RETRY_BUDGET"),
    ("WriteBudget", "COPYMEND_WRITE_BUDGET"),
    ("VaultScope", "COPYMEND_VAULT_SCOPE"),
    ("OrganizationPaths", "COPYMEND_ORGANIZATION_PATHS"),
    ("OrganizationReader", "COPYMEND_ORGANIZATION_READER"),
    ("MemberRole", "COPYMEND_MEMBER_ROLE"),
    ("ExternalId", "COPYMEND_EXTERNAL_ID"),
    ("AllowFullyManagedKeys", "COPYMEND_ALLOW_FULLY_MANAGED_KEYS"),
    (
        "CreateServiceLinkedRole",
        "COPYMEND_CREATE_SERVICE_LINKED_ROLE",
    ),
    ("EndpointUrl", "AWS_ENDPOINT_URL"),
];
const ADVISORS: [(&str, &str); 3] = [
    ("AdvisorMemberRole", "COPYMEND_MEMBER_ROLE"),
    ("ExternalId", "COPYMEND_EXTERNAL_ID"),
    ("EndpointUrl", "AWS_ENDPOINT_URL"),
];
/// Repair mode with every list set.
const REPAIR: [(&str, &str); 3] = [
    ("Mode", "repair"),
    ("AllowedSources", "111122223333"),
    ("AllowedKeys", "arn:aws:kms:*:111122223333:key/*"),
];
const PATH: &str = "o-exampleorgid/r-ab12/*";

fn repairing(facts: &mut Facts, parameters: &[(&str, &str)]) {
    set(facts, &[&REPAIR[..], parameters].concat());
}

fn function(facts: &mut Facts) -> &mut Function {
    facts.functions[0]
        .function
        .found
        .as_mut()
        .unwrap()
        .as_mut()
        .unwrap()
}

fn gone<T>(named: &mut Named<T>) {
    named.found = Ok(None);
}

fn there<T>(named: &mut Named<T>) -> &mut T {
    named.found.as_mut().unwrap().as_mut().unwrap()
}

fn self_check(facts: &mut Facts, checks: &[serde_json::Value]) {
    facts.self_check = Ok(checked(checks));
}

/// The answer of the self check with another member.
fn answer_with(facts: &mut Facts, member: &str, value: serde_json::Value) {
    facts.self_check.as_mut().unwrap().answer[member] = value;
}

fn without_advisor(facts: &mut Facts) {
    let resources = &mut facts.deployed.resources;
    resources.retain(|resource| {
        !resource.logical.starts_with('A') || resource.logical.ends_with("Topic")
    });
    facts.functions.truncate(1);
    facts
        .rules
        .retain(|rule| rule.rule.logical != "CallRefusedRule");
    facts.roles.truncate(1);
    set(facts, &[("WithAccessAdvisor", "false")]);
}

const FAILED: fn() -> Invoked = || Invoked {
    is_failed: true,
    answer: json!({"errorType": "CallFailed", "errorMessage": "no"}),
};

pub(super) const CASES: &[Case] = &[
    ("stack-broken", |facts| {
        facts.deployed.status = "UPDATE_ROLLBACK_COMPLETE".to_owned();
    }),
    ("stack-busy", |facts| {
        facts.deployed.status = "UPDATE_IN_PROGRESS".to_owned();
    }),
    ("function-missing", |facts| {
        gone(&mut facts.functions[0].function);
    }),
    ("function-not-active", |facts| {
        function(facts).last_update = "Failed".to_owned();
    }),
    ("setting-invalid", |facts| {
        function(facts)
            .environment
            .insert("COPYMEND_MOD".to_owned(), "observe".to_owned());
    }),
    ("setting-changed-by-hand", |facts| {
        function(facts)
            .environment
            .insert("COPYMEND_RETRY_BUDGET".to_owned(), "4".to_owned());
    }),
    ("environment-nearly-full", |facts| {
        function(facts)
            .environment
            .insert("LONG".to_owned(), "x".repeat(3_700));
    }),
    ("log-group-missing", |facts| gone(&mut facts.log_groups[0])),
    ("failures-lost", |facts| {
        facts.functions[0].on_failure = Ok(None);
    }),
    ("role-missing", |facts| {
        for (_, answer) in &mut facts.roles[0].needs {
            *answer = Err(CallError {
                operation: "iam:SimulatePrincipalPolicy",
                resource: "role".to_owned(),
                kind: CallErrorKind::Failed,
                detail: "NoSuchEntity: gone".to_owned(),
            });
        }
    }),
    ("permission-missing", |facts| {
        let (_, answer) = &mut facts.roles[0].needs[0];
        answer.as_mut().unwrap().decision = SimulatedDecision::ImplicitDeny;
    }),
    ("rule-missing", |facts| gone(&mut facts.rules[0].rule)),
    ("rule-disabled", |facts| {
        there(&mut facts.rules[0].rule).state = "DISABLED".to_owned();
    }),
    ("rule-matches-others", |facts| {
        there(&mut facts.rules[0].rule).pattern = Some(r#"{"source":["aws.backup"]}"#.to_owned());
    }),
    ("rule-sends-elsewhere", |facts| {
        facts.rules[0].targets.as_mut().unwrap().clear();
    }),
    ("rule-keeps-nothing", |facts| {
        facts.rules[0].targets.as_mut().unwrap()[0].dead_letters = None;
    }),
    ("rule-may-not-invoke", |facts| {
        facts.functions[0].policy = Ok(None);
    }),
    ("rule-misses-reads", |facts| {
        there(&mut facts.rules[1].rule).state = "ENABLED".to_owned();
    }),
    ("bus-missing", |facts| gone(&mut facts.buses[0])),
    ("bus-closed", |facts| {
        there(&mut facts.buses[0]).policy = None;
    }),
    ("bus-open", |facts| {
        there(&mut facts.buses[0]).policy =
            Some(bus_policy("o-exampleorgid", "arn:aws:iam::*:role/*"));
    }),
    ("report-bus-missing", |facts| {
        gone(facts.report_bus.as_mut().unwrap());
    }),
    ("member-role-refused", |facts| {
        self_check(
            facts,
            &[check("444455556666", "sts:AssumeRole", "denied", "no")],
        );
    }),
    ("account-not-read", |facts| {
        self_check(
            facts,
            &[check(
                "444455556666",
                "backup:DescribeCopyJob",
                "denied",
                "no",
            )],
        );
    }),
    ("account-in-another-organization", |facts| {
        let call = "organizations:DescribeOrganization";
        self_check(facts, &[check("444455556666", call, "fine", "o-another")]);
    }),
    ("accounts-left", |facts| {
        answer_with(facts, "left", json!(["444455556666"]));
    }),
    ("members-unchecked", |facts| {
        set(facts, &[("AllowedDestinations", "")]);
    }),
    ("queue-missing", |facts| gone(&mut facts.queues[0])),
    ("dead-letters-waiting", |facts| {
        there(&mut facts.queues[0]).waiting = 2;
    }),
    ("queue-refuses-rule", |facts| {
        there(&mut facts.queues[0]).policy = None;
    }),
    ("delayed-retries-off", |facts| {
        there(&mut facts.mappings[0]).state = "Disabled".to_owned();
    }),
    ("delayed-retries-lost", |facts| {
        there(&mut facts.queues[1]).dead_letters = None;
    }),
    ("topic-missing", |facts| gone(&mut facts.topics[0])),
    ("nobody-subscribed", |facts| {
        there(&mut facts.topics[0]).clear();
    }),
    ("chat-unread", |facts| {
        let mut chat = facts.topics[0].clone();
        chat.logical = "ChatTopic".to_owned();
        there(&mut chat).clear();
        facts.topics.push(chat);
    }),
    ("subscription-pending", |facts| {
        let topic = there(&mut facts.topics[0]);
        let mut pending = topic[0].clone();
        pending.is_confirmed = false;
        topic.push(pending);
    }),
    ("alarms-unread", |facts| {
        there(&mut facts.topics[3]).clear();
    }),
    ("audit-unwatched", |facts| {
        there(&mut facts.topics[1]).clear();
    }),
    ("failures-not-kept", |facts| {
        there(&mut facts.topics[2]).clear();
    }),
    ("alarm-missing", |facts| gone(&mut facts.alarms[1])),
    ("alarm-off", |facts| {
        there(&mut facts.alarms[0]).is_switched_on = false;
    }),
    ("alarm-sends-elsewhere", |facts| {
        there(&mut facts.alarms[0]).sends_to = vec!["arn:aws:sns:eu-west-1:1:x".to_owned()];
    }),
    ("alarm-raised", |facts| {
        there(&mut facts.alarms[1]).state = "ALARM".to_owned();
    }),
    ("alarms-refused", |facts| {
        facts.alarm_topic = Some(Ok(Some(r#"{"Statement": []}"#.to_owned())));
    }),
    ("table-missing", |facts| gone(&mut facts.tables[0])),
    ("table-not-active", |facts| {
        there(&mut facts.tables[0]).status = "ARCHIVED".to_owned();
    }),
    ("ledger-not-read", |facts| {
        let checks = &mut facts.self_check.as_mut().unwrap().answer["checks"];
        checks[0]["state"] = json!("denied");
    }),
    ("ledger-not-recoverable", |facts| {
        there(&mut facts.tables[0]).is_recoverable = Ok(false);
    }),
    ("ledger-keeps-all", |facts| {
        there(&mut facts.tables[1]).forgets_by = Ok(None);
    }),
    ("ledger-index-missing", |facts| {
        there(&mut facts.tables[0]).indexes.clear();
    }),
    ("no-trail", |facts| facts.trails = Ok(Vec::new())),
    ("no-trail-for-audit", |facts| {
        without_advisor(facts);
        set(facts, &[("AdvisorMemberRole", "")]);
        facts.trails = Ok(Vec::new());
    }),
    ("trail-of-writes-only", |facts| {
        facts.trails.as_mut().unwrap()[0].logs = Ok(LoggedCalls::Writes);
    }),
    ("service-linked-role-missing", |facts| {
        self_check(
            facts,
            &[check("444455556666", "iam:GetRole", "absent", "no")],
        );
    }),
    ("approve-without-approvers", |facts| {
        repairing(facts, &[("Mode", "approve")]);
    }),
    ("repair-without-sources", |facts| {
        repairing(facts, &[("AllowedSources", "")]);
    }),
    ("repair-without-lists", |facts| {
        repairing(facts, &[("AllowedKeys", ""), ("AllowedDestinations", "")]);
    }),
    ("repair-of-nothing-old", |facts| {
        repairing(facts, &[("MaxAgeHours", "0")]);
    }),
    ("no-writes", |facts| {
        repairing(facts, &[("WriteBudget", "0")]);
    }),
    ("no-retries", |facts| {
        repairing(facts, &[("RetryBudget", "0")]);
    }),
    ("scope-without-paths", |facts| {
        set(
            facts,
            &[
                ("VaultScope", "organizational-unit"),
                ("OrganizationReader", "111122223333"),
            ],
        );
    }),
    ("scope-without-reader", |facts| {
        set(
            facts,
            &[
                ("VaultScope", "organizational-unit"),
                ("OrganizationPaths", PATH),
            ],
        );
    }),
    ("paths-unused", |facts| {
        set(
            facts,
            &[("VaultScope", "role"), ("OrganizationPaths", PATH)],
        );
    }),
    ("list-admits-everything", |facts| {
        set(facts, &[("AllowedSources", "*")]);
    }),
    ("accounts-without-member-role", |facts| {
        set(facts, &[("MemberRole", "")]);
    }),
    ("member-role-without-external-id", |facts| {
        set(facts, &[("ExternalId", "")]);
    }),
    ("advisor-role-without-advisor", without_advisor),
    ("advisor-without-member-role", |facts| {
        set(facts, &[("AdvisorMemberRole", "")]);
    }),
    ("fully-managed-keys-unlisted", |facts| {
        set(facts, &[("AllowFullyManagedKeys", "true")]);
    }),
    ("service-linked-role-not-made", |facts| {
        set(facts, &[("CreateServiceLinkedRole", "true")]);
    }),
    ("sweep-without-schedule", |facts| {
        set(
            facts,
            &[("SweepRegions", "eu-west-1"), ("SweepSchedule", "")],
        );
        facts.rules.pop();
    }),
    ("calls-go-elsewhere", |facts| {
        set(facts, &[("EndpointUrl", "http://localhost:4566")]);
    }),
    ("function-stopped", |facts| {
        facts.functions[0].reserved = Ok(Some(0));
    }),
    ("delayed-retries-take-all", |facts| {
        set(facts, &[("DelayedRetriesConcurrency", "10")]);
    }),
    ("ledger-unprotected", |facts| {
        there(&mut facts.tables[0]).is_protected = false;
    }),
    ("self-check-failed", |facts| facts.self_check = Ok(FAILED())),
    ("paused", |facts| {
        let pause = json!({"reason": "audit", "since": "2026-11-29T09:00:00Z", "until": null});
        answer_with(facts, "pause", pause);
    }),
    ("test-message-failed", |facts| {
        facts.test_message = Some(Ok(FAILED()));
    }),
];
