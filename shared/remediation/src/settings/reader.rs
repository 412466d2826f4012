//! Reading settings one by one.

/// A setting with a value that isn't accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is `{value}`{}; accepted: {accepted}", wrong_entry(.entry.as_ref()))]
pub struct InvalidSetting {
    /// The environment variable.
    pub name: &'static str,
    /// Its value.
    pub value: String,
    /// Of a list of several, the first entry that isn't accepted.
    pub entry: Option<String>,
    /// What is accepted.
    pub accepted: &'static str,
}

fn wrong_entry(entry: Option<&String>) -> String {
    entry.map_or_else(String::new, |entry| {
        format!(", of which `{entry}` is wrong")
    })
}

pub(super) fn organization_id(text: &str) -> Option<String> {
    let id = text.strip_prefix("o-")?;
    let fits = (10..=32).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    fits.then(|| text.to_owned())
}

/// What the SAM CLI fills in for references to the template's own resources: they are made by no
/// local run.
const LOGICAL_IDS: [&str; 4] = ["Topic", "Ledger", "AdvisorLedger", "DelayedRetries"];

/// Reads environment variables. An empty value counts as not set, and so does a resource's logical
/// id in a local run.
pub(crate) struct Reader<F>(F);

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    pub(crate) const fn new(read: F) -> Self {
        Self(read)
    }

    pub(super) fn one<T>(
        &self,
        name: &'static str,
        accepted: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, InvalidSetting> {
        let is_local_run = |read: &F| read("AWS_SAM_LOCAL").as_deref() == Some("true");
        let value = (self.0)(name).filter(|value| !value.trim().is_empty());
        let Some(value) =
            value.filter(|value| !LOGICAL_IDS.contains(&value.as_str()) || !is_local_run(&self.0))
        else {
            return Ok(None);
        };
        match parse(value.trim()) {
            Some(parsed) => Ok(Some(parsed)),
            None => Err(InvalidSetting {
                name,
                value,
                entry: None,
                accepted,
            }),
        }
    }

    pub(crate) fn list<T>(
        &self,
        name: &'static str,
        accepted: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, InvalidSetting> {
        let separators = |c: char| c == ',' || c.is_whitespace();
        let entries = |text: &str| -> Vec<String> {
            let entries = text.split(separators).filter(|entry| !entry.is_empty());
            entries.map(ToOwned::to_owned).collect()
        };
        let written = self.one(name, accepted, |text| Some(text.to_owned()))?;
        let entries = entries(&written.unwrap_or_default());
        let parsed = entries.iter().map(|entry| {
            parse(entry).ok_or_else(|| InvalidSetting {
                name,
                value: entries.join(","),
                entry: Some(entry.clone()).filter(|_| entries.len() > 1),
                accepted,
            })
        });
        parsed.collect()
    }

    pub(super) fn number(
        &self,
        name: &'static str,
        accepted: &'static str,
        most: u32,
        default: u32,
    ) -> Result<u32, InvalidSetting> {
        let number = self.one(name, accepted, |text| {
            text.parse::<u32>().ok().filter(|number| *number <= most)
        })?;
        Ok(number.unwrap_or(default))
    }

    pub(super) fn boolean(&self, name: &'static str) -> Result<bool, InvalidSetting> {
        let value = self.one(name, "true, false", |text| text.parse::<bool>().ok())?;
        Ok(value.unwrap_or_default())
    }
}
