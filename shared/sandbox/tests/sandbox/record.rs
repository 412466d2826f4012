//! A record of what people and programs read: the JSON, the e-mail and the terminal view of every sample event, of every pair of
//! causes and of worlds that are drawn at random. A change of the program that isn't meant to be seen leaves it as it is.
//!
//! `COPYMEND_RECORD=write` writes it anew. `COPYMEND_RECORD_FOLDER` names a folder that takes the full texts, so that two versions of
//! the program can be compared. `COPYMEND_CASES` names a folder of worlds (`NAME.world.json`, `NAME.event.json`) to be recorded too.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use copymend_diagnosis::Cause;
use copymend_policy::{KeyProfile, VaultScope};
use copymend_remediation::advisor::{AccessAdvisor, AdvisorSettings, is_for_advisor};
use copymend_remediation::ports::{CallErrorKind, Clock, Reads};
use copymend_remediation::settings::{Mode, Settings};
use copymend_remediation::{CopyRemediator, Invocation};
use copymend_report::{Email, Style, email, json, terminal};
use copymend_sandbox::{NewCopy, Sandbox, World};
use jiff::SignedDuration;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::matrix::breaks::BREAKS;
use crate::matrix::messages::{MESSAGES, fail_with};
use crate::matrix::scene::{COPY, JOB, KEY, Scene, VAULT, event, open_settings};

/// How many worlds are drawn at random.
const DRAWN: u64 = 2_000;

/// What is recorded: a name, and the whole text.
type Texts = BTreeMap<String, String>;

fn invocation(sandbox: &Sandbox, number: usize) -> Invocation {
    Invocation {
        id: format!("record-{number}"),
        deadline: sandbox.clock().now() + SignedDuration::from_mins(2),
    }
}

/// Everything that is read of one event.
async fn answer(sandbox: &Sandbox, settings: &Settings, event: &Value, number: usize) -> String {
    let invocation = invocation(sandbox, number);
    let sent = sandbox.notifier().sent().len();
    let is_for_advisor = is_for_advisor(event);
    let answer = if is_for_advisor {
        let advisor = AccessAdvisor::new(sandbox.clone(), AdvisorSettings::default());
        advisor.handle(event, &invocation).await
    } else {
        let remediator = CopyRemediator::new(sandbox.clone(), settings.clone());
        remediator.handle(event, &invocation).await
    };
    let mut text = match answer {
        Ok(report) => {
            let Email { subject, body } = email(&report);
            let view = terminal(&report, Style::Plain);
            format!("{}\n{subject}\n{body}\n{view}", json(&report))
        }
        Err(error) => format!("{error}\n"),
    };
    if !is_for_advisor {
        let _ = writeln!(text, "told: {}", sandbox.notifier().sent().len() - sent);
    }
    text
}

/// The event of the same copy once more, started now.
fn copied_again(sandbox: &Sandbox, event: &Value) -> Option<Value> {
    let id = event.pointer("/detail/copyJobId")?.as_str()?;
    let next = sandbox.with_world(|world| {
        let job = world.copy_job(id)?.clone();
        let copy = NewCopy::again(&job);
        Some(world.start_copy(copy)?.id.clone())
    })?;
    sandbox.event_for(&next)
}

/// An event, its second delivery, the copy that it started again, and the same copy once more.
async fn story(sandbox: &Sandbox, settings: &Settings, event: &Value) -> String {
    let mut text = answer(sandbox, settings, event, 1).await;
    text.push_str(&answer(sandbox, settings, event, 2).await);
    let writes = sandbox.writes();
    let retried = writes
        .iter()
        .rev()
        .find(|write| write.operation == "backup:StartCopyJob");
    if let Some(event) = retried.and_then(|write| sandbox.event_for(&write.after)) {
        text.push_str(&answer(sandbox, settings, &event, 3).await);
    }
    if let Some(event) = copied_again(sandbox, event) {
        text.push_str(&answer(sandbox, settings, &event, 4).await);
    }
    for write in sandbox.writes() {
        let _ = writeln!(
            text,
            "{} {} {}",
            write.operation, write.resource, write.after
        );
    }
    text
}

fn of_mode(mode: Mode) -> Settings {
    Settings {
        create_service_linked_role: false,
        ..open_settings(mode)
    }
}

fn events_in(folder: &Path) -> Vec<(String, Value)> {
    let mut events: Vec<(String, Value)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(path).unwrap();
            (name, serde_json::from_str(&text).unwrap())
        })
        .collect();
    events.sort_by(|one, other| one.0.cmp(&other.0));
    events
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

