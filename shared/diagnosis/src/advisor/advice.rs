//! What people should do about a refused call, or about a failed, aborted or expired job.

use copymend_policy::Layer;
use serde_json::Value;

use super::call::ApiCallEvent;
use super::facts::KeyInUse;
use super::job::{JobKind, ServiceJob};
use super::needs::{FOR_S3_BACKUP, FOR_S3_RESTORE, row_of_job};
use super::permission_set::PermissionSet;
use crate::advice::{Advice, console, owner_of_key, page, step};
use crate::causes::{Cause, role};
use crate::permission::{PermissionAnswer, PermissionState};
use crate::resource::RoleArn;

const ADD_TO_KEY_POLICY: &str = "The policy of the key does not allow {}. The key's owner must let the principal use it, or delegate to the account \
     with the statement Enable IAM User Permissions.";
const LEAVE_AWS_MANAGED_KEY: &str = "The policy of the key does not allow {}. It is an AWS managed key, and nobody can change its policy: name a customer \
     managed key.";

/// What to do about the other layers, in the order in which it should be done.
const OTHER_LAYERS: [(Layer, &str); 4] = [
    (
        Layer::Boundary,
        "The permissions boundary does not allow {}. Its owner must allow it there too; a policy alone does not help.",
    ),
    (
        Layer::Scp,
        "The organization's service control policies do not allow {}. Only the organization's administrator can change them. The \
         policy simulator ignores their conditions, so check the message first.",
    ),
    (
        Layer::Session,
        "A session policy does not allow {}. It is given when the session starts; start one without it.",
    ),
    (
        Layer::Rcp,
        "A resource control policy does not allow {}. Only the organization's administrator can change it.",
    ),
];

/// The steps that concern permissions, in the order in which they should be taken. `attach` are
/// those that attach the policy to the principal, where it is known; `key_policy` is the sentence
/// on a key policy.
fn permission_steps(
    whose: &str,
    answers: &[PermissionAnswer],
    policy: Option<&Value>,
    attach: Vec<String>,
    key_policy: &str,
) -> Vec<String> {
    let mut steps = Vec::new();
    if let Some(policy) = policy {
        steps.push(
            step!("Save this least-privilege policy for {whose} as policy.json"; "{}", policy),
        );
        if attach.is_empty() {
            steps.push(format!(
                "Attach it to the role, user or permission set of {whose}."
            ));
        }
        steps.extend(attach);
    }
    let mut about = |sentence: &str, layer, also: fn(&PermissionAnswer) -> bool| {
        let stopped = answers
            .iter()
            .filter(|answer| answer.is_stopped_by(layer) && also(answer));
        let actions: Vec<&str> = stopped.map(|answer| answer.action.as_str()).collect();
        if !actions.is_empty() {
            steps.push(sentence.replace("{}", &actions.join(", ")));
        }
    };
    let denies = format!(
        "A policy of {whose} denies {{}}. Someone put that Deny there on purpose: ask its author first."
    );
    about(&denies, Layer::Identity, |answer| {
        answer.state == PermissionState::Denied
    });
    for (layer, sentence) in OTHER_LAYERS {
        about(sentence, layer, |_| true);
    }
    about(key_policy, Layer::Resource, |_| true);
    steps
}

/// The advice for a refused call. `key` is the key that it uses, where it is known.
pub(super) fn advise_caller(
    call: &ApiCallEvent,
    cause: Cause,
    answers: &[PermissionAnswer],
    policy: Option<&Value>,
    key: Option<&KeyInUse>,
) -> Advice {
    let whose = call
        .caller
        .principal
        .as_ref()
        .map_or_else(|| "the caller".to_owned(), |arn| format!("`{arn}`"));
    let account = call.account;
    let permission_set = call.caller.permission_set();
    let is_aws_managed = key.is_some_and(KeyInUse::is_aws_managed);
    let who = if matches!(
        cause,
        Cause::ServiceControlPolicy | Cause::ResourceControlPolicy
    ) {
        format!("The administrator of the organization of account {account}")
    } else if cause == Cause::KeyPolicy && !is_aws_managed {
        match key.map(|key| &key.arn) {
            Some(key) => owner_of_key(key),
            None => format!(
                "The owner of the key: account {account}, Region {}",
                call.region
            ),
        }
    } else if let Some(PermissionSet { name, .. }) = permission_set {
        format!(
            "The administrator of IAM Identity Center, in the organization's management account or the delegated administrator account, \
             for permission set `{name}` in account {account}"
        )
    } else {
        format!("An IAM administrator of account {account}, for {whose}")
    };
    let attach = match permission_set {
        Some(permission_set) => permission_set.steps(account),
        None => attach_to_principal(call).into_iter().collect(),
    };
    let key_policy = if is_aws_managed {
        LEAVE_AWS_MANAGED_KEY
    } else {
        ADD_TO_KEY_POLICY
    };
    let mut steps = permission_steps(&whose, answers, policy, attach, key_policy);
    if call.caller.is_root() {
        steps.push("The root user needs no policy, so only a service control policy, a resource control policy or the key policy can be in the way.".to_owned());
    }
    if steps.is_empty() {
        steps.push(format!(
            "Look the call up in CloudTrail: account {account}, Region {}, event name {}. Its error message may name the action and \
             the kind of policy.",
            call.region, call.operation
        ));
    }
    steps.push(format!("Call {} again.", call.operation));
    Advice {
        who,
        steps,
        page: if call.operation == "CreateBackupVault" {
            page::API_PERMISSIONS
        } else {
            page::ACCESS_DENIED
        },
        console: console::regional(
            call.partition(),
            &call.region,
            "cloudtrailv2",
            &format!("/events?EventName={}", call.operation),
        ),
    }
}

