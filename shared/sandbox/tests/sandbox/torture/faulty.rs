//! An environment around another one, in which one call goes wrong.

mod channels;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use copymend_diagnosis::advisor::ServiceJob;
use copymend_diagnosis::{
    BackupVault, BackupVaultArn, CopyJob, Key, KeyAliasArn, KeyArn, Organization,
    PrincipalPolicies, RecoveryPoint, Role, SimulatedAction, Tags,
};
use copymend_policy::{AccountId, Arn};
use copymend_remediation::approval::{
    ApprovalRequest, ApprovalRequests, CallerIdentity, Callers, FreshIdentity, RequestState,
    SignedWords,
};
use copymend_remediation::later::DelayedRetry;
use copymend_remediation::ledger::{
    Admission, BeforeWrite, Change, ChangeState, ClosedIncident, Count, CountState, CountedAs,
    CountedOfSource, Finish, JobEntry, JobProgress, Lease, LeaseAfter, Ledger, LeftOut,
    LeftOutMessages, MessagesOf, Occurrence, Pause, PolicyHistory, RecallAsked, Recalled,
    RecordedSettings, Refusal, RetryClaim, RetryClaimed, RetryRecord, SettingsNotice, StartedAgain,
    StartedAgainEnd, ToldOfPlace, ToldPreflights, Turns,
};
use copymend_remediation::message::{Channel, Channels};
use copymend_remediation::ports::{
    Backup, BackupWrites, CallError, CallErrorKind, CallResult, Clock, DelayedRetries, Environment,
    Identities, IdentityWrites, Images, KeyWrites, Keys, Location, Organizations, Reads,
    ResourceTags, Simulation,
};
use copymend_remediation::records::{ChangeRecord, Records, RecordsAsked, RecordsFound};
use copymend_remediation::write::{
    ApprovedCopy, ApprovedKeyPolicy, ApprovedServiceLinkedRole, ApprovedVaultPolicy,
};
use copymend_sandbox::{Sandbox, World};
use jiff::{SignedDuration, Timestamp};

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is refused before it does anything.
    Refused(CallErrorKind),
    /// It is done, but its answer is lost.
    AnswerLost(CallErrorKind),
    /// The process dies before it.
    KilledBefore,
    /// The process dies after it.
    KilledAfter,
}

pub(crate) const FAULTS: [Fault; 7] = [
    Fault::Refused(CallErrorKind::Throttled),
    Fault::Refused(CallErrorKind::Unavailable),
    Fault::Refused(CallErrorKind::Timeout),
    Fault::Refused(CallErrorKind::AccessDenied),
    Fault::AnswerLost(CallErrorKind::Unavailable),
    Fault::KilledBefore,
    Fault::KilledAfter,
];

/// The payload with which a process "dies": the test catches it where the function would end.
pub(crate) struct Killed;

/// What somebody else does to the world.
pub(crate) type Act = Box<dyn FnOnce(&mut World) + Send>;

#[derive(Default)]
struct State {
    calls: AtomicUsize,
    /// The number of the call, from 0, before which somebody else acts.
    meanwhile: Mutex<Option<(usize, Act)>>,
    /// The number of the call, from 0, and what happens to it.
    fault: Mutex<Option<(usize, Fault)>>,
    made: Mutex<Vec<&'static str>>,
    sent_at: Mutex<Vec<Timestamp>>,
    lost: Mutex<BTreeMap<Channel, CallErrorKind>>,
}

/// The sandbox, with one faulty call. Clones share everything.
#[derive(Clone)]
pub(crate) struct Faulty {
    inner: Sandbox,
    state: Arc<State>,
    /// Many tasks share the sandbox's clock: were each to move it while it waits, leases would run
    /// out.
    still: bool,
    /// The time of this clone alone, where it has one: what it waits for keeps no other waiting.
    own_time: Option<Arc<Mutex<Timestamp>>>,
    /// Held while a call of an AWS service is on its way, where only one at a time is let through.
    turn: Option<Arc<tokio::sync::Mutex<()>>>,
}

impl Faulty {
    pub(crate) fn new(inner: Sandbox) -> Self {
        Self {
            inner,
            state: Arc::default(),
            still: false,
            own_time: None,
            turn: None,
        }
    }

    /// The same, letting through one call at a time: what is made side by side waits in a queue.
    pub(crate) fn one_at_a_time(mut self) -> Self {
        self.turn = Some(Arc::default());
        self
    }

