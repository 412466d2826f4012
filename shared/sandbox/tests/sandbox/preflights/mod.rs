//! The preflight that the hub runs by schedule, by the handler that the function runs.

mod faults;
mod told;

use copymend_remediation::ledger::{ToldOfPlace, ToldPreflights};
use copymend_remediation::ports::{Clock, Location, Reads};
use copymend_remediation::preflight::{
    Failing, FailingRoute, PreflightAnswer, PreflightNews, PreflightState,
};
use copymend_remediation::settings::Mode;
use copymend_remediation::{HandlerError, Invocation};
use copymend_report::email_of_preflight;
use copymend_sandbox::{Sandbox, World};
use copymend_survey::preflight::watch;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::readable::problems;
use crate::small::{KEY, ROLE, VAULT, load, with, world};

const SOURCE: &str = "111122223333";
const REGION: &str = "us-east-1";
const PLANS: &str = "/accounts/111122223333/regions/us-east-1/backup_plans";
const POINT_AT: &str = "/accounts/111122223333/regions/us-east-1/vaults/prod/recovery_points/0";
const POLICY_AT: &str = "/accounts/444455556666/regions/eu-west-1/vaults/dr/policy";
const KEY_AT: &str =
    "/accounts/111122223333/regions/us-east-1/keys/11111111-1111-4111-8111-111111111111/policy";
const TIMEOUT: SignedDuration = SignedDuration::from_secs(120);

/// A key policy that leaves the key to its own account.
fn own_account_only() -> Value {
    json!({"Version": "2012-10-17", "Statement": [crate::small::owner()]})
}

/// The small world with a plan that makes its copy.
fn planned_world() -> Value {
    let world = with(
        world(),
        &format!("{POINT_AT}/created_by"),
        json!({
            "backup_plan_arn": format!("arn:aws:backup:{REGION}:{SOURCE}:backup-plan:plan-1"),
            "backup_plan_id": "plan-1",
            "backup_rule_id": "rule-1",
        }),
    );
    let world = with(world, &format!("{POINT_AT}/iam_role_arn"), json!(ROLE));
    let plan = json!({"plan-1": {
        "name": "daily",
        "rules": [{"id": "rule-1", "name": "to-dr", "target_vault": "prod",
            "copy_actions": [{"destination_vault_arn": VAULT}]}],
        "selections": {"all": {"iam_role_arn": ROLE, "tags": [{"key": "backup", "value": "daily"}]}},
    }});
    with(world, PLANS, plan)
}

fn sandbox_of(world: &Value) -> Sandbox {
    Sandbox::new(load(world))
        .reading_images(true)
        .reading_tags(true)
        .reading_paths_in(Some("999988887777".parse().unwrap()))
}

/// The same world by another text, in place of the one before.
fn become_world(sandbox: &Sandbox, to: &Value) {
    sandbox.with_world(|world: &mut World| *world = load(to));
    // A refused call stays refused for a while.
    let clock = Reads::clock(sandbox);
    clock.set(clock.now() + SignedDuration::from_hours(24));
}

fn event() -> Value {
    json!({"source": "copymend", "detail-type": "Copymend Preflight",
        "detail": {"accounts": [SOURCE], "regions": [REGION]}})
}

fn block<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.build().unwrap();
    runtime.block_on(future)
}

fn run_of(sandbox: &Sandbox, id: &str, event: &Value) -> Result<PreflightAnswer, HandlerError> {
    let invocation = Invocation {
        id: id.to_owned(),
        deadline: Reads::clock(sandbox).now() + TIMEOUT,
    };
    block(watch(sandbox, sandbox, Mode::Repair, event, &invocation))
}

fn run(sandbox: &Sandbox) -> PreflightAnswer {
    // Each run is an invocation of its own.
    let number = sandbox.calls().begun().len();
    run_of(sandbox, &format!("request-after-{number}-calls"), &event()).unwrap()
}

/// What a run told; nothing where it told nothing.
fn tells(sandbox: &Sandbox) -> Option<PreflightNews> {
    let before = sandbox.notifier().preflights().len();
    let answer = run(sandbox);
    let told = sandbox.notifier().preflights();
    assert!(told.len() <= before + 1, "one message at most");
    let is_told = answer.preflight == PreflightState::Told;
    assert_eq!(told.len() > before, is_told, "{answer:?}");
    told.into_iter().nth(before)
}

fn silent(sandbox: &Sandbox) -> PreflightAnswer {
    let before = sandbox.notifier().preflights().len();
    let answer = run(sandbox);
    assert_eq!(answer.preflight, PreflightState::NothingNew, "{answer:?}");
    assert_eq!(sandbox.notifier().preflights().len(), before);
    answer
}

fn kept_of(sandbox: &Sandbox, account: &str) -> Option<ToldOfPlace> {
    let at = Location::new(account.parse().unwrap(), REGION);
    block(sandbox.ledger().unwrap().told_of_place(&at)).unwrap()
}

fn route(failing: &Failing) -> &FailingRoute {
    match failing {
        Failing::Route(route) => route,
        Failing::Rule(rule) => panic!("{rule:?}"),
    }
}

fn causes(failing: &Failing) -> Vec<&'static str> {
    let in_the_way = route(failing).in_the_way.iter();
    in_the_way.map(|one| one.cause.slug()).collect()
}

fn text(news: &PreflightNews) -> String {
    let email = email_of_preflight(news);
    assert_eq!(problems(&email), Vec::<String>::new(), "{}", email.body);
    format!("Subject: {}\n\n{}", email.subject, email.body)
}

/// Nothing is ever written but the ledger.
fn nothing_is_written(sandbox: &Sandbox) {
    assert_eq!(sandbox.writes(), []);
}
