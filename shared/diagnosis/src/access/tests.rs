use copymend_policy::PolicyDocument;
use serde_json::{Value, json};

use super::{Access, Facts, key_access, source_vault_access, vault_access};
use crate::Failure;
use crate::advice::samples;
use crate::fact::Fact;
use crate::facts::Tags;

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/11111111-1111-4111-8111-111111111111";

fn failure() -> Failure {
    samples::failure(&samples::event(samples::SNAPSHOT, "EBS"))
}

fn facts() -> Facts {
    Facts {
        read_at: "2026-03-01T02:00:00Z".parse().unwrap(),
        ..samples::facts()
    }
}

fn policy(statements: &Value) -> PolicyDocument {
    let policy = json!({"Version": "2012-10-17", "Statement": statements});
    PolicyDocument::parse(&policy.to_string()).unwrap()
}

fn allow(condition: &Value) -> Value {
    json!({"Effect": "Allow", "Principal": "*", "Action": "backup:CopyIntoBackupVault", "Resource": "*",
        "Condition": condition})
}

fn unknown(keys: &[&str]) -> Access {
    Access::Unknown {
        keys: keys.iter().map(ToString::to_string).collect(),
    }
}

fn missing() -> Access {
    Access::Missing {
        actions: vec![super::COPY_INTO_BACKUP_VAULT],
    }
}

fn of_vault(condition: &Value, change: impl FnOnce(&mut Facts)) -> Access {
    let failure = failure();
    let mut facts = facts();
    change(&mut facts);
    vault_access(
        Some(&policy(&json!([allow(condition)]))),
        failure.copy(),
        &facts,
    )
}

#[test]
fn a_time_that_is_far_from_now_decides_and_one_that_is_near_does_not() {
    for (operator, key, time, answer) in [
        (
            "DateLessThan",
            "aws:CurrentTime",
            "2027-01-01T00:00:00Z",
            Access::Allowed,
        ),
        (
            "DateLessThan",
            "aws:CurrentTime",
            "2025-01-01T00:00:00Z",
            missing(),
        ),
        (
            "DateGreaterThan",
            "aws:EpochTime",
            "1735689600",
            Access::Allowed,
        ),
        ("NumericLessThan", "aws:EpochTime", "1735689600", missing()),
        (
            "DateLessThan",
            "aws:CurrentTime",
            "2026-03-01T02:30:00Z",
            unknown(&["aws:CurrentTime"]),
        ),
    ] {
        let condition = json!({operator: {key: time}});
        assert_eq!(of_vault(&condition, |_| {}), answer, "{condition}");
    }
}

/// What the vault's policy answers to a copy that failed at 23:50 and is looked at at 02:00, where
/// all are let in whom this Deny doesn't keep out.
fn of_deny(condition: &Value, change: impl FnOnce(&mut Facts)) -> Access {
    let mut copy = failure().copy().clone();
    copy.tried_at = Some("2026-02-28T23:50:00Z".parse().unwrap());
    let mut facts = facts();
    change(&mut facts);
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "backup:*", "Resource": "*",
        "Condition": condition});
    let policy = policy(&json!([allow(&json!({})), deny]));
    vault_access(Some(&policy), &copy, &facts)
}

