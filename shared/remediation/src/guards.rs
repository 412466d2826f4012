//! The guards: named checks, every one of which must pass before a policy is written. Fail closed: what isn't known
//! doesn't pass.

mod any_write;

use copymend_diagnosis::access::Access;
use copymend_diagnosis::features::is_fully_managed;
use copymend_diagnosis::{Fact, Facts, Failure, KeyFacts, KeyManager, SourceKey, Tags};
use copymend_policy::{KEY_POLICY_MAX_BYTES, check_size};
use jiff::{SignedDuration, Timestamp};

use crate::ledger::{Lease, PolicyHistory};
use crate::pause::NOT_PAUSED;
use crate::plan::{Plan, Target};
use crate::ports::CallResult;
use crate::refusal::{NOT_TAKEN_BACK, not_taken_back};
use crate::report::GuardResult;
use crate::settings::{ArnPattern, Settings};
use crate::write::{Approved, ApprovedKeyPolicy, ApprovedNoVaultPolicy, ApprovedVaultPolicy};

pub use any_write::{StartedBy, guards_of_any_write, guards_of_retry};
pub(crate) use any_write::{entries_of_the_copy, entries_that_admit};

/// The tag by which an owner keeps Copymend away from a vault or key.
pub const OPT_OUT_TAG: (&str, &str) = ("copymend", "never");

/// A write must be read back before the function's time is over. Both take well under a second when nothing is slow.
pub const TIME_FOR_A_WRITE: SignedDuration = SignedDuration::from_secs(5);

/// The guard that an event which AWS Backup doesn't confirm fails.
pub const VERIFIED_FAILURE: &str = "verified-failure";
/// The guard that observe mode fails.
pub const MODE: &str = "mode";
/// The guard that a copy on demand fails.
pub const STARTED_BY_BACKUP_PLAN: &str = "started-by-backup-plan";
/// The guard that a failure of long ago fails.
pub const FAILURE_IS_RECENT: &str = "failure-is-recent";
/// The guard that a copy into an unlisted vault fails.
pub const DESTINATION_ALLOWED: &str = "destination-allowed";
/// The guard that a copy of an unlisted route fails.
pub const SOURCE_ALLOWED: &str = "source-allowed";
/// The guard that the ledger's lease passes.
pub const LEASE: &str = "lease";

pub(crate) fn guard(name: &'static str, passed: bool, detail: impl Into<String>) -> GuardResult {
    GuardResult {
        name,
        passed,
        detail: detail.into(),
    }
}

fn allowed(name: &'static str, setting: &str, patterns: &[ArnPattern], arn: &str) -> GuardResult {
    match patterns.iter().find(|pattern| pattern.admits(arn)) {
        Some(pattern) => guard(name, true, format!("`{}` admits `{arn}`", pattern.as_str())),
        None if patterns.is_empty() => guard(
            name,
            false,
            format!("{setting} is empty, which admits nothing"),
        ),
        None => guard(name, false, format!("{setting} does not admit `{arn}`")),
    }
}

/// The guards of a policy change that need no ledger.
#[must_use]
pub fn guards_of_plan(
    plan: &Plan,
    failure: &Failure,
    facts: &Facts,
    settings: &Settings,
) -> Vec<GuardResult> {
    let mut guards = Vec::new();
    match (&plan.target, &facts.source_key) {
        (Target::Vault(_), _) => {
            guards.push(nobody_opted_out(facts));
            guards.push(job_role_exists(failure, facts));
        }
        (Target::Key(arn), SourceKey::Key(key)) => {
            guards.push(allowed(
                "key-allowed",
                "COPYMEND_ALLOWED_KEYS",
                &settings.allowed_keys,
                arn.as_str(),
            ));
            guards.push(match nobody_opted_out(facts) {
                vault if !vault.passed => vault,
                _ => not_opted_out("key", &key.tags),
            });
            guards.extend(guards_of_key(key, failure, facts, settings));
        }
        (Target::Key(arn), SourceKey::NotEncrypted | SourceKey::Unknown(_)) => {
            guards.push(guard(
                "customer-managed-key",
                false,
                format!("nothing is known of `{arn}`"),
            ));
        }
    }
    guards.push(same_organization(facts, settings));
    guards.push(no_explicit_deny(plan));
    guards.push(evaluation_flips(plan));
    guards.push(match &plan.proof {
        Ok(certificate) => guard(
            "only-adds",
            true,
            certificate
                .to_string()
                .lines()
                .collect::<Vec<_>>()
                .join("; "),
        ),
        Err(error) => guard("only-adds", false, error.to_string()),
    });
    guards.push(size_limit(plan));
    guards
}

