//! What surrounds a call: its session, and the network that it passes.

use super::{ADMITTED, Entry, Family, Pages, Remedy, Shown, console, page, rules};
use crate::advice::{Case, step};
use crate::messages::wording::{BLOCKS, GRAMMAR};

pub(super) static SESSION: Entry = Entry {
    slug: "session-policy",
    title: "A session policy blocks the call",
    happens: "The call was made in a session that was started with a policy of its own, and that policy does not allow the action.",
    found: "The message alone tells; Copymend reads nothing that could show or exclude it.",
    also: ADMITTED,
    messages: rules! {
        Others 120 ["session polic", BLOCKS] not [GRAMMAR] => "The message names a session policy.";
    },
    shown: Shown::ByMessage,
    families: &[Family::OtherPolicy],
    remedy: Remedy::Advise,
    who: |case| case.role_owner(),
    steps: session,
    console: console::job_role,
    page: Pages::One(page::ACCESS_DENIED),
};

fn session(case: &Case<'_>) -> Vec<String> {
    let region = case.source_region();
    vec![
            step!("Find who made the refused call: CloudTrail has it under the error code AccessDenied, with the session in \
                 userIdentity. A session policy is given when the session starts, not attached to the role";
                "aws cloudtrail lookup-events --region {region} --lookup-attributes \
                 AttributeKey=EventSource,AttributeValue=backup.amazonaws.com"),
            "Allow the action that the message names in the session policy (the parameters Policy and PolicyArns of AssumeRole), or make \
             the call from a session without one."
                .to_owned(),
            case.start_again(),
    ]
}

pub(super) static ENDPOINT: Entry = Entry {
    slug: "vpc-endpoint-policy",
    title: "A VPC endpoint policy blocks the call",
    happens: "The call went through a VPC endpoint whose policy does not allow the action.",
    found: "The message alone tells; Copymend reads nothing that could show or exclude it.",
    also: ADMITTED,
    messages: rules! {
        Others 130 ["vpc endpoint polic|vpc-endpoint polic|endpoint policy", BLOCKS] not [GRAMMAR]
            => "The message names the policy of a VPC endpoint.";
    },
    shown: Shown::ByMessage,
    families: &[Family::OtherPolicy],
    remedy: Remedy::Advise,
    who: |case| {
        let (account, region) = (case.source_account(), case.source_region());
        format!("The owner of the VPC endpoint: most likely account {account}, Region {region}")
    },
    steps: endpoint,
    console: |case| console::here(case, "vpcconsole", "Endpoints:"),
    page: Pages::One(page::ENDPOINT_POLICIES),
};

fn endpoint(case: &Case<'_>) -> Vec<String> {
    let region = case.source_region();
    vec![
        step!("Look at the policies of the endpoints for AWS Backup and AWS KMS";
            "aws ec2 describe-vpc-endpoints --region {region} --filters \
             Name=service-name,Values=com.amazonaws.{region}.backup,com.amazonaws.{region}.kms --query \
             'VpcEndpoints[].[VpcEndpointId,ServiceName,PolicyDocument]'"),
        step!("Allow the action that the message names there: save the endpoint's policy as endpoint.json, add the action, and \
             write it back with ENDPOINT set to its VpcEndpointId. Or make the call from outside the VPC";
            "aws ec2 modify-vpc-endpoint --region {region} --vpc-endpoint-id $ENDPOINT --policy-document file://endpoint.json"),
        case.start_again(),
    ]
}
