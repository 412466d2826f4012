//! What the job role may do: its own policies, and its permissions boundary.

use serde_json::{Value, json};

use super::simulation::{Layer, may_copy};
use super::{ADMITTED, Entry, Family, Pages, Remedy, Shown, always, console, page, rules};
use crate::access::{COPY_FROM_BACKUP_VAULT, COPY_INTO_BACKUP_VAULT};
use crate::advice::{Case, add_each, is_plain, list, step};
use crate::facts::SimulatedFact;
use crate::messages::wording::{
    ANOTHER_KEY, AT_DESTINATION, BLOCKS, DESTINATION_VAULT, GRAMMAR, KMS_DENIED,
    MISSING_PERMISSION, NOT_ALLOWED, NOT_ONLY_A_PERMISSION, SUCCESS, VAULT_POLICY,
};
use crate::simulation::{Simulated, SimulatedAction, ToldBy};

pub(super) static PERMISSION: Entry = Entry {
    slug: "job-role-permission",
    title: "The job role lacks a permission",
    happens: "The job role's own policies do not allow an action that the copy needs, or deny it.",
    found: "The policy simulator is asked about the two calls of AWS Backup that every copy makes, and about those of AWS KMS on each key \
        that the job role uses itself. Where it does not answer about the first, the role's policies are read one by one.",
    also: "A job role that lacks the permission gives the same text.",
    messages: rules! {
        // Access to a key is denied, with other words between: by what is less sure than for the
        // key policy, so advice comes first. Something else may be what denies or is denied.
        Keys 90 ["access to kms key|access to the kms key|access to key arn:aws\
             |access to the key arn:aws", "is denied|was denied"]
            not [AT_DESTINATION, "either disabled or pending deletion|denied by\
                 |denied due to an scp|denied due to a service control\
                 |denied due to a resource control|denied due to an rcp\
                 |denied due to the organization's|because no|destination vault\
                 |destination backup vault|bucket|access to the vault|access to the backup\
                 |access to the snapshot|is granted|was granted|has access to"]
            or [SourceKeyPolicy, SourceKeyDeny]
            => "The message says that access to the key is denied.";
        // Seen: KMS "The ciphertext refers to a customer master key that does not exist, … or you
        // are not allowed to access." It is told to whoever called, and to a copy no more often
        // than to others. An access key and an API key are no keys of KMS.
        Keys 120 ["or you are not allowed to access|or that you are not allowed to access",
            "kms key|customer master key|cmk|encryption key"] not [AT_DESTINATION, ANOTHER_KEY]
            or [SourceKeyPolicy, KeyNotFound, AwsManagedKey]
            => "The key does not exist here or does not let the caller in.";
        Keys 140 ["key policy", NOT_ALLOWED] not ["to perform"]
            or [SourceKeyPolicy, DestinationVaultKey]
            => "The message speaks of a policy that does not allow the use of a key.";
        // The vault policy's words, but apart: which policy refuses, and whose it is, stays open.
        Others 40 [DESTINATION_VAULT, VAULT_POLICY, NOT_ALLOWED]
            not ["authorized to perform:|denies"] or [DestinationVaultPolicy]
            => "The message speaks of a policy that does not allow the action.";
        Others 50 ["no statement in|no statement of", DESTINATION_VAULT, "allows|grants|permits"]
            not ["authorized to perform:|denies|denied by|is denied"] or [DestinationVaultPolicy]
            => "The message speaks of a policy that does not allow the action.";
        // Inferred: the caller's own policy in plain words.
        Others 195 ["identity policy|identity-based policy|iam policy|role's policy|role policy",
            NOT_ALLOWED] not [GRAMMAR, "trust policy"]
            => "The message says that the caller's own policy does not allow the action.";
        // Documented: "You are not authorized to perform this operation.", with or without an
        // encoded message.
        Others 200 ["not authorized to perform this|not authorised to perform this\
             |not authorized to perform the requested|not authorized to perform the operation\
             |not authorized to perform that|encoded authorization failure message"]
            not ["authorized to perform:|because no |in a service control policy"]
            or [ServiceControlPolicy, PermissionsBoundary]
            => "The role is not allowed the operation.";
        // Documented: "Access denied exception while trying to list tags".
        Others 210 ["access denied exception while trying to|access denied exception when trying to\
             |access denied while trying to|access denied when trying to\
             |accessdenied exception while trying to|access denied trying to"]
            not ["access denied trying to call|access denied when trying to call\
                 |access denied while trying to call"] => "The job role was refused an action.";
        // Seen: "Not authorized to use key arn:…". The key policy may refuse it too.
        Others 220 [MISSING_PERMISSION, ":key/|use key|use the key|kms key"]
            not [NOT_ONLY_A_PERMISSION] or [SourceKeyPolicy, PermissionsBoundary]
            => "The message says that a permission for the key is missing.";
        // Documented patterns "does not have permission", "missing permission"; texts "does not
        // have sufficient permissions", "Customer credential miss permission".
        Others 230 [MISSING_PERMISSION] not [NOT_ONLY_A_PERMISSION] or [PermissionsBoundary]
            => "The message says that a permission is missing.";
        // Seen: "Insufficient privileges to perform this action.", "… to create a backup vault." A
        // database says so too.
        Others 240 ["insufficient privileges",
            "backup|kms|recovery point|privileges to perform this"]
            not [NOT_ONLY_A_PERMISSION, "ora-0"] or [PermissionsBoundary]
            => "The message says that a permission is missing.";
        // A permission is missing for the action that only the vault policy and the job role can
        // allow.
        Others 250 ["copyintobackupvault", "not have permission|missing permission|lacks permission\
             |lacks the|insufficient permission|not have sufficient permission\
             |not have the permission|not have the required permission"] not [GRAMMAR]
            or [DestinationVaultPolicy] => "The message says that a permission is missing.";
        // Seen: DynamoDB puts it before what KMS said, whatever that was.
        Weak 10 [KMS_DENIED] not [SUCCESS] or [SourceKeyPolicy, SourceKeyDeny]
            => "Access to a key was denied; the message does not say why.";
        // Documented patterns "access denied" and "not authorized to": the text names neither
        // action nor policy. The job role comes first because its repair is advice.
        Weak 20 ["access denied|access is denied|access was denied|not authorized to\
             |is not authorized|are not authorized|unauthorized to"] not [SUCCESS, KMS_DENIED]
            or [DestinationVaultPolicy, ServiceControlPolicy, PermissionsBoundary]
            => "Access was denied; the message names neither the action nor the policy.";
        Weak 30 ["access to the", "is denied|was denied"] not [SUCCESS]
            => "Access was denied; the message names neither the action nor the policy.";
        // Seen: a bare error code.
        Weak 40 ["accessdeniedexception:|accessdenied:"] not [SUCCESS]
            => "Access was denied; the message says no more.";
    },
    shown: Shown::ByFacts(
        40,
        |copy, facts| may_copy(Layer::Identity, copy, facts),
        always,
    ),
    families: &[Family::Role, Family::Simulated],
    remedy: Remedy::Advise,
    who: |case| case.role_owner(),
    steps: permission_steps,
    console: console::job_role,
    page: Pages::One(page::MANAGED_POLICIES),
};

