//! Each guard alone stops the write, and is named.

use copymend_diagnosis::{Cause, Verdict};
use copymend_policy::KeyProfile;
use copymend_remediation::ports::CallErrorKind;
use copymend_remediation::report::{DecisionKind, Outcome};
use copymend_remediation::settings::Settings;

use crate::support::*;

#[tokio::test]
async fn each_setting_that_admits_less_stops_the_write() {
    let admits_nothing = |settings: Settings| Settings {
        allowed_destinations: Vec::new(),
        ..settings
    };
    for (event, settings, guard) in [
        (
            "destination-vault-policy",
            admits_nothing(open_settings()),
            "destination-allowed",
        ),
        (
            "source-key-policy",
            admits_nothing(open_settings()),
            "destination-allowed",
        ),
        (
            "destination-vault-policy",
            Settings {
                allowed_destinations: vec![
                    "arn:aws:backup:eu-west-1:444455556666:backup-vault:other-*"
                        .parse()
                        .unwrap(),
                ],
                ..open_settings()
            },
            "destination-allowed",
        ),
        (
            "source-key-policy",
            Settings {
                allowed_keys: Vec::new(),
                ..open_settings()
            },
            "key-allowed",
        ),
        (
            "destination-vault-policy",
            Settings {
                organization_id: Some("o-someoneelse1".to_owned()),
                ..open_settings()
            },
            "same-organization",
        ),
        (
            "destination-vault-policy",
            Settings {
                write_budget: 0,
                ..open_settings()
            },
            "write-budget",
        ),
        (
            "destination-vault-policy",
            Settings {
                source_write_budget: 0,
                ..open_settings()
            },
            "source-write-budget",
        ),
    ] {
        let sandbox = sandbox();
        let report = handle(&sandbox, settings, &sample(event)).await;
        assert_eq!(failed_guards(&report), [guard], "{event}");
        assert_eq!(report.decision, DecisionKind::Refuse);
        assert_eq!(report.outcome, Outcome::Refused);
        assert_eq!(report.changes, []);
        assert_eq!(report.refused_changes.len(), 1);
        assert_eq!(sandbox.writes(), []);
    }
}

/// Jobs of the default world that have no sample event.
const OPTED_OUT: &str = "7BAD7540-69EE-53D4-8D29-E231F7105168";
const FULLY_MANAGED: &str = "6D045500-CA3C-561F-9042-B8E0DC807FF1";

#[tokio::test]
async fn a_copy_on_demand_is_repaired_only_where_that_is_allowed() {
    let first = sandbox();
    let event = first.event_for(ON_DEMAND).unwrap();
    let report = handle(&first, open_settings(), &event).await;
    assert_eq!(failed_guards(&report), ["started-by-backup-plan"]);
    assert_eq!(first.writes(), []);

    let second = sandbox();
    let settings = Settings {
        allow_on_demand: true,
        ..open_settings()
    };
    let report = handle(&second, settings, &event).await;
    assert_eq!(report.outcome, Outcome::RepairedAndRetried, "{report:#?}");
}

#[tokio::test]
async fn a_vault_that_its_owner_opted_out_is_left_alone() {
    let sandbox = sandbox();
    let event = sandbox.event_for(OPTED_OUT).unwrap();
    let report = repair(&sandbox, &event).await;
    assert_eq!(failed_guards(&report), ["not-opted-out"]);
    assert_eq!(sandbox.writes(), []);
}

#[tokio::test]
async fn the_key_of_a_fully_managed_type_is_not_written_unless_a_setting_says_so() {
    let sandbox = sandbox();
    let event = sandbox.event_for(FULLY_MANAGED).unwrap();
    let report = repair(&sandbox, &event).await;
    assert!(report.verified);
    assert_eq!(policy_writes(&sandbox), [], "{report:#?}");
}

/// Nobody knows which principal of the destination uses the key, so nothing is confirmed; the owner
/// may choose the repair for the whole account all the same.
#[tokio::test]
async fn the_key_of_a_fully_managed_type_is_not_checkable_and_an_owners_choice() {
    let both = Settings {
        allow_fully_managed_keys: true,
        key_profile: KeyProfile::Documented,
        ..open_settings()
    };
    let profile_alone = Settings {
        allow_fully_managed_keys: false,
        ..both.clone()
    };
    let setting_alone = Settings {
        key_profile: KeyProfile::LeastPrivilege,
        ..both.clone()
    };
    for (settings, is_written) in [(profile_alone, false), (setting_alone, false), (both, true)] {
        let sandbox = sandbox();
        let event = sandbox.event_for(FULLY_MANAGED).unwrap();
        let report = handle(&sandbox, settings, &event).await;
        let first = &report.diagnosis.candidates[0];
        assert_eq!(first.cause, Cause::SourceKeyPolicy);
        assert_eq!(first.verdict, Verdict::NotCheckable, "{report:#?}");
        assert_eq!(
            policy_writes(&sandbox).len(),
            usize::from(is_written),
            "{report:#?}"
        );
        if is_written {
            assert_eq!(report.outcome, Outcome::RepairedAndRetried);
        } else {
            assert_eq!(
                failed_guards(&report),
                ["key-principal-known"],
                "{report:#?}"
            );
        }
    }
}

