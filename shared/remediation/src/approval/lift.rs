//! Letting a plan that was refused be asked about again.

use super::{ApprovalRequests, plain_id};
use crate::ledger::{Ledger, Refusal};
use crate::ports::{Clock, Environment};
use crate::undo::UndoError;

/// Lifts the refusal that a no to a plan left. Answers it; `None` where the plan left none, or it was
/// lifted before.
pub async fn allow_again<E: Environment>(
    environment: &E,
    plan: &str,
    lifted_by: Option<&str>,
) -> Result<Option<Refusal>, UndoError> {
    let ledger = environment.ledger().ok_or(UndoError::NoLedger)?;
    let no_such = || UndoError::NoSuchChange(Refusal::of_plan(plan));
    let id = plain_id(plan).ok_or_else(no_such)?;
    let (request, _) = ledger.request(&id).await?.ok_or_else(no_such)?;
    let (Some(resource), Some(refusal)) = (&request.resource, request.refusal()) else {
        return Ok(None);
    };
    let now = environment.clock().now();
    let history = ledger.policy_history(resource, now).await?;
    if !history.refusals.contains(&refusal) {
        return Ok(None);
    }
    ledger
        .lift_refusal(resource, &refusal, lifted_by, now)
        .await?;
    Ok(Some(refusal))
}
