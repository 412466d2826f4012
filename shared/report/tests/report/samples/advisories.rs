//! What the access advisor answers, made by the same steps as in its handler.

use copymend_diagnosis::advisor::{
    API_CALL_DETAIL_TYPE, ApiCallEvent, BACKUP_JOB_DETAIL_TYPE, CallerAccess, CallerFacts,
    Findings, JobEvent, JobFacts, JobKind, KeyInUse, RESTORE_JOB_DETAIL_TYPE, ServiceJob, needs,
};
use copymend_diagnosis::{
    Fact, Key, KeyManager, PrincipalPolicies, Role, SimulatedAction, SimulatedDecision,
    SimulatedFact, ToldBy, UnknownReason,
};
use copymend_policy::PolicyDocument;
use copymend_remediation::report::{JobSummary, Outcome, Report, Subject};
use serde_json::{Value, json};

use super::{KEY, KEY_POLICY, why};

const CALLER: &str = "arn:aws:sts::111122223333:assumed-role/Deployer/me";
const DEPLOYER: &str = "arn:aws:iam::111122223333:role/ci/Deployer";
const REFUSED: &str = "Insufficient privileges to perform this action.";

fn call(message: &str) -> ApiCallEvent {
    call_of(CALLER, DEPLOYER, message)
}

/// The same of another caller.
fn call_of(session: &str, role: &str, message: &str) -> ApiCallEvent {
    ApiCallEvent::from_json(&json!({
        "version": "0", "id": "7d1c4f0e-0002-4000-8000-000000000002", "source": "aws.backup",
        "detail-type": API_CALL_DETAIL_TYPE, "account": "111122223333", "region": "eu-west-1",
        "time": "2026-11-01T00:00:00Z", "resources": [],
        "detail": {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole", "arn": session, "accountId": "111122223333",
                "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role}}
            },
            "eventSource": "backup.amazonaws.com", "eventName": "CreateBackupVault", "awsRegion": "eu-west-1",
            "errorCode": "AccessDenied", "errorMessage": message, "eventID": "x",
            "recipientAccountId": "111122223333",
            "requestParameters": {"backupVaultName": "dr", "encryptionKeyArn": KEY}
        }
    }))
    .unwrap()
}

/// A caller whose own policies allow `actions`, under a boundary if there is one.
fn caller_facts(actions: &Value, boundary: Option<&Value>) -> CallerFacts {
    let document = |actions: &Value| {
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]});
        PolicyDocument::parse(&policy.to_string()).unwrap()
    };
    CallerFacts {
        access: CallerAccess {
            simulated: Vec::new(),
            policies: Some(Fact::Known(Some(PrincipalPolicies {
                identity: vec![document(actions)],
                boundary: boundary.map(document),
            }))),
        },
        alias: None,
        key: Some(KeyInUse {
            arn: KEY.parse().unwrap(),
            key: Fact::Known(Some(Key {
                arn: KEY.parse().unwrap(),
                manager: KeyManager::Customer,
                state: "Enabled".to_owned(),
            })),
            policy: Fact::Known(PolicyDocument::parse(KEY_POLICY).unwrap()),
        }),
    }
}

fn of_call(call: &ApiCallEvent, facts: &CallerFacts) -> Report {
    let needs = needs::of_call(call, call.key().as_ref());
    let subject = Subject::ApiCall(call.into());
    Report::blank(call.id.clone(), subject, &call.error_message)
        .advised(Findings::of_call(call, &needs, facts))
}

/// A vault that could not be created: the caller lacks most of what that takes.
pub(crate) fn refused_call(message: &str) -> Report {
    let mut advisory = of_call(
        &call(message),
        &caller_facts(
            &json!(["backup:CreateBackupVault", "kms:DescribeKey"]),
            None,
        ),
    );
    advisory.occurrences = Some(10);
    advisory
}

/// The same, where the caller has all of it, but its boundary leaves the key out.
pub(crate) fn behind_a_boundary() -> Report {
    of_call(
        &call(REFUSED),
        &caller_facts(
            &json!(["backup:*", "backup-storage:*", "kms:*"]),
            Some(&json!(["backup:*", "backup-storage:*"])),
        ),
    )
}

/// The same, called by somebody from IAM Identity Center.
pub(crate) fn of_a_permission_set() -> Report {
    let name = "AWSReservedSSO_BackupAdmin_0123456789abcdef";
    let call = call_of(
        &format!("arn:aws:sts::111122223333:assumed-role/{name}/maria@example.com"),
        &format!("arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-2/{name}"),
        REFUSED,
    );
    let facts = caller_facts(&json!(["backup:*", "kms:*"]), None);
    of_call(&call, &facts)
}

