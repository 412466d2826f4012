//! What the function's own role can do, and the test message.

use copymend_remediation::CopyRemediator;
use copymend_remediation::message::Channel;
use copymend_remediation::ports::{CallErrorKind, Clock, Reads};
use copymend_remediation::self_check::{CheckState, SelfCheck, is_self_check};
use copymend_remediation::settings::{Deployment, Settings};
use copymend_remediation::test_message::{TestMessageState, is_test_message};
use copymend_sandbox::Sandbox;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::*;

const CALLER: &str = "arn:aws:sts::111122223333:assumed-role/copymend-CopyRemediator/copymend";

fn asked() -> Value {
    json!({"source": "copymend", "detail-type": "Copymend Self Check", "region": "us-east-1"})
}

fn listed() -> Settings {
    Settings {
        allowed_destinations: vec![
            "arn:aws:backup:*:444455556666:backup-vault:dr-*"
                .parse()
                .unwrap(),
        ],
        allowed_keys: vec!["arn:aws:kms:*:111122223333:key/*".parse().unwrap()],
        allowed_sources: vec![
            "arn:aws:iam::222233334444:role/Backup*>arn:aws:backup:*:444455556666:backup-vault:*"
                .parse()
                .unwrap(),
            "*".parse().unwrap(),
        ],
        deployment: Deployment {
            ledger_table: Some("ledger".to_owned()),
            topic_arn: Some("arn:aws:sns:us-east-1:111122223333:copymend".to_owned()),
            ..Deployment::default()
        },
        ..observing()
    }
}

async fn check(sandbox: &Sandbox, settings: Settings, event: &Value) -> SelfCheck {
    assert!(is_self_check(event));
    CopyRemediator::new(sandbox.clone(), settings)
        .self_check(
            event,
            Ok(Some(CALLER.to_owned())),
            &invocation("check", sandbox),
        )
        .await
}

fn of_account<'c>(answer: &'c SelfCheck, account: &str) -> Vec<(&'c str, CheckState)> {
    let checks = answer.checks.iter();
    checks
        .filter(|check| check.account.as_deref() == Some(account))
        .map(|check| (check.call.as_str(), check.state))
        .collect()
}

#[tokio::test]
async fn every_account_that_a_list_names_is_asked_and_nothing_is_written() {
    let sandbox = sandbox();
    pause(&sandbox, None).await;
    let before = sandbox.calls().counts();
    let answer = check(&sandbox, listed(), &asked()).await;
    assert_eq!(answer.caller.as_deref(), Some(CALLER));
    assert_eq!(answer.pause.as_ref().unwrap().reason, "a change freeze");
    for account in ["111122223333", "222233334444", "444455556666"] {
        let all_fine = [
            ("backup:DescribeCopyJob", CheckState::Fine),
            ("iam:GetRole", CheckState::Fine),
            ("organizations:DescribeOrganization", CheckState::Fine),
        ];
        assert_eq!(of_account(&answer, account), all_fine, "{account}");
    }
    // Nobody is told, no policy is written, and the ledger is read alone.
    let mut made = sandbox.calls().counts();
    for (operation, count) in before {
        *made.get_mut(&operation).unwrap() -= count;
    }
    made.retain(|_, count| *count > 0);
    let made: Vec<&str> = made.keys().map(String::as_str).collect();
    assert_eq!(
        made,
        [
            "backup:DescribeCopyJob",
            "iam:GetRole",
            "ledger:Pause",
            "organizations:DescribeOrganization"
        ]
    );
    assert_eq!((sandbox.writes().len(), told(&sandbox)), (0, 0));
}

#[tokio::test]
async fn what_is_denied_is_not_absent_and_what_fails_is_neither() {
    let sandbox = sandbox();
    for (operation, kind) in [
        ("iam:GetRole", CallErrorKind::AccessDenied),
        (
            "organizations:DescribeOrganization",
            CallErrorKind::Throttled,
        ),
        ("ledger:Pause", CallErrorKind::AccessDenied),
    ] {
        sandbox.fail(operation, kind);
    }
    let answer = check(&sandbox, listed(), &asked()).await;
    assert_eq!(
        of_account(&answer, "444455556666"),
        [
            ("backup:DescribeCopyJob", CheckState::Fine),
            ("iam:GetRole", CheckState::Denied),
            ("organizations:DescribeOrganization", CheckState::Failed),
        ]
    );
    let ledger = &answer.checks[0];
    assert_eq!(
        (ledger.call.as_str(), ledger.state, ledger.resource.as_str()),
        ("ledger:Pause", CheckState::Denied, "pause")
    );
}

#[tokio::test]
async fn an_account_without_the_role_or_outside_of_an_organization_says_so() {
    let sandbox = sandbox();
    let mut event = asked();
    event["detail"] = json!({"accounts": ["888877776666", "777766665555"]});
    let answer = check(&sandbox, listed(), &event).await;
    let new_team = of_account(&answer, "888877776666");
    assert!(new_team.contains(&("iam:GetRole", CheckState::Absent)));
    let supplier = of_account(&answer, "777766665555");
    let outside = ("organizations:DescribeOrganization", CheckState::Absent);
    assert!(supplier.contains(&outside), "{answer:#?}");
}