    async fn turn(&self) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        match &self.turn {
            Some(turn) => Some(turn.lock().await),
            None => None,
        }
    }

    /// The same with a clock that stands while tasks wait for each other.
    pub(crate) fn with_still_clock(mut self) -> Self {
        self.still = true;
        self
    }

    /// The same with a time of its own.
    pub(crate) fn with_time(mut self, time: Arc<Mutex<Timestamp>>) -> Self {
        self.own_time = Some(time);
        self
    }

    /// When messages were sent, by the clocks of those who sent them.
    pub(crate) fn sent_at(&self) -> Vec<Timestamp> {
        self.state.sent_at.lock().unwrap().clone()
    }

    /// Lets the call with this number, counted from 0, go wrong. Calls are counted anew.
    pub(crate) fn break_call(&self, number: usize, fault: Fault) {
        self.state.calls.store(0, Ordering::SeqCst);
        *self.state.fault.lock().unwrap() = Some((number, fault));
    }

    /// Lets somebody else change the world right before the call with this number, counted from 0. Calls
    /// are counted anew.
    pub(crate) fn before_call(&self, number: usize, act: impl FnOnce(&mut World) + Send + 'static) {
        self.state.calls.store(0, Ordering::SeqCst);
        *self.state.meanwhile.lock().unwrap() = Some((number, Box::new(act)));
    }

    /// The sandbox behind it.
    pub(crate) const fn sandbox(&self) -> &Sandbox {
        &self.inner
    }

    /// The names of the calls so far.
    pub(crate) fn made(&self) -> Vec<&'static str> {
        self.state.made.lock().unwrap().clone()
    }

    fn begin(&self, operation: &'static str) -> CallResult<Option<Fault>> {
        let number = self.state.calls.fetch_add(1, Ordering::SeqCst);
        self.state.made.lock().unwrap().push(operation);
        let act = self
            .state
            .meanwhile
            .lock()
            .unwrap()
            .take_if(|(due, _)| *due == number);
        if let Some((_, act)) = act {
            self.inner.with_world(act);
        }
        let fault = self
            .state
            .fault
            .lock()
            .unwrap()
            .filter(|(broken, _)| *broken == number)
            .map(|(_, fault)| fault);
        match fault {
            Some(Fault::Refused(kind)) => Err(error(operation, kind)),
            Some(Fault::KilledBefore) => std::panic::resume_unwind(Box::new(Killed)),
            Some(Fault::AnswerLost(_) | Fault::KilledAfter) | None => Ok(fault),
        }
    }
}

fn error(operation: &'static str, kind: CallErrorKind) -> CallError {
    CallError {
        operation,
        resource: "faulty".to_owned(),
        kind,
        detail: "made to fail".to_owned(),
    }
}

fn end<T>(operation: &'static str, fault: Option<Fault>, answer: CallResult<T>) -> CallResult<T> {
    match fault {
        Some(Fault::AnswerLost(kind)) => Err(error(operation, kind)),
        Some(Fault::KilledAfter) => std::panic::resume_unwind(Box::new(Killed)),
        Some(Fault::Refused(_) | Fault::KilledBefore) | None => answer,
    }
}

