//! `copymend scan`, over the wire against the sandbox's server.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::{Ran, copymend, finish, run};

const WORKLOADS: &str = "111122223333";
const BACKUP: &str = "444455556666";

/// A server in its own process; ended afterwards.
struct Server {
    process: Child,
    url: String,
    /// Kept open: the server goes on writing.
    _output: BufReader<std::process::ChildStdout>,
}

impl Server {
    fn start(options: &[&str]) -> Self {
        let mut process = Command::new(assert_cmd::cargo::cargo_bin!("copymend"))
            .args(["sandbox", "serve", "--listen", "127.0.0.1:0"])
            .args(options)
            .env_clear()
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("listening on") {
            line.clear();
            assert!(output.read_line(&mut line).unwrap() > 0, "it ended");
        }
        let url = line.split_whitespace().last().unwrap().to_owned();
        let url = if url.starts_with("http") {
            url
        } else {
            format!("http://{url}")
        };
        Self {
            process,
            url,
            _output: output,
        }
    }

    /// The program with this account's credentials: an access key is its account's id.
    fn command(&self, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = copymend();
        command.args(arguments).envs(self.environment());
        command
    }

    fn environment(&self) -> [(&'static str, String); 7] {
        [
            ("AWS_ENDPOINT_URL", self.url.clone()),
            ("AWS_ACCESS_KEY_ID", WORKLOADS.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        finish(&mut self.command(arguments))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn incidents(document: &Value) -> &Vec<Value> {
    document["incidents"].as_array().unwrap()
}

#[test]
fn without_facts_every_line_says_that_the_message_alone_speaks() {
    let server = Server::start(&[]);
    let ran = server.run(&["scan", "--json"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let document = ran.json();
    assert_eq!(
        (&document["scan"], &document["facts"]),
        (&1.into(), &false.into())
    );
    let found = incidents(&document);
    assert!(found.len() > 10, "{document}");
    assert!(found.iter().all(|one| one["from_message"] == true));
    let counts = found.iter().map(|one| one["count"].as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), document["jobs"].as_u64().unwrap());
    let text = server.run(&["scan"]);
    assert_eq!(text.code, 0);
    let lines: Vec<&str> = text.stdout.lines().collect();
    assert!(lines[0].starts_with("COUNT"), "{}", text.stdout);
    assert!(lines[1].ends_with("(from the message)"), "{}", text.stdout);
    assert!(!text.stdout.contains('\u{1b}'));
}

/// The function itself, on the same world in memory, is the judge.
#[test]
fn with_facts_the_causes_are_those_that_the_function_finds() {
    let server = Server::start(&[]);
    let ran = server.run(&["scan", "--facts", "--json"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    let document = ran.json();
    let mut compared = 0;
    for incident in incidents(&document) {
        assert_eq!(incident["from_message"], false, "{incident}");
        let job = incident["example"]["job"].as_str().unwrap();
        let event = run(&["sandbox", "event", job]);
        assert_eq!(event.code, 0, "{job}: {}", event.stderr);
        let name = crate::support::file(&format!("scan-{job}.json"), &event.stdout);
        let report = run(&["replay", "--json", &name]).json();
        if report["diagnosis"]["cause"] == incident["cause"] {
            compared += 1;
        } else {
            panic!("{job}: {} and {incident}", report["diagnosis"]["cause"]);
        }
    }
    assert!(compared > 10, "{compared}");
    let acts: Vec<&str> = incidents(&document)
        .iter()
        .map(|one| one["would"]["act"].as_str().unwrap())
        .collect();
    for act in ["repair", "retry", "advise"] {
        assert!(acts.contains(&act), "{act} in {acts:?}");
    }
}

#[test]
fn what_one_account_refuses_is_a_line_and_the_others_are_shown() {
    let server = Server::start(&[]);
    let accounts = format!("{WORKLOADS},{BACKUP},777777777777");
    let arguments = ["scan", "--json", "--account", &accounts];
    let ran = server.run(&arguments);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    let document = ran.json();
    assert!(incidents(&document).len() > 10);
    let not_read = document["not_read"].as_array().unwrap();
    assert!(
        not_read
            .iter()
            .any(|line| line["account"] == "777777777777" && line["do"].is_string()),
        "{not_read:?}"
    );
    assert!(not_read.iter().all(|line| line["account"] != WORKLOADS));
}

#[test]
fn ctrl_c_shows_how_far_it_came() {
    let server = Server::start(&["--latency-ms", "4000"]);
    let process = Command::new(assert_cmd::cargo::cargo_bin!("copymend"))
        .args(["scan", "--json"])
        .env_clear()
        .envs(server.environment())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Who calls is asked first, and then two lists, four seconds each.
    std::thread::sleep(Duration::from_secs(8));
    let id = process.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let output = process.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["stopped"]["places_read"], 0);
}

#[test]
fn wrong_options_are_told_before_anything_is_read() {
    for (arguments, told) in [
        (&["scan", "--days", "31"][..], "1..=30"),
        (&["scan", "--days", "0"], "1..=30"),
        (&["scan", "--region", "Ireland"], "eu-west-1"),
        (&["scan", "--account", "1234"], "1234"),
        (&["scan", "--calls-per-second", "0"], "zero"),
    ] {
        let ran = run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}");
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
}

#[test]
fn without_credentials_it_says_what_to_do() {
    let mut command = copymend();
    command
        .args(["scan", "--region", "eu-west-1"])
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    let ran = finish(&mut command);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("aws sso login"), "{}", ran.stderr);
    command.env("COPYMEND_MODES", "observe");
    assert_eq!(finish(&mut command).code, 2, "an unknown setting");
}
