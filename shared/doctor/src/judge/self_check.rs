//! What the function answered: the self check, and the test message.

use copymend_remediation::self_check::{Check, CheckState, SelfCheck};
use copymend_remediation::test_message::{TestMessageAnswer, TestMessageState};

use crate::deployed::Deployed;
use crate::facts::{Facts, Invoked};
use crate::finding::{Finding, Part};
use crate::kinds::{
    ACCOUNT_IN_ANOTHER_ORGANIZATION, ACCOUNT_NOT_READ, ACCOUNTS_LEFT, LEDGER_NOT_READ,
    MEMBER_ROLE_REFUSED, PAUSED, SELF_CHECK_FAILED, SERVICE_LINKED_ROLE_MISSING,
    TEST_MESSAGE_FAILED,
};

const ASSUME: &str = "sts:AssumeRole";

pub(super) fn judge(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut is_role_told = false;
    match &facts.self_check {
        Err(error) => findings.push(Finding::unknown(Part::SelfCheck, error)),
        Ok(invoked) => match answer_of::<SelfCheck>(invoked) {
            Err(why) => findings.push(Finding::of(
                &SELF_CHECK_FAILED,
                format!("The copy remediator did not answer the self check: {why}."),
            )),
            Ok(answer) => {
                findings.extend(of_answer(&facts.deployed, &answer));
                let own = Some(facts.deployed.account.as_str());
                is_role_told = answer
                    .checks
                    .iter()
                    .any(|check| check.account.as_deref() == own && check.call == "iam:GetRole");
            }
        },
    }
    if !is_role_told {
        findings.push(own_role(facts));
    }
    findings.extend(facts.test_message.as_ref().map(|sent| match sent {
        Err(error) => Finding::unknown(Part::TestMessage, error),
        Ok(invoked) => test_message(invoked),
    }));
    findings
}

/// The answer; why there is none, where the function failed or is of another version.
fn answer_of<T: serde::de::DeserializeOwned>(invoked: &Invoked) -> Result<T, String> {
    if invoked.is_failed {
        let text = |name: &str| invoked.answer.get(name).and_then(serde_json::Value::as_str);
        let kind = text("errorType").unwrap_or("an error without a type");
        let message = text("errorMessage").unwrap_or("no message");
        return Err(format!("{kind}: {}", message.trim_end_matches('.')));
    }
    T::deserialize(&invoked.answer)
        .map_err(|error| format!("its answer is of another form: {error}"))
}

fn own_role(facts: &Facts) -> Finding {
    let account = facts.deployed.account;
    match &facts.service_linked_role {
        Ok(true) => Finding::fine(
            Part::ServiceLinkedRoles,
            format!("Account {account} has AWS Backup's service-linked role."),
        ),
        Ok(false) => Finding::of(
            &SERVICE_LINKED_ROLE_MISSING,
            format!("Account {account} has no AWSServiceRoleForBackup."),
        ),
        Err(error) => Finding::unknown(Part::ServiceLinkedRoles, error),
    }
}

fn of_answer(deployed: &Deployed, answer: &SelfCheck) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.push(if let Some(pause) = &answer.pause {
        let until = pause.until.map_or_else(
            || "until it is resumed".to_owned(),
            |until| format!("until {until}"),
        );
        let reason = pause.reason.trim_end_matches('.');
        Finding::of(&PAUSED, format!("Copymend is paused {until}: {reason}."))
    } else {
        let caller = answer.caller.as_deref().unwrap_or("an unknown role");
        Finding::fine(
            Part::SelfCheck,
            format!("The function answers as {caller}."),
        )
    });
    findings.extend(answer.checks.iter().map(|check| of_check(deployed, check)));
    if !answer.left.is_empty() {
        let left = answer.left.join(", ");
        findings.push(Finding::of(
            &ACCOUNTS_LEFT,
            format!("The function's time was up before accounts {left}."),
        ));
    }
    findings
}

