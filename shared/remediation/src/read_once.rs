//! Reads that are made once: what was read stays read, and only what failed for a reason that passes
//! is asked again. For one investigation, or for those of one survey; nothing is kept beyond it.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use copymend_diagnosis::advisor::ServiceJob;
use copymend_diagnosis::{
    BackupVault, BackupVaultArn, CopyJob, Key, KeyAliasArn, KeyArn, Organization,
    PrincipalPolicies, RecoveryPoint, Role, SimulatedAction, Simulation, Tags,
};
use copymend_policy::{AccountId, Arn};
use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::sync::OnceCell;

use crate::asked_ahead::OrganizationAhead;
use crate::known_organizations::KnownOrganizations;
use crate::ports::{
    Backup, CallError, CallResult, Clock as _, Identities, Images, Keys, Location, Organizations,
    Reads, ResourceTags,
};

/// So many answers are kept. One investigation asks some thirty questions; the answers of many, which
/// policies make large, must not fill the memory.
const MOST_ANSWERS: usize = 4_096;

/// An environment that remembers what it was answered. Whoever asks what is being read waits for that
/// answer. Of too many answers the oldest are forgotten, and read again where they are asked for.
#[derive(Debug)]
pub struct ReadOnce<'e, E> {
    environment: &'e E,
    answers: Mutex<Answers>,
    /// The organizations of accounts that earlier investigations have read, where they count.
    organizations: Option<&'e KnownOrganizations>,
    /// What was asked for this investigation already.
    ahead: Option<&'e OrganizationAhead>,
}

/// A `CallResult` of what a call reads.
type Answer = Box<dyn Any + Send + Sync>;
/// An answer to come, or one that came.
type Slot = Arc<OnceCell<Answer>>;

/// Answers by the call and what it was asked.
#[derive(Debug, Default)]
struct Answers {
    slots: HashMap<Arc<str>, Slot>,
    /// The oldest first. A question that was forgotten meanwhile may still stand here.
    order: VecDeque<Arc<str>>,
}

impl Answers {
    fn slot(&mut self, question: String) -> (Arc<str>, Slot) {
        if let Some((question, slot)) = self.slots.get_key_value(question.as_str()) {
            return (Arc::clone(question), Arc::clone(slot));
        }
        while self.order.len() >= MOST_ANSWERS
            && let Some(oldest) = self.order.pop_front()
        {
            self.slots.remove(&oldest);
        }
        let question: Arc<str> = question.into();
        let slot = Slot::default();
        self.order.push_back(Arc::clone(&question));
        self.slots.insert(Arc::clone(&question), Arc::clone(&slot));
        (question, slot)
    }

    /// Forgets this very answer, and not one that took its place.
    fn forget(&mut self, question: &str, slot: &Slot) {
        if self
            .slots
            .get(question)
            .is_some_and(|kept| Arc::ptr_eq(kept, slot))
        {
            self.slots.remove(question);
        }
    }
}

impl<'e, E: Reads> ReadOnce<'e, E> {
    /// The environment, with nothing read yet.
    #[must_use]
    pub fn of(environment: &'e E) -> Self {
        Self {
            environment,
            answers: Mutex::default(),
            organizations: None,
            ahead: None,
        }
    }

    /// The same, with the organizations that earlier investigations have read.
    #[must_use]
    pub(crate) fn knowing(self, organizations: &'e KnownOrganizations) -> Self {
        Self {
            organizations: Some(organizations),
            ..self
        }
    }

    /// The same, with what was asked for this investigation already.
    #[must_use]
    pub(crate) fn after(self, ahead: Option<&'e OrganizationAhead>) -> Self {
        Self { ahead, ..self }
    }

