//! Short ways to write a policy and ask it something.

use copymend_policy::{Decision, PolicyDocument, Request, evaluate};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const ROLE: &str = "arn:aws:iam::111122223333:role/service-role/CopyRole";
pub(crate) const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/CopyRole/job-1";
pub(crate) const VAULT: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:copies";
pub(crate) const COPY: &str = "backup:CopyIntoBackupVault";

pub(crate) fn policy(text: &str) -> PolicyDocument {
    PolicyDocument::parse(text).unwrap()
}

/// A 2012 document of these statements.
pub(crate) fn statements(statements: &str) -> PolicyDocument {
    policy(&format!(
        r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#
    ))
}

/// A statement that allows everyone everything under a condition.
pub(crate) fn allow_if(condition: &str) -> PolicyDocument {
    statements(&format!(
        r#"{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{condition}}}"#
    ))
}

pub(crate) fn request() -> Request {
    Request::new(ROLE, COPY, VAULT)
}

/// Whether the condition holds when `key` has these values.
pub(crate) fn holds(condition: &str, key: &str, values: &[&str]) -> bool {
    let request = request().with_context(key, values.iter().copied());
    evaluate(&allow_if(condition), &request).is_allowed()
}

/// Whether the condition holds in an empty context.
pub(crate) fn holds_without(condition: &str) -> bool {
    evaluate(&allow_if(condition), &request()).is_allowed()
}

pub(crate) fn allowed(policy: &PolicyDocument, request: &Request) -> bool {
    matches!(evaluate(policy, request), Decision::Allowed { .. })
}
