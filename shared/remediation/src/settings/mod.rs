//! The settings, from environment variables. An invalid value stops the start.

mod age;
mod approvers;
mod deployment;
mod known;
mod messages;
mod mode;
mod reader;
mod source;
mod values;

use std::str::FromStr;

use copymend_policy::{KeyProfile, VaultScope};

pub use age::{Age, InvalidAge};
pub use approvers::Approvers;
pub use deployment::Deployment;
pub use known::{LOG_LEVEL, UnknownSetting, refuse_unknown};
pub use messages::Messages;
pub use mode::Mode;
pub use reader::InvalidSetting;
pub(crate) use reader::Reader;
use reader::organization_id;
pub use source::{Admits, AllowedSource, NoSource};

/// What a `*` alone stands for.
const EVERYTHING: &str = "arn:*:*:*:*:*";

/// The partitions of AWS (AWS General Reference and the SDKs' list of partitions, documented).
const PARTITIONS: [&str; 8] = [
    "aws",
    "aws-cn",
    "aws-eusc",
    "aws-iso",
    "aws-iso-b",
    "aws-iso-e",
    "aws-iso-f",
    "aws-us-gov",
];

/// Whether AWS has a partition of this name.
#[must_use]
pub fn is_partition(name: &str) -> bool {
    PARTITIONS.contains(&name)
}

/// The same, where wildcards may stand for some of it.
fn is_partition_pattern(text: &str) -> bool {
    text.contains(['*', '?']) || is_partition(text)
}

/// An ARN pattern of an allowlist: `*` and `?` stand for characters within one of the six parts,
/// never across a colon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArnPattern(String);

impl ArnPattern {
    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it admits every resource of its kind in every account: `*`, and also
    /// `arn:aws:kms:*:*:key/*`.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.0 == EVERYTHING || has_only_wildcards(&self.0)
    }

    /// Whether the pattern admits this ARN.
    #[must_use]
    pub fn admits(&self, arn: &str) -> bool {
        copymend_policy::arn_matches(&self.0, arn)
    }
}

/// Whether a pattern of ARNs names no account, and no resource but its type. The partition and the
/// Region don't count.
fn has_only_wildcards(pattern: &str) -> bool {
    let mut parts = pattern.splitn(6, ':').skip(4);
    let (Some(account), Some(resource)) = (parts.next(), parts.next()) else {
        return false;
    };
    let name = resource.rsplit([':', '/']).next().unwrap_or(resource);
    let is_wild = |part: &str| part.bytes().all(|b| matches!(b, b'*' | b'?'));
    is_wild(account) && is_wild(name) && name.contains('*')
}

impl FromStr for ArnPattern {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "*" {
            return Ok(Self(EVERYTHING.to_owned()));
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        if parts.len() == 6
            && parts.first() == Some(&"arn")
            && parts
                .get(1)
                .is_some_and(|partition| is_partition_pattern(partition))
            && parts.iter().skip(1).all(|part| !part.is_empty())
            && text.bytes().all(|b| b.is_ascii_graphic())
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(
                "an ARN pattern has six parts, such as `arn:aws:backup:eu-west-1:111122223333:backup-vault:*`",
            )
        }
    }
}

