//! AWS KMS answers the lists of a policy in another order each time. That is nobody's change: keys
//! are repaired and undone all the same, whatever their statements list.

use copymend_policy::PolicyDocument;
use copymend_remediation::CopyRemediator;
use copymend_remediation::Invocation;
use copymend_remediation::ports::{Clock, Reads};
use copymend_remediation::report::Outcome;
use copymend_remediation::undo::{UndoRequest, undo};
use copymend_sandbox::{PolicyText, Sandbox, World};
use jiff::SignedDuration;

use crate::torture::{event_of, settings};

const EVENT: &str = "source-key-policy";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/f0562021-f04f-5882-bf63-7352767d0941";
const ROUNDS: usize = 100;

/// A key's policy with so many principals and actions in one statement, and as many values in one
/// of its conditions.
fn policy_of(principals: usize) -> String {
    let list = |entry: &dyn Fn(usize) -> String| {
        let entries: Vec<String> = (0..principals)
            .map(|number| format!("\"{}\"", entry(number)))
            .collect();
        format!("[{}]", entries.join(", "))
    };
    let accounts = list(&|number| format!("{:012}", 200_000_000_000_u64 + number as u64));
    let actions = list(&|number| format!("kms:Action{number}"));
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [
  {{"Sid": "Root", "Effect": "Allow", "Principal": {{"AWS": "arn:aws:iam::111122223333:root"}}, "Action": "kms:*", "Resource": "*"}},
  {{"Sid": "Partners", "Effect": "Allow", "Principal": {{"AWS": {accounts}}}, "Action": {actions}, "Resource": "*",
    "Condition": {{"StringEquals": {{"aws:PrincipalAccount": {accounts}}}}}}}
]}}"#
    )
}

fn stored(sandbox: &Sandbox) -> PolicyDocument {
    let key = KEY.parse().unwrap();
    let text = sandbox.with_world(|world| {
        let policy = world.key(&key).unwrap().policy.as_ref().unwrap();
        policy.as_str().to_owned()
    });
    PolicyDocument::parse(&text).unwrap()
}

async fn repaired_and_undone(principals: usize, round: usize) {
    let sandbox = Sandbox::new(World::default_world());
    let event = event_of(&sandbox, EVENT);
    let key = KEY.parse().unwrap();
    sandbox.with_world(|world| {
        let key = world.key_mut(&key).unwrap();
        key.policy = Some(PolicyText::new(policy_of(principals)));
    });
    // Each round meets the lists in another order from the start.
    for _ in 0..round {
        let keys = Reads::keys(&sandbox);
        copymend_remediation::ports::Keys::get_key_policy(keys, &key)
            .await
            .unwrap();
    }
    let before = stored(&sandbox);
    let invocation = |id: &str| Invocation {
        id: id.to_owned(),
        deadline: Reads::clock(&sandbox).now() + SignedDuration::from_secs(120),
    };
    let remediator = CopyRemediator::new(sandbox.clone(), settings());
    let report = remediator
        .handle(&event, &invocation("repair"))
        .await
        .unwrap();
    let place = format!("{principals} principals, round {round}");
    assert_eq!(
        report.outcome,
        Outcome::RepairedAndRetried,
        "{place}: {report:#?}"
    );
    assert!(report.changes[0].certificate.is_some(), "{place}");
    let others: Vec<&String> = report
        .notes
        .iter()
        .filter(|note| note.contains("someone") || note.contains("somebody"))
        .collect();
    assert!(others.is_empty(), "{place}: {others:?}");
    let change = report.changes[0].id.as_deref();
    let request = UndoRequest {
        change,
        ..UndoRequest::default()
    };
    let undone = undo(&sandbox, request, &invocation("undo")).await;
    assert!(undone.unwrap().change.is_some(), "{place}");
    assert!(stored(&sandbox).means_the_same_as(&before), "{place}");
}

#[tokio::test]
async fn keys_with_many_principals_are_repaired_and_undone_every_time() {
    for principals in [1, 2, 5, 20] {
        for round in 0..ROUNDS {
            repaired_and_undone(principals, round).await;
        }
    }
}
