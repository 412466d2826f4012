//! A guard that rests on what isn't known lets nothing pass, says that it doesn't know, and why.

use copymend_diagnosis::{
    Cause, CopyJobEvent, Fact, Facts, Failure, KeyFacts, SourceKey, UnknownReason, WhyUnknown,
};
use copymend_policy::PolicyDocument;
use copymend_remediation::guards::{Act, Guard, Question, Stage, StartedBy, ask};
use copymend_remediation::history::History;
use copymend_remediation::investigate::investigate;
use copymend_remediation::ledger::PolicyHistory;
use copymend_remediation::plan::plan;
use copymend_remediation::ports::{
    Backup, CallError, CallErrorKind, CallResult, Clock, Location, Reads,
};
use copymend_remediation::settings::Settings;
use serde_json::{Value, json};

use crate::support::{open_settings, sample, sandbox};

/// All that the guards are asked about.
struct Inputs {
    act: Act,
    event: CopyJobEvent,
    job: copymend_diagnosis::CopyJob,
    facts: Facts,
    settings: Settings,
    history: History,
    writes: CallResult<PolicyHistory>,
    source_writes: CallResult<u32>,
}

/// How the default world answers to a sample event of a repair.
async fn inputs(act: Act) -> Inputs {
    let cause = match act {
        Act::KeyPolicy => "source-key-policy",
        Act::ServiceLinkedRole => "service-linked-role",
        Act::VaultPolicy | Act::Retry => "destination-vault-policy",
    };
    let sandbox = sandbox();
    let event = CopyJobEvent::from_json(&sample(cause)).unwrap();
    let location = Location::new(event.account.parse().unwrap(), &event.region);
    let backup = sandbox.backup();
    let job = backup
        .describe_copy_job(&location, &event.copy_job_id)
        .await
        .unwrap()
        .unwrap();
    let failure = Failure::verify(&event, job.clone()).unwrap();
    let facts = investigate(&sandbox, failure.copy()).await;
    let history = History {
        now: sandbox.clock().now(),
        started_by: StartedBy::BackupPlan,
        pause: Some(Ok(None)),
        retry: None,
        retries: None,
        writes: None,
        has_opted_out_key: true,
        intended: None,
        earlier_repair: None,
        is_asked_by_a_person: false,
        agreement: None,
        retried_as: None,
        notes: Vec::new(),
    };
    let nothing = PolicyHistory {
        sids: Vec::new(),
        granted: Vec::new(),
        refusals: Vec::new(),
        writes_today: 0,
        last_write: None,
    };
    Inputs {
        act,
        event,
        job,
        facts,
        settings: Settings {
            create_service_linked_role: true,
            ..open_settings()
        },
        history,
        writes: Ok(nothing),
        source_writes: Ok(0),
    }
}

impl Inputs {
    /// What each guard that can be asked answers.
    fn answers(self) -> Vec<(Guard, bool, String)> {
        let failure = Failure::verify(&self.event, self.job).unwrap();
        let cause = match self.act {
            Act::VaultPolicy | Act::Retry => Cause::DestinationVaultPolicy,
            Act::KeyPolicy => Cause::SourceKeyPolicy,
            Act::ServiceLinkedRole => Cause::ServiceLinkedRole,
        };
        let planned = plan(cause, &failure, &self.facts, &self.settings);
        let question = Question {
            facts: Some(&self.facts),
            plan: Some(planned.as_ref()),
            writes: Some(&self.writes),
            source_writes: Some(&self.source_writes),
            ..Question::of(self.act, &failure, &self.settings, &self.history)
        };
        let stages = [Stage::Copy, Stage::Change, Stage::EarlierWrites];
        let answers = ask(&question, &stages).into_iter();
        answers
            .map(|answer| (answer.guard, answer.passed, answer.detail))
            .collect()
    }

    fn key(&mut self) -> &mut KeyFacts {
        let key = match &mut self.facts.source_key {
            SourceKey::Key(key) => Some(key),
            SourceKey::NotEncrypted | SourceKey::Unknown(_) => None,
        };
        key.unwrap()
    }

    /// Puts a statement into the vault's policy or the key's.
    fn state(&mut self, statement: &Value) {
        let add = |policy: Option<&PolicyDocument>| {
            let mut policy = policy.map_or_else(
                || json!({"Version": "2012-10-17", "Statement": []}),
                |policy| serde_json::from_str(policy.as_str()).unwrap(),
            );
            let statements = policy["Statement"].as_array_mut().unwrap();
            statements.push(statement.clone());
            PolicyDocument::parse(&policy.to_string()).unwrap()
        };
        if self.act == Act::KeyPolicy {
            let policy = add(self.key().policy.known());
            self.key().policy = Fact::Known(policy);
        } else {
            let policy = add(self.facts.vault_policy.known().and_then(Option::as_ref));
            self.facts.vault_policy = Fact::Known(Some(policy));
        }
    }
}