/// All settings of the copy remediator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `COPYMEND_MODE`.
    pub mode: Mode,
    /// `COPYMEND_APPROVERS`: who may approve and refuse plans. Empty admits none.
    pub approvers: Approvers,
    /// `COPYMEND_APPROVAL_HOURS`: for how long a plan can be approved.
    pub approval_hours: u32,
    /// `COPYMEND_ALLOWED_DESTINATIONS`: vaults whose policy may be written. Empty admits none.
    pub allowed_destinations: Vec<ArnPattern>,
    /// `COPYMEND_ALLOWED_SOURCES`: whose copies may lead to a repair or a retry. Empty admits none.
    pub allowed_sources: Vec<AllowedSource>,
    /// `COPYMEND_MAX_AGE_HOURS`: a copy that failed longer ago is explained, never repaired or
    /// started again.
    pub max_age_hours: u32,
    /// `COPYMEND_ALLOWED_KEYS`: keys whose policy may be written. Empty admits none.
    pub allowed_keys: Vec<ArnPattern>,
    /// `COPYMEND_VAULT_SCOPE`.
    pub vault_scope: VaultScope,
    /// `COPYMEND_KEY_PROFILE`.
    pub key_profile: KeyProfile,
    /// `COPYMEND_ORGANIZATION_ID`: if set, both accounts must be in exactly this organization.
    pub organization_id: Option<String>,
    /// `COPYMEND_ORGANIZATION_PATHS`: the paths that scope `organizational-unit` admits.
    pub organization_paths: Vec<String>,
    /// `COPYMEND_RETRY_BUDGET`: retries of one recovery point to one destination.
    pub retry_budget: u32,
    /// `COPYMEND_WRITE_BUDGET`: writes to one policy in one UTC day.
    pub write_budget: u32,
    /// `COPYMEND_SOURCE_WRITE_BUDGET`: writes of policies, all together, for one source account in
    /// one UTC day.
    pub source_write_budget: u32,
    /// `COPYMEND_SOURCE_RETRY_BUDGET`: copies of one source account that are started again in one
    /// UTC day.
    pub source_retry_budget: u32,
    /// `COPYMEND_SOURCE_MESSAGE_BUDGET`: messages about the copies of one source account in one
    /// hour; those of a change don't count.
    pub source_message_budget: u32,
    /// `COPYMEND_MESSAGES`: of what people are told at once.
    pub messages: Messages,
    /// `COPYMEND_RETRY_MAX_BYTES`: a larger copy isn't started again. None sets no limit.
    pub retry_max_bytes: Option<u64>,
    /// `COPYMEND_ALLOW_ON_DEMAND`: whether copies that no backup plan started may lead to a repair.
    pub allow_on_demand: bool,
    /// `COPYMEND_ALLOW_FULLY_MANAGED_KEYS`: whether the key of a fully managed type's vault may be
    /// repaired, although it is unverified which principal of the destination calls KMS there.
    pub allow_fully_managed_keys: bool,
    /// `COPYMEND_CREATE_SERVICE_LINKED_ROLE`: whether AWS Backup's service-linked role may be made
    /// where it is missing.
    pub create_service_linked_role: bool,
    /// `COPYMEND_COPY_AGE_OBJECTIVE`: how old the newest good copy of a resource may be, in the metrics
    /// that the schedule sends. None sends no metrics.
    pub copy_age_objective: Option<Age>,
    /// Where it runs.
    pub deployment: Deployment,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::Observe,
            approvers: Approvers::default(),
            approval_hours: 72,
            allowed_destinations: Vec::new(),
            allowed_sources: Vec::new(),
            max_age_hours: 72,
            allowed_keys: Vec::new(),
            vault_scope: VaultScope::Role,
            key_profile: KeyProfile::LeastPrivilege,
            organization_id: None,
            organization_paths: Vec::new(),
            retry_budget: 3,
            write_budget: 100,
            source_write_budget: 20,
            source_retry_budget: 100,
            source_message_budget: 60,
            messages: Messages::All,
            retry_max_bytes: None,
            allow_on_demand: false,
            allow_fully_managed_keys: false,
            create_service_linked_role: false,
            copy_age_objective: None,
            deployment: Deployment::default(),
        }
    }
}

