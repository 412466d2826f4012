//! The job role itself: whether it exists, and whether AWS Backup may assume it.

use copymend_policy::{Decision, PolicyDocument, Request, evaluate_trust_policy};
use serde_json::{Value, json};

use super::{Entry, Family, Pages, Remedy, Shown, always, console, never, page, rules};
use crate::advice::{Case, list, quoted, shown, step, word};
use crate::assess::{Checked, confirmed, depends_on, not_checkable, ruled_out};
use crate::fact::Fact;
use crate::facts::Role;
use crate::messages::wording::{GRAMMAR, SERVICE_LINKED_ROLE_NOT_ASSUMED};
use crate::resource::RoleArn;

pub(super) static TRUST: Entry = Entry {
    slug: "job-role-trust",
    title: "AWS Backup cannot assume the job role",
    happens: "The trust policy of the job role does not let backup.amazonaws.com assume it, or denies it.",
    found: "The role's trust policy is read and evaluated for AWS Backup.",
    also: "A role that AWS Backup may not assume gives the same text.",
    messages: rules! {
        // Documented: "IAM Role … cannot be assumed by AWS Backup".
        Others 170 ["cannot be assumed|can not be assumed|could not be assumed|not be assumed by\
             |is not assumable"] not [SERVICE_LINKED_ROLE_NOT_ASSUMED] besides [JobRoleMissing]
            => "AWS Backup cannot assume the role.";
        // Seen in many services: "Unable to assume role", "not authorized to assume IAM Role".
        Others 180 ["unable to assume|not able to assume|not authorized to assume|could not assume\
             |cannot assume|failed to assume|failure to assume|not allowed to assume|error assuming\
             |not have permission to assume|not have permissions to assume", "role"]
            besides [JobRoleMissing] => "The role could not be assumed.";
        Others 190 ["trust policy|trust relationship", "does not allow|not include|not trust\
             |missing|not permit|not valid|invalid|misconfigured|denies|no role trust policy\
             |must allow|should allow"] not [GRAMMAR]
            => "The message names the trust policy of the role.";
    },
    shown: Shown::ByFacts(
        20,
        |copy, facts| trust(&copy.role, copy.account.as_str(), &facts.job_role),
        // What isn't excluded may be.
        always,
    ),
    families: &[Family::Role],
    remedy: Remedy::Advise,
    who: |case| case.role_owner(),
    steps: trust_steps,
    console: console::job_role,
    page: Pages::One(page::ROLES),
};

pub(super) static MISSING: Entry = Entry {
    slug: "job-role-missing",
    title: "The job role does not exist",
    happens: "The backup plan names a role that was deleted, or whose path or account is wrong.",
    found: "AWS IAM is asked for the role, and its whole ARN is compared.",
    also: "A role that does not exist gives the same text.",
    messages: rules! {
        // Seen: IAM's error code for a role that is gone.
        Others 350 ["nosuchentity", "role"] not ["awsserviceroleforbackup"]
            => "IAM does not know the role.";
    },
    shown: Shown::ByFacts(
        10,
        |copy, facts| missing(&copy.role, &facts.job_role),
        never,
    ),
    families: &[Family::Role],
    remedy: Remedy::Advise,
    who: |case| case.role_owner(),
    steps: missing_steps,
    console: console::found_role,
    page: Pages::One(page::ROLES),
};

pub(crate) const DEFAULT_ROLE: &str = "AWSBackupDefaultServiceRole";
pub(crate) const DEFAULT_PATH: &str = "/service-role/";
/// The principal that assumes job roles (AWS Backup, "IAM service roles", documented).
const SERVICE: &str = "backup.amazonaws.com";
/// A trust policy that is longer is edited instead of replaced. A longer line would be cut in an
/// e-mail.
const LONGEST_POLICY: usize = 1_500;

/// Whether the role is missing under exactly the ARN that the job names.
pub(crate) fn missing(named: &RoleArn, found: &Fact<Option<Role>>) -> Checked {
    Ok(match found.read()? {
        None => confirmed(format!("`{named}` does not exist")),
        Some(role) if role.arn != *named => confirmed(format!(
            "`{named}` does not exist; a role of that name has the ARN `{}`",
            role.arn
        )),
        Some(_) => ruled_out(format!("`{named}` exists")),
    })
}