pub(super) static BOUNDARY: Entry = Entry {
    slug: "permissions-boundary",
    title: "A permissions boundary blocks the call",
    happens: "The job role has a permissions boundary that does not allow an action that the copy needs, whatever the role's \
        own policies allow.",
    found: "The policy simulator is asked about the two calls of AWS Backup that every copy makes, and about those of AWS KMS on each key \
        that the job role uses itself. Where it does not answer about the first, the role's policies are read one by one.",
    also: "A permissions boundary can refuse it too.",
    messages: rules! {
        Others 110 ["permissions boundar|permission boundar", BLOCKS] not [GRAMMAR]
            => "The message names the permissions boundary of the caller.";
    },
    shown: Shown::ByFacts(
        50,
        |copy, facts| may_copy(Layer::Boundary, copy, facts),
        always,
    ),
    families: &[Family::Role, Family::Simulated, Family::OtherPolicy],
    remedy: Remedy::Advise,
    who: |case| {
        format!(
            "{}, with the owner of its permissions boundary",
            case.role_owner()
        )
    },
    steps: boundary_steps,
    console: console::boundary,
    page: Pages::One(page::BOUNDARIES),
};

pub(super) static CALLER: Entry = Entry {
    slug: "caller-permission",
    title: "The caller lacks a permission",
    happens: "Whoever called AWS Backup is not allowed the action. It is never the cause of a failed copy: a copy's job role \
        is no caller.",
    found: "The message of the refused call tells, and the caller's policies where they can be read.",
    also: ADMITTED,
    messages: &[],
    shown: Shown::ByMessage,
    families: &[],
    remedy: Remedy::Advise,
    who: |case| case.role_owner(),
    steps: permission_steps,
    console: console::job_role,
    page: Pages::One(page::MANAGED_POLICIES),
};

