//! The guarded write: lease, read again, recompute, put, read back, record, release.

use std::time::Duration;

use copymend_diagnosis::access::Access;
use copymend_diagnosis::{Cause, Facts, Failure, SourceKey};
use copymend_policy::{PolicyDocument, VaultScope};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::guards::{
    TIME_FOR_A_WRITE, Write, approve, guards_of_history, guards_of_lease, guards_of_plan,
};
use crate::handler::Invocation;
use crate::investigate::{key_policy_fact, vault_policy_fact};
use crate::ledger::{Change, Lease, Ledger};
use crate::plan::{Plan, Target, plan};
use crate::ports::{
    Backup, BackupWrites, CallError, CallErrorKind, CallResult, Clock, Environment, KeyWrites, Keys,
};
use crate::report::{GuardResult, PolicyChange};
use crate::settings::Settings;

/// How often a write is tried when someone else changes the policy at the same time.
const ATTEMPTS: u32 = 3;
/// How often a written policy is read back before it counts as not written. KMS answers reads a little late.
const READ_BACKS: u32 = 5;
const READ_BACK_PAUSE: Duration = Duration::from_millis(400);
/// How long a write waits before it is tried again after a fault of the service.
const WRITE_PAUSE: Duration = Duration::from_millis(500);
/// How long apart a lease that someone else holds is asked for: from the first to the second, growing, with a part that
/// differs from one invocation to the next, so that a storm doesn't ask in step. It is asked for as long as there is time
/// left for a write; whoever doesn't get it is delivered again.
const LEASE_PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// Long enough for a few tries of a write, and short enough that a function that is killed frees the policy soon.
const LEASE_TIME: SignedDuration = SignedDuration::from_secs(30);

/// How a repair ended.
#[derive(Debug)]
pub struct Repaired {
    /// The guards that were asked under the lease.
    pub guards: Vec<GuardResult>,
    /// What happened to the policy.
    pub ending: Ending,
    /// What people should know besides.
    pub notes: Vec<String>,
}

/// What happened to the policy.
#[derive(Debug)]
pub enum Ending {
    /// It was written and read back.
    Written(PolicyChange),
    /// Somebody else's change admits the copy by now.
    AdmittedMeanwhile,
    /// A guard refused; the change that it stopped.
    Refused(Option<PolicyChange>),
    /// The write was tried and didn't work.
    Failed(CallError),
    /// Nothing was tried, because the lease can't be had now. The event should be delivered again.
    Busy(CallError),
}

/// The change of a plan, for the report.
#[must_use]
pub fn change_of(plan: &Plan, applied: bool, id: Option<String>) -> PolicyChange {
    PolicyChange {
        resource: plan.target.as_str().to_owned(),
        before: plan
            .before
            .as_ref()
            .map(|policy| policy.as_str().to_owned()),
        after: plan.after.as_str().to_owned(),
        added: plan
            .added
            .iter()
            .map(|statement| statement.sid().to_owned())
            .collect(),
        certificate: plan.proof.as_ref().ok().cloned(),
        applied,
        id,
    }
}

/// What the tries so far have left.
#[derive(Default)]
struct Tried {
    guards: Vec<GuardResult>,
    notes: Vec<String>,
    /// A change whose put may have been lost on its way or back.
    intended: Option<(Plan, Change)>,
    fault: Option<CallError>,
}

impl Tried {
    fn into_repaired(self, ending: Ending) -> Repaired {
        Repaired {
            guards: self.guards,
            ending,
            notes: self.notes,
        }
    }
}

/// Everything a repair is about.
pub(crate) struct Repair<'r, E> {
    pub environment: &'r E,
    pub settings: &'r Settings,
    pub failure: &'r Failure,
    pub cause: Cause,
    pub invocation: &'r Invocation,
    /// The guards of any write, which passed.
    pub guards: &'r [GuardResult],
}

