//! Advice on what surrounds a call: its session, and the network that it passes.

use super::case::{Case, advice, step};
use super::{Advice, page};

pub(super) fn session(case: &Case<'_>) -> Advice {
    let region = case.source_region();
    advice(
        case.role_owner(),
        [
            step(
                "Find who made the refused call: CloudTrail has it under the error code AccessDenied, with the session in userIdentity. \
                 A session policy is given when the session starts, not attached to the role",
                &format!(
                    "aws cloudtrail lookup-events --region {region} --lookup-attributes \
                     AttributeKey=EventSource,AttributeValue=backup.amazonaws.com"
                ),
            ),
            "Allow the action that the message names in the session policy (the parameters Policy and PolicyArns of AssumeRole), or make \
             the call from a session without one."
                .to_owned(),
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
                     Name=service-name,Values=com.amazonaws.{region}.backup,com.amazonaws.{region}.kms \
                     --query 'VpcEndpoints[].[VpcEndpointId,ServiceName,PolicyDocument]'"
                ),
            ),
            step(
                "Allow the action that the message names there: save the endpoint's policy as endpoint.json, add the action, and write it \
                 back with ENDPOINT set to its VpcEndpointId. Or make the call from outside the VPC",
                &format!(
                    "aws ec2 modify-vpc-endpoint --region {region} --vpc-endpoint-id $ENDPOINT --policy-document file://endpoint.json"
                ),
            ),
            case.start_again(),
        ],
        page::ENDPOINT_POLICIES,
    )
}
