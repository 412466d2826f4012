//! The keys of an image: it can hold several snapshots under several keys, of which AWS Backup
//! names one.

use super::{Cause, key};
use crate::assess::{Checked, Finding, Verdict, found};
use crate::facts::{Facts, ImageKeys, KeyFacts, SourceKey};
use crate::job::BackupCopy;

/// Holds a cause against every key of the backup. One key that shows it is enough; what excludes it
/// at one key doesn't exclude it at the others.
pub(super) fn at_each(
    check: fn(&BackupCopy, &Facts) -> Checked,
    copy: &BackupCopy,
    facts: &Facts,
) -> Finding {
    let named = found(check(copy, facts));
    match &facts.image_keys {
        ImageKeys::NotApplicable => named,
        ImageKeys::Unknown(why) => {
            let (verdict, mut evidence) = named;
            let SourceKey::Key(key) = &facts.source_key else {
                return (verdict, evidence);
            };
            if verdict != Verdict::RuledOut {
                return (verdict, evidence);
            }
            evidence.push(format!(
                "an image can hold several snapshots under several keys; only `{}` was read ({why})",
                key.arn
            ));
            (Verdict::NotCheckable, evidence)
        }
        ImageKeys::Others(keys) => {
            let others = keys.iter().map(|key| {
                let (verdict, mut evidence) = found(check(copy, &facts_about(key, facts)));
                evidence.push(format!(
                    "`{}` is the key of another snapshot of the image",
                    key.arn
                ));
                (verdict, evidence)
            });
            others.fold(named, worse)
        }
    }
}

/// The finding that weighs more: shown before not checkable before excluded.
pub(super) fn worse(one: Finding, other: Finding) -> Finding {
    let weight = |finding: &Finding| match finding.0 {
        Verdict::Confirmed => 2_u8,
        Verdict::NotCheckable => 1,
        Verdict::RuledOut => 0,
    };
    if weight(&other) > weight(&one) {
        other
    } else {
        one
    }
}

/// The same facts, as if the backup were under this key alone.
fn facts_about(key: &KeyFacts, facts: &Facts) -> Facts {
    Facts {
        source_key: SourceKey::Key(Box::new(key.clone())),
        image_keys: ImageKeys::NotApplicable,
        ..facts.clone()
    }
}

/// Whether a read of one of the keys told nothing, or which they are isn't known.
pub(super) fn is_any_unread(copy: &BackupCopy, facts: &Facts) -> bool {
    is_any_open(key::is_unread, copy, facts)
}

/// Whether a cause is open at one of the keys, or which they are isn't known.
pub(super) fn is_any_open(
    is_open: fn(&BackupCopy, &Facts) -> bool,
    copy: &BackupCopy,
    facts: &Facts,
) -> bool {
    let is_of_others = match &facts.image_keys {
        ImageKeys::NotApplicable => false,
        // What AWS Backup calls unencrypted has no key.
        ImageKeys::Unknown(_) => facts.source_key != SourceKey::NotEncrypted,
        ImageKeys::Others(keys) => keys
            .iter()
            .any(|key| is_open(copy, &facts_about(key, facts))),
    };
    is_of_others || is_open(copy, facts)
}

/// What a key can have that stops a copy.
pub(super) const OF_KEYS: [Cause; 5] = [
    Cause::SourceKeyPolicy,
    Cause::SourceKeyDeny,
    Cause::SourceKeyState,
    Cause::KeyNotFound,
    Cause::AwsManagedKey,
];

fn stops(key: &KeyFacts, copy: &BackupCopy, facts: &Facts) -> bool {
    let about = facts_about(key, facts);
    OF_KEYS
        .iter()
        .any(|cause| cause.entry().check(copy, &about).0 == Verdict::Confirmed)
}

/// The keys of an image's other snapshots that stop the copy by what was read of them.
#[must_use]
pub fn other_keys_in_the_way<'f>(copy: &BackupCopy, facts: &'f Facts) -> Vec<&'f KeyFacts> {
    match &facts.image_keys {
        ImageKeys::NotApplicable | ImageKeys::Unknown(_) => Vec::new(),
        ImageKeys::Others(keys) => keys.iter().filter(|key| stops(key, copy, facts)).collect(),
    }
}

/// The facts with the key of an image that stops the copy as the source's key, where the one that
/// AWS Backup names doesn't: advice and repairs are about the source's key.
#[must_use]
pub fn led_by_key_in_the_way(copy: &BackupCopy, mut facts: Facts) -> Facts {
    let SourceKey::Key(named) = &facts.source_key else {
        return facts;
    };
    if stops(named, copy, &facts) {
        return facts;
    }
    let first = other_keys_in_the_way(copy, &facts)
        .first()
        .map(|key| key.arn.clone());
    let (Some(first), SourceKey::Key(named), ImageKeys::Others(others)) =
        (first, &mut facts.source_key, &mut facts.image_keys)
    else {
        return facts;
    };
    if let Some(other) = others.iter_mut().find(|key| key.arn == first) {
        std::mem::swap(named.as_mut(), other);
    }
    facts
}
