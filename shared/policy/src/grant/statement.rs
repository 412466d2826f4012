//! A statement of ours.

use serde_json::{Map, Value};

use super::{GrantError, SID_PREFIX};
use crate::document::PolicyDocument;
use crate::error::ParseError;
use crate::json;
use crate::meaning;
use crate::statement::{Effect, Statement};

/// A statement that this crate built: the only kind that can be appended.
#[derive(Clone, Debug)]
pub struct NewStatement {
    sid: String,
    text: String,
    /// A document that holds nothing but this statement.
    document: PolicyDocument,
}

/// Why a recorded text is not a statement of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordedError {
    /// It is not a statement.
    #[error("the recorded text is not a statement: {0}")]
    Parse(#[from] ParseError),
    /// Its `Sid` is missing or not one of ours.
    #[error("the recorded statement's `Sid` does not start with `Copymend`")]
    NotOurs,
    /// It denies. We only ever add statements that allow.
    #[error("the recorded statement does not allow")]
    NotAllow,
    /// It allows something that no grant of ours allows.
    #[error("the recorded statement allows `{0}`, which no grant of Copymend does")]
    OtherAction(String),
    /// It names whom or what it allows by exception, or not at all. No grant of ours does.
    #[error("the recorded statement must have `Principal`, `Action` and `Resource`")]
    ByException,
}

/// Every action that a grant of ours allows. A statement with our `Sid` and any other action is
/// somebody else's.
const GRANTED_ACTIONS: &[&str] = &[
    "backup:CopyIntoBackupVault",
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ListGrants",
    "kms:ReEncrypt*",
    "kms:ReEncryptFrom",
    "kms:RevokeGrant",
];

impl NewStatement {
    /// Builds a statement. The order of the elements is fixed.
    pub(super) fn build(
        sid: String,
        principal: Value,
        actions: &[&str],
        condition: Map<String, Value>,
    ) -> Result<Self, GrantError> {
        let mut statement = Map::new();
        statement.insert("Sid".into(), sid.into());
        statement.insert("Effect".into(), "Allow".into());
        statement.insert("Principal".into(), principal);
        statement.insert("Action".into(), one_or_list(actions.iter().copied()));
        statement.insert("Resource".into(), "*".into());
        if !condition.is_empty() {
            statement.insert("Condition".into(), Value::Object(condition));
        }
        let text = format!("{:#}", Value::Object(statement));
        Ok(Self::read(&text)?)
    }

    fn read(text: &str) -> Result<Self, RecordedError> {
        json::read(text)?;
        let document = PolicyDocument::parse(&format!(
            "{{\"Version\":\"2012-10-17\",\"Statement\":[{text}]}}"
        ))?;
        let statement = document
            .statements()
            .first()
            .ok_or(RecordedError::NotOurs)?;
        let sid = statement.sid().unwrap_or_default().to_owned();
        if !sid.starts_with(SID_PREFIX) {
            return Err(RecordedError::NotOurs);
        }
        if statement.effect() != Effect::Allow {
            return Err(RecordedError::NotAllow);
        }
        Ok(Self {
            sid,
            text: text.to_owned(),
            document,
        })
    }

    /// Reads a statement of ours back from a record of what was written, to undo it.
    ///
    /// Refused unless it is one statement that allows, its `Sid` starts with [`SID_PREFIX`], and it
    /// allows nothing but what our grants allow.
    pub fn from_recorded(text: &str) -> Result<Self, RecordedError> {
        let recorded = Self::read(text.trim())?;
        if !recorded
            .statement()
            .is_some_and(Statement::names_all_it_allows)
        {
            return Err(RecordedError::ByException);
        }
        let other = recorded
            .actions()
            .find(|action| !GRANTED_ACTIONS.contains(action));
        match other {
            Some(action) => Err(RecordedError::OtherAction(action.to_owned())),
            None => Ok(recorded),
        }
    }

    /// The statement's `Sid`.
    #[must_use]
    pub fn sid(&self) -> &str {
        &self.sid
    }

    /// The statement as JSON, over several lines, indented by two spaces.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The actions the statement allows: which of them are already allowed decides whether the
    /// statement is needed.
    pub fn actions(&self) -> impl Iterator<Item = &str> {
        self.statement().into_iter().flat_map(Statement::actions)
    }

    /// A document that holds nothing but this statement, to evaluate it alone.
    #[must_use]
    pub fn as_policy(&self) -> &PolicyDocument {
        &self.document
    }

    pub(crate) fn statement(&self) -> Option<&Statement> {
        self.document.statements().first()
    }

    /// Whether a statement's text means the same as this one: AWS may have put its lists into
    /// another order.
    pub(crate) fn is_same(&self, text: &str) -> bool {
        meaning::is_same_statement(&self.text, text)
    }
}

impl PartialEq for NewStatement {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for NewStatement {}

/// A single value as it is, several as a list.
pub(super) fn one_or_list<'a>(values: impl IntoIterator<Item = &'a str>) -> Value {
    let mut values: Vec<Value> = values.into_iter().map(Value::from).collect();
    match values.len() {
        1 => values.remove(0),
        _ => Value::Array(values),
    }
}

/// `{operator: {key: value}}`, added to a condition.
pub(super) fn condition(map: &mut Map<String, Value>, operator: &str, key: &str, value: Value) {
    let mut keys = Map::new();
    keys.insert(key.into(), value);
    map.insert(operator.into(), Value::Object(keys));
}
