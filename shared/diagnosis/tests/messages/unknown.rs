//! Texts that say nothing Copymend knows.

use copymend_diagnosis::Cause;
use copymend_diagnosis::messages::explain;

use crate::data::{assert_best, unknown};

#[test]
fn free_text_is_unknown() {
    for message in unknown() {
        assert_best(message, Cause::Unknown);
    }
}

#[test]
fn an_empty_text_is_unknown() {
    for message in ["", " ", "\n\t", ".", "\u{feff}", "''", "()"] {
        assert_best(message, Cause::Unknown);
    }
}

#[test]
fn unknown_offers_no_repair() {
    assert!(!explain("Abort signal detected").is_repairable());
}
