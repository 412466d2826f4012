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
    /// Documented: IAM `reference_policies_elements_condition_operators`. That case does not count is inferred. `IfExists`
    /// on `Null` does not exist.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let (quantifier, rest) = match name.split_once(':') {
            Some(("forallvalues", rest)) => (Quantifier::ForAllValues, rest),
            Some(("foranyvalue", rest)) => (Quantifier::ForAnyValue, rest),
            Some(_) => return None,
            None => (Quantifier::Single, name.as_str()),
        };
        let (base, if_exists) = match rest.strip_suffix("ifexists") {
            Some(base) => (base, true),
            None => (rest, false),
        };
        let (comparison, negated) = match base {
            "stringequals" => (Comparison::Text, false),
            "stringnotequals" => (Comparison::Text, true),
            "stringequalsignorecase" => (Comparison::TextIgnoringCase, false),
            "stringnotequalsignorecase" => (Comparison::TextIgnoringCase, true),
            "stringlike" => (Comparison::TextLike, false),
            "stringnotlike" => (Comparison::TextLike, true),
            "numericequals" => (Comparison::Numeric(Order::Equal), false),
            "numericnotequals" => (Comparison::Numeric(Order::Equal), true),
            "numericlessthan" => (Comparison::Numeric(Order::Less), false),
            "numericlessthanequals" => (Comparison::Numeric(Order::LessOrEqual), false),
            "numericgreaterthan" => (Comparison::Numeric(Order::Greater), false),
            "numericgreaterthanequals" => (Comparison::Numeric(Order::GreaterOrEqual), false),
            "dateequals" => (Comparison::Date(Order::Equal), false),
            "datenotequals" => (Comparison::Date(Order::Equal), true),
            "datelessthan" => (Comparison::Date(Order::Less), false),
            "datelessthanequals" => (Comparison::Date(Order::LessOrEqual), false),
            "dategreaterthan" => (Comparison::Date(Order::Greater), false),
            "dategreaterthanequals" => (Comparison::Date(Order::GreaterOrEqual), false),
            "bool" => (Comparison::Bool, false),
            "binaryequals" => (Comparison::Binary, false),
            "ipaddress" => (Comparison::Ip, false),
            "notipaddress" => (Comparison::Ip, true),
            "arnequals" | "arnlike" => (Comparison::Arn, false),
            "arnnotequals" | "arnnotlike" => (Comparison::Arn, true),
            "null" if !if_exists => (Comparison::Null, false),
            _ => return None,
        };
        Some(Self {
            quantifier,
            comparison,
            negated,
            if_exists,
        })
    }
}
