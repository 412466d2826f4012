use copymend_diagnosis::{Simulated, SimulatedAction, SimulatedDecision, ToldBy};
use copymend_remediation::ports::{
    CallErrorKind, CallResult, ContextKey, Identities, Reads, Simulation,
};
use copymend_remediation::settings::Deployment;

use super::wire::{Reply, Wire, assumed, ok, xml_error};
use super::{OTHER, environment, parsed};

const OPERATION: &str = "SimulatePrincipalPolicy";
const COPY_INTO: &str = "backup:CopyIntoBackupVault";
const COPY_FROM: &str = "backup:CopyFromBackupVault";
const VAULT: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr";
const ROLE: &str = "arn:aws:iam::111122223333:role/service-role/R";

fn simulation(actions: Vec<&'static str>) -> Simulation {
    Simulation {
        principal: parsed(ROLE),
        actions,
        resource: VAULT.to_owned(),
        context: vec![
            ContextKey::one("aws:RequestedRegion", "eu-west-1"),
            ContextKey::many("backup:CopyTargets", [VAULT.to_owned(), "arn:b".to_owned()]),
        ],
        without_scps: false,
        without_boundary: false,
    }
}

/// A page of answers. Each is the XML inside a `member`.
fn page(results: &[String], marker: Option<&str>) -> Reply {
    let members = results.join("</member><member>");
    let end = match marker {
        Some(marker) => {
            format!("<IsTruncated>true</IsTruncated><Marker>{marker}</Marker>")
        }
        None => "<IsTruncated>false</IsTruncated>".to_owned(),
    };
    ok(format!(
        "<SimulatePrincipalPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><SimulatePrincipalPolicyResult>\
         <EvaluationResults><member>{members}</member></EvaluationResults>{end}</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
    ))
}

fn result(action: &str, decision: &str, rest: &str) -> String {
    format!(
        "<EvalActionName>{action}</EvalActionName><EvalDecision>{decision}</EvalDecision>{rest}"
    )
}

async fn answered(reply: Reply, actions: Vec<&'static str>) -> CallResult<Vec<SimulatedAction>> {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    wire.once(OPERATION, reply);
    let simulation = simulation(actions);
    aws.identities()
        .simulate_principal_policy(&simulation)
        .await
}

async fn one(result: String) -> CallResult<SimulatedAction> {
    answered(page(&[result], None), vec![COPY_INTO])
        .await
        .map(|mut answers| answers.remove(0))
}

#[tokio::test]
async fn the_question_goes_out_as_it_is_asked() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    wire.always(
        OPERATION,
        page(
            &[
                result(COPY_INTO, "allowed", ""),
                result(COPY_FROM, "allowed", ""),
            ],
            None,
        ),
    );
    let mut simulation = simulation(vec![COPY_INTO, COPY_FROM]);
    let identities = aws.identities();
    identities
        .simulate_principal_policy(&simulation)
        .await
        .unwrap();
    simulation.without_boundary = true;
    identities
        .simulate_principal_policy(&simulation)
        .await
        .unwrap();
    simulation.without_scps = true;
    identities
        .simulate_principal_policy(&simulation)
        .await
        .unwrap();
    let sent = wire.sent(OPERATION);
    for part in [
        "PolicySourceArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fservice-role%2FR",
        "ActionNames.member.1=backup%3ACopyIntoBackupVault",
        "ActionNames.member.2=backup%3ACopyFromBackupVault",
        "ResourceArns.member.1=arn%3Aaws%3Abackup%3Aeu-west-1%3A444455556666%3Abackup-vault%3Adr",
        "ContextEntries.member.1.ContextKeyName=aws%3ARequestedRegion",
        "ContextEntries.member.1.ContextKeyValues.member.1=eu-west-1",
        "ContextEntries.member.1.ContextKeyType=string",
        "ContextEntries.member.2.ContextKeyName=backup%3ACopyTargets",
        "ContextEntries.member.2.ContextKeyValues.member.1=arn%3Aaws%3Abackup%3Aeu-west-1%3A444455556666%3Abackup-vault%3Adr",
        "ContextEntries.member.2.ContextKeyValues.member.2=arn%3Ab",
        "ContextEntries.member.2.ContextKeyType=stringList",
    ] {
        assert!(sent[0].body.contains(part), "{part} in {}", sent[0].body);
        assert!(sent[1].body.contains(part), "{part} in {}", sent[1].body);
    }
    assert!(
        !sent[0].body.contains("PermissionsBoundaryPolicyInputList"),
        "{}",
        sent[0].body
    );
    let allows_everything = "PermissionsBoundaryPolicyInputList.member.1=%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D";
    assert!(sent[1].body.contains(allows_everything), "{}", sent[1].body);
    assert!(!sent[1].body.contains("ResourcePolicy"));
    assert!(!sent[1].body.contains("PolicyExclusionList"));
    let excluded = "PolicyExclusionList.member.1.PolicyType=scp";
    assert!(sent[2].body.contains(excluded), "{}", sent[2].body);
}

