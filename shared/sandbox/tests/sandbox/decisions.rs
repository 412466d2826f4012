//! What is decided, and what never is: held against the facts of every break, and of breaks side by
//! side.

use copymend_diagnosis::messages::explain;
use copymend_diagnosis::{
    BackupCopy, Cause, CopyJobEvent, Diagnosis, Fact, Facts, Failure, SourceKey, UnknownReason,
    Verdict, WhyUnknown, diagnose, obstacles,
};
use copymend_remediation::decide::{Decided, Decision, Investigated, decide};
use copymend_remediation::guards::StartedBy;
use copymend_remediation::history::History;
use copymend_remediation::investigate::investigate;
use copymend_remediation::ports::{Backup, Clock, Location, Reads};
use copymend_remediation::settings::{Mode, Settings};
use copymend_sandbox::Sandbox;

use crate::matrix::breaks::BREAKS;
use crate::matrix::scene::{JOB, Scene, event, open_settings};

/// A failure with its facts and its diagnosis.
struct Case {
    failure: Failure,
    facts: Facts,
    history: History,
}

impl Case {
    async fn of(scene: &Scene) -> Option<Self> {
        let sandbox = Sandbox::new(scene.load());
        sandbox.event_for(JOB)?;
        let event = CopyJobEvent::from_json(&event(&sandbox)).unwrap();
        let location = Location {
            account: event.account.parse().unwrap(),
            region: event.region.clone(),
        };
        let job = sandbox
            .backup()
            .describe_copy_job(&location, &event.copy_job_id);
        let failure = Failure::verify(&event, job.await.unwrap()?).ok()?;
        let facts = investigate(&sandbox, failure.copy()).await;
        let history = History {
            now: sandbox.clock().now(),
            started_by: StartedBy::BackupPlan,
            pause: Some(Ok(None)),
            retry: None,
            retries: None,
            writes: None,
            has_opted_out_key: true,
            intended: None,
            retried_as: None,
            earlier_repair: None,
            is_asked_by_a_person: false,
            agreement: None,
            notes: Vec::new(),
        };
        Some(Self {
            failure,
            facts,
            history,
        })
    }

    fn diagnosis(&self) -> Diagnosis {
        let explanation = explain(&self.failure.job().status_message);
        diagnose(&self.failure, &explanation, &self.facts)
    }

    fn decide(&self, settings: &Settings) -> Decided {
        let investigated = Investigated::Whole(Box::new(self.facts.clone()));
        let diagnosis = self.diagnosis();
        decide(
            &self.failure,
            &diagnosis,
            &investigated,
            settings,
            &self.history,
        )
    }
}

/// Every break alone, and every two of them that can stand beside each other.
async fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (number, first) in BREAKS.iter().enumerate() {
        for second in &BREAKS[number..] {
            std::panic::set_hook(Box::new(|_| {}));
            let broken = std::panic::catch_unwind(|| {
                let mut scene = Scene::healthy();
                (first.apply)(&mut scene);
                if first.cause != second.cause {
                    (second.apply)(&mut scene);
                }
                scene
            });
            drop(std::panic::take_hook());
            if let Ok(scene) = broken {
                cases.extend(Case::of(&scene).await);
            }
        }
    }
    assert!(cases.len() > 200, "{}", cases.len());
    cases
}

const fn writes_or_starts(decision: &Decision) -> bool {
    match decision {
        Decision::Repair(_) | Decision::Retry | Decision::Resume(..) => true,
        Decision::Propose(_)
        | Decision::ReadAgain(_)
        | Decision::Advise
        | Decision::Refuse(_)
        | Decision::Nothing => false,
    }
}

#[tokio::test]
async fn deciding_is_deterministic_observe_mode_never_acts_and_no_refused_guard_lets_anything_pass()
{
    let mut repaired = 0;
    for case in cases().await {
        let repair = open_settings(Mode::Repair);
        let decided = case.decide(&repair);
        assert_eq!(
            format!("{decided:?}"),
            format!("{:?}", case.decide(&repair))
        );
        if writes_or_starts(&decided.decision) {
            repaired += 1;
            assert!(decided.guards.iter().all(|guard| guard.passed));
        }
        let observed = case.decide(&open_settings(Mode::Observe));
        assert!(!writes_or_starts(&observed.decision), "{observed:?}");
        // What observe mode shows is what repair mode does.
        let is_shown = matches!(observed.decision, Decision::Propose(_));
        assert_eq!(is_shown, writes_or_starts(&decided.decision));
        // One guard after the other refuses.
        for settings in [
            Settings {
                allowed_destinations: Vec::new(),
                ..repair.clone()
            },
            Settings {
                allowed_sources: Vec::new(),
                ..repair.clone()
            },
            Settings {
                max_age_hours: 0,
                ..repair.clone()
            },
        ] {
            assert!(!writes_or_starts(&case.decide(&settings).decision));
        }
    }
    assert!(repaired > 3, "{repaired}");
}

