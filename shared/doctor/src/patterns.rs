//! What each rule of the stack fires on. `patterns.json` is the list; a test of the template holds the
//! template to it.

use serde_json::{Value, json};

use crate::deployed::Deployed;
use crate::facts::Rule;

const LIST: &str = include_str!("patterns.json");
/// The rules of a schedule, each with its parameter.
const SCHEDULES: [(&str, &str); 4] = [
    ("SweepRule", "SweepSchedule"),
    ("TestMessageRule", "TestMessageSchedule"),
    ("DigestRule", "DigestSchedule"),
    ("PreflightRule", "PreflightSchedule"),
];

/// In which way a rule fires on something else than the stack says. A rule that isn't known here, of
/// another version of the stack, differs in none.
pub(crate) fn differs(deployed: &Deployed, name: &str, rule: &Rule) -> Option<String> {
    if let Some((_, parameter)) = SCHEDULES.iter().find(|(rule, _)| *rule == name) {
        let of_stack = deployed.parameter(parameter);
        let is = rule.schedule.as_deref().unwrap_or_default();
        return (is != of_stack).then(|| {
            format!(
                "The schedule of {name} is `{is}`, and {parameter} of the stack is `{of_stack}`."
            )
        });
    }
    let mut list: Value = serde_json::from_str(LIST).ok()?;
    let mut of_stack = list.get_mut(name)?.take();
    if deployed.is_on("RecoveryNotice")
        && let Some(state) = of_stack.pointer_mut("/detail/state")
    {
        *state = json!(["FAILED", "COMPLETED"]);
    }
    let is = rule.pattern.as_deref().unwrap_or_default();
    let same = serde_json::from_str(is).is_ok_and(|pattern| without_roles(pattern) == of_stack);
    (!same).then(|| format!("{name} fires on other events than the stack says: {is}."))
}

/// Without whose calls the audit is of: the ids of the stack's roles.
fn without_roles(mut pattern: Value) -> Value {
    let is_of_roles = |identity: &Value| {
        identity
            .pointer("/sessionContext/sessionIssuer/arn")
            .is_some()
    };
    if let Some(detail) = pattern.get_mut("detail").and_then(Value::as_object_mut)
        && detail.get("userIdentity").is_some_and(is_of_roles)
    {
        detail.remove("userIdentity");
    }
    pattern
}
