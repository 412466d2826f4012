//! A hub with everything in it, in which nothing is wrong.

use std::collections::BTreeMap;

use copymend_diagnosis::{SimulatedAction, SimulatedDecision, ToldBy};
use copymend_remediation::ports::{CallError, CallErrorKind};
use serde_json::json;

use crate::deployed::{Deployed, Resource};
use crate::facts::{
    Alarm, Bus, Facts, Function, FunctionFacts, Invoked, LoggedCalls, Mapping, Named, Queue,
    RoleFacts, Rule, RuleFacts, Subscription, Table, Target, Trail,
};
use crate::needs::needs_of;

pub(super) const ORGANIZATION: &str = "o-exampleorgid";
const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:copymend-Topic";

pub(super) const ALARM_TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:copymend-AlarmTopic";

pub(super) fn denied(operation: &'static str) -> CallError {
    CallError {
        operation,
        resource: "something".to_owned(),
        kind: CallErrorKind::AccessDenied,
        detail: "AccessDenied: no".to_owned(),
    }
}

fn deployed() -> Deployed {
    let parameters = [
        ("Mode", "observe"),
        ("AllowedSources", ""),
        ("HubOrganizationId", ORGANIZATION),
        ("OrganizationId", ""),
        ("MemberRole", "copymend/CopymendMember"),
        ("AdvisorMemberRole", "copymend/CopymendMemberReader"),
        ("ExternalId", "an-external-id"),
        (
            "AllowedDestinations",
            "arn:aws:backup:*:444455556666:backup-vault:*",
        ),
        ("AllowedKeys", ""),
        ("MaxAgeHours", "72"),
        ("SweepSchedule", "rate(1 day)"),
        ("RetryBudget", "3"),
        ("ReservedConcurrency", "10"),
        ("DelayedRetriesConcurrency", "5"),
        ("WithAccessAdvisor", "true"),
        ("JobRole", "service-role/AWSBackupDefaultServiceRole"),
    ];
    let stack = "arn:aws:cloudformation:eu-west-1:111122223333:stack/copymend/1a2b";
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut deployed = Deployed::of(
        &stack.parse().unwrap(),
        "UPDATE_COMPLETE",
        parameters.into(),
    )
    .unwrap();
    let resources = [
        ("CopyRemediator", "AWS::Lambda::Function", "remediator"),
        ("AccessAdvisor", "AWS::Lambda::Function", "advisor"),
        ("CopyRemediatorRole", "AWS::IAM::Role", "remediators-role"),
        ("AccessAdvisorRole", "AWS::IAM::Role", "advisors-role"),
        (
            "CopyRemediatorLogs",
            "AWS::Logs::LogGroup",
            "remediators-log",
        ),
        ("AccessAdvisorLogs", "AWS::Logs::LogGroup", "advisors-log"),
        (
            "DeadLetters",
            "AWS::SQS::Queue",
            "https://sqs.eu-west-1.amazonaws.com/111122223333/dead",
        ),
        (
            "DelayedRetries",
            "AWS::SQS::Queue",
            "https://sqs.eu-west-1.amazonaws.com/111122223333/delayed",
        ),
        ("Topic", "AWS::SNS::Topic", TOPIC),
        ("AlarmTopic", "AWS::SNS::Topic", ALARM_TOPIC),
        (
            "AuditTopic",
            "AWS::SNS::Topic",
            "arn:aws:sns:eu-west-1:111122223333:audit",
        ),
        (
            "AdvisorFailures",
            "AWS::SNS::Topic",
            "arn:aws:sns:eu-west-1:111122223333:failures",
        ),
        ("Ledger", "AWS::DynamoDB::Table", "ledger"),
        ("AdvisorLedger", "AWS::DynamoDB::Table", "advisors-ledger"),
    ];
    deployed.resources = resources
        .map(|(logical, kind, id)| Resource {
            logical: logical.to_owned(),
            kind: kind.to_owned(),
            id: id.to_owned(),
        })
        .into();
    deployed
}

fn named<T>(deployed: &Deployed, logical: &str, found: T) -> Named<T> {
    Named {
        logical: logical.to_owned(),
        id: deployed.id(logical).unwrap_or(logical).to_owned(),
        found: Ok(Some(found)),
    }
}

fn function(deployed: &Deployed, logical: &str, settings: &[(&str, &str)]) -> FunctionFacts {
    let common = [
        ("COPYMEND_EXTERNAL_ID", "an-external-id"),
        ("COPYMEND_TOPIC_ARN", TOPIC),
    ];
    let environment: BTreeMap<String, String> = common
        .iter()
        .chain(settings)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let arn = deployed.function_arn(logical).unwrap();
    let statements: Vec<_> = RULES
        .iter()
        .map(|rule| {
            json!({"Sid": rule, "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
                "Action": "lambda:InvokeFunction", "Resource": arn,
                "Condition": {"ArnLike": {"AWS:SourceArn": rule_arn(rule)}}})
        })
        .collect();
    FunctionFacts {
        function: named(
            deployed,
            logical,
            Function {
                state: "Active".to_owned(),
                last_update: "Successful".to_owned(),
                reason: None,
                environment,
            },
        ),
        policy: Ok(Some(
            json!({"Version": "2012-10-17", "Statement": statements}).to_string(),
        )),
        reserved: Ok((logical == "CopyRemediator").then_some(10)),
        on_failure: Ok(if logical == "CopyRemediator" {
            deployed.queue_arn("DeadLetters")
        } else {
            deployed.id("AdvisorFailures").map(ToOwned::to_owned)
        }),
    }
}

