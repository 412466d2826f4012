//! What people said no to, and which incidents that settles.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Refused;
use crate::approval::RequestState;
use crate::incident::IncidentOf;
use crate::records::{OpenIncident, Record, RefusalRecord};
use crate::report::Outcome;

/// A resource, and who would be admitted.
type Grant = (String, String);

/// A no to a plan.
#[derive(Clone, Debug)]
struct RefusedPlan {
    refused: Refused,
    /// Until when the question could have been answered: a no to starting a copy again lasts as long.
    until: Timestamp,
    asked_at: Timestamp,
}

/// What people said no to.
#[derive(Clone, Debug, Default)]
pub(super) struct Refusals {
    /// The grantees that aren't admitted again.
    grants: BTreeMap<Grant, Refused>,
    /// The plans, by the incident that each is about. The last plan of an incident counts alone.
    plans: BTreeMap<String, RefusedPlan>,
}

impl Refusals {
    pub(super) fn of(records: &[Record]) -> Self {
        let mut refusals = Self::default();
        let mut lifted = BTreeSet::new();
        let mut last_asked: BTreeMap<&str, Timestamp> = BTreeMap::new();
        for record in records {
            match record {
                Record::Refusal(record) if record.lifted.is_some() => {
                    lifted.insert(grant_of(record));
                }
                Record::Refusal(record) => refusals.add_grant(record),
                Record::Approval(record) => {
                    let request = &record.request;
                    let last = last_asked.entry(&request.incident).or_default();
                    *last = request.asked_at.max(*last);
                    if let RequestState::Refused { answered, .. } = &record.state {
                        let refused = Refused {
                            resource: request.resource.clone(),
                            grantee: request.grantee.clone(),
                            by: Some(answered.by.clone()),
                            at: answered.at,
                            is_failing_since: false,
                        };
                        let plan = RefusedPlan {
                            refused,
                            until: request.expires_at,
                            asked_at: request.asked_at,
                        };
                        let known = refusals.plans.get(&request.incident);
                        if known.is_none_or(|known| known.asked_at < plan.asked_at) {
                            refusals.plans.insert(request.incident.clone(), plan);
                        }
                    }
                }
                Record::Incident(_) | Record::Change(_) | Record::Pause(_) => {}
            }
        }
        refusals.plans.retain(|incident, plan| {
            let is_lifted = grant_of_plan(plan).is_some_and(|grant| lifted.contains(&grant));
            let last = last_asked.get(incident.as_str());
            !is_lifted && last.is_none_or(|last| plan.asked_at >= *last)
        });
        refusals
    }

    fn add_grant(&mut self, record: &RefusalRecord) {
        let Some(at) = record.at else {
            return;
        };
        let refused = Refused {
            resource: Some(record.resource.clone()),
            grantee: Some(record.grantee.clone()),
            by: record.made_by.clone(),
            at,
            is_failing_since: false,
        };
        self.grants.insert(grant_of(record), refused);
    }

    /// Whether a person said no to what would put an incident right: then nobody has to do anything,
    /// though its copies fail. Keeps in mind that they do, where `is_seen` says so.
    pub(super) fn is_about(
        &mut self,
        fingerprint: &str,
        open: &OpenIncident,
        is_seen: bool,
    ) -> bool {
        let waits = match Outcome::recorded(&open.outcome) {
            Some(Outcome::Planned | Outcome::Refused) => true,
            Some(
                Outcome::RepairedAndRetried
                | Outcome::Repaired
                | Outcome::Retried
                | Outcome::RetryPlanned
                | Outcome::Advised
                | Outcome::Failed
                | Outcome::Recovered
                | Outcome::Nothing
                | Outcome::AlreadyHandled,
            )
            | None => false,
        };
        if !waits {
            return false;
        }
        let grant = IncidentOf::of_fingerprint(fingerprint)
            .and_then(|of| Some((of.resource.to_owned(), of.grantee?.to_owned())));
        let refused = grant.and_then(|grant| self.grants.get_mut(&grant));
        let refused = if let Some(refused) = refused {
            Some(refused)
        } else {
            let plan = self.plans.get_mut(fingerprint);
            let plan = plan.filter(|plan| open.last_seen < plan.until);
            plan.map(|plan| &mut plan.refused)
        };
        let Some(refused) = refused else {
            return false;
        };
        refused.is_failing_since |= is_seen && open.last_seen > refused.at;
        true
    }

    /// What was said from then on, and what was said before and copies failed for it from then on; the
    /// newest first.
    pub(super) fn told(self, since: Timestamp) -> Vec<Refused> {
        let Self { grants, plans } = self;
        // A no to a grant is on record itself, unless the grant may be planned again.
        let plans = plans
            .into_values()
            .filter(|plan| grant_of_plan(plan).is_none_or(|grant| !grants.contains_key(&grant)));
        let mut told: Vec<Refused> = plans.map(|plan| plan.refused).collect();
        told.extend(grants.into_values());
        told.retain(|refused| refused.at >= since || refused.is_failing_since);
        told.sort_by_key(|refused| Reverse(refused.at));
        told
    }
}

fn grant_of(record: &RefusalRecord) -> Grant {
    (record.resource.clone(), record.grantee.clone())
}

fn grant_of_plan(plan: &RefusedPlan) -> Option<Grant> {
    let refused = &plan.refused;
    Some((refused.resource.clone()?, refused.grantee.clone()?))
}
