//! A time as people write it.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;

/// A time, written with its unit: `45m`, `26h`, `8d` or `2w`.
///
/// ```
/// use copymend_remediation::settings::Age;
///
/// assert_eq!("26h".parse::<Age>().map(Age::seconds), Ok(93_600));
/// assert!("26".parse::<Age>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Age(SignedDuration);

/// A text that is no time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time: write it like 26h or 8d")]
pub struct InvalidAge(String);

impl Age {
    /// The time in seconds.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.as_secs()
    }

    /// As a time.
    #[must_use]
    pub const fn duration(self) -> SignedDuration {
        self.0
    }
}

impl FromStr for Age {
    type Err = InvalidAge;

    fn from_str(text: &str) -> Result<Self, InvalidAge> {
        let refused = || InvalidAge(text.to_owned());
        let unit = text.chars().last().ok_or_else(refused)?;
        let seconds: i64 = match unit {
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return Err(refused()),
        };
        let number = text.strip_suffix(unit).ok_or_else(refused)?;
        let number: i64 = number
            .parse()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(refused)?;
        let seconds = number.checked_mul(seconds).ok_or_else(refused)?;
        Ok(Self(SignedDuration::from_secs(seconds)))
    }
}

/// In the largest unit of which it is a whole number, up to days.
impl fmt::Display for Age {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.seconds();
        if seconds % 86_400 == 0 {
            write!(formatter, "{}d", seconds / 86_400)
        } else if seconds % 3_600 == 0 {
            write!(formatter, "{}h", seconds / 3_600)
        } else {
            write!(formatter, "{}m", seconds / 60)
        }
    }
}
