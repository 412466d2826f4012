//! What is refused, lost or left for lack of time.

use copymend_remediation::ports::CallErrorKind;

use super::*;

const OTHER: &str = "444455556666";

fn broken() -> Value {
    with(planned_world(), POLICY_AT, Value::Null)
}

fn two_accounts() -> Value {
    json!({"source": "copymend", "detail-type": "Copymend Preflight",
        "detail": {"accounts": [SOURCE, OTHER, SOURCE], "regions": [REGION]}})
}

#[test]
fn a_refused_account_is_named_once_and_keeps_what_was_told() {
    let sandbox = sandbox_of(&broken());
    tells(&sandbox).unwrap();
    sandbox.fail("backup:ListBackupPlans", CallErrorKind::AccessDenied);
    let news = tells(&sandbox).unwrap();
    assert!(news.over.is_empty() && news.new.is_empty());
    assert_eq!(news.not_read[0].operation, "backup:ListBackupPlans");
    insta::assert_snapshot!(text(&news));
    let answer = silent(&sandbox);
    assert_eq!(answer.known_to_fail, 1);
    assert_eq!(
        answer.not_read,
        ["account 111122223333, us-east-1: backup:ListBackupPlans"]
    );
    sandbox.calls().mend("backup:ListBackupPlans");
    silent(&sandbox);
}

#[test]
fn a_list_that_is_refused_calls_nothing_gone() {
    let sandbox = sandbox_of(&broken());
    tells(&sandbox).unwrap();
    sandbox.fail(
        "backup:ListRecoveryPointsByBackupVault",
        CallErrorKind::AccessDenied,
    );
    let news = tells(&sandbox).unwrap();
    assert!(news.over.is_empty(), "{news:?}");
    assert_eq!(silent(&sandbox).known_to_fail, 1);
}

#[test]
fn what_the_time_did_not_suffice_for_comes_first_next_time() {
    let sandbox = sandbox_of(&broken());
    let reading = |sandbox: &Sandbox| -> Vec<String> {
        let begun = sandbox.calls().begun();
        let lists = begun
            .iter()
            .filter(|call| call.operation == "backup:ListBackupPlans");
        lists.map(|call| call.resource.clone()).collect()
    };
    let answer = run_of(&sandbox, "request-1", &two_accounts()).unwrap();
    assert_eq!((answer.places, answer.left.len()), (2, 0), "{answer:?}");
    let both = reading(&sandbox).len();
    assert_eq!(both, 2);
    // The time is over as soon as the first plan is read.
    let clock = Reads::clock(&sandbox).clone();
    sandbox.before_next("backup:GetBackupPlan", move |_| {
        clock.set(clock.now() + SignedDuration::from_secs(101));
    });
    become_world(&sandbox, &broken());
    let answer = run_of(&sandbox, "request-2", &two_accounts()).unwrap();
    assert_eq!(answer.left, ["account 111122223333, us-east-1"]);
    assert_eq!(answer.known_to_fail, 1, "what was told stands");
    let told = sandbox.notifier().preflights().pop().unwrap();
    assert_eq!(told.left.len(), 1);
    insta::assert_snapshot!(text(&told));
    // That it is left is no news twice.
    let clock = Reads::clock(&sandbox).clone();
    sandbox.before_next("backup:GetBackupPlan", move |_| {
        clock.set(clock.now() + SignedDuration::from_secs(101));
    });
    let again = run_of(&sandbox, "request-3", &two_accounts()).unwrap();
    assert_eq!(again.preflight, PreflightState::NothingNew, "{again:?}");
    assert_eq!(again.left.len(), 1);
}

#[test]
fn each_place_that_the_time_did_not_suffice_for_is_told_once_until_it_suffices() {
    let sandbox = sandbox_of(&broken());
    run_of(&sandbox, "request-0", &two_accounts()).unwrap();
    // The source's plan takes long; the other account has none.
    let takes_long = || {
        let clock = Reads::clock(&sandbox).clone();
        sandbox.before_next("backup:GetBackupPlan", move |_| {
            clock.set(clock.now() + SignedDuration::from_secs(101));
        });
    };
    // The accounts that a run leaves and tells, with so much time.
    let left = |id: &str, seconds: i64| -> Vec<String> {
        become_world(&sandbox, &broken());
        let now = Reads::clock(&sandbox).now();
        let invocation = Invocation {
            id: id.to_owned(),
            deadline: now + SignedDuration::from_secs(seconds),
        };
        let before = sandbox.notifier().preflights().len();
        let event = two_accounts();
        let looked = watch(&sandbox, &sandbox, Mode::Repair, &event, &invocation);
        assert!(!block(looked).unwrap().left.is_empty());
        let told = sandbox.notifier().preflights();
        let told = told.iter().skip(before).flat_map(|news| &news.left);
        told.map(|at| at.account.to_string()).collect()
    };
    takes_long();
    assert_eq!(left("request-1", 120), [SOURCE]);
    // Without any time, the other account is left as well: that is news, and the source isn't.
    assert_eq!(left("request-2", 10), [OTHER]);
    assert!(left("request-3", 10).is_empty());
    // Once it has sufficed for both, it is news again.
    become_world(&sandbox, &broken());
    let both = run_of(&sandbox, "request-4", &two_accounts()).unwrap();
    assert!(both.left.is_empty(), "{both:?}");
    takes_long();
    assert_eq!(left("request-5", 120), [SOURCE]);
}

