//! Amazon Resource Names and account ids.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An AWS account id: exactly twelve ASCII digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; 12]);

impl AccountId {
    /// The twelve digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // INVARIANT: the bytes are ASCII digits, checked when the value was made.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for AccountId {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        <[u8; 12]>::try_from(text.as_bytes())
            .ok()
            .filter(|digits| digits.iter().all(u8::is_ascii_digit))
            .map(Self)
            .ok_or_else(|| ArnError::account(text))
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// An Amazon Resource Name: `arn:partition:service:region:account:resource`.
///
/// Region and account may be empty, as in IAM and S3 ARNs. The resource may hold `:` and `/`.
/// Parsing checks the shape of every part, so that look-alike characters, wildcards in the account
/// and control characters never get past it. It does not insist on a twelve-digit account, because
/// AWS's own sample events carry thirteen digits: [`Arn::account_id`] does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn {
    text: String,
    partition: usize,
    service: usize,
    region: usize,
    account: usize,
}

impl Arn {
    /// The whole ARN as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn part(&self, from: usize, to: usize) -> &str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// The partition, such as `aws`, `aws-cn` or `aws-us-gov`.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.part(4, self.partition)
    }

    /// The service namespace, such as `backup` or `kms`.
    #[must_use]
    pub fn service(&self) -> &str {
        self.part(self.partition + 1, self.service)
    }

    /// The Region code; empty for global services.
    #[must_use]
    pub fn region(&self) -> &str {
        self.part(self.service + 1, self.region)
    }

    /// The account as written; empty for resources that carry none.
    #[must_use]
    pub fn account(&self) -> &str {
        self.part(self.region + 1, self.account)
    }

    /// The account, if it is a real twelve-digit one.
    #[must_use]
    pub fn account_id(&self) -> Option<AccountId> {
        self.account().parse().ok()
    }

    /// All that follows the account.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.part(self.account + 1, self.text.len())
    }
}

fn colons(text: &str) -> Option<[usize; 5]> {
    let mut found = text.match_indices(':').map(|(at, _)| at);
    Some([
        found.next()?,
        found.next()?,
        found.next()?,
        found.next()?,
        found.next()?,
    ])
}

pub(crate) fn is_partition(text: &str) -> bool {
    text == "aws"
        || text.strip_prefix("aws-").is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
        })
}

impl FromStr for Arn {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        let refused = |reason| ArnError::arn(text, reason);
        if !text.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
            return Err(refused("it holds a character that no ARN has"));
        }
        let [first, partition, service, region, account] =
            colons(text).ok_or_else(|| refused("it needs six parts separated by `:`"))?;
        let arn = Self {
            text: text.to_owned(),
            partition,
            service,
            region,
            account,
        };
        if arn.part(0, first) != "arn" {
            return Err(refused("it must start with `arn:`"));
        }
        if !is_partition(arn.partition()) {
            return Err(refused("its partition is not one of AWS's"));
        }
        let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if arn.service().is_empty() || !arn.service().bytes().all(lower) {
            return Err(refused("its service is not a service namespace"));
        }
        if !arn.region().bytes().all(lower) {
            return Err(refused("its Region is not a Region code"));
        }
        if arn.account() != "aws" && !arn.account().bytes().all(|b| b.is_ascii_digit()) {
            return Err(refused("its account is not a number"));
        }
        if arn.resource().is_empty() {
            return Err(refused("it names no resource"));
        }
        Ok(arn)
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl fmt::Debug for Arn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

macro_rules! serde_as_text {
    ($($name:ty),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

serde_as_text!(AccountId, Arn);

#[cfg(feature = "schema")]
impl schemars::JsonSchema for AccountId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AccountId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "The id of an AWS account.",
            "type": "string",
            "pattern": "^[0-9]{12}$"
        })
    }
}

/// Why a text is no ARN or no account id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {kind}: {reason}")]
pub struct ArnError {
    kind: &'static str,
    text: String,
    reason: &'static str,
}

impl ArnError {
    fn arn(text: &str, reason: &'static str) -> Self {
        Self::new("an ARN", text, reason)
    }

    fn account(text: &str) -> Self {
        Self::new("an account id", text, "it must be twelve digits")
    }

    /// An error about a text that should have been `kind`, such as `"a backup vault ARN"`.
    ///
    /// The text is shown escaped and cut to 200 characters, because it may come from an event.
    #[must_use]
    pub fn new(kind: &'static str, text: &str, reason: &'static str) -> Self {
        Self {
            kind,
            text: crate::text::escaped(text, 200),
            reason,
        }
    }
}
