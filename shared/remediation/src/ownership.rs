//! Which code owns a policy that a report is about: the next run of it would take our statement out.

use copymend_diagnosis::{BackupVaultArn, Facts, SourceKey, Tags};
use jiff::Timestamp;
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

/// Who last wrote a policy, by AWS CloudTrail's event history, which keeps 90 days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastWriter {
    /// When.
    pub at: Timestamp,
    /// The call, such as `PutKeyPolicy`.
    pub call: String,
    /// The caller's ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// With what it was written.
    pub tool: WritingTool,
    /// What the caller's program calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

/// What a policy was written with, by the caller's words: nobody checks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WritingTool {
    /// Copymend.
    Copymend,
    /// `CloudFormation` (seen: it stands in `invokedBy`, `sourceIPAddress` and `userAgent`).
    Cloudformation,
    /// Terraform, or `OpenTofu` with its providers (seen).
    Terraform,
    /// `Pulumi` (unverified).
    Pulumi,
    /// The AWS console, by a person.
    Console,
    /// The AWS CLI.
    AwsCli,
    /// Anything else.
    Other,
}

impl WritingTool {
    /// By what CloudTrail keeps of a call: the service that called for somebody, and the program's own
    /// words.
    #[must_use]
    pub fn of(invoked_by: Option<&str>, user_agent: Option<&str>) -> Self {
        let agent = user_agent.unwrap_or_default().to_ascii_lowercase();
        let has = |word: &str| agent.contains(word);
        if invoked_by == Some("cloudformation.amazonaws.com")
            || agent == "cloudformation.amazonaws.com"
        {
            Self::Cloudformation
        } else if has("app/copymend") {
            Self::Copymend
        } else if has("pulumi") {
            Self::Pulumi
        } else if has("terraform") || has("opentofu") {
            Self::Terraform
        } else if has("aws-cli/") {
            Self::AwsCli
        } else if has("console.amazonaws.com") || has("aws-internal/") || has("mozilla/") {
            Self::Console
        } else {
            Self::Other
        }
    }

    /// Whether code is behind it, whose next run takes out what it doesn't know.
    #[must_use]
    pub const fn is_code(self) -> bool {
        match self {
            Self::Cloudformation | Self::Terraform | Self::Pulumi => true,
            Self::Copymend | Self::Console | Self::AwsCli | Self::Other => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tool_is_told_by_the_callers_words() {
        let terraform = "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) terraform-provider-aws/5.60.0 aws-sdk-go-v2/1.30.3";
        let ours = "aws-sdk-rust/1.3.9 os/linux lang/rust/1.95.0 app/copymend";
        for (invoked_by, agent, tool) in [
            (None, terraform, WritingTool::Terraform),
            (None, ours, WritingTool::Copymend),
            (
                Some("cloudformation.amazonaws.com"),
                "x",
                WritingTool::Cloudformation,
            ),
            (
                None,
                "cloudformation.amazonaws.com",
                WritingTool::Cloudformation,
            ),
            (
                None,
                "aws-cli/2.17.20 md/awscrt#0.21.2",
                WritingTool::AwsCli,
            ),
            (
                None,
                "Mozilla/5.0 (X11; Linux x86_64)",
                WritingTool::Console,
            ),
            (None, "Boto3/1.34.0", WritingTool::Other),
        ] {
            assert_eq!(WritingTool::of(invoked_by, Some(agent)), tool, "{agent}");
        }
        assert_eq!(WritingTool::of(None, None), WritingTool::Other);
    }
}
