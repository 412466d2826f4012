//! The parameters of a query protocol.

use std::collections::BTreeMap;

/// Parameters by their names, such as `ActionNames.member.1`.
pub(crate) type Parameters = BTreeMap<String, String>;

/// The parameters in a request's body.
pub(crate) fn parameters(body: &[u8]) -> Parameters {
    form_urlencoded::parse(body).into_owned().collect()
}

/// The values of a list, `NAME.1` and so on.
pub(crate) fn numbered(parameters: &Parameters, name: &str) -> Vec<String> {
    (1_usize..)
        .map_while(|number| parameters.get(&format!("{name}.{number}")).cloned())
        .collect()
}

/// A parameter whose name, up to the first dot, is none of these.
pub(crate) fn other_than<'p>(parameters: &'p Parameters, known: &[&str]) -> Option<&'p str> {
    parameters
        .keys()
        .filter_map(|name| name.split('.').next())
        .find(|name| !known.contains(name))
}
