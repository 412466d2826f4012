//! The sandbox: a world behind the ports.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use copymend_policy::{AccountId, Arn};
use copymend_remediation::ports::{CallErrorKind, Clock, Environment, Location, Reads};
use jiff::Timestamp;
use serde_json::Value;

use crate::calls::{Calls, Write};
use crate::clock::SandboxClock;
use crate::delayed_retries::MemoryDelayedRetries;
use crate::event::event_of;
use crate::ledger::MemoryLedger;
use crate::notifier::MemoryNotifier;
use crate::own_calls::{self, Asked};
use crate::ports::Person;
use crate::world::World;

/// Something to do to the world at the start of a call.
type Hook = Box<dyn FnOnce(&mut World) + Send>;

/// An environment in memory. Clones share everything.
///
/// ```
/// use copymend_remediation::ports::Reads;
/// use copymend_sandbox::{Sandbox, World};
///
/// let sandbox = Sandbox::new(World::default_world());
/// let failed = sandbox.with_world(|world| {
///     world.copy_jobs().iter().find(|job| job.failure().is_some()).map(|job| job.id.clone())
/// });
/// let event = failed.and_then(|id| sandbox.event_for(&id));
/// assert_eq!(event.unwrap()["detail"]["state"], "FAILED");
/// assert!(sandbox.ledger().is_some());
/// ```
#[derive(Clone)]
pub struct Sandbox {
    world: Arc<Mutex<World>>,
    pub(crate) calls: Calls,
    pub(crate) clock: SandboxClock,
    notifier: MemoryNotifier,
    ledger: Option<MemoryLedger>,
    reads_images: bool,
    reads_tags: bool,
    organization_reader: Option<AccountId>,
    delayed_retries: Option<MemoryDelayedRetries>,
    pub(crate) tokens: Arc<Mutex<BTreeMap<String, String>>>,
    hooks: Arc<Mutex<Vec<(String, Hook)>>>,
    /// How many key policies were read.
    turn: Arc<AtomicUsize>,
    page_size: Option<usize>,
    people: Arc<Mutex<Vec<Person>>>,
}

impl Sandbox {
    /// A sandbox around this world. Its clock stands at the world's time.
    #[must_use]
    pub fn new(world: World) -> Self {
        let calls = Calls::default();
        Self {
            clock: SandboxClock::new(world.time()),
            world: Arc::new(Mutex::new(world)),
            notifier: MemoryNotifier::new(calls.clone()),
            ledger: Some(MemoryLedger::new(calls.clone())),
            reads_images: false,
            reads_tags: false,
            organization_reader: None,
            delayed_retries: None,
            calls,
            tokens: Arc::default(),
            hooks: Arc::default(),
            turn: Arc::default(),
            page_size: None,
            people: Arc::default(),
        }
    }

    /// The same sandbox without a ledger, as if no table were set.
    #[must_use]
    pub fn without_ledger(mut self) -> Self {
        self.ledger = None;
        self
    }

    /// Lets AWS STS know somebody.
    pub fn meet(&self, person: Person) {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        people.push(person);
    }

    pub(crate) fn person(&self, access_key_id: &str) -> Option<Person> {
        let people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let mut people = people.iter();
        people
            .find(|person| person.access_key_id == access_key_id)
            .cloned()
    }