/// The same, where nothing could be read.
pub(crate) fn nothing_read() -> Report {
    let denied = why(
        "iam:SimulatePrincipalPolicy",
        DEPLOYER,
        UnknownReason::AccessDenied,
        "AccessDeniedException: You don't have permissions",
    );
    let facts = CallerFacts {
        access: CallerAccess {
            simulated: Vec::new(),
            policies: Some(Fact::Unknown(denied)),
        },
        alias: None,
        key: None,
    };
    let mut advisory = of_call(&call(REFUSED), &facts);
    advisory.notes.push(
        "the call names its key by the alias `arn:aws:kms:eu-west-1:111122223333:alias/dr`, where AWS's documentation asks for the key's \
         ARN; its key could not be read, so no key policy was looked at"
            .to_owned(),
    );
    advisory
}

fn job_event(kind: JobKind, detail: &Value) -> JobEvent {
    let detail_type = match kind {
        JobKind::Backup => BACKUP_JOB_DETAIL_TYPE,
        JobKind::Restore => RESTORE_JOB_DETAIL_TYPE,
    };
    let event = json!({
        "version": "0", "id": "7d1c4f0e-0003-4000-8000-000000000003", "source": "aws.backup",
        "detail-type": detail_type, "account": "111122223333", "region": "eu-west-1",
        "time": "2026-11-01T00:00:00Z", "resources": [], "detail": detail
    });
    JobEvent::from_json(&event, kind).unwrap()
}

fn of_job(event: &JobEvent, job: &ServiceJob, facts: &JobFacts, verified: bool) -> Report {
    let subject = Subject::Job(JobSummary::of(job, &event.account));
    Report {
        verified,
        ..Report::blank(event.id.clone(), subject, &job.status_message).advised(Findings::of_job(
            job,
            &needs::of_job(job),
            facts,
        ))
    }
}

/// A backup of Amazon S3 under a role without the policy for it.
pub(crate) fn failed_backup() -> Report {
    let event = job_event(
        JobKind::Backup,
        &json!({
            "backupJobId": "8F1B2C3D-1111-2222-3333-444455556666", "state": "FAILED",
            "statusMessage": "Access Denied trying to call AWS Backup service",
            "iamRoleArn": "arn:aws:iam::111122223333:role/service-role/AWSBackupDefaultServiceRole",
            "resourceArn": "arn:aws:s3:::orders", "resourceType": "S3"
        }),
    );
    let job = event.job.clone();
    let needs = needs::of_job(&job);
    let simulated = needs.iter().map(|need| SimulatedFact {
        as_is: Fact::Known(SimulatedAction {
            action: need.action.to_owned(),
            resource: need.resource.clone(),
            decision: SimulatedDecision::ImplicitDeny,
            allowed_by_organizations: Some(true),
            allowed_by_permissions_boundary: None,
            matched_statements: 0,
            missing_context_values: Vec::new(),
            is_cross_account: false,
            identity_decision: None,
            told_by: ToldBy::Simulator,
        }),
        without_scps: None,
        without_boundary: None,
        not_told: Vec::new(),
    });
    let facts = JobFacts {
        role: Fact::Known(Some(Role {
            arn: job.role.clone().unwrap(),
            trust_policy: Some(r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"backup.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#.to_owned()),
            permissions_boundary: None,
            created: None,
        })),
        caller: CallerFacts {
            access: CallerAccess {
                simulated: simulated.collect(),
                policies: None,
            },
            alias: None,
            key: None,
        },
    };
    of_job(&event, &job, &facts, true)
}

/// A restore that AWS Backup knows nothing of.
pub(crate) fn unverified_restore(message: &str) -> Report {
    let event = job_event(
        JobKind::Restore,
        &json!({
            "restoreJobId": "4DD9", "status": "FAILED", "statusMessage": message,
            "iamRoleArn": "arn:aws:iam::111122223333:role/AWSBackupDefaultServiceRole",
            "recoveryPointArn": "arn:aws:ec2:eu-west-1::snapshot/snap-0a1b2c3d4e5f60718", "resourceType": "EBS"
        }),
    );
    let job = event.job.clone();
    let facts = JobFacts {
        role: Fact::Known(None),
        caller: CallerFacts {
            access: CallerAccess {
                simulated: Vec::new(),
                policies: Some(Fact::Known(None)),
            },
            alias: None,
            key: None,
        },
    };
    let mut advisory = of_job(&event, &job, &facts, false);
    advisory
        .notes
        .push("AWS Backup knows no such job".to_owned());
    advisory
}

/// A call that was seen before.
pub(crate) fn already_handled() -> Report {
    let before = refused_call(REFUSED);
    Report {
        outcome: Outcome::AlreadyHandled,
        notes: vec!["it was handled before: advised".to_owned()],
        ..Report::blank(before.event, before.subject, &before.message)
    }
}

/// Every sample by its name.
pub(crate) fn all() -> Vec<(&'static str, Report)> {
    vec![
        ("refused call", refused_call(REFUSED)),
        ("behind a boundary", behind_a_boundary()),
        ("of a permission set", of_a_permission_set()),
        ("nothing read", nothing_read()),
        ("failed backup", failed_backup()),
        (
            "unverified restore",
            unverified_restore("The role cannot be assumed by AWS Backup"),
        ),
        ("already handled", already_handled()),
    ]
}
