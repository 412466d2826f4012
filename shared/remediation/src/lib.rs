//! Ports, investigation, decision, guards, repair, retry and the handler.

pub mod ledger;
pub mod ports;
pub mod report;
pub mod settings;
pub mod write;
