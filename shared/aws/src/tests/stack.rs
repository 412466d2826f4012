//! A deployed stack, as it is read for `copymend doctor`.

use copymend_doctor::{Facts, LoggedCalls};
use copymend_remediation::ports::CallErrorKind;
use serde_json::json;

use super::config_on;
use super::wire::{Wire, json_error, ok, status, typed_error, xml_error};
use crate::AwsStack;

const STACK: &str = "arn:aws:cloudformation:eu-west-1:111122223333:stack/copymend/1a2b";
const RESOURCES: [(&str, &str, &str); 13] = [
    ("CopyRemediator", "AWS::Lambda::Function", "remediator"),
    ("CopyRemediatorRole", "AWS::IAM::Role", "remediators-role"),
    ("CopyFailedRule", "AWS::Events::Rule", "failed"),
    (
        "HubCopyFailedRule",
        "AWS::Events::Rule",
        "hub-bus|hub-failed",
    ),
    ("Bus", "AWS::Events::EventBus", "hub-bus"),
    (
        "DelayedRetriesSource",
        "AWS::Lambda::EventSourceMapping",
        "11111111-1111-4111-8111-111111111111",
    ),
    (
        "DeadLetters",
        "AWS::SQS::Queue",
        "https://sqs.eu-west-1.amazonaws.com/111122223333/dead",
    ),
    (
        "Topic",
        "AWS::SNS::Topic",
        "arn:aws:sns:eu-west-1:111122223333:topic",
    ),
    ("Ledger", "AWS::DynamoDB::Table", "ledger"),
    (
        "AlarmTopic",
        "AWS::SNS::Topic",
        "arn:aws:sns:eu-west-1:111122223333:alarms",
    ),
    ("LedgerAlarm", "AWS::CloudWatch::Alarm", "copymend-ledger"),
    (
        "NoSweepAlarm",
        "AWS::CloudWatch::Alarm",
        "copymend-no-sweep",
    ),
    (
        "CopyRemediatorLogs",
        "AWS::Logs::LogGroup",
        "/aws/lambda/remediator",
    ),
];
const FUNCTION: &str = "GET /2015-03-31/functions/remediator/configuration";
const POLICY: &str = "GET /2015-03-31/functions/remediator/policy";
const ON_EVENTS: &str = "GET /2019-09-25/functions/remediator/event-invoke-config";
const CONCURRENCY: &str = "GET /2019-09-30/functions/remediator/concurrency";
const MAPPING: &str = "GET /2015-03-31/event-source-mappings/11111111-1111-4111-8111-111111111111";
const INVOKE: &str = "POST /2015-03-31/functions/remediator/invocations";

fn described() -> String {
    format!(
        "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackId>{STACK}</StackId>\
         <StackStatus>UPDATE_COMPLETE</StackStatus><Outputs><member><OutputKey>X</OutputKey></member></Outputs>\
         <Parameters><member><ParameterKey>Mode</ParameterKey><ParameterValue>observe</ParameterValue></member>\
         <member><ParameterKey>SweepAccounts</ParameterKey><ParameterValue>444455556666</ParameterValue></member>\
         <member><ParameterKey>ExternalId</ParameterKey><ParameterValue/></member></Parameters>\
         </member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
    )
}

fn page(resources: &[(&str, &str, &str)], next: Option<&str>) -> String {
    let members: Vec<String> = resources
        .iter()
        .map(|(logical, kind, id)| {
            format!(
                "<member><LogicalResourceId>{logical}</LogicalResourceId><PhysicalResourceId>{id}</PhysicalResourceId>\
                 <ResourceType>{kind}</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus>\
                 <DriftInformation><StackResourceDriftStatus>NOT_CHECKED</StackResourceDriftStatus></DriftInformation></member>"
            )
        })
        .collect();
    let members = members.concat();
    let next = next.map_or_else(String::new, |next| format!("<NextToken>{next}</NextToken>"));
    format!(
        "<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>{members}</StackResourceSummaries>{next}\
         </ListStackResourcesResult></ListStackResourcesResponse>"
    )
}

fn simulated(action: &str) -> String {
    format!(
        "<member><EvalActionName>{action}</EvalActionName><EvalDecision>allowed</EvalDecision></member>"
    )
}

