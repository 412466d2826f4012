//! The pages for people: short where they must be, true, and without dead links.

use std::path::{Path, PathBuf};

use crate::support::run;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}

/// The pages at the top and in `docs`, by their names.
fn pages() -> Vec<String> {
    let names = ["", "docs", "docs/adr", "docs/causes"];
    let folders = names.into_iter().filter(|name| root().join(name).is_dir());
    folders
        .flat_map(|folder| {
            let files = std::fs::read_dir(root().join(folder)).unwrap();
            files.map(move |file| Path::new(folder).join(file.unwrap().file_name()))
        })
        .filter(|name| name.extension().is_some_and(|extension| extension == "md"))
        .map(|name| name.to_str().unwrap().to_owned())
        .collect()
}

/// What a heading's link is called, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    heading
        .chars()
        .filter_map(|character| match character {
            ' ' => Some('-'),
            '-' | '_' => Some(character),
            other => other.is_alphanumeric().then_some(other),
        })
        .collect()
}

/// The targets of a page's links that lead to other pages.
fn links(text: &str) -> Vec<&str> {
    let after = text.split("](").skip(1);
    after
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
        .filter(|target| !target.contains("://"))
        .collect()
}

#[test]
fn the_readme_has_at_most_900_words_and_names_both_commands() {
    let page = page("README.md");
    assert!(page.split_whitespace().count() <= 900);
    for command in ["make demo", "make test"] {
        assert!(page.contains(command), "{command}");
    }
}

#[test]
fn every_link_of_a_page_leads_somewhere() {
    let pages = pages();
    assert!(pages.len() > 15, "{pages:?}");
    let mut checked = 0;
    for name in &pages {
        let text = page(name);
        for link in links(&text) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                root().join(name)
            } else {
                root().join(name).parent().unwrap().join(file)
            };
            assert!(target.exists(), "{name}: {link}");
            if !heading.is_empty() {
                let text = std::fs::read_to_string(&target).unwrap();
                let mut headings = text.lines().filter(|line| line.starts_with('#'));
                assert!(
                    headings.any(|line| anchor(line) == heading),
                    "{name}: {link}"
                );
            }
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked}");
}

#[test]
fn every_page_is_linked_from_another() {
    let pages = pages();
    for name in &pages {
        let file = Path::new(name).file_name().unwrap().to_str().unwrap();
        let is_one_of_many = ["docs/adr/", "docs/causes/"]
            .iter()
            .any(|folder| name.starts_with(folder));
        if name == "README.md" || is_one_of_many {
            continue;
        }
        let is_linked = pages
            .iter()
            .filter(|other| *other != name)
            .any(|other| links(&page(other)).iter().any(|link| link.contains(file)));
        assert!(is_linked, "{name}");
    }
}

/// A command's page ends with its help. `COPYMEND_DOCS=write` writes it there.
#[test]
fn the_pages_of_commands_hold_their_help() {
    let pages = [
        ("scan", "docs/scan.md"),
        ("rpo", "docs/rpo.md"),
        ("preflight", "docs/preflight.md"),
        ("plan", "docs/plan.md"),
        ("apply", "docs/plan.md"),
        ("approve", "docs/approve.md"),
        ("refuse", "docs/approve.md"),
        ("history", "docs/history.md"),
    ];
    for (command, name) in pages {
        let text = page(name);
        let start = format!("`copymend {command} --help`:\n\n```text\n");
        let (before, block) = text.split_once(&start).unwrap();
        let (_, after) = block.split_once("```\n").unwrap();
        let help = run(&[command, "--help"]).stdout;
        let whole = format!("{before}{start}{help}```\n{after}");
        if std::env::var("COPYMEND_DOCS").is_ok_and(|value| value == "write") {
            std::fs::write(root().join(name), whole).unwrap();
        } else {
            assert_eq!(text, whole, "{name}: COPYMEND_DOCS=write writes it anew");
        }
    }
}

/// What agents are taught only reads: every command of the table exists, and none of those that write is
/// among them.
#[test]
fn the_skill_teaches_commands_that_exist_and_only_read() {
    const WRITES: [&str; 8] = [
        "apply", "approve", "refuse", "undo", "pause", "resume", "prove", "replay",
    ];
    let text = page("skills/copymend/SKILL.md");
    let front = text
        .strip_prefix("---\n")
        .unwrap()
        .split("---")
        .next()
        .unwrap();
    assert!(front.contains("name: copymend\n") && front.contains("description: "));
    let (teaches, never) = text.split_once("## What you never do").unwrap();
    let mut commands = Vec::new();
    for part in teaches.split("`copymend ").skip(1) {
        let command = part.split([' ', '`']).next().unwrap();
        assert!(!WRITES.contains(&command), "{command}");
        if command != "COMMAND" {
            assert_eq!(run(&[command, "--help"]).code, 0, "{command}");
            commands.push(command);
        }
    }
    assert_eq!(commands, ["explain", "scan", "preflight", "rpo", "plan"]);
    for command in WRITES {
        assert!(never.contains(command), "{command}");
    }
}

/// The first block of the page is an e-mail, of which lines may be left out.
#[test]
fn the_email_in_the_readme_is_real() {
    let page = page("README.md");
    let (_, block) = page.split_once("```text\n").unwrap();
    let (block, _) = block.split_once("```\n").unwrap();
    let (_, command) = page
        .split_once("`copymend replay --repair --message ")
        .unwrap();
    let (event, _) = command.split_once('`').unwrap();
    let ran = run(&["replay", "--repair", "--message", event]);
    let mut lines = ran.stdout.lines().map(str::trim);
    let shown: Vec<&str> = block.lines().collect();
    assert!(shown.len() > 10, "{block}");
    for line in shown {
        assert!(lines.any(|printed| printed == line), "{line}");
    }
}