const RULES: [&str; 4] = [
    "CopyFailedRule",
    "CallRefusedRule",
    "AuditRule",
    "SweepRule",
];

/// What a rule fires on, as AWS answers it.
fn pattern(logical: &str) -> Option<String> {
    let mut list: serde_json::Value =
        serde_json::from_str(include_str!("../patterns.json")).unwrap();
    let mut pattern = list.get_mut(logical)?.take();
    if logical == "AuditRule" {
        let roles = json!({"sessionContext": {"sessionIssuer": {"arn": ["arn:aws:iam::111122223333:role/copymend/r"]}}});
        pattern["detail"]["userIdentity"] = roles;
    }
    Some(pattern.to_string())
}

fn rule_arn(logical: &str) -> String {
    format!("arn:aws:events:eu-west-1:111122223333:rule/{logical}")
}

fn rule(deployed: &Deployed, logical: &str) -> RuleFacts {
    let (arn, state) = match logical {
        "CopyFailedRule" | "SweepRule" => (deployed.function_arn("CopyRemediator"), "ENABLED"),
        "CallRefusedRule" => (
            deployed.function_arn("AccessAdvisor"),
            "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
        ),
        _ => (deployed.id("AuditTopic").map(ToOwned::to_owned), "ENABLED"),
    };
    RuleFacts {
        rule: named(
            deployed,
            logical,
            Rule {
                arn: rule_arn(logical),
                state: state.to_owned(),
                pattern: pattern(logical),
                schedule: (logical == "SweepRule").then(|| "rate(1 day)".to_owned()),
            },
        ),
        targets: Ok(vec![Target {
            arn: arn.unwrap(),
            dead_letters: deployed.queue_arn("DeadLetters"),
            input: None,
        }]),
    }
}

fn role(deployed: &Deployed, logical: &str) -> RoleFacts {
    let needs = needs_of(logical, deployed).unwrap();
    RoleFacts {
        logical: logical.to_owned(),
        arn: deployed.global_arn("iam", &format!("role/copymend/{logical}")),
        needs: needs
            .into_iter()
            .map(|need| {
                let answer = SimulatedAction {
                    action: need.action.to_owned(),
                    resource: need.resource.clone(),
                    decision: SimulatedDecision::Allowed,
                    allowed_by_organizations: None,
                    allowed_by_permissions_boundary: None,
                    matched_statements: 1,
                    missing_context_values: Vec::new(),
                    is_cross_account: false,
                    identity_decision: None,
                    told_by: ToldBy::Simulator,
                };
                (need, Ok(answer))
            })
            .collect(),
    }
}

pub(super) fn roles(deployed: &Deployed) -> Vec<RoleFacts> {
    ["CopyRemediatorRole", "AccessAdvisorRole"]
        .map(|logical| role(deployed, logical))
        .into()
}

fn queue(deployed: &Deployed, logical: &str) -> Named<Queue> {
    let arn = deployed.queue_arn(logical).unwrap();
    let rules = RULES.map(rule_arn);
    let policy = json!({"Statement": [
        {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": rules}}},
        {"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]});
    named(
        deployed,
        logical,
        Queue {
            waiting: u64::from(logical == "DelayedRetries"),
            policy: Some(policy.to_string()),
            dead_letters: (logical == "DelayedRetries")
                .then(|| deployed.queue_arn("DeadLetters"))
                .flatten(),
        },
    )
}

fn alarm(logical: &str) -> Named<Alarm> {
    Named {
        logical: logical.to_owned(),
        id: format!("copymend-{logical}"),
        found: Ok(Some(Alarm {
            state: "OK".to_owned(),
            is_switched_on: true,
            sends_to: vec![ALARM_TOPIC.to_owned()],
        })),
    }
}

/// The policy of the topic of the alarms, as the template makes it.
fn alarm_topic_policy() -> String {
    json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish", "Resource": ALARM_TOPIC,
        "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"},
            "ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:*"}}}]})
    .to_string()
}

fn subscribed(deployed: &Deployed, logical: &str) -> Named<Vec<Subscription>> {
    let one = Subscription {
        protocol: "email".to_owned(),
        endpoint: "people@example.com".to_owned(),
        is_confirmed: true,
    };
    named(deployed, logical, vec![one])
}