/// Methods that only pass the call on, with a fault before or after it.
macro_rules! passed_on {
    // The sandbox always has a ledger here.
    (@to ledger, $self:ident) => { $self.inner.ledger().unwrap() };
    (@to $of:ident, $self:ident) => { $self.inner.$of() };
    ($of:ident: $($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {
        $(async fn $name(&self, $($argument: $kind),*) -> CallResult<$answer> {
            let _turn = self.turn().await;
            let fault = self.begin(stringify!($name))?;
            let answer = passed_on!(@to $of, self).$name($($argument),*).await;
            end(stringify!($name), fault, answer)
        })*
    };
}

impl Backup for Faulty {
    passed_on! { backup:
        describe_copy_job(location: &Location, id: &str) -> Option<CopyJob>;
        list_failed_copy_jobs(location: &Location, since: Timestamp) -> Vec<String>;
        describe_recovery_point(location: &Location, vault: &str, point: &Arn) -> Option<RecoveryPoint>;
        describe_backup_vault(vault: &BackupVaultArn) -> Option<BackupVault>;
        get_backup_vault_access_policy(vault: &BackupVaultArn) -> Option<String>;
        list_vault_tags(vault: &BackupVaultArn) -> Tags;
        list_recovery_point_tags(location: &Location, point: &Arn) -> Tags;
        describe_backup_job(location: &Location, id: &str) -> Option<ServiceJob>;
        describe_restore_job(location: &Location, id: &str) -> Option<ServiceJob>;
        is_cross_account_backup_enabled(location: &Location) -> bool;
    }
}

impl BackupWrites for Faulty {
    passed_on! { backup:
        put_backup_vault_access_policy(change: &ApprovedVaultPolicy) -> ();
        start_copy_job(copy: &ApprovedCopy) -> String;
    }
}

impl Keys for Faulty {
    passed_on! { keys:
        describe_key(key: &KeyArn) -> Option<Key>;
        key_of_alias(alias: &KeyAliasArn) -> Option<KeyArn>;
        get_key_policy(key: &KeyArn) -> Option<String>;
        list_key_policies(key: &KeyArn) -> Vec<String>;
        list_key_tags(key: &KeyArn) -> Tags;
    }
}

impl KeyWrites for Faulty {
    passed_on! { keys:
        put_key_policy(change: &ApprovedKeyPolicy) -> ();
    }
}

impl Identities for Faulty {
    passed_on! { identities:
        get_role(account: AccountId, partition: &str, name: &str) -> Option<Role>;
        simulate_principal_policy(simulation: &Simulation) -> Vec<SimulatedAction>;
        principal_policies(principal: &Arn) -> Option<PrincipalPolicies>;
    }
}

impl IdentityWrites for Faulty {
    passed_on! { identities:
        create_service_linked_role(role: &ApprovedServiceLinkedRole) -> ();
    }
}

impl Organizations for Faulty {
    passed_on! { organizations:
        describe_organization(account: AccountId, partition: &str) -> Option<Organization>;
        effective_tag_policy(account: AccountId, partition: &str) -> Option<String>;
        list_parents(reader: AccountId, account: AccountId, partition: &str) -> Vec<String>;
    }
}

impl Images for Faulty {
    async fn image_keys(
        &self,
        location: &Location,
        image: &Arn,
    ) -> CallResult<Option<Vec<KeyArn>>> {
        let fault = self.begin("image_keys")?;
        let answer = match self.inner.images() {
            Some(images) => images.image_keys(location, image).await,
            None => Ok(None),
        };
        end("image_keys", fault, answer)
    }
}

impl ResourceTags for Faulty {
    async fn tags_of(&self, location: &Location, resource: &Arn) -> CallResult<Option<Tags>> {
        let fault = self.begin("tags_of")?;
        let answer = match self.inner.resource_tags() {
            Some(tags) => tags.tags_of(location, resource).await,
            None => Ok(None),
        };
        end("tags_of", fault, answer)
    }
}

impl LeftOutMessages for Faulty {
    passed_on! { ledger:
        leave_out(of: MessagesOf, cause: &str, id: &str, now: Timestamp) -> bool;
        claim_left_out(of: MessagesOf, owner: &str, now: Timestamp, until: Timestamp) -> Option<LeftOut>;
        forget_left_out(of: MessagesOf, owner: &str) -> ();
    }
}

impl Turns for Faulty {
    passed_on! { ledger:
        take_turn(now: Timestamp, longest: SignedDuration) -> Option<Timestamp>;
    }
}

impl ToldPreflights for Faulty {
    passed_on! { ledger:
        told_of_place(at: &Location) -> Option<ToldOfPlace>;
        record_told_of_place(at: &Location, told: &ToldOfPlace, now: Timestamp) -> ();
    }
}

impl ApprovalRequests for Faulty {
    passed_on! { ledger:
        keep_request(request: &ApprovalRequest, only_if_none_is_open: bool) -> bool;
        withdraw_request(request: &ApprovalRequest) -> ();
        request(id: &str) -> Option<(ApprovalRequest, RequestState)>;
        answer_request(request: &ApprovalRequest, before: &RequestState, after: &RequestState, refusal: Option<&Refusal>) -> bool;
    }
}

impl Callers for Faulty {
    async fn who_signed(
        &self,
        identity: &FreshIdentity,
        words: &SignedWords,
    ) -> CallResult<CallerIdentity> {
        let fault = self.begin("who_signed")?;
        let answer = self.inner.who_signed(identity, words).await;
        end("who_signed", fault, answer)
    }
}

impl Records for Faulty {
    passed_on! { ledger:
        records(asked: &RecordsAsked) -> RecordsFound;
        change_record(id: &str) -> Option<ChangeRecord>;
    }
}

impl Ledger for Faulty {
    passed_on! { ledger:
        begin_job(id: &str, owner: &str, now: Timestamp, until: Timestamp) -> JobEntry;
        take_job(id: &str, owner: &str, now: Timestamp, until: Timestamp) -> Option<JobProgress>;
        progress_of_job(id: &str) -> Option<JobProgress>;
        outcome_of_job(id: &str) -> Option<String>;
        recall(asked: &RecallAsked, owner: &str, now: Timestamp) -> Recalled;
        finish_job(id: &str, owner: &str, finish: &Finish, now: Timestamp) -> ();
        abandon_job(id: &str, owner: &str, count: CountState) -> ();
        count_occurrence(count: Count<'_>, now: Timestamp) -> Occurrence;
        record_count(id: &str, owner: &str, counted: &CountedAs) -> ();
        record_told(id: &str, owner: &str, on: &Channels) -> ();
        close_incident(id: &str) -> Option<ClosedIncident>;
        forget_incident(incident: &ClosedIncident, id: &str, now: Timestamp) -> ();
        acquire_lease(resource: &str, owner: &str, now: Timestamp, until: Timestamp) -> Option<Lease>;
        release_lease(lease: Lease) -> ();
        is_leased(lease: &Lease) -> bool;
        count_of_source(what: CountedOfSource, source: AccountId, budget: u32, now: Timestamp) -> bool;
        policy_history(resource: &str, now: Timestamp) -> PolicyHistory;
        before_write(resource: &str, source: AccountId, now: Timestamp) -> BeforeWrite;
        intend_change(change: &Change, owner: &str, source: Option<(AccountId, u32)>) -> bool;
        confirm_change(change: &Change, sids: &[String], lease: Option<(&Lease, LeaseAfter)>) -> ();
        change(id: &str) -> Option<(Change, ChangeState)>;
        lift_refusal(resource: &str, refusal: &Refusal, by: Option<&str>, now: Timestamp) -> ();
        pause(now: Timestamp) -> Option<Pause>;
        set_pause(pause: &Pause) -> ();
        lift_pause(by: Option<&str>, now: Timestamp) -> bool;
        claim_settings_notice(settings: &RecordedSettings, owner: &str, now: Timestamp, until: Timestamp) -> Option<SettingsNotice>;
        record_settings(settings: &RecordedSettings, owner: &str) -> ();
        last_change() -> Option<String>;
        admitted_at(resource: &str, grantee: &str) -> Option<Admission>;
        record_opted_out_key(source: AccountId, now: Timestamp) -> ();
        claim_retry(claim: &RetryClaim<'_>, now: Timestamp) -> RetryClaimed;
        record_retried_job(retried: &str, record: &RetryRecord, now: Timestamp) -> ();
        finish_started_again(started: &StartedAgain<'_>, now: Timestamp) -> StartedAgainEnd;
        retry_of(id: &str) -> Option<RetryRecord>;
    }
}

impl DelayedRetries for Faulty {
    async fn send(&self, message: &DelayedRetry, delay: Duration) -> CallResult<()> {
        let fault = self.begin("send")?;
        let answer = match self.inner.delayed_retries() {
            Some(queue) => queue.send(message, delay).await,
            None => Ok(()),
        };
        end("send", fault, answer)
    }
}

impl Environment for Faulty {
    type DelayedRetries = Self;
    type Callers = Self;

    fn delayed_retries(&self) -> Option<&Self> {
        self.inner.delayed_retries().map(|_| self)
    }

    fn callers(&self) -> &Self {
        self
    }
}

impl Clock for Faulty {
    fn now(&self) -> Timestamp {
        match &self.own_time {
            Some(time) => *time.lock().unwrap(),
            None => self.inner.clock().now(),
        }
    }

    async fn sleep(&self, time: Duration) {
        if let Some(own) = &self.own_time {
            let mut own = own.lock().unwrap();
            *own = own.checked_add(time).unwrap();
        } else if self.still {
            tokio::task::yield_now().await;
        } else {
            self.inner.clock().sleep(time).await;
        }
    }

    async fn until(&self, at: Timestamp) {
        self.inner.clock().until(at).await;
    }
}

impl Reads for Faulty {
    type Backup = Self;
    type Keys = Self;
    type Identities = Self;
    type Organizations = Self;
    type Images = Self;
    type ResourceTags = Self;
    type Notifier = Self;
    type Ledger = Self;
    type Clock = Self;

    fn backup(&self) -> &Self {
        self
    }
    fn keys(&self) -> &Self {
        self
    }
    fn identities(&self) -> &Self {
        self
    }
    fn organizations(&self) -> &Self {
        self
    }
    fn images(&self) -> Option<&Self> {
        self.inner.images().map(|_| self)
    }
    fn resource_tags(&self) -> Option<&Self> {
        self.inner.resource_tags().map(|_| self)
    }
    fn organization_reader(&self) -> Option<AccountId> {
        self.inner.organization_reader()
    }
    fn notifier(&self) -> &Self {
        self
    }
    fn ledger(&self) -> Option<&Self> {
        Some(self)
    }
    fn clock(&self) -> &Self {
        self
    }
}
