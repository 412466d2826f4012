//! The ledgers.

use super::{or_fine, present};
use crate::facts::{Facts, Named, Table};
use crate::finding::{Finding, Part};
use crate::kinds::{
    LEDGER_INDEX_MISSING, LEDGER_KEEPS_ALL, LEDGER_NOT_RECOVERABLE, LEDGER_UNPROTECTED,
    TABLE_MISSING, TABLE_NOT_ACTIVE,
};

/// The ledger that keeps the before-image of every change. The access advisor's can be lost.
const LEDGER: &str = "Ledger";
/// The attribute by which DynamoDB forgets items, and the indexes of what is on record, as the template
/// makes them.
const EXPIRES_AT: &str = "expires_at";
const INDEXES: [&str; 2] = ["by-day", "by-resource"];

pub(super) fn judge(facts: &Facts) -> Vec<Finding> {
    facts.tables.iter().flat_map(of_table).collect()
}

fn of_table(named: &Named<Table>) -> Vec<Finding> {
    let table = match present(named, Part::Ledger, &TABLE_MISSING) {
        Ok(table) => table,
        Err(finding) => return vec![finding],
    };
    let Named { logical, id, .. } = named;
    let mut findings = Vec::new();
    // A table that is being changed still answers (DynamoDB API reference, `TableDescription`,
    // `TableStatus`, documented).
    if !matches!(table.status.as_str(), "ACTIVE" | "UPDATING") {
        findings.push(Finding::of(
            &TABLE_NOT_ACTIVE,
            format!("The table {logical} ({id}) is {}.", table.status),
        ));
    }
    if logical == LEDGER {
        match &table.is_recoverable {
            Ok(true) => {}
            Ok(false) => findings.push(Finding::of(
                &LEDGER_NOT_RECOVERABLE,
                format!("The table {id} has no point-in-time recovery."),
            )),
            Err(error) => findings.push(Finding::unknown(Part::Ledger, error)),
        }
    }
    match &table.forgets_by {
        Ok(Some(attribute)) if attribute == EXPIRES_AT => {}
        Ok(_) => findings.push(Finding::of(
            &LEDGER_KEEPS_ALL,
            format!("The table {logical} ({id}) has no time to live by {EXPIRES_AT}."),
        )),
        Err(error) => findings.push(Finding::unknown(Part::Ledger, error)),
    }
    if logical == LEDGER {
        let missing = INDEXES
            .into_iter()
            .filter(|index| !table.indexes.iter().any(|one| one == index));
        findings.extend(missing.map(|index| {
            let found = format!("The table {id} has no index {index} that can be asked.");
            Finding::of(&LEDGER_INDEX_MISSING, found)
        }));
    }
    let mut findings = or_fine(Part::Ledger, findings, || {
        format!("The table {logical} is {}.", table.status)
    });
    if logical == LEDGER {
        findings.push(if table.is_protected {
            let found = format!("DynamoDB refuses to delete the ledger {id}.");
            Finding::fine(Part::DeletionProtection, found)
        } else {
            let found = format!("DynamoDB does not refuse to delete the ledger {id}.");
            Finding::of(&LEDGER_UNPROTECTED, found)
        });
    }
    findings
}
