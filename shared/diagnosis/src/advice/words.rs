//! The words of advice, cause by cause, for people to review.

use std::fmt::Write as _;

use serde_json::json;

use super::samples::*;
use super::*;
use crate::fact::Fact;
use crate::{JobRoleAccess, SimulatedDecision, SimulatedFact, Tags};

/// The recovery point of a type that AWS Backup manages fully.
const MANAGED: &str =
    "arn:aws:backup:eu-west-1:111122223333:recovery-point:1a2b3c4d-1a2b-1a2b-1a2b-1a2b3c4d5e6f";

pub(super) fn text(advice: &Advice) -> String {
    let mut text = format!("who  {}\n", advice.who);
    for (number, step) in (1..).zip(&advice.steps) {
        let _ = writeln!(text, "  {number}. {}", step.replace('\n', "\n     "));
    }
    let _ = writeln!(text, "page {}", advice.page);
    let console = advice.console.as_deref().unwrap_or("none");
    let _ = writeln!(text, "console {console}");
    text
}

/// The advice for each case, under its name.
fn words_of<N: std::fmt::Display>(
    cases: impl IntoIterator<Item = (N, Cause, CopyJobEvent, Facts)>,
) -> String {
    let mut all = String::new();
    for (name, cause, event, facts) in cases {
        let advice = text(&advise(cause, &event, Some(&facts)));
        let _ = writeln!(all, "== {name}\n{advice}");
    }
    all
}

#[test]
fn the_words_for_every_cause() {
    let event = event(SNAPSHOT, "EBS");
    let all = Cause::ALL
        .iter()
        .map(|cause| (*cause, *cause, event.clone(), facts()));
    insta::assert_snapshot!(words_of(all));
}

#[test]
fn the_words_for_a_vault_without_policy_and_for_an_unverified_event() {
    let event = event(SNAPSHOT, "EBS");
    let facts = Facts {
        vault_policy: Fact::Known(None),
        ..facts()
    };
    let bare = text(&advise(Cause::DestinationVaultPolicy, &event, Some(&facts)));
    let unverified = text(&advise(Cause::SourceKeyPolicy, &event, None));
    insta::assert_snapshot!(format!("{bare}\n{unverified}"));
}

/// What the simulator says of both actions of a copy.
fn access_of(
    by_organization: bool,
    by_boundary: bool,
    without_boundary: Option<SimulatedDecision>,
) -> JobRoleAccess {
    let denied = SimulatedDecision::ImplicitDeny;
    let fact = |action: &str, resource: &str| SimulatedFact {
        without_boundary: without_boundary
            .map(|decision| simulated(action, resource, decision, true, true)),
        ..simulated(action, resource, denied, by_organization, by_boundary).into()
    };
    JobRoleAccess {
        copy_from: fact("backup:CopyFromBackupVault", SNAPSHOT),
        copy_into: fact("backup:CopyIntoBackupVault", VAULT),
    }
}

#[test]
fn the_words_where_the_simulator_tells_the_layer() {
    let (allowed, denied) = (SimulatedDecision::Allowed, SimulatedDecision::ImplicitDeny);
    let role = Cause::JobRolePermission;
    let boundary = Cause::PermissionsBoundary;
    let cases = [
        ("both missing", role, access_of(true, true, None)),
        (
            "one denied",
            role,
            both(allowed, SimulatedDecision::ExplicitDeny),
        ),
        (
            "boundary alone",
            boundary,
            access_of(true, false, Some(allowed)),
        ),
        (
            "boundary and own policies",
            boundary,
            access_of(true, false, Some(denied)),
        ),
        (
            "organization",
            Cause::ServiceControlPolicy,
            access_of(false, true, None),
        ),
    ];
    insta::assert_snapshot!(words_of(cases.map(|(name, cause, job_role_access)| {
        let facts = Facts {
            job_role_access,
            ..facts()
        };
        let name = format!("{name}: {cause}");
        (name, cause, event(SNAPSHOT, "S3"), facts)
    })));
}

#[test]
fn the_words_for_tags() {
    let many: Tags = (0..52)
        .map(|number| (format!("tag{number}"), "x".to_owned()))
        .chain([("aws:x".to_owned(), "y".to_owned())])
        .collect();
    let with = |recovery_point_tags| Facts {
        recovery_point_tags,
        ..facts()
    };
    let none_in_effect = Facts {
        tag_policy: Fact::Known(None),
        ..facts()
    };
    let no_command = known_tags(tags([
        ("CostCenter", "Research `and`\nDevelopment"),
        ("owner", "a b"),
    ]));
    let cases = [
        ("two values", Cause::TagPolicy, facts()),
        ("no policy in effect", Cause::TagPolicy, none_in_effect),
        (
            "a value that no command can carry",
            Cause::TagPolicy,
            with(no_command),
        ),
        ("too many", Cause::TagLimit, with(known_tags(many))),
        ("unknown how many", Cause::TagLimit, with(unknown())),
    ];
    insta::assert_snapshot!(words_of(cases.map(|(name, cause, facts)| {
        let name = format!("{name}: {cause}");
        (name, cause, event(MANAGED, "EFS"), facts)
    })));
}

#[test]
fn the_words_for_types_that_cannot_be_copied() {
    let cases = [
        (
            "DynamoDB",
            "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/backup/0176",
            "arn:aws:dynamodb:eu-west-1:111122223333:table/orders",
            VAULT,
        ),
        (
            "RDS",
            "arn:aws:rds:eu-west-1:111122223333:cluster-snapshot:awsbackup:job-1a2b",
            "arn:aws:rds:eu-west-1:111122223333:cluster:orders",
            VAULT,
        ),
        (
            "RDS",
            "arn:aws:rds:eu-west-1:111122223333:snapshot:awsbackup:job-1a2b",
            "arn:aws:rds:eu-west-1:111122223333:db:orders",
            VAULT,
        ),
        (
            "EKS",
            "arn:aws:backup:eu-west-1:111122223333:recovery-point:eks/prod-1",
            "arn:aws:eks:eu-west-1:111122223333:cluster/prod",
            VAULT,
        ),
        (
            "Redshift",
            "arn:aws:redshift:eu-west-1:111122223333:snapshot:warehouse/awsbackup:job-1",
            "arn:aws:redshift:eu-west-1:111122223333:cluster:warehouse",
            VAULT,
        ),
        (
            "Redshift Serverless",
            "arn:aws:redshift-serverless:eu-west-1:111122223333:snapshot/1",
            "arn:aws:redshift-serverless:eu-west-1:111122223333:namespace/1",
            VAULT,
        ),
        (
            "CloudFormation",
            MANAGED,
            "arn:aws:cloudformation:eu-west-1:111122223333:stack/web/1",
            VAULT,
        ),
        (
            "Neptune",
            "arn:aws:rds:eu-west-1:111122223333:cluster-snapshot:awsbackup:job-1a2b",
            "arn:aws:rds:eu-west-1:111122223333:cluster:graph",
            "arn:aws:backup:ap-east-1:444455556666:backup-vault:dr-vault",
        ),
        (
            "EBS",
            SNAPSHOT,
            VOLUME,
            "arn:aws-us-gov:backup:us-gov-west-1:444455556666:backup-vault:dr-vault",
        ),
    ];
    insta::assert_snapshot!(words_of(cases.map(|(kind, point, resource, destination)| {
        let event = event_with(
            point,
            &json!({"resourceType": kind, "resourceArn": resource, "destinationBackupVaultArn": destination}),
        );
        let name = format!("{kind} {point} to {destination}");
        (name, Cause::UnsupportedResourceType, event, facts())
    })));
}
