//! The `Condition` element: one operator on one key, and how it comes out for a request.

use crate::context::{Found, Request};
use crate::key::Key;
use crate::operand::{Compared, Operand};
use crate::operator::{Comparison, Operator, Quantifier};
use crate::truth::Truth;
use crate::values::Decimal;

/// Keys that AWS documents as multivalued and that the policies of vaults and keys may use; in
/// lower case. They "require a condition set operator" even when the request holds one value.
const MULTIVALUED: [&str; 11] = [
    "aws:calledvia",
    "aws:principalorgpaths",
    "aws:principalservicenameslist",
    "aws:resourceorgpaths",
    "aws:sourceorgpaths",
    "aws:tagkeys",
    "aws:vpceorgpaths",
    "backup:copytargetorgpaths",
    "kms:encryptioncontextkeys",
    "kms:grantoperations",
    "kms:resourcealiases",
];

/// Whether a key, given in lower case, may hold several values.
pub(crate) fn is_multivalued(key: &str) -> bool {
    MULTIVALUED.contains(&key)
}

/// How a condition comes out by a rule that is unverified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unverified {
    MatchesNothing,
    IsUnknown,
}

/// One operator applied to one key.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    operator: Operator,
    key: Key,
    operands: Vec<Operand>,
}

impl Condition {
    pub(crate) fn new(operator: Operator, key: &str, operands: Vec<Operand>) -> Self {
        Self {
            operator,
            key: Key::new(key),
            operands,
        }
    }

    /// Whether the condition says what a request must not be.
    pub(crate) fn is_negated(&self) -> bool {
        self.operator.negated
    }

    /// Whether the request meets the condition.
    ///
    /// The rules, from IAM `reference_policies_elements_condition_operators` and
    /// `reference_policies_condition-single-vs-multi-valued-context-keys`:
    /// - documented: a missing key fails an operator, but passes a negated one; `IfExists` passes
    ///   it; `ForAllValues` passes it, also when all its values are empty; `ForAnyValue` fails it,
    ///   negated or not;
    /// - documented: several policy values are an OR, for a negated operator a NOR;
    /// - inferred: `IfExists` wins over `ForAnyValue` where the key is missing;
    /// - unverified: a key of several values, or one documented as multivalued, under an operator
    ///   without a set operator matches nothing, negated or not (AWS says only that such a key
    ///   requires a set operator).
    pub(crate) fn holds(&self, request: &Request) -> Truth {
        self.compare(request, Unverified::MatchesNothing)
    }

    /// As [`Self::holds`]; unknown where a rule of it is unverified.
    pub(crate) fn may_hold(&self, request: &Request) -> Truth {
        self.compare(request, Unverified::IsUnknown)
    }

    /// Whether the outcome is the same at every moment from one second since 1970 to the other, as
    /// far as it depends on the time (`aws:CurrentTime`, `aws:EpochTime`).
    pub(crate) fn is_settled_between(&self, from: i64, until: i64) -> bool {
        let key = self.key.lower();
        if key != "aws:currenttime" && key != "aws:epochtime" {
            return true;
        }
        let number = |second: i64| Decimal::parse(&second.to_string());
        let is_outside = |operand: &Operand| match operand {
            Operand::Date(moment) => moment.is_outside(from, until),
            Operand::Number(given) if key == "aws:epochtime" => {
                number(from).is_some_and(|from| *given < from)
                    || number(until).is_some_and(|until| *given > until)
            }
            Operand::Number(_)
            | Operand::Text(_)
            | Operand::Arn(_)
            | Operand::ArnTemplate(_)
            | Operand::Ip(_)
            | Operand::Truth(_)
            | Operand::Binary(_)
            | Operand::Invalid => false,
        };
        // The key is always there.
        self.operator.comparison == Comparison::Null || self.operands.iter().all(is_outside)
    }

    fn compare(&self, request: &Request, unverified: Unverified) -> Truth {
        let operator = self.operator;
        if operator.comparison == Comparison::Null {
            return self.is_null(request);
        }
        match request.find(self.key.lower()) {
            Found::Unknown => self.unknown(request),
            Found::Absent => Truth::from(self.holds_when_absent()),
            Found::Values(values) => match (operator.quantifier, values) {
                (Quantifier::Single, [value]) if !is_multivalued(self.key.lower()) => {
                    self.value_holds(value, request, unverified)
                }
                (Quantifier::Single, _) => self.unverified(request, unverified),
                (Quantifier::ForAllValues, _) if values.iter().all(String::is_empty) => Truth::Yes,
                (Quantifier::ForAllValues, _) => Truth::all(
                    values
                        .iter()
                        .map(|value| self.value_holds(value, request, unverified)),
                ),
                (Quantifier::ForAnyValue, _) => Truth::any(
                    values
                        .iter()
                        .map(|value| self.value_holds(value, request, unverified)),
                ),
            },
        }
    }

    fn unverified(&self, request: &Request, unverified: Unverified) -> Truth {
        match unverified {
            Unverified::MatchesNothing => Truth::No,
            Unverified::IsUnknown => Truth::Unknown(vec![request.unknown_name(&self.key)]),
        }
    }

    fn holds_when_absent(&self) -> bool {
        match self.operator.quantifier {
            Quantifier::ForAllValues => true,
            Quantifier::ForAnyValue => self.operator.if_exists,
            Quantifier::Single => self.operator.if_exists || self.operator.negated,
        }
    }

    /// The key may be absent or hold anything. Without policy values the outcome may still be
    /// certain.
    fn unknown(&self, request: &Request) -> Truth {
        if self.operands.is_empty() && !self.operator.negated && !self.holds_when_absent() {
            return Truth::No;
        }
        Truth::Unknown(vec![request.unknown_name(&self.key)])
    }

    /// `Null`: `true` asks for an absent key, `false` for a present one. A key whose values are all
    /// empty is null (documented for `ForAllValues` with `Null`).
    fn is_null(&self, request: &Request) -> Truth {
        let wants = |absent| {
            self.operands
                .iter()
                .any(|operand| matches!(operand, Operand::Truth(wanted) if *wanted == absent))
        };
        let absent = match request.find(self.key.lower()) {
            Found::Unknown => {
                return match (wants(true), wants(false)) {
                    (true, true) => Truth::Yes,
                    (false, false) => Truth::No,
                    (true, false) | (false, true) => {
                        Truth::Unknown(vec![request.unknown_name(&self.key)])
                    }
                };
            }
            Found::Absent => true,
            Found::Values(values) => values.iter().all(String::is_empty),
        };
        Truth::from(wants(absent))
    }

    /// One of the key's values against all of the policy's.
    ///
    /// Where a value is not of the operator's type (a number, date, address or ARN), neither the
    /// operator nor its negation matches (unverified; AWS does not say).
    fn value_holds(&self, value: &str, request: &Request, unverified: Unverified) -> Truth {
        let mut invalid = false;
        let mut unknown = Vec::new();
        for operand in &self.operands {
            match operand.compare(self.operator.comparison, value, request) {
                Compared::Yes if self.operator.negated => return Truth::No,
                Compared::Yes => return Truth::Yes,
                Compared::No => {}
                Compared::Invalid => invalid = true,
                Compared::Unknown(key) => unknown.push(key),
            }
        }
        if invalid && (self.operator.negated || unverified == Unverified::IsUnknown) {
            return self.unverified(request, unverified);
        }
        if !unknown.is_empty() {
            return Truth::Unknown(unknown);
        }
        Truth::from(self.operator.negated)
    }
}