/// The command that gives the caller the policy.
fn attach_to_principal(call: &ApiCallEvent) -> Option<String> {
    let resource = call.caller.principal.as_ref()?.resource();
    let name = resource.rsplit('/').next()?;
    let (command, option) = if resource.starts_with("role/") {
        ("put-role-policy", "--role-name")
    } else {
        ("put-user-policy", "--user-name")
    };
    Some(step!("Attach it, in account {}", call.account;
        "aws iam {command} {option} {name} --policy-name {} --policy-document file://policy.json", call.operation))
}

/// The advice for a failed, aborted or expired job.
pub(super) fn advise_job_role(
    job: &ServiceJob,
    cause: Cause,
    answers: &[PermissionAnswer],
    policy: Option<&Value>,
) -> Advice {
    let account = job
        .account
        .map_or_else(|| "of the job".to_owned(), |account| account.to_string());
    let (whose, partition) = job.role.as_ref().map_or_else(
        || ("the job role".to_owned(), "aws"),
        |role| (format!("the job role `{role}`"), role.partition()),
    );
    let mut steps = Vec::new();
    if let Some(role) = &job.role {
        if cause == Cause::JobRoleMissing {
            steps.extend(missing_role(role));
        }
        if cause == Cause::JobRoleTrust {
            steps.push(step!("Save this trust policy as trust.json"; "{}", role::trust_policy()));
            steps.push(step!("Set it, in account {account}";
                "aws iam update-assume-role-policy --role-name {} --policy-document file://trust.json", role.name()));
        }
    }
    steps.extend(managed_policy(job, answers));
    let attach = job.role.iter().map(|role| {
        step!("Attach it, in account {account}";
            "aws iam put-role-policy --role-name {} --policy-name CopymendMissing --policy-document file://policy.json",
            role.name())
    });
    let attach = attach.collect();
    steps.extend(permission_steps(
        &whose,
        answers,
        policy,
        attach,
        ADD_TO_KEY_POLICY,
    ));
    let what = job.kind.name();
    let describe = format!(
        "aws backup describe-{what}-job --{what}-job-id {} --region {}",
        job.id, job.region
    );
    if steps.is_empty() {
        steps.push(step("Look at the job", &describe));
        steps.push(
            "Its message says what stopped it; nothing in the role's permissions explains it."
                .to_owned(),
        );
    }
    steps.push(match job.kind {
        JobKind::Backup => {
            "Start the backup again, or wait for the backup plan's next one.".to_owned()
        }
        JobKind::Restore => "Start the restore again.".to_owned(),
    });
    Advice {
        who: format!("An IAM administrator of account {account}, for {whose}"),
        steps,
        page: if matches!(cause, Cause::JobRoleMissing | Cause::JobRoleTrust) {
            page::ROLES
        } else if cause == Cause::JobRolePermission {
            page::MANAGED_POLICIES
        } else {
            page::JOBS
        },
        console: console::regional(
            partition,
            &job.region,
            "backup",
            &format!("/jobs/{what}/details/{}", job.id),
        ),
    }
}

/// A custom role that is called like the default role, but has no path, is easily taken for it.
fn missing_role(role: &RoleArn) -> Vec<String> {
    let mut steps = vec![
        step!("See whether a role of that name exists, and under which path";
            "aws iam get-role --role-name {} --query Role.Arn --output text", role.name()),
    ];
    if role::is_default_without_path(role) {
        steps.push(format!(
            "AWS Backup's default role has the path {}: its ARN is {}. The job names a role of the same name without that path. Name the \
             right one in the backup plan's resource assignment.",
            role::DEFAULT_PATH,
            role::default_role(role)
        ));
    } else if role.name() == role::DEFAULT_ROLE {
        steps.push("AWS Backup makes its default role when a resource is assigned in its console with the choice Default role.".to_owned());
    }
    steps.push(
        "Make the role, or name one that exists in the backup plan's resource assignment."
            .to_owned(),
    );
    steps
}

/// The managed policy that a type needs, where something of it is missing.
fn managed_policy(job: &ServiceJob, answers: &[PermissionAnswer]) -> Option<String> {
    let (row, role) = (row_of_job(job)?, job.role.as_ref()?);
    let is_of_s3 = [FOR_S3_BACKUP, FOR_S3_RESTORE].contains(&row.managed_policy);
    let (path, which) = if is_of_s3 {
        ("", ", which is not part of the default role")
    } else {
        ("service-role/", "")
    };
    let is_stopped = |answer: &PermissionAnswer| answer.is_stopped_by(Layer::Identity);
    answers.iter().any(is_stopped).then(|| {
        step!("Either attach AWS's policy {}{which}", row.managed_policy;
            "aws iam attach-role-policy --role-name {} --policy-arn arn:{}:iam::aws:policy/{path}{}", role.name(),
            role.partition(), row.managed_policy)
    })
}