/// An Allow that rests on `aws:PrincipalOrgPaths` may or may not match: nobody outside can tell.
#[tokio::test]
async fn a_policy_that_rests_on_an_unknown_key_is_not_written() {
    let sandbox = sandbox();
    let event = sandbox.event_for(BY_PATH).unwrap();
    let report = repair(&sandbox, &event).await;
    assert_eq!(report.outcome, Outcome::Advised);
    assert_eq!(sandbox.writes(), []);
}

/// The first repair leads to a copy that fails for the next cause. That copy has no backup plan,
/// but it is our own.
#[tokio::test]
async fn two_causes_one_after_the_other_are_repaired_by_two_events() {
    let sandbox = sandbox();
    let first = repair(&sandbox, &sandbox.event_for(TWO_STEPS).unwrap()).await;
    assert_eq!(first.diagnosis.cause.slug(), "destination-vault-policy");
    assert_eq!(first.outcome, Outcome::RepairedAndRetried);
    let retried = first.retried_job.unwrap();
    let second = repair(&sandbox, &sandbox.event_for(&retried).unwrap()).await;
    assert_eq!(second.diagnosis.cause.slug(), "source-key-policy");
    assert_eq!(second.outcome, Outcome::RepairedAndRetried, "{second:#?}");
    let last = second.retried_job.unwrap();
    let state = sandbox.with_world(|world| world.copy_job(&last).unwrap().state());
    assert_eq!(state, copymend_diagnosis::CopyJobState::Completed);
}

#[tokio::test]
async fn without_a_ledger_nothing_is_written() {
    for event in [
        "destination-vault-policy",
        "source-key-policy",
        "service-fault",
    ] {
        let sandbox = sandbox().without_ledger();
        repair(&sandbox, &sample(event)).await;
        assert_eq!(sandbox.writes(), [], "{event}");
    }
}

/// Every read of an investigation that doesn't work is an unknown fact, and never leads to a write
/// that needs it.
#[tokio::test]
async fn no_read_that_fails_leads_to_a_write_that_needs_it() {
    let kinds = [
        CallErrorKind::AccessDenied,
        CallErrorKind::Failed,
        CallErrorKind::Unreadable,
    ];
    for (event, operations) in [
        (
            "destination-vault-policy",
            &[
                "backup:GetBackupVaultAccessPolicy",
                "backup:ListTags",
                "iam:GetRole",
                "organizations:DescribeOrganization",
            ][..],
        ),
        (
            "source-key-policy",
            &[
                "backup:DescribeRecoveryPoint",
                "kms:DescribeKey",
                "kms:GetKeyPolicy",
                "kms:ListKeyPolicies",
                "kms:ListResourceTags",
                "organizations:DescribeOrganization",
                "iam:GetRole",
            ][..],
        ),
    ] {
        for operation in operations {
            for kind in kinds {
                let sandbox = sandbox();
                sandbox.fail(operation, kind);
                let report = repair(&sandbox, &sample(event)).await;
                assert_eq!(
                    policy_writes(&sandbox),
                    [],
                    "{event} with {operation} {kind:?}"
                );
                let named = report
                    .diagnosis
                    .unknown
                    .iter()
                    .any(|why| why.operation == *operation);
                assert!(
                    named,
                    "{event}: {operation} is not named as unknown: {:?}",
                    report.diagnosis.unknown
                );
            }
        }
    }
}

#[tokio::test]
async fn a_job_that_cannot_be_read_is_never_acted_on() {
    for kind in [CallErrorKind::AccessDenied, CallErrorKind::Failed] {
        let sandbox = sandbox();
        sandbox.fail("backup:DescribeCopyJob", kind);
        let report = repair(&sandbox, &sample("destination-vault-policy")).await;
        assert!(!report.verified);
        assert_eq!(sandbox.writes(), []);
    }
}
