//! A world that is being edited.

use serde_json::{Map, Value};

use super::healthy::{self, Places};
use super::shape::Shape;
use crate::world::{World, WorldError};

/// The JSON of a world, with the healthy one that it began as.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    shape: Shape,
    json: Value,
    healthy: Value,
    pub(super) places: Places,
}

impl Draft {
    /// A world in which the copy completes.
    #[must_use]
    pub fn healthy(shape: Shape) -> Self {
        let places = Places::of(shape);
        let json = healthy::world(shape, &places);
        Self {
            shape,
            healthy: json.clone(),
            json,
            places,
        }
    }

    /// The shape that it began as.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// The world as JSON, as in a world file.
    #[must_use]
    pub const fn json(&self) -> &Value {
        &self.json
    }

    /// The world, in which its one copy has run.
    pub fn world(&self) -> Result<World, WorldError> {
        World::from_json(&self.json.to_string())
    }

    /// Sets a member of an object or an item of an array that is there.
    pub(super) fn set(&mut self, pointer: &str, value: Value) {
        let Some((parent, name)) = pointer.rsplit_once('/') else {
            return;
        };
        match self.json.pointer_mut(parent) {
            Some(Value::Object(members)) => {
                members.insert(name.to_owned(), value);
            }
            Some(Value::Array(items)) => {
                let item = name.parse().ok().and_then(|at: usize| items.get_mut(at));
                if let Some(item) = item {
                    *item = value;
                }
            }
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => {}
        }
    }

    /// Takes a member out of an object.
    pub(super) fn remove(&mut self, pointer: &str) {
        let Some((parent, name)) = pointer.rsplit_once('/') else {
            return;
        };
        match self.json.pointer_mut(parent) {
            Some(Value::Object(members)) => {
                members.shift_remove(name);
            }
            Some(
                Value::Array(_)
                | Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_),
            )
            | None => {}
        }
    }

    /// Makes a place what it was in the healthy world.
    pub(super) fn restore(&mut self, pointer: &str) {
        match self.healthy.pointer(pointer).cloned() {
            Some(value) => self.set(pointer, value),
            None => self.remove(pointer),
        }
    }

    /// The statements of a resource's policy; none where it has no list of them.
    fn statements(&mut self, resource: &str) -> Option<&mut Vec<Value>> {
        self.json
            .pointer_mut(&format!("{resource}/policy/Statement"))?
            .as_array_mut()
    }

    /// Adds a statement to a resource's policy, behind the others.
    pub(super) fn add_statement(&mut self, resource: &str, statement: Value) {
        if let Some(statements) = self.statements(resource) {
            statements.push(statement);
        }
    }

    /// Takes a statement out of a resource's policy.
    pub(super) fn drop_statement(&mut self, resource: &str, sid: &str) {
        if let Some(statements) = self.statements(resource) {
            statements.retain(|one| !has_sid(one, sid));
        }
    }

    /// Changes a statement of a resource's policy.
    pub(super) fn change_statement(
        &mut self,
        resource: &str,
        sid: &str,
        change: impl FnOnce(&mut Map<String, Value>),
    ) {
        let statements = self.statements(resource);
        let found = statements.and_then(|all| all.iter_mut().find(|one| has_sid(one, sid)));
        if let Some(statement) = found.and_then(Value::as_object_mut) {
            change(statement);
        }
    }

    /// Makes a statement what it was in the healthy world, where it was.
    pub(super) fn restore_statement(&mut self, resource: &str, sid: &str) {
        let pointer = format!("{resource}/policy/Statement");
        let before = self.healthy.pointer(&pointer).and_then(Value::as_array);
        let found = before.and_then(|before| {
            let at = before.iter().position(|one| has_sid(one, sid))?;
            Some((at, before.get(at)?.clone()))
        });
        self.drop_statement(resource, sid);
        if let (Some((at, statement)), Some(statements)) = (found, self.statements(resource)) {
            statements.insert(at.min(statements.len()), statement);
        }
    }
}

fn has_sid(statement: &Value, sid: &str) -> bool {
    statement.get("Sid").and_then(Value::as_str) == Some(sid)
}