/// The name of an entry is not documented, so what no name of the identity side is tells nothing.
#[tokio::test]
async fn the_identity_side_is_read_from_the_details_of_an_answer_across_accounts() {
    let entry =
        |name: &str, value: &str| format!("<entry><key>{name}</key><value>{value}</value></entry>");
    for (entries, told) in [
        (String::new(), None),
        (
            entry("IAM Policy", "allowed") + &entry("Resource Policy", "implicitDeny"),
            Some(SimulatedDecision::Allowed),
        ),
        (
            entry("identity-based policy", "implicitDeny"),
            Some(SimulatedDecision::ImplicitDeny),
        ),
        (
            entry("Resource Policy", "implicitDeny") + &entry("PermissionsBoundary", "allowed"),
            None,
        ),
        (entry("IAM Policy", "perhaps"), None),
        (
            entry("IAM Policy", "allowed") + &entry("Identity Policy", "explicitDeny"),
            None,
        ),
    ] {
        let details = format!("<EvalDecisionDetails>{entries}</EvalDecisionDetails>");
        let within = format!(
            "<ResourceSpecificResults><member><EvalResourceName>{VAULT}</EvalResourceName>\
             <EvalResourceDecision>implicitDeny</EvalResourceDecision>{details}</member></ResourceSpecificResults>"
        );
        for rest in [&details, &within] {
            let answer = one(result(COPY_INTO, "implicitDeny", rest)).await.unwrap();
            assert!(answer.is_cross_account);
            assert_eq!(answer.identity_decision, told, "{rest}");
            let is_blamed = answer.meaning() == Simulated::NotByIdentity;
            assert_eq!(is_blamed, told == Some(SimulatedDecision::ImplicitDeny));
        }
    }
}

#[tokio::test]
async fn answers_come_in_the_order_asked_over_all_pages_whatever_the_case() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    wire.once(
        OPERATION,
        page(
            &[result("BACKUP:copyfrombackupvault", "implicitDeny", "")],
            Some("next"),
        ),
    )
    .once(
        OPERATION,
        page(&[result("kms:Decrypt", "explicitDeny", "")], Some("last")),
    )
    .once(OPERATION, page(&[result(COPY_INTO, "allowed", "")], None));
    let simulation = simulation(vec![COPY_INTO, COPY_FROM, "kms:Decrypt"]);
    let answers = aws
        .identities()
        .simulate_principal_policy(&simulation)
        .await
        .unwrap();
    let told: Vec<_> = answers
        .iter()
        .map(|answer| (answer.action.as_str(), answer.decision))
        .collect();
    assert_eq!(
        told,
        [
            (COPY_INTO, SimulatedDecision::Allowed),
            (COPY_FROM, SimulatedDecision::ImplicitDeny),
            ("kms:Decrypt", SimulatedDecision::ExplicitDeny),
        ]
    );
    assert!(answers.iter().all(|answer| answer.resource == VAULT));
    let sent = wire.sent(OPERATION);
    assert!(!sent[0].body.contains("Marker="));
    assert!(sent[1].body.contains("Marker=next") && sent[2].body.contains("Marker=last"));
    assert!(sent[2].body.contains("PolicySourceArn="));
}