    /// Lets AWS Backup forget the tokens of the copies that were started: for how long it remembers
    /// one isn't documented.
    pub fn forget_tokens(&self) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.clear();
    }

    /// The same sandbox whose lists come in pages of so many, with empty ones among them.
    #[must_use]
    pub const fn in_pages_of(mut self, size: usize) -> Self {
        self.page_size = Some(if size == 0 { 1 } else { size });
        self
    }

    /// The length of a page, where it isn't AWS's.
    pub(crate) const fn page_size(&self) -> Option<usize> {
        self.page_size
    }

    /// The same sandbox with a queue of delayed retries.
    #[must_use]
    pub fn with_delayed_retries(mut self) -> Self {
        let queue = MemoryDelayedRetries::new(self.calls.clone(), self.clock.clone());
        self.delayed_retries = Some(queue);
        self
    }

    /// The same sandbox as the setting `COPYMEND_READ_IMAGES` has it: whether the snapshots of
    /// images are read.
    #[must_use]
    pub const fn reading_images(mut self, reads: bool) -> Self {
        self.reads_images = reads;
        self
    }

    /// The same sandbox as the setting `COPYMEND_READ_TAGS` has it: whether the tags of snapshots and
    /// images are read.
    #[must_use]
    pub const fn reading_tags(mut self, reads: bool) -> Self {
        self.reads_tags = reads;
        self
    }

    /// The same sandbox as the setting `COPYMEND_ORGANIZATION_READER` has it: where the places of
    /// accounts in their organization are asked.
    #[must_use]
    pub const fn reading_paths_in(mut self, reader: Option<AccountId>) -> Self {
        self.organization_reader = reader;
        self
    }

    /// The same sandbox with its clock at another time.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        self.clock.set(now);
        self
    }

    pub(crate) fn next_turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads or changes the world. What happens in here is nobody's call: it is neither counted nor
    /// recorded.
    pub fn with_world<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        work(&mut self.world())
    }

    /// The EventBridge event of a copy job; `None` where there is no such job.
    #[must_use]
    pub fn event_for(&self, copy_job_id: &str) -> Option<Value> {
        self.world().copy_job(copy_job_id).map(event_of)
    }

    /// The EventBridge event of a copy job, by its id or its name; `None` where there is no such
    /// job.
    #[must_use]
    pub fn event_named(&self, name: &str) -> Option<Value> {
        self.world().copy_job_named(name).map(event_of)
    }

    /// AWS's words where it would refuse a call that Copymend makes on a vault, key or role, such
    /// as `backup:PutBackupVaultAccessPolicy`. AWS remembers the refusal for a while. Nothing where
    /// it lets Copymend.
    #[must_use]
    pub fn refusal(&self, operation: &str, resource: &Arn) -> Option<String> {
        let region = own_calls::global_region(resource.partition());
        self.refusal_in(resource.account_id()?, region, operation, Some(resource))
    }

    /// The same of a call in an account and Region, on this resource or on none.
    #[must_use]
    pub fn refusal_at(
        &self,
        operation: &str,
        at: &Location,
        resource: Option<&Arn>,
    ) -> Option<String> {
        self.refusal_in(at.account, &at.region, operation, resource)
    }

    /// Whether Copymend gets into an account through a role of this name: where the world names
    /// Copymend's roles, that is one of the account's, and the member role can be assumed there. An
    /// administrator gets into every account of the world.
    #[must_use]
    pub fn lets_in(&self, account: AccountId, role: &str) -> bool {
        let at = self.clock.now();
        let world = self.world();
        let Some(found) = world.account(account) else {
            return false;
        };
        world.copymend().is_none()
            || (found.roles.contains_key(role)
                && own_calls::copymend_gets_into(&world, account, at))
    }

    fn refusal_in(
        &self,
        account: AccountId,
        region: &str,
        operation: &str,
        resource: Option<&Arn>,
    ) -> Option<String> {
        let named = resource.map_or("*", Arn::as_str);
        let mut world = self.world();
        let asked = Asked {
            account,
            action: operation,
            resource: own_calls::resource_of(&world, operation, named, account),
            region,
            vault: None,
            at: self.clock.now(),
            keys: own_calls::keys_of(operation),
        };
        own_calls::refusal(&mut world, &asked)
    }

    /// The calls so far.
    #[must_use]
    pub const fn calls(&self) -> &Calls {
        &self.calls
    }

    /// The writes so far, oldest first.
    #[must_use]
    pub fn writes(&self) -> Vec<Write> {
        self.calls.writes()
    }

    /// Makes every call of an operation fail from now on, such as `kms:GetKeyPolicy`.
    pub fn fail(&self, operation: &str, kind: CallErrorKind) {
        self.calls.fail(operation, kind);
    }

    /// Lets someone else act on the world right before the next call of an operation, as a foreign
    /// writer would.
    pub fn before_next(&self, operation: &str, act: impl FnOnce(&mut World) + Send + 'static) {
        self.hooks().push((operation.to_owned(), Box::new(act)));
    }

    fn hooks(&self) -> MutexGuard<'_, Vec<(String, Hook)>> {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn run_hook(&self, operation: &str) {
        let hook = {
            let mut hooks = self.hooks();
            let at = hooks.iter().position(|(name, _)| name == operation);
            at.map(|at| hooks.remove(at).1)
        };
        if let Some(hook) = hook {
            self.with_world(hook);
        }
    }
}

impl Reads for Sandbox {
    type Backup = Self;
    type Keys = Self;
    type Identities = Self;
    type Organizations = Self;
    type Images = Self;
    type ResourceTags = Self;
    type Notifier = MemoryNotifier;
    type Ledger = MemoryLedger;
    type Clock = SandboxClock;

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
        self.reads_images.then_some(self)
    }

    fn resource_tags(&self) -> Option<&Self> {
        self.reads_tags.then_some(self)
    }

    fn organization_reader(&self) -> Option<AccountId> {
        self.organization_reader
    }

    fn notifier(&self) -> &MemoryNotifier {
        &self.notifier
    }

    fn ledger(&self) -> Option<&MemoryLedger> {
        self.ledger.as_ref()
    }

    fn clock(&self) -> &SandboxClock {
        &self.clock
    }
}

impl Environment for Sandbox {
    type DelayedRetries = MemoryDelayedRetries;
    type Callers = Self;

    fn delayed_retries(&self) -> Option<&MemoryDelayedRetries> {
        self.delayed_retries.as_ref()
    }

    fn callers(&self) -> &Self {
        self
    }
}
