//! The policies of a principal, and IAM's answers about them.

mod unknown;
mod whole;

use std::fmt::Write as _;

use copymend_diagnosis::PrincipalPolicies;
use copymend_policy::PolicyDocument;
use copymend_remediation::ports::{CallResult, Identities, Reads};
use copymend_remediation::settings::Deployment;

use super::wire::{Reply, Wire, ok};
use super::{environment, parsed};

const ROLE: &str = "arn:aws:iam::111122223333:role/service-role/R";
const USER: &str = "arn:aws:iam::111122223333:user/operations/alice";

/// The answer of an IAM operation.
fn answer(operation: &str, result: &str) -> Reply {
    ok(format!(
        "<{operation}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><{operation}Result>{result}</{operation}Result></{operation}Response>"
    ))
}

fn members(list: &str, members: &[&str], marker: Option<&str>) -> String {
    let mut text = format!("<{list}>");
    for member in members {
        write!(text, "<member>{member}</member>").unwrap();
    }
    write!(text, "</{list}>").unwrap();
    match marker {
        Some(marker) => write!(
            text,
            "<IsTruncated>true</IsTruncated><Marker>{marker}</Marker>"
        ),
        None => write!(text, "<IsTruncated>false</IsTruncated>"),
    }
    .unwrap();
    text
}

fn names(names: &[&str], marker: Option<&str>) -> String {
    members("PolicyNames", names, marker)
}

fn attached(arns: &[&str], marker: Option<&str>) -> String {
    let arns: Vec<String> = arns
        .iter()
        .map(|arn| format!("<PolicyName>p</PolicyName><PolicyArn>{arn}</PolicyArn>"))
        .collect();
    let arns: Vec<&str> = arns.iter().map(String::as_str).collect();
    members("AttachedPolicies", &arns, marker)
}

/// A policy that can be told from others by its Sid.
fn policy(sid: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"{sid}","Effect":"Allow","Action":"backup:*","Resource":"*"}}]}}"#
    )
}

/// As IAM encodes policies.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() {
            encoded.push(byte.into());
        } else {
            write!(encoded, "%{byte:02X}").unwrap();
        }
        encoded
    })
}

fn document(sid: &str) -> String {
    format!("<PolicyDocument>{}</PolicyDocument>", encoded(&policy(sid)))
}

fn boundary(arn: &str) -> String {
    format!(
        "<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>\
         <PermissionsBoundaryArn>{arn}</PermissionsBoundaryArn></PermissionsBoundary>"
    )
}

fn role(arn: &str, rest: &str) -> Reply {
    let result = format!("<Role><RoleName>R</RoleName><Arn>{arn}</Arn>{rest}</Role>");
    answer("GetRole", &result)
}

fn user(arn: &str, rest: &str) -> Reply {
    let result = format!("<User><UserName>alice</UserName><Arn>{arn}</Arn>{rest}</User>");
    answer("GetUser", &result)
}

/// Answers for a managed policy.
fn managed(wire: &Wire, arn: &str, version: &str, sid: &str) {
    let part = encoded(arn).replace("%2D", "-");
    let policy =
        format!("<Policy><Arn>{arn}</Arn><DefaultVersionId>{version}</DefaultVersionId></Policy>");
    let document = format!(
        "<PolicyVersion><Document>{}</Document><VersionId>{version}</VersionId></PolicyVersion>",
        encoded(&self::policy(sid))
    );
    wire.holding("GetPolicy", &part, answer("GetPolicy", &policy))
        .holding(
            "GetPolicyVersion",
            &format!("{part}&VersionId={version}"),
            answer("GetPolicyVersion", &document),
        );
}

/// Answers for a role that has no policies.
fn bare_role(wire: &Wire) {
    wire.always("GetRole", role(ROLE, ""))
        .always(
            "ListRolePolicies",
            answer("ListRolePolicies", &names(&[], None)),
        )
        .always(
            "ListAttachedRolePolicies",
            answer("ListAttachedRolePolicies", &attached(&[], None)),
        );
}

async fn read(wire: &Wire, principal: &str) -> CallResult<Option<PrincipalPolicies>> {
    let aws = environment(wire, &Deployment::default()).await;
    let principal = parsed(principal);
    aws.identities().principal_policies(&principal).await
}

fn sids(policies: &[PolicyDocument]) -> Vec<&str> {
    policies
        .iter()
        .map(|policy| policy.statements()[0].sid().unwrap())
        .collect()
}
