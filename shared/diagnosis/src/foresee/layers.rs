//! The layers over the job role and its keys, held against the policies themselves.

use std::collections::BTreeMap;

use copymend_policy::{Layer, Verdict as PolicyVerdict};

use crate::access::{KeyCallAnswer, job_role_at_key, under_service_control};
use crate::assess::{Finding, Verdict, not_checkable, unreadable};
use crate::causes::{
    Cause, keys_in_opt_in_regions, keys_of_job_role, may_be_under_service_control, uses_open_key,
};
use crate::fact::Fact;
use crate::facts::Facts;
use crate::guardrails::Guardrails;
use crate::job::BackupCopy;

/// What the layers say, by the cause that they bring about.
pub(super) struct Layers {
    at_keys: BTreeMap<Cause, Finding>,
    service_control: Option<Finding>,
    region: Option<Finding>,
}

const NOT_KNOWN_WHICH: &str = "the job role uses a key, and which one isn't known";

impl Layers {
    pub(super) fn of(copy: &BackupCopy, facts: &Facts, guardrails: &Guardrails) -> Self {
        Self {
            at_keys: at_keys(copy, facts, guardrails),
            service_control: service_control(copy, facts, guardrails),
            region: region(copy, facts, guardrails),
        }
    }

    /// What the facts say of a cause, with what the layers say of it.
    pub(super) fn weigh(&self, cause: Cause, finding: Finding) -> Finding {
        let at_keys = self.at_keys.get(&cause).cloned();
        let found = if cause == Cause::ResourceControlPolicy {
            Some((Verdict::RuledOut, Vec::new()))
        } else if cause == Cause::ServiceControlPolicy {
            self.service_control.clone()
        } else if cause == Cause::RegionOptIn {
            self.region.clone()
        } else {
            None
        };
        let finding = found.unwrap_or(finding);
        match at_keys {
            Some(at_keys) => worse(finding, at_keys),
            None => finding,
        }
    }
}

fn worse(one: Finding, other: Finding) -> Finding {
    let weight = |finding: &Finding| match finding.0 {
        Verdict::Confirmed => 2_u8,
        Verdict::NotCheckable => 1,
        Verdict::RuledOut => 0,
    };
    match weight(&one).cmp(&weight(&other)) {
        std::cmp::Ordering::Less => other,
        std::cmp::Ordering::Greater => one,
        std::cmp::Ordering::Equal => {
            let (verdict, mut evidence) = one;
            evidence.extend(other.1);
            evidence.dedup();
            (verdict, evidence)
        }
    }
}

/// The causes that layers over the job role bring about.
const CAUSES: [(Layer, Cause, &str); 4] = [
    (
        Layer::Identity,
        Cause::JobRolePermission,
        "the job role's policies",
    ),
    (
        Layer::Boundary,
        Cause::PermissionsBoundary,
        "the permissions boundary",
    ),
    (
        Layer::Scp,
        Cause::ServiceControlPolicy,
        "the service control policies",
    ),
    (
        Layer::Rcp,
        Cause::ResourceControlPolicy,
        "the resource control policies",
    ),
];

fn at_keys(copy: &BackupCopy, facts: &Facts, guardrails: &Guardrails) -> BTreeMap<Cause, Finding> {
    let mut found: BTreeMap<Cause, Finding> = BTreeMap::new();
    let mut add = |cause: Cause, finding: Finding| {
        let before = found.remove(&cause);
        let finding = match before {
            Some(before) => worse(before, finding),
            None => finding,
        };
        found.insert(cause, finding);
    };
    if uses_open_key(copy, facts) {
        for (_, cause, _) in CAUSES {
            add(cause, not_checkable(NOT_KNOWN_WHICH));
        }
    }
    for key in keys_of_job_role(copy, facts) {
        for call in job_role_at_key(key, guardrails, copy, facts) {
            for (layer, cause, name) in CAUSES {
                if let Some(finding) = one_call(&call, layer, name, key.arn.as_str(), guardrails) {
                    add(cause, finding);
                }
            }
        }
    }
    found
}

