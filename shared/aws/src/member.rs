//! Members of answers. AWS's models make nearly all of them optional, so what is needed is checked
//! where it is read.

use std::fmt::Display;
use std::str::FromStr;

/// An empty string says as little as none.
pub(crate) fn text(member: Option<&str>) -> Option<String> {
    member
        .filter(|text| !text.is_empty())
        .map(ToOwned::to_owned)
}

/// A member that may be absent, but not malformed.
pub(crate) fn optional<T>(name: &str, member: Option<&str>) -> Result<Option<T>, String>
where
    T: FromStr<Err: Display>,
{
    member
        .filter(|text| !text.is_empty())
        .map(str::parse)
        .transpose()
        .map_err(|error| format!("`{name}`: {error}"))
}

/// A member that must be there.
pub(crate) fn required<T>(name: &str, member: Option<&str>) -> Result<T, String>
where
    T: FromStr<Err: Display>,
{
    optional(name, member)?.ok_or_else(|| format!("`{name}` is missing"))
}
