//! A copy that another copy's repair admits: it is not investigated, and only has to be started again. This is what makes a storm of
//! failures cheap.

use copymend_diagnosis::Failure;
use copymend_policy::{NewStatement, PolicyDocument};
use serde_json::Value;

use crate::guards::{Act, Question, Stage, all_passed, ask, is_opt_out};
use crate::handler::CopyRemediator;
use crate::history::{Admission, History};
use crate::plan::{Target, holds, vault_grant};
use crate::ports::{Backup, Environment, Keys};
use crate::settings::Settings;

/// That a copy only has to be started again: the change that admits it stands, nobody opted out, and the guards of the copy passed. Only
/// [`CopyRemediator`] makes one, where it has looked at all of that.
#[derive(Clone, Debug)]
pub struct StillAdmitted(Admission);

impl StillAdmitted {
    /// The change.
    #[must_use]
    pub const fn admission(&self) -> &Admission {
        &self.0
    }
}

impl<E: Environment> CopyRemediator<E> {
    /// The change that admits this copy, if nothing keeps the copy from being started again. Otherwise the whole way tells why.
    pub(crate) async fn still_admitted(
        &self,
        failure: &Failure,
        history: &History,
    ) -> Option<StillAdmitted> {
        let admission = history.admission.clone()?;
        let (admits, nobody_opted_out) = tokio::join!(
            self.still_admits(&admission.target, failure),
            self.nobody_opted_out(&admission.target, failure)
        );
        let question = Question {
            act: Act::Retry,
            failure,
            settings: &self.settings,
            history,
            facts: None,
            plan: None,
            writes: None,
            lease: None,
            now: history.now,
        };
        let may_be_started = all_passed(&ask(&question, &[Stage::Copy]));
        (admits && nobody_opted_out && may_be_started).then_some(StillAdmitted(admission))
    }

    /// Whether the vault's policy still holds the statement that admits this copy. A key's policy isn't read again: were our
    /// statement gone, the copy would fail once more, and its event would find that out.
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

    /// Whether the owners of the vault and of the key let Copymend act. Where that can't be read, the whole way tells.
    async fn nobody_opted_out(&self, target: &Target, failure: &Failure) -> bool {
        let vault = &failure.job().destination_vault;
        let vault = self.environment.backup().list_vault_tags(vault);
        let key = async {
            let key = match target {
                Target::KeyPolicy(key) => Ok(Some(key.clone())),
                Target::VaultPolicy(_) | Target::ServiceLinkedRole(_) => self.key_of(failure).await,
            };
            match key {
                Ok(None) => true,
                Ok(Some(key)) => {
                    let tags = self.environment.keys().list_key_tags(&key).await;
                    tags.is_ok_and(|tags| !is_opt_out(&tags))
                }
                Err(()) => false,
            }
        };
        let (vault, key) = tokio::join!(vault, key);
        key && vault.is_ok_and(|tags| !is_opt_out(&tags))
    }
}

/// Whether a policy has the statement that a repair of this copy would add, whatever organization it names: the policy itself
/// decides whether the source is in it.
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