#[tokio::test]
async fn the_answer_on_the_resource_goes_before_the_one_on_all() {
    let answer = one(result(
        COPY_INTO,
        "explicitDeny",
        &format!(
            "<EvalResourceName>arn:${{Partition}}:backup:${{Region}}:${{Account}}:backup-vault:${{Name}}</EvalResourceName>\
             <MatchedStatements><member><SourcePolicyId>a</SourcePolicyId></member></MatchedStatements>\
             <OrganizationsDecisionDetail><AllowedByOrganizations>true</AllowedByOrganizations></OrganizationsDecisionDetail>\
             <PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>true</AllowedByPermissionsBoundary></PermissionsBoundaryDecisionDetail>\
             <ResourceSpecificResults>\
             <member><EvalResourceName>arn:aws:s3:::other</EvalResourceName><EvalResourceDecision>allowed</EvalResourceDecision></member>\
             <member><EvalResourceName>{VAULT}</EvalResourceName><EvalResourceDecision>implicitDeny</EvalResourceDecision>\
             <MatchedStatements><member><SourcePolicyId>a</SourcePolicyId></member><member><SourcePolicyId>b</SourcePolicyId></member></MatchedStatements>\
             <MissingContextValues><member>aws:SourceIp</member><member>aws:MultiFactorAuthPresent</member></MissingContextValues>\
             <PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>false</AllowedByPermissionsBoundary></PermissionsBoundaryDecisionDetail>\
             </member></ResourceSpecificResults>"
        ),
    ))
    .await
    .unwrap();
    assert_eq!(
        answer,
        SimulatedAction {
            action: COPY_INTO.to_owned(),
            resource: VAULT.to_owned(),
            decision: SimulatedDecision::ImplicitDeny,
            allowed_by_organizations: Some(true),
            allowed_by_permissions_boundary: Some(false),
            matched_statements: 2,
            missing_context_values: vec![
                "aws:MultiFactorAuthPresent".to_owned(),
                "aws:SourceIp".to_owned()
            ],
            is_cross_account: true,
            identity_decision: None,
            told_by: ToldBy::Simulator,
        }
    );
}

#[tokio::test]
async fn without_an_answer_on_the_resource_the_one_on_all_counts() {
    let answer = one(result(
        COPY_INTO,
        "implicitDeny",
        "<MatchedStatements><member><SourcePolicyId>a</SourcePolicyId></member></MatchedStatements>\
         <MissingContextValues><member>aws:SourceIp</member></MissingContextValues>\
         <PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>true</AllowedByPermissionsBoundary></PermissionsBoundaryDecisionDetail>",
    ))
    .await
    .unwrap();
    assert_eq!(answer.decision, SimulatedDecision::ImplicitDeny);
    assert_eq!(answer.allowed_by_organizations, None);
    assert_eq!(answer.allowed_by_permissions_boundary, Some(true));
    assert_eq!(answer.matched_statements, 1);
    assert_eq!(answer.missing_context_values, ["aws:SourceIp"]);
}

#[tokio::test]
async fn a_missing_condition_key_is_never_lost() {
    // AWS names the keys beside the resource's own entry, within it, or in both.
    let key = "<MissingContextValues><member>aws:SourceIp</member></MissingContextValues>";
    for (beside, within, name) in [
        (key, "", VAULT),
        ("", key, VAULT),
        (key, key, VAULT),
        ("", key, "arn:aws:backup:*"),
    ] {
        let own = format!(
            "{beside}<ResourceSpecificResults><member><EvalResourceName>{name}</EvalResourceName>\
             <EvalResourceDecision>implicitDeny</EvalResourceDecision>{within}</member></ResourceSpecificResults>"
        );
        let answer = one(result(COPY_INTO, "implicitDeny", &own)).await.unwrap();
        assert_eq!(answer.missing_context_values, ["aws:SourceIp"]);
        assert_eq!(answer.meaning(), Simulated::Unclear);
    }
}

