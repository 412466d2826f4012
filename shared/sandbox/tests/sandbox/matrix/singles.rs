//! Every cause alone.

use std::fmt::Write as _;

use copymend_diagnosis::Cause;
use copymend_remediation::settings::Mode;
use copymend_sandbox::Sandbox;

use super::breaks::BREAKS;
use super::messages::{BEYOND_THE_CHECKS, MESSAGES, fail_with};
use super::scene::{Scene, broken_rule, handle, named};

#[test]
fn nothing_is_broken_in_the_healthy_world() {
    let world = Scene::healthy().load();
    assert_eq!(
        world.copy_jobs()[0].state(),
        copymend_diagnosis::CopyJobState::Completed
    );
}

#[test]
fn every_cause_of_a_failed_copy_is_broken_in_some_way() {
    let covered: Vec<Cause> = BREAKS
        .iter()
        .map(|broken| broken.cause)
        .chain(MESSAGES.iter().map(|(cause, _)| *cause))
        .collect();
    // Causes of refused calls, and of backup and restore jobs.
    let of_others = [Cause::CallerPermission, Cause::KeyPolicy];
    for cause in Cause::ALL {
        assert_eq!(
            covered.iter().filter(|covered| *covered == cause).count(),
            usize::from(!of_others.contains(cause)),
            "{cause}"
        );
    }
}

/// What a report on the copy of this scene names.
async fn names(scene: &Scene) -> Vec<Cause> {
    named(&handle(&Sandbox::new(scene.load()), Mode::Observe).await)
}

/// The causes that are named when each one is broken, as a table.
#[tokio::test]
async fn what_is_broken_alone_is_named_alone() {
    let mut rows = Vec::new();
    for broken in BREAKS {
        let mut scene = Scene::healthy();
        (broken.apply)(&mut scene);
        assert_eq!(broken_rule(&scene.load()), Some(broken.cause));
        rows.push((broken.cause, names(&scene).await));
    }
    for (cause, message) in MESSAGES {
        let mut scene = Scene::healthy();
        fail_with(&mut scene, message);
        rows.push((cause, names(&scene).await));
    }
    insta::assert_snapshot!("confusion", table(&rows));
    for (broken, named) in rows {
        assert_eq!(named, [broken]);
    }
}

/// Rows are broken, columns named; `#` is the first cause of the report, `+` another one that is
/// shown.
fn table(rows: &[(Cause, Vec<Cause>)]) -> String {
    let mut text = String::new();
    for (number, (broken, named)) in rows.iter().enumerate() {
        write!(text, "{:>2} {:<30}", number + 1, broken.slug()).unwrap();
        for (column, _) in rows {
            let mark = match named.iter().position(|cause| cause == column) {
                Some(0) => '#',
                Some(_) => '+',
                None => '.',
            };
            write!(text, " {mark}").unwrap();
        }
        for outside in named
            .iter()
            .filter(|cause| rows.iter().all(|(column, _)| column != *cause))
        {
            write!(text, " {outside}").unwrap();
        }
        text.push('\n');
    }
    text
}

#[tokio::test]
async fn what_the_checks_do_not_reach_is_not_excluded_by_them() {
    for (cause, message) in BEYOND_THE_CHECKS {
        let mut scene = Scene::healthy();
        fail_with(&mut scene, message);
        assert_eq!(names(&scene).await, [cause], "{message}");
    }
}
