//! Telling people once that the settings in force changed: whoever may change them may open a
//! vault.

use std::collections::BTreeMap;

use crate::handler::{CopyRemediator, Delivery};
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

/// What changed in the settings, a sentence each, and whether another invocation is about to tell
/// people.
#[derive(Debug)]
pub(crate) struct ChangedSettings {
    settings: RecordedSettings,
    notes: Vec<String>,
    is_anothers: bool,
}

impl ChangedSettings {
    /// The Report with what it has to say of it. A grant is never told without the settings that it
    /// rests on, even if another invocation is about to tell of them: it may die.
    pub(crate) fn told_in(self, mut report: Report) -> Report {
        let is_told = !self.is_anothers || report.changes.iter().any(|change| change.applied);
        if is_told && !self.notes.is_empty() {
            report.notes.extend(self.notes);
            report.changed_settings = Some(self.settings);
        }
        report
    }
}

impl<E: Environment> CopyRemediator<E> {
    /// What changed in the settings. A ledger that doesn't answer costs the notice nothing but
    /// time: the next event tells.
    pub(crate) async fn changed_settings(&self, delivery: &Delivery<'_>) -> ChangedSettings {
        let settings = RecordedSettings::from(&self.settings);
        let known = delivery.recalled.as_ref().map(|known| &known.recalled);
        let is_as_recorded = known.is_some_and(|known| {
            let recorded = known.settings.as_ref().ok().and_then(Option::as_ref);
            recorded.is_some_and(|recorded| recorded.hash == settings.hash)
        });
        let claimed = match self.environment.ledger().filter(|_| !is_as_recorded) {
            Some(ledger) => {
                let now = self.environment.clock().now();
                let owner = &delivery.invocation.id;
                ledger
                    .claim_settings_notice(&settings, owner, now, delivery.until)
                    .await
            }
            None => Ok(None),
        };
        let notice = claimed.unwrap_or_else(|error| {
            tracing::warn!(%error, "whether the settings changed is not known");
            None
        });
        ChangedSettings {
            notes: notice
                .as_ref()
                .map_or_else(Vec::new, |notice| notice.before.changes_to(&settings)),
            is_anothers: notice.is_some_and(|notice| notice.is_anothers),
            settings,
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