impl<E: Environment> Repair<'_, E> {
    /// Runs the repair of a plan that passed every guard that needs no lease.
    pub(crate) async fn run(&self, planned: Plan, facts: &Facts) -> Repaired {
        let refused = |lease: Option<&Lease>, plan: &Plan, now| Repaired {
            guards: guards_of_lease(plan.target.as_str(), lease, now, self.invocation.deadline),
            ending: Ending::Refused(Some(change_of(plan, false, None))),
            notes: Vec::new(),
        };
        let now = self.environment.clock().now();
        let Some(ledger) = self.environment.ledger() else {
            let mut repaired = refused(None, &planned, now);
            repaired
                .notes
                .push("no ledger keeps leases: set COPYMEND_LEDGER_TABLE".to_owned());
            return repaired;
        };
        let target = planned.target.clone();
        let lease = match self.lease(ledger, &target).await {
            Ok(lease) => lease,
            Err(error) => {
                return Repaired {
                    guards: Vec::new(),
                    ending: Ending::Busy(error),
                    notes: Vec::new(),
                };
            }
        };
        let mut repaired = self.write(ledger, &lease, &target, facts).await;
        if let Err(error) = ledger.release_lease(lease).await {
            repaired.notes.push(format!(
                "the lease was not released and ends by itself: {error}"
            ));
        }
        repaired
    }

    /// Waits for its turn, while there is time left for a write.
    async fn lease(&self, ledger: &E::Ledger, target: &Target) -> CallResult<Lease> {
        take_lease(
            self.environment.clock(),
            ledger,
            target.as_str(),
            self.invocation,
        )
        .await
    }

    async fn write(
        &self,
        ledger: &E::Ledger,
        lease: &Lease,
        target: &Target,
        facts: &Facts,
    ) -> Repaired {
        let mut tried = Tried::default();
        for _ in 0..ATTEMPTS {
            let ended = self.attempt(ledger, lease, target, facts, &mut tried).await;
            if let Some(ending) = ended {
                return tried.into_repaired(ending);
            }
        }
        let error = tried.fault.take().unwrap_or_else(|| CallError {
            operation: "read back",
            resource: target.as_str().to_owned(),
            kind: CallErrorKind::Failed,
            detail: format!(
                "someone else kept changing the policy; gave up after {ATTEMPTS} tries"
            ),
        });
        tried.into_repaired(Ending::Failed(error))
    }

    /// One try; `None` where it has to be tried again.
    async fn attempt(
        &self,
        ledger: &E::Ledger,
        lease: &Lease,
        target: &Target,
        facts: &Facts,
        tried: &mut Tried,
    ) -> Option<Ending> {
        let fresh = match self.read_again(target, facts).await {
            Ok(fresh) => fresh,
            Err(error) => return Some(Ending::Busy(error)),
        };
        let plan = match plan(self.cause, self.failure, &fresh, self.settings) {
            Ok(plan) => plan,
            Err(error) => {
                tried.notes.push(error.to_string());
                return Some(Ending::Refused(None));
            }
        };
        if plan.access_before == Access::Allowed {
            // After a put whose answer was lost it is our own statement that admits.
            return Some(match tried.intended.take() {
                Some((plan, change)) => {
                    Ending::Written(confirm(ledger, &plan, &change, &mut tried.notes).await)
                }
                None => Ending::AdmittedMeanwhile,
            });
        }
        let now = self.environment.clock().now();
        match self.ask(ledger, lease, &plan, &fresh, now).await {
            Ok(guards) => tried.guards = guards,
            Err(error) => return Some(Ending::Busy(error)),
        }
        let Some(write) = approve(&plan, &tried.guards, lease) else {
            return Some(Ending::Refused(Some(change_of(&plan, false, None))));
        };
        let change = self.change(&plan, now);
        // Recorded first: a process that dies after the put must not leave a statement that nobody can take back.
        if let Err(error) = ledger.intend_change(&change).await {
            return Some(Ending::Failed(error));
        }
        // The ledger's answers took time: someone else may have written meanwhile, and the lease may have run out.
        match read_policy(self.environment, target).await {
            Err(error) => return Some(Ending::Busy(error)),
            Ok(text) if text.as_deref() != plan.before.as_ref().map(PolicyDocument::as_str) => {
                tried.notes.push(
                    "someone else changed the policy before it was written; it was read and tried again".to_owned(),
                );
                return None;
            }
            Ok(_) => {}
        }
        if let Err(error) = self.lease_holds(lease, &plan, self.environment.clock().now()) {
            return Some(Ending::Busy(error));
        }
        let put = put(self.environment, &write).await;
        // A fault or a lost answer says nothing about whether the policy was written: the policy itself does.
        let read = match &put {
            Err(error) if !error.may_pass() => return Some(Ending::Failed(error.clone())),
            Ok(()) | Err(_) => self.read_back(target, &plan).await,
        };
        match (read, put) {
            (Ok(ReadBack::AsWritten), _) => Some(Ending::Written(
                confirm(ledger, &plan, &change, &mut tried.notes).await,
            )),
            (Ok(ReadBack::Foreign), Ok(())) => {
                tried.notes.push(
                    "someone else changed the policy while it was written; it was read and tried again".to_owned(),
                );
                None
            }
            (_, Err(error)) => {
                tried
                    .notes
                    .push(format!("{error}; it was read and tried again"));
                tried.fault = Some(error);
                tried.intended = Some((plan, change));
                self.environment.clock().sleep(WRITE_PAUSE).await;
                None
            }
            (Err(error), Ok(())) => Some(Ending::Failed(error)),
        }
    }

    /// Asks every guard, under the lease. An error asks for another delivery: a lease that ran out, too little time or a
    /// ledger that can't be read now is nobody's refusal.
    async fn ask(
        &self,
        ledger: &E::Ledger,
        lease: &Lease,
        plan: &Plan,
        fresh: &Facts,
        now: Timestamp,
    ) -> CallResult<Vec<GuardResult>> {
        let history = ledger.policy_history(plan.target.as_str(), now).await;
        if let Err(error) = &history
            && error.may_pass()
        {
            return Err(error.clone());
        }
        let of_lease = self.lease_holds(lease, plan, now)?;
        let mut guards = self.guards.to_vec();
        guards.extend(guards_of_plan(plan, self.failure, fresh, self.settings));
        guards.extend(guards_of_history(plan, &history, self.settings));
        guards.extend(of_lease);
        Ok(guards)
    }

    fn lease_holds(
        &self,
        lease: &Lease,
        plan: &Plan,
        now: Timestamp,
    ) -> CallResult<Vec<GuardResult>> {
        let of_lease = guards_of_lease(
            plan.target.as_str(),
            Some(lease),
            now,
            self.invocation.deadline,
        );
        match of_lease.iter().find(|guard| !guard.passed) {
            Some(failed) => Err(CallError {
                operation: "write under the lease",
                resource: plan.target.as_str().to_owned(),
                kind: CallErrorKind::Throttled,
                detail: failed.detail.clone(),
            }),
            None => Ok(of_lease),
        }
    }

    /// The facts with the policy as it is now. A read that fails for a reason that passes is an error, and the event is
    /// delivered again; any other failure is an unknown fact, which no guard lets pass.
    async fn read_again(&self, target: &Target, facts: &Facts) -> CallResult<Facts> {
        let answer = read_policy(self.environment, target).await;
        if let Err(error) = &answer
            && error.may_pass()
        {
            return Err(error.clone());
        }
        let mut fresh = facts.clone();
        match target {
            Target::Vault(_) => fresh.vault_policy = vault_policy_fact(self.failure, answer),
            Target::Key(arn) => {
                if let SourceKey::Key(key) = &mut fresh.source_key {
                    key.policy = key_policy_fact(arn, answer);
                }
            }
        }
        Ok(fresh)
    }

    async fn read_back(&self, target: &Target, plan: &Plan) -> CallResult<ReadBack> {
        let before = plan.before.as_ref().map(PolicyDocument::as_str);
        read_back(self.environment, target, before, Some(plan.after.as_str())).await
    }

    fn change(&self, plan: &Plan, now: Timestamp) -> Change {
        let job = self.failure.job();
        Change {
            id: format!("{}-{}", job.id, now.as_millisecond()),
            resource: plan.target.as_str().to_owned(),
            grantee: grantee(&plan.target, self.failure, self.settings),
            before: plan
                .before
                .as_ref()
                .map(|policy| policy.as_str().to_owned()),
            after: Some(plan.after.as_str().to_owned()),
            statements: plan
                .added
                .iter()
                .map(|statement| statement.as_str().to_owned())
                .collect(),
            at: now,
            copy_job_id: job.id.clone(),
            undoes: None,
        }
    }
}

