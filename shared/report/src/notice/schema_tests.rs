//! The JSON Schema of a message, made from its types.

use std::path::Path;

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::Notice;

fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator();
    let schema = generator.into_root_schema_for::<Notice<'static>>();
    let mut schema = without_links(schema.to_value());
    // It is the same in every copy, and no address that has to answer.
    schema["$id"] = json!("urn:copymend:schema:message-1");
    schema["title"] = json!("A message of Copymend, version 1");
    schema
}

/// Links of the documentation of Rust lead nowhere here.
fn without_links(schema: Value) -> Value {
    match schema {
        Value::Object(members) => {
            let members = members.into_iter();
            let members = members.map(|(name, value)| match (name.as_str(), value) {
                ("description", Value::String(text)) => {
                    let text = text.replace("[`", "`").replace("`]", "`");
                    (name, Value::String(text.replace('\n', " ")))
                }
                (_, value) => (name, without_links(value)),
            });
            Value::Object(members.collect())
        }
        Value::Array(items) => items.into_iter().map(without_links).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => schema,
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the crate is pure, its tests read and write the schema"
)]
fn the_schema_is_that_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema/message-1.json");
    let made = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    if std::env::var("COPYMEND_DOCS").is_ok_and(|what| what == "write") {
        std::fs::write(&path, &made).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        made == written,
        "docs/schema/message-1.json is not that of the types; write it with COPYMEND_DOCS=write"
    );
}

/// A reader that refuses what it doesn't know breaks with every member that is added.
#[test]
fn no_part_of_the_schema_refuses_more_members() {
    fn refusing(schema: &Value) -> usize {
        match schema {
            Value::Object(members) => {
                let closed = ["additionalProperties", "unevaluatedProperties"];
                let here = closed
                    .iter()
                    .filter(|name| members.get(**name) == Some(&Value::Bool(false)));
                here.count() + members.values().map(refusing).sum::<usize>()
            }
            Value::Array(items) => items.iter().map(refusing).sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        }
    }
    assert_eq!(refusing(&schema()), 0);
}
