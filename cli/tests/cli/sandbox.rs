//! `copymend sandbox event`, without a running sandbox.

use jiff::Timestamp;
use serde_json::Value;

use crate::support::{copymend, finish, run};

fn event(name: &str) -> Value {
    let ran = run(&["sandbox", "event", name]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    ran.json()
}

fn sample(name: &str) -> Value {
    let path = format!("{}/../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn ended(event: &Value) -> Timestamp {
    let time = event["detail"]["completionDate"].as_str().unwrap();
    time.parse().unwrap()
}

#[test]
fn the_newest_failed_copy_ended_a_minute_ago_and_the_others_keep_their_distance() {
    let newest = event("unknown");
    let since = Timestamp::now().duration_since(ended(&newest)).as_secs();
    assert!((60..180).contains(&since), "{since} seconds");

    let other = event("source-key-policy");
    assert_eq!(
        other["detail"]["copyJobId"],
        sample("source-key-policy")["detail"]["copyJobId"]
    );
    let distance = ended(&sample("unknown")).duration_since(ended(&sample("source-key-policy")));
    let apart = ended(&newest).duration_since(ended(&other));
    // Two runs, each with a present of its own.
    let difference = (distance - apart).as_secs();
    assert!((0..120).contains(&difference), "{apart} and {distance}");
}

#[test]
fn a_job_that_is_not_there_is_an_error() {
    let ran = run(&["sandbox", "event", "no such job"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert_eq!(ran.stderr, "copymend: there is no copy job `no such job`\n");
}

#[test]
fn an_endpoint_that_is_none_is_wrong_usage() {
    let mut command = copymend();
    command
        .args(["sandbox", "event", "unknown"])
        .env("AWS_ENDPOINT_URL", "https://example.com");
    let ran = finish(&mut command);
    assert_eq!(ran.code, 2);
    for told in [
        "AWS_ENDPOINT_URL",
        "https://example.com",
        "http://127.0.0.1:5000",
    ] {
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
}

#[test]
fn a_sandbox_that_does_not_answer_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let url = format!("http://{address}");
    let ran = run(&["sandbox", "event", "unknown", "--endpoint", &url]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains(&address), "{}", ran.stderr);
}

#[test]
fn a_world_that_cannot_be_read_is_not_served() {
    let ran = run(&["sandbox", "serve", "--world", "no/such/world.json"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("no/such/world.json"), "{}", ran.stderr);
}
