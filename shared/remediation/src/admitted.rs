//! A copy that another copy's repair admits: it is not investigated, and only has to be started
//! again. This is what makes a storm of failures cheap.

use copymend_diagnosis::{Fact, Failure, Tags};
use copymend_policy::{NewStatement, PolicyDocument};
use serde_json::Value;

use crate::decide::Investigated;
use crate::guards::{Act, Question, ask_all};
use crate::handler::CopyRemediator;
use crate::history::History;
use crate::plan::{Target, holds, vault_grant};
use crate::ports::{Backup, Environment, Keys};
use crate::settings::Settings;

impl<E: Environment> CopyRemediator<E> {
    /// That the repair which admits this copy stands, and nothing keeps the copy from being started
    /// again. Otherwise the whole way tells why.
    pub(crate) async fn still_admitted(
        &self,
        failure: &Failure,
        history: &History,
    ) -> Option<Investigated> {
        let by = Box::new(history.earlier_repair.clone()?);
        let (admits, vault_tags, key_tags) = tokio::join!(
            self.still_admits(&by.target, failure),
            self.environment
                .backup()
                .list_vault_tags(&failure.job().destination_vault),
            self.key_tags(&by.target, failure)
        );
        let investigated = Investigated::StillAdmitted {
            by,
            vault_tags: Fact::Known(vault_tags.ok()?),
            key_tags: key_tags.ok()?.map(Fact::Known),
        };
        let question = Question {
            tags: Some(investigated.owner_tags()),
            ..Question::of(Act::Retry, failure, &self.settings, history)
        };
        let (_, every) = ask_all(&question);
        (admits && every).then_some(investigated)
    }

    /// Whether the vault's policy still holds the statement that admits this copy. A key's policy
    /// isn't read again: were our statement gone, the copy would fail once more, and its event
    /// would find that out.
    async fn still_admits(&self, target: &Target, failure: &Failure) -> bool {
        match target {
            Target::KeyPolicy(_) | Target::ServiceLinkedRole(_) => true,
            Target::VaultPolicy(vault) => {
                let backup = self.environment.backup();
                let Ok(Some(text)) = backup.get_backup_vault_access_policy(vault).await else {
                    return false;
                };
                PolicyDocument::parse(&text)
                    .is_ok_and(|policy| admits_by_our_statement(&policy, failure, &self.settings))
            }
        }
    }

    /// The tags of the key, if the copy is encrypted. An error where that can't be read.
    async fn key_tags(&self, target: &Target, failure: &Failure) -> Result<Option<Tags>, ()> {
        let key = match target {
            Target::KeyPolicy(key) => Some(key.clone()),
            Target::VaultPolicy(_) | Target::ServiceLinkedRole(_) => self.key_of(failure).await?,
        };
        let Some(key) = key else { return Ok(None) };
        let tags = self.environment.keys().list_key_tags(&key).await;
        tags.map(Some).map_err(|_| ())
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
