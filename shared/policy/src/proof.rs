//! The proof that an edit only added statements of ours.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::document::PolicyDocument;
use crate::grant::NewStatement;
use crate::layout::compact;
use crate::statement::{Effect, Statement};

/// What became possible through an edit, and that nothing else changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Certificate {
    kept: usize,
    granted: Vec<Granted>,
}

/// One statement that was added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Granted {
    /// Its `Sid`.
    pub sid: String,
    /// Its `Principal`, as JSON.
    pub principal: Value,
    /// The actions it allows.
    pub actions: Vec<String>,
    /// Its `Resource`, as JSON.
    pub resource: Value,
    /// Its `Condition`, as JSON; null without one.
    pub condition: Value,
}

impl Certificate {
    /// How many statements were there before; all of them are unchanged.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.kept
    }

    /// What was added.
    #[must_use]
    pub fn granted(&self) -> &[Granted] {
        &self.granted
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count| if count == 1 { "" } else { "s" };
        write!(
            formatter,
            "{} statement{} unchanged, {} added",
            self.kept,
            plural(self.kept),
            self.granted.len(),
        )?;
        for granted in &self.granted {
            write!(
                formatter,
                "\n{}: {} may {} on {}",
                granted.sid,
                principals(&granted.principal),
                granted.actions.join(", "),
                resource(&granted.resource),
            )?;
            if !granted.condition.is_null() {
                write!(formatter, ", if {}", granted.condition)?;
            }
        }
        Ok(())
    }
}

fn principals(value: &Value) -> String {
    match value {
        Value::String(text) if text == "*" => "everyone the condition admits".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(map) => map.values().map(principals).collect::<Vec<_>>().join(", "),
        Value::Array(items) => items.iter().map(principals).collect::<Vec<_>>().join(", "),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn resource(value: &Value) -> String {
    match value {
        Value::String(text) if text == "*" => "the resource".to_owned(),
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

/// The first thing that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// Something outside the `Statement` element changed.
    #[error("something outside the `Statement` element changed")]
    OutsideChanged,
    /// A statement that was there is gone, changed or moved.
    #[error("statement {index}{} is not as it was", with_sid(.sid.as_deref()))]
    StatementChanged {
        /// Its place, counted from 0.
        index: usize,
        /// Its `Sid` before.
        sid: Option<String>,
    },
    /// A statement was added that is none of those announced.
    #[error("statement {index}{} is none of those to add", with_sid(.sid.as_deref()))]
    Unannounced {
        /// Its place, counted from 0.
        index: usize,
        /// Its `Sid`.
        sid: Option<String>,
    },
    /// A statement to add is not there.
    #[error("the statement `{0}` was not added")]
    NotAdded(String),
    /// A statement to add would be open to everyone.
    #[error("the statement `{0}` would be open beyond the organization")]
    Open(String),
}

fn with_sid(sid: Option<&str>) -> String {
    sid.map_or_else(String::new, |sid| {
        format!(" (`{}`)", crate::error::shown(sid))
    })
}

/// Proves that `after` is `before` with nothing but statements of `added` appended.
///
/// Every byte outside the `Statement` element is the same; the old statements come first, in order,
/// with the same bytes; what follows are statements of `added`, as they were built but for white
/// space, each once; and each of `added` is there, among the old statements or the new. A statement
/// to add that allows `*` must carry an organization condition.
pub fn prove_only_adds(
    before: Option<&PolicyDocument>,
    after: &PolicyDocument,
    added: &[NewStatement],
) -> Result<Certificate, ProofError> {
    if let Some(open) = added.iter().find(|statement| is_open(statement)) {
        return Err(ProofError::Open(open.sid().to_owned()));
    }
    let old = before.map_or(&[][..], PolicyDocument::statements);
    if !same_outside(before, after, added) {
        return Err(ProofError::OutsideChanged);
    }
    for (index, was) in old.iter().enumerate() {
        if after.statements().get(index).map(Statement::as_str) != Some(was.as_str()) {
            return Err(ProofError::StatementChanged {
                index,
                sid: was.sid().map(str::to_owned),
            });
        }
    }
    let mut open: Vec<&NewStatement> = added.iter().collect();
    let mut granted = Vec::new();
    for (index, new) in after.statements().iter().enumerate().skip(old.len()) {
        let text = compact(new.as_str());
        let known = open
            .iter()
            .position(|ours| compact(ours.as_str()) == text && new.effect() == Effect::Allow);
        let Some(known) = known else {
            return Err(ProofError::Unannounced {
                index,
                sid: new.sid().map(str::to_owned),
            });
        };
        granted.push(grant(open.remove(known)));
    }
    for left in open {
        let there = after
            .statements()
            .iter()
            .any(|present| left.is_same(present.as_str()));
        if !there {
            return Err(ProofError::NotAdded(left.sid().to_owned()));
        }
    }
    Ok(Certificate {
        kept: old.len(),
        granted,
    })
}

/// Whether the bytes around the `Statement` element are the same; a new document must be the one we
/// would make.
fn same_outside(
    before: Option<&PolicyDocument>,
    after: &PolicyDocument,
    added: &[NewStatement],
) -> bool {
    let Some(before) = before else {
        return crate::edit::append(None, added).is_ok_and(|fresh| fresh == *after);
    };
    let around = |document: &PolicyDocument| {
        let span = &document.statement_element().span;
        let text = document.as_str();
        Some((
            text.get(..span.start)?.to_owned(),
            text.get(span.end..)?.to_owned(),
        ))
    };
    around(before).is_some() && around(before) == around(after)
}

fn is_open(statement: &NewStatement) -> bool {
    let Ok(Value::Object(map)) = serde_json::from_str::<Value>(statement.as_str()) else {
        return true;
    };
    let everyone = match map.get("Principal") {
        Some(Value::Object(kinds)) => kinds.values().any(names_everyone),
        Some(other) => names_everyone(other),
        None => true,
    };
    let limited = map.get("Condition").is_some_and(|condition| {
        ["StringEquals", "ForAnyValue:StringLike"]
            .iter()
            .any(|operator| {
                condition.get(operator).is_some_and(|keys| {
                    keys.get("aws:PrincipalOrgID").is_some_and(is_closed)
                        || keys.get("aws:PrincipalOrgPaths").is_some_and(is_closed)
                })
            })
    });
    everyone && !limited
}

fn names_everyone(value: &Value) -> bool {
    match value {
        Value::String(text) => text == "*",
        Value::Array(items) => items.iter().any(names_everyone),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => true,
    }
}

/// Whether a condition's values all start with an organization's id.
fn is_closed(value: &Value) -> bool {
    match value {
        Value::String(text) => text.starts_with("o-") && !text.starts_with("o-*"),
        Value::Array(items) => !items.is_empty() && items.iter().all(is_closed),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

fn grant(statement: &NewStatement) -> Granted {
    let element = |name: &str| {
        serde_json::from_str::<Value>(statement.as_str())
            .ok()
            .and_then(|mut value| value.get_mut(name).map(Value::take))
            .unwrap_or_default()
    };
    Granted {
        sid: statement.sid().to_owned(),
        principal: element("Principal"),
        actions: statement.actions().map(str::to_owned).collect(),
        resource: element("Resource"),
        condition: element("Condition"),
    }
}
