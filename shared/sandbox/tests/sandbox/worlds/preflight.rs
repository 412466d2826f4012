//! What is foreseen of a planned copy comes true: in the worlds as they are drawn, with one way left
//! that breaks them, with one way mended, and whole.

use std::sync::atomic::{AtomicU64, Ordering};

use copymend_diagnosis::{BackupVaultArn, Cause};
use copymend_remediation::ports::Location;
use copymend_sandbox::editor::{self, Drawn, JOB};
use copymend_sandbox::{NewCopy, Sandbox, World};
use copymend_survey::preflight::{WhichPlans, preflight};
use serde_json::{Value, json};

use super::ahead::differs;
use super::known;
use super::story::{failure, in_short, run};
use super::{Broken, hold};
use crate::foreseen::{Planned, management, planned};

/// The least that is decided of the worlds in which nothing is refused, in percent.
const LEAST_DECIDED: u64 = 95;

/// The same world in its stages.
fn stages(seed: u64) -> [(&'static str, Drawn); 4] {
    let drawn = editor::draw(seed);
    let (mut one_left, mut one_mended, mut whole) = (drawn.clone(), drawn.clone(), drawn.clone());
    for (place, broken) in drawn.breaks().iter().enumerate() {
        whole.mend(broken);
        if place == 0 {
            one_mended.mend(broken);
        } else {
            one_left.mend(broken);
        }
    }
    [
        ("as drawn", drawn),
        ("with one way left", one_left),
        ("with one way mended", one_mended),
        ("whole", whole),
    ]
}

/// Worlds in which nothing is refused, and those of them that were decided.
#[derive(Default)]
struct Tally {
    readable: [AtomicU64; 4],
    decided: [AtomicU64; 4],
    refused: AtomicU64,
}

fn untrue(seed: u64, tally: &Tally) -> Vec<Broken> {
    let mut wrong = Vec::new();
    for (at, (stage, drawn)) in stages(seed).into_iter().enumerate() {
        let world = drawn.world().unwrap();
        let planned = run(planned(&world, JOB, management()));
        // Without the organization's policies less is decided, and what is must be true.
        let unread = run(crate::foreseen::planned(&world, JOB, None));
        if !unread.is_true() {
            wrong.push((
                format!("without a reader: {}", unread.foreseen.slug()),
                format!("{stage}: {}\n  {:?}", in_short(&drawn), unread.fate),
            ));
        }
        if planned.is_readable {
            tally.readable[at].fetch_add(1, Ordering::Relaxed);
            let decided = u64::from(planned.is_decided());
            tally.decided[at].fetch_add(decided, Ordering::Relaxed);
        } else {
            tally.refused.fetch_add(1, Ordering::Relaxed);
        }
        let what = || format!("{stage}: {}\n  {:?}", in_short(&drawn), planned.foreseen);
        if !planned.is_true() {
            let ended = match &planned.fate {
                Ok(()) => "it completed".to_owned(),
                Err(failure) => format!("{:?} stopped it", failure.cause),
            };
            let slug = planned.foreseen.slug();
            wrong.push((format!("{slug}, and {ended}"), what()));
        }
        for cause in made_up(&planned, &drawn) {
            wrong.push((format!("made up: {cause}"), what()));
        }
    }
    wrong
}

/// The same world with the plan that makes its copy, and a backup that the plan's rule made.
fn with_plan(drawn: &Drawn) -> World {
    let mut world = drawn.json().clone();
    let job = world["copy_jobs"][0].clone();
    let source: BackupVaultArn = job["source_vault_arn"].as_str().unwrap().parse().unwrap();
    let place = format!(
        "/accounts/{}/regions/{}",
        source.arn().account(),
        source.region()
    );
    let points = format!("{place}/vaults/{}/recovery_points", source.name());
    let mut resources = Vec::new();
    let points = world.pointer_mut(&points).and_then(Value::as_array_mut);
    for point in points.into_iter().flatten() {
        point["created_by"] = json!({
            "backup_plan_arn": format!("arn:aws:backup:{}:{}:backup-plan:plan-1", source.region(), source.arn().account()),
            "backup_plan_id": "plan-1",
            "backup_rule_id": "rule-1",
        });
        point["iam_role_arn"] = job["iam_role_arn"].clone();
        resources.push(point["resource_arn"].clone());
    }
    let mut action = json!({"destination_vault_arn": job["destination_vault_arn"]});
    if let Some(lifecycle) = job.get("lifecycle") {
        action["lifecycle"] = lifecycle.clone();
    }
    world.pointer_mut(&place).unwrap()["backup_plans"] = json!({"plan-1": {
        "rules": [{"id": "rule-1", "target_vault": source.name(), "copy_actions": [action]}],
        "selections": {"all": {"iam_role_arn": job["iam_role_arn"], "resources": resources}},
    }});
    World::from_json(&world.to_string()).unwrap()
}

/// What `preflight` finds in a world with the plan is what becomes of the copy that the plan makes.
fn untrue_of_plan(seed: u64) -> Vec<Broken> {
    let (mut wrong, stages) = (Vec::new(), stages(seed));
    let at = usize::try_from(seed).unwrap_or_default() % stages.len();
    let (stage, drawn) = &stages[at];
    let world = with_plan(drawn);
    let job = world.copy_job(JOB).unwrap().clone();
    let sandbox = Sandbox::new(world.clone())
        .reading_images(true)
        .reading_tags(true)
        .reading_paths_in(management());
    let place = Location::new(job.account, &job.region);
    let which = WhichPlans::default();
    let places = [place];
    let mut found = run(preflight(
        &sandbox,
        &sandbox,
        &places,
        "aws",
        &which,
        &|_| {},
    ));
    let ahead = differs(&mut found, &sandbox, &places[0]);
    let mut say = |kind: &str, more: &str| {
        let what = format!("{stage}: {}\n  {more}\n  {found:?}", in_short(drawn));
        wrong.push((kind.to_owned(), what));
    };
    if !found.not_read.is_empty() || !found.unreadable.is_empty() || found.plans != 1 {
        say("the plan is not read", "");
    }
    if let Some(difference) = ahead {
        say("ahead, another decision", &difference);
    }
    for judged in &found.routes {
        let mut copy = NewCopy::again(&job);
        copy.lifecycle.clone_from(&judged.route.copy.lifecycle);
        let planned = Planned {
            foreseen: judged.foreseen.clone(),
            fate: world.would(&copy),
            is_readable: true,
        };
        if !planned.is_true() {
            say("of a plan, not true", &format!("{:?}", planned.fate));
        }
    }
    let points = world.vault(&job.source_vault);
    let has_backup = points.is_some_and(|vault| !vault.recovery_points.is_empty());
    if found.routes.len() != usize::from(has_backup) {
        say("of a plan, not one route", "");
    }
    wrong
}

#[test]
fn what_preflight_says_of_a_plan_comes_true() {
    hold(untrue_of_plan, &known::FORESEEN);
}

/// Causes in the way that stop nothing, if they alone are left.
fn made_up(planned: &Planned, drawn: &Drawn) -> Vec<Cause> {
    let mut causes = planned.in_the_way();
    causes.retain(|cause| {
        let mut alone = drawn.clone();
        for broken in drawn.breaks() {
            if broken.cause != *cause {
                alone.mend(broken);
            }
        }
        failure(&alone).is_none()
    });
    causes
}

#[test]
fn what_is_foreseen_comes_true_and_nearly_everything_is_decided() {
    let tally = Tally::default();
    hold(|seed| untrue(seed, &tally), &known::FORESEEN);
    let count = |counts: &[AtomicU64; 4]| counts.each_ref().map(|one| one.load(Ordering::Relaxed));
    let (readable, decided) = (count(&tally.readable), count(&tally.decided));
    println!(
        "decided {decided:?} of {readable:?}, refused {:?}",
        tally.refused
    );
    for (decided, readable) in decided.into_iter().zip(readable) {
        assert!(
            decided * 100 >= readable * LEAST_DECIDED,
            "decided {decided} of {readable} worlds in which nothing is refused"
        );
    }
}
