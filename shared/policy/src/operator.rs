//! Condition operators: what a name such as `ForAnyValue:StringNotLikeIfExists` says.

/// How a key of several values is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantifier {
    /// A key of one value.
    Single,
    ForAllValues,
    ForAnyValue,
}

/// How two ordered values must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    pub(crate) fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// What a value is compared as. `ArnEquals` and `ArnLike` are the same (documented).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Text,
    TextIgnoringCase,
    TextLike,
    Numeric(Order),
    Date(Order),
    Bool,
    Binary,
    Ip,
    Arn,
    Null,
}

/// A condition operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(crate) quantifier: Quantifier,
    pub(crate) comparison: Comparison,
    pub(crate) negated: bool,
    pub(crate) if_exists: bool,
}

impl Operator {
    /// Reads an operator's name; case does not count.
    ///
    /// Documented: IAM `reference_policies_elements_condition_operators`. That case does not count
    /// is inferred. `IfExists` on `Null` does not exist.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (quantifier, rest) = match name.split_once(':') {
            None => (Quantifier::Single, name),
            Some((set, rest)) if set.eq_ignore_ascii_case("ForAllValues") => {
                (Quantifier::ForAllValues, rest)
            }
            Some((set, rest)) if set.eq_ignore_ascii_case("ForAnyValue") => {
                (Quantifier::ForAnyValue, rest)
            }
            Some(_) => return None,
        };
        let (base, if_exists) = match rest
            .len()
            .checked_sub(8)
            .and_then(|at| rest.split_at_checked(at))
        {
            Some((base, end)) if end.eq_ignore_ascii_case("IfExists") => (base, true),
            Some(_) | None => (rest, false),
        };
        let (_, comparison, negated) = OPERATORS
            .iter()
            .find(|(name, ..)| name.eq_ignore_ascii_case(base))?;
        if if_exists && *comparison == Comparison::Null {
            return None;
        }
        Some(Self {
            quantifier,
            comparison: *comparison,
            negated: *negated,
            if_exists,
        })
    }
}

/// The operators: name, what they compare, whether negated.
const OPERATORS: [(&str, Comparison, bool); 27] = [
    ("StringEquals", Comparison::Text, false),
    ("StringNotEquals", Comparison::Text, true),
    (
        "StringEqualsIgnoreCase",
        Comparison::TextIgnoringCase,
        false,
    ),
    (
        "StringNotEqualsIgnoreCase",
        Comparison::TextIgnoringCase,
        true,
    ),
    ("StringLike", Comparison::TextLike, false),
    ("StringNotLike", Comparison::TextLike, true),
    ("ArnEquals", Comparison::Arn, false),
    ("ArnNotEquals", Comparison::Arn, true),
    ("ArnLike", Comparison::Arn, false),
    ("ArnNotLike", Comparison::Arn, true),
    ("Bool", Comparison::Bool, false),
    ("Null", Comparison::Null, false),
    ("NumericEquals", Comparison::Numeric(Order::Equal), false),
    ("NumericNotEquals", Comparison::Numeric(Order::Equal), true),
    ("NumericLessThan", Comparison::Numeric(Order::Less), false),
    (
        "NumericLessThanEquals",
        Comparison::Numeric(Order::LessOrEqual),
        false,
    ),
    (
        "NumericGreaterThan",
        Comparison::Numeric(Order::Greater),
        false,
    ),
    (
        "NumericGreaterThanEquals",
        Comparison::Numeric(Order::GreaterOrEqual),
        false,
    ),
    ("DateEquals", Comparison::Date(Order::Equal), false),
    ("DateNotEquals", Comparison::Date(Order::Equal), true),
    ("DateLessThan", Comparison::Date(Order::Less), false),
    (
        "DateLessThanEquals",
        Comparison::Date(Order::LessOrEqual),
        false,
    ),
    ("DateGreaterThan", Comparison::Date(Order::Greater), false),
    (
        "DateGreaterThanEquals",
        Comparison::Date(Order::GreaterOrEqual),
        false,
    ),
    ("IpAddress", Comparison::Ip, false),
    ("NotIpAddress", Comparison::Ip, true),
    ("BinaryEquals", Comparison::Binary, false),
];
