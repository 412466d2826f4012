//! Organizations and their policies.

use std::collections::BTreeMap;

use copymend_policy::AccountId;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::PolicyText;
use super::unique::unique;

/// An organization.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// The id, such as `o-exampleorgid`.
    pub id: String,
    /// The management account. It is a member too.
    pub management_account: AccountId,
    /// Whether cross-account backup is on. Off unless said otherwise, as in AWS.
    #[serde(default)]
    pub cross_account_backup_enabled: bool,
    /// The member accounts with their paths, such as `o-exampleorgid/r-ab12/ou-ab12-11111111/`.
    #[serde(default, deserialize_with = "unique")]
    pub member_accounts: BTreeMap<AccountId, String>,
    /// The tag policy that is in effect in every account, by tag key.
    #[serde(default, deserialize_with = "unique")]
    pub tag_policies: BTreeMap<String, TagRule>,
    /// Service control policies beside `FullAWSAccess`, which is attached everywhere: only their
    /// Denies count.
    #[serde(default)]
    pub service_control_policies: Vec<OrganizationPolicy>,
    /// Resource control policies beside `RCPFullAWSAccess`, which is attached everywhere: only
    /// their Denies count.
    #[serde(default)]
    pub resource_control_policies: Vec<OrganizationPolicy>,
}

/// A service or resource control policy and what it is attached to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganizationPolicy {
    /// The name, for people.
    pub name: String,
    /// Account ids, or ids of organizational units or of the root.
    pub targets: Vec<String>,
    /// The policy.
    pub policy: PolicyText,
}

/// What the tag policy says of one tag key. In JSON it is the list of values, or an object.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "TagRuleForm")]
pub struct TagRule {
    /// The values that are allowed; a value may hold `*`. None: every value.
    pub values: Vec<String>,
    /// The resource types for which it is enforced, such as `ec2:snapshot` or `ec2:ALL_SUPPORTED`.
    /// None: it only reports.
    pub enforced_for: Vec<String>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a list of values, or an object with `values` and `enforced_for`"
)]
enum TagRuleForm {
    Values(Vec<String>),
    Object(TagRuleObject),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TagRuleObject {
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    enforced_for: Vec<String>,
}

/// The services whose resources backups are: a rule that is only a list of values is enforced for
/// all of them.
const SERVICES_OF_BACKUPS: [&str; 6] = ["backup", "dynamodb", "ec2", "fsx", "rds", "redshift"];

impl From<TagRuleForm> for TagRule {
    fn from(form: TagRuleForm) -> Self {
        match form {
            TagRuleForm::Values(values) => Self {
                values,
                enforced_for: SERVICES_OF_BACKUPS
                    .iter()
                    .map(|service| format!("{service}:ALL_SUPPORTED"))
                    .collect(),
            },
            TagRuleForm::Object(TagRuleObject {
                values,
                enforced_for,
            }) => Self {
                values,
                enforced_for,
            },
        }
    }
}

impl Organization {
    /// The effective tag policy, as `DescribeEffectivePolicy` answers it (documented: Organizations
    /// user guide, "Tag policy syntax"); nothing where there is none.
    #[must_use]
    pub fn effective_tag_policy(&self) -> Option<String> {
        if self.tag_policies.is_empty() {
            return None;
        }
        let tags: Map<String, Value> = self
            .tag_policies
            .iter()
            .map(|(key, rule)| {
                let mut entry = Map::new();
                entry.insert("tag_key".to_owned(), key.as_str().into());
                for (name, list) in [
                    ("tag_value", &rule.values),
                    ("enforced_for", &rule.enforced_for),
                ] {
                    if !list.is_empty() {
                        entry.insert(name.to_owned(), list.as_slice().into());
                    }
                }
                (key.to_lowercase(), entry.into())
            })
            .collect();
        Some(json!({ "tags": tags }).to_string())
    }
}