/// Whether these tags keep Copymend away.
pub(crate) fn is_opt_out(tags: &Tags) -> bool {
    let (key, value) = OPT_OUT_TAG;
    tags.iter()
        .any(|(tag, content)| tag.eq_ignore_ascii_case(key) && content.eq_ignore_ascii_case(value))
}

/// Whether neither the vault's nor the key's owner keeps Copymend away. A retry and a vault's statement grant nothing on the key,
/// which may be of an account that can't be read: there, tags that aren't known stop nothing.
fn nobody_opted_out(facts: &Facts) -> GuardResult {
    let of_key = match &facts.source_key {
        SourceKey::Key(key) if key.tags.known().is_some() => {
            Some(not_opted_out("key", &key.tags)).filter(|guard| !guard.passed)
        }
        SourceKey::Key(_) | SourceKey::NotEncrypted | SourceKey::Unknown(_) => None,
    };
    of_key.unwrap_or_else(|| not_opted_out("vault", &facts.vault_tags))
}

fn not_opted_out(what: &str, tags: &Fact<Tags>) -> GuardResult {
    let name = "not-opted-out";
    let (key, value) = OPT_OUT_TAG;
    match tags {
        Fact::Unknown(why) => guard(
            name,
            false,
            format!("the {what}'s tags are not known: {why}"),
        ),
        Fact::Known(tags) => {
            let opted_out = is_opt_out(tags);
            let not = if opted_out { "" } else { "not " };
            guard(
                name,
                !opted_out,
                format!("the {what} is {not}tagged {key}={value}"),
            )
        }
    }
}

/// A statement for a role that doesn't exist would admit whoever makes one of that name.
fn job_role_exists(failure: &Failure, facts: &Facts) -> GuardResult {
    let name = "job-role-exists";
    let named = &failure.job().role;
    match &facts.job_role {
        Fact::Unknown(why) => guard(name, false, why.to_string()),
        Fact::Known(Some(role)) if role.arn == *named => {
            guard(name, true, format!("`{named}` exists"))
        }
        Fact::Known(_) => guard(name, false, format!("`{named}` does not exist")),
    }
}

/// Another policy may already allow what `default` doesn't, or be meant to.
fn only_default_policy(key: &KeyFacts) -> GuardResult {
    let name = "only-default-policy";
    match &key.policy_names {
        Fact::Unknown(why) => guard(name, false, why.to_string()),
        Fact::Known(_) => {
            let others: Vec<&str> = key.other_policies().collect();
            if others.is_empty() {
                guard(name, true, "the key has no policy beside `default`")
            } else {
                guard(
                    name,
                    false,
                    format!("the key has other policies too: {}", others.join(", ")),
                )
            }
        }
    }
}

fn guards_of_key(
    key: &KeyFacts,
    failure: &Failure,
    facts: &Facts,
    settings: &Settings,
) -> Vec<GuardResult> {
    let (customer, enabled) = match &key.key {
        Fact::Known(Some(described)) => {
            // KMS answers with the exact key. One that isn't the one named is not ours to touch.
            let same = described.arn == key.arn;
            (
                guard(
                    "customer-managed-key",
                    same && described.manager == KeyManager::Customer,
                    format!(
                        "KMS describes `{}`, managed by {:?}",
                        described.arn, described.manager
                    ),
                ),
                guard(
                    "key-enabled",
                    described.is_enabled(),
                    format!("the key's state is {}", described.state),
                ),
            )
        }
        Fact::Known(None) => (
            guard("customer-managed-key", false, "the key does not exist"),
            guard("key-enabled", false, "the key does not exist"),
        ),
        Fact::Unknown(why) => (
            guard("customer-managed-key", false, why.to_string()),
            guard("key-enabled", false, why.to_string()),
        ),
    };
    let role = match &facts.service_linked_role {
        Fact::Known(Some(role)) => guard(
            "service-linked-role",
            true,
            format!("`{}` exists", role.arn),
        ),
        Fact::Known(None) => guard(
            "service-linked-role",
            false,
            "AWSServiceRoleForBackup is missing in the destination account",
        ),
        Fact::Unknown(why) => guard("service-linked-role", false, why.to_string()),
    };
    let principal = key_principal_known(failure, facts, settings);
    vec![customer, enabled, only_default_policy(key), role, principal]
}

