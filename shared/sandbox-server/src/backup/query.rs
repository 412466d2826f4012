//! The query of a list: read strictly, and refused as AWS refuses it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use copymend_policy::AccountId;
use jiff::Timestamp;

use crate::caller::Caller;
use crate::error::AwsError;

/// The most of one page, and how many come where nothing is asked (AWS Backup's API model,
/// `MaxResults`; the default is inferred).
const MOST_RESULTS: usize = 1_000;

/// The parameters of a list's request, as its operation has them.
#[derive(Debug)]
pub(super) struct ListQuery {
    operation: &'static str,
    parameters: BTreeMap<String, String>,
    /// The place after which the page begins.
    pub(super) from: Option<u64>,
    /// How many it holds at most.
    pub(super) size: usize,
}

impl ListQuery {
    /// Reads the parameters of an operation, of which beside those of paging only `known` ones
    /// exist. AWS would pass over others; here a filter that isn't served is never passed over.
    pub(super) fn of(
        operation: &'static str,
        caller: &Caller,
        parameters: BTreeMap<String, String>,
        known: &[&str],
    ) -> Result<Self, AwsError> {
        let of_paging = ["nextToken", "maxResults"];
        let other = parameters
            .keys()
            .find(|name| !known.contains(&name.as_str()) && !of_paging.contains(&name.as_str()));
        if let Some(name) = other {
            let words = format!("the sandbox's {operation} has no parameter `{name}`");
            return Err(AwsError::invalid(words));
        }
        let size = match parameters.get("maxResults") {
            None => MOST_RESULTS,
            Some(text) => text
                .parse()
                .ok()
                .filter(|size| (1..=MOST_RESULTS).contains(size))
                .ok_or_else(|| {
                    AwsError::invalid(format!(
                        "Invalid maxResults `{text}`: it must be between 1 and {MOST_RESULTS}"
                    ))
                })?,
        };
        let from = match parameters.get("nextToken") {
            None => None,
            Some(token) => Some(
                place_of(operation, caller, token)
                    .ok_or_else(|| AwsError::invalid("Invalid nextToken"))?,
            ),
        };
        Ok(Self {
            operation,
            parameters,
            from,
            size,
        })
    }

    /// The token of the page that begins after a place.
    pub(super) fn token(&self, caller: &Caller, place: Option<u64>) -> Option<String> {
        let place = place?;
        let seal = seal(self.operation, caller, place);
        Some(format!("{:016x}{seal:016x}", place ^ seal))
    }

    /// A text as it is.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// One of these values.
    pub(super) fn one_of(&self, name: &str, values: &[&str]) -> Result<Option<&str>, AwsError> {
        match self.text(name) {
            Some(text) if !values.contains(&text) => Err(AwsError::invalid(format!(
                "Invalid {name} `{text}`: it must be one of {}",
                values.join(", ")
            ))),
            other => Ok(other),
        }
    }

    /// A resource type (AWS Backup's API model, `ResourceType`).
    pub(super) fn resource_type(&self) -> Result<Option<&str>, AwsError> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        match self.text("resourceType") {
            Some(text) if !(1..=50).contains(&text.len()) || !text.bytes().all(fits) => {
                Err(AwsError::invalid(format!("Invalid resourceType `{text}`")))
            }
            other => Ok(other),
        }
    }

    /// An account. `*`, every account of the organization, is documented of `ListBackupJobs` alone;
    /// no account here monitors others, so it is the caller's own (inferred).
    pub(super) fn account(&self, caller: &Caller) -> Result<AccountId, AwsError> {
        match self.text("accountId") {
            None | Some("*") => Ok(caller.account()),
            Some(text) => text
                .parse()
                .map_err(|_| AwsError::invalid(format!("Invalid accountId `{text}`"))),
        }
    }

    /// A span of time, between the parameters `…After` and `…Before`.
    pub(super) fn span(&self, name: &str) -> Result<Span, AwsError> {
        let time = |end: &str| {
            let name = format!("{name}{end}");
            self.text(&name)
                .map(|text| {
                    time_of(text)
                        .ok_or_else(|| AwsError::invalid(format!("Invalid {name} `{text}`")))
                })
                .transpose()
        };
        Ok(Span {
            after: time("After")?,
            before: time("Before")?,
        })
    }
}

/// A time as SDKs write it in a query: a date and time, or seconds since 1970.
fn time_of(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let seconds: i64 = text.parse().ok()?;
        Timestamp::from_second(seconds).ok()
    })
}

/// A span of time. That its ends belong to it is inferred.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    after: Option<Timestamp>,
    before: Option<Timestamp>,
}

impl Span {
    /// Whether a time lies in it. What has no time lies only in the span of all times.
    pub(super) fn has(&self, time: Option<Timestamp>) -> bool {
        self.after
            .is_none_or(|after| time.is_some_and(|time| time >= after))
            && self
                .before
                .is_none_or(|before| time.is_some_and(|time| time <= before))
    }
}

/// What makes a token one of this operation, account and Region.
fn seal(operation: &str, caller: &Caller, place: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (operation, caller.account().as_str(), caller.region(), place).hash(&mut hasher);
    hasher.finish()
}

fn place_of(operation: &str, caller: &Caller, token: &str) -> Option<u64> {
    let (place, sealed) = token.split_at_checked(16)?;
    let sealed = u64::from_str_radix(sealed, 16).ok()?;
    let place = u64::from_str_radix(place, 16).ok()? ^ sealed;
    (seal(operation, caller, place) == sealed).then_some(place)
}
