//! Resources that need no copy any more.

use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// A pattern of resource ARNs that are left out, with a reason and until when.
///
/// ```
/// use copymend_survey::rpo::Exclusion;
///
/// let text = "arn:aws:ec2:*:*:volume/vol-0123,retired in May, copies are kept for audits,2027-05-31";
/// let exclusion: Exclusion = text.parse().unwrap();
/// assert_eq!(exclusion.reason(), "retired in May, copies are kept for audits");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    pattern: String,
    reason: String,
    until: Date,
}

/// A text that is no exclusion.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no exclusion: {reason}; write it like `arn:aws:ec2:*:*:volume/vol-0123,retired in May,2027-05-31`"
)]
pub struct InvalidExclusion {
    text: String,
    reason: &'static str,
}

impl FromStr for Exclusion {
    type Err = InvalidExclusion;

    fn from_str(text: &str) -> Result<Self, InvalidExclusion> {
        let refused = |reason| InvalidExclusion {
            text: text.to_owned(),
            reason,
        };
        let (pattern, rest) = text
            .split_once(',')
            .ok_or_else(|| refused("it has a pattern, a reason and an end"))?;
        let (reason, until) = rest
            .rsplit_once(',')
            .ok_or_else(|| refused("it has a pattern, a reason and an end"))?;
        let (pattern, reason) = (pattern.trim(), reason.trim());
        if pattern != "*" && !pattern.starts_with("arn:") {
            return Err(refused("its pattern begins with `arn:`"));
        }
        if reason.is_empty() {
            return Err(refused("its reason is empty"));
        }
        let until = until
            .trim()
            .parse()
            .map_err(|_| refused("its end is a day such as 2027-05-31"))?;
        Ok(Self {
            pattern: pattern.to_owned(),
            reason: reason.to_owned(),
            until,
        })
    }
}

impl Exclusion {
    /// The exclusions of a file: one a line; empty lines and those that begin with `#` are for people.
    ///
    /// # Errors
    /// The first line that is none.
    pub fn of_lines(text: &str) -> Result<Vec<Self>, InvalidExclusion> {
        text.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(str::parse)
            .collect()
    }

    /// The pattern, in which `*` stands for any characters.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The last day on which it holds, in UTC.
    #[must_use]
    pub const fn until(&self) -> Date {
        self.until
    }

    /// Whether its last day is over.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        let end = self.until.checked_add(1.day()).ok();
        let end = end.and_then(|day| day.to_zoned(TimeZone::UTC).ok());
        end.is_some_and(|end| end.timestamp() <= now)
    }

    /// Whether it names a resource.
    #[must_use]
    pub fn names(&self, resource: &str) -> bool {
        matches(&self.pattern, resource)
    }
}

/// Whether a text fits a pattern in which `*` stands for any characters.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exclusion_holds_to_the_end_of_its_last_day() {
        let exclusion: Exclusion = "arn:aws:ec2:*:*:volume/vol-1,retired,2027-05-31"
            .parse()
            .unwrap();
        assert!(!exclusion.has_expired("2027-05-31T23:59:59Z".parse().unwrap()));
        assert!(exclusion.has_expired("2027-06-01T00:00:00Z".parse().unwrap()));
        assert!(exclusion.names("arn:aws:ec2:eu-west-1:111122223333:volume/vol-1"));
        assert!(!exclusion.names("arn:aws:ec2:eu-west-1:111122223333:volume/vol-12"));
    }

    #[test]
    fn patterns_match_as_people_read_them() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "abcc", true),
            ("a*b*c", "axbxc", true),
            ("a*b*c", "axc", false),
            ("ab*ba", "aba", false),
            ("abc", "abc", true),
            ("abc", "abcd", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn a_reason_and_an_end_are_needed() {
        for (text, words) in [
            ("arn:aws:s3:::b", "a reason and an end"),
            ("arn:aws:s3:::b,2027-01-01", "a reason and an end"),
            ("arn:aws:s3:::b, ,2027-01-01", "reason is empty"),
            ("arn:aws:s3:::b,old,soon", "its end is a day"),
            ("bucket,old,2027-01-01", "begins with `arn:`"),
        ] {
            let error = text.parse::<Exclusion>().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        let lines = "# retired\n\narn:aws:s3:::b,old,2027-01-01\n";
        assert_eq!(Exclusion::of_lines(lines).unwrap().len(), 1);
    }
}
