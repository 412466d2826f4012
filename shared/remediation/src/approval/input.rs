//! What the alias `approvals` is asked.

use copymend_policy::Arn;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ALIAS, Reply, SignedIdentity};
use crate::agreement::PlanHash;

const SOURCE: &str = "copymend";
const DETAIL_TYPE: &str = "Copymend Approval";
/// A session's token is the longest of it.
const LONGEST_INPUT: usize = 65_536;

/// Whether an input is meant as an answer to a plan.
#[must_use]
pub fn is_approval(input: &Value) -> bool {
    let text = |name: &str| input.get(name).and_then(Value::as_str);
    text("source") == Some(SOURCE) && text("detail-type") == Some(DETAIL_TYPE)
}

/// Whether the function was invoked by the alias for answers, by the ARN that Lambda names in its
/// context.
#[must_use]
pub fn is_for_approvals(invoked_function_arn: &str) -> bool {
    let arn: Option<Arn> = invoked_function_arn.parse().ok();
    arn.is_some_and(|arn| {
        let mut parts = arn.resource().split(':');
        let (kind, _name, alias) = (parts.next(), parts.next(), parts.next());
        kind == Some("function") && alias == Some(ALIAS) && parts.next().is_none()
    })
}

/// What the alias is asked: to show a plan, or to take an answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalInput {
    /// The plan's id.
    pub plan: String,
    /// The answer; without one the plan is only shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Asked>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Yes or no.
    pub reply: Reply,
    /// The hash of the request that the person saw.
    pub hash: PlanHash,
    /// For a no: whether the same may be asked again.
    #[serde(default)]
    pub allow_again: bool,
    /// Who answers.
    pub identity: SignedIdentity,
}

/// The input is no answer to a plan.
#[derive(Debug, thiserror::Error)]
pub enum InvalidApproval {
    /// Something else was sent to the alias.
    #[error("the alias `{ALIAS}` takes answers to plans and nothing else: {0}")]
    NotAnAnswer(String),
    /// An answer was sent to the function itself, or by another alias.
    #[error("answers to plans go to the alias `{ALIAS}` of the function")]
    NotByTheAlias,
}

impl InvalidApproval {
    /// The stable name that the Lambda answers as `errorType`.
    #[must_use]
    pub const fn error_type(&self) -> &'static str {
        match self {
            Self::NotAnAnswer(_) => "NotAnAnswer",
            Self::NotByTheAlias => "NotByTheAlias",
        }
    }
}

impl ApprovalInput {
    /// The event that says it.
    #[must_use]
    pub fn to_event(&self) -> Value {
        json!({"source": SOURCE, "detail-type": DETAIL_TYPE, "detail": self})
    }

    /// What was sent to the alias.
    pub fn read(event: &Value) -> Result<Self, InvalidApproval> {
        let refused = |why: &str| Err(InvalidApproval::NotAnAnswer(why.to_owned()));
        if !is_approval(event) {
            return refused("this is another event");
        }
        if event.to_string().len() > LONGEST_INPUT {
            return refused("it is too long");
        }
        let detail = event.get("detail").unwrap_or(&Value::Null);
        // Without serde's words: they may hold what was sent, which may be a credential.
        Self::deserialize(detail).or_else(|_| {
            refused("its detail is not {\"plan\":ID}, with or without an answer as `copymend approve` gives it")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_alias_takes_answers() {
        let name = "arn:aws:lambda:eu-west-1:444455556666:function:copymend";
        assert!(is_for_approvals(&format!("{name}:approvals")));
        for other in [
            name,
            &format!("{name}:$LATEST"),
            &format!("{name}:1"),
            &format!("{name}:approvals:approvals"),
            &format!("{name}:Approvals"),
            "approvals",
            "arn:aws:lambda:eu-west-1:444455556666:layer:copymend:approvals",
            "",
        ] {
            assert!(!is_for_approvals(other), "{other}");
        }
    }

    #[test]
    fn what_is_no_answer_is_refused_without_repeating_it() {
        let of = |detail: Value| json!({"source": "copymend", "detail-type": "Copymend Approval", "detail": detail});
        for input in [
            of(json!(null)),
            of(json!({"id": "7K3F-9Q2M-X4TD"})),
            of(
                json!({"plan": "7K3F-9Q2M-X4TD", "answer": {"reply": "approve", "identity": "secret"}}),
            ),
            of(json!({"plan": "7K3F-9Q2M-X4TD", "more": 1})),
            of(json!({"plan": "x".repeat(70_000)})),
            json!({"source": "aws.backup", "detail-type": "Copy Job State Change"}),
            json!({"source": "copymend", "detail-type": "Copymend Preflight", "detail": {"plan": "7K3F-9Q2M-X4TD"}}),
            json!(null),
        ] {
            let error = ApprovalInput::read(&input).unwrap_err();
            assert_eq!(error.error_type(), "NotAnAnswer");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        let shown = ApprovalInput {
            plan: "7K3F-9Q2M-X4TD".to_owned(),
            answer: None,
        };
        assert_eq!(ApprovalInput::read(&shown.to_event()).unwrap(), shown);
    }
}
