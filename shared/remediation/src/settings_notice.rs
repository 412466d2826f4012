//! Telling people once that the settings in force changed: whoever may change them may open a vault.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::handler::{CopyRemediator, Invocation};
use crate::ledger::Ledger;
use crate::ports::{Clock, Environment};
use crate::report::Report;
use crate::settings::Settings;

/// Settings as the ledger keeps them: those that the last event was handled with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedSettings {
    /// Their hash, as [`Settings::hash`] makes it.
    pub hash: String,
    /// Their values, as [`Settings::values`] makes them.
    pub values: BTreeMap<String, String>,
}

/// Settings that differ from the recorded ones, of which people don't know yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsNotice {
    /// Those that were recorded.
    pub before: RecordedSettings,
    /// Whether another invocation is about to tell people.
    pub is_anothers: bool,
}

impl From<&Settings> for RecordedSettings {
    fn from(settings: &Settings) -> Self {
        Self {
            hash: settings.hash(),
            values: settings.values(),
        }
    }
}

impl RecordedSettings {
    /// What is different now, a sentence for each setting.
    #[must_use]
    pub fn changes_to(&self, now: &Self) -> Vec<String> {
        let shown = |values: &BTreeMap<String, String>, name: &str| match values.get(name) {
            None => "not known to the version before".to_owned(),
            Some(value) if value.is_empty() => "empty".to_owned(),
            Some(value) => format!("`{value}`"),
        };
        let gone = self
            .values
            .keys()
            .filter(|name| !now.values.contains_key(*name))
            .map(|name| format!("{name} is no setting any more"));
        now.values
            .iter()
            .filter(|(name, value)| self.values.get(*name) != Some(*value))
            .map(|(name, _)| {
                format!(
                    "the settings changed since the last event: {name} is {}, it was {}",
                    shown(&now.values, name),
                    shown(&self.values, name)
                )
            })
            .chain(gone)
            .collect()
    }
}

/// What changed in the settings, a sentence each, and whether another invocation is about to tell people.
#[derive(Debug, Default)]
pub(crate) struct ChangedSettings {
    notes: Vec<String>,
    is_anothers: bool,
}

impl ChangedSettings {
    /// What this report has to say of it. A grant is never told without the settings that it rests on, even if another invocation
    /// is about to tell of them: it may die.
    pub(crate) fn notes_for(self, report: &Report) -> Vec<String> {
        if self.is_anothers && report.changes.iter().all(|change| !change.applied) {
            Vec::new()
        } else {
            self.notes
        }
    }
}

impl<E: Environment> CopyRemediator<E> {
    /// What changed in the settings. A ledger that doesn't answer costs the notice nothing but time: the next event tells.
    pub(crate) async fn changed_settings(
        &self,
        ledger: &E::Ledger,
        invocation: &Invocation,
        until: Timestamp,
    ) -> ChangedSettings {
        let settings = RecordedSettings::from(&self.settings);
        let now = self.environment.clock().now();
        let claimed = ledger
            .claim_settings_notice(&settings, &invocation.id, now, until)
            .await;
        match claimed {
            Ok(None) => ChangedSettings::default(),
            Ok(Some(notice)) => ChangedSettings {
                notes: notice.before.changes_to(&settings),
                is_anothers: notice.is_anothers,
            },
            Err(error) => {
                tracing::warn!(%error, "whether the settings changed is not known");
                ChangedSettings::default()
            }
        }
    }

    /// Remembers that people were told of the settings in force.
    pub(crate) async fn settings_were_told(&self, ledger: &E::Ledger) {
        let settings = RecordedSettings::from(&self.settings);
        if let Err(error) = ledger.record_settings(&settings).await {
            tracing::warn!(%error, "it was not recorded that people were told of the settings");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Mode;

    #[test]
    fn each_difference_is_a_sentence() {
        let before = RecordedSettings::from(&Settings::default());
        let mut now = RecordedSettings::from(&Settings {
            mode: Mode::Repair,
            allowed_keys: vec!["arn:aws:kms:*:*:key/*".parse().unwrap()],
            ..Settings::default()
        });
        let said = before.changes_to(&now);
        assert_eq!(
            said,
            [
                "the settings changed since the last event: COPYMEND_ALLOWED_KEYS is `arn:aws:kms:*:*:key/*`, it was empty",
                "the settings changed since the last event: COPYMEND_MODE is `repair`, it was `observe`",
            ]
        );
        assert_eq!(now.changes_to(&now), Vec::<String>::new());
        now.values.remove("COPYMEND_MODE");
        let said = before.changes_to(&now);
        assert_eq!(said.last().unwrap(), "COPYMEND_MODE is no setting any more");
        let said = now.changes_to(&before);
        assert!(
            said.contains(&"the settings changed since the last event: COPYMEND_MODE is `observe`, it was not known to the version before".to_owned()),
            "{said:?}"
        );
    }
}
