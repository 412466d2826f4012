//! The keys of an image: it can hold several snapshots under several keys, of which AWS Backup
//! names one.

use super::key;
use crate::assess::{Checked, Finding, Verdict, found};
use crate::facts::{Facts, ImageKeys, KeyFacts, SourceKey};
use crate::job::BackupCopy;

/// Holds a cause against every key of the backup. One key that shows it is enough; what excludes it
/// at one key doesn't exclude it at the others.
pub(super) fn at_each(
    check: fn(&BackupCopy, &Facts) -> Checked,
    copy: &BackupCopy,
    facts: &Facts,
) -> Checked {
    let named = found(check(copy, facts));
    match &facts.image_keys {
        ImageKeys::NotApplicable => Ok(named),
        ImageKeys::Unknown(why) => {
            let (verdict, mut evidence) = named;
            let SourceKey::Key(key) = &facts.source_key else {
                return Ok((verdict, evidence));
            };
            if verdict != Verdict::RuledOut {
                return Ok((verdict, evidence));
            }
            evidence.push(format!(
                "an image can hold several snapshots under several keys; only `{}` was read ({why})",
                key.arn
            ));
            Ok((Verdict::NotCheckable, evidence))
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
            Ok(others.fold(named, worse))
        }
    }
}

/// The finding that weighs more: shown before not checkable before excluded.
fn worse(one: Finding, other: Finding) -> Finding {
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
pub(super) fn is_any_unread(facts: &Facts) -> bool {
    let is_of_others = match &facts.image_keys {
        ImageKeys::NotApplicable => false,
        // What AWS Backup calls unencrypted has no key.
        ImageKeys::Unknown(_) => facts.source_key != SourceKey::NotEncrypted,
        ImageKeys::Others(keys) => keys.iter().any(key::is_key_unread),
    };
    is_of_others || key::is_unread(facts)
}