/// Whom a change of this target admits, in the ledger's words. Copies of the same grantee need no second change.
pub(crate) fn grantee(target: &Target, failure: &Failure, settings: &Settings) -> String {
    match target {
        Target::Key(_) => failure.destination_account().to_string(),
        Target::Vault(_) => match settings.vault_scope {
            VaultScope::Role => failure.job().role.to_string(),
            VaultScope::Account => failure.job().account.to_string(),
            VaultScope::Organization | VaultScope::OrganizationalUnit => "organization".to_owned(),
        },
    }
}

/// Waits for the lease on a policy, while there is time left for a write.
pub(crate) async fn take_lease<L: Ledger>(
    clock: &impl Clock,
    ledger: &L,
    resource: &str,
    invocation: &Invocation,
) -> CallResult<Lease> {
    let (mut pause, longest) = LEASE_PAUSES;
    let mut attempt = 0_u32;
    loop {
        let now = clock.now();
        if invocation.deadline.duration_since(now) < TIME_FOR_A_WRITE {
            return Err(CallError {
                operation: "acquire the lease",
                resource: resource.to_owned(),
                kind: CallErrorKind::Throttled,
                detail: "other invocations are changing this policy".to_owned(),
            });
        }
        let until = now.saturating_add(LEASE_TIME).unwrap_or(now);
        let taken = ledger
            .acquire_lease(resource, &invocation.id, now, until)
            .await?;
        if let Some(lease) = taken {
            return Ok(lease);
        }
        clock
            .sleep(pause + jitter(&invocation.id, attempt, pause))
            .await;
        attempt = attempt.saturating_add(1);
        pause = pause.saturating_mul(2).min(longest);
    }
}

