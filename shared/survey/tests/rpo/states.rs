//! How a place stands.

use copymend_remediation::ports::CallErrorKind;
use copymend_survey::rpo::{Shown, State, text, write_json};
use serde_json::{Value, json};

use crate::small::{backup, copy, found, only, sandbox, states, volume, world};

const YESTERDAY: &str = "2026-11-01T05:00:00Z";
const LAST_WEEK: &str = "2026-10-25T05:00:00Z";

fn with(mut point: Value, member: &str, value: Value) -> Value {
    point[member] = value;
    point
}

#[tokio::test]
async fn the_newest_good_copy_counts_by_its_sources_date() {
    let copies = vec![copy("a", LAST_WEEK), copy("a", YESTERDAY)];
    let place = only(vec![backup("a", YESTERDAY)], copies).await;
    assert_eq!((place.state, place.is_missed()), (State::InTime, false));
    assert_eq!(
        place.age("2026-11-02T06:00:00Z".parse().unwrap()),
        Some(25 * 3_600)
    );
    assert!(place.is_planned);
}

#[tokio::test]
async fn copies_that_lag_are_told_apart_from_backups_that_stopped() {
    let lag = only(vec![backup("a", YESTERDAY)], vec![copy("a", LAST_WEEK)]).await;
    assert_eq!((lag.state, lag.is_missed()), (State::Late, true));
    assert!(lag.detail.contains("copies lag"), "{}", lag.detail);
    let stopped = only(vec![backup("a", LAST_WEEK)], vec![copy("a", LAST_WEEK)]).await;
    assert!(
        stopped.detail.contains("no newer backup"),
        "{}",
        stopped.detail
    );
}

#[tokio::test]
async fn what_was_backed_up_long_enough_and_never_copied_is_missing() {
    let place = only(vec![backup("a", LAST_WEEK)], Vec::new()).await;
    assert_eq!((place.state, place.is_missed()), (State::Never, true));
    let young = only(vec![backup("a", YESTERDAY)], Vec::new()).await;
    assert_eq!((young.state, young.is_missed()), (State::NotDue, false));
}

#[tokio::test]
async fn backups_that_are_kept_for_less_than_the_objective_never_show_that_no_copy_is_due() {
    let kept = |days: i64| {
        let lifecycle = json!({"delete_after_days": days});
        vec![with(backup("a", YESTERDAY), "lifecycle", lifecycle)]
    };
    let short = only(kept(1), Vec::new()).await;
    assert_eq!((short.state, short.is_missed()), (State::Unknown, false));
    assert!(short.detail.contains("kept for less"), "{}", short.detail);
    let long = only(kept(2), Vec::new()).await;
    assert_eq!((long.state, long.is_missed()), (State::NotDue, false));
}

#[tokio::test]
async fn copies_that_cannot_be_used_do_not_count() {
    for (status, words) in [
        ("PARTIAL", "PARTIAL"),
        ("EXPIRED", "EXPIRED"),
        ("DELETING", "being deleted"),
        ("CREATING", "being made"),
        ("ODD", "isn't known"),
    ] {
        let copies = vec![with(copy("a", YESTERDAY), "status", json!(status))];
        let place = only(vec![backup("a", LAST_WEEK)], copies).await;
        assert_eq!(place.state, State::NoGoodCopy, "{status}");
        assert!(place.detail.contains(words), "{}", place.detail);
    }
    let going = with(
        copy("a", YESTERDAY),
        "delete_at",
        json!("2026-11-02T05:00:00Z"),
    );
    let place = only(vec![backup("a", LAST_WEEK)], vec![going]).await;
    assert_eq!(place.state, State::NoGoodCopy);
    for status in ["AVAILABLE", "STOPPED"] {
        let copies = vec![with(copy("a", YESTERDAY), "status", json!(status))];
        let place = only(vec![backup("a", LAST_WEEK)], copies).await;
        assert_eq!(place.state, State::InTime, "{status}");
    }
}

#[tokio::test]
async fn a_composite_backup_counts_as_a_whole() {
    let parent = with(copy("a", LAST_WEEK), "is_parent", json!(true));
    let arn = parent["arn"].clone();
    let part = with(copy("a", YESTERDAY), "parent_recovery_point_arn", arn);
    let place = only(vec![backup("a", LAST_WEEK)], vec![parent, part]).await;
    assert_eq!(place.state, State::Late);
}

#[tokio::test]
async fn a_vault_that_cannot_be_read_is_unknown_and_never_missing() {
    let sandbox = sandbox(&world(vec![backup("a", LAST_WEEK)], Vec::new()));
    sandbox.fail(
        "backup:ListRecoveryPointsByBackupVault",
        CallErrorKind::AccessDenied,
    );
    let findings = found(&sandbox, &["26h"], &[]).await;
    assert!(findings.places.is_empty(), "no backup can be seen");
    assert_eq!(findings.not_read.len(), 2, "{:?}", findings.not_read);

    // The source can be read, and the destination's second page can't.
    let sandbox = self::sandbox(&world(
        vec![backup("a", LAST_WEEK), backup("b", LAST_WEEK)],
        vec![copy("a", YESTERDAY), copy("b", YESTERDAY)],
    ))
    .in_pages_of(1);
    let calls = sandbox.calls();
    let listing = "backup:ListRecoveryPointsByBackupVault";
    // Three pages a vault, one of them empty; the vaults are read side by side.
    calls.fail_call(listing, 6, CallErrorKind::Throttled);
    let findings = found(&sandbox, &["26h"], &[]).await;
    assert_eq!(findings.missed(), 0);
    assert_eq!(findings.not_read.len(), 1, "{:?}", findings.not_read);
}

