//! A copy that another copy's repair admits: it is not investigated, and only has to be started
//! again. This is what makes a storm of failures cheap.

use copymend_diagnosis::{Fact, Failure, Tags};
use copymend_policy::{NewStatement, PolicyDocument};
use serde_json::Value;

use crate::decide::Investigated;
use crate::guards::{Act, Question, ask_all, is_opt_out};
use crate::handler::CopyRemediator;
use crate::history::History;
use crate::later::Arrival;
use crate::ledger::Ledger;
use crate::plan::{Target, holds, vault_grant};
use crate::ports::{Backup, CallResult, Environment, Keys};
use crate::settings::Settings;

impl<E: Environment> CopyRemediator<E> {
    /// That the repair which admits this copy stands, and nothing keeps the copy from being started
    /// again. Otherwise the whole way tells why.
    ///
    /// # Errors
    ///
    /// Where a read failed for a reason that passes, and the event can be put off: investigated instead, a
    /// storm would ask a throttled service even more. Where it can't, the copy goes the whole way.
    pub(crate) async fn still_admitted(
        &self,
        failure: &Failure,
        history: &History,
        arrival: Arrival<'_>,
    ) -> CallResult<Option<Investigated>> {
        let admitted = self.admitted_by(failure, history).await;
        let is_put_off = self.may_put_off() && !arrival.is_the_last();
        match admitted {
            Err(error) if error.may_pass() && !is_put_off => Ok(None),
            other => other,
        }
    }

    async fn admitted_by(
        &self,
        failure: &Failure,
        history: &History,
    ) -> CallResult<Option<Investigated>> {
        let Some(by) = history.earlier_repair.clone().map(Box::new) else {
            return Ok(None);
        };
        let (admits, vault_tags, key_tags) = tokio::join!(
            self.still_admits(&by.target, failure),
            self.tags_of_vault(failure),
            self.key_tags(&by.target, failure, history)
        );
        let (Some(admits), Some(vault_tags), Some(key_tags)) = (
            unless_it_passes(admits)?,
            unless_it_passes(vault_tags)?,
            unless_it_passes(key_tags)?,
        ) else {
            return Ok(None);
        };
        let investigated = Investigated::StillAdmitted {
            by,
            vault_tags: Fact::Known(vault_tags),
            key_tags: key_tags.map(Fact::Known),
        };
        let question = Question {
            tags: Some(investigated.owner_tags()),
            ..Question::of(Act::Retry, failure, &self.settings, history)
        };
        let (_, every) = ask_all(&question);
        Ok((admits && every).then_some(investigated))
    }

    /// Whether the vault's policy still holds the statement that admits this copy. A key's policy
    /// isn't read again: were our statement gone, the copy would fail once more, and its event
    /// would find that out.
    async fn still_admits(&self, target: &Target, failure: &Failure) -> CallResult<bool> {
        match target {
            Target::KeyPolicy(_) | Target::ServiceLinkedRole(_) => Ok(true),
            Target::VaultPolicy(vault) => {
                let backup = self.environment.backup();
                let text = backup.get_backup_vault_access_policy(vault).await?;
                let policy = text.and_then(|text| PolicyDocument::parse(&text).ok());
                Ok(policy.is_some_and(|policy| {
                    admits_by_our_statement(&policy, failure, &self.settings)
                }))
            }
        }
    }

    /// The tags of the destination vault, as they are or were a moment ago.
    async fn tags_of_vault(&self, failure: &Failure) -> CallResult<Tags> {
        let vault = &failure.job().destination_vault;
        if let Some(tags) = self.owners_tags.of_vault(vault, self.now()) {
            return Ok(tags);
        }
        let tags = self.environment.backup().list_vault_tags(vault).await?;
        self.owners_tags.remember(vault, &tags, self.now());
        Ok(tags)
    }

    /// The tags of the key, if the copy is encrypted. Where a vault's policy admits the copy, which grants
    /// nothing on the key, it isn't looked for as long as nobody is known to keep Copymend away from a key of
    /// the account, and that of another copy from the same vault was looked at a moment ago.
    async fn key_tags(
        &self,
        target: &Target,
        failure: &Failure,
        history: &History,
    ) -> CallResult<Option<Tags>> {
        let source_vault = &failure.job().source_vault;
        let key = match target {
            Target::KeyPolicy(key) => Some(key.clone()),
            Target::VaultPolicy(_) | Target::ServiceLinkedRole(_)
                if !history.has_opted_out_key
                    && self.owners_tags.has_free_key(source_vault, self.now()) =>
            {
                None
            }
            Target::VaultPolicy(_) | Target::ServiceLinkedRole(_) => self.key_of(failure).await?,
        };
        let Some(key) = key else { return Ok(None) };
        let tags = self.environment.keys().list_key_tags(&key).await?;
        self.looked_at_key(failure, history, &tags).await;
        Ok(Some(tags))
    }

    /// Remembers whether an owner keeps Copymend away from the key of a copy.
    pub(crate) async fn looked_at_key(&self, failure: &Failure, history: &History, tags: &Tags) {
        if !is_opt_out(tags) {
            let source_vault = &failure.job().source_vault;
            self.owners_tags.remember_free_key(source_vault, self.now());
        } else if !history.has_opted_out_key
            && let Some(ledger) = self.environment.ledger()
        {
            // Where the ledger doesn't take it, the next look at the key tells it again.
            let source = failure.job().account;
            if let Err(error) = ledger.record_opted_out_key(source, self.now()).await {
                tracing::warn!(%error, "that an owner keeps Copymend away from a key is not remembered");
            }
        }
    }
}

/// An answer; none where the call failed for good.
fn unless_it_passes<T>(answer: CallResult<T>) -> CallResult<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.may_pass() => Err(error),
        Err(_) => Ok(None),
    }
}

/// Whether a policy has the statement that a repair of this copy would add, whatever organization
/// it names: the policy itself decides whether the source is in it.
fn admits_by_our_statement(
    policy: &PolicyDocument,
    failure: &Failure,
    settings: &Settings,
) -> bool {
    policy.statements().iter().any(|statement| {
        let Ok(ours) = NewStatement::from_recorded(statement.as_str()) else {
            return false;
        };
        organization_of(&ours)
            .and_then(|id| vault_grant(failure, settings, id).statements().ok())
            .is_some_and(|expected| holds(policy, &expected))
    })
}

fn organization_of(statement: &NewStatement) -> Option<String> {
    let statement: Value = serde_json::from_str(statement.as_str()).ok()?;
    let ids = statement.pointer("/Condition/StringEquals/aws:PrincipalOrgID")?;
    let id = match ids.as_array().map(Vec::as_slice) {
        None => ids,
        Some([id]) => id,
        Some([] | [_, ..]) => return None,
    };
    id.as_str().map(str::to_owned)
}
