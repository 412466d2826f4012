//! Settings that are one of a few names.

/// A name that is none of those accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {kind}; accepted: {accepted}")]
pub struct UnknownName {
    kind: &'static str,
    text: String,
    accepted: &'static str,
}

impl UnknownName {
    pub(super) fn new(kind: &'static str, text: &str, accepted: &'static str) -> Self {
        Self {
            kind,
            text: crate::error::shown(text),
            accepted,
        }
    }
}

/// Gives an enum its names: `FromStr`, `Display`, `Serialize`, `Deserialize` and `slug`.
macro_rules! names {
    ($type:ident, $kind:literal, $accepted:literal, $($variant:ident = $name:literal),+) => {
        impl $type {
            /// The name, as settings write it.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.slug())
            }
        }

        impl std::str::FromStr for $type {
            type Err = crate::grant::UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($name => Ok(Self::$variant),)+
                    _ => Err(crate::grant::UnknownName::new($kind, text, $accepted)),
                }
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.slug())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(super) use names;
