//! Settings that contradict each other.

use std::collections::BTreeSet;

use copymend_policy::AccountId;
use copymend_remediation::settings::Settings;

use super::or_fine;
use crate::deployed::Deployed;
use crate::finding::{Finding, Part};
use crate::kinds::{
    ACCOUNTS_WITHOUT_MEMBER_ROLE, ADVISOR_ROLE_WITHOUT_ADVISOR, ADVISOR_WITHOUT_MEMBER_ROLE,
    APPROVE_WITHOUT_APPROVERS, CALLS_GO_ELSEWHERE, FULLY_MANAGED_KEYS_UNLISTED, Kind,
    LIST_ADMITS_EVERYTHING, MEMBER_ROLE_WITHOUT_EXTERNAL_ID, MEMBERS_UNCHECKED, NO_RETRIES,
    NO_WRITES, PATHS_UNUSED, REPAIR_OF_NOTHING_OLD, REPAIR_WITHOUT_LISTS, REPAIR_WITHOUT_SOURCES,
    SCOPE_WITHOUT_PATHS, SCOPE_WITHOUT_READER, SERVICE_LINKED_ROLE_NOT_MADE,
    SWEEP_WITHOUT_SCHEDULE,
};

pub(super) fn judge(deployed: &Deployed) -> Vec<Finding> {
    let is_zero = |name: &str| deployed.parameter(name) == "0";
    let lists = deployed.has("AllowedDestinations") || deployed.has("AllowedKeys");
    let repairs = deployed.repairs();
    let is_of_units = deployed.parameter("VaultScope") == "organizational-unit";
    let no_writes = is_zero("WriteBudget") || is_zero("SourceWriteBudget");
    let no_retries = is_zero("RetryBudget") || is_zero("SourceRetryBudget");
    let members = deployed.has("MemberRole") || deployed.has("AdvisorMemberRole");
    let sweeps = deployed.has("SweepRegions") || deployed.has("SweepAccounts");
    let fully_managed = deployed.is_on("AllowFullyManagedKeys");
    let contradictions: [(bool, &Kind); 16] = [
        (
            deployed.asks() && !deployed.has("Approvers"),
            &APPROVE_WITHOUT_APPROVERS,
        ),
        (
            repairs && !deployed.has("AllowedSources"),
            &REPAIR_WITHOUT_SOURCES,
        ),
        (repairs && !lists, &REPAIR_WITHOUT_LISTS),
        (repairs && is_zero("MaxAgeHours"), &REPAIR_OF_NOTHING_OLD),
        (repairs && lists && no_writes, &NO_WRITES),
        (repairs && no_retries, &NO_RETRIES),
        (
            is_of_units && !deployed.has("OrganizationPaths"),
            &SCOPE_WITHOUT_PATHS,
        ),
        (
            is_of_units && !deployed.has("OrganizationReader"),
            &SCOPE_WITHOUT_READER,
        ),
        (
            !is_of_units && deployed.has("OrganizationPaths"),
            &PATHS_UNUSED,
        ),
        (
            members && !deployed.has("ExternalId"),
            &MEMBER_ROLE_WITHOUT_EXTERNAL_ID,
        ),
        (
            deployed.has("AdvisorMemberRole") && !deployed.has_advisor(),
            &ADVISOR_ROLE_WITHOUT_ADVISOR,
        ),
        (
            deployed.has("MemberRole")
                && deployed.has_advisor()
                && !deployed.has("AdvisorMemberRole"),
            &ADVISOR_WITHOUT_MEMBER_ROLE,
        ),
        (
            fully_managed && !(repairs && deployed.has("AllowedKeys")),
            &FULLY_MANAGED_KEYS_UNLISTED,
        ),
        (
            deployed.is_on("CreateServiceLinkedRole") && !repairs,
            &SERVICE_LINKED_ROLE_NOT_MADE,
        ),
        (
            sweeps && !deployed.has("SweepSchedule"),
            &SWEEP_WITHOUT_SCHEDULE,
        ),
        (deployed.has("EndpointUrl"), &CALLS_GO_ELSEWHERE),
    ];
    let mut findings: Vec<Finding> = contradictions
        .into_iter()
        .filter(|(holds, _)| *holds)
        .map(|(_, kind)| Finding::of(kind, sentence(kind.meaning)))
        .collect();
    let (of_members, of_lists): (Vec<Finding>, Vec<Finding>) = match settings_of(deployed) {
        Ok(settings) => of_lists(deployed, &settings)
            .into_iter()
            .partition(|finding| finding.part == Part::MemberRoles),
        Err(_) => (Vec::new(), Vec::new()),
    };
    findings.extend(of_lists);
    let mut findings = or_fine(Part::Settings, findings, || {
        "No setting contradicts another.".to_owned()
    });
    findings.extend(of_members);
    findings
}

/// The lists, as the function reads them. What is invalid is a finding of the function.
fn settings_of(deployed: &Deployed) -> Result<Settings, impl std::error::Error> {
    Settings::read(|name| {
        let parameter = match name {
            "COPYMEND_ALLOWED_DESTINATIONS" => "AllowedDestinations",
            "COPYMEND_ALLOWED_KEYS" => "AllowedKeys",
            "COPYMEND_ALLOWED_SOURCES" => "AllowedSources",
            "COPYMEND_APPROVERS" => "Approvers",
            "COPYMEND_ORGANIZATION_READER" => "OrganizationReader",
            _ => return None,
        };
        Some(deployed.parameter(parameter).to_owned())
    })
}

fn of_lists(deployed: &Deployed, settings: &Settings) -> Vec<Finding> {
    let open = settings.lists_that_admit_everything().into_iter();
    let mut findings: Vec<Finding> = open
        .map(|list| {
            Finding::of(
                &LIST_ADMITS_EVERYTHING,
                format!("{list} admits everything."),
            )
        })
        .collect();
    let swept = deployed.list("SweepAccounts").into_iter();
    let named: BTreeSet<AccountId> = settings
        .named_accounts()
        .into_iter()
        .chain(swept.filter_map(|account| account.parse().ok()))
        .filter(|account| *account != deployed.account)
        .collect();
    if !named.is_empty() && !deployed.has("MemberRole") {
        let accounts: Vec<String> = named.iter().map(ToString::to_string).collect();
        findings.push(Finding::of(
            &ACCOUNTS_WITHOUT_MEMBER_ROLE,
            format!(
                "The settings name accounts that are not the stack's own ({}), and MemberRole is empty.",
                accounts.join(", ")
            ),
        ));
    }
    if named.is_empty() && deployed.has("MemberRole") && !deployed.has("SweepAccounts") {
        findings.push(Finding::of(
            &MEMBERS_UNCHECKED,
            "The lists name accounts by patterns or not at all, and SweepAccounts is empty: no member role was checked.",
        ));
    }
    findings
}

/// A meaning of the list as a sentence.
fn sentence(meaning: &str) -> String {
    let mut letters = meaning.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}