/// Everything that is read, answered.
fn deployed() -> Wire {
    let wire = Wire::default();
    let actions: Vec<String> = copymend_doctor_actions();
    let results: String = actions.iter().map(|action| simulated(action)).collect();
    wire.always("DescribeStacks", ok(described()))
        .once("ListStackResources", ok(page(&RESOURCES[..4], Some("more/+="))))
        .once("ListStackResources", ok(page(&RESOURCES[4..], None)))
        .always(FUNCTION, ok(json!({"State": "Active", "LastUpdateStatus": "Successful",
            "Environment": {"Variables": {"COPYMEND_MODE": "observe"}}}).to_string()))
        .always(POLICY, json_error(404, "ResourceNotFoundException", "no policy"))
        .always(CONCURRENCY, ok("{}"))
        .always(ON_EVENTS, ok(json!({"DestinationConfig": {"OnFailure": {"Destination": "arn:dead"}}}).to_string()))
        .always("DescribeAlarms", ok(json!({"MetricAlarms": [{"AlarmName": "copymend-ledger", "StateValue": "ALARM",
            "ActionsEnabled": false, "AlarmActions": ["arn:topic"]}]}).to_string()))
        .always("DescribeLogGroups", ok(json!({"logGroups": [{"logGroupName": "/aws/lambda/remediator"}]}).to_string()))
        .always("GetTopicAttributes", ok(
            "<GetTopicAttributesResponse><GetTopicAttributesResult><Attributes><entry><key>Policy</key><value>{}</value></entry>\
             </Attributes></GetTopicAttributesResult></GetTopicAttributesResponse>"))
        .always("DescribeTimeToLive", ok(json!({"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED",
            "AttributeName": "expires_at"}}).to_string()))
        .always(MAPPING, ok(json!({"State": "Enabled", "ScalingConfig": {"MaximumConcurrency": 5}}).to_string()))
        .always(INVOKE, ok(json!({"self_check": 1}).to_string()))
        .always("DescribeRule", ok(json!({"Arn": "arn:rule", "State": "ENABLED", "EventPattern": "{}",
            "ScheduleExpression": "rate(1 day)"}).to_string()))
        .always("ListTargetsByRule", ok(json!({"Targets": [{"Id": "one", "Arn": "arn:target",
            "DeadLetterConfig": {"Arn": "arn:queue"}, "Input": "{\"detail\": {\"accounts\": [\"555566667777\"]}}"}]}).to_string()))
        .always("DescribeEventBus", ok(json!({"Name": "hub-bus", "Policy": "{}"}).to_string()))
        .always("GetQueueAttributes", ok(json!({"Attributes": {"ApproximateNumberOfMessages": "2",
            "RedrivePolicy": "{\"deadLetterTargetArn\":\"arn:dead\",\"maxReceiveCount\":\"20\"}"}}).to_string()))
        .always("ListSubscriptionsByTopic", ok(
            "<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions><member><Protocol>email</Protocol>\
             <Endpoint>people@example.com</Endpoint><SubscriptionArn>PendingConfirmation</SubscriptionArn></member></Subscriptions>\
             </ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>"))
        .always("DescribeTable", ok(json!({"Table": {"TableStatus": "ACTIVE", "DeletionProtectionEnabled": true,
            "GlobalSecondaryIndexes": [{"IndexName": "by-day", "IndexStatus": "ACTIVE"}, {"IndexName": "new", "IndexStatus": "CREATING"}]}}).to_string()))
        .always("DescribeContinuousBackups", ok(json!({"ContinuousBackupsDescription": {"ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"}}}).to_string()))
        .always("DescribeTrails", ok(json!({"trailList": [{"Name": "all", "HomeRegion": "us-east-1",
            "TrailARN": "arn:aws:cloudtrail:us-east-1:111122223333:trail/all"}]}).to_string()))
        .always("GetTrailStatus", ok(json!({"IsLogging": true}).to_string()))
        .always("GetEventSelectors", ok(json!({"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true}]}).to_string()))
        .always("GetRole", xml_error(404, "NoSuchEntity", "no role"))
        .always("SimulatePrincipalPolicy", ok(format!(
            "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults>{results}</EvaluationResults>\
             <IsTruncated>false</IsTruncated></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>")));
    wire
}

fn copymend_doctor_actions() -> Vec<String> {
    let needs: serde_json::Value =
        serde_json::from_str(include_str!("../../../doctor/src/needs.json")).unwrap();
    let rows = needs.as_array().unwrap().iter();
    rows.flat_map(|row| row["actions"].as_array().unwrap().clone())
        .map(|action| action.as_str().unwrap().to_owned())
        .collect()
}

fn with_role(wire: &Wire) {
    let role = "<GetRoleResponse><GetRoleResult><Role><Arn>arn:aws:iam::111122223333:role/copymend/remediators-role</Arn>\
                <RoleName>remediators-role</RoleName><RoleId>A</RoleId><Path>/copymend/</Path>\
                <CreateDate>2026-01-01T00:00:00Z</CreateDate></Role></GetRoleResult></GetRoleResponse>";
    wire.holding("GetRole", "RoleName=remediators-role", ok(role));
}

async fn read(wire: &Wire, sends: bool) -> Facts {
    let stack = AwsStack::new(config_on(wire).await);
    stack.read("copymend", sends).await.unwrap()
}

#[tokio::test]
async fn everything_is_read_and_only_the_function_is_handed_an_event() {
    let wire = deployed();
    with_role(&wire);
    let facts = read(&wire, false).await;
    assert_eq!(facts.deployed.account.as_str(), "111122223333");
    assert_eq!(facts.deployed.resources.len(), RESOURCES.len());
    assert_eq!(facts.deployed.parameter("Mode"), "observe");
    let function = &facts.functions[0];
    let read = function.function.found.as_ref().unwrap().as_ref().unwrap();
    assert_eq!((read.state.as_str(), read.environment.len()), ("Active", 1));
    assert_eq!(
        (function.policy.clone(), function.reserved.clone()),
        (Ok(None), Ok(None))
    );
    let mapping = facts.mappings[0].found.as_ref().unwrap().as_ref().unwrap();
    assert_eq!(
        (mapping.state.as_str(), mapping.most_at_once),
        ("Enabled", Some(5))
    );
    let queue = facts.queues[0].found.as_ref().unwrap().as_ref().unwrap();
    assert_eq!((queue.waiting, queue.policy.clone()), (2, None));
    assert_eq!(queue.dead_letters.as_deref(), Some("arn:dead"));
    assert_eq!(function.on_failure, Ok(Some("arn:dead".to_owned())));
    let [raised, gone] = &facts.alarms[..] else {
        panic!("not two")
    };
    let alarm = raised.found.as_ref().unwrap().as_ref().unwrap();
    assert_eq!(
        (alarm.state.as_str(), alarm.is_switched_on),
        ("ALARM", false)
    );
    assert_eq!(alarm.sends_to, ["arn:topic"]);
    assert!(matches!(gone.found, Ok(None)));
    let asked = wire.sent("DescribeAlarms")[0].json();
    assert_eq!(
        asked["AlarmNames"],
        json!(["copymend-ledger", "copymend-no-sweep"])
    );
    assert_eq!(facts.alarm_topic, Some(Ok(Some("{}".to_owned()))));
    assert!(matches!(facts.log_groups[0].found, Ok(Some(()))));
    let rule = facts.rules[0]
        .rule
        .found
        .as_ref()
        .unwrap()
        .as_ref()
        .unwrap();
    assert_eq!(
        (rule.pattern.as_deref(), rule.schedule.as_deref()),
        (Some("{}"), Some("rate(1 day)"))
    );
    let topic = facts.topics[0].found.as_ref().unwrap().as_ref().unwrap();
    assert!(!topic[0].is_confirmed);
    let table = facts.tables[0].found.as_ref().unwrap().as_ref().unwrap();
    assert!(table.is_protected && table.is_recoverable == Ok(true));
    assert_eq!(table.forgets_by, Ok(Some("expires_at".to_owned())));
    assert_eq!(table.indexes, ["by-day"]);
    let trail = &facts.trails.as_ref().unwrap()[0];
    assert!(trail.arn.ends_with("trail/all"));
    assert_eq!(
        (trail.is_logging.clone(), trail.logs.clone()),
        (Ok(true), Ok(LoggedCalls::All))
    );
    assert_eq!(facts.service_linked_role, Ok(false));
    assert!(facts.roles[0].needs.len() > 20);
    for (need, answer) in &facts.roles[0].needs {
        assert_eq!(answer.as_ref().unwrap().action, need.action);
    }
    assert!(facts.test_message.is_none());

    // A rule of the hub's bus is asked for there, and a trail where it was made.
    let rules = wire.sent("DescribeRule");
    let asked: Vec<_> = rules.iter().map(super::wire::Sent::json).collect();
    assert!(asked.contains(&json!({"Name": "failed", "EventBusName": "default"})));
    assert!(asked.contains(&json!({"Name": "hub-failed", "EventBusName": "hub-bus"})));
    assert!(
        wire.sent("GetTrailStatus")[0]
            .uri
            .contains("cloudtrail.us-east-1.")
    );
    let second = &wire.sent("ListStackResources")[1];
    assert!(
        second.body.ends_with("&NextToken=more%2F%2B%3D"),
        "{}",
        second.body
    );
    // One event, which names what a sweep looks at.
    let [invoked] = &wire.sent(INVOKE)[..] else {
        panic!("not one")
    };
    assert_eq!(
        invoked.json(),
        json!({"source": "copymend", "detail-type": "Copymend Self Check", "region": "eu-west-1",
            "detail": {"accounts": ["444455556666", "555566667777"]}})
    );
    assert!(
        invoked
            .authorization
            .contains("/eu-west-1/lambda/aws4_request")
    );
}

/// What the function leaves for lack of time it is asked again, as long as that leads further.
#[tokio::test]
async fn accounts_that_were_left_are_asked_about_again() {
    let answer = |account: &str, left: &[&str]| {
        let check = |account: Option<&str>| json!({"account": account, "call": "c", "resource": "r", "state": "fine", "detail": "d"});
        ok(
            json!({"self_check": 1, "checks": [check(None), check(Some(account))], "left": left})
                .to_string(),
        )
    };
    let wire = deployed();
    wire.once(INVOKE, answer("1", &["2", "3"]))
        .once(INVOKE, answer("2", &["3"]))
        .once(INVOKE, answer("3", &[]));
    let facts = read(&wire, false).await;
    let whole = facts.self_check.unwrap().answer;
    assert_eq!(whole["left"], json!([]));
    let accounts: Vec<_> = whole["checks"].as_array().unwrap().iter().collect();
    let accounts: Vec<_> = accounts.iter().map(|check| &check["account"]).collect();
    assert_eq!(
        accounts,
        [&json!(null), &json!("1"), &json!("2"), &json!("3")]
    );
    let asked = wire.sent(INVOKE);
    assert_eq!(
        asked[1].json()["detail"],
        json!({"accounts": ["2", "3"], "only": true})
    );
    assert_eq!(asked.len(), 3);

    // An earlier version begins from the beginning each time.
    let wire = deployed();
    wire.always(INVOKE, answer("1", &["2", "3"]));
    let facts = read(&wire, false).await;
    assert_eq!(facts.self_check.unwrap().answer["left"], json!(["2", "3"]));
    assert_eq!(wire.sent(INVOKE).len(), 2);
}

#[tokio::test]
async fn a_test_message_is_asked_for_where_a_person_says_so() {
    let wire = deployed();
    wire.once(INVOKE, ok(json!({"self_check": 1}).to_string()))
        .once(
            INVOKE,
            ok(json!({"errorType": "CallFailed", "errorMessage": "no"}).to_string()),
        );
    let facts = read(&wire, true).await;
    assert!(!facts.self_check.unwrap().is_failed);
    assert!(facts.test_message.unwrap().unwrap().is_failed);
    let sent = wire.sent(INVOKE)[1].json();
    assert_eq!(
        sent,
        json!({"source": "copymend", "detail-type": "Copymend Test Message"})
    );
}

#[tokio::test]
async fn what_is_denied_is_an_error_in_its_place_and_what_is_gone_is_none() {
    let wire = deployed();
    wire.always(FUNCTION, json_error(403, "AccessDeniedException", "no"))
        .always(POLICY, json_error(403, "AccessDeniedException", "no"))
        .always("DescribeTrails", typed_error("AccessDeniedException", "no"))
        .always(
            "DescribeRule",
            typed_error("ResourceNotFoundException", "no rule"),
        )
        .always(
            "ListTargetsByRule",
            typed_error("ResourceNotFoundException", "no rule"),
        )
        .always(
            "DescribeEventBus",
            typed_error("AccessDeniedException", "no"),
        )
        .always(
            "DescribeTable",
            typed_error("ResourceNotFoundException", "no table"),
        )
        .always("DescribeAlarms", typed_error("AccessDeniedException", "no"))
        .always(
            "DescribeLogGroups",
            ok(json!({"logGroups": [{"logGroupName": "/aws/lambda/remediator-2"}]}).to_string()),
        )
        .always(
            ON_EVENTS,
            json_error(404, "ResourceNotFoundException", "no config"),
        )
        .always(
            "GetTopicAttributes",
            xml_error(403, "AuthorizationError", "no"),
        )
        .always(
            "ListSubscriptionsByTopic",
            xml_error(404, "NotFound", "no topic"),
        )
        .always(INVOKE, json_error(403, "AccessDeniedException", "no"));
    let facts = read(&wire, false).await;
    let kind = |error: &copymend_remediation::ports::CallError| (error.operation, error.kind);
    let denied = CallErrorKind::AccessDenied;
    let function = &facts.functions[0];
    assert_eq!(
        kind(function.function.found.as_ref().unwrap_err()),
        ("lambda:GetFunctionConfiguration", denied)
    );
    assert_eq!(
        kind(function.policy.as_ref().unwrap_err()),
        ("lambda:GetPolicy", denied)
    );
    assert_eq!(
        kind(&facts.trails.unwrap_err()),
        ("cloudtrail:DescribeTrails", denied)
    );
    assert_eq!(
        kind(facts.buses[0].found.as_ref().unwrap_err()),
        ("events:DescribeEventBus", denied)
    );
    assert_eq!(
        kind(&facts.self_check.unwrap_err()),
        ("lambda:InvokeFunction", denied)
    );
    assert_eq!(
        kind(facts.alarms[0].found.as_ref().unwrap_err()),
        ("cloudwatch:DescribeAlarms", denied)
    );
    assert_eq!(
        kind(facts.alarm_topic.unwrap().as_ref().unwrap_err()),
        ("sns:GetTopicAttributes", denied)
    );
    assert!(matches!(facts.log_groups[0].found, Ok(None)));
    assert_eq!(function.on_failure, Ok(None));
    assert!(matches!(facts.rules[0].rule.found, Ok(None)));
    assert!(matches!(facts.topics[0].found, Ok(None)));
    assert!(matches!(facts.tables[0].found, Ok(None)));
    // A role that is gone has none of its permissions, and nobody is asked.
    assert!(facts.roles[0].needs.iter().all(|(_, answer)| {
        answer
            .as_ref()
            .is_err_and(|error| error.detail == "NoSuchEntity")
    }));
    assert!(wire.sent("SimulatePrincipalPolicy").is_empty());
}

#[tokio::test]
async fn a_stack_that_is_not_there_or_not_to_be_seen_is_an_error() {
    for (reply, kind) in [
        (
            xml_error(
                400,
                "ValidationError",
                "Stack with id copymend does not exist",
            ),
            CallErrorKind::Rejected,
        ),
        (
            xml_error(403, "AccessDenied", "no"),
            CallErrorKind::AccessDenied,
        ),
        (status(200, "<html>"), CallErrorKind::Unreadable),
    ] {
        let wire = Wire::default();
        wire.always("DescribeStacks", reply);
        let stack = AwsStack::new(config_on(&wire).await);
        let error = stack.read("copymend", false).await.unwrap_err();
        assert_eq!(
            (error.operation, error.kind),
            ("cloudformation:DescribeStacks", kind)
        );
    }
}

#[tokio::test]
async fn the_settings_of_a_stack_are_its_remediators_variables() {
    let stack = AwsStack::new(config_on(&deployed()).await);
    let settings = stack.settings("copymend").await.unwrap();
    let expected = [("COPYMEND_MODE".to_owned(), "observe".to_owned())];
    assert_eq!(settings, expected.into());

    let without = Wire::default();
    without
        .always("DescribeStacks", ok(described()))
        .always("ListStackResources", ok(page(&RESOURCES[1..], None)));
    let stack = AwsStack::new(config_on(&without).await);
    let error = stack.settings("copymend").await.unwrap_err();
    assert!(error.detail.contains("name the hub's stack"), "{error}");
}
