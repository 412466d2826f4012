//! Variables that nobody reads: most are misspelt, and a limit that is misspelt limits nothing.

/// What the name of every variable of Copymend begins with.
const PREFIX: &str = "COPYMEND_";

/// The least level of what the functions log: `DEBUG`, `INFO`, `WARN` or `ERROR`. It is read when the
/// logs start, before the settings are.
pub const LOG_LEVEL: &str = "COPYMEND_LOG_LEVEL";

/// Every variable of Copymend's programs: those of both functions, which share some.
const SETTINGS: [&str; 35] = [
    "COPYMEND_MODE",
    "COPYMEND_APPROVERS",
    "COPYMEND_APPROVAL_HOURS",
    "COPYMEND_ALLOWED_DESTINATIONS",
    "COPYMEND_ALLOWED_SOURCES",
    "COPYMEND_MAX_AGE_HOURS",
    "COPYMEND_ALLOWED_KEYS",
    "COPYMEND_VAULT_SCOPE",
    "COPYMEND_KEY_PROFILE",
    "COPYMEND_ORGANIZATION_ID",
    "COPYMEND_ORGANIZATION_PATHS",
    "COPYMEND_RETRY_BUDGET",
    "COPYMEND_WRITE_BUDGET",
    "COPYMEND_SOURCE_WRITE_BUDGET",
    "COPYMEND_SOURCE_MESSAGE_BUDGET",
    "COPYMEND_SOURCE_RETRY_BUDGET",
    "COPYMEND_MESSAGES",
    "COPYMEND_RETRY_MAX_BYTES",
    "COPYMEND_ALLOW_ON_DEMAND",
    "COPYMEND_ALLOW_FULLY_MANAGED_KEYS",
    "COPYMEND_CREATE_SERVICE_LINKED_ROLE",
    "COPYMEND_COPY_AGE_OBJECTIVE",
    "COPYMEND_MEMBER_ROLE",
    "COPYMEND_FUNCTION_ROLE",
    "COPYMEND_EXTERNAL_ID",
    "COPYMEND_TOPIC_ARN",
    "COPYMEND_CHAT_TOPIC_ARN",
    "COPYMEND_REPORT_BUS",
    "COPYMEND_LEDGER_TABLE",
    "COPYMEND_OWN_ROLES",
    "COPYMEND_READ_IMAGES",
    "COPYMEND_READ_TAGS",
    "COPYMEND_ORGANIZATION_READER",
    "COPYMEND_DELAYED_RETRIES_QUEUE_URL",
    LOG_LEVEL,
];

/// Variables of Copymend's own tests and checks, under which its programs are run, too.
const OF_TESTS: [&str; 12] = [
    "COPYMEND_ADVISOR_BOOTSTRAP",
    "COPYMEND_BASE_ARCHIVE",
    "COPYMEND_BOOTSTRAP",
    "COPYMEND_CONTAINERS",
    "COPYMEND_DOCS",
    "COPYMEND_NO_ENGINE",
    "COPYMEND_OWN_ENGINE",
    "COPYMEND_PROGRAM",
    "COPYMEND_RECORD",
    "COPYMEND_TEST_DYNAMODB_ENDPOINT",
    "COPYMEND_TORTURE",
    "COPYMEND_WORLDS",
];

/// A variable that begins with `COPYMEND_` and that no program of Copymend reads.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no setting; the nearest one is {nearest}")]
pub struct UnknownSetting {
    name: String,
    nearest: &'static str,
}

/// Refuses the first variable that is none of Copymend's, by the names of the environment.
pub fn refuse_unknown(names: impl IntoIterator<Item = String>) -> Result<(), UnknownSetting> {
    let mut unknown: Vec<String> = names
        .into_iter()
        .filter(|name| name.starts_with(PREFIX))
        .filter(|name| !SETTINGS.contains(&name.as_str()) && !OF_TESTS.contains(&name.as_str()))
        .collect();
    // The environment has no order of its own.
    unknown.sort();
    let Some(name) = unknown.into_iter().next() else {
        return Ok(());
    };
    let nearest = SETTINGS
        .into_iter()
        .min_by_key(|known| distance(&name, known));
    Err(UnknownSetting {
        nearest: nearest.unwrap_or_default(),
        name,
    })
}

/// How many letters have to be put, taken or changed to make one name of the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.bytes().enumerate() {
        let (mut diagonal, mut left) = (index, index.saturating_add(1));
        let mut next = vec![left];
        for (theirs, above) in other.bytes().zip(row.iter().skip(1)) {
            let changed = diagonal.saturating_add(usize::from(letter != theirs));
            left = changed
                .min(left.saturating_add(1))
                .min(above.saturating_add(1));
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use super::*;
    use crate::advisor::AdvisorSettings;
    use crate::settings::Settings;

    fn refused(name: &str) -> Option<String> {
        refuse_unknown([name.to_owned()])
            .err()
            .map(|error| error.to_string())
    }

    #[test]
    fn a_misspelt_setting_is_refused_with_the_nearest_one() {
        for (name, nearest) in [
            ("COPYMEND_WRITE_BUGDET", "COPYMEND_WRITE_BUDGET"),
            ("COPYMEND_ALLOWED_SOURCE", "COPYMEND_ALLOWED_SOURCES"),
            ("COPYMEND_SOURCE_WRITES", "COPYMEND_SOURCE_WRITE_BUDGET"),
            ("COPYMEND_MOD", "COPYMEND_MODE"),
        ] {
            let words = format!("`{name}` is no setting; the nearest one is {nearest}");
            assert_eq!(refused(name), Some(words));
        }
    }

    /// Every name that the settings of both functions ask the environment for.
    fn names_read() -> BTreeSet<String> {
        let names = RefCell::new(BTreeSet::new());
        let note = |name: &str| {
            names.borrow_mut().insert(name.to_owned());
            None
        };
        Settings::read(note).unwrap();
        AdvisorSettings::read(note).unwrap();
        note(LOG_LEVEL);
        let names = names.into_inner().into_iter();
        names.filter(|name| name.starts_with(PREFIX)).collect()
    }

    #[test]
    fn the_list_holds_what_the_programs_read_and_nothing_else() {
        let listed: BTreeSet<String> = SETTINGS.map(ToOwned::to_owned).into();
        assert_eq!(listed, names_read());
    }

    #[test]
    fn the_page_of_settings_names_every_one_and_no_other() {
        let page = include_str!("../../../../docs/settings.md");
        let named: BTreeSet<&str> = page
            .split(|c: char| !c.is_ascii_uppercase() && c != '_')
            .filter(|word| word.len() > PREFIX.len() && word.starts_with(PREFIX))
            .collect();
        assert_eq!(named, SETTINGS.into());
    }

    #[test]
    fn what_is_not_ours_is_no_error() {
        for name in ["COPYMEND_OWN_ROLES", "COPYMEND_DOCS", "AWS_REGION", "PATH"] {
            assert_eq!(refused(name), None);
        }
    }

    #[test]
    fn of_several_the_first_by_name_is_told() {
        let names = ["COPYMEND_Z", "COPYMEND_A", "COPYMEND_MODE"];
        let error = refuse_unknown(names.map(ToOwned::to_owned)).unwrap_err();
        assert!(error.to_string().starts_with("`COPYMEND_A` "), "{error}");
    }

    #[test]
    fn a_distance_counts_letters() {
        for (one, other, letters) in [
            ("", "", 0),
            ("ab", "", 2),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other), letters, "{one} {other}");
        }
    }
}
