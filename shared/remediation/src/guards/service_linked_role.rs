//! The guards of creating AWS Backup's service-linked role.

#![expect(
    clippy::unnecessary_wraps,
    reason = "every check has the same signature"
)]

use copymend_diagnosis::Fact;

use super::{Answer, Question, not_known};
use crate::investigate::SERVICE_LINKED_ROLE;

pub(super) fn allowed(question: &Question<'_>) -> Answer {
    let is_allowed = question.settings.create_service_linked_role;
    Some((
        is_allowed,
        format!("COPYMEND_CREATE_SERVICE_LINKED_ROLE is {is_allowed}"),
    ))
}

pub(super) fn missing(question: &Question<'_>) -> Answer {
    Some(match &question.facts?.service_linked_role {
        Fact::Known(None) => (
            true,
            format!(
                "IAM knows no {SERVICE_LINKED_ROLE} in account {}",
                question.failure.copy().destination_account
            ),
        ),
        Fact::Known(Some(role)) => (false, format!("`{}` exists", role.arn)),
        Fact::Unknown(why) => not_known(
            &format!("whether the destination account has its {SERVICE_LINKED_ROLE}"),
            why,
        ),
    })
}
