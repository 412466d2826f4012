//! Which resources a selection selects, as far as it can be told without reading tags.

use copymend_policy::{Arn, wildcard_matches};

use crate::listed::BackupSelection;

/// How a selection takes a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Selected {
    /// It doesn't.
    No,
    /// Only the resource's tags tell.
    ByTags,
    /// By an ARN with a wildcard.
    ByWildcard,
    /// By its ARN.
    ByName,
}

/// Whether a text of `Resources` or `NotResources` is one ARN and not a pattern.
pub(super) fn is_name(text: &str) -> bool {
    !text.contains(['*', '?'])
}

/// `(Resources ∪ ListOfTags)`, filtered by all `Conditions`, less `NotResources` (AWS Backup Developer
/// Guide, "Assigning resources with JSON", documented by its examples).
pub(super) fn selects(selection: &BackupSelection, resource: &Arn) -> Selected {
    let arn = resource.as_str();
    let matches = |pattern: &String| wildcard_matches(pattern, arn);
    if selection.not_resources.iter().any(matches) {
        return Selected::No;
    }
    let named = if selection.resources.iter().any(|name| name == arn) {
        Selected::ByName
    } else if selection.resources.iter().any(matches) {
        Selected::ByWildcard
    } else if selection.tags.is_empty() {
        Selected::No
    } else {
        Selected::ByTags
    };
    if named != Selected::No && !selection.conditions.is_empty() {
        Selected::ByTags
    } else {
        named
    }
}
