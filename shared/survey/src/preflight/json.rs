//! The answer for programs.

use copymend_diagnosis::{Advice, Assessment, Foreseen, Residual};
use serde::Serialize;
use serde_json::{Value, json};

use super::judge::{JudgedRoute, Preflight};
use super::planned::{NotMaterialised, Unseen};
use super::route::RuleName;

/// The version of the JSON. Members are added, never renamed.
const VERSION: u8 = 1;

/// The answer as JSON.
#[must_use]
pub fn json(preflight: &Preflight) -> Value {
    let [will_pass, will_fail, cannot_be_known] = preflight.counts();
    json!({
        "preflight": VERSION,
        "at": preflight.at,
        "accounts_and_regions": preflight.places,
        "plans": preflight.plans,
        "will_fail": will_fail,
        "cannot_be_known": cannot_be_known,
        "will_pass": will_pass,
        "routes": preflight.routes.iter().map(route).collect::<Vec<_>>(),
        "not_materialised": preflight.not_materialised.iter().map(not_materialised).collect::<Vec<_>>(),
        "unseen": preflight.unseen.iter().map(unseen).collect::<Vec<_>>(),
        "skipped_plans": preflight.skipped,
        "rules_without_copies": preflight.rules_without_copies,
        "plans_not_found": preflight.not_found,
        "not_read": preflight.not_read,
        "unreadable": preflight.unreadable,
        "notes": preflight.notes,
        "stopped": preflight.stopped,
    })
}

fn route(judged: &JudgedRoute) -> Value {
    let JudgedRoute {
        route,
        foreseen,
        advice,
        facts: _,
        would,
    } = judged;
    let copy = &route.copy;
    json!({
        "verdict": foreseen.slug(),
        "account": copy.account,
        "region": copy.region,
        "source_vault": copy.source_vault.as_str(),
        "destination_vault": copy.destination_vault.as_str(),
        "job_role": copy.role.as_str(),
        "resource_type": copy.resource_type,
        "key": route.key.as_ref().map(copymend_diagnosis::KeyArn::as_str),
        "lifecycle": copy.lifecycle,
        "automatic": route.is_automatic,
        "next_run": route.next_run,
        "judged_by": {
            "recovery_point": copy.source_recovery_point.as_str(),
            "vault": route.backup_in.as_str(),
            "created": route.backup_created,
        },
        "rules": route.rules.iter().map(rule).collect::<Vec<_>>(),
        "in_the_way": match foreseen {
            Foreseen::WillFail { in_the_way, .. } => {
                in_the_way.iter().zip(advice).map(in_the_way_with).collect()
            }
            Foreseen::WillPass { .. } | Foreseen::CannotBeKnown { .. } => Vec::new(),
        },
        "open": match foreseen {
            Foreseen::WillFail { open, .. } | Foreseen::CannotBeKnown { open } => {
                open.iter().map(assessment).collect()
            }
            Foreseen::WillPass { .. } => Vec::new(),
        },
        "residuals": judged.residuals().into_iter().map(residual).collect::<Vec<_>>(),
        "would": would,
        "notes": route.notes,
        "resources": route.resources.iter().map(copymend_policy::Arn::as_str).collect::<Vec<_>>(),
    })
}

fn rule(rule: &RuleName) -> Value {
    json!({ "plan_id": rule.plan_id, "plan": rule.plan, "rule": rule.rule })
}

fn in_the_way_with((found, advice): (&Assessment, &Advice)) -> Value {
    json!({
        "cause": found.cause,
        "title": found.cause.title(),
        "evidence": found.evidence,
        "repairable": found.cause.is_repairable(),
        "who": advice.who,
        "steps": advice.steps,
        "page": advice.page,
    })
}

fn assessment(found: &Assessment) -> Value {
    json!({ "cause": found.cause, "title": found.cause.title(), "evidence": found.evidence })
}

#[derive(Serialize)]
struct Named {
    residual: Residual,
    why: &'static str,
}

fn residual(residual: Residual) -> Value {
    let named = Named {
        residual,
        why: residual.sentence(),
    };
    json!(named)
}

fn not_materialised(missing: &NotMaterialised) -> Value {
    json!({
        "account": missing.account,
        "region": missing.region,
        "rule": rule(&missing.rule),
        "what": missing.what,
    })
}

fn unseen(unseen: &Unseen) -> Value {
    json!({
        "account": unseen.account,
        "region": unseen.region,
        "rule": rule(&unseen.rule),
        "why": unseen.why,
        "resources": unseen.resources,
    })
}