/// Who uses the key. For copies into and out of logically air-gapped vaults other principals must be admitted, the job role among
/// them (AWS Backup, "Logically air-gapped vaults", documented): a statement for the service-linked role would not do.
fn key_principal_known(failure: &Failure, facts: &Facts, settings: &Settings) -> GuardResult {
    let name = "key-principal-known";
    for (which, vault) in [
        ("source", &facts.source_vault),
        ("destination", &facts.destination_vault),
    ] {
        let refused = match vault {
            Fact::Unknown(why) => {
                Some(format!("the type of the {which} vault is not known: {why}"))
            }
            Fact::Known(None) => Some(format!("the {which} vault does not exist")),
            Fact::Known(Some(vault)) if vault.is_logically_air_gapped() => Some(format!(
                "the {which} vault is logically air-gapped: which principals its copies' keys must admit is not modelled yet"
            )),
            Fact::Known(Some(vault)) => vault
                .vault_type
                .is_none()
                .then(|| format!("AWS Backup does not tell the type of the {which} vault")),
        };
        if let Some(refused) = refused {
            return guard(name, false, refused);
        }
    }
    let fully_managed = is_fully_managed(&failure.job().source_recovery_point);
    guard(
        name,
        !fully_managed || settings.allow_fully_managed_keys,
        if fully_managed {
            "a fully managed type: which principal of the destination uses the key is not documented (COPYMEND_ALLOW_FULLY_MANAGED_KEYS)"
        } else {
            "the destination's AWSServiceRoleForBackup uses the key"
        },
    )
}

pub(crate) fn same_organization(facts: &Facts, settings: &Settings) -> GuardResult {
    let name = "same-organization";
    match (&facts.source_organization, &facts.destination_organization) {
        (Fact::Unknown(why), _) | (_, Fact::Unknown(why)) => guard(name, false, why.to_string()),
        (Fact::Known(Some(source)), Fact::Known(Some(destination))) => {
            let expected = settings.organization_id.as_ref().unwrap_or(&source.id);
            let same = source.id == destination.id && source.id == *expected;
            let detail = if same {
                format!("both accounts are in {}", source.id)
            } else {
                format!(
                    "the source is in {}, the destination in {}; expected {expected}",
                    source.id, destination.id
                )
            };
            guard(name, same, detail)
        }
        (Fact::Known(_), Fact::Known(_)) => guard(name, false, "an account is in no organization"),
    }
}

fn no_explicit_deny(plan: &Plan) -> GuardResult {
    let name = "no-explicit-deny";
    match &plan.access_before {
        Access::Denied {
            action, statement, ..
        } => guard(
            name,
            false,
            format!("statement {} denies {action}", statement.saturating_add(1)),
        ),
        Access::Unknown { keys } => guard(
            name,
            false,
            format!(
                "a statement depends on what cannot be known: {}",
                keys.join(", ")
            ),
        ),
        Access::Allowed | Access::Missing { .. } => guard(name, true, "no Deny matches the copy"),
    }
}

fn evaluation_flips(plan: &Plan) -> GuardResult {
    let name = "evaluation-flips";
    match (&plan.access_before, &plan.access_after) {
        (Access::Missing { actions }, Access::Allowed) => guard(
            name,
            true,
            format!("denied before, allowed after: {}", actions.join(", ")),
        ),
        (Access::Allowed, _) => guard(name, false, "the policy allows the copy already"),
        (Access::Missing { .. } | Access::Denied { .. } | Access::Unknown { .. }, _) => {
            guard(name, false, "our statements would not make the copy legal")
        }
    }
}

