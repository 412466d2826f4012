//! What Copymend would do once a planned copy has failed.

use copymend_diagnosis::Cause;
use copymend_remediation::outlook::outlook_of_planned;
use copymend_remediation::settings::Settings;
use serde::Serialize;

use super::judge::Preflight;
use crate::details::Change;
use crate::scan::{Act, Would, would};

/// What Copymend would do once a copy of a route has failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WouldOfPlanned {
    /// What it would do.
    #[serde(flatten)]
    pub would: Would,
    /// About what: that which must be put right first.
    pub cause: Cause,
    /// What it would change; nothing where it would change nothing.
    pub changes: Option<String>,
    /// That change in full, or the one that a guard forbids.
    #[serde(skip)]
    pub change: Option<Change>,
}

/// Finds out what Copymend would do about each route that will fail, once a copy has failed: decided
/// with these settings by the same rules as a failed one, with nothing remembered. Reads nothing.
pub fn look_ahead(preflight: &mut Preflight, settings: &Settings) {
    let as_of = preflight.at;
    for judged in &mut preflight.routes {
        let Some(facts) = judged.facts.as_deref() else {
            continue;
        };
        let copy = &judged.route.copy;
        let outlook = outlook_of_planned(copy, &judged.foreseen, facts.clone(), settings, as_of);
        judged.would = outlook.map(|outlook| {
            let would = would::of_outlook(&outlook, "");
            WouldOfPlanned {
                cause: outlook.cause(),
                change: Change::of_outlook(&outlook),
                changes: match would.act {
                    Act::Repair => Some(outlook.resource),
                    Act::Retry | Act::Advise | Act::Refuse | Act::Nothing => None,
                },
                would,
            }
        });
    }
}
