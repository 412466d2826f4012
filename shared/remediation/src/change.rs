//! A change as people read of it: planned, or on record.

use copymend_diagnosis::Failure;
use copymend_policy::{NewStatement, PolicyDocument, prove_only_adds};

use crate::grantee::grantee;
use crate::ledger::Change;
use crate::plan::{Plan, sids};
use crate::report::PolicyChange;
use crate::settings::Settings;

/// The change of a plan that nothing was written of, for the report.
#[must_use]
pub(crate) fn change_of(plan: &Plan, failure: &Failure, settings: &Settings) -> PolicyChange {
    let proof = plan.edit.as_ref().map(|edit| &edit.proof);
    PolicyChange {
        resource: plan.target.as_str().to_owned(),
        before: plan.before(),
        after: plan.after(),
        added: sids(plan.added()),
        certificate: proof.and_then(|proof| proof.as_ref().ok().cloned()),
        applied: false,
        id: None,
        grantee: Some(grantee(&plan.target, failure, settings)),
    }
}

/// A recorded change, for the report. Its certificate is made from the texts of the record.
pub(crate) fn change_recorded(change: &Change, applied: bool) -> PolicyChange {
    let statements = recorded_statements(change);
    let read = |text: &Option<String>| PolicyDocument::parse(text.as_deref()?).ok();
    let before = read(&change.before);
    PolicyChange {
        resource: change.resource.clone(),
        before: change.before.clone(),
        after: change.after.clone().unwrap_or_default(),
        added: sids(&statements),
        certificate: read(&change.after)
            .and_then(|after| prove_only_adds(before.as_ref(), &after, &statements).ok()),
        applied,
        id: Some(change.id.clone()),
        grantee: Some(change.grantee.clone()),
    }
}

/// The statements of a change on record, those that can be read.
pub(crate) fn recorded_statements(change: &Change) -> Vec<NewStatement> {
    let statements = change.statements.iter();
    statements
        .filter_map(|statement| NewStatement::from_recorded(statement).ok())
        .collect()
}