impl Settings {
    /// Reads the settings. `read` answers the value of an environment variable; an empty value
    /// counts as not set.
    pub fn read(read: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSetting> {
        let reader = Reader::new(read);
        let default = Self::default();
        Ok(Self {
            mode: reader
                .one("COPYMEND_MODE", Mode::ACCEPTED, |text| text.parse().ok())?
                .unwrap_or(default.mode),
            approvers: Approvers::read(&reader)?,
            approval_hours: reader
                .one(
                    "COPYMEND_APPROVAL_HOURS",
                    "a whole number of hours from 1 to 720",
                    |text| text.parse().ok().filter(|hours| (1..=720).contains(hours)),
                )?
                .unwrap_or(default.approval_hours),
            allowed_destinations: reader.list(
                "COPYMEND_ALLOWED_DESTINATIONS",
                "ARN patterns separated by commas, such as arn:aws:backup:eu-west-1:111122223333:backup-vault:*",
                |text| text.parse().ok(),
            )?,
            allowed_sources: reader.list(
                "COPYMEND_ALLOWED_SOURCES",
                "account ids or patterns of job role ARNs separated by commas, each alone or followed by > and a pattern of vault ARNs, such as arn:aws:iam::111122223333:role/Backup*>arn:aws:backup:*:444455556666:backup-vault:dr-*",
                |text| text.parse().ok(),
            )?,
            max_age_hours: reader.number(
                "COPYMEND_MAX_AGE_HOURS",
                "a whole number of hours from 0 to 720",
                720,
                default.max_age_hours,
            )?,
            allowed_keys: reader.list(
                "COPYMEND_ALLOWED_KEYS",
                "ARN patterns separated by commas, such as arn:aws:kms:eu-west-1:111122223333:key/*",
                |text| text.parse().ok(),
            )?,
            vault_scope: reader
                .one(
                    "COPYMEND_VAULT_SCOPE",
                    "role, account, organization, organizational-unit",
                    |text| text.parse().ok(),
                )?
                .unwrap_or(default.vault_scope),
            key_profile: reader
                .one("COPYMEND_KEY_PROFILE", "least-privilege, documented", |text| {
                    text.parse().ok()
                })?
                .unwrap_or(default.key_profile),
            organization_id: reader.one(
                "COPYMEND_ORGANIZATION_ID",
                "an organization id, such as o-exampleorgid",
                organization_id,
            )?,
            organization_paths: reader.list(
                "COPYMEND_ORGANIZATION_PATHS",
                "paths separated by commas, such as o-exampleorgid/r-ab12/ou-ab12-11111111/*",
                |text| (text.starts_with("o-") && text.contains("/r-")).then(|| text.to_owned()),
            )?,
            retry_budget: reader.number(
                "COPYMEND_RETRY_BUDGET",
                "a whole number from 0 to 100",
                100,
                default.retry_budget,
            )?,
            write_budget: reader.number(
                "COPYMEND_WRITE_BUDGET",
                "a whole number from 0 to 1000",
                1_000,
                default.write_budget,
            )?,
            source_write_budget: reader.number(
                "COPYMEND_SOURCE_WRITE_BUDGET",
                "a whole number from 0 to 10000",
                10_000,
                default.source_write_budget,
            )?,
            source_retry_budget: reader.number(
                "COPYMEND_SOURCE_RETRY_BUDGET",
                "a whole number from 0 to 1000000",
                1_000_000,
                default.source_retry_budget,
            )?,
            source_message_budget: reader.number(
                "COPYMEND_SOURCE_MESSAGE_BUDGET",
                "a whole number from 0 to 10000",
                10_000,
                default.source_message_budget,
            )?,
            messages: reader
                .one("COPYMEND_MESSAGES", Messages::ACCEPTED, |text| {
                    text.parse().ok()
                })?
                .unwrap_or(default.messages),
            retry_max_bytes: reader
                .one(
                    "COPYMEND_RETRY_MAX_BYTES",
                    "a whole number of bytes, or 0 for no limit",
                    |text| text.parse::<u64>().ok(),
                )?
                .filter(|most| *most > 0),
            allow_on_demand: reader.boolean("COPYMEND_ALLOW_ON_DEMAND")?,
            allow_fully_managed_keys: reader.boolean("COPYMEND_ALLOW_FULLY_MANAGED_KEYS")?,
            create_service_linked_role: reader.boolean("COPYMEND_CREATE_SERVICE_LINKED_ROLE")?,
            copy_age_objective: reader.one(
                "COPYMEND_COPY_AGE_OBJECTIVE",
                "a whole number of minutes, hours, days or weeks, such as 90m, 26h, 8d or 2w",
                |text| text.parse().ok(),
            )?,
            deployment: Deployment::read(&reader)?,
        })
    }
}

impl Settings {
    /// The lists that admit everything: an owner should know of each.
    #[must_use]
    pub fn lists_that_admit_everything(&self) -> Vec<&'static str> {
        let is_all = |patterns: &[ArnPattern]| patterns.iter().any(ArnPattern::is_all);
        [
            (
                "COPYMEND_ALLOWED_DESTINATIONS",
                is_all(&self.allowed_destinations),
            ),
            ("COPYMEND_ALLOWED_KEYS", is_all(&self.allowed_keys)),
            (
                "COPYMEND_ALLOWED_SOURCES",
                self.allowed_sources.iter().any(AllowedSource::is_everyone),
            ),
            ("COPYMEND_APPROVERS", self.approvers.is_everyone()),
        ]
        .into_iter()
        .filter_map(|(name, is_all)| is_all.then_some(name))
        .collect()
    }
}

#[cfg(test)]
mod tests;