#[tokio::test]
async fn what_the_organization_says_is_kept_apart_from_silence() {
    for (told, expected) in [
        ("", None),
        (
            "<OrganizationsDecisionDetail><AllowedByOrganizations>true</AllowedByOrganizations></OrganizationsDecisionDetail>",
            Some(true),
        ),
        (
            "<OrganizationsDecisionDetail><AllowedByOrganizations>false</AllowedByOrganizations></OrganizationsDecisionDetail>",
            Some(false),
        ),
    ] {
        let answer = one(result(COPY_INTO, "implicitDeny", told)).await.unwrap();
        assert_eq!(answer.allowed_by_organizations, expected);
        assert_eq!(answer.allowed_by_permissions_boundary, None);
    }
}

#[tokio::test]
async fn an_answer_that_decides_nothing_known_is_unreadable() {
    let own = |decision: &str| {
        format!(
            "<ResourceSpecificResults><member><EvalResourceName>{VAULT}</EvalResourceName>\
             <EvalResourceDecision>{decision}</EvalResourceDecision></member></ResourceSpecificResults>"
        )
    };
    for (result, expected) in [
        (result(COPY_INTO, "ALLOWED", ""), "ALLOWED"),
        (result(COPY_INTO, "perhaps", ""), "perhaps"),
        (result(COPY_INTO, "allowed", &own("maybe")), "maybe"),
    ] {
        let error = one(result).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Unreadable);
        assert!(error.detail.contains(expected), "{error}");
        assert!(error.detail.contains(COPY_INTO), "{error}");
    }
    let empty = format!("<EvalActionName>{COPY_INTO}</EvalActionName>");
    assert_eq!(
        one(empty).await.unwrap_err().kind,
        CallErrorKind::Unreadable
    );
}

#[tokio::test]
async fn an_action_without_an_answer_is_unreadable() {
    let error = answered(
        page(&[result(COPY_INTO, "allowed", "")], None),
        vec![COPY_INTO, COPY_FROM],
    )
    .await
    .unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Unreadable);
    assert_eq!(error.operation, "iam:SimulatePrincipalPolicy");
    assert_eq!(error.resource, ROLE);
    assert!(error.detail.contains(COPY_FROM), "{error}");
}

#[tokio::test]
async fn a_principal_that_does_not_exist_is_a_failed_call() {
    let error = answered(xml_error(404, "NoSuchEntity", "no role"), vec![COPY_INTO])
        .await
        .unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Failed);
    assert_eq!(error.detail, "NoSuchEntity: no role");
    let error = answered(xml_error(400, "InvalidInput", "bad"), vec![COPY_INTO])
        .await
        .unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Rejected);
    let error = answered(xml_error(403, "AccessDenied", "no"), vec![COPY_INTO])
        .await
        .unwrap_err();
    assert_eq!(error.kind, CallErrorKind::AccessDenied);
}

#[tokio::test]
async fn a_principal_is_asked_about_in_its_own_account() {
    let wire = Wire::default();
    let settings = Deployment {
        member_role: Some("Member".to_owned()),
        ..Deployment::default()
    };
    let aws = environment(&wire, &settings).await;
    wire.always("AssumeRole", assumed("MEMBERKEY", OTHER))
        .always(OPERATION, page(&[result(COPY_INTO, "allowed", "")], None));
    let simulation = Simulation {
        principal: parsed("arn:aws:iam::444455556666:role/R"),
        ..simulation(vec![COPY_INTO])
    };
    aws.identities()
        .simulate_principal_policy(&simulation)
        .await
        .unwrap();
    let sent = wire.sent(OPERATION).remove(0);
    assert!(sent.authorization.contains("Credential=MEMBERKEY/"));
    assert!(
        sent.uri.starts_with("https://iam.amazonaws.com"),
        "{}",
        sent.uri
    );
    let nobody = Simulation {
        principal: parsed("arn:aws:iam::1112223334444:role/R"),
        ..simulation
    };
    let error = aws
        .identities()
        .simulate_principal_policy(&nobody)
        .await
        .unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Failed);
    assert_eq!(wire.sent(OPERATION).len(), 1);
}