fn unknown<T>() -> Fact<T> {
    Fact::Unknown(WhyUnknown {
        operation: "test:Read".to_owned(),
        resource: "it".to_owned(),
        reason: UnknownReason::AccessDenied,
        detail: "made unknown".to_owned(),
    })
}

/// Each fact that a repair rests on, taken away alone.
#[tokio::test]
async fn an_unknown_fact_never_repairs() {
    type Forget = fn(&mut Facts);
    let of_both: [(&str, Forget); 3] = [
        ("vault_tags", |facts| facts.vault_tags = unknown()),
        ("source_organization", |facts| {
            facts.source_organization = unknown();
        }),
        ("destination_organization", |facts| {
            facts.destination_organization = unknown();
        }),
    ];
    let of_vault: [(&str, Forget); 2] = [
        ("vault_policy", |facts| facts.vault_policy = unknown()),
        ("job_role", |facts| facts.job_role = unknown()),
    ];
    let of_key: [(&str, Forget); 8] = [
        ("source_vault", |facts| facts.source_vault = unknown()),
        ("destination_vault", |facts| {
            facts.destination_vault = unknown();
        }),
        ("service_linked_role", |facts| {
            facts.service_linked_role = unknown();
        }),
        ("key", |facts| with_key(facts, |key| key.key = unknown())),
        ("policy", |facts| {
            with_key(facts, |key| key.policy = unknown());
        }),
        ("policy_names", |facts| {
            with_key(facts, |key| key.policy_names = unknown());
        }),
        ("tags", |facts| with_key(facts, |key| key.tags = unknown())),
        ("source_key", |facts| {
            if let Fact::Unknown(why) = unknown::<()>() {
                facts.source_key = SourceKey::Unknown(why);
            }
        }),
    ];
    for (cause, forget) in [
        (Cause::DestinationVaultPolicy, &of_vault[..]),
        (Cause::SourceKeyPolicy, &of_key[..]),
        (Cause::ServiceLinkedRole, &of_key[2..3]),
    ] {
        let broken = BREAKS.iter().find(|broken| broken.cause == cause).unwrap();
        let mut scene = Scene::healthy();
        (broken.apply)(&mut scene);
        let case = Case::of(&scene).await.unwrap();
        let settings = open_settings(Mode::Repair);
        assert!(
            matches!(case.decide(&settings).decision, Decision::Repair(_)),
            "{cause}"
        );
        for (name, forget) in of_both.iter().chain(forget) {
            let mut facts = case.facts.clone();
            forget(&mut facts);
            let forgetful = Case {
                failure: case.failure.clone(),
                facts,
                history: case.history.clone(),
            };
            let decided = forgetful.decide(&settings);
            let repairs = matches!(decided.decision, Decision::Repair(_));
            assert!(!repairs, "{cause} without {name}: {decided:#?}");
        }
    }
}

fn with_key(facts: &mut Facts, change: impl FnOnce(&mut copymend_diagnosis::KeyFacts)) {
    if let SourceKey::Key(key) = &mut facts.source_key {
        change(key);
    }
}

/// A copy that was never tried: no job, no message.
#[tokio::test]
async fn what_would_stop_a_copy_is_seen_without_a_failed_job() {
    let seen_by = async |scene: &Scene| -> Vec<Cause> {
        let sandbox = Sandbox::new(scene.load());
        let job = sandbox.with_world(|world| world.copy_job(JOB).unwrap().clone());
        let copy = BackupCopy {
            account: job.account,
            region: job.region.clone(),
            source_vault: job.source_vault.clone(),
            source_recovery_point: job.recovery_point.clone(),
            destination_account: job.destination_vault.account_id().unwrap(),
            destination_vault: job.destination_vault.clone(),
            role: job.role.clone(),
            resource: job.resource.clone(),
            resource_type: job.resource_type.clone(),
            lifecycle: job.lifecycle.clone(),
            tried_at: None,
        };
        let facts = investigate(&sandbox, &copy).await;
        let found = obstacles(&copy, &facts);
        let confirmed = found
            .iter()
            .filter(|found| found.verdict == Verdict::Confirmed);
        confirmed.map(|found| found.cause).collect()
    };
    assert_eq!(seen_by(&Scene::healthy()).await, []);
    for broken in &BREAKS {
        let mut scene = Scene::healthy();
        (broken.apply)(&mut scene);
        // Only a message tells of these: the simulator alone isn't believed, AWS Backup denies what is
        // asked about a vault that doesn't exist, tags of a snapshot are EC2's, and resource control
        // policies can't be read.
        let is_told_by_messages = [
            Cause::ServiceControlPolicy,
            Cause::VaultNotFound,
            Cause::ResourceControlPolicy,
            Cause::TagLimit,
            Cause::TagPolicy,
        ]
        .contains(&broken.cause);
        let expected = if is_told_by_messages {
            vec![]
        } else {
            vec![broken.cause]
        };
        assert_eq!(seen_by(&scene).await, expected, "{}", broken.cause);
    }
}
