//! Whoever changes the settings may open a vault: people are told once, by the first event after
//! it.

use copymend_remediation::ports::{CallErrorKind, Reads};
use copymend_remediation::settings::{Mode, Settings};

use crate::support::*;

const EVENTS: [&str; 4] = [
    "service-fault",
    "destination-vault-policy",
    "source-key-policy",
    "unknown",
];

#[tokio::test]
async fn the_first_event_after_a_change_tells_and_no_other() {
    let sandbox = sandbox();
    let told_of = |notes: &[String]| -> Vec<String> {
        let of_settings = notes.iter().filter(|note| note.contains("the settings"));
        of_settings.cloned().collect()
    };
    let observed = observing();
    // Nothing is known of settings before: there is nothing to compare with.
    let report = handle(&sandbox, observed, &sample("service-fault")).await;
    assert_eq!(told_of(&report.notes), Vec::<String>::new());

    let said =
        "the settings changed since the last event: COPYMEND_MODE is `repair`, it was `observe`";
    // The ledger can't tell: the notice is for the next event.
    sandbox
        .calls()
        .fail_call("ledger:ClaimSettingsNotice", 1, CallErrorKind::Throttled);
    for (number, name) in EVENTS[1..].iter().enumerate() {
        let sent = sandbox.notifier().sent().len();
        let report = repair(&sandbox, &sample(name)).await;
        let expected = if number == 1 { vec![said] } else { vec![] };
        assert_eq!(told_of(&report.notes), expected, "{name}");
        assert_eq!(sandbox.notifier().sent().len(), sent + 1, "{name}");
    }
}

/// In a storm most failures are counted and not told: the one that tells of the settings is.
#[tokio::test]
async fn the_notice_is_told_whatever_the_count_of_the_incident() {
    let sandbox = sandbox();
    let budget = |write_budget| Settings {
        write_budget,
        mode: Mode::Observe,
        ..open_settings()
    };
    let first = sample("destination-vault-policy");
    let again = copied_again(&sandbox, &first, None);
    let third = copied_again(&sandbox, &first, None);
    handle(&sandbox, budget(5), &first).await;
    handle(&sandbox, budget(5), &again).await;
    assert_eq!(sandbox.notifier().sent().len(), 1);
    handle(&sandbox, budget(6), &third).await;
    let sent = sandbox.notifier().sent();
    assert_eq!(sent.len(), 2);
    assert!(
        sent[1]
            .report
            .notes
            .iter()
            .any(|note| note.contains("COPYMEND_WRITE_BUDGET is `6`, it was `5`"))
    );
}
