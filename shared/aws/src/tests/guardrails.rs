//! What stands over a planned copy, as it comes over the wire. What can't be read is unknown, and
//! never "no policy".

use copymend_diagnosis::ControlPolicyKind::{Resource, Service};
use copymend_diagnosis::{BackupCopy, ControlPolicies, Fact, UnknownReason, WhyUnknown};
use copymend_remediation::investigate::investigate;
use copymend_remediation::ports::CallErrorKind;
use copymend_remediation::read_once::ReadOnce;
use copymend_remediation::settings::Deployment;
use copymend_remediation::{GuardrailReads, look_at_guardrails, read_control_policies};
use serde_json::json;

use super::wire::{Reply, Wire, assumed, json_error, ok, typed_error, xml_error};
use super::{OTHER, OWN, config_on, environment, own, parsed};
use crate::{AwsEnvironment, ReadWrite};

const LIST: &str = "ListPoliciesForTarget";
const DESCRIBE: &str = "DescribePolicy";
const PARENTS: &str = "ListParents";
const REGION: &str = "POST /getRegionOptStatus";
const ALLOW: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

const REFUSED_BY_IAM: [&str; 4] = [
    "GetRole",
    "ListRolePolicies",
    "ListAttachedRolePolicies",
    "SimulatePrincipalPolicy",
];
/// The other reads of a copy.
const REFUSED: [&str; 11] = [
    "DescribeEffectivePolicy",
    "DescribeKey",
    "GetKeyPolicy",
    "ListKeyPolicies",
    "ListResourceTags",
    "ListAliases",
    "GET /backup-vaults/source",
    "GET /backup-vaults/source/access-policy",
    "GET /backup-vaults/source/recovery-points/arn%3Aaws%3Aec2%3Aeu-west-1%3A%3Asnapshot%2Fsnap-1",
    "GET /global-settings",
    REGION,
];

fn page(ids: &[&str], next: Option<&str>) -> Reply {
    let policies: Vec<_> = ids.iter().map(|id| json!({ "Id": id })).collect();
    ok(json!({ "Policies": policies, "NextToken": next }).to_string())
}

fn policy(text: &str) -> Reply {
    ok(json!({ "Policy": { "PolicySummary": { "Id": "p-1" }, "Content": text } }).to_string())
}

/// An account right below the root.
fn below_the_root(wire: &Wire) {
    let root = json!({ "Parents": [{ "Id": "r-ab12", "Type": "ROOT" }] });
    wire.always(PARENTS, ok(root.to_string()));
}

async fn on(wire: &Wire) -> AwsEnvironment<ReadWrite> {
    below_the_root(wire);
    environment(wire, &Deployment::default()).await
}

#[tokio::test]
async fn policies_are_read_a_level_at_a_time_over_all_pages() {
    let wire = Wire::default();
    let aws = on(&wire).await;
    wire.once(LIST, page(&["p-one"], Some("more")))
        // AWS may answer an empty page though more follow.
        .once(LIST, page(&[], Some("still-more")))
        .once(LIST, page(&["p-two"], None))
        .once(LIST, page(&["p-three"], None));
    for text in ["one", "two", "three"] {
        wire.once(DESCRIBE, policy(text));
    }
    let read = read_control_policies(&aws, own(), own(), Service, "aws").await;
    assert_eq!(
        read.unwrap(),
        [
            vec!["one".to_owned(), "two".to_owned()],
            vec!["three".to_owned()]
        ]
    );
    let asked: Vec<_> = wire
        .sent(LIST)
        .iter()
        .map(super::wire::Sent::json)
        .collect();
    let of = |target: &str| json!({ "TargetId": target, "Filter": "SERVICE_CONTROL_POLICY" });
    let mut second = of("r-ab12");
    second["NextToken"] = json!("more");
    assert_eq!((&asked[0], &asked[1]), (&of("r-ab12"), &second));
    assert_eq!(asked[3], of(OWN));
    let described: Vec<_> = wire
        .sent(DESCRIBE)
        .iter()
        .map(super::wire::Sent::json)
        .collect();
    assert_eq!(described[1], json!({ "PolicyId": "p-two" }));
    // Organizations has one endpoint, in us-east-1.
    assert!(
        wire.sent(LIST)[0]
            .authorization
            .contains("/us-east-1/organizations/")
    );
}

