//! Advice on a copy whose source no owner listed: whoever reads it decides whether the copy should
//! be at all.

use super::case::Case;
use super::{Advice, page};
use crate::event::CopyJobEvent;
use crate::facts::Facts;

/// What people do about a copy that is of no listed route. It holds no statement to paste: anyone
/// who may start copies in some account could have one made for a role of theirs. `started` says
/// who started the copy, `is_listed` whether the role is listed and only the scope of a statement
/// would admit others, too.
#[must_use]
pub fn advise_unlisted_source(
    event: &CopyJobEvent,
    started: String,
    is_listed: bool,
    facts: &Facts,
) -> Advice {
    let case = Case::new(event, Some(facts));
    let role = case.role_shown();
    let since = match facts.job_role.known() {
        Some(Some(found)) => match found.created {
            Some(created) => format!("The role {role} exists since {created}."),
            None => format!("Since when the role {role} exists could not be read."),
        },
        Some(None) => format!("The role {role} does not exist."),
        None => format!("Whether the role {role} exists could not be read."),
    };
    let arn = case.role().as_str();
    let list = if is_listed {
        format!(
            "The role is listed, but a statement of the scope in VaultScope would admit others, too. List account {} by its id if \
             all its roles may copy into the vault, or set VaultScope to role.",
            case.source_account()
        )
    } else if arn.contains(['*', '?']) {
        "The role's ARN holds a character that a list reads as a wildcard, so no entry admits this role alone. Use another role."
            .to_owned()
    } else {
        // A list's entry can't hold a comma.
        let entry = format!("{}>{}", arn.replace(',', "?"), event.destination_vault);
        format!(
            "If it is meant to be, add this entry to the parameter AllowedSources, deploy, and start the copy again:\n{}",
            super::text::word(&entry)
        )
    };
    Advice {
        who: "Whoever decides whose copies may come in: the owner of the setting AllowedSources"
            .to_owned(),
        steps: vec![
            started,
            since,
            format!(
                "Ask the owners of account {} whether this copy into vault `{}` is meant to be. If nobody knows of it, treat it as an \
                 attempt to take data out of, or put data into, your accounts.",
                case.source_account(),
                case.vault()
            ),
            list,
        ],
        page: page::VAULT_POLICY,
        console: None,
    }
}
