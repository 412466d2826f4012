//! The pages of `docs/causes` are made from the causes' entries. `COPYMEND_DOCS=write` writes them
//! anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use copymend_diagnosis::{Advice, Cause, CopyJobEvent, Remedy, advise};
use serde_json::{Value, json};

const MESSAGES: &str = include_str!("data/messages.tsv");

/// A copy of an EBS snapshot to another account and Region, which nobody has verified yet.
fn event() -> Value {
    json!({
        "version": "0", "id": "3f2c", "source": "aws.backup", "detail-type": "Copy Job State Change",
        "account": "111122223333", "region": "eu-west-1", "time": "2026-03-01T02:00:00Z",
        "resources": ["arn:aws:ec2:eu-west-1::snapshot/snap-0a1b2c3d4e5f60718"],
        "detail": {
            "copyJobId": "8F1B2C3D-1111-2222-3333-444455556666", "state": "FAILED",
            "iamRoleArn": "arn:aws:iam::111122223333:role/BackupRole",
            "resourceArn": "arn:aws:ec2:eu-west-1:111122223333:volume/vol-0a1b2c3d4e5f60718",
            "resourceType": "EBS",
            "sourceBackupVaultArn": "arn:aws:backup:eu-west-1:111122223333:backup-vault:prod-vault",
            "destinationBackupVaultArn": "arn:aws:backup:eu-central-1:444455556666:backup-vault:dr-vault"
        }
    })
}

/// The advice for the sample, without the step that asks for its verification.
fn advice(cause: Cause, event: &CopyJobEvent) -> Advice {
    let mut advice = advise(cause, event, None);
    advice.steps.remove(0);
    advice
}

/// Causes of refused calls and other jobs. The access advisor's report has advice of its own for
/// them.
const fn is_of_a_copy(cause: Cause) -> bool {
    !matches!(cause, Cause::CallerPermission | Cause::KeyPolicy)
}

fn example(cause: Cause) -> Option<&'static str> {
    let lines = MESSAGES.lines().skip(1);
    let mut rows = lines.filter_map(|line| line.split_once('\t'));
    let (_, row) = rows.find(|(slug, _)| *slug == cause.slug())?;
    row.split_once('\t').map(|(_, message)| message)
}

const fn what_copymend_does(cause: Cause) -> &'static str {
    if cause.is_lack_of_room() {
        return "Copymend changes no policy. In repair mode it starts the copy again one to five minutes later, when there may be room, if its \
                lists admit the copy and the retry budget is not used up; its report names the time, with the outcome `retry-planned`. A copy \
                that finds no room again waits again, until the budget is used up. Otherwise its report says what to do.";
    }
    match cause.remedy() {
        Remedy::Repair(_) => {
            "Copymend can repair this. It does so only in repair mode, where the facts show the cause and every guard passes; then it \
             starts the copy again. Otherwise its report says what to do."
        }
        Remedy::Retry => {
            "Copymend changes no policy. In repair mode it starts the copy again, if its lists admit the copy and the retry budget is not \
             used up. Otherwise its report says what to do."
        }
        Remedy::Advise => "Copymend changes nothing. Its report says what to do.",
    }
}

fn steps(advice: &Advice) -> String {
    let one = |(number, step): (usize, &String)| match step.split_once('\n') {
        None => format!("{number}. {step}\n"),
        Some((sentence, command)) => {
            let command = command.replace('\n', "\n   ");
            format!("{number}. {sentence}\n\n   ```\n   {command}\n   ```\n\n")
        }
    };
    (1..).zip(&advice.steps).map(one).collect()
}

fn page(cause: Cause, event: &CopyJobEvent) -> String {
    let advice = advice(cause, event);
    let seen = match example(cause) {
        Some(message) => format!("An example of AWS's message:\n\n```\n{message}\n```"),
        None if is_of_a_copy(cause) => "No message points at this cause alone.".to_owned(),
        None => "The message of a refused call, or of a job that is not a copy. It comes in many wordings.".to_owned(),
    };
    let unread = if cause.is_shown_by_facts() {
        " Where something cannot be read, the cause stays possible, and nothing is changed because of it."
    } else {
        ""
    };
    let people = if is_of_a_copy(cause) {
        let steps = steps(&advice);
        format!(
            "Who acts: {}.\n\nFor a copy of an EBS snapshot from account 111122223333 to account 444455556666:\n\n{}",
            advice.who,
            steps.trim_end()
        )
    } else {
        "They do what the access advisor's report says of the refused call.".to_owned()
    };
    format!(
        "<!-- Made from the cause's entry by shared/diagnosis/tests/pages.rs. Don't edit. -->\n\
         <!-- no block of this page is run: the commands are those of an example, on resources that nobody has -->\n\n\
         # {}\n\n`{cause}`\n\n## What people see\n\n{seen}\n\n## Why it happens\n\n{}\n\n## How it is found\n\n{}{unread}\n\n\
         ## What Copymend does\n\n{}\n\n## What people do\n\n{people}\n\n## AWS's page\n\n<{}>\n",
        cause.title(),
        cause.happens(),
        cause.found(),
        what_copymend_does(cause),
        advice.page,
    )
}

fn table() -> String {
    let row = |cause: &Cause| {
        let remedy = match cause.remedy() {
            Remedy::Retry | Remedy::Advise if cause.is_lack_of_room() => {
                "starts the copy again minutes later"
            }
            Remedy::Repair(_) => "repairs it, behind every guard",
            Remedy::Retry => "starts the copy again",
            Remedy::Advise => "says what to do",
        };
        let shown = if cause.is_shown_by_facts() {
            "message and facts"
        } else {
            "message"
        };
        format!(
            "| [`{cause}`](causes/{cause}.md) | {} | {shown} | {remedy} |\n",
            cause.title()
        )
    };
    let rows: String = Cause::ALL.iter().map(row).collect();
    format!(
        "<!-- Made from the causes' entries by shared/diagnosis/tests/pages.rs. Don't edit. -->\n\n\
         # The causes\n\nWhy a copy failed, or another job or call of AWS Backup. Each cause has a page. A message alone never leads to a \
         change: only what the facts show does.\n\n\
         | cause | what is wrong | found by | what Copymend does |\n|---|---|---|---|\n{rows}"
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test reads and writes the pages; the crate doesn't"
)]
#[test]
fn the_pages_of_the_causes_are_as_their_entries_say() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let event = CopyJobEvent::from_json(&event()).unwrap();
    let mut pages: BTreeMap<PathBuf, String> = Cause::ALL
        .iter()
        .map(|cause| {
            (
                docs.join(format!("causes/{cause}.md")),
                page(*cause, &event),
            )
        })
        .collect();
    let no_longer: Vec<PathBuf> = std::fs::read_dir(docs.join("causes"))
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !pages.contains_key(path))
        .collect();
    pages.insert(docs.join("causes.md"), table());
    if std::env::var("COPYMEND_DOCS").as_deref() == Ok("write") {
        std::fs::create_dir_all(docs.join("causes")).unwrap();
        for (path, text) in &pages {
            std::fs::write(path, text).unwrap();
        }
        for path in &no_longer {
            std::fs::remove_file(path).unwrap();
        }
        return;
    }
    let out_of_date: Vec<&PathBuf> = pages
        .iter()
        .filter(|(path, text)| std::fs::read_to_string(path).ok().as_ref() != Some(*text))
        .map(|(path, _)| path)
        .chain(&no_longer)
        .collect();
    assert!(
        out_of_date.is_empty(),
        "run this test with COPYMEND_DOCS=write: {out_of_date:#?}"
    );
}