/// Up to as much again, from the invocation's id: it needs to differ, not to be random.
fn jitter(id: &str, attempt: u32, pause: Duration) -> Duration {
    let mut hasher = Sha256::new();
    hasher.update(id.as_bytes());
    hasher.update(attempt.to_be_bytes());
    let byte = hasher.finalize().first().copied().unwrap_or_default();
    pause.mul_f64(f64::from(byte) / 255.0)
}

/// Writes what the guards let through.
pub(crate) async fn put<E: Environment>(environment: &E, write: &Write) -> CallResult<()> {
    match write {
        Write::Vault(change) => {
            environment
                .backup()
                .put_backup_vault_access_policy(change)
                .await
        }
        Write::Key(change) => environment.keys().put_key_policy(change).await,
        Write::NoVaultPolicy(vault) => {
            environment
                .backup()
                .delete_backup_vault_access_policy(vault)
                .await
        }
    }
}

/// The policy's text now; `None` where there is none.
pub(crate) async fn read_policy<E: Environment>(
    environment: &E,
    target: &Target,
) -> CallResult<Option<String>> {
    match target {
        Target::Vault(vault) => {
            environment
                .backup()
                .get_backup_vault_access_policy(vault)
                .await
        }
        Target::Key(key) => environment.keys().get_key_policy(key).await,
    }
}

/// Reads a policy until it is as written. Only the old text may be a late answer; anything else is somebody's edit, and
/// waiting doesn't help.
pub(crate) async fn read_back<E: Environment>(
    environment: &E,
    target: &Target,
    before: Option<&str>,
    after: Option<&str>,
) -> CallResult<ReadBack> {
    for attempt in 0..READ_BACKS {
        if attempt > 0 {
            environment.clock().sleep(READ_BACK_PAUSE).await;
        }
        let text = read_policy(environment, target).await?;
        let as_written = match (&text, after) {
            (Some(text), Some(after)) => is_same_policy(text, after),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if as_written {
            return Ok(ReadBack::AsWritten);
        }
        if text.as_deref() != before {
            break;
        }
    }
    Ok(ReadBack::Foreign)
}

/// Records that a change was written. The statement is safe either way, so an error is only noted.
async fn confirm<L: Ledger>(
    ledger: &L,
    plan: &Plan,
    change: &Change,
    notes: &mut Vec<String>,
) -> PolicyChange {
    let sids: Vec<String> = plan
        .added
        .iter()
        .map(|statement| statement.sid().to_owned())
        .collect();
    if let Err(error) = ledger.confirm_change(change, &sids).await {
        notes.push(format!(
            "the policy was written, but the ledger did not confirm the change: {error}"
        ));
    }
    change_of(plan, true, Some(change.id.clone()))
}

/// What a policy says after it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadBack {
    /// What was written.
    AsWritten,
    /// Something else.
    Foreign,
}

/// The service may lay a stored policy out anew, so the values are compared, not the bytes.
fn is_same_policy(stored: &str, written: &str) -> bool {
    stored == written
        || matches!(
            (serde_json::from_str::<Value>(stored), serde_json::from_str::<Value>(written)),
            (Ok(stored), Ok(written)) if stored == written
        )
}
