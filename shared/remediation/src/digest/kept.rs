//! What the ledger keeps from one digest to the next: until when the last one told, and how old the
//! copies were when they were measured last. Each is the end of an entry of its own.

use jiff::Timestamp;
use serde_json::json;

use super::{OldestCopies, OldestCopy};
use crate::copy_age::{CopyAgeAnswer, CopyAgeState, VaultAge};
use crate::handler::Invocation;
use crate::ledger::{Finish, Ledger};
use crate::ports::{CallResult, Clock, Reads};

const TOLD_UNTIL: &str = "digest-told-until";
const COPY_AGES: &str = "digest-copy-ages";
/// So many vaults are kept.
const WORST_VAULTS: usize = 3;

async fn keep<E: Reads>(
    environment: &E,
    entry: &str,
    invocation: &Invocation,
    text: &str,
) -> CallResult<()> {
    let Some(ledger) = environment.ledger() else {
        return Ok(());
    };
    let (owner, now) = (&invocation.id, environment.clock().now());
    // Whoever keeps something else right now keeps what is as good.
    if ledger
        .take_job(entry, owner, now, invocation.held_until())
        .await?
        .is_none()
    {
        return Ok(());
    }
    ledger
        .finish_job(entry, owner, &Finish::with(text), now)
        .await
}

/// Until when the last digest told, where that is on record.
pub(super) async fn told_until(ledger: &impl Ledger) -> CallResult<Option<Timestamp>> {
    let kept = ledger.outcome_of_job(TOLD_UNTIL).await?;
    Ok(kept.and_then(|kept| kept.parse().ok()))
}

pub(super) async fn keep_told_until<E: Reads>(
    environment: &E,
    invocation: &Invocation,
    until: Timestamp,
) -> CallResult<()> {
    keep(environment, TOLD_UNTIL, invocation, &until.to_string()).await
}

/// The ages of copies as they were measured last, where that is on record.
pub(super) async fn copy_ages(ledger: &impl Ledger) -> CallResult<Option<OldestCopies>> {
    let kept = ledger.outcome_of_job(COPY_AGES).await?;
    Ok(kept.and_then(|kept| serde_json::from_str(&kept).ok()))
}

/// Keeps the vaults with the oldest copies for the next digest.
///
/// # Errors
///
/// Where the ledger fails: then the digest tells of those that were measured before.
pub async fn keep_copy_ages<E: Reads>(
    environment: &E,
    measured: &CopyAgeAnswer,
    invocation: &Invocation,
) -> CallResult<()> {
    match measured.copy_age {
        CopyAgeState::NoObjective => return Ok(()),
        CopyAgeState::Measured | CopyAgeState::TimeWasOver => {}
    }
    let all: Vec<_> = measured.vaults.iter().map(oldest_copy).collect();
    let too_old = all.iter().filter(|of| of.is_too_old()).count();
    let oldest = OldestCopies {
        at: measured.at,
        objective_seconds: measured.objective_seconds,
        vaults: all.into_iter().take(WORST_VAULTS).collect(),
        vaults_too_old: u64::try_from(too_old).ok(),
    };
    let text = json!(oldest).to_string();
    keep(environment, COPY_AGES, invocation, &text).await
}

fn oldest_copy(of: &VaultAge) -> OldestCopy {
    OldestCopy {
        vault: of.vault.clone(),
        worst_age_seconds: of.worst_age_seconds,
        over_objective: of.over_objective,
    }
}
