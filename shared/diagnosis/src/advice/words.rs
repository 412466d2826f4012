//! The words of advice, cause by cause, for people to review.

use std::fmt::Write as _;

use serde_json::json;

use super::samples::*;
use super::*;
use crate::fact::Fact;
use crate::{JobRoleAccess, SimulatedDecision, SimulatedFact, Tags};

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

#[test]
fn the_words_for_every_cause() {
    let event = event(SNAPSHOT, "EBS");
    let facts = facts();
    let mut all = String::new();
    for cause in Cause::ALL {
        let _ = writeln!(
            all,
            "== {cause}\n{}",
            text(&advise(*cause, &event, Some(&facts)))
        );
    }
    insta::assert_snapshot!(all);
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
    let fact = |action: &str, resource: &str| SimulatedFact {
        as_is: simulated(
            action,
            resource,
            SimulatedDecision::ImplicitDeny,
            by_organization,
            by_boundary,
        ),
        without_scps: None,
        without_boundary: without_boundary
            .map(|decision| simulated(action, resource, decision, true, true)),
        not_told: Vec::new(),
    };
    JobRoleAccess {
        copy_from: fact("backup:CopyFromBackupVault", SNAPSHOT),
        copy_into: fact("backup:CopyIntoBackupVault", VAULT),
    }
}

#[test]
fn the_words_where_the_simulator_tells_the_layer() {
    let event = event(SNAPSHOT, "S3");
    let with = |access: JobRoleAccess| Facts {
        job_role_access: access,
        ..facts()
    };
    let denied = SimulatedFact {
        as_is: simulated(
            "backup:CopyIntoBackupVault",
            VAULT,
            SimulatedDecision::ExplicitDeny,
            true,
            true,
        ),
        without_scps: None,
        without_boundary: None,
        not_told: Vec::new(),
    };
    let cases = [
        (
            "both missing",
            Cause::JobRolePermission,
            with(access_of(true, true, None)),
        ),
        (
            "one denied",
            Cause::JobRolePermission,
            with(JobRoleAccess {
                copy_into: denied,
                ..access()
            }),
        ),
        (
            "boundary alone",
            Cause::PermissionsBoundary,
            with(access_of(true, false, Some(SimulatedDecision::Allowed))),
        ),
        (
            "boundary and own policies",
            Cause::PermissionsBoundary,
            with(access_of(
                true,
                false,
                Some(SimulatedDecision::ImplicitDeny),
            )),
        ),
        (
            "organization",
            Cause::ServiceControlPolicy,
            with(access_of(false, true, None)),
        ),
    ];
    let mut all = String::new();
    for (name, cause, facts) in &cases {
        let _ = writeln!(
            all,
            "== {name}: {cause}\n{}",
            text(&advise(*cause, &event, Some(facts)))
        );
    }
    insta::assert_snapshot!(all);
}

#[test]
fn the_words_for_tags() {
    let event = event(
        "arn:aws:backup:eu-west-1:111122223333:recovery-point:1a2b3c4d-1a2b-1a2b-1a2b-1a2b3c4d5e6f",
        "EFS",
    );
    let many: Tags = (0..52)
        .map(|number| (format!("tag{number}"), "x".to_owned()))
        .chain([("aws:x".to_owned(), "y".to_owned())])
        .collect();
    let cases = [
        ("two values", Cause::TagPolicy, facts()),
        (
            "no policy in effect",
            Cause::TagPolicy,
            Facts {
                tag_policy: Fact::Known(None),
                ..facts()
            },
        ),
        (
            "a value that no command can carry",
            Cause::TagPolicy,
            Facts {
                recovery_point_tags: known_tags(tags([
                    ("CostCenter", "Research `and`\nDevelopment"),
                    ("owner", "a b"),
                ])),
                ..facts()
            },
        ),
        (
            "too many",
            Cause::TagLimit,
            Facts {
                recovery_point_tags: known_tags(many),
                ..facts()
            },
        ),
        (
            "unknown how many",
            Cause::TagLimit,
            Facts {
                recovery_point_tags: unknown(),
                ..facts()
            },
        ),
    ];
    let mut all = String::new();
    for (name, cause, facts) in &cases {
        let _ = writeln!(
            all,
            "== {name}: {cause}\n{}",
            text(&advise(*cause, &event, Some(facts)))
        );
    }
    insta::assert_snapshot!(all);
}

#[test]
fn the_words_for_types_that_cannot_be_copied() {
    let managed =
        "arn:aws:backup:eu-west-1:111122223333:recovery-point:1a2b3c4d-1a2b-1a2b-1a2b-1a2b3c4d5e6f";
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
            managed,
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
    let mut all = String::new();
    for (kind, point, resource, destination) in cases {
        let event = event_with(
            point,
            &json!({"resourceType": kind, "resourceArn": resource, "destinationBackupVaultArn": destination}),
        );
        let _ = writeln!(
            all,
            "== {kind} {point} to {destination}\n{}",
            text(&advise(
                Cause::UnsupportedResourceType,
                &event,
                Some(&facts())
            ))
        );
    }
    insta::assert_snapshot!(all);
}
