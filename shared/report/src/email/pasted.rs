//! Texts to paste: each statement stands once in a message.

use copymend_remediation::report::Report;
use serde_json::Value;

/// What stands in the message already, or will.
#[derive(Default)]
pub(super) struct Pasted {
    /// The statements that the change adds.
    in_change: Vec<Value>,
    /// The policy to attach.
    policy: Option<Value>,
    /// What steps before showed, with their numbers.
    in_steps: Vec<(Value, usize)>,
}

impl Pasted {
    pub(super) fn of(report: &Report) -> Self {
        let changes = report.changes.iter().chain(&report.refused_changes);
        let in_change = changes.flat_map(|change| {
            let after = serde_json::from_str::<Value>(&change.after).unwrap_or_default();
            let before = change.before.as_deref().unwrap_or_default();
            let before = serde_json::from_str::<Value>(before).unwrap_or_default();
            let before = statements(&before);
            let mut added = statements(&after);
            added.retain(|statement| !before.contains(statement));
            added
        });
        Self {
            in_change: in_change.collect(),
            policy: report.policy.clone(),
            in_steps: Vec::new(),
        }
    }

    /// What stands in place of a line that is shown elsewhere.
    pub(super) fn instead_of(&mut self, line: &str, step: usize) -> Option<String> {
        let value = line
            .starts_with('{')
            .then(|| serde_json::from_str::<Value>(line).ok())??;
        if self.policy.as_ref() == Some(&value) {
            return Some("(the policy below, under THE POLICY TO ATTACH)".to_owned());
        }
        let all = statements(&value);
        if !all.is_empty() && all.iter().all(|one| self.in_change.contains(one)) {
            return Some("(the policy in the change below, without the marks `+`)".to_owned());
        }
        if self.in_change.contains(&value) {
            let sid = value.get("Sid").and_then(Value::as_str).unwrap_or_default();
            let sid = crate::text::inline(sid);
            return Some(format!(
                "(statement {sid} in the change below, without the marks `+`)"
            ));
        }
        if let Some((_, before)) = self.in_steps.iter().find(|(known, _)| *known == value) {
            return Some(format!("(the same text as in step {before})"));
        }
        self.in_steps.push((value, step));
        None
    }
}

/// The statements of a policy; none where it is no policy.
fn statements(policy: &Value) -> Vec<Value> {
    match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    }
}
