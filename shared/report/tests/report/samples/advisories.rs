//! What the access advisor answers, made by its handler on the sandbox.

use copymend_remediation::advisor::{AccessAdvisor, AdvisorSettings};
use copymend_remediation::ports::CallErrorKind;
use copymend_remediation::report::{Outcome, Report};
use copymend_sandbox::{Sandbox, World};
use serde_json::{Value, json};

use super::{as_expected, event, handled_by};

const CALLER: &str = "BackupAdministrator";
const REFUSED: &str = "Insufficient privileges to perform this action.";

/// The sample call: a vault that could not be created.
fn call(message: &str) -> Value {
    let mut event = event("advisor/create-backup-vault");
    event["detail"]["errorMessage"] = message.into();
    event
}

fn policy(actions: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]})
}

/// The default world, in which the account has this role.
fn with_role(name: &str, role: Value) -> Sandbox {
    let mut world: Value = serde_json::from_str(World::default_json()).unwrap();
    world["accounts"]["111122223333"]["roles"][name] = role;
    Sandbox::new(World::from_json(&world.to_string()).unwrap())
}

fn advised(sandbox: &Sandbox, event: &Value) -> Report {
    let advisor = AccessAdvisor::new(sandbox.clone(), AdvisorSettings::default());
    handled_by(sandbox, async |invocation| {
        advisor.handle(event, invocation).await
    })
}

/// A vault that could not be created, for the tenth time: the caller lacks most of what that takes.
pub(crate) fn refused_call(message: &str) -> Report {
    let some = policy(&json!(["backup:CreateBackupVault", "kms:DescribeKey"]));
    let sandbox = with_role(CALLER, json!({ "policies": { "some": some } }));
    let numbered = |number: u8, message: &str| {
        let mut event = call(message);
        event["id"] = format!("call-{number}").into();
        event
    };
    for number in 1..10 {
        advised(&sandbox, &numbered(number, REFUSED));
    }
    as_expected(advised(&sandbox, &numbered(10, message)), Outcome::Advised)
}

/// The same, where the caller has all of it, but its boundary leaves the key out, and the simulator
/// does not answer.
pub(crate) fn behind_a_boundary() -> Report {
    let all = policy(&json!(["backup:*", "backup-storage:*", "kms:*"]));
    let boundary = policy(&json!(["backup:*", "backup-storage:*"]));
    let arn = "arn:aws:iam::111122223333:policy/Boundary";
    let role = json!({
        "policies": { "all": all },
        "permissions_boundary": { "arn": arn, "policy": boundary }
    });
    let sandbox = with_role(CALLER, role);
    sandbox.fail("iam:SimulatePrincipalPolicy", CallErrorKind::AccessDenied);
    advised(&sandbox, &call(REFUSED))
}

/// The same, called by somebody from IAM Identity Center.
pub(crate) fn of_a_permission_set() -> Report {
    let name = "AWSReservedSSO_BackupAdmin_0123456789abcdef";
    let path = "/aws-reserved/sso.amazonaws.com/eu-west-2/";
    let most = policy(&json!(["backup:*", "kms:*"]));
    let sandbox = with_role(name, json!({ "path": path, "policies": { "most": most } }));
    let mut event = call(REFUSED);
    let caller = &mut event["detail"]["userIdentity"];
    let session = format!("arn:aws:sts::111122223333:assumed-role/{name}/maria@example.com");
    caller["arn"] = session.into();
    let role = format!("arn:aws:iam::111122223333:role{path}{name}");
    caller["sessionContext"]["sessionIssuer"]["arn"] = role.into();
    advised(&sandbox, &event)
}

/// The same, where nothing could be read, and the call names its key by an alias.
pub(crate) fn nothing_read() -> Report {
    let sandbox = Sandbox::new(World::default_world());
    for operation in [
        "iam:SimulatePrincipalPolicy",
        "iam:ListRolePolicies",
        "kms:DescribeKey",
    ] {
        sandbox.fail(operation, CallErrorKind::AccessDenied);
    }
    let mut event = call(REFUSED);
    event["detail"]["requestParameters"]["encryptionKeyArn"] =
        "arn:aws:kms:us-east-1:111122223333:alias/dr".into();
    advised(&sandbox, &event)
}

/// A backup of Amazon S3 under a role without the policy for it.
pub(crate) fn failed_backup() -> Report {
    let event = event("advisor/backup-job-s3");
    advised(&Sandbox::new(World::default_world()), &event)
}

/// A restore that AWS Backup knows nothing of.
pub(crate) fn unverified_restore(message: &str) -> Report {
    let mut event = event("advisor/restore-job-default-role");
    event["detail"]["restoreJobId"] = "4DD9".into();
    event["detail"]["statusMessage"] = message.into();
    let report = advised(&Sandbox::new(World::default_world()), &event);
    assert!(!report.verified);
    report
}

/// A call that was seen before.
pub(crate) fn already_handled() -> Report {
    let sandbox = Sandbox::new(World::default_world());
    advised(&sandbox, &call(REFUSED));
    as_expected(advised(&sandbox, &call(REFUSED)), Outcome::AlreadyHandled)
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
