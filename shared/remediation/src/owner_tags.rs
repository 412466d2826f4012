//! The tags of owners, as they were read a moment ago.
//!
//! In a storm many copies are started again. Whether an owner keeps Copymend away is asked anew for each
//! investigation, and before each write; for copies that only have to be started again, once in
//! [`TAGS_STAND`].

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use copymend_diagnosis::{BackupVaultArn, Tags};
use jiff::{SignedDuration, Timestamp};

/// For how long tags count as they were read, where a copy is started again that a repair for another
/// copy admits (our own): an owner's tag stops such copies this much later at most.
pub(crate) const TAGS_STAND: SignedDuration = SignedDuration::from_mins(5);
/// So many vaults are remembered of each kind.
const MOST_VAULTS: usize = 256;

/// What was read of vaults, each with when.
#[derive(Debug)]
struct Recent<T>(BTreeMap<String, (T, Timestamp)>);

impl<T: Clone> Recent<T> {
    fn get(&self, vault: &BackupVaultArn, now: Timestamp) -> Option<T> {
        let (known, at) = self.0.get(vault.as_str())?;
        let age = now.duration_since(*at);
        (!age.is_negative() && age < TAGS_STAND).then(|| known.clone())
    }

    fn insert(&mut self, vault: &BackupVaultArn, known: T, at: Timestamp) {
        if self.0.len() >= MOST_VAULTS && !self.0.contains_key(vault.as_str()) {
            self.0.clear();
        }
        self.0.insert(vault.to_string(), (known, at));
    }
}

#[derive(Debug)]
struct Read {
    /// The tags of destination vaults.
    vaults: Recent<Tags>,
    /// The source vaults of copies whose keys no owner keeps Copymend away from.
    free_keys: Recent<()>,
}

/// The tags that one process has read. Nothing is kept beyond it.
#[derive(Debug)]
pub(crate) struct OwnersTags(Mutex<Read>);

impl OwnersTags {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Read {
            vaults: Recent(BTreeMap::new()),
            free_keys: Recent(BTreeMap::new()),
        }))
    }

    fn read<T>(&self, look: impl FnOnce(&mut Read) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A destination vault's tags, where they were read not long ago.
    pub(crate) fn of_vault(&self, vault: &BackupVaultArn, now: Timestamp) -> Option<Tags> {
        self.read(|read| read.vaults.get(vault, now))
    }

    /// Remembers what was read.
    pub(crate) fn remember(&self, vault: &BackupVaultArn, tags: &Tags, at: Timestamp) {
        self.read(|read| read.vaults.insert(vault, tags.clone(), at));
    }

    /// Whether the key of a copy from this source vault was looked at not long ago, and nobody keeps
    /// Copymend away from it. Copies from one vault may have other keys, each of which may have another
    /// owner: where one is known that keeps Copymend away, each is looked at.
    pub(crate) fn has_free_key(&self, source_vault: &BackupVaultArn, now: Timestamp) -> bool {
        self.read(|read| read.free_keys.get(source_vault, now).is_some())
    }

    /// Remembers that nobody keeps Copymend away from the key of a copy from this source vault.
    pub(crate) fn remember_free_key(&self, source_vault: &BackupVaultArn, at: Timestamp) {
        self.read(|read| read.free_keys.insert(source_vault, (), at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_counts_for_a_while_and_not_from_the_future() {
        let vault: BackupVaultArn = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr"
            .parse()
            .unwrap();
        let at: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let tags = OwnersTags::new();
        assert_eq!(tags.of_vault(&vault, at), None);
        assert!(!tags.has_free_key(&vault, at));
        tags.remember(&vault, &Tags::default(), at);
        assert!(!tags.has_free_key(&vault, at), "one is not the other");
        tags.remember_free_key(&vault, at);
        let second = SignedDuration::from_secs(1);
        for (now, is_known) in [
            (at, true),
            (at + TAGS_STAND - second, true),
            (at + TAGS_STAND, false),
            (at - second, false),
        ] {
            assert_eq!(tags.of_vault(&vault, now).is_some(), is_known, "{now}");
            assert_eq!(tags.has_free_key(&vault, now), is_known, "{now}");
        }
    }
}
