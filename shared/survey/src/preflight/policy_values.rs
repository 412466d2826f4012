//! The values of an organization's backup policy: operators and variables.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use copymend_remediation::ports::Location;
use serde_json::Value;

use super::at::{At, DocumentError};

const ASSIGN: &str = "@@assign";
const APPEND: &str = "@@append";
const REMOVE: &str = "@@remove";
/// Says what policies below this one may do, and nothing about this one (documented: Organizations
/// user guide, "Inheritance operators").
const FOR_CHILDREN: &str = "@@operators_allowed_for_child_policies";

/// Reads a policy for an account and Region.
pub(super) struct Reading {
    account: String,
    region: String,
    notes: RefCell<BTreeSet<String>>,
}

impl Reading {
    pub(super) fn at(at: &Location) -> Self {
        Self {
            account: at.account.to_string(),
            region: at.region.clone(),
            notes: RefCell::default(),
        }
    }

    /// What it leaves open.
    pub(super) fn into_notes(self) -> Vec<String> {
        self.notes.into_inner().into_iter().collect()
    }

    pub(super) fn note(&self, note: String) {
        self.notes.borrow_mut().insert(note);
    }

    /// Notes the members that no element of a backup policy is: what they set isn't looked at.
    pub(super) fn only(&self, at: &At<'_>, known: &[&str]) -> Result<(), DocumentError> {
        at.object()?;
        let members = at.value.as_object().into_iter().flatten();
        for (name, _) in members {
            if name.starts_with("@@") && name != FOR_CHILDREN {
                return Err(at.wrong(format!("`{name}` stands beside no single value")));
            }
            if name != FOR_CHILDREN && !known.contains(&name.as_str()) {
                self.note(format!(
                    "{}: it is no element that AWS documents, and is left out",
                    at.path_to(name)
                ));
            }
        }
        Ok(())
    }

    /// Several values. What operators add to inherited ones or take from them is noted, since what is
    /// inherited isn't told.
    pub(super) fn texts(&self, at: &At<'_>) -> Result<Vec<String>, DocumentError> {
        let Some(members) = at.value.as_object() else {
            return list(at, at.value);
        };
        let (mut texts, mut removed) = (Vec::new(), Vec::new());
        for (name, value) in members {
            match name.as_str() {
                ASSIGN => texts.extend(list(at, value)?),
                APPEND => {
                    texts.extend(list(at, value)?);
                    self.inherits(at, APPEND, "adds to");
                }
                REMOVE => {
                    removed.extend(list(at, value)?);
                    self.inherits(at, REMOVE, "takes from");
                }
                FOR_CHILDREN => {}
                other => return Err(at.wrong(format!("`{other}` is no operator"))),
            }
        }
        texts.retain(|text| !removed.contains(text));
        Ok(texts)
    }

    fn inherits(&self, at: &At<'_>, operator: &str, does: &str) {
        self.note(format!(
            "{}: `{operator}` {does} what policies above this one set, which it doesn't tell: the effective policy does",
            at.path
        ));
    }

    /// An ARN in which these variables may stand.
    pub(super) fn arn<T: FromStr<Err: Display>>(
        &self,
        at: &At<'_>,
        variables: &[&str],
    ) -> Result<T, DocumentError> {
        self.resolved(at, &text(at)?, variables)
    }

    pub(super) fn resolved<T: FromStr<Err: Display>>(
        &self,
        at: &At<'_>,
        text: &str,
        variables: &[&str],
    ) -> Result<T, DocumentError> {
        let mut resolved = text.to_owned();
        for variable in variables {
            let value = match *variable {
                "$account" => &self.account,
                _ => &self.region,
            };
            resolved = resolved.replace(variable, value);
        }
        if let Some(start) = resolved.find('$') {
            let rest = resolved.get(start..).unwrap_or_default();
            let name = rest.split([':', '/']).next().unwrap_or_default();
            let known = variables.join(" and ");
            return Err(at.wrong(format!(
                "`{name}` can't be resolved: AWS documents {known} there"
            )));
        }
        resolved
            .parse()
            .map_err(|error: T::Err| at.wrong(error.to_string()))
    }
}

/// What a plan needs and a policy above this one may set.
pub(super) fn needed<'v>(at: &At<'v>, name: &str) -> Result<At<'v>, DocumentError> {
    at.member(name)?.ok_or_else(|| {
        at.beneath(name).wrong(
            "it is missing; where a policy above this one sets it, give the effective policy: \
             aws organizations describe-effective-policy --policy-type BACKUP_POLICY",
        )
    })
}

/// The members of an object under names that the policy chooses.
pub(super) fn members_of<'v>(at: &At<'v>) -> Result<Vec<(String, At<'v>)>, DocumentError> {
    at.object()?;
    let members = at.value.as_object().into_iter().flatten();
    members
        .filter(|(name, _)| *name != FOR_CHILDREN)
        .map(|(name, value)| {
            if name.starts_with("@@") {
                return Err(at.wrong(format!("`{name}` stands beside no single value")));
            }
            let path = at.path_to(name);
            Ok((name.clone(), At { value, path }))
        })
        .collect()
}

/// A single value: as it is, or assigned.
fn single<'v>(at: &At<'v>) -> Result<&'v Value, DocumentError> {
    let Some(members) = at.value.as_object() else {
        return Ok(at.value);
    };
    let other = members
        .keys()
        .find(|name| *name != ASSIGN && *name != FOR_CHILDREN);
    if let Some(other) = other {
        return Err(at.wrong(format!("`{other}` is no operator of a single value")));
    }
    members
        .get(ASSIGN)
        .ok_or_else(|| at.wrong(format!("`{ASSIGN}` is missing")))
}

pub(super) fn text(at: &At<'_>) -> Result<String, DocumentError> {
    let value = single(at)?;
    let text = value.as_str();
    text.map(ToOwned::to_owned)
        .ok_or_else(|| at.wrong("it is no text"))
}

/// A number of days, which stands as text.
pub(super) fn days(at: &At<'_>) -> Result<i64, DocumentError> {
    let value = single(at)?;
    let days = value
        .as_str()
        .map_or_else(|| value.as_i64(), |text| text.parse().ok());
    days.ok_or_else(|| at.wrong("it is no whole number of days"))
}

/// Yes or no, which stands as such or as text.
pub(super) fn truth(at: &At<'_>) -> Result<bool, DocumentError> {
    let value = single(at)?;
    let truth = match value.as_str() {
        None => value.as_bool(),
        Some(text) => text.to_lowercase().parse().ok(),
    };
    truth.ok_or_else(|| at.wrong("it is neither true nor false"))
}

/// Several values, or one.
fn list(at: &At<'_>, value: &Value) -> Result<Vec<String>, DocumentError> {
    let wrong = || at.wrong("it is no list of texts");
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(ToOwned::to_owned).ok_or_else(wrong))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Err(wrong()),
    }
}
