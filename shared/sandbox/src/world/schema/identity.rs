//! Roles and users.

use std::collections::BTreeMap;

use copymend_policy::Arn;
use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::PolicyText;
use super::unique::unique;

/// An IAM role.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// The path; `/` unless said otherwise.
    #[serde(default = "slash")]
    pub path: String,
    /// The trust policy; one that lets AWS Backup assume the role unless said otherwise.
    #[serde(default)]
    pub trust_policy: Option<PolicyText>,
    /// The inline policies by name.
    #[serde(default, deserialize_with = "unique")]
    pub policies: BTreeMap<String, PolicyText>,
    /// The attached AWS managed policies, by name or ARN. Known are those of AWS Backup.
    #[serde(default)]
    pub managed_policies: Vec<String>,
    /// The permissions boundary.
    #[serde(default)]
    pub permissions_boundary: Option<PermissionsBoundary>,
    /// When the role was made.
    #[serde(default)]
    pub created: Option<Timestamp>,
}

/// A permissions boundary.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PermissionsBoundary {
    /// The ARN of the policy.
    pub arn: Arn,
    /// The policy.
    pub policy: PolicyText,
}

/// An IAM user. In JSON it is its name, or an object.
#[derive(Clone, Debug)]
pub struct User {
    /// The name, with the path if it has one: `alice`, or `/operations/alice`.
    pub name: String,
    /// The inline policies by name.
    pub policies: BTreeMap<String, PolicyText>,
    /// The attached AWS managed policies, by name or ARN. Known are those of AWS Backup.
    pub managed_policies: Vec<String>,
    /// The permissions boundary.
    pub permissions_boundary: Option<PermissionsBoundary>,
}

impl User {
    /// The path and name as they stand in the user's ARN, such as `operations/alice`.
    #[must_use]
    pub fn path_and_name(&self) -> &str {
        self.name.trim_matches('/')
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserObject {
    name: String,
    #[serde(default, deserialize_with = "unique")]
    policies: BTreeMap<String, PolicyText>,
    #[serde(default)]
    managed_policies: Vec<String>,
    #[serde(default)]
    permissions_boundary: Option<PermissionsBoundary>,
}

impl<'de> Deserialize<'de> for User {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let object = if raw.get().starts_with('"') {
            serde_json::from_str(raw.get()).map(|name| UserObject {
                name,
                policies: BTreeMap::new(),
                managed_policies: Vec::new(),
                permissions_boundary: None,
            })
        } else {
            serde_json::from_str(raw.get())
        };
        let UserObject {
            name,
            policies,
            managed_policies,
            permissions_boundary,
        } = object.map_err(D::Error::custom)?;
        Ok(Self {
            name,
            policies,
            managed_policies,
            permissions_boundary,
        })
    }
}

fn slash() -> String {
    "/".to_owned()
}
