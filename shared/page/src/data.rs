//! The rows as data for the script: columns of numbers, and each text once.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::PageError;
use crate::shown::Shown;
use crate::view::{Body, Cell, Column, Row, Section, View};

/// The data is at most about so long, in bytes: what rows open to is left out of those for which there is
/// no room any more, the least important ones. With the rest of the page it stays below 5 MB.
const ROOM: usize = 4_500_000;

/// The data of a page, to stand in a script element.
pub(crate) struct Data {
    /// The JSON. It can't end the element.
    pub(crate) json: String,
    /// Of how many rows what they open to is left out.
    pub(crate) left_out: usize,
}

/// Each text once.
#[derive(Default)]
struct Texts {
    places: HashMap<Shown, usize>,
    in_order: Vec<Shown>,
    /// How many bytes they take, about.
    length: usize,
}

impl Texts {
    fn place(&mut self, text: &Shown) -> usize {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        let place = self.in_order.len();
        // Quotes and a comma; what is escaped takes up to six bytes.
        let escaped = text
            .as_str()
            .bytes()
            .filter(|byte| b"<>&\"\\".contains(byte));
        self.length += text.as_str().len() + 3 + 5 * escaped.count();
        self.in_order.push(text.clone());
        self.places.insert(text.clone(), place);
        place
    }

    fn places(&mut self, texts: &[Shown]) -> Value {
        texts.iter().map(|text| json!(self.place(text))).collect()
    }
}

impl Data {
    /// Of a view.
    pub(crate) fn of(view: &View<'_>) -> Result<Self, PageError> {
        let mut texts = Texts::default();
        let mut columns: Vec<Vec<Value>> = view.columns.iter().map(|_| Vec::new()).collect();
        let mut length = 0;
        for row in &view.rows {
            for (column, cell) in columns.iter_mut().zip(&row.cells) {
                let value = value(&mut texts, cell);
                length += length_of(&value);
                column.push(value);
            }
        }
        let mut sections = Vec::with_capacity(view.rows.len());
        let mut is_full = false;
        for row in &view.rows {
            let opened = (!is_full).then(|| opened(&mut texts, row));
            let opened = opened.unwrap_or(Value::Null);
            length += length_of(&opened);
            is_full |= length + texts.length > ROOM;
            sections.push(if is_full { Value::Null } else { opened });
        }
        let left_out = sections.iter().filter(|one| one.is_null()).count();
        let document = json!({
            "rowIs": view.row_is,
            "rowsAre": view.rows_are,
            "columns": view.columns.iter().map(column).collect::<Vec<_>>(),
            "texts": texts.in_order.iter().map(Shown::as_str).collect::<Vec<_>>(),
            "cells": columns,
            "sections": sections,
        });
        Ok(Self {
            json: for_a_script(&serde_json::to_string(&document)?),
            left_out,
        })
    }
}

/// JSON that can stand in a script element: neither its end nor a comment can be in it, and it means the
/// same. Line separators are escaped before, as everything that is hidden.
fn for_a_script(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            other => safe.push(other),
        }
    }
    safe
}

fn column(column: &Column) -> Value {
    json!({
        "name": column.name,
        "kind": column.kind.name(),
        "filter": column.is_filter,
        "hidden": column.is_hidden,
    })
}

fn value(texts: &mut Texts, cell: &Cell) -> Value {
    match cell {
        Cell::Text(text) => json!(texts.place(text)),
        Cell::List(list) => texts.places(list),
        Cell::Number(number) => json!(number),
        Cell::Measure(number, text) => json!([number, texts.place(text)]),
    }
}

fn opened(texts: &mut Texts, row: &Row<'_>) -> Value {
    let sections = (row.sections)();
    sections.iter().map(|one| section(texts, one)).collect()
}

/// A section as `[heading, kind, content]`.
fn section(texts: &mut Texts, section: &Section) -> Value {
    let heading = texts.place(&section.heading);
    match &section.body {
        Body::Text(items) => json!([heading, "text", texts.places(items)]),
        Body::List(items) => json!([heading, "list", texts.places(items)]),
        Body::Diff(lines) => json!([heading, "diff", texts.places(lines)]),
        Body::Pairs(pairs) => {
            let pairs: Vec<_> = pairs
                .iter()
                .map(|(name, value)| [texts.place(name), texts.place(value)])
                .collect();
            json!([heading, "pairs", pairs])
        }
        Body::Steps(steps) => {
            let steps: Vec<_> = steps
                .iter()
                .map(|step| json!([texts.place(&step.sentence), texts.places(&step.lines)]))
                .collect();
            json!([heading, "steps", steps])
        }
        Body::Links(links) => {
            let links: Vec<_> = links
                .iter()
                .map(|link| [texts.place(&link.words), texts.place(&link.address)])
                .collect();
            json!([heading, "links", links])
        }
    }
}

/// How long a value of numbers is in JSON, about.
fn length_of(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(number) => number.to_string().len() + 1,
        Value::String(text) => text.len() + 3,
        Value::Array(items) => 2 + items.iter().map(length_of).sum::<usize>(),
        Value::Object(members) => members.values().map(length_of).sum(),
    }
}
