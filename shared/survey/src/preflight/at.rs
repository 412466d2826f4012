//! Places in a document, and what is wrong with them.

use std::fmt::Display;
use std::str::FromStr;

use serde_json::Value;

/// Why a document is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {problem}")]
pub struct DocumentError {
    /// The member, such as `BackupPlan.Rules[0].TargetBackupVaultName`.
    member: String,
    /// What is wrong with it.
    problem: String,
}

impl DocumentError {
    /// That something is wrong with the document as a whole.
    pub(super) fn of_whole(problem: impl Into<String>) -> Self {
        Self {
            member: "the document".to_owned(),
            problem: problem.into(),
        }
    }
}

/// A place in the document.
pub(super) struct At<'v> {
    pub(super) value: &'v Value,
    pub(super) path: String,
}

impl<'v> At<'v> {
    /// The whole document.
    pub(super) const fn whole(value: &'v Value) -> Self {
        Self {
            value,
            path: String::new(),
        }
    }

    pub(super) fn wrong(&self, problem: impl Into<String>) -> DocumentError {
        let member = if self.path.is_empty() {
            "the document".to_owned()
        } else {
            self.path.clone()
        };
        DocumentError {
            member,
            problem: problem.into(),
        }
    }

    pub(super) fn object(&self) -> Result<(), DocumentError> {
        if self.value.is_object() {
            Ok(())
        } else {
            Err(self.wrong("it is no object"))
        }
    }

    /// The place of a member, whether it is there or not.
    pub(super) fn beneath(&self, name: &str) -> Self {
        Self {
            value: self.value,
            path: self.path_to(name),
        }
    }

    pub(super) fn path_to(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    pub(super) fn member(&self, name: &str) -> Result<Option<At<'v>>, DocumentError> {
        self.object()?;
        let found = self.value.get(name).filter(|value| !value.is_null());
        Ok(found.map(|value| At {
            value,
            path: self.path_to(name),
        }))
    }

    pub(super) fn required(&self, name: &str) -> Result<At<'v>, DocumentError> {
        self.member(name)?.ok_or_else(|| DocumentError {
            member: self.path_to(name),
            problem: "it is missing".to_owned(),
        })
    }

    pub(super) fn optional<T>(
        &self,
        name: &str,
        read: impl Fn(&At<'v>) -> Result<T, DocumentError>,
    ) -> Result<Option<T>, DocumentError> {
        self.member(name)?.as_ref().map(read).transpose()
    }

    pub(super) fn list<T>(
        &self,
        name: &str,
        is_required: bool,
        read: impl Fn(&At<'v>) -> Result<T, DocumentError>,
    ) -> Result<Vec<T>, DocumentError> {
        let found = if is_required {
            Some(self.required(name)?)
        } else {
            self.member(name)?
        };
        let Some(found) = found else {
            return Ok(Vec::new());
        };
        let items = found
            .value
            .as_array()
            .ok_or_else(|| found.wrong("it is no list"))?;
        let items = items.iter().enumerate();
        items
            .map(|(place, value)| {
                read(&At {
                    value,
                    path: format!("{}[{place}]", found.path),
                })
            })
            .collect()
    }

    pub(super) fn text(&self) -> Result<String, DocumentError> {
        let text = self.value.as_str();
        text.map(ToOwned::to_owned)
            .ok_or_else(|| self.wrong("it is no text"))
    }

    pub(super) fn truth(&self) -> Result<bool, DocumentError> {
        self.value
            .as_bool()
            .ok_or_else(|| self.wrong("it is neither true nor false"))
    }

    pub(super) fn days(&self) -> Result<i64, DocumentError> {
        self.value
            .as_i64()
            .ok_or_else(|| self.wrong("it is no whole number of days"))
    }

    pub(super) fn parse<T: FromStr<Err: Display>>(&self) -> Result<T, DocumentError> {
        let text = self.text()?;
        text.parse()
            .map_err(|error: T::Err| self.wrong(error.to_string()))
    }
}
