//! What a document means to AWS, whatever its text looks like.
//!
//! `kms:GetKeyPolicy` answers the lists of a statement in an order that changes from call to call
//! (seen: aws/aws-cli#9456, hashicorp/terraform-provider-aws#39788), so the texts of two reads of
//! one unchanged policy differ.
//!
//! Two documents mean the same when they differ in nothing but this:
//! - the order of statements, of a list's entries and of an object's members, and entries that
//!   stand there twice: a policy is an OR of its statements, an element an OR of its entries
//!   (documented: IAM `reference_policies_evaluation-logic`);
//! - one entry as it is, or as a list of one (documented: IAM `reference_policies_grammar`);
//! - the case of actions and of the names of condition keys (documented: IAM
//!   `reference_policies_elements_action`, `reference_policies_elements_condition`);
//! - an account's id for the ARN of its root, and `"*"` for `{"AWS": "*"}` (documented: IAM
//!   `reference_policies_elements_principal`);
//! - a Boolean or number in a condition, or the string of the same text (documented: IAM
//!   `reference_policies_grammar`);
//! - the version that is the default, or none; a condition without an operator, or none;
//! - white space, and how strings are escaped.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::{PolicyDocument, Version};
use crate::identity::{arn_parts, is_account};
use crate::json::{self, Node, Value};

/// A part of a document in a form in which equal parts are equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Meaning {
    Text(String),
    /// Entries that are alternatives.
    AnyOf(BTreeSet<Self>),
    Members(BTreeMap<String, Self>),
    /// The keys of one condition operator. Two spellings of a key are two conditions.
    Conditions(BTreeSet<(String, Self)>),
}

/// Whether two documents mean the same.
pub(crate) fn is_same_document(one: &PolicyDocument, other: &PolicyDocument) -> bool {
    one.as_str() == other.as_str() || is_same(one.as_str(), other.as_str(), document)
}

/// Whether the texts of two statements mean the same.
pub(crate) fn is_same_statement(one: &str, other: &str) -> bool {
    one == other || is_same(one, other, statement)
}

/// A text that is the same for two documents just where they mean the same: each text with its length
/// before it, each list and object in one order.
pub(crate) fn canonical(document_text: &PolicyDocument) -> String {
    let mut text = String::new();
    match json::read(document_text.as_str()) {
        Ok(node) => document(&node).write(&mut text),
        // A parsed document can be read.
        Err(_) => Meaning::Text(document_text.as_str().to_owned()).write(&mut text),
    }
    text
}

impl Meaning {
    fn write(&self, into: &mut String) {
        match self {
            Self::Text(text) => write_text(text, into),
            Self::AnyOf(entries) => {
                into.push('[');
                for entry in entries {
                    entry.write(into);
                }
                into.push(']');
            }
            Self::Members(members) => {
                into.push('{');
                for (name, meaning) in members {
                    write_text(name, into);
                    meaning.write(into);
                }
                into.push('}');
            }
            Self::Conditions(keys) => {
                into.push('(');
                for (name, meaning) in keys {
                    write_text(name, into);
                    meaning.write(into);
                }
                into.push(')');
            }
        }
    }
}

fn write_text(text: &str, into: &mut String) {
    into.push_str(&text.len().to_string());
    into.push(':');
    into.push_str(text);
}

fn is_same(one: &str, other: &str, meaning: fn(&Node<'_>) -> Meaning) -> bool {
    match (json::read(one), json::read(other)) {
        (Ok(one), Ok(other)) => meaning(&one) == meaning(&other),
        (Ok(_) | Err(_), _) => false,
    }
}

fn members(node: &Node<'_>, meaning: impl Fn(&str, &Node<'_>) -> Option<Meaning>) -> Meaning {
    match &node.value {
        Value::Object(members) => Meaning::Members(
            members
                .iter()
                .filter_map(|member| {
                    Some((
                        member.key.clone().into_owned(),
                        meaning(&member.key, &member.node)?,
                    ))
                })
                .collect(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Meaning::Text(text(node))
        }
    }
}

fn document(node: &Node<'_>) -> Meaning {
    members(node, |name, node| match name {
        "Version" if text(node) == Version::default().as_str() => None,
        "Statement" => Some(any_of(node, statement)),
        _ => Some(Meaning::Text(text(node))),
    })
}

fn statement(node: &Node<'_>) -> Meaning {
    members(node, |name, node| match name {
        "Action" | "NotAction" => Some(any_of(node, |entry| {
            Meaning::Text(text(entry).to_ascii_lowercase())
        })),
        "Resource" | "NotResource" => Some(any_of(node, plain)),
        "Principal" | "NotPrincipal" => Some(principal(node)),
        "Condition" => condition(node),
        _ => Some(Meaning::Text(text(node))),
    })
}

fn principal(node: &Node<'_>) -> Meaning {
    match &node.value {
        Value::Object(_) => members(node, |kind, node| {
            Some(match kind {
                "AWS" => any_of(node, |entry| Meaning::Text(account_or_arn(text(entry)))),
                _ => any_of(node, plain),
            })
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Meaning::Members([("AWS".to_owned(), any_of(node, plain))].into())
        }
    }
}

fn account_or_arn(entry: String) -> String {
    match arn_parts(&entry) {
        // An id alone says no partition, so that of the commercial Regions alone is taken for the
        // same.
        Some([_, "aws", "iam", "", account, "root"]) if is_account(account) => account.to_owned(),
        Some(_) | None => entry,
    }
}

fn condition(node: &Node<'_>) -> Option<Meaning> {
    match &node.value {
        Value::Object(operators) if operators.is_empty() => None,
        Value::Object(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_) => Some(members(node, |_, keys| Some(conditions(keys)))),
    }
}

fn conditions(node: &Node<'_>) -> Meaning {
    match &node.value {
        Value::Object(keys) => Meaning::Conditions(
            keys.iter()
                .map(|key| (key.key.to_ascii_lowercase(), any_of(&key.node, plain)))
                .collect(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            plain(node)
        }
    }
}

/// One entry, or a list of them.
fn any_of(node: &Node<'_>, entry: impl Fn(&Node<'_>) -> Meaning) -> Meaning {
    Meaning::AnyOf(match &node.value {
        Value::Array(entries) => entries.iter().map(entry).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            [entry(node)].into()
        }
    })
}

fn plain(node: &Node<'_>) -> Meaning {
    Meaning::Text(text(node))
}

/// A scalar's text. The parser lets nothing else stand where one is expected.
fn text(node: &Node<'_>) -> String {
    match &node.value {
        Value::String(text) => text.clone().into_owned(),
        Value::Number(text) => (*text).to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Null => "null".to_owned(),
        Value::Array(entries) => entries.iter().map(text).collect::<Vec<_>>().join(","),
        Value::Object(members) => members
            .iter()
            .map(|member| format!("{}:{}", member.key, text(&member.node)))
            .collect::<Vec<_>>()
            .join(","),
    }
}