/// So many accounts lie right below one root.
const ACCOUNTS: usize = 24;

#[tokio::test]
async fn accounts_share_the_lists_of_their_units_and_the_texts_of_policies() {
    let wire = Wire::default();
    let aws = on(&wire).await;
    // The same policy is attached to the root and to each account.
    wire.always(LIST, page(&["p-full"], None))
        .always(DESCRIBE, policy(ALLOW));
    let once = ReadOnce::of(&aws);
    for number in 0..ACCOUNTS {
        let account = parsed(&format!("{number:0>12}"));
        for kind in [Service, Resource] {
            let read = read_control_policies(&once, own(), account, kind, "aws").await;
            assert_eq!(read.unwrap(), [[ALLOW.to_owned()], [ALLOW.to_owned()]]);
        }
    }
    let sent = |operation: &str| wire.sent(operation).len();
    // Of each account where it lies, and for each kind its own list and, once, that of the root.
    assert_eq!(sent(PARENTS), ACCOUNTS);
    assert_eq!(sent(LIST), 2 * (ACCOUNTS + 1));
    assert_eq!(sent(DESCRIBE), 1);
}

#[tokio::test(start_paused = true)]
async fn a_text_that_was_throttled_is_read_again() {
    let wire = Wire::default();
    let aws = on(&wire).await;
    wire.always(LIST, page(&["p-full"], None)).always(
        DESCRIBE,
        typed_error("TooManyRequestsException", "slow down"),
    );
    let once = ReadOnce::of(&aws);
    let read = read_control_policies(&once, own(), own(), Service, "aws").await;
    assert_eq!(read.unwrap_err().kind, CallErrorKind::Throttled);
    let lists = wire.sent(LIST).len();
    wire.always(DESCRIBE, policy(ALLOW));
    let read = read_control_policies(&once, own(), own(), Service, "aws").await;
    assert_eq!(read.unwrap().len(), 2);
    // What was listed stays so, for the first level.
    assert_eq!(wire.sent(LIST).len(), lists + 1);
}

