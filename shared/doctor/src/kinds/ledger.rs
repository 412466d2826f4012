//! The ledgers.

use super::{Kind, PUT_BACK};
use crate::finding::{Part, State};

pub(crate) const TABLE_MISSING: Kind = Kind {
    id: "table-missing",
    part: Part::Ledger,
    state: State::Broken,
    meaning: "a ledger is gone",
    advice: "Restore the table under its name from its point-in-time recovery. Only where its content may be lost, put it back: docs/runbook.md#put-back-what-was-changed-by-hand.",
};

pub(crate) const TABLE_NOT_ACTIVE: Kind = Kind {
    id: "table-not-active",
    part: Part::Ledger,
    state: State::Broken,
    meaning: "a ledger is not active",
    advice: "Wait until it is, and look at it in Amazon DynamoDB.",
};

pub(crate) const LEDGER_NOT_READ: Kind = Kind {
    id: "ledger-not-read",
    part: Part::Ledger,
    state: State::Broken,
    meaning: "the function cannot read its ledger, so that it writes nothing",
    advice: "Look at the role's permissions, at the table, and at its key.",
};

pub(crate) const LEDGER_NOT_RECOVERABLE: Kind = Kind {
    id: "ledger-not-recoverable",
    part: Part::Ledger,
    state: State::Warning,
    meaning: "the ledger has no point-in-time recovery",
    advice: PUT_BACK,
};

pub(crate) const LEDGER_KEEPS_ALL: Kind = Kind {
    id: "ledger-keeps-all",
    part: Part::Ledger,
    state: State::Warning,
    meaning: "a ledger never forgets: its time to live is off",
    advice: PUT_BACK,
};

pub(crate) const LEDGER_INDEX_MISSING: Kind = Kind {
    id: "ledger-index-missing",
    part: Part::Ledger,
    state: State::Warning,
    meaning: "the ledger lacks one of its two indexes, by which its records are found",
    advice: PUT_BACK,
};

pub(crate) const LEDGER_UNPROTECTED: Kind = Kind {
    id: "ledger-unprotected",
    part: Part::DeletionProtection,
    state: State::Warning,
    meaning: "the ledger can be deleted",
    advice: "Set LedgerDeletionProtection to true.",
};