/// The actions of which this is said, as the simulator names them.
fn stopped<'c>(
    case: &Case<'c>,
    said: fn(&SimulatedFact) -> Option<Simulated>,
    meaning: Simulated,
) -> Vec<&'c SimulatedAction> {
    let answers = case.facts().map(|facts| facts.job_role_access.actions());
    answers
        .into_iter()
        .flatten()
        .filter(|fact| said(fact) == Some(meaning))
        .filter_map(SimulatedFact::action)
        .filter(|action| is_plain(&action.action))
        .collect()
}

/// The calls on keys that the simulator refuses in this way, where nothing is missing for it to tell.
fn stopped_at_keys<'c>(case: &Case<'c>, meaning: Simulated) -> Vec<&'c SimulatedAction> {
    let keys = case.facts().map(|facts| facts.job_role_keys.as_slice());
    keys.into_iter()
        .flatten()
        .filter_map(|key| key.actions.known())
        .flatten()
        .filter(|action| action.meaning() == meaning && action.missing_context_values.is_empty())
        .filter(|action| is_plain(&action.action) && is_plain(&action.resource))
        .collect()
}

/// How to let the role use keys: each call on its key alone. A grant is made for a service.
fn allow_at_keys(case: &Case<'_>, calls: &[&SimulatedAction]) -> Vec<String> {
    let mut steps: Vec<String> = calls
        .iter()
        .map(|call| {
            format!(
                "By {}, no policy of the role allows {} on `{}`.",
                call.told_by, call.action, call.resource
            )
        })
        .collect();
    let statements: Vec<Value> = calls
        .iter()
        .map(|call| {
            let mut statement =
                json!({ "Effect": "Allow", "Action": call.action, "Resource": call.resource });
            if let Some(statement) = statement
                .as_object_mut()
                .filter(|_| call.action == CREATE_GRANT)
            {
                let condition = json!({ "Bool": { "kms:GrantIsForAWSResource": "true" } });
                statement.insert("Condition".to_owned(), condition);
            }
            statement
        })
        .collect();
    if !calls.is_empty() && case.is_verified() {
        let policy = json!({ "Version": "2012-10-17", "Statement": statements });
        steps.push(step!("Let the role make these calls on the key";
            "aws iam put-role-policy --role-name {} --policy-name UseKeysForCopies --policy-document '{policy}'", case.role().name()));
    }
    steps
}

const CREATE_GRANT: &str = "kms:CreateGrant";

/// The actions that no policy of the role allows.
fn missing<'c>(case: &Case<'c>) -> Vec<&'c SimulatedAction> {
    stopped(case, SimulatedFact::own_policies, Simulated::NotByIdentity)
}

/// The actions that a policy of the role denies.
fn denied<'c>(case: &Case<'c>) -> Vec<&'c SimulatedAction> {
    let denied = Simulated::DeniedByIdentity;
    stopped(case, SimulatedFact::own_policies, denied)
}

/// The actions that the service control policies don't allow.
pub(super) fn not_by_organization<'c>(case: &Case<'c>) -> Vec<&'c SimulatedAction> {
    let refused = Simulated::NotByOrganization;
    stopped(case, SimulatedFact::meaning, refused)
}

/// The actions that the permissions boundary doesn't allow.
fn not_by_boundary<'c>(case: &Case<'c>) -> Vec<&'c SimulatedAction> {
    let refused = Simulated::NotByBoundary;
    stopped(case, SimulatedFact::meaning_behind_scps, refused)
}

pub(super) fn names(actions: &[&SimulatedAction]) -> String {
    let names: Vec<&str> = actions
        .iter()
        .map(|action| action.action.as_str())
        .collect();
    list(&names)
}

