//! What was read about a caller or a job role.

use copymend_policy::PolicyDocument;

use crate::fact::{Fact, WhyUnknown};
use crate::facts::{Key, KeyManager, Role, SimulatedFact};
use crate::resource::{KeyAliasArn, KeyArn};
use crate::simulation::PrincipalPolicies;

/// The key that a call or job uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInUse {
    /// The key.
    pub arn: KeyArn,
    /// `kms:DescribeKey`; `None` where KMS says that it doesn't exist.
    pub key: Fact<Option<Key>>,
    /// `kms:GetKeyPolicy` for the policy named `default`.
    pub policy: Fact<PolicyDocument>,
}

impl KeyInUse {
    /// Whether KMS says that it is an AWS managed key: its policy is AWS's, and nobody can change
    /// it (AWS KMS developer guide, "AWS KMS keys", documented).
    #[must_use]
    pub fn is_aws_managed(&self) -> bool {
        match &self.key {
            Fact::Known(Some(key)) => key.manager == KeyManager::Aws,
            Fact::Known(None) | Fact::Unknown(_) => false,
        }
    }
}

/// The alias by which a call names its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasInUse {
    /// The alias.
    pub alias: KeyAliasArn,
    /// The key that it stands for; `None` where KMS says that there is no such alias, or none with
    /// a key yet.
    pub key: Fact<Option<KeyArn>>,
}

/// What tells what a principal may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerAccess {
    /// The policy simulator's answer to each need, in the order of the needs.
    pub simulated: Vec<SimulatedFact>,
    /// The principal's own policies, read where the simulator told nothing; `None` inside where
    /// there is no such principal.
    pub policies: Option<Fact<Option<PrincipalPolicies>>>,
}

/// All facts of one refused call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerFacts {
    /// What the caller may do.
    pub access: CallerAccess,
    /// The alias of the key, where the call names the key by one, or by nothing.
    pub alias: Option<AliasInUse>,
    /// The key, where the call names one, or an alias that stands for one.
    pub key: Option<KeyInUse>,
}

/// All facts of one failed, aborted or expired job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobFacts {
    /// `iam:GetRole` for the job role; `None` inside where there is none.
    pub role: Fact<Option<Role>>,
    /// What the job role may do, and the key.
    pub caller: CallerFacts,
}

impl CallerFacts {
    /// Every read that told nothing and that no other read made up for, in a stable order, each
    /// once.
    #[must_use]
    pub fn unknown(&self) -> Vec<&WhyUnknown> {
        let made_up_for = matches!(&self.access.policies, Some(Fact::Known(Some(_))));
        let simulated = self.access.simulated.iter().flat_map(|fact| {
            // The first of them is about the principal as it is.
            let made_up_for = made_up_for && fact.as_is.unknown().is_some();
            fact.unknown().skip(usize::from(made_up_for)).map(Some)
        });
        let policies = self.access.policies.as_ref().and_then(Fact::unknown);
        let alias = self.alias.as_ref().and_then(|alias| alias.key.unknown());
        let key = self
            .key
            .iter()
            .flat_map(|key| [key.key.unknown(), key.policy.unknown()]);
        let mut all: Vec<&WhyUnknown> = Vec::new();
        for why in simulated.chain([policies, alias]).chain(key).flatten() {
            if !all.contains(&why) {
                all.push(why);
            }
        }
        all
    }

    /// Why the key's policy is not known; `None` where it is.
    #[must_use]
    pub fn unread_key_policy(&self) -> Option<String> {
        match (&self.key, &self.alias) {
            (Some(key), _) => key.policy.unknown().map(ToString::to_string),
            (None, Some(alias)) => Some(match &alias.key {
                Fact::Unknown(why) => why.to_string(),
                Fact::Known(_) => format!("KMS knows no key behind `{}`", alias.alias),
            }),
            (None, None) => Some("it is not known which key is used".to_owned()),
        }
    }

    /// Whether the policy simulator told anything: only it takes service control policies into
    /// account.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        let mut answers = self.access.simulated.iter();
        answers.any(|fact| fact.as_is.known().is_some())
    }
}

impl JobFacts {
    /// As [`CallerFacts::unknown`], with the role.
    #[must_use]
    pub fn unknown(&self) -> Vec<&WhyUnknown> {
        let mut all: Vec<&WhyUnknown> = self.role.unknown().into_iter().collect();
        all.extend(self.caller.unknown());
        all
    }
}
