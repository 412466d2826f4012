//! The guards as people read of them: `docs/guards.md` is made of the table.

use std::fmt::Write as _;

use copymend_remediation::guards::{Act, Guard};

fn page() -> String {
    let mut page = String::from(
        "# The guards\n\n\
         Every guard of an act must pass before Copymend acts. What isn't known doesn't pass, and the guard says that it doesn't know, and why. A report names each guard that was asked, with \
         what it saw.\n\n\
         This page is made of the program's own table; `COPYMEND_DOCS=write cargo test --package copymend-remediation --test guards` writes \
         it anew.\n\n\
         | guard | it passes if | where it doesn't | asked of |\n|---|---|---|---|\n",
    );
    for guard in Guard::ALL {
        let entry = guard.entry();
        let acts: Vec<&str> = entry.asked_of.iter().map(|act| name(*act)).collect();
        let acts = if acts.len() == Act::ALL.len() {
            "everything".to_owned()
        } else {
            acts.join(", ")
        };
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {acts} |",
            entry.name, entry.meaning, entry.remedy
        );
    }
    page
}

const fn name(act: Act) -> &'static str {
    match act {
        Act::VaultPolicy => "vault policy",
        Act::KeyPolicy => "key policy",
        Act::ServiceLinkedRole => "service-linked role",
        Act::Retry => "retry",
    }
}

#[test]
fn the_page_of_the_guards_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guards.md");
    if std::env::var("COPYMEND_DOCS").as_deref() == Ok("write") {
        std::fs::write(path, page()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(written, page(), "write it anew with COPYMEND_DOCS=write");
}

#[test]
fn every_act_is_guarded_and_every_guard_is_asked_of_something() {
    for act in Act::ALL {
        let checklist: Vec<Guard> = act.checklist().collect();
        for guard in [
            Guard::VerifiedFailure,
            Guard::Mode,
            Guard::StartedByBackupPlan,
            Guard::FailureIsRecent,
            Guard::SourceAllowed,
            Guard::DestinationAllowed,
            Guard::NotPaused,
            Guard::NotOptedOut,
        ] {
            assert!(checklist.contains(&guard), "{act:?} without {guard:?}");
        }
        if act != Act::Retry {
            for guard in [Guard::SameOrganization, Guard::NotTakenBack, Guard::Lease] {
                assert!(checklist.contains(&guard), "{act:?} without {guard:?}");
            }
        }
    }
    let mut names: Vec<&str> = Guard::ALL.iter().map(|guard| guard.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Guard::ALL.len());
    for guard in Guard::ALL {
        let entry = guard.entry();
        assert!(!entry.asked_of.is_empty(), "{guard:?}");
        assert!(entry.meaning.ends_with('.') && entry.remedy.ends_with('.'));
    }
}