fn of_check(deployed: &Deployed, check: &Check) -> Finding {
    let account = check.account.as_deref().unwrap_or_default();
    let said = check.detail.trim_end_matches('.');
    let (call, resource) = (&check.call, &check.resource);
    let failed = |part| not_told(part, check);
    match (check.account.is_some(), check.call.as_str(), check.state) {
        (false, "dynamodb:GetItem", CheckState::Fine) => {
            Finding::fine(Part::Ledger, "The function reads its ledger.".to_owned())
        }
        (false, "dynamodb:GetItem", _) => Finding::of(
            &LEDGER_NOT_READ,
            format!("The function cannot read its ledger {resource}: {said}."),
        ),
        (false, _, _) => failed(Part::SelfCheck),
        (true, ASSUME, CheckState::Denied) => Finding::of(
            &MEMBER_ROLE_REFUSED,
            format!("The function may not assume {resource}: {said}."),
        ),
        (true, "backup:DescribeCopyJob", CheckState::Fine) => {
            Finding::fine(Part::MemberRoles, format!("In account {account} {said}."))
        }
        (true, "backup:DescribeCopyJob", CheckState::Denied) => Finding::of(
            &ACCOUNT_NOT_READ,
            format!("The function may not call {call} in account {account}: {said}."),
        ),
        (true, "iam:GetRole", CheckState::Fine) => Finding::fine(
            Part::ServiceLinkedRoles,
            format!("Account {account} has AWS Backup's service-linked role."),
        ),
        (true, "iam:GetRole", CheckState::Absent) => Finding::of(
            &SERVICE_LINKED_ROLE_MISSING,
            format!("Account {account} has no {resource}."),
        ),
        (true, "iam:GetRole", _) => failed(Part::ServiceLinkedRoles),
        (true, "organizations:DescribeOrganization", CheckState::Fine | CheckState::Absent) => {
            organization(deployed, account, check)
        }
        (true, _, _) => failed(Part::MemberRoles),
    }
}

fn organization(deployed: &Deployed, account: &str, check: &Check) -> Finding {
    let is_in = match check.state {
        CheckState::Fine => check.detail.as_str(),
        CheckState::Absent | CheckState::Denied | CheckState::Failed => "",
    };
    let told = match is_in {
        "" => "no organization".to_owned(),
        id => format!("organization {id}"),
    };
    // Without a setting of one, any will do.
    match deployed.organization() {
        asked if !asked.is_empty() && asked != is_in => Finding::of(
            &ACCOUNT_IN_ANOTHER_ORGANIZATION,
            format!("Account {account} is in {told}, and the settings name {asked}."),
        ),
        _ => Finding::fine(
            Part::MemberRoles,
            format!("Account {account} is in {told}."),
        ),
    }
}

/// A call of the function that failed, so that nobody knows.
fn not_told(part: Part, check: &Check) -> Finding {
    let said = check.detail.trim_end_matches('.');
    let Check { call, resource, .. } = check;
    let place = match &check.account {
        Some(account) => format!(" in account {account}"),
        None => String::new(),
    };
    Finding::unknown_to_function(
        part,
        format!(
            "This can't be told: the function's call {call} on {resource}{place} failed: {said}."
        ),
    )
}

fn test_message(invoked: &Invoked) -> Finding {
    let sent = answer_of::<TestMessageAnswer>(invoked);
    let fine = |found: &str| Finding::fine(Part::TestMessage, found);
    match sent.map(|answer| answer.test_message) {
        Ok(TestMessageState::Sent) => {
            fine("A test message was sent: ask a reader of the topic whether it came.")
        }
        Ok(TestMessageState::SentBefore) => {
            fine("A test message was sent on this day before: one a day is enough.")
        }
        Ok(TestMessageState::NoTopic) => Finding::of(
            &TEST_MESSAGE_FAILED,
            "The function has no topic to send a test message to.",
        ),
        Err(why) => Finding::of(
            &TEST_MESSAGE_FAILED,
            format!("The test message was not sent: {why}."),
        ),
    }
}