#[test]
fn a_deny_for_a_time_between_the_attempt_and_now_is_unknown() {
    let between = |from: &str, until: &str| json!({"DateGreaterThan": {"aws:CurrentTime": from}, "DateLessThan": {"aws:CurrentTime": until}});
    for (condition, answer) in [
        // A freeze that has ended.
        (
            between("2026-02-28T00:00:00Z", "2026-03-01T00:00:00Z"),
            unknown(&["aws:CurrentTime"]),
        ),
        // One that is shorter than an hour, and near.
        (
            between("2026-03-01T02:10:00Z", "2026-03-01T02:20:00Z"),
            unknown(&["aws:CurrentTime"]),
        ),
        (
            between("2026-02-28T23:49:00Z", "2026-02-28T23:51:00Z"),
            unknown(&["aws:CurrentTime"]),
        ),
        (
            json!({"NumericLessThan": {"aws:CurrentTime": "2030"}}),
            unknown(&["aws:CurrentTime"]),
        ),
        (
            json!({"DateLessThan": {"aws:CurrentTime": "20270101T000000Z"}}),
            unknown(&["aws:CurrentTime"]),
        ),
        (
            json!({"StringLike": {"aws:CurrentTime": "2026-03-01T03:1*"}}),
            unknown(&["aws:CurrentTime"]),
        ),
        (
            between("2025-12-20T00:00:00Z", "2026-01-07T00:00:00Z"),
            Access::Allowed,
        ),
    ] {
        assert_eq!(of_deny(&condition, |_| {}), answer, "{condition}");
    }
}

#[test]
fn a_deny_of_which_aws_does_not_say_whether_it_matches_is_unknown() {
    let known = |facts: &mut Facts| {
        let organization = facts.source_organization.known().unwrap().as_ref().unwrap();
        let path = format!("{}/r-ab12/ou-ab12-dev/", organization.id);
        facts.source_organization_path = Some(Fact::Known(path));
    };
    let prod = "o-*/r-ab12/ou-ab12-prod/*";
    let key = "aws:PrincipalOrgPaths";
    // A key of several values needs a set operator; what happens without isn't said.
    for operator in ["StringLike", "StringNotLike"] {
        let condition = json!({operator: {key: prod}});
        assert_eq!(of_deny(&condition, known), unknown(&[key]), "{operator}");
    }
    let condition = json!({"ForAnyValue:StringLike": {key: prod}});
    assert_eq!(of_deny(&condition, known), Access::Allowed);
    let condition = json!({"ForAllValues:StringNotLike": {key: prod}});
    assert!(matches!(of_deny(&condition, known), Access::Denied { .. }));
}

#[test]
fn a_tag_that_a_resource_without_it_lacks_is_absent_and_one_that_was_not_read_is_unknown() {
    let tag = "aws:ResourceTag/Stage";
    let none = |facts: &mut Facts| facts.vault_tags = Fact::Known(Tags::new());
    let is_prod = json!({"StringEquals": {tag: "prod"}});
    assert_eq!(of_vault(&is_prod, none), missing());
    let absent = [
        json!({"StringNotEquals": {tag: "prod"}}),
        json!({"StringEqualsIfExists": {tag: "prod"}}),
        json!({"Null": {tag: "true"}}),
    ];
    for condition in absent {
        assert_eq!(of_vault(&condition, none), Access::Allowed, "{condition}");
    }
    let unread = |facts: &mut Facts| {
        facts.vault_tags = samples::unknown();
    };
    assert_eq!(of_vault(&is_prod, unread), unknown(&[tag]));
}

#[test]
fn keys_of_a_calling_service_are_absent_where_a_role_calls() {
    let condition = json!({"Null": {"aws:SourceAccount": "true", "aws:SourceOrgID": "true"}});
    assert_eq!(of_vault(&condition, |_| {}), Access::Allowed);
    let condition = json!({"Null": {"aws:SourceArn": "true"}});
    assert_eq!(of_vault(&condition, |_| {}), unknown(&["aws:SourceArn"]));
}

#[test]
fn the_region_is_stated_only_where_source_and_destination_are_in_one() {
    let condition = json!({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}});
    assert_eq!(
        of_vault(&condition, |_| {}),
        unknown(&["aws:RequestedRegion"])
    );
}

/// What a key says whose users are let in, less what these statements deny.
fn of_key(statements: &Value) -> Access {
    let failure = failure();
    let facts = facts();
    let tags = Fact::Known(Tags::new());
    key_access(
        &policy(statements),
        &KEY.parse().unwrap(),
        &tags,
        failure.copy(),
        &facts,
    )
}