#[test]
fn a_throttled_account_is_not_told_as_one_that_refuses() {
    let sandbox = sandbox_of(&broken());
    tells(&sandbox).unwrap();
    sandbox.fail("backup:ListBackupPlans", CallErrorKind::Throttled);
    let news = tells(&sandbox).unwrap();
    assert!(news.over.is_empty() && news.new.is_empty());
    assert!(news.not_read[0].may_pass);
    insta::assert_snapshot!(text(&news));
    let answer = silent(&sandbox);
    assert_eq!(
        answer.not_read,
        ["account 111122223333, us-east-1: backup:ListBackupPlans, for now"]
    );
    sandbox.calls().mend("backup:ListBackupPlans");
    sandbox.fail("backup:ListBackupPlans", CallErrorKind::AccessDenied);
    assert!(!tells(&sandbox).unwrap().not_read[0].may_pass);
    sandbox.calls().mend("backup:ListBackupPlans");
    assert_eq!(silent(&sandbox).not_read, [""; 0]);
}

#[test]
fn a_run_without_any_time_reads_nothing_and_loses_nothing() {
    let sandbox = sandbox_of(&broken());
    tells(&sandbox).unwrap();
    let before = kept_of(&sandbox, SOURCE).unwrap();
    let invocation = Invocation {
        id: "late".to_owned(),
        deadline: Reads::clock(&sandbox).now() + SignedDuration::from_secs(10),
    };
    let plans = sandbox.calls().count("backup:ListBackupPlans");
    let answer = block(watch(
        &sandbox,
        &sandbox,
        Mode::Repair,
        &event(),
        &invocation,
    ))
    .unwrap();
    assert_eq!(answer.left.len(), 1);
    assert_eq!(sandbox.calls().count("backup:ListBackupPlans"), plans);
    let after = kept_of(&sandbox, SOURCE).unwrap();
    assert_eq!(
        (&after.routes, after.looked_at),
        (&before.routes, before.looked_at)
    );
    assert!(after.is_left);
    silent(&sandbox);
}

#[test]
fn who_dies_between_the_message_and_the_ledger_tells_twice() {
    let sandbox = sandbox_of(&broken());
    sandbox.fail("ledger:RecordToldOfPlace", CallErrorKind::Timeout);
    assert!(tells(&sandbox).is_some());
    sandbox.calls().mend("ledger:RecordToldOfPlace");
    assert!(tells(&sandbox).is_some(), "again");
    silent(&sandbox);
}

#[test]
fn a_message_that_is_not_sent_is_not_kept_as_told() {
    let sandbox = sandbox_of(&broken());
    sandbox.fail("sns:Publish", CallErrorKind::Throttled);
    assert!(run_of(&sandbox, "request-1", &event()).is_err());
    assert_eq!(kept_of(&sandbox, SOURCE), None);
    sandbox.calls().mend("sns:Publish");
    // Another invocation at once: nobody holds it any more.
    assert_eq!(
        run_of(&sandbox, "request-2", &event()).unwrap().preflight,
        PreflightState::Told
    );
}

#[test]
fn a_ledger_that_may_answer_later_asks_for_another_delivery() {
    for operation in ["ledger:BeginJob", "ledger:ToldOfPlace"] {
        let sandbox = sandbox_of(&broken());
        sandbox.fail(operation, CallErrorKind::Throttled);
        assert!(
            run_of(&sandbox, "request-1", &event()).is_err(),
            "{operation}"
        );
        assert!(sandbox.notifier().preflights().is_empty());
        sandbox.calls().mend(operation);
        assert!(tells(&sandbox).is_some());
    }
}

#[test]
fn a_ledger_that_refuses_is_told() {
    let sandbox = sandbox_of(&broken());
    sandbox.fail("ledger:ToldOfPlace", CallErrorKind::AccessDenied);
    for _ in 0..2 {
        let news = tells(&sandbox).unwrap();
        assert_eq!((news.new.len(), news.notes.len()), (1, 1));
        insta::allow_duplicates! { insta::assert_snapshot!(text(&news)); }
    }
    sandbox.calls().mend("ledger:ToldOfPlace");
    assert_eq!(
        kept_of(&sandbox, SOURCE),
        None,
        "what can't be read isn't written over"
    );
    let sandbox = sandbox_of(&broken());
    for operation in ["ledger:BeginJob", "ledger:RecordToldOfPlace"] {
        sandbox.fail(operation, CallErrorKind::AccessDenied);
    }
    let answer = run(&sandbox);
    assert_eq!(answer.preflight, PreflightState::Told);
    assert_eq!(answer.notes.len(), 2, "{:?}", answer.notes);
    let told = sandbox.notifier().preflights();
    assert!(told[0].notes[0].contains("told again by every preflight"));
}

#[test]
fn one_invocation_at_a_time() {
    use copymend_remediation::ledger::{JobEntry, Ledger};
    let sandbox = sandbox_of(&broken());
    let now = Reads::clock(&sandbox).now();
    let ledger = sandbox.ledger().unwrap();
    let begun = ledger.begin_job("preflight", "another", now, now + TIMEOUT);
    assert!(matches!(block(begun).unwrap(), JobEntry::Started(_)));
    assert_eq!(run(&sandbox).preflight, PreflightState::Running);
    assert!(sandbox.notifier().preflights().is_empty());
    Reads::clock(&sandbox).set(now + TIMEOUT);
    assert!(tells(&sandbox).is_some(), "the other one is dead");
}

#[test]
fn an_event_that_names_nothing_is_refused() {
    for (detail, field) in [
        (json!({}), "accounts"),
        (json!({"accounts": [SOURCE]}), "regions"),
        (json!({"accounts": ["x"], "regions": [REGION]}), "accounts"),
        (
            json!({"accounts": [SOURCE], "regions": ["../x"]}),
            "regions",
        ),
    ] {
        let event =
            json!({"source": "copymend", "detail-type": "Copymend Preflight", "detail": detail});
        let error = run_of(&sandbox_of(&broken()), "request-1", &event).unwrap_err();
        assert!(error.to_string().contains(field), "{error}");
    }
}