/// Whether AWS Backup may not assume the role for a job of `account`.
pub(crate) fn trust(named: &RoleArn, account: &str, found: &Fact<Option<Role>>) -> Checked {
    let exact = found.read()?.as_ref().filter(|role| role.arn == *named);
    // Whom a role trusts that isn't there, nobody can read.
    let role = exact.ok_or_else(|| not_checkable("the job role does not exist"))?;
    let unread = || not_checkable("IAM answered no trust policy that can be read");
    let policy = PolicyDocument::parse(role.trust_policy.as_ref().ok_or_else(unread)?)
        .map_err(|error| not_checkable(format!("the trust policy cannot be read: {error}")))?;
    Ok(
        match evaluate_trust_policy(&policy, &assume_role(named, account)) {
            Decision::Allowed { .. } => ruled_out(format!(
                "the trust policy of `{}` lets {SERVICE} assume it",
                role.arn
            )),
            Decision::ImplicitlyDenied => confirmed(format!(
                "no statement of the trust policy of `{}` lets {SERVICE} assume it",
                role.arn
            )),
            Decision::ExplicitlyDenied { statement } => confirmed(format!(
                "statement {} of the trust policy of `{}` denies it to {SERVICE}",
                statement.saturating_add(1),
                role.arn
            )),
            Decision::Unknown { keys } => depends_on("the trust policy", &keys),
        },
    )
}

/// AWS Backup's call. It states the job's account as `aws:SourceAccount` (AWS Backup,
/// "Cross-service confused deputy prevention", documented); which resource it states as
/// `aws:SourceArn` isn't documented for copies.
fn assume_role(role: &RoleArn, account: &str) -> Request {
    Request::new(SERVICE, "sts:AssumeRole", role.as_str())
        .with_context("aws:SourceAccount", [account])
        .with_context("aws:SecureTransport", ["true"])
        .with_other_keys_unknown()
}

fn get_role(case: &Case<'_>) -> String {
    format!("aws iam get-role --role-name {}", case.role().name())
}

fn trust_statement() -> Value {
    json!({
        "Effect": "Allow",
        "Principal": { "Service": SERVICE },
        "Action": "sts:AssumeRole",
    })
}

pub(crate) fn trust_policy() -> Value {
    json!({ "Version": "2012-10-17", "Statement": [trust_statement()] })
}

/// The services that a statement names as principals.
fn services(statement: &Value) -> Vec<&str> {
    match statement
        .get("Principal")
        .and_then(|principal| principal.get("Service"))
    {
        Some(Value::String(service)) => vec![service],
        Some(Value::Array(services)) => services.iter().filter_map(Value::as_str).collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
            Vec::new()
        }
    }
}

fn statements_of(policy: &Value) -> Vec<&Value> {
    match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().collect(),
        Some(one @ Value::Object(_)) => vec![one],
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => {
            Vec::new()
        }
    }
}

fn has(statement: &Value, member: &str, text: &str) -> bool {
    statement.get(member).and_then(Value::as_str) == Some(text)
}

fn denies(statement: &Value) -> bool {
    services(statement).contains(&SERVICE) && has(statement, "Effect", "Deny")
}

/// What a trust policy lacks before it lets AWS Backup in, one sentence each. Empty where it lacks
/// nothing.
fn shortcomings(policy: &Value) -> Vec<String> {
    let statements = statements_of(policy);
    let mut found = Vec::new();
    let mut admits = false;
    let mut others: Vec<String> = Vec::new();
    for (number, statement) in (1..).zip(&statements) {
        let services = services(statement);
        if !services.contains(&SERVICE) {
            others.extend(services.iter().map(|service| quoted(service)));
            continue;
        }
        if denies(statement) {
            found.push(format!(
                "Its statement {number} denies {SERVICE}; no Allow outweighs that. Someone put it there on purpose: ask its author first."
            ));
        } else if let Some(condition) = statement.get("Condition") {
            found.push(format!(
                "Its statement {number} names {SERVICE} under a condition: {}. It must hold for the account and Region of this job.",
                quoted(&condition.to_string())
            ));
        } else if has(statement, "Action", "sts:AssumeRole") {
            admits = true;
        } else {
            found.push(format!(
                "Its statement {number} names {SERVICE}, but another action than sts:AssumeRole alone."
            ));
        }
    }
    if found.is_empty() && !admits {
        others.sort();
        others.dedup();
        found.push(if others.is_empty() {
            format!("It names no service; it lacks {SERVICE}.")
        } else {
            format!("It lets in {}, but not {SERVICE}.", list(&others))
        });
    }
    found
}

