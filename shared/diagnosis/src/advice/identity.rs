//! Advice on the caller's side: the job role, its trust policy and its boundary, the session, the network.

use serde_json::json;

use super::case::{Case, advice, step};
use super::{Advice, page};
use crate::access::COPY_INTO_BACKUP_VAULT;
use crate::facts::Role;

const COPY_FROM_BACKUP_VAULT: &str = "backup:CopyFromBackupVault";
const DEFAULT_ROLE: &str = "AWSBackupDefaultServiceRole";

fn attach(case: &Case<'_>, policy: &str) -> String {
    format!(
        "aws iam attach-role-policy --role-name {} --policy-arn arn:{}:iam::aws:policy/{policy}",
        case.role().name(),
        case.role().partition()
    )
}

fn get_role(case: &Case<'_>) -> String {
    format!("aws iam get-role --role-name {}", case.role().name())
}

fn role_facts<'c>(case: &Case<'c>) -> Option<&'c Role> {
    case.facts()?.job_role.known()?.as_ref()
}

pub(super) fn permission(case: &Case<'_>) -> Advice {
    let role = case.role();
    let minimum = json!({
        "Version": "2012-10-17",
        "Statement": [
            { "Effect": "Allow", "Action": COPY_FROM_BACKUP_VAULT, "Resource": "*" },
            { "Effect": "Allow", "Action": COPY_INTO_BACKUP_VAULT, "Resource": case.event().destination_vault },
        ],
    });
    let mut steps = vec![
        step(
            "See which of the two actions of a copy the role lacks",
            &format!(
                "aws iam simulate-principal-policy --policy-source-arn {role} --action-names {COPY_FROM_BACKUP_VAULT} \
                 {COPY_INTO_BACKUP_VAULT} --query 'EvaluationResults[].[EvalActionName,EvalDecision]' --output text"
            ),
        ),
        step(
            "Either attach AWS's policy for backups, which has both",
            &attach(case, "service-role/AWSBackupServiceRolePolicyForBackup"),
        ),
        step(
            "Or give the role the minimum",
            &format!(
                "aws iam put-role-policy --role-name {} --policy-name CopyBackups --policy-document '{minimum}'",
                role.name()
            ),
        ),
    ];
    if case.is_type("S3") {
        steps.extend([
            step(
                "Amazon S3 needs a policy of its own, which AWS's default role does not have",
                &attach(case, "AWSBackupServiceRolePolicyForS3Backup"),
            ),
            step(
                "And for restores",
                &attach(case, "AWSBackupServiceRolePolicyForS3Restore"),
            ),
        ]);
    }
    steps.extend([
        "If the message names another action, allow the role that one too, on the resource that the message names. An encoded \
         message can be read with aws sts decode-authorization-message."
            .to_owned(),
        case.start_again(),
    ]);
    Advice {
        who: case.role_owner(),
        steps,
        page: page::MANAGED_POLICIES,
        console: None,
    }
}

pub(super) fn trust(case: &Case<'_>) -> Advice {
    let name = case.role().name();
    let statement = json!({
        "Effect": "Allow",
        "Principal": { "Service": "backup.amazonaws.com" },
        "Action": "sts:AssumeRole",
    });
    advice(
        case.role_owner(),
        [
            step(
                "Save the role's trust policy (NoSuchEntity means that the role does not exist)",
                &format!(
                    "{} --query Role.AssumeRolePolicyDocument > trust.json",
                    get_role(case)
                ),
            ),
            step(
                "Add this to the list `Statement` of trust.json",
                &statement.to_string(),
            ),
            step(
                "Write it back",
                &format!(
                    "aws iam update-assume-role-policy --role-name {name} --policy-document file://trust.json"
                ),
            ),
            case.start_again(),
        ],
        page::ROLES,
    )
}

pub(super) fn missing(case: &Case<'_>) -> Advice {
    let role = case.role();
    let account = role.arn().account();
    let partition = role.partition();
    let mut steps = vec![step(
        &format!(
            "Look the role up in account {account}, and compare the whole ARN, with its path, to `{role}`"
        ),
        &format!("{} --query Role.Arn --output text", get_role(case)),
    )];
    if role.name() == DEFAULT_ROLE && role.path() != "/service-role/" {
        steps.push(format!(
            "AWS's default role has the path service-role: `arn:{partition}:iam::{account}:role/service-role/{DEFAULT_ROLE}`. A role \
             of that name without the path is another role; most likely the path was forgotten."
        ));
    }
    if let Some(found) = role_facts(case).filter(|found| found.arn != *role) {
        steps.push(format!("The account has a role of that name with another path: `{}`. Use that ARN, if it is the role you mean.", found.arn));
    }
    steps.push(format!(
        "Name the right role where the backup plan of account {account} assigns resources. A resource assignment cannot be edited: \
         make a new one, then delete the old."
    ));
    if role.name() == DEFAULT_ROLE {
        steps.push(
            "If the default role itself is gone, choose Default role in the AWS Backup console when you assign resources; the \
             console creates it."
                .to_owned(),
        );
    }
    steps.push(
        "A backup that was made with a role that is gone can still be copied: start the copy by hand with a role that exists."
            .to_owned(),
    );
    Advice {
        who: case.role_owner(),
        steps,
        page: page::ROLES,
        console: None,
    }
}

pub(super) fn boundary(case: &Case<'_>) -> Advice {
    let look = match role_facts(case).and_then(|role| role.permissions_boundary.as_deref()) {
        Some(boundary)
            if boundary
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b"`'\"$\\;&|<>".contains(&b)) =>
        {
            format!("The boundary of the job role is `{boundary}`.")
        }
        Some(_) | None => step(
            "See which policy is the boundary of the job role",
            &format!(
                "{} --query Role.PermissionsBoundary.PermissionsBoundaryArn --output text",
                get_role(case)
            ),
        ),
    };
    advice(
        case.role_owner(),
        [
            look,
            format!(
                "Allow the action that the message names in that policy. A copy needs {COPY_FROM_BACKUP_VAULT} and \
                 {COPY_INTO_BACKUP_VAULT}. A boundary is a limit that someone set on purpose: ask its owner."
            ),
            case.start_again(),
        ],
        page::BOUNDARIES,
    )
}

pub(super) fn session(case: &Case<'_>) -> Advice {
    advice(
        case.role_owner(),
        [
            "Find who made the refused call: CloudTrail has it under the error code AccessDenied, with the session in userIdentity. \
             A session policy is given when the session starts, not attached to the role."
                .to_owned(),
            "Allow the action that the message names in the session policy, or make the call from a session without one.".to_owned(),
            case.start_again(),
        ],
        page::ACCESS_DENIED,
    )
}

pub(super) fn endpoint(case: &Case<'_>) -> Advice {
    let (account, region) = (case.source_account(), case.source_region());
    advice(
        format!("The owner of the VPC endpoint: most likely account {account}, Region {region}"),
        [
            step(
                "Look at the policies of the endpoints for AWS Backup and AWS KMS",
                &format!(
                    "aws ec2 describe-vpc-endpoints --region {region} --filters \
                     Name=service-name,Values=com.amazonaws.{region}.backup,com.amazonaws.{region}.kms"
                ),
            ),
            "Allow the action that the message names there, or make the call from outside the VPC."
                .to_owned(),
            case.start_again(),
        ],
        page::ENDPOINT_POLICIES,
    )
}
