//! Three-valued logic: yes, no, or undecided because of condition keys nobody knows.

/// Whether something holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    No,
    Yes,
    /// The keys that would decide.
    Unknown(Vec<String>),
}

impl From<bool> for Truth {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

impl Truth {
    /// All hold: one `No` decides, whatever is unknown.
    pub(crate) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut unknown = Vec::new();
        for part in parts {
            match part {
                Self::No => return Self::No,
                Self::Yes => {}
                Self::Unknown(keys) => unknown.extend(keys),
            }
        }
        if unknown.is_empty() {
            Self::Yes
        } else {
            Self::Unknown(unknown)
        }
    }

    /// One holds: one `Yes` decides, whatever is unknown.
    pub(crate) fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::all(parts.into_iter().map(Self::negated)).negated()
    }

    pub(crate) fn negated(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Yes => Self::No,
            Self::Unknown(keys) => Self::Unknown(keys),
        }
    }
}
