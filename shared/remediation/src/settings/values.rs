//! The settings as text: what a change keeps of them.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};

use sha2::{Digest, Sha256};

use super::{AllowedSource, ArnPattern, Deployment, Settings};

fn joined<T>(items: &[T], text: impl Fn(&T) -> &str) -> String {
    items.iter().map(text).collect::<Vec<_>>().join(",")
}

fn or_empty(value: Option<&impl Display>) -> String {
    value.map_or_else(String::new, ToString::to_string)
}

impl Settings {
    /// Every setting in force, also by default, by the name of its environment variable. The
    /// external id isn't among them: who reads the ledger need not learn it.
    #[must_use]
    pub fn values(&self) -> BTreeMap<String, String> {
        // Taken apart, so that a new setting can't be forgotten here.
        let Self {
            mode,
            approvers,
            approval_hours,
            allowed_destinations,
            allowed_sources,
            max_age_hours,
            allowed_keys,
            vault_scope,
            key_profile,
            organization_id,
            organization_paths,
            retry_budget,
            write_budget,
            source_write_budget,
            source_retry_budget,
            source_message_budget,
            messages,
            retry_max_bytes,
            allow_on_demand,
            allow_fully_managed_keys,
            create_service_linked_role,
            copy_age_objective,
            deployment,
        } = self;
        let objective = or_empty(copy_age_objective.as_ref());
        [
            ("COPYMEND_MODE", mode.to_string()),
            ("COPYMEND_APPROVERS", approvers.to_setting()),
            ("COPYMEND_APPROVAL_HOURS", approval_hours.to_string()),
            (
                "COPYMEND_ALLOWED_DESTINATIONS",
                joined(allowed_destinations, ArnPattern::as_str),
            ),
            (
                "COPYMEND_ALLOWED_KEYS",
                joined(allowed_keys, ArnPattern::as_str),
            ),
            (
                "COPYMEND_ALLOWED_SOURCES",
                joined(allowed_sources, AllowedSource::as_str),
            ),
            ("COPYMEND_MAX_AGE_HOURS", max_age_hours.to_string()),
            ("COPYMEND_VAULT_SCOPE", vault_scope.to_string()),
            ("COPYMEND_KEY_PROFILE", key_profile.to_string()),
            (
                "COPYMEND_ORGANIZATION_ID",
                or_empty(organization_id.as_ref()),
            ),
            (
                "COPYMEND_ORGANIZATION_PATHS",
                joined(organization_paths, String::as_str),
            ),
            ("COPYMEND_RETRY_BUDGET", retry_budget.to_string()),
            ("COPYMEND_WRITE_BUDGET", write_budget.to_string()),
            (
                "COPYMEND_SOURCE_WRITE_BUDGET",
                source_write_budget.to_string(),
            ),
            (
                "COPYMEND_SOURCE_RETRY_BUDGET",
                source_retry_budget.to_string(),
            ),
            (
                "COPYMEND_SOURCE_MESSAGE_BUDGET",
                source_message_budget.to_string(),
            ),
            ("COPYMEND_MESSAGES", messages.to_string()),
            (
                "COPYMEND_RETRY_MAX_BYTES",
                retry_max_bytes.unwrap_or_default().to_string(),
            ),
            ("COPYMEND_ALLOW_ON_DEMAND", allow_on_demand.to_string()),
            (
                "COPYMEND_ALLOW_FULLY_MANAGED_KEYS",
                allow_fully_managed_keys.to_string(),
            ),
            (
                "COPYMEND_CREATE_SERVICE_LINKED_ROLE",
                create_service_linked_role.to_string(),
            ),
            ("COPYMEND_COPY_AGE_OBJECTIVE", objective),
        ]
        .into_iter()
        .chain(deployment.values())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }

    /// A hash of [`Settings::values`]: the same settings have the same one, SHA-256 in hexadecimal
    /// digits.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        for (name, value) in self.values() {
            hasher.update(format!("{name}={value}\n"));
        }
        hasher
            .finalize()
            .iter()
            .fold(String::new(), |mut hash, byte| {
                // Writing to a string does not fail.
                let _ = write!(hash, "{byte:02x}");
                hash
            })
    }
}

impl Deployment {
    /// Those of them that decide what is read and written.
    fn values(&self) -> [(&'static str, String); 6] {
        let Self {
            member_role,
            function_role: _,
            external_id: _,
            topic_arn,
            chat_topic_arn: _,
            report_bus: _,
            ledger_table,
            read_images,
            read_tags,
            organization_reader,
            delayed_retries_queue_url: _,
            function_name: _,
            region: _,
            is_local_run: _,
        } = self;
        let reader = or_empty(organization_reader.as_ref());
        [
            ("COPYMEND_MEMBER_ROLE", or_empty(member_role.as_ref())),
            ("COPYMEND_TOPIC_ARN", or_empty(topic_arn.as_ref())),
            ("COPYMEND_LEDGER_TABLE", or_empty(ledger_table.as_ref())),
            ("COPYMEND_READ_IMAGES", read_images.to_string()),
            ("COPYMEND_READ_TAGS", read_tags.to_string()),
            ("COPYMEND_ORGANIZATION_READER", reader),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_tells_settings_apart_and_the_external_id_is_no_part_of_them() {
        let settings = Settings {
            deployment: Deployment {
                external_id: Some("only-for-the-function".to_owned()),
                ..Deployment::default()
            },
            ..Settings::default()
        };
        assert_eq!(settings.hash(), Settings::default().hash());
        assert_eq!(settings.hash().len(), 64);
        let values = format!("{:?}", settings.values());
        assert!(!values.contains("only-for-the-function"), "{values}");
        let other = Settings {
            write_budget: 7,
            ..Settings::default()
        };
        assert_ne!(other.hash(), settings.hash());
        assert_eq!(other.values()["COPYMEND_WRITE_BUDGET"], "7");
    }
}
