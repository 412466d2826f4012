//! The alarms: whether they are there, and can reach people.

use super::{or_fine, present};
use crate::deployed::Deployed;
use crate::facts::{Alarm, Facts, Named};
use crate::finding::{Finding, Part};
use crate::kinds::{ALARM_MISSING, ALARM_OFF, ALARM_RAISED, ALARM_SENDS_ELSEWHERE, ALARMS_REFUSED};
use crate::policies::{Asked, allows};

/// The topic that alarms go to.
const TOPIC: &str = "AlarmTopic";

pub(super) fn judge(facts: &Facts) -> Vec<Finding> {
    let deployed = &facts.deployed;
    let mut findings: Vec<Finding> = Vec::new();
    for alarm in &facts.alarms {
        for finding in of_alarm(deployed, alarm) {
            // One refused call is like another: all alarms are asked for at once.
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
    }
    findings.extend(refused(facts));
    or_fine(Part::Alarms, findings, || {
        let number = facts.alarms.len();
        format!("Each of the {number} alarms is there, is quiet, and sends to {TOPIC}.")
    })
}

fn of_alarm(deployed: &Deployed, named: &Named<Alarm>) -> Vec<Finding> {
    let alarm = match present(named, Part::Alarms, &ALARM_MISSING) {
        Ok(alarm) => alarm,
        Err(finding) => return vec![finding],
    };
    let Named { logical, id, .. } = named;
    let mut findings = Vec::new();
    if !alarm.is_switched_on {
        let found = format!("The actions of {logical} ({id}) are switched off.");
        findings.push(Finding::of(&ALARM_OFF, found));
    }
    let sends = deployed
        .id(TOPIC)
        .is_some_and(|topic| alarm.sends_to.iter().any(|to| to == topic));
    if !sends {
        let to = match alarm.sends_to.as_slice() {
            [] => "nowhere".to_owned(),
            others => format!("to {} alone", others.join(", ")),
        };
        let found = format!("{logical} ({id}) sends {to}.");
        findings.push(Finding::of(&ALARM_SENDS_ELSEWHERE, found));
    }
    if alarm.state == "ALARM" {
        let found = format!("{logical} ({id}) is raised.");
        findings.push(Finding::of(&ALARM_RAISED, found));
    }
    findings
}

/// Whether the topic takes what an alarm of this stack publishes. What its key admits can't be seen.
fn refused(facts: &Facts) -> Option<Finding> {
    let topic = facts.deployed.id(TOPIC)?;
    let alarm = facts
        .alarms
        .first()
        .map_or("example", |alarm| alarm.id.as_str());
    let asked = Asked {
        action: "sns:Publish",
        resource: topic,
        service: "cloudwatch.amazonaws.com",
        source: &facts.deployed.arn("cloudwatch", &format!("alarm:{alarm}")),
    };
    match facts.alarm_topic.as_ref()? {
        Err(error) => Some(Finding::unknown(Part::Alarms, error)),
        // A topic that is gone is a finding of the subscriptions.
        Ok(None) => None,
        Ok(Some(policy)) if allows(policy, &asked) => None,
        Ok(Some(_)) => Some(Finding::of(
            &ALARMS_REFUSED,
            format!("The policy of {topic} does not let Amazon CloudWatch publish."),
        )),
    }
}
