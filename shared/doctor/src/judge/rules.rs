//! The rules, whether they may invoke, and the hub's bus.

use super::{or_fine, present};
use crate::deployed::Deployed;
use crate::facts::{Bus, Facts, Found, RuleFacts, Target};
use crate::finding::{Finding, Part};
use crate::kinds::{
    BUS_CLOSED, BUS_MISSING, BUS_OPEN, REPORT_BUS_MISSING, RULE_DISABLED, RULE_KEEPS_NOTHING,
    RULE_MATCHES_OTHERS, RULE_MAY_NOT_INVOKE, RULE_MISSES_READS, RULE_MISSING,
    RULE_SENDS_ELSEWHERE,
};
use crate::patterns;
use crate::policies::{Asked, Forwarder, allows, may_forward};

/// The role of member.yaml that forwards.
const FORWARDING_ROLE: &str = "CopymendForward";
const ALL_CALLS: &str = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS";
/// The rules of refused calls: reads are refused, too.
const OF_REFUSED_CALLS: [&str; 2] = ["CallRefusedRule", "HubCallRefusedRule"];

pub(super) fn judge(facts: &Facts) -> Vec<Finding> {
    let rules = facts.rules.iter().flat_map(|rule| {
        let name = &rule.rule.logical;
        or_fine(Part::Rules, of_rule(facts, rule), || {
            format!("{name} is on, and sends to what the stack made for it.")
        })
    });
    rules.chain(buses(facts)).collect()
}

fn of_rule(facts: &Facts, of: &RuleFacts) -> Vec<Finding> {
    let rule = match present(&of.rule, Part::Rules, &RULE_MISSING) {
        Ok(rule) => rule,
        Err(finding) => return vec![finding],
    };
    let name = &of.rule.logical;
    let mut findings = Vec::new();
    if !rule.state.starts_with("ENABLED") {
        findings.push(Finding::of(
            &RULE_DISABLED,
            format!("{name} ({}) is {}.", of.rule.id, rule.state),
        ));
    } else if OF_REFUSED_CALLS.contains(&name.as_str()) && rule.state != ALL_CALLS {
        findings.push(Finding::of(
            &RULE_MISSES_READS,
            format!("{name} is {}.", rule.state),
        ));
    }
    if let Some(differs) = patterns::differs(&facts.deployed, name, rule) {
        findings.push(Finding::of(&RULE_MATCHES_OTHERS, differs));
    }
    match &of.targets {
        Err(error) => findings.push(Finding::unknown(Part::Rules, error)),
        Ok(targets) => {
            let own = own_targets(&facts.deployed);
            let sent: Vec<&Target> = targets
                .iter()
                .filter(|target| own.iter().any(|(_, arn)| *arn == target.arn))
                .collect();
            if sent.is_empty() {
                let to: Vec<&str> = targets.iter().map(|target| target.arn.as_str()).collect();
                let to = if to.is_empty() {
                    "nowhere".to_owned()
                } else {
                    format!("to {} alone", to.join(", "))
                };
                findings.push(Finding::of(
                    &RULE_SENDS_ELSEWHERE,
                    format!("{name} sends {to}."),
                ));
            }
            for target in sent {
                if target.dead_letters.is_none() {
                    findings.push(Finding::of(
                        &RULE_KEEPS_NOTHING,
                        format!(
                            "The target {} of {name} has no dead-letter queue.",
                            target.arn
                        ),
                    ));
                }
                findings.extend(may_not_invoke(facts, name, &rule.arn, target));
            }
        }
    }
    findings
}

/// What the stack's rules send to: its functions and its topics, each by its name in the template.
fn own_targets(deployed: &Deployed) -> Vec<(&str, String)> {
    let functions = ["CopyRemediator", "AccessAdvisor"]
        .into_iter()
        .filter_map(|name| Some((name, deployed.function_arn(name)?)));
    let topics = deployed
        .of_kind("AWS::SNS::Topic")
        .map(|topic| (topic.logical.as_str(), topic.id.clone()));
    functions.chain(topics).collect()
}

fn may_not_invoke(facts: &Facts, name: &str, rule: &str, target: &Target) -> Option<Finding> {
    let deployed = &facts.deployed;
    let mut functions = facts.functions.iter();
    // A topic's policy is judged by nobody here: what it refuses is in the queue of dead letters.
    let function = functions.find(|function| {
        deployed.function_arn(&function.function.logical).as_deref() == Some(&target.arn)
    })?;
    let policy: &Found<String> = &function.policy;
    let asked = Asked {
        action: "lambda:InvokeFunction",
        resource: &target.arn,
        service: "events.amazonaws.com",
        source: rule,
    };
    match policy {
        Err(error) => Some(Finding::unknown(Part::Rules, error)),
        Ok(policy)
            if policy
                .as_deref()
                .is_some_and(|policy| allows(policy, &asked)) =>
        {
            None
        }
        Ok(_) => Some(Finding::of(
            &RULE_MAY_NOT_INVOKE,
            format!(
                "{} does not let {name} ({rule}) invoke it.",
                function.function.logical
            ),
        )),
    }
}

fn buses(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    for named in &facts.buses {
        let found = match present(named, Part::Bus, &BUS_MISSING) {
            Ok(bus) => bus_policy(&facts.deployed, &named.id, bus),
            Err(finding) => finding,
        };
        findings.push(found);
    }
    if let Some(named) = &facts.report_bus {
        let found = match present(named, Part::Bus, &REPORT_BUS_MISSING) {
            Ok(()) => Finding::fine(
                Part::Bus,
                format!(
                    "The bus {} is there: each report is an event on it.",
                    named.id
                ),
            ),
            Err(finding) => finding,
        };
        findings.push(found);
    }
    or_fine(Part::Bus, findings, || {
        "This stack is no hub: it has no bus of its own.".to_owned()
    })
}

/// The bus takes events of AWS Backup from the forwarding roles of one organization, and from nobody
/// else.
fn bus_policy(deployed: &Deployed, name: &str, bus: &Bus) -> Finding {
    let organization = deployed.parameter("HubOrganizationId");
    let bus_arn = deployed.arn("events", &format!("event-bus/{name}"));
    let policy = bus.policy.as_deref();
    let takes = |of: &Forwarder<'_>| policy.is_some_and(|policy| may_forward(policy, of));
    let role = deployed.role(FORWARDING_ROLE);
    let own = Forwarder {
        bus: &bus_arn,
        organization,
        partition: &deployed.partition,
        role: &role,
        source: "aws.backup",
    };
    let others = [
        Forwarder {
            organization: "o-anotherorganization",
            ..own
        },
        Forwarder {
            role: "somebody",
            ..own
        },
        Forwarder {
            source: "somebody",
            ..own
        },
    ];
    if others.iter().any(takes) {
        let found = format!(
            "The bus {name} takes events that are not AWS Backup's, or not from the forwarding roles of organization {organization}."
        );
        Finding::of(&BUS_OPEN, found)
    } else if takes(&own) {
        let found = format!("The bus {name} takes events from organization {organization} alone.");
        Finding::fine(Part::Bus, found)
    } else {
        let found = format!("The bus {name} takes no events from organization {organization}.");
        Finding::of(&BUS_CLOSED, found)
    }
}
