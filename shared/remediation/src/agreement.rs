//! A person's yes to exactly what they were shown: a plan has a hash of everything that it would put,
//! and nothing else passes for it.

use std::fmt;
use std::str::FromStr;

use copymend_diagnosis::Failure;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::guards::{Act, Question};
use crate::plan::{Plan, Target};

/// What the hash is of. Another number, where other things go into it.
const HASHED: &str = "copymend plan 1";
const ASKED: &str = "copymend request 1";
/// Crockford's digits: none of them is taken for another one.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUPS: [usize; 3] = [4, 4, 4];
const BITS_OF_A_DIGIT: u32 = 5;

/// A hash of everything that a plan puts, and of what it rests on: the copy job, the vault, key or role,
/// the meaning of the policy before, and the statements. AWS KMS answers the lists of one policy in
/// another order each time, so that its text doesn't count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanHash([u8; 32]);

/// The text is no plan's hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no plan's hash: it has 64 hexadecimal digits", .0.escape_debug())]
pub struct InvalidPlanHash(String);

impl PlanHash {
    /// How many digits a short name has, without its lines.
    pub const DIGITS_OF_ID: usize = 12;

    /// The hash of a plan for this failed copy; without a plan the copy is only started again.
    #[must_use]
    pub fn of(failure: &Failure, plan: Option<&Plan>) -> Self {
        let job = failure.job();
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            // With its length, so that no two plans run together into the same bytes.
            hash.update(text.len().to_string());
            hash.update(":");
            hash.update(text);
        };
        add(HASHED);
        add(job.account.as_str());
        add(&job.region);
        add(&job.id);
        let Some(plan) = plan else {
            add("start the copy again");
            return Self(hash.finalize().into());
        };
        add(match plan.target {
            Target::VaultPolicy(_) => "vault policy",
            Target::KeyPolicy(_) => "key policy",
            Target::ServiceLinkedRole(_) => "service-linked role",
        });
        add(plan.target.as_str());
        match plan.edit.as_ref().map(|edit| &edit.before) {
            None => add("no policy is edited"),
            Some(None) => add("no policy"),
            Some(Some(before)) => {
                add("policy");
                add(&before.canonical());
            }
        }
        for statement in plan.added() {
            add(statement.as_str());
        }
        Self(hash.finalize().into())
    }

    /// The hash of this plan as it is asked about once: by this invocation, then. A plan that nobody
    /// answered is asked about again under another one, so that an answer is to one question alone.
    #[must_use]
    pub fn as_asked_by(&self, invocation: &str, at: Timestamp) -> Self {
        let mut hash = Sha256::new();
        for text in [
            ASKED,
            &self.to_string(),
            invocation,
            &at.as_millisecond().to_string(),
        ] {
            hash.update(text.len().to_string());
            hash.update(":");
            hash.update(text);
        }
        Self(hash.finalize().into())
    }

    /// A short name to type: 60 bits of the hash, such as `7K3F-9Q2M-X4TD`.
    #[must_use]
    pub fn id(&self) -> String {
        let mut bits = self.0.iter().fold(Vec::new(), |mut bits, byte| {
            bits.extend((0..u8::BITS).rev().map(|bit| byte >> bit & 1));
            bits
        });
        let mut groups = Vec::new();
        for length in GROUPS {
            let rest = bits.split_off(length * BITS_OF_A_DIGIT as usize);
            let digits = bits.chunks(BITS_OF_A_DIGIT as usize).map(|digit| {
                let value = digit
                    .iter()
                    .fold(0_usize, |value, bit| value << 1 | usize::from(*bit));
                DIGITS.get(value).map_or('0', |digit| char::from(*digit))
            });
            groups.push(digits.collect::<String>());
            bits = rest;
        }
        groups.join("-")
    }

    /// Whether a person means this plan by what they typed: the whole hash, or the short name, in any
    /// case, with or without its lines.
    #[must_use]
    pub fn is_named_by(&self, typed: &str) -> bool {
        let plain = |text: &str| -> String {
            let kept = text.chars().filter(|sign| *sign != '-');
            kept.map(|sign| sign.to_ascii_uppercase()).collect()
        };
        let typed = plain(typed.trim());
        typed == plain(&self.id()) || typed == plain(&self.to_string())
    }
}

impl fmt::Display for PlanHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for PlanHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PlanHash({self})")
    }
}

impl FromStr for PlanHash {
    type Err = InvalidPlanHash;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidPlanHash(text.chars().take(100).collect());
        let mut hash = [0; 32];
        if text.len() != 2 * hash.len() || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        for (byte, place) in hash.iter_mut().zip((0_usize..).step_by(2)) {
            let digits = text
                .get(place..place.saturating_add(2))
                .ok_or_else(invalid)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| invalid())?;
        }
        Ok(Self(hash))
    }
}

impl Serialize for PlanHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PlanHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// That a person said yes to a plan that they were shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    plan: PlanHash,
    by: Option<String>,
    at: Timestamp,
    /// Whether the change is made, so that the copy is what is left.
    is_carried_out: bool,
}

impl Agreement {
    /// A yes to the plan of this hash, now; `by` is the ARN that AWS knows the person by, where it does.
    #[must_use]
    pub const fn to(plan: PlanHash, by: Option<String>, at: Timestamp) -> Self {
        Self {
            plan,
            by,
            at,
            is_carried_out: false,
        }
    }

    /// The plan.
    #[must_use]
    pub const fn plan(&self) -> PlanHash {
        self.plan
    }

    /// Who said yes, where AWS knows the person.
    #[must_use]
    pub fn by(&self) -> Option<&str> {
        self.by.as_deref()
    }

    /// When.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The same, where the change that was agreed to is made: the copy may be started again.
    pub(crate) fn carried_out(self) -> Self {
        Self {
            is_carried_out: true,
            ..self
        }
    }

    /// Whether what is asked about is what the person said yes to: the same policy before, the same
    /// statements, nothing else.
    pub(crate) fn answers(&self, question: &Question<'_>) -> (bool, String) {
        let who = self
            .by
            .as_deref()
            .unwrap_or("a person whom AWS does not name");
        let agreed = format!("{who} agreed at {} to plan {}", self.at, self.plan.id());
        let failure = question.failure;
        let hash = match question.act {
            Act::Retry if self.is_carried_out => return (true, agreed),
            Act::Retry => PlanHash::of(failure, None),
            Act::VaultPolicy | Act::KeyPolicy | Act::ServiceLinkedRole => {
                let Some(plan) = question.planned() else {
                    return (
                        false,
                        format!("{agreed}, and by now nothing can be planned"),
                    );
                };
                PlanHash::of(failure, Some(plan))
            }
        };
        if hash == self.plan {
            (true, agreed)
        } else {
            let detail = format!(
                "{agreed}, and what would be done now is another one, {}: something changed since it was shown",
                hash.id()
            );
            (false, detail)
        }
    }
}
