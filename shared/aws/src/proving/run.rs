//! The id of a run, and the names that are made of it.

use std::fmt;
use std::str::FromStr;

/// What every name begins with.
const PREFIX: &str = "copymend-prove-";

/// The key of the tag that everything carries; its value is the run's id.
pub const TAG: &str = "copymend-prove";

/// The length of an id.
const LENGTH: usize = 8;

/// Letters and digits of ids.
const DIGITS: [char; 36] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i',
    'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
];

/// The id of a run: eight small letters or digits.
///
/// ```
/// use copymend_aws::proving::RunId;
///
/// let run: RunId = "0a1b2c3d".parse()?;
/// assert_eq!(run.name(), "copymend-prove-0a1b2c3d");
/// assert_eq!(RunId::of_name("copymend-prove-0a1b2c3d"), Some(run));
/// assert_eq!(RunId::of_name("production"), None);
/// # Ok::<(), copymend_aws::proving::InvalidRunId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(String);

/// A text that is no id of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a run's id is eight small letters or digits")]
pub struct InvalidRunId;

impl RunId {
    /// An id made of a random number.
    #[must_use]
    pub fn of_random(number: u64) -> Self {
        let mut rest = number;
        let id = std::iter::repeat_with(|| {
            let digit = usize::try_from(rest % 36).unwrap_or_default();
            rest /= 36;
            DIGITS.get(digit).copied().unwrap_or('0')
        });
        Self(id.take(LENGTH).collect())
    }

    /// The name of both vaults.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{PREFIX}{}", self.0)
    }

    /// The run that a name is made of; `None` where it is no name of a run.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        name.strip_prefix(PREFIX)?.parse().ok()
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RunId {
    type Err = InvalidRunId;

    fn from_str(text: &str) -> Result<Self, InvalidRunId> {
        let fits = text.len() == LENGTH && text.chars().all(|c| DIGITS.contains(&c));
        fits.then(|| Self(text.to_owned())).ok_or(InvalidRunId)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_random_number_makes_an_id() {
        for number in [0, 1, 35, 36, u64::MAX] {
            let run = RunId::of_random(number);
            assert_eq!(run.as_str().parse(), Ok(run.clone()));
            assert_eq!(RunId::of_name(&run.name()), Some(run));
        }
    }

    #[test]
    fn no_other_name_is_one_of_a_run() {
        for name in [
            "copymend-prove-",
            "copymend-prove-ABCDEFGH",
            "copymend-prove-abcdefghi",
            "copymend-prove-abcdefg",
            "copymend-prove-abcdefg*",
            "xcopymend-prove-abcdefgh",
            "Default",
        ] {
            assert_eq!(RunId::of_name(name), None, "{name}");
        }
    }
}
