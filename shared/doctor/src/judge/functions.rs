//! The functions, their settings and their concurrency.

use copymend_remediation::advisor::AdvisorSettings;
use copymend_remediation::settings::{Settings, refuse_unknown};

use super::{or_fine, present};
use crate::deployed::Deployed;
use crate::facts::{Facts, Function, FunctionFacts, Named};
use crate::finding::{Finding, Part};
use crate::kinds::{
    DELAYED_RETRIES_TAKE_ALL, ENVIRONMENT_NEARLY_FULL, FAILURES_LOST, FUNCTION_MISSING,
    FUNCTION_NOT_ACTIVE, FUNCTION_STOPPED, LOG_GROUP_MISSING, SETTING_CHANGED_BY_HAND,
    SETTING_INVALID,
};

/// AWS Lambda takes 4 KB of names and values (Lambda quotas, documented).
const LARGEST_ENVIRONMENT: usize = 4_096;
/// From so much on, people are told.
const LARGE_ENVIRONMENT: usize = 3_686;

/// The settings of the copy remediator that are a parameter each.
const PARAMETERS: [(&str, &str); 31] = [
    ("AllowFullyManagedKeys", "COPYMEND_ALLOW_FULLY_MANAGED_KEYS"),
    ("AllowOnDemand", "COPYMEND_ALLOW_ON_DEMAND"),
    ("AllowedDestinations", "COPYMEND_ALLOWED_DESTINATIONS"),
    ("AllowedKeys", "COPYMEND_ALLOWED_KEYS"),
    ("AllowedSources", "COPYMEND_ALLOWED_SOURCES"),
    ("CopyAgeObjective", "COPYMEND_COPY_AGE_OBJECTIVE"),
    (
        "CreateServiceLinkedRole",
        "COPYMEND_CREATE_SERVICE_LINKED_ROLE",
    ),
    ("ExternalId", "COPYMEND_EXTERNAL_ID"),
    ("KeyProfile", "COPYMEND_KEY_PROFILE"),
    ("LogLevel", "COPYMEND_LOG_LEVEL"),
    ("MaxAgeHours", "COPYMEND_MAX_AGE_HOURS"),
    ("MemberRole", "COPYMEND_MEMBER_ROLE"),
    ("Approvers", "COPYMEND_APPROVERS"),
    ("ApprovalHours", "COPYMEND_APPROVAL_HOURS"),
    ("Mode", "COPYMEND_MODE"),
    ("OrganizationId", "COPYMEND_ORGANIZATION_ID"),
    ("OrganizationPaths", "COPYMEND_ORGANIZATION_PATHS"),
    ("OrganizationReader", "COPYMEND_ORGANIZATION_READER"),
    ("ReadImages", "COPYMEND_READ_IMAGES"),
    ("ReadTags", "COPYMEND_READ_TAGS"),
    ("RetryBudget", "COPYMEND_RETRY_BUDGET"),
    ("RetryMaxBytes", "COPYMEND_RETRY_MAX_BYTES"),
    ("SourceMessageBudget", "COPYMEND_SOURCE_MESSAGE_BUDGET"),
    ("SourceRetryBudget", "COPYMEND_SOURCE_RETRY_BUDGET"),
    ("SourceWriteBudget", "COPYMEND_SOURCE_WRITE_BUDGET"),
    ("VaultScope", "COPYMEND_VAULT_SCOPE"),
    ("WriteBudget", "COPYMEND_WRITE_BUDGET"),
    ("EndpointUrl", "AWS_ENDPOINT_URL"),
    ("Topic", "COPYMEND_TOPIC_ARN"),
    ("ChatTopic", "COPYMEND_CHAT_TOPIC_ARN"),
    ("ReportBus", "COPYMEND_REPORT_BUS"),
];
/// Those of the access advisor.
const ADVISORS_PARAMETERS: [(&str, &str); 7] = [
    ("AdvisorMemberRole", "COPYMEND_MEMBER_ROLE"),
    ("ExternalId", "COPYMEND_EXTERNAL_ID"),
    ("LogLevel", "COPYMEND_LOG_LEVEL"),
    ("EndpointUrl", "AWS_ENDPOINT_URL"),
    ("Topic", "COPYMEND_TOPIC_ARN"),
    ("ChatTopic", "COPYMEND_CHAT_TOPIC_ARN"),
    ("ReportBus", "COPYMEND_REPORT_BUS"),
];
const REMEDIATOR: &str = "CopyRemediator";

pub(super) fn judge(facts: &Facts) -> Vec<Finding> {
    let deployed = &facts.deployed;
    let functions = facts.functions.iter();
    let log_groups = facts.log_groups.iter().filter_map(log_group);
    functions
        .flat_map(|facts| {
            let name = &facts.function.logical;
            let state = or_fine(Part::Functions, state(deployed, facts), || {
                format!("{name} is active, with the settings of the stack.")
            });
            let concurrency = concurrency(deployed, facts);
            state.into_iter().chain(concurrency)
        })
        .chain(log_groups)
        .collect()
}