/// The policy with our statement added. `None` where it needs none, can't be read, or is too long
/// for one line.
fn completed(policy: &Value) -> Option<String> {
    if shortcomings(policy).is_empty() {
        return None;
    }
    let mut completed = policy.clone();
    let statements = match completed.get_mut("Statement")? {
        Value::Array(statements) => statements,
        one @ Value::Object(_) => {
            let only = one.take();
            *one = Value::Array(vec![only]);
            one.as_array_mut()?
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
    };
    statements.push(trust_statement());
    let text = completed.to_string();
    let is_shown_as_it_is =
        text.len() <= LONGEST_POLICY && text.bytes().all(|b| (b' '..=b'~').contains(&b));
    is_shown_as_it_is.then_some(text)
}

fn trust_steps(case: &Case<'_>) -> Vec<String> {
    let name = case.role().name();
    let known = case
        .job_role()
        .and_then(|role| role.trust_policy.as_deref());
    let policy: Option<Value> = known
        .filter(|text| PolicyDocument::parse(text).is_ok())
        .and_then(|text| serde_json::from_str(text).ok());
    let mut steps = Vec::new();
    if let Some(policy) = &policy {
        let found = shortcomings(policy);
        if found.is_empty() {
            steps.push(format!(
                "The role's trust policy lets {SERVICE} in, as it was read just now."
            ));
        } else {
            steps.push(format!("The role has a trust policy. {}", found.join(" ")));
        }
    }
    // Beside a Deny, another Allow is of no use.
    let is_denied = policy
        .as_ref()
        .is_some_and(|policy| statements_of(policy).into_iter().any(denies));
    match policy.as_ref().filter(|_| !is_denied).and_then(completed) {
        Some(text) => steps.push(step(
            "Save this as trust.json: the trust policy as it was read, with one statement added at its end",
            &text,
        )),
        None => steps.extend([
            step!("Save the role's trust policy (NoSuchEntity means that the role does not exist)";
                "{} --query Role.AssumeRolePolicyDocument > trust.json", get_role(case)),
            step(
                "If AWS Backup alone uses the role, this is the whole trust.json. Otherwise see that its statement is in the list `Statement` \
                 there, and keep the others that someone still needs",
                &trust_policy().to_string(),
            ),
        ]),
    }
    steps.extend([
        step!("Set it, in account {}", case.role().arn().account();
            "aws iam update-assume-role-policy --role-name {name} --policy-document file://trust.json"),
        case.start_again(),
    ]);
    steps
}

/// The ARN of AWS's default role in a role's account.
pub(crate) fn default_role(role: &RoleArn) -> String {
    let (partition, account) = (role.partition(), role.arn().account());
    format!("arn:{partition}:iam::{account}:role{DEFAULT_PATH}{DEFAULT_ROLE}")
}

/// Makes the role that the job names, with its path.
fn create(case: &Case<'_>) -> String {
    let role = case.role();
    let path = match role.path() {
        "/" => String::new(),
        path => format!(" --path {}", word(path)),
    };
    format!(
        "aws iam create-role --role-name {name}{path} --assume-role-policy-document '{}'\n\
         aws iam attach-role-policy --role-name {name} --policy-arn arn:{partition}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup\n\
         aws iam attach-role-policy --role-name {name} --policy-arn arn:{partition}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForRestores",
        trust_policy(),
        name = role.name(),
        partition = role.partition(),
    )
}

pub(crate) fn is_default_without_path(role: &RoleArn) -> bool {
    role.name() == DEFAULT_ROLE && role.path() != DEFAULT_PATH
}

fn missing_steps(case: &Case<'_>) -> Vec<String> {
    let role = case.role();
    let account = role.arn().account();
    let region = case.source_region();
    let found = case.job_role().filter(|found| found.arn != *role);
    let mut steps = vec![
        step!("Look the role up in account {account}, and compare the whole ARN, with its path, to {}",
        case.role_shown();
        "{} --query Role.Arn --output text", get_role(case)),
    ];
    let mut other = found.map(|found| found.arn.to_string());
    if let Some(found) = found {
        steps.push(format!(
            "The account has a role of that name with another path: {}. Use that ARN, if it is the role you mean.",
            shown(found.arn.as_str())
        ));
    }
    if is_default_without_path(role) {
        let default = default_role(role);
        steps.push(format!(
            "AWS's default role has the path service-role: `{default}`. A role of that name without the path is another role; most \
             likely the path was forgotten."
        ));
        other.get_or_insert(default);
    }
    steps.push(step!("Name the right role where the backup plan of account {account} assigns resources. A resource assignment \
         cannot be edited: make a new one, then delete the old. To find the assignment (IamRoleArn), list the plans, then the \
         assignments of each";
        "aws backup list-backup-plans --region {region} --query 'BackupPlansList[].[BackupPlanId,BackupPlanName]' --output \
         text\n\
         aws backup list-backup-selections --region {region} --backup-plan-id $PLAN"));
    if role.name() == DEFAULT_ROLE && role.path() == DEFAULT_PATH {
        steps.push(
            "AWS's default role is gone. The AWS Backup console makes it again when you assign resources and choose Default role."
                .to_owned(),
        );
    }
    if other.is_none() {
        steps.push(step("Or make the role that the job names", &create(case)));
    }
    steps.push(match other {
        Some(other) => case.start_again_as(
            "A backup that was made with a role that is gone can still be copied. Start the copy with the right role",
            &other,
        ),
        None => case.start_again_with("Once the role exists, start the copy again"),
    });
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(policy: &Value) -> String {
        shortcomings(policy).join(" ")
    }

    #[test]
    fn a_trust_policy_is_told_what_it_lacks() {
        let statement = |principal: Value, more: Value| {
            let mut statement =
                json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
            for (name, value) in more.as_object().unwrap() {
                statement[name] = value.clone();
            }
            json!({ "Statement": [statement] })
        };
        let backup = json!({ "Service": [SERVICE] });
        assert_eq!(
            says(&statement(
                json!({"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}),
                json!({})
            )),
            "It lets in `ec2.amazonaws.com` and `lambda.amazonaws.com`, but not backup.amazonaws.com."
        );
        assert_eq!(
            says(&statement(
                json!({"AWS": "arn:aws:iam::111122223333:root"}),
                json!({})
            )),
            "It names no service; it lacks backup.amazonaws.com."
        );
        for (more, expected) in [
            (json!({"Effect": "Deny"}), "statement 1 denies"),
            (
                json!({"Condition": {"StringEquals": {"aws:SourceAccount": "1"}}}),
                r#"`{"StringEquals":{"aws:SourceAccount":"1"}}`"#,
            ),
            (json!({"Action": "sts:TagSession"}), "another action"),
        ] {
            let said = says(&statement(backup.clone(), more));
            assert!(said.contains(expected), "{said}");
        }
        assert_eq!(says(&statement(backup.clone(), json!({}))), "");
        assert_eq!(completed(&statement(backup, json!({}))), None);
    }

    #[test]
    fn a_trust_policy_is_completed_and_otherwise_kept() {
        let one = json!({"Version": "2012-10-17", "Id": "x", "Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}});
        assert_eq!(
            completed(&one).unwrap(),
            r#"{"Version":"2012-10-17","Id":"x","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"},{"Effect":"Allow","Principal":{"Service":"backup.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#
        );
        assert_eq!(
            completed(&json!({"Statement": [{"Sid": "x".repeat(1_500)}]})),
            None
        );
        assert_eq!(
            completed(&json!({"Statement": [{"Sid": "\u{202e}"}]})),
            None
        );
        assert_eq!(completed(&json!({})), None);
    }
}