/// The statements that allow what a copy needs, or of it only `actions`. As AWS's own example does,
/// copying from is allowed for every recovery point, since each backup has another ARN, and copying
/// into for the destination vault alone (AWS Backup, "Creating backup copies across AWS accounts",
/// documented).
fn statements(case: &Case<'_>, actions: Option<&[&SimulatedAction]>) -> Vec<Value> {
    let wanted = |name: &str| {
        actions.is_none_or(|actions| actions.iter().any(|action| action.action == name))
    };
    let vault = case.event().destination_vault.as_str();
    [
        (COPY_FROM_BACKUP_VAULT, "*"),
        (COPY_INTO_BACKUP_VAULT, vault),
    ]
    .into_iter()
    .filter(|(action, _)| wanted(action))
    .map(|(action, resource)| json!({ "Effect": "Allow", "Action": action, "Resource": resource }))
    .collect()
}

fn attach(case: &Case<'_>, policy: &str) -> String {
    format!(
        "aws iam attach-role-policy --role-name {} --policy-arn arn:{}:iam::aws:policy/{policy}",
        case.role().name(),
        case.role().partition()
    )
}

/// The simulation by hand, for each action on its own resource.
fn simulate(case: &Case<'_>) -> String {
    let point = case.recovery_point().map_or("*", |point| point.as_str());
    let vault = case.event().destination_vault.as_str();
    let commands: Vec<String> = [(COPY_FROM_BACKUP_VAULT, point), (COPY_INTO_BACKUP_VAULT, vault)]
        .into_iter()
        .map(|(action, resource)| {
            format!(
                "aws iam simulate-principal-policy --policy-source-arn {} --action-names {action} --resource-arns '{resource}' --query \
                 'EvaluationResults[].[EvalActionName,EvalDecision]' --output text",
                case.role_word()
            )
        })
        .collect();
    step(
        "See which of the two actions of a copy the role lacks",
        &commands.join("\n"),
    )
}

/// How to give the role what it lacks. What an unverified event names is not allowed by a command
/// to paste.
fn allow(case: &Case<'_>, lacking: Option<&[&SimulatedAction]>) -> Vec<String> {
    let minimum = json!({ "Version": "2012-10-17", "Statement": statements(case, lacking) });
    let exactly = if case.is_verified() {
        let what = lacking.map_or(
            "the minimum that a copy needs",
            |_| "exactly what is missing",
        );
        step!("Give the role {what}";
            "aws iam put-role-policy --role-name {} --policy-name CopyBackups --policy-document '{minimum}'", case.role().name())
    } else {
        format!(
            "Give the role the minimum that a copy needs: {COPY_FROM_BACKUP_VAULT} on all recovery points, and {COPY_INTO_BACKUP_VAULT} on the \
             destination vault alone."
        )
    };
    vec![
        exactly,
        step(
            "Or attach AWS's policy for backups, which has both actions of a copy and all that a backup needs",
            &attach(case, "service-role/AWSBackupServiceRolePolicyForBackup"),
        ),
    ]
}

fn about_denials(denied: &[&SimulatedAction], case: &Case<'_>) -> Option<String> {
    if denied.is_empty() {
        return None;
    }
    let name = case.role().name();
    Some(
        step!("A policy of the role denies {}; no Allow outweighs that. Someone put the Deny there on purpose: ask its author \
         first. Find it in the role's policies", names(denied);
        "aws iam list-attached-role-policies --role-name {name}\n\
         aws iam list-role-policies --role-name {name}"),
    )
}

fn permission_steps(case: &Case<'_>) -> Vec<String> {
    let (missing, mut denied) = (missing(case), denied(case));
    let missing_at_keys = stopped_at_keys(case, Simulated::NotByIdentity);
    denied.extend(stopped_at_keys(case, Simulated::DeniedByIdentity));
    let mut steps = Vec::new();
    if missing.is_empty() && denied.is_empty() && missing_at_keys.is_empty() {
        steps.push(simulate(case));
        steps.extend(allow(case, None));
    }
    for action in &missing {
        if is_plain(&action.resource) {
            steps.push(format!(
                "By {}, no policy of the role allows {} on `{}`.",
                action.told_by, action.action, action.resource
            ));
        }
    }
    if !missing.is_empty() {
        steps.extend(allow(case, Some(&missing)));
    }
    steps.extend(allow_at_keys(case, &missing_at_keys));
    steps.extend(about_denials(&denied, case));
    let behind = not_by_boundary(case);
    if !behind.is_empty() {
        steps.push(format!(
            "The role's permissions boundary does not allow {} either: that must be put right as well.",
            names(&behind)
        ));
    }
    if case.is_type("S3") {
        steps.push(step(
            "Backups and restores of Amazon S3 need policies of their own, which AWS's default role does not have",
            &[
                attach(case, "AWSBackupServiceRolePolicyForS3Backup"),
                attach(case, "AWSBackupServiceRolePolicyForS3Restore"),
            ]
            .join("\n"),
        ));
    }
    steps.extend([
        "If the message names another action, allow the role that one too, on the resource that the message names. An encoded \
         message can be read with aws sts decode-authorization-message."
            .to_owned(),
        case.start_again(),
    ]);
    steps
}