fn size_limit(plan: &Plan) -> GuardResult {
    let name = "size-limit";
    let bytes = plan.after.as_str().len();
    match &plan.target {
        // No limit of a vault policy is documented; the service refuses what is too long, and the report says so.
        Target::Vault(_) => guard(name, true, format!("{bytes} bytes; no limit is documented")),
        Target::Key(_) => match check_size(&plan.after, KEY_POLICY_MAX_BYTES) {
            Ok(()) => guard(
                name,
                true,
                format!("{bytes} of {KEY_POLICY_MAX_BYTES} bytes"),
            ),
            Err(error) => guard(name, false, error.to_string()),
        },
    }
}

/// The guards that rest on what was written before.
#[must_use]
pub fn guards_of_history(
    plan: &Plan,
    history: &CallResult<PolicyHistory>,
    failure: &Failure,
    facts: &Facts,
    settings: &Settings,
) -> Vec<GuardResult> {
    let removed = "sid-not-removed";
    let budget = "write-budget";
    let history = match history {
        Ok(history) => history,
        Err(error) => {
            return [NOT_TAKEN_BACK, removed, budget]
                .map(|name| guard(name, false, error.to_string()))
                .into();
        }
    };
    let gone: Vec<String> = plan
        .sids()
        .into_iter()
        .filter(|sid| history.sids.contains(sid) && !plan.has_before(sid))
        .collect();
    let first = if gone.is_empty() {
        guard(removed, true, "nobody removed a statement of ours")
    } else {
        guard(
            removed,
            false,
            format!(
                "someone removed {} since we wrote it: infrastructure as code may own this policy, so add the statement there",
                gone.join(", ")
            ),
        )
    };
    let writes = history.writes_today;
    let allowed = settings.write_budget;
    vec![
        not_taken_back(plan, history, failure, facts, settings),
        first,
        guard(
            budget,
            writes < allowed,
            format!("{writes} of {allowed} writes to this policy today"),
        ),
    ]
}

/// The guard of the lease and of the time that is left.
#[must_use]
pub fn guards_of_lease(
    resource: &str,
    lease: Option<&Lease>,
    now: Timestamp,
    deadline: Timestamp,
) -> Vec<GuardResult> {
    let held = lease.is_some_and(|lease| {
        lease.resource() == resource && lease.until().duration_since(now) >= TIME_FOR_A_WRITE
    });
    let left = deadline.duration_since(now);
    vec![
        guard(
            LEASE,
            held,
            if held {
                "held"
            } else {
                "someone else is changing this policy, or no ledger keeps leases"
            },
        ),
        guard(
            "time-left",
            left >= TIME_FOR_A_WRITE,
            format!("{} seconds are left to write and read back", left.as_secs()),
        ),
    ]
}

/// Whether every guard passed. No guard at all is no pass.
#[must_use]
pub fn all_passed(guards: &[GuardResult]) -> bool {
    !guards.is_empty() && guards.iter().all(|guard| guard.passed)
}

/// What the guards let through.
#[derive(Debug)]
pub enum Write {
    /// A vault access policy.
    Vault(ApprovedVaultPolicy),
    /// A key policy.
    Key(ApprovedKeyPolicy),
    /// No vault access policy any more: an undo of the first statement.
    NoVaultPolicy(ApprovedNoVaultPolicy),
}

/// Turns a plan into a write, if every guard of every kind passed while the lease is held.
#[must_use]
pub fn approve(plan: &Plan, guards: &[GuardResult], lease: &Lease) -> Option<Write> {
    let asked = |name| guards.iter().any(|guard| guard.name == name);
    let complete = [
        VERIFIED_FAILURE,
        MODE,
        STARTED_BY_BACKUP_PLAN,
        FAILURE_IS_RECENT,
        SOURCE_ALLOWED,
        DESTINATION_ALLOWED,
        "evaluation-flips",
        "only-adds",
        NOT_TAKEN_BACK,
        NOT_PAUSED,
        "sid-not-removed",
        LEASE,
    ]
    .into_iter()
    .all(asked);
    if !complete || !all_passed(guards) || lease.resource() != plan.target.as_str() {
        return None;
    }
    Some(match &plan.target {
        Target::Vault(vault) => Write::Vault(Approved::new(vault.clone(), plan.after.clone())),
        Target::Key(key) => Write::Key(Approved::new(key.clone(), plan.after.clone())),
    })
}
