//! The question to people about a plan, and who answered it.

use copymend_remediation::approval::{Approval, Reply};
use copymend_remediation::report::Report;

use crate::text::inline;

/// Until when the plan can be answered, and the commands that do.
pub(crate) struct Question {
    pub(crate) until: String,
    pub(crate) approve: String,
    pub(crate) refuse: String,
}

pub(crate) fn question(report: &Report) -> Option<Question> {
    let approval = report.approval.as_ref()?;
    let until = approval.expires_at?;
    let place = match &approval.function {
        Some((function, region)) => {
            format!(
                " --function {} --region {}",
                inline(function),
                inline(region)
            )
        }
        None => " --stack NAME".to_owned(),
    };
    let command = |reply: Reply| format!("copymend {} {}{place}", reply.name(), approval.plan);
    Some(Question {
        until: until.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        approve: command(Reply::Approve),
        refuse: command(Reply::Refuse),
    })
}

/// Who said yes or no, in a sentence.
pub(crate) fn answered(report: &Report) -> Option<String> {
    let Approval {
        plan,
        reply,
        answered,
        ..
    } = report.approval.as_ref()?;
    let (reply, answered) = (reply.as_ref()?, answered.as_ref()?);
    let said = match reply {
        Reply::Approve => "approved",
        Reply::Refuse => "refused",
    };
    Some(format!(
        "{} {said} plan {plan} at {}.",
        inline(&answered.by),
        answered.at.strftime("%Y-%m-%d %H:%M:%S UTC")
    ))
}