    /// The environment that is asked.
    pub(crate) const fn environment(&self) -> &'e E {
        self.environment
    }

    /// The answer to a call, which is made where nobody has asked it yet.
    ///
    /// The call is boxed, and all calls are waited for in one place: an investigation asks dozens of questions side by side,
    /// and its future would carry each call several times over.
    pub(crate) fn once<'a, T: Clone + Send + Sync + 'static>(
        &'a self,
        call: &'static str,
        asked: &(dyn Debug + Sync),
        read: impl Future<Output = CallResult<T>> + Send + 'a,
    ) -> impl Future<Output = CallResult<T>> + Send + 'a {
        let question = format!("{call}{asked:?}");
        let read: Pin<Box<dyn Future<Output = Answer> + Send + 'a>> =
            Box::pin(read.map(|answer| -> Answer { Box::new(answer) }));
        async move {
            let (question, slot) = self.read(question, read).await;
            let answer: Option<&CallResult<T>> = slot.get().and_then(|kept| kept.downcast_ref());
            // INVARIANT: a question names its call, and a call has one type of answer.
            let Some(answer) = answer.cloned() else {
                return Err(CallError::new(
                    call,
                    &question,
                    crate::ports::CallErrorKind::Failed,
                    "two calls share a name",
                ));
            };
            if answer.as_ref().is_err_and(CallError::may_pass) {
                self.answers().forget(&question, &slot);
            }
            answer
        }
    }

    /// The question's slot, with its answer in it.
    async fn read(
        &self,
        question: String,
        read: Pin<Box<dyn Future<Output = Answer> + Send + '_>>,
    ) -> (Arc<str>, Slot) {
        let (question, slot) = self.answers().slot(question);
        slot.get_or_init(|| read).await;
        (question, slot)
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Methods that ask the environment's port once.
macro_rules! once {
    ($of:ident: $($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {
        $(async fn $name(&self, $($argument: $kind),*) -> CallResult<$answer> {
            let asked = ($($argument,)*);
            self.once(stringify!($name), &asked, self.environment.$of().$name($($argument),*)).await
        })*
    };
}

impl<E: Reads> Backup for ReadOnce<'_, E> {
    once! { backup:
        describe_copy_job(location: &Location, copy_job_id: &str) -> Option<CopyJob>;
        list_failed_copy_jobs(location: &Location, since: Timestamp) -> Vec<String>;
        describe_recovery_point(location: &Location, vault_name: &str, recovery_point: &Arn) -> Option<RecoveryPoint>;
        describe_backup_vault(vault: &BackupVaultArn) -> Option<BackupVault>;
        get_backup_vault_access_policy(vault: &BackupVaultArn) -> Option<String>;
        list_vault_tags(vault: &BackupVaultArn) -> Tags;
        list_recovery_point_tags(location: &Location, recovery_point: &Arn) -> Tags;
        describe_backup_job(location: &Location, backup_job_id: &str) -> Option<ServiceJob>;
        describe_restore_job(location: &Location, restore_job_id: &str) -> Option<ServiceJob>;
        is_cross_account_backup_enabled(location: &Location) -> bool;
    }
}

impl<E: Reads> Keys for ReadOnce<'_, E> {
    once! { keys:
        describe_key(key: &KeyArn) -> Option<Key>;
        key_of_alias(alias: &KeyAliasArn) -> Option<KeyArn>;
        get_key_policy(key: &KeyArn) -> Option<String>;
        list_key_policies(key: &KeyArn) -> Vec<String>;
        list_key_tags(key: &KeyArn) -> Tags;
    }
}

impl<E: Reads> Identities for ReadOnce<'_, E> {
    once! { identities:
        get_role(account: AccountId, partition: &str, name: &str) -> Option<Role>;
        simulate_principal_policy(simulation: &Simulation) -> Vec<SimulatedAction>;
        principal_policies(principal: &Arn) -> Option<PrincipalPolicies>;
    }
}

impl<E: Reads> Organizations for ReadOnce<'_, E> {
    async fn describe_organization(
        &self,
        account: AccountId,
        partition: &str,
    ) -> CallResult<Option<Organization>> {
        let ports = self.environment.organizations();
        let read = ports.describe_organization(account, partition);
        let read = async {
            match self.organizations {
                Some(known) => {
                    let now = self.environment.clock().now();
                    known.of((account, partition), now, read).await
                }
                None => read.await,
            }
        };
        let read = async {
            match self.ahead {
                Some(ahead) => ahead.of((account, partition), read).await,
                None => read.await,
            }
        };
        self.once("describe_organization", &(account, partition), read)
            .await
    }

    once! { organizations:
        effective_tag_policy(account: AccountId, partition: &str) -> Option<String>;
        list_parents(reader: AccountId, account: AccountId, partition: &str) -> Vec<String>;
    }
}

impl<E: Reads> Images for ReadOnce<'_, E> {
    async fn image_keys(
        &self,
        location: &Location,
        image: &Arn,
    ) -> CallResult<Option<Vec<KeyArn>>> {
        let read = async {
            match self.environment.images() {
                Some(images) => images.image_keys(location, image).await,
                None => Ok(None),
            }
        };
        self.once("image_keys", &(location, image), read).await
    }
}

impl<E: Reads> ResourceTags for ReadOnce<'_, E> {
    async fn tags_of(&self, location: &Location, resource: &Arn) -> CallResult<Option<Tags>> {
        let read = async {
            match self.environment.resource_tags() {
                Some(tags) => tags.tags_of(location, resource).await,
                None => Ok(None),
            }
        };
        self.once("tags_of", &(location, resource), read).await
    }
}

impl<E: Reads> Reads for ReadOnce<'_, E> {
    type Backup = Self;
    type Keys = Self;
    type Identities = Self;
    type Organizations = Self;
    type Images = Self;
    type ResourceTags = Self;
    type Notifier = E::Notifier;
    type Ledger = E::Ledger;
    type Clock = E::Clock;

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
        self.environment.images().map(|_| self)
    }

    fn resource_tags(&self) -> Option<&Self> {
        self.environment.resource_tags().map(|_| self)
    }

    fn organization_reader(&self) -> Option<AccountId> {
        self.environment.organization_reader()
    }

    fn notifier(&self) -> &E::Notifier {
        self.environment.notifier()
    }

    fn ledger(&self) -> Option<&E::Ledger> {
        self.environment.ledger()
    }

    fn clock(&self) -> &E::Clock {
        self.environment.clock()
    }
}