async fn sample_events(texts: &mut Texts) {
    let of_copies = events_in(&folder("../../events"));
    for (name, event) in of_copies {
        for mode in [Mode::Observe, Mode::Repair] {
            let sandbox = Sandbox::new(World::default_world());
            let text = story(&sandbox, &of_mode(mode), &event).await;
            texts.insert(format!("events/{name}/{mode}"), text);
        }
    }
    for (name, event) in events_in(&folder("../../events/advisor")) {
        let sandbox = Sandbox::new(World::default_world());
        let text = answer(&sandbox, &of_mode(Mode::Observe), &event, 1).await;
        texts.insert(format!("events/advisor/{name}"), text);
    }
}

async fn cases(texts: &mut Texts) {
    let Some(folder) = std::env::var_os("COPYMEND_CASES") else {
        return;
    };
    for (name, event) in events_in(Path::new(&folder)) {
        let Some(name) = name.strip_suffix(".event") else {
            continue;
        };
        let world = Path::new(&folder).join(format!("{name}.world.json"));
        let world = World::from_json(&std::fs::read_to_string(world).unwrap()).unwrap();
        for mode in [Mode::Observe, Mode::Repair] {
            let sandbox = Sandbox::new(world.clone());
            let text = story(&sandbox, &of_mode(mode), &event).await;
            texts.insert(format!("cases/{name}/{mode}"), text);
        }
    }
}

/// What is done to the healthy copy beside the breaks.
#[derive(Clone, Copy, Default)]
struct Variation {
    is_on_demand: bool,
    is_vault_opted_out: bool,
    is_key_opted_out: bool,
}

/// The world of a scene, if its breaks can stand beside each other. What a message says is set before anything is broken.
fn loaded(breaks: &[usize], variation: Variation) -> Option<World> {
    let mut scene = Scene::healthy();
    let never = serde_json::json!({ "copymend": "never" });
    catch_unwind(AssertUnwindSafe(|| {
        for number in breaks.iter().rev() {
            match number.checked_sub(BREAKS.len()) {
                None => (BREAKS[*number].apply)(&mut scene),
                Some(message) => fail_with(&mut scene, MESSAGES[message].1),
            }
        }
        if variation.is_on_demand {
            scene.remove(COPY, "created_by");
        }
        if variation.is_vault_opted_out {
            scene.set(VAULT, "tags", never.clone());
        }
        if variation.is_key_opted_out {
            scene.set(KEY, "tags", never);
        }
        scene.load()
    }))
    .ok()
}

async fn pairs(texts: &mut Texts) {
    let all = BREAKS.len() + MESSAGES.len();
    for first in 0..BREAKS.len() {
        for second in first..all {
            let breaks = [first, second];
            let breaks = if first == second {
                &breaks[..1]
            } else {
                &breaks
            };
            let Some(world) = loaded(breaks, Variation::default()) else {
                continue;
            };
            let sandbox = Sandbox::new(world);
            let Some(event) = sandbox.event_for(JOB) else {
                continue;
            };
            let text = story(&sandbox, &open_settings(Mode::Repair), &event).await;
            texts.insert(format!("pairs/{first:02}-{second:02}"), text);
        }
    }
}

/// Numbers that look random and are the same each time (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % end as u64).unwrap()
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }
}

/// Calls that may fail, each in its own way.
const CALLS: [&str; 22] = [
    "backup:DescribeRecoveryPoint",
    "backup:DescribeBackupVault",
    "backup:GetBackupVaultAccessPolicy",
    "backup:ListTags",
    "backup:DescribeGlobalSettings",
    "backup:PutBackupVaultAccessPolicy",
    "backup:StartCopyJob",
    "kms:DescribeKey",
    "kms:GetKeyPolicy",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "iam:GetRole",
    "iam:SimulatePrincipalPolicy",
    "iam:CreateServiceLinkedRole",
    "organizations:DescribeOrganization",
    "ledger:PolicyHistory",
    "ledger:Pause",
    "ledger:AdmittedAt",
    "ledger:RetryOf",
    "ledger:CountRetry",
    "ledger:ConfirmChange",
];

fn drawn_settings(dice: &mut Dice) -> Settings {
    let mut settings = open_settings(dice.of(&[Mode::Repair, Mode::Repair, Mode::Observe]));
    settings.create_service_linked_role = dice.below(3) > 0;
    settings.vault_scope = dice.of(&[
        VaultScope::Role,
        VaultScope::Role,
        VaultScope::Account,
        VaultScope::Organization,
        VaultScope::OrganizationalUnit,
    ]);
    settings.key_profile = dice.of(&[KeyProfile::LeastPrivilege, KeyProfile::Documented]);
    settings.allow_on_demand = dice.below(2) == 0;
    if dice.below(8) == 0 {
        settings.allowed_destinations.clear();
    }
    if dice.below(8) == 0 {
        settings.allowed_keys.clear();
    }
    match dice.below(8) {
        0 => settings.allowed_sources.clear(),
        1 => settings.allowed_sources = vec!["111122223333".parse().unwrap()],
        2 => {
            settings.allowed_sources =
                vec!["arn:aws:iam::111122223333:role/Backup*".parse().unwrap()];
        }
        _ => {}
    }
    if dice.below(10) == 0 {
        settings.retry_budget = 0;
    }
    if dice.below(10) == 0 {
        settings.write_budget = 0;
    }
    settings
}

