//! The kinds of policies that have a say in a request.

use std::fmt;

use serde::{Serialize, Serializer};

/// A kind of policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// The principal's own policies.
    Identity,
    /// The permissions boundary.
    Boundary,
    /// The session policy.
    Session,
    /// The organization's service control policies over the principal's account.
    Scp,
    /// The organization's resource control policies over the resource's account.
    Rcp,
    /// The resource's policy.
    Resource,
}

impl Layer {
    /// A stable name: `identity`, `boundary`, `session`, `scp`, `rcp` or `resource`.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Boundary => "boundary",
            Self::Session => "session",
            Self::Scp => "scp",
            Self::Rcp => "rcp",
            Self::Resource => "resource",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.slug())
    }
}

impl Serialize for Layer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.slug())
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Layer {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Layer".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let all = [
            Self::Identity,
            Self::Boundary,
            Self::Session,
            Self::Scp,
            Self::Rcp,
            Self::Resource,
        ];
        schemars::json_schema!({
            "description": "A kind of policy that has a say.",
            "type": "string",
            "enum": all.map(Self::slug)
        })
    }
}