fn ledger(deployed: &Deployed, logical: &str) -> Named<Table> {
    named(
        deployed,
        logical,
        Table {
            status: "ACTIVE".to_owned(),
            is_protected: logical == "Ledger",
            is_recoverable: Ok(logical == "Ledger"),
            forgets_by: Ok(Some("expires_at".to_owned())),
            indexes: ["by-day", "by-resource"].map(str::to_owned).to_vec(),
        },
    )
}

pub(super) fn bus_policy(organization: &str, role: &str) -> String {
    json!({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents",
        "Resource": "arn:aws:events:eu-west-1:111122223333:event-bus/copymend-copymend",
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": organization}, "ArnLike": {"aws:PrincipalArn": role},
            "ForAllValues:StringEquals": {"events:source": ["aws.backup"]}, "Null": {"events:source": "false"}}}]})
    .to_string()
}

/// The answer of the self check, with these checks beside the ledger's.
pub(super) fn checked(checks: &[serde_json::Value]) -> Invoked {
    let ledger = json!({"account": null, "call": "dynamodb:GetItem", "resource": "ledger", "state": "fine", "detail": "read"});
    let checks: Vec<_> = std::iter::once(&ledger).chain(checks).collect();
    Invoked {
        is_failed: false,
        answer: json!({"self_check": 1, "caller": "arn:aws:sts::111122223333:assumed-role/r/f", "pause": null,
            "checks": checks, "left": []}),
    }
}

pub(super) fn check(account: &str, call: &str, state: &str, detail: &str) -> serde_json::Value {
    json!({"account": account, "call": call, "resource": "AWSServiceRoleForBackup", "state": state, "detail": detail})
}

pub(super) fn healthy() -> Facts {
    let deployed = deployed();
    let of = &deployed;
    let mut checks = Vec::new();
    for account in ["111122223333", "444455556666"] {
        checks.push(check(
            account,
            "backup:DescribeCopyJob",
            "fine",
            "copy jobs are read in eu-west-1",
        ));
        checks.push(check(account, "iam:GetRole", "fine", "the role is there"));
        checks.push(check(
            account,
            "organizations:DescribeOrganization",
            "fine",
            ORGANIZATION,
        ));
    }
    Facts {
        functions: vec![
            function(
                of,
                "CopyRemediator",
                &[
                    ("COPYMEND_MODE", "observe"),
                    ("COPYMEND_MEMBER_ROLE", "copymend/CopymendMember"),
                    (
                        "COPYMEND_ALLOWED_DESTINATIONS",
                        "arn:aws:backup:*:444455556666:backup-vault:*",
                    ),
                    ("COPYMEND_MAX_AGE_HOURS", "72"),
                    ("COPYMEND_RETRY_BUDGET", "3"),
                ],
            ),
            function(
                of,
                "AccessAdvisor",
                &[("COPYMEND_MEMBER_ROLE", "copymend/CopymendMemberReader")],
            ),
        ],
        rules: RULES.iter().map(|logical| rule(of, logical)).collect(),
        buses: vec![Named {
            logical: "Bus".to_owned(),
            id: "copymend-copymend".to_owned(),
            found: Ok(Some(Bus {
                policy: Some(bus_policy(
                    ORGANIZATION,
                    "arn:aws:iam::*:role/copymend/CopymendForward",
                )),
            })),
        }],
        report_bus: Some(Named {
            logical: "ReportBus".to_owned(),
            id: "default".to_owned(),
            found: Ok(Some(())),
        }),
        mappings: vec![named(
            of,
            "DelayedRetriesSource",
            Mapping {
                state: "Enabled".to_owned(),
                most_at_once: Some(5),
            },
        )],
        queues: vec![queue(of, "DeadLetters"), queue(of, "DelayedRetries")],
        topics: ["Topic", "AuditTopic", "AdvisorFailures", "AlarmTopic"]
            .map(|logical| subscribed(of, logical))
            .into(),
        tables: ["Ledger", "AdvisorLedger"]
            .map(|logical| ledger(of, logical))
            .into(),
        alarms: ["CopyRemediatorErrorsAlarm", "NoSweepAlarm"]
            .map(alarm)
            .into(),
        alarm_topic: Some(Ok(Some(alarm_topic_policy()))),
        log_groups: ["CopyRemediatorLogs", "AccessAdvisorLogs"]
            .map(|logical| named(of, logical, ()))
            .into(),
        trails: Ok(vec![Trail {
            name: "organization".to_owned(),
            arn: "arn:aws:cloudtrail:us-east-1:999988887777:trail/organization".to_owned(),
            is_logging: Ok(true),
            logs: Ok(LoggedCalls::All),
        }]),
        roles: roles(of),
        service_linked_role: Ok(true),
        self_check: Ok(checked(&checks)),
        test_message: Some(Ok(Invoked {
            is_failed: false,
            answer: json!({"test_message": "sent", "at": "2026-11-29T09:00:00Z"}),
        })),
        deployed,
    }
}