#[test]
fn a_deny_and_an_allow_for_one_of_two_regions_are_unknown_alike() {
    let one = json!({"StringEquals": {"kms:ViaService": "ec2.eu-west-1.amazonaws.com"}});
    let either = json!({"StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"}});
    let statement = |effect: &str, action: &str, condition: &Value| json!({"Effect": effect, "Principal": "*", "Action": action, "Resource": "*", "Condition": condition});
    let describe = statement("Allow", "kms:DescribeKey", &json!({}));
    let everything = statement("Allow", "kms:*", &json!({}));
    let answer = unknown(&["kms:ViaService"]);
    assert_eq!(
        of_key(&json!([describe, statement("Allow", "kms:*", &one)])),
        answer
    );
    assert_eq!(
        of_key(&json!([everything, statement("Deny", "kms:*", &one)])),
        answer
    );
    assert_eq!(
        of_key(&json!([describe, statement("Allow", "kms:*", &either)])),
        Access::Allowed
    );
    assert!(matches!(
        of_key(&json!([everything, statement("Deny", "kms:*", &either)])),
        Access::Denied { .. }
    ));
}

#[test]
fn what_only_calls_about_grants_carry_is_absent_elsewhere() {
    let condition = json!({"Bool": {"kms:GrantIsForAWSResource": "true"}});
    let everything = json!({"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": condition});
    let Access::Missing { actions } = of_key(&json!([everything])) else {
        panic!("known");
    };
    assert!(actions.contains(&"kms:ReEncryptFrom") && !actions.contains(&"kms:CreateGrant"));
}

/// What the vault's policy answers where it lets in whatever has a tag of this name.
fn of_tag(name: &str, value: &str) -> Access {
    let condition = json!({"StringEquals": {format!("aws:ResourceTag/{name}"): value}});
    of_vault(&condition, |facts| {
        let tags = [
            ("stage", "prod"),
            ("aws:cloudformation:stack-name", "backups"),
        ];
        let tags = tags.map(|(name, value)| (name.to_owned(), value.to_owned()));
        facts.vault_tags = Fact::Known(Tags::from(tags));
    })
}

#[test]
fn a_tag_that_aws_sets_is_not_known_as_a_condition_key() {
    assert_eq!(of_tag("stage", "prod"), Access::Allowed);
    assert_eq!(of_tag("stage", "test"), missing());
    assert_eq!(of_tag("owner", "me"), missing());
    let key = "aws:ResourceTag/aws:cloudformation:stack-name";
    assert_eq!(
        of_tag("aws:cloudformation:stack-name", "backups"),
        unknown(&[key])
    );
    assert_eq!(
        of_tag("aws:cloudformation:stack-name", "other"),
        unknown(&[key])
    );
    // One that isn't there can't be asked for.
    assert_eq!(of_tag("aws:cloudformation:stack-id", "x"), missing());
}

#[test]
fn the_tags_of_a_snapshot_are_not_known_as_condition_keys_of_aws_backup() {
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "backup:CopyFromBackupVault", "Resource": "*",
        "Condition": {"StringEquals": {"aws:ResourceTag/stage": "prod"}}});
    let policy = policy(&json!([deny]));
    let of = |point: &str| {
        let failure = samples::failure(&samples::event(point, "EBS"));
        let mut facts = facts();
        let tags = Tags::from([("stage".to_owned(), "prod".to_owned())]);
        facts.recovery_point_tags = Fact::Known(crate::RecoveryPointTags::Tags(tags));
        source_vault_access(Some(&policy), failure.copy(), &facts)
    };
    assert_eq!(of(samples::SNAPSHOT), unknown(&["aws:ResourceTag/stage"]));
    let own =
        "arn:aws:backup:eu-west-1:111122223333:recovery-point:9e1d2c3b-0000-4000-8000-000000000001";
    assert!(matches!(of(own), Access::Denied { .. }));
}
