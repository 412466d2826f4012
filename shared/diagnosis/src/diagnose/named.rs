//! The causes that a message names, whatever the facts say.

use crate::assess::Assessment;
use crate::causes::Cause;
use crate::facts::{Facts, ImageKeys, SourceKey};
use crate::messages::{Candidate, Explanation};

/// What a message says in so many words, as far as the facts tell what it speaks of.
pub(super) struct Named<'m> {
    /// The causes that the text admits, best first.
    pub(super) candidates: Vec<Candidate>,
    causes: Vec<Cause>,
    /// The key that it names, where that isn't the backup's.
    other_key: Option<&'m str>,
}

/// Why the destination vault's key is considered.
const OF_VAULT: &str = "The message names the key of the destination vault.";

impl<'m> Named<'m> {
    pub(super) fn by(explanation: &Explanation<'m>, facts: &Facts) -> Self {
        let mut candidates = explanation.candidates.clone();
        let mut causes = explanation.named.clone();
        let other_key = other_key(explanation, facts);
        let vault_key = facts.vault_key.facts().map(|key| key.arn.as_str());
        let is_of_source_key = |cause: &Cause| cause.is_of_source_key();
        if other_key.is_some() && other_key == vault_key && causes.iter().any(is_of_source_key) {
            causes.retain(|cause| !is_of_source_key(cause));
            causes.push(Cause::DestinationVaultKey);
            candidates.retain(|candidate| candidate.cause != Cause::DestinationVaultKey);
            let of_vault = Candidate {
                cause: Cause::DestinationVaultKey,
                why: OF_VAULT,
            };
            candidates.insert(0, of_vault);
        }
        Self {
            candidates,
            causes,
            other_key,
        }
    }

    /// The causes that the message suggests. A text that names another key than the backup's
    /// doesn't suggest that the policy of the backup's key is to be changed.
    pub(super) fn proposed(&self) -> Vec<Cause> {
        let candidates = self.candidates.iter().map(|candidate| candidate.cause);
        candidates
            .filter(|cause| self.other_key.is_none() || *cause != Cause::SourceKeyPolicy)
            .collect()
    }

    /// A cause that the message names and that our rule or the simulator excludes stays open: either
    /// may be wrong, and something may have changed since the copy failed.
    pub(super) fn kept(&self, assessment: Assessment) -> Assessment {
        if self.causes.contains(&assessment.cause) {
            assessment.against_the_message()
        } else {
            assessment
        }
    }
}

/// The key that a message names, where it is known not to be one of the backup's.
fn other_key<'m>(explanation: &Explanation<'m>, facts: &Facts) -> Option<&'m str> {
    let is_key = |text: &&str| text.contains(":kms:") && text.contains(":key/");
    let named = explanation.resource().filter(is_key);
    let named = named.or(explanation.key_arn.filter(is_key))?;
    let of_vault = facts.vault_key.facts();
    let is_of_vault = of_vault.is_some_and(|key| key.arn.as_str() == named);
    let is_of_source = match &facts.source_key {
        SourceKey::Key(key) => key.arn.as_str() == named,
        SourceKey::NotEncrypted => false,
        // It may be this one.
        SourceKey::Unknown(_) => !is_of_vault,
    };
    let is_of_image = match &facts.image_keys {
        ImageKeys::NotApplicable => false,
        ImageKeys::Unknown(_) => !is_of_vault,
        ImageKeys::Others(keys) => keys.iter().any(|key| key.arn.as_str() == named),
    };
    (!is_of_source && !is_of_image).then_some(named)
}
