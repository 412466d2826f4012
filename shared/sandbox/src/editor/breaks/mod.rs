//! The ways to break a copy, by what they change.

mod access;
mod backup;
mod faults;
mod organization;
mod source_key;
mod vault;
mod vault_key;

use serde_json::{Value, json};

use super::{Break, Draft, Place, Shape};

/// In the order in which they are made.
pub(super) static ALL: [&[Break]; 7] = [
    access::WAYS,
    organization::WAYS,
    backup::WAYS,
    vault::WAYS,
    vault_key::WAYS,
    source_key::WAYS,
    faults::WAYS,
];

const fn always(_: Shape) -> bool {
    true
}

const fn across_accounts(shape: Shape) -> bool {
    shape.cross_account
}

fn document(statement: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [statement]})
}
