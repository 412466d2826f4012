//! What a failure message says.
use crate::Cause;
/// stub
pub struct Explanation<'m> { /// m
 pub message: &'m str, /// c
 pub candidates: Vec<Candidate> }
/// stub
pub struct Candidate { /// c
 pub cause: Cause, /// w
 pub why: &'static str }
/// stub
pub fn explain(message: &str) -> Explanation<'_> { Explanation { message, candidates: vec![Candidate { cause: Cause::Unknown, why: "" }] } }
