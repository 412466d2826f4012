//! The organization's tag policy as it is in effect for one account.

use std::collections::BTreeMap;

use copymend_policy::wildcard_matches;
use serde::Deserialize;

use crate::facts::Tags;

/// An effective tag policy, from `organizations:DescribeEffectivePolicy` (Organizations user guide,
/// "Tag policy syntax", documented).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagPolicy {
    rules: Vec<TagRule>,
}

/// What a tag policy says of one tag key.
#[derive(Clone, Debug, PartialEq, Eq)]
struct TagRule {
    /// The key, in the letter case that the policy asks for.
    key: String,
    /// The values that are allowed; a value may hold `*`. Empty: every value.
    values: Vec<String>,
    /// The resource types for which the policy is enforced, such as `ec2:snapshot`. Empty: it only
    /// reports.
    enforced_for: Vec<String>,
}

/// A tag that a policy doesn't allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagViolation {
    /// The tag's key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// The key in the letter case that the policy asks for.
    pub policy_key: String,
    /// The values that the policy allows; empty where only the key's letter case is wrong.
    pub allowed: Vec<String>,
    /// The resource types for which the policy is enforced. Empty: it only reports, so it can't
    /// stop a copy.
    pub enforced_for: Vec<String>,
}

/// A text that is no effective tag policy.
#[derive(Debug, thiserror::Error)]
#[error("the effective tag policy cannot be understood: {0}")]
pub struct TagPolicyError(#[from] serde_json::Error);

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    tags: BTreeMap<String, Rule>,
}

#[derive(Deserialize)]
struct Rule {
    #[serde(default)]
    tag_key: Option<String>,
    #[serde(default)]
    tag_value: Option<OneOrMany>,
    #[serde(default)]
    enforced_for: Option<OneOrMany>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

fn texts(found: Option<OneOrMany>) -> Vec<String> {
    match found {
        None => Vec::new(),
        Some(OneOrMany::One(one)) => vec![one],
        Some(OneOrMany::Many(many)) => many,
    }
}

impl TagPolicy {
    /// Reads the policy's text. Elements that are new to us are passed over: they can't allow more.
    pub fn parse(text: &str) -> Result<Self, TagPolicyError> {
        // Serde also reads a struct from a list, which no policy is.
        let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text)?;
        let document: Document = serde_json::from_value(members.into())?;
        let rules = document.tags.into_iter().map(|(name, rule)| TagRule {
            key: rule.tag_key.unwrap_or(name),
            values: texts(rule.tag_value),
            enforced_for: texts(rule.enforced_for),
        });
        Ok(Self {
            rules: rules.collect(),
        })
    }

    /// Whether one of its rules is enforced for resource types of which this holds.
    pub(crate) fn is_enforced(&self, is_meant: impl Fn(&[String]) -> bool) -> bool {
        self.rules.iter().any(|rule| is_meant(&rule.enforced_for))
    }

    /// The tags that the policy doesn't allow. AWS's own tags (`aws:…`) are no user tags and don't
    /// count.
    #[must_use]
    pub fn violations(&self, tags: &Tags) -> Vec<TagViolation> {
        let user_tags = tags.iter().filter(|(key, _)| !key.starts_with("aws:"));
        user_tags
            .filter_map(|(key, value)| {
                let rule = self
                    .rules
                    .iter()
                    .find(|rule| rule.key.eq_ignore_ascii_case(key))?;
                rule.violated_by(key, value)
            })
            .collect()
    }
}

impl TagRule {
    fn violated_by(&self, key: &str, value: &str) -> Option<TagViolation> {
        let mut values = self.values.iter();
        let value_allowed =
            self.values.is_empty() || values.any(|allowed| wildcard_matches(allowed, value));
        if value_allowed && self.key == key {
            return None;
        }
        Some(TagViolation {
            key: key.to_owned(),
            value: value.to_owned(),
            policy_key: self.key.clone(),
            allowed: if value_allowed {
                Vec::new()
            } else {
                self.values.clone()
            },
            enforced_for: self.enforced_for.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> TagPolicy {
        TagPolicy::parse(
            r#"{"tags":{"costcenter":{"tag_key":"CostCenter","tag_value":["100","2*"],"enforced_for":["ec2:snapshot"]},"owner":{"tag_key":"Owner"}}}"#,
        )
        .unwrap()
    }

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_value_outside_the_list_and_a_key_in_the_wrong_case_are_named() {
        let found = policy().violations(&tags(&[("CostCenter", "300"), ("owner", "me")]));
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].allowed, ["100", "2*"]);
        assert_eq!(found[0].enforced_for, ["ec2:snapshot"]);
        assert_eq!(found[1].policy_key, "Owner");
        assert!(found[1].allowed.is_empty() && found[1].enforced_for.is_empty());
    }

    #[test]
    fn allowed_values_other_keys_and_tags_of_aws_pass() {
        let tags = tags(&[
            ("CostCenter", "250"),
            ("Owner", "anyone"),
            ("Team", "x"),
            ("aws:backup:source-resource", "x"),
        ]);
        assert!(policy().violations(&tags).is_empty());
        assert!(TagPolicy::parse("{}").unwrap().violations(&tags).is_empty());
        assert!(TagPolicy::parse("[]").is_err());
    }
}