const REFUSED: &str = "the role may not read that";

fn unknown<T>() -> Fact<T> {
    Fact::Unknown(why())
}

fn why() -> WhyUnknown {
    WhyUnknown {
        operation: "some:Read".to_owned(),
        resource: "something".to_owned(),
        reason: UnknownReason::AccessDenied,
        detail: REFUSED.to_owned(),
    }
}

fn failed<T>() -> CallResult<T> {
    Err(CallError {
        operation: "some:Read",
        resource: "something".to_owned(),
        kind: CallErrorKind::Throttled,
        detail: REFUSED.to_owned(),
    })
}

/// A condition of which nobody can tell whether it holds.
fn from_network() -> Value {
    json!({"StringEquals": {"aws:SourceVpc": "vpc-1"}})
}

fn statement(effect: &str, action: &str, condition: &Value) -> Value {
    json!({"Effect": effect, "Principal": "*", "Action": action, "Resource": "*", "Condition": condition})
}

/// A way in which something isn't known: the guard that rests on it, what it is asked of, what is
/// taken away, and what the guard must name.
type Way = (Guard, Act, fn(&mut Inputs), &'static str);

const WAYS: &[Way] = &[
    (
        Guard::StartedByBackupPlan,
        Act::VaultPolicy,
        |inputs| inputs.history.started_by = StartedBy::OwnRetry(None),
        "the ledger has no record",
    ),
    (
        Guard::FailureIsRecent,
        Act::VaultPolicy,
        |inputs| inputs.job.completed = None,
        "AWS Backup does not say",
    ),
    (
        Guard::CopySize,
        Act::Retry,
        |inputs| {
            inputs.job.size_bytes = None;
            inputs.settings.retry_max_bytes = Some(1);
        },
        "AWS Backup does not say",
    ),
    (
        Guard::NotPaused,
        Act::VaultPolicy,
        |inputs| inputs.history.pause = Some(failed()),
        REFUSED,
    ),
    (
        Guard::ServiceLinkedRoleMissing,
        Act::ServiceLinkedRole,
        |inputs| inputs.facts.service_linked_role = unknown(),
        REFUSED,
    ),
    (
        Guard::NotOptedOut,
        Act::VaultPolicy,
        |inputs| inputs.facts.vault_tags = unknown(),
        REFUSED,
    ),
    (
        Guard::NotOptedOut,
        Act::KeyPolicy,
        |inputs| inputs.key().tags = unknown(),
        REFUSED,
    ),
    (
        Guard::JobRoleExists,
        Act::VaultPolicy,
        |inputs| inputs.facts.job_role = unknown(),
        REFUSED,
    ),
    (
        Guard::CustomerManagedKey,
        Act::KeyPolicy,
        |inputs| inputs.key().key = unknown(),
        REFUSED,
    ),
    (
        Guard::CustomerManagedKey,
        Act::KeyPolicy,
        |inputs| inputs.facts.source_key = SourceKey::Unknown(why()),
        REFUSED,
    ),
    (
        Guard::KeyEnabled,
        Act::KeyPolicy,
        |inputs| inputs.key().key = unknown(),
        REFUSED,
    ),
    (
        Guard::KeyEnabled,
        Act::KeyPolicy,
        |inputs| inputs.facts.source_key = SourceKey::Unknown(why()),
        REFUSED,
    ),
    (
        Guard::OnlyDefaultPolicy,
        Act::KeyPolicy,
        |inputs| inputs.key().policy_names = unknown(),
        REFUSED,
    ),
    (
        Guard::OnlyDefaultPolicy,
        Act::KeyPolicy,
        |inputs| inputs.facts.source_key = SourceKey::Unknown(why()),
        REFUSED,
    ),
    (
        Guard::ServiceLinkedRole,
        Act::KeyPolicy,
        |inputs| inputs.facts.service_linked_role = unknown(),
        REFUSED,
    ),
    (
        Guard::KeyPrincipalKnown,
        Act::KeyPolicy,
        |inputs| inputs.facts.source_vault = unknown(),
        REFUSED,
    ),
    (
        Guard::KeyPrincipalKnown,
        Act::KeyPolicy,
        |inputs| inputs.facts.destination_vault = unknown(),
        REFUSED,
    ),
    (
        Guard::SameOrganization,
        Act::VaultPolicy,
        |inputs| inputs.facts.source_organization = unknown(),
        REFUSED,
    ),
    (
        Guard::SameOrganization,
        Act::ServiceLinkedRole,
        |inputs| inputs.facts.destination_organization = unknown(),
        REFUSED,
    ),
    (
        Guard::SameOrganization,
        Act::KeyPolicy,
        |inputs| inputs.key().organization = unknown(),
        REFUSED,
    ),
    (
        Guard::PolicyKnown,
        Act::VaultPolicy,
        |inputs| inputs.facts.vault_policy = unknown(),
        REFUSED,
    ),
    (
        Guard::PolicyKnown,
        Act::KeyPolicy,
        |inputs| inputs.key().policy = unknown(),
        REFUSED,
    ),
    (
        Guard::PolicyKnown,
        Act::KeyPolicy,
        |inputs| inputs.facts.source_key = SourceKey::Unknown(why()),
        REFUSED,
    ),
    (
        Guard::NoExplicitDeny,
        Act::VaultPolicy,
        |inputs| {
            inputs.state(&statement(
                "Deny",
                "backup:CopyIntoBackupVault",
                &from_network(),
            ));
        },
        "aws:SourceVpc",
    ),
    (
        Guard::NoExplicitDeny,
        Act::KeyPolicy,
        |inputs| inputs.state(&statement("Deny", "kms:*", &from_network())),
        "aws:SourceVpc",
    ),
    (
        Guard::EvaluationFlips,
        Act::VaultPolicy,
        |inputs| {
            inputs.state(&statement(
                "Deny",
                "backup:CopyIntoBackupVault",
                &from_network(),
            ));
        },
        "aws:SourceVpc",
    ),
    (
        Guard::EvaluationFlips,
        Act::KeyPolicy,
        |inputs| inputs.state(&statement("Allow", "kms:*", &from_network())),
        "aws:SourceVpc",
    ),
    (
        Guard::NotExcluded,
        Act::VaultPolicy,
        |inputs| {
            let condition = json!({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}});
            inputs.state(&statement(
                "Allow",
                "backup:CopyIntoBackupVault",
                &condition,
            ));
        },
        "aws:SourceVpc",
    ),
    (
        Guard::PutAccepted,
        Act::VaultPolicy,
        |inputs| {
            let put = "backup:PutBackupVaultAccessPolicy";
            inputs.state(&statement("Deny", put, &from_network()));
        },
        "aws:SourceVpc",
    ),
    (
        Guard::PutAccepted,
        Act::KeyPolicy,
        |inputs| inputs.state(&statement("Deny", "kms:PutKeyPolicy", &from_network())),
        "aws:SourceVpc",
    ),
    (
        Guard::NothingElseInTheWay,
        Act::VaultPolicy,
        |inputs| inputs.facts.destination_vault = unknown(),
        REFUSED,
    ),
    (
        Guard::NotTakenBack,
        Act::VaultPolicy,
        |inputs| inputs.writes = failed(),
        REFUSED,
    ),
    (
        Guard::NotTakenBack,
        Act::ServiceLinkedRole,
        |inputs| inputs.writes = failed(),
        REFUSED,
    ),
    (
        Guard::SidNotRemoved,
        Act::VaultPolicy,
        |inputs| inputs.writes = failed(),
        REFUSED,
    ),
    (
        Guard::WriteBudget,
        Act::KeyPolicy,
        |inputs| inputs.writes = failed(),
        REFUSED,
    ),
    (
        Guard::SourceWriteBudget,
        Act::VaultPolicy,
        |inputs| inputs.source_writes = failed(),
        REFUSED,
    ),
];