#[tokio::test]
async fn resource_control_policies_are_asked_for_as_such() {
    let wire = Wire::default();
    let aws = on(&wire).await;
    wire.always(LIST, page(&[], None));
    let read = read_control_policies(&aws, own(), own(), Resource, "aws").await;
    // Nothing is attached: that is what AWS said.
    assert_eq!(read.unwrap(), [Vec::<String>::new(), Vec::new()]);
    assert_eq!(
        wire.sent(LIST)[0].json()["Filter"],
        "RESOURCE_CONTROL_POLICY"
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_tells_nothing_is_an_error() {
    for (listed, described, kind) in [
        (
            typed_error("AccessDeniedException", "no"),
            policy(ALLOW),
            CallErrorKind::AccessDenied,
        ),
        (
            page(&["p-1"], None),
            typed_error("AccessDeniedException", "no"),
            CallErrorKind::AccessDenied,
        ),
        (
            typed_error("TooManyRequestsException", "slow down"),
            policy(ALLOW),
            CallErrorKind::Throttled,
        ),
        (
            page(&["p-1"], None),
            typed_error("TooManyRequestsException", "slow down"),
            CallErrorKind::Throttled,
        ),
        (
            typed_error("TargetNotFoundException", "none"),
            policy(ALLOW),
            CallErrorKind::Failed,
        ),
        (
            page(&["p-1"], None),
            typed_error("PolicyNotFoundException", "gone"),
            CallErrorKind::Failed,
        ),
        (
            typed_error("AWSOrganizationsNotInUseException", "none"),
            policy(ALLOW),
            CallErrorKind::Failed,
        ),
        (page(&[""], None), policy(ALLOW), CallErrorKind::Unreadable),
        (page(&["p-1"], None), ok("{}"), CallErrorKind::Unreadable),
        (page(&["p-1"], None), policy(""), CallErrorKind::Unreadable),
        (
            json_error(500, "ServiceException", "later"),
            policy(ALLOW),
            CallErrorKind::Unavailable,
        ),
        (
            page(&["p-1"], Some("again")),
            policy(ALLOW),
            CallErrorKind::Unreadable,
        ),
    ] {
        let wire = Wire::default();
        let aws = on(&wire).await;
        wire.always(LIST, listed.clone())
            .always(DESCRIBE, described);
        let read = read_control_policies(&aws, own(), own(), Service, "aws").await;
        let error = read.expect_err(&format!("{listed:?}"));
        assert_eq!(error.kind, kind, "{error}");
    }
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    wire.always(PARENTS, typed_error("AccessDeniedException", "no"));
    let read = read_control_policies(&aws, own(), own(), Service, "aws").await;
    assert_eq!(read.unwrap_err().operation, "organizations:ListParents");
    assert!(wire.sent(LIST).is_empty());
}

#[tokio::test]
async fn a_region_is_enabled_or_not_or_unknown() {
    for (reply, expected) in [
        (
            ok(r#"{"RegionName":"ap-east-1","RegionOptStatus":"ENABLED"}"#),
            Ok(true),
        ),
        (
            ok(r#"{"RegionName":"ap-east-1","RegionOptStatus":"ENABLED_BY_DEFAULT"}"#),
            Ok(true),
        ),
        (
            ok(r#"{"RegionName":"ap-east-1","RegionOptStatus":"ENABLING"}"#),
            Ok(false),
        ),
        (
            ok(r#"{"RegionName":"ap-east-1","RegionOptStatus":"DISABLING"}"#),
            Ok(false),
        ),
        (
            ok(r#"{"RegionName":"ap-east-1","RegionOptStatus":"DISABLED"}"#),
            Ok(false),
        ),
        (
            ok(r#"{"RegionName":"ap-east-1","RegionOptStatus":"SOMETHING"}"#),
            Err(CallErrorKind::Unreadable),
        ),
        (
            ok(r#"{"RegionName":"ap-east-1"}"#),
            Err(CallErrorKind::Unreadable),
        ),
        (ok("no JSON"), Err(CallErrorKind::Unreadable)),
        // The code in the header, as restJson1 sends it.
        (
            json_error(403, "AccessDeniedException", "no"),
            Err(CallErrorKind::AccessDenied),
        ),
        (
            json_error(429, "TooManyRequestsException", "no"),
            Err(CallErrorKind::Throttled),
        ),
        (
            json_error(400, "ValidationException", "no"),
            Err(CallErrorKind::Rejected),
        ),
        (
            json_error(500, "InternalServerException", "no"),
            Err(CallErrorKind::Unavailable),
        ),
    ] {
        let wire = Wire::default();
        let aws = environment(&wire, &Deployment::default()).await;
        wire.always(REGION, reply.clone());
        let read = aws.is_region_enabled(own(), "ap-east-1", "aws").await;
        assert_eq!(read.map_err(|error| error.kind), expected, "{reply:?}");
        let sent = &wire.sent(REGION)[0];
        assert_eq!(sent.json(), json!({ "RegionName": "ap-east-1" }));
        assert!(
            sent.authorization.contains("/us-east-1/account/"),
            "{}",
            sent.authorization
        );
    }
}

#[tokio::test]
async fn each_account_is_asked_for_its_own_regions() {
    let wire = Wire::default();
    let deployment = Deployment {
        member_role: Some("copymend/CopymendReader".to_owned()),
        ..Deployment::default()
    };
    let aws = AwsEnvironment::<ReadWrite>::new(config_on(&wire).await, &deployment);
    wire.always("AssumeRole", assumed("READERKEY", OTHER))
        .always(REGION, ok(r#"{"RegionOptStatus":"ENABLED"}"#));
    let read = aws
        .is_region_enabled(parsed(OTHER), "ap-east-1", "aws")
        .await;
    assert_eq!(read, Ok(true));
    assert!(
        wire.sent(REGION)[0]
            .authorization
            .contains("Credential=READERKEY/")
    );
}

/// A copy to another account.
fn copy() -> BackupCopy {
    BackupCopy {
        account: own(),
        region: "eu-west-1".to_owned(),
        source_vault: parsed("arn:aws:backup:eu-west-1:111122223333:backup-vault:source"),
        source_recovery_point: parsed("arn:aws:ec2:eu-west-1::snapshot/snap-1"),
        destination_vault: parsed("arn:aws:backup:eu-central-1:444455556666:backup-vault:dr"),
        destination_account: parsed(OTHER),
        role: parsed("arn:aws:iam::111122223333:role/CopyRole"),
        resource: None,
        resource_type: Some("EBS".to_owned()),
        lifecycle: None,
        tried_at: None,
    }
}

/// The service control policies as a fact, where everything else is refused.
async fn service_control(listed: Reply, described: Reply) -> Fact<ControlPolicies> {
    let wire = Wire::default();
    below_the_root(&wire);
    let deployment = Deployment {
        organization_reader: Some(own()),
        ..Deployment::default()
    };
    let aws = AwsEnvironment::<ReadWrite>::new(config_on(&wire).await, &deployment);
    wire.always(LIST, listed).always(DESCRIBE, described);
    for operation in REFUSED_BY_IAM {
        wire.always(operation, xml_error(403, "AccessDenied", "no"));
    }
    for operation in REFUSED {
        wire.always(operation, json_error(403, "AccessDeniedException", "no"));
    }
    let organization =
        json!({ "Organization": { "Id": "o-exampleorgid", "MasterAccountId": "777788889999" } });
    wire.always("DescribeOrganization", ok(organization.to_string()));
    let facts = Box::pin(investigate(&aws, &copy())).await;
    let guardrails = look_at_guardrails(&aws, &copy(), &facts).await;
    assert_eq!(
        guardrails
            .unknown()
            .any(|why| why.operation.ends_with(LIST) || why.operation.ends_with(DESCRIBE)),
        guardrails
            .service_control
            .as_ref()
            .is_some_and(|fact| fact.unknown().is_some())
    );
    guardrails.service_control.expect("it binds the account")
}

#[tokio::test]
async fn policies_that_cannot_be_read_are_unknown_and_never_none() {
    let denied = || typed_error("AccessDeniedException", "no");
    for (listed, described, reason) in [
        (denied(), policy(ALLOW), UnknownReason::AccessDenied),
        (page(&["p-1"], None), denied(), UnknownReason::AccessDenied),
        (
            page(&["p-1"], None),
            policy("{\"Statement\":"),
            UnknownReason::Unreadable,
        ),
        (
            page(&["p-1"], None),
            policy(r#"{"Statement":[{"Effect":"Perhaps"}]}"#),
            UnknownReason::Unreadable,
        ),
        (page(&["p-1"], None), ok("{}"), UnknownReason::Unreadable),
    ] {
        let fact = Box::pin(service_control(listed, described)).await;
        let WhyUnknown { reason: found, .. } = fact.unknown().expect("it is unknown");
        assert_eq!(*found, reason, "{fact:?}");
    }
    let read = Box::pin(service_control(page(&["p-1"], None), policy(ALLOW))).await;
    let levels = &read.known().expect("it is read").levels;
    assert_eq!(levels.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1]);
}