fn state(deployed: &Deployed, facts: &FunctionFacts) -> Vec<Finding> {
    let function = match present(&facts.function, Part::Functions, &FUNCTION_MISSING) {
        Ok(function) => function,
        Err(finding) => return vec![finding],
    };
    let name = &facts.function.logical;
    let mut findings = Vec::new();
    // AWS Lambda lets a function rest that wasn't called for weeks; the next call wakes it (Lambda
    // developer guide, "Lambda function states", documented).
    let is_ready = matches!(function.state.as_str(), "Active" | "Inactive");
    if !is_ready || function.last_update == "Failed" {
        let Function {
            state, last_update, ..
        } = function;
        let reason = function.reason.as_deref().unwrap_or("AWS names no reason");
        findings.push(Finding::of(
            &FUNCTION_NOT_ACTIVE,
            format!("{name} is {state}, its last update {last_update}: {reason}."),
        ));
    }
    findings.extend(lost_failures(deployed, facts));
    findings.extend(invalid(name, function));
    findings.extend(changed_by_hand(deployed, name, function));
    let size: usize = function
        .environment
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum();
    if size >= LARGE_ENVIRONMENT {
        findings.push(Finding::of(
            &ENVIRONMENT_NEARLY_FULL,
            format!("The settings of {name} take {size} of {LARGEST_ENVIRONMENT} bytes."),
        ));
    }
    findings
}

/// Where a function's failures belong, by its name in the template.
fn lost_failures(deployed: &Deployed, facts: &FunctionFacts) -> Option<Finding> {
    let name = &facts.function.logical;
    let of_stack = if name == REMEDIATOR {
        deployed.queue_arn("DeadLetters")
    } else {
        deployed.id("AdvisorFailures").map(ToOwned::to_owned)
    };
    match &facts.on_failure {
        Err(error) => Some(Finding::unknown(Part::Functions, error)),
        Ok(is) if *is == of_stack => None,
        Ok(is) => {
            let to = is.as_deref().unwrap_or("nowhere");
            let found = format!("What {name} fails on goes to {to}.");
            Some(Finding::of(&FAILURES_LOST, found))
        }
    }
}

fn log_group(named: &Named<()>) -> Option<Finding> {
    present(named, Part::Functions, &LOG_GROUP_MISSING).err()
}

/// What would stop the function's start.
fn invalid(name: &str, function: &Function) -> Option<Finding> {
    let environment = &function.environment;
    let read = |name: &str| environment.get(name).cloned();
    let names = environment.keys().cloned();
    let refused = match refuse_unknown(names) {
        Err(unknown) => Some(unknown.to_string()),
        Ok(()) if name == REMEDIATOR => Settings::read(read).err().map(|error| error.to_string()),
        Ok(()) => AdvisorSettings::read(read)
            .err()
            .map(|error| error.to_string()),
    };
    refused.map(|why| Finding::of(&SETTING_INVALID, format!("{name} cannot start: {why}.")))
}

fn changed_by_hand(deployed: &Deployed, name: &str, function: &Function) -> Vec<Finding> {
    let parameters: &[(&str, &str)] = if name == REMEDIATOR {
        &PARAMETERS
    } else {
        &ADVISORS_PARAMETERS
    };
    let differs = parameters.iter().filter_map(|(parameter, variable)| {
        // What isn't a parameter is a resource of the stack.
        let of_stack = match deployed.id(parameter) {
            Some(id) => id.to_owned(),
            // A version of the stack that has no such parameter has no such setting either.
            None if !deployed.parameters.contains_key(*parameter) => return None,
            None => deployed.list(parameter).join(","),
        };
        let variable_is = function.environment.get(*variable).map_or("", String::as_str);
        let variable_is: Vec<&str> = variable_is.split(',').map(str::trim).collect();
        let variable_is = variable_is.join(",");
        (variable_is != of_stack).then(|| {
            Finding::of(
                &SETTING_CHANGED_BY_HAND,
                format!(
                    "{variable} of {name} is `{variable_is}`, and {parameter} of the stack is `{of_stack}`."
                ),
            )
        })
    });
    differs.collect()
}

fn concurrency(deployed: &Deployed, facts: &FunctionFacts) -> Vec<Finding> {
    let name = &facts.function.logical;
    let reserved = match &facts.reserved {
        Ok(reserved) => *reserved,
        Err(error) => return vec![Finding::unknown(Part::Concurrency, error)],
    };
    let mut findings = Vec::new();
    if reserved == Some(0) {
        findings.push(Finding::of(
            &FUNCTION_STOPPED,
            format!("The reserved concurrency of {name} is 0."),
        ));
    }
    if name == REMEDIATOR {
        let of_stack = deployed.parameter("ReservedConcurrency");
        let is = reserved.map_or_else(String::new, |number| number.to_string());
        if is != of_stack {
            let told = |text: &str| match text {
                "" => "none".to_owned(),
                number => number.to_owned(),
            };
            findings.push(Finding::of(
                &SETTING_CHANGED_BY_HAND,
                format!(
                    "The reserved concurrency of {name} is {}, and ReservedConcurrency of the stack is {}.",
                    told(&is),
                    told(of_stack)
                ),
            ));
        }
        let delayed: Option<u32> = deployed.parameter("DelayedRetriesConcurrency").parse().ok();
        if let (Some(delayed), Some(reserved)) = (delayed, reserved)
            && delayed >= reserved
            && reserved > 0
        {
            findings.push(Finding::of(
                &DELAYED_RETRIES_TAKE_ALL,
                format!(
                    "DelayedRetriesConcurrency is {delayed}, and {reserved} are reserved for {name}."
                ),
            ));
        }
    }
    or_fine(Part::Concurrency, findings, || match reserved {
        Some(number) => format!("{number} are reserved for {name}."),
        None => format!("None is reserved for {name}: it shares the account's."),
    })
}