/// What rests on the settings, on the change itself, or on the ledger's lease alone.
const KNOWN: [Guard; 11] = [
    Guard::VerifiedFailure,
    Guard::Mode,
    Guard::SourceAllowed,
    Guard::DestinationAllowed,
    Guard::ServiceLinkedRoleAllowed,
    Guard::KeyAllowed,
    Guard::StatementFits,
    Guard::OnlyAdds,
    Guard::SizeLimit,
    Guard::Lease,
    Guard::TimeLeft,
];

#[tokio::test]
async fn a_guard_that_does_not_know_says_so() {
    let mut wrong = Vec::new();
    for (guard, act, take_away, names) in WAYS {
        let mut inputs = inputs(*act).await;
        take_away(&mut inputs);
        let answers = inputs.answers();
        let answer = answers.iter().find(|(asked, ..)| asked == guard);
        let says_so = answer.is_some_and(|(_, passed, detail)| {
            let says_so = detail.contains("not known") && detail.contains(names);
            !passed
                && says_so
                && !detail.contains("would not")
                && !detail.contains("does not exist")
        });
        if !says_so {
            wrong.push(format!("{guard:?} of {act:?}: {answer:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_guard_passes_where_everything_is_known() {
    for act in Act::ALL {
        let answers = inputs(act).await.answers();
        let failed: Vec<_> = answers.iter().filter(|(_, passed, _)| !passed).collect();
        assert!(failed.is_empty(), "{act:?}: {failed:?}");
        assert!(answers.len() >= 8, "{act:?}: {answers:?}");
    }
}

#[test]
fn no_guard_is_left_out() {
    for guard in Guard::ALL {
        let rests_on_facts = WAYS.iter().any(|(tried, ..)| *tried == guard);
        assert_ne!(rests_on_facts, KNOWN.contains(&guard), "{guard:?}");
    }
}
