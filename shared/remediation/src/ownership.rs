//! Which code owns a policy that a report is about: the next run of it would take our statement out.

use copymend_diagnosis::{BackupVaultArn, Facts, SourceKey, Tags};
use serde::Serialize;

use crate::report::Report;

/// `CloudFormation` tags what a stack makes (user guide, "Resource tags", documented); AWS Backup's vaults
/// carry the tags, keys of AWS KMS don't (seen: aws-cloudformation/cloudformation-coverage-roadmap#1049,
/// #1522). So a missing tag proves nothing, and a vault that a deleted stack retained still has them.
const STACK_NAME: &str = "aws:cloudformation:stack-name";
const STACK_ID: &str = "aws:cloudformation:stack-id";
const LOGICAL_ID: &str = "aws:cloudformation:logical-id";

/// The code that made a vault or key, by its tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "tool", rename_all = "kebab-case")]
pub enum ManagedBy {
    /// A stack of `CloudFormation`.
    Cloudformation {
        /// The vault or key.
        resource: String,
        /// The stack's name.
        stack: String,
        /// The stack's ARN.
        #[serde(skip_serializing_if = "Option::is_none")]
        stack_id: Option<String>,
        /// The resource's name in its template.
        #[serde(skip_serializing_if = "Option::is_none")]
        logical_id: Option<String>,
    },
}

impl ManagedBy {
    fn of_tags(resource: &str, tags: &Tags) -> Option<Self> {
        Some(Self::Cloudformation {
            resource: resource.to_owned(),
            stack: tags.get(STACK_NAME)?.clone(),
            stack_id: tags.get(STACK_ID).cloned(),
            logical_id: tags.get(LOGICAL_ID).cloned(),
        })
    }
}

impl Report {
    /// The same with the owner of what it changes or would change, by the tags that were read anyway.
    pub(crate) fn owned(mut self, facts: Option<&Facts>) -> Self {
        let mut changes = self.changes.iter().chain(&self.refused_changes);
        self.managed_by = facts.and_then(|facts| {
            changes.find_map(|change| {
                let tags = tags_of(&change.resource, facts)?;
                ManagedBy::of_tags(&change.resource, tags)
            })
        });
        self
    }
}

/// The tags of the destination vault or of the source key: nothing else is changed.
fn tags_of<'f>(resource: &str, facts: &'f Facts) -> Option<&'f Tags> {
    if resource.parse::<BackupVaultArn>().is_ok() {
        return facts.vault_tags.known();
    }
    match &facts.source_key {
        SourceKey::Key(key) if key.arn.as_str() == resource => key.tags.known(),
        SourceKey::Key(_) | SourceKey::NotEncrypted | SourceKey::Unknown(_) => None,
    }
}