#[tokio::test]
async fn the_event_may_name_more_accounts_and_time_that_is_up_leaves_them() {
    let sandbox = sandbox();
    let mut event = asked();
    event["detail"] = json!({"accounts": ["333344445555", "no account", 7]});
    let answer = check(&sandbox, Settings::default(), &event).await;
    let accounts: Vec<&str> = answer
        .checks
        .iter()
        .filter_map(|check| check.account.as_deref())
        .collect();
    assert!(accounts.contains(&"333344445555") && accounts.contains(&"111122223333"));
    assert_eq!(answer.checks[0].state, CheckState::Fine);

    // What an earlier answer left is asked about alone.
    event["detail"] = json!({"accounts": ["333344445555"], "only": true});
    let answer = check(&sandbox, listed(), &event).await;
    let alone = answer.checks.iter().skip(1);
    assert!(alone.clone().count() > 0);
    for check in alone {
        assert_eq!(check.account.as_deref(), Some("333344445555"));
    }

    let mut short = invocation("check", &sandbox);
    short.deadline = sandbox.clock().now() + SignedDuration::from_secs(5);
    let answer = CopyRemediator::new(sandbox.clone(), listed())
        .self_check(&asked(), Ok(Some(CALLER.to_owned())), &short)
        .await;
    assert_eq!(
        answer.left,
        ["111122223333", "222233334444", "444455556666"]
    );
}

#[tokio::test]
async fn without_a_ledger_it_says_that_none_is_set() {
    let sandbox = sandbox().without_ledger();
    let answer = check(&sandbox, Settings::default(), &asked()).await;
    assert_eq!(answer.checks[0].state, CheckState::Absent);
}

#[tokio::test]
async fn an_event_of_another_source_is_handled_as_before() {
    let sandbox = sandbox();
    for detail_type in ["Copymend Self Check", "Copymend Test Message"] {
        let mut event = asked();
        event["detail-type"] = json!(detail_type);
        assert!(is_self_check(&event) || is_test_message(&event));
        event["source"] = json!("aws.backup");
        assert!(!is_self_check(&event) && !is_test_message(&event));
        let error = deliver("foreign", &sandbox, &event).await.unwrap_err();
        assert_ne!(error.error_type(), "CallFailed");
    }
    assert_eq!(told(&sandbox), 0);
}

#[tokio::test]
async fn one_test_message_a_day_is_sent() {
    let sandbox = sandbox();
    let remediator = CopyRemediator::new(sandbox.clone(), listed());
    let mut sent = Vec::new();
    for id in ["one", "two"] {
        let answer = remediator
            .send_test_message(&invocation(id, &sandbox))
            .await;
        sent.push(answer.unwrap().test_message);
    }
    wait(&sandbox, 24 * 60).await;
    let answer = remediator
        .send_test_message(&invocation("three", &sandbox))
        .await;
    sent.push(answer.unwrap().test_message);
    assert_eq!(
        sent,
        [
            TestMessageState::Sent,
            TestMessageState::SentBefore,
            TestMessageState::Sent
        ]
    );
    let messages = sandbox.notifier().test_messages();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0].topic, listed().deployment.topic_arn);
}

#[tokio::test]
async fn a_test_message_that_fails_is_sent_when_it_is_asked_for_again() {
    let sandbox = sandbox();
    let remediator = CopyRemediator::new(sandbox.clone(), listed());
    sandbox.fail("sns:Publish", CallErrorKind::AccessDenied);
    let failed = remediator
        .send_test_message(&invocation("one", &sandbox))
        .await;
    assert_eq!(failed.unwrap_err().error_type(), "CallFailed");
    sandbox.calls().mend("sns:Publish");
    let sent = remediator
        .send_test_message(&invocation("two", &sandbox))
        .await;
    assert_eq!(sent.unwrap().test_message, TestMessageState::Sent);
}

/// Whoever sets a topic later on the same day wants to know whether the way works.
#[tokio::test]
async fn a_test_message_that_nobody_reads_does_not_use_up_the_day() {
    let sandbox = sandbox();
    let remediator = CopyRemediator::new(sandbox.clone(), listed());
    let send = async |id| {
        let invocation = invocation(id, &sandbox);
        let answer = remediator.send_test_message(&invocation).await;
        answer.unwrap().test_message
    };
    sandbox.notifier().set_channels([Channel::ReportBus]);
    assert_eq!(send("one").await, TestMessageState::NoTopic);
    sandbox.notifier().set_channels([Channel::Topic]);
    assert_eq!(send("two").await, TestMessageState::Sent);
    assert_eq!(send("three").await, TestMessageState::SentBefore);
}