/// Reads the boundary's document, adds to it and sets it.
fn edit_boundary(
    case: &Case<'_>,
    boundary: &str,
    lacking: Option<&[&SimulatedAction]>,
) -> Vec<String> {
    let mut steps = vec![step!("Save the boundary's document";
        "VERSION=$(aws iam get-policy --policy-arn {boundary} --query Policy.DefaultVersionId --output text)\n\
         aws iam get-policy-version --policy-arn {boundary} --version-id $VERSION --query PolicyVersion.Document > \
         boundary.json")];
    let add = "Add this to the list `Statement` of boundary.json, or take the actions out of a Deny there";
    steps.extend(add_each(add, &statements(case, lacking)));
    steps.push(step!("Make it the boundary's new version (IAM keeps five; delete an old one if there is no room)";
        "aws iam create-policy-version --policy-arn {boundary} --policy-document file://boundary.json --set-as-default"));
    steps
}

const ON_PURPOSE: &str =
    "A boundary is a limit that someone set on purpose: ask its owner before you widen it.";

fn known_boundary(
    case: &Case<'_>,
    boundary: &str,
    what: &str,
    lacking: Option<&[&SimulatedAction]>,
) -> Vec<String> {
    let mut steps = vec![format!(
        "The permissions boundary of the job role is `{boundary}`. {what} {ON_PURPOSE}"
    )];
    // AWS's own policies can't be edited.
    if boundary.contains(":iam::aws:policy/") {
        steps.push(step!("It is a policy of AWS, which cannot be edited. Make a policy of your own from it, and set that, with \
             POLICY set to its ARN";
            "aws iam put-role-permissions-boundary --role-name {} --permissions-boundary $POLICY", case.role().name()));
    } else {
        steps.extend(edit_boundary(case, boundary, lacking));
    }
    steps
}

fn boundary_steps(case: &Case<'_>) -> Vec<String> {
    let blocked = not_by_boundary(case);
    let lacking = (!blocked.is_empty()).then_some(blocked.as_slice());
    let what = match lacking {
        Some(blocked) => {
            let told_by = blocked
                .first()
                .map_or(ToldBy::Simulator, |action| action.told_by);
            format!("By {told_by} it does not allow {}.", names(blocked))
        }
        None => format!(
            "It must allow the action that the message names; a copy needs {COPY_FROM_BACKUP_VAULT} and {COPY_INTO_BACKUP_VAULT}."
        ),
    };
    let mut steps = match case.boundary() {
        Some(boundary) => known_boundary(case, boundary, &what, lacking),
        None => vec![
            step!("See which policy is the boundary of the job role";
                "aws iam get-role --role-name {} --query Role.PermissionsBoundary.PermissionsBoundaryArn --output text",
                case.role().name()),
            format!("{what} Allow it in that policy. {ON_PURPOSE}"),
        ],
    };
    let at_keys = stopped_at_keys(case, Simulated::NotByBoundary);
    steps.extend(at_keys.iter().map(|call| {
        format!(
            "By {}, it does not allow {} on `{}`. Allow that there, too.",
            call.told_by, call.action, call.resource
        )
    }));
    let missing = missing(case);
    if !missing.is_empty() {
        steps.push(format!(
            "The role's own policies do not allow {} either.",
            names(&missing)
        ));
        steps.extend(allow(case, Some(&missing)));
    }
    steps.extend(about_denials(&denied(case), case));
    steps.push(case.start_again());
    steps
}
