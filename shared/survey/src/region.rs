//! Codes of AWS's Regions.

use std::fmt;
use std::str::FromStr;

/// A Region's code, such as `eu-west-1`. Which Regions there are isn't known here: AWS opens new ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RegionCode(String);

/// A text that is no code of a Region.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no Region code: write it like eu-west-1")]
pub struct NoRegionCode(String);

impl RegionCode {
    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition that Regions of this name lie in (AWS General Reference, "Regions and
    /// endpoints", documented by the names in use).
    #[must_use]
    pub fn partition(&self) -> &'static str {
        let prefixes = [
            ("cn-", "aws-cn"),
            ("us-gov-", "aws-us-gov"),
            ("eusc-", "aws-eusc"),
            ("us-iso-", "aws-iso"),
            ("us-isob-", "aws-iso-b"),
            ("us-isof-", "aws-iso-f"),
            ("eu-isoe-", "aws-iso-e"),
        ];
        prefixes
            .into_iter()
            .find(|(prefix, _)| self.0.starts_with(prefix))
            .map_or("aws", |(_, partition)| partition)
    }
}

impl fmt::Display for RegionCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for RegionCode {
    type Err = NoRegionCode;

    fn from_str(text: &str) -> Result<Self, NoRegionCode> {
        let is_word = |part: &str| {
            (2..=12).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_lowercase())
        };
        let is_number = |part: &str| {
            (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        let parts: Vec<&str> = text.split('-').collect();
        let fits = match parts.as_slice() {
            [words @ .., number] => {
                (2..=3).contains(&words.len())
                    && words.iter().all(|word| is_word(word))
                    && is_number(number)
            }
            [] => false,
        };
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(NoRegionCode(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_code_is_words_and_a_number() {
        for (code, partition) in [
            ("eu-west-1", "aws"),
            ("ap-southeast-10", "aws"),
            ("mx-central-1", "aws"),
            ("us-gov-west-1", "aws-us-gov"),
            ("cn-northwest-1", "aws-cn"),
            ("eusc-de-east-1", "aws-eusc"),
            ("us-isob-east-1", "aws-iso-b"),
        ] {
            let region: RegionCode = code.parse().unwrap();
            assert_eq!((region.as_str(), region.partition()), (code, partition));
        }
    }

    #[test]
    fn anything_else_is_told_with_an_example() {
        for text in [
            "",
            "eu",
            "eu-west",
            "eu-west-1a",
            "EU-WEST-1",
            "eu west 1",
            "eu-west-1-",
            "-eu-west-1",
            "eu-west-123",
            "111122223333",
            "e-west-1",
            "eu-west-1,eu-west-2",
            "a-b-c-d-e-1",
        ] {
            let error = text.parse::<RegionCode>().unwrap_err();
            assert!(error.to_string().contains("eu-west-1"), "{text}");
        }
    }
}