/// The number of a break, or of a message after them.
fn place_of(cause: Cause) -> usize {
    let breaks = BREAKS.iter().map(|broken| broken.cause);
    let mut all = breaks.chain(MESSAGES.iter().map(|(cause, _)| *cause));
    all.position(|one| one == cause).unwrap()
}

async fn drawn(texts: &mut Texts) {
    for seed in 0..DRAWN {
        let mut dice = Dice(seed);
        let world = loop {
            let mut breaks: Vec<usize> = (0..=dice.below(3))
                .map(|_| match dice.below(5) {
                    0 | 1 => dice.below(BREAKS.len() + MESSAGES.len()),
                    2 => place_of(Cause::DestinationVaultPolicy),
                    3 => place_of(Cause::SourceKeyPolicy),
                    _ => dice.of(&[
                        place_of(Cause::ServiceLinkedRole),
                        place_of(Cause::ServiceFault),
                        place_of(Cause::Transient),
                    ]),
                })
                .collect();
            breaks.sort_unstable();
            breaks.dedup();
            let variation = Variation {
                is_on_demand: dice.below(5) == 0,
                is_vault_opted_out: dice.below(12) == 0,
                is_key_opted_out: dice.below(12) == 0,
            };
            let Some(world) = loaded(&breaks, variation) else {
                continue;
            };
            let sandbox = Sandbox::new(world.clone());
            if sandbox.event_for(JOB).is_some() {
                break world;
            }
        };
        let settings = drawn_settings(&mut dice);
        let sandbox = Sandbox::new(world);
        if dice.below(3) == 0 {
            let call = dice.of(&CALLS);
            let kind = dice.of(&[
                CallErrorKind::AccessDenied,
                CallErrorKind::Throttled,
                CallErrorKind::Unreadable,
                CallErrorKind::Failed,
            ]);
            if dice.below(2) == 0 {
                sandbox.fail(call, kind);
            } else {
                sandbox.calls().fail_call(call, 1, kind);
            }
        }
        let event = event(&sandbox);
        let text = story(&sandbox, &settings, &event).await;
        texts.insert(format!("drawn/{seed:04}"), text);
    }
}

fn hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(6).fold(String::new(), |mut hash, byte| {
        let _ = write!(hash, "{byte:02x}");
        hash
    })
}

#[tokio::test]
async fn what_people_and_programs_read_is_as_recorded() {
    std::panic::set_hook(Box::new(|_| {}));
    let mut texts = Texts::new();
    sample_events(&mut texts).await;
    cases(&mut texts).await;
    pairs(&mut texts).await;
    drawn(&mut texts).await;
    drop(std::panic::take_hook());
    if let Some(folder) = std::env::var_os("COPYMEND_RECORD_FOLDER") {
        for (name, text) in &texts {
            let path = Path::new(&folder).join(name.replace('/', "~"));
            std::fs::write(path, text).unwrap();
        }
    }
    let file = folder("tests/sandbox/record.txt");
    let lines: BTreeMap<&str, String> = texts
        .iter()
        .map(|(name, text)| (name.as_str(), hash(text)))
        .collect();
    if std::env::var("COPYMEND_RECORD").as_deref() == Ok("write") {
        let text = lines.iter().fold(String::new(), |mut text, (name, hash)| {
            let _ = writeln!(text, "{name} {hash}");
            text
        });
        std::fs::write(&file, text).unwrap();
        return;
    }
    let recorded = std::fs::read_to_string(&file).unwrap();
    let recorded: BTreeMap<&str, &str> = recorded
        .lines()
        .filter_map(|line| line.split_once(' '))
        // Cases are recorded where their folder is at hand.
        .filter(|(name, _)| !name.starts_with("cases/") || lines.contains_key(name))
        .collect();
    let different: Vec<&str> = lines
        .iter()
        .filter(|(name, hash)| recorded.get(*name) != Some(&hash.as_str()))
        .map(|(name, _)| *name)
        .collect();
    assert!(
        different.is_empty() && recorded.len() == lines.len(),
        "{} of {} differ: {:?}",
        different.len(),
        lines.len(),
        different.iter().take(60).collect::<Vec<_>>()
    );
}