/// What a layer says of one call; nothing where it lets it pass.
fn one_call(
    call: &KeyCallAnswer,
    layer: Layer,
    name: &str,
    key: &str,
    guardrails: &Guardrails,
) -> Option<Finding> {
    if call.unread.contains(&layer) {
        let why = match layer {
            Layer::Identity | Layer::Boundary => guardrails
                .job_role_policies
                .as_ref()
                .and_then(Fact::unknown),
            Layer::Scp => guardrails.service_control.as_ref().and_then(Fact::unknown),
            Layer::Rcp => guardrails.resource_control.values().find_map(Fact::unknown),
            Layer::Session | Layer::Resource => None,
        };
        return Some(match why {
            Some(why) => unreadable(why),
            None => not_checkable(format!("{name} were not read")),
        });
    }
    let is_in_the_way = |answer: &&copymend_policy::Answer| answer.blocked_by.contains(&layer);
    let in_the_way = call.answers.iter().filter(is_in_the_way);
    let all = call.answers.len();
    let mut refused = 0_usize;
    let mut keys: Vec<String> = Vec::new();
    let mut any = false;
    for answer in in_the_way {
        any = true;
        match &answer.decision {
            PolicyVerdict::ImplicitlyDenied | PolicyVerdict::ExplicitlyDenied => refused += 1,
            PolicyVerdict::Unknown { keys: more } => keys.extend(more.iter().cloned()),
            PolicyVerdict::Allowed => {}
        }
    }
    if !any {
        return None;
    }
    let what = format!(
        "{name} do not allow {} on `{key}` to the job role",
        call.action
    );
    Some(if refused == all && call.is_certain {
        (Verdict::Confirmed, vec![what])
    } else if refused == all {
        not_checkable(format!("{what}; that this copy makes the call is inferred"))
    } else {
        keys.sort();
        keys.dedup();
        not_checkable(format!(
            "whether {name} allow {} on `{key}` depends on {}",
            call.action,
            if keys.is_empty() {
                "the Region that is called".to_owned()
            } else {
                keys.join(", ")
            }
        ))
    })
}

/// What the service control policies answer to the two calls of AWS Backup; nothing where they were
/// not read, so that the simulator's answer stands.
fn service_control(copy: &BackupCopy, facts: &Facts, guardrails: &Guardrails) -> Option<Finding> {
    if !may_be_under_service_control(copy, facts) {
        return None;
    }
    let policies = match &guardrails.service_control {
        Some(Fact::Known(policies)) => policies,
        // The simulator alone is not believed where it refuses.
        Some(Fact::Unknown(_)) | None => return None,
    };
    let path = guardrails.destination_path.as_ref();
    let mut findings = Vec::new();
    for (action, verdict) in under_service_control(policies, path, copy, facts) {
        findings.push(match verdict {
            PolicyVerdict::Allowed => (Verdict::RuledOut, Vec::new()),
            PolicyVerdict::ExplicitlyDenied | PolicyVerdict::ImplicitlyDenied => (
                Verdict::Confirmed,
                vec![format!(
                    "the service control policies over account {} do not allow {action} to the job role",
                    copy.account
                )],
            ),
            PolicyVerdict::Unknown { keys } => not_checkable(format!(
                "whether the service control policies over account {} allow {action} depends on {}",
                copy.account,
                keys.join(", ")
            )),
        });
    }
    findings.into_iter().reduce(worse)
}

/// Whether the accounts have enabled the Regions of the keys that they use; nothing where none has
/// to be.
fn region(copy: &BackupCopy, facts: &Facts, guardrails: &Guardrails) -> Option<Finding> {
    let findings = keys_in_opt_in_regions(copy, facts).into_iter().map(|key| {
        let (account, region, what) = (key.user, key.region, key.what);
        match guardrails.regions.get(&(account, region.to_owned())) {
            Some(Fact::Known(true)) => (
                Verdict::RuledOut,
                vec![format!("account {account} has enabled Region {region}")],
            ),
            Some(Fact::Known(false)) => {
                let sentence =
                    format!("{what} is in {region}, which account {account} has not enabled");
                if key.is_certain {
                    (Verdict::Confirmed, vec![sentence])
                } else {
                    not_checkable(sentence)
                }
            }
            Some(Fact::Unknown(why)) => unreadable(why),
            None => not_checkable(format!(
                "{what} is in {region}; whether account {account} has enabled it is not read"
            )),
        }
    });
    findings.reduce(worse)
}
