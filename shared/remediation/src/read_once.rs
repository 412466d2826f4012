//! Reads that are made once: what was read stays read, and only what failed for a reason that passes
//! is asked again. For one investigation; nothing is kept beyond it.

use std::any::Any;
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

use copymend_diagnosis::advisor::ServiceJob;
use copymend_diagnosis::{
    BackupVault, BackupVaultArn, CopyJob, Key, KeyAliasArn, KeyArn, Organization,
    PrincipalPolicies, RecoveryPoint, Role, SimulatedAction, Simulation, Tags,
};
use copymend_policy::{AccountId, Arn};
use jiff::Timestamp;

use crate::ports::{
    Backup, CallError, CallResult, Identities, Images, Keys, Location, Organizations, Reads,
    ResourceTags,
};

/// An environment that remembers what it was answered.
pub(crate) struct ReadOnce<'e, E> {
    environment: &'e E,
    /// Answers by the call and what it was asked.
    answers: Mutex<HashMap<String, Box<dyn Any + Send>>>,
}

impl<'e, E: Reads> ReadOnce<'e, E> {
    pub(crate) fn of(environment: &'e E) -> Self {
        Self {
            environment,
            answers: Mutex::default(),
        }
    }

    async fn once<T: Clone + Send + 'static>(
        &self,
        call: &'static str,
        asked: &(dyn Debug + Sync),
        read: impl Future<Output = CallResult<T>> + Send,
    ) -> CallResult<T> {
        let question = format!("{call}{asked:?}");
        if let Some(answer) = self.answer(&question) {
            return answer;
        }
        let answer = read.await;
        let passes = answer.as_ref().is_err_and(CallError::may_pass);
        if !passes {
            let kept = Box::new(answer.clone());
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            answers.insert(question, kept);
        }
        answer
    }

    fn answer<T: Clone + 'static>(&self, question: &str) -> Option<CallResult<T>> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(question)?.downcast_ref().cloned()
    }
}

/// Methods that ask the environment's port once.
macro_rules! once {
    ($of:ident: $($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {
        $(async fn $name(&self, $($argument: $kind),*) -> CallResult<$answer> {
            let read = self.environment.$of().$name($($argument),*);
            self.once(stringify!($name), &($($argument,)*), read).await
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
    once! { organizations:
        describe_organization(account: AccountId, partition: &str) -> Option<Organization>;
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