#[tokio::test]
async fn an_account_that_is_not_in_reach_is_unknown() {
    let mut file = world(vec![backup("a", LAST_WEEK)], Vec::new());
    file["accounts"]
        .as_object_mut()
        .unwrap()
        .remove("444455556666");
    let findings = found(&sandbox(&file), &["26h"], &[]).await;
    assert_eq!(states(&findings), [("a", State::Unknown)]);
    assert!(findings.places[0].detail.contains("AssumeRole"));
}

#[tokio::test]
async fn copies_that_arrived_and_are_gone_are_told() {
    let mut file = world(vec![backup("a", LAST_WEEK)], Vec::new());
    let key = "22222222-2222-4222-8222-222222222222";
    file["organizations"] = json!([{
        "id": "o-exampleorgid",
        "management_account": "111122223333",
        "cross_account_backup_enabled": true,
        "member_accounts": {"444455556666": "o-exampleorgid/r-ab12/"},
    }]);
    let source = &mut file["accounts"]["111122223333"];
    source["roles"] = json!({"Backup": {
        "managed_policies": ["AWSBackupServiceRolePolicyForBackup"]}});
    let destination = &mut file["accounts"]["444455556666"]["regions"]["eu-west-1"];
    let arn = format!("arn:aws:kms:eu-west-1:444455556666:key/{key}");
    destination["keys"] = json!({key: {}});
    destination["vaults"]["dr"]["encryption_key_arn"] = json!(arn);
    destination["vaults"]["dr"]["policy"] = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "111122223333"},
        "Action": "backup:CopyIntoBackupVault", "Resource": "*"}]});
    file["copy_jobs"] = json!([{
        "id": "job-1",
        "recovery_point_arn": backup("a", LAST_WEEK)["arn"],
        "source_vault_arn": "arn:aws:backup:us-east-1:111122223333:backup-vault:prod",
        "destination_vault_arn": crate::small::DR,
        "iam_role_arn": "arn:aws:iam::111122223333:role/Backup",
        "creation_date": "2026-10-25T06:00:00Z",
        "lifecycle": {"delete_after_days": 35},
    }]);
    let sandbox = sandbox(&file);
    let findings = found(&sandbox, &["26h"], &[]).await;
    assert_eq!(states(&findings), [("a", State::Late)]);

    sandbox.with_world(|world| {
        let job = &world.copy_jobs()[0];
        assert_eq!(job.status_message(), "");
        let copy = job.destination_recovery_point().unwrap().clone();
        let vault = crate::small::DR.parse().unwrap();
        assert!(world.remove_recovery_point(&vault, &copy));
    });
    let findings = found(&sandbox, &["26h"], &[]).await;
    assert_eq!(states(&findings), [("a", State::Gone)]);
    assert_eq!(findings.places[0].gone, 1);
    assert_eq!(findings.missed(), 1);
}

#[tokio::test]
async fn what_is_left_out_is_not_missed_until_its_time_is_over() {
    let sandbox = sandbox(&world(
        vec![backup("a", LAST_WEEK), backup("b", LAST_WEEK)],
        Vec::new(),
    ));
    let holding = format!("{},retired,2026-12-31", volume("a"));
    let over = format!("{},retired,2026-10-31", volume("b"));
    let findings = found(&sandbox, &["26h"], &[&holding, &over]).await;
    assert_eq!(
        states(&findings),
        [("b", State::Never), ("a", State::Excluded)]
    );
    assert_eq!(findings.expired.len(), 1);
    let words = text(&findings, Shown::Wanting);
    assert!(words.contains("exclusion over since 2026-10-31"), "{words}");
    assert!(words.contains("1 of 2 places miss"), "{words}");
}

#[tokio::test]
async fn without_an_objective_nothing_is_missed() {
    let sandbox = sandbox(&world(
        vec![backup("a", LAST_WEEK), backup("b", LAST_WEEK)],
        vec![copy("a", LAST_WEEK)],
    ));
    let findings = found(&sandbox, &["type=RDS:4h"], &[]).await;
    assert_eq!(
        states(&findings),
        [("b", State::Never), ("a", State::NoObjective)]
    );
    assert_eq!(findings.missed(), 0);
}

#[tokio::test]
async fn the_json_says_what_the_text_says() {
    let sandbox = sandbox(&world(
        vec![backup("a", LAST_WEEK), backup("b", YESTERDAY)],
        vec![copy("a", LAST_WEEK), copy("b", YESTERDAY)],
    ));
    let findings = found(&sandbox, &["26h"], &[]).await;
    let objectives = copymend_survey::rpo::Objectives::new(vec!["26h".parse().unwrap()]);
    let mut out = Vec::new();
    write_json(&findings, &objectives, &mut out).unwrap();
    let told: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!((&told["rpo"], &told["missed"]), (&json!(1), &json!(1)));
    assert_eq!(told["places"][0]["state"], "late");
    assert_eq!(told["places"][0]["age_seconds"], 8 * 86_400 + 3_600);
    assert_eq!(told["places"][0]["objective_seconds"], 26 * 3_600);
    assert_eq!(told["vaults"][0]["places"], 2);
    let words = text(&findings, Shown::Wanting);
    assert!(words.contains("8d01h"), "{words}");
    assert!(!words.contains("vol-b"), "{words}");
    assert!(text(&findings, Shown::All).contains("vol-b"));
}
