//! AWS CloudFormation (API reference, `DescribeStacks`, `ListStackResources`, documented).

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};
use copymend_doctor::{Deployed, Resource};
use copymend_policy::Arn;
use copymend_remediation::ports::CallResult;

use crate::error::Call;
use crate::pages::{self, token};
use crate::percent;
use crate::signed::{Answering, Protocol, Service, not_made, send};

const FORMATION: Service = Service {
    prefix: "cloudformation",
    id: "CloudFormation",
    name: "AWS CloudFormation",
};
const PROTOCOL: Protocol = Protocol {
    headers: &[("content-type", "application/x-www-form-urlencoded")],
    error,
};
/// The version of the API (AWS CloudFormation API reference, "Query requests", documented).
const VERSION: &str = "2010-05-15";

/// An element with its children, or with its text.
#[derive(Debug, Default, PartialEq, Eq)]
struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of a child; empty where there is none.
    fn text_of(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| child.text.as_str())
    }

    /// The items of a list.
    fn items(&self, list: &str) -> impl Iterator<Item = &Self> {
        self.child(list).into_iter().flat_map(|list| &list.children)
    }
}

fn query(config: &SdkConfig, action: &'static str, stack: &str, page: Option<&str>) -> Answering {
    if stack.is_empty() {
        return not_made("the stack has no name");
    }
    let mut body = format!(
        "Action={action}&Version={VERSION}&StackName={}",
        percent::encode(stack)
    );
    if let Some(page) = page {
        body.push_str("&NextToken=");
        body.push_str(&percent::encode(page));
    }
    send(config, FORMATION, PROTOCOL, action, body)
}

/// The stack with its resources. One that isn't there is an error of AWS's.
pub(super) async fn stack(config: &SdkConfig, name: &str) -> CallResult<Deployed> {
    let call = Call::new("cloudformation:DescribeStacks", name);
    let answer = call
        .send(query(config, "DescribeStacks", name, None))
        .await?;
    let answer = parse(&answer).map_err(|detail| call.unreadable(detail))?;
    let described = answer
        .child("DescribeStacksResult")
        .and_then(|result| result.items("Stacks").next())
        .ok_or_else(|| call.unreadable("`Stacks` is empty"))?;
    let arn: Arn = described
        .text_of("StackId")
        .parse()
        .map_err(|error| call.unreadable(format!("`StackId`: {error}")))?;
    let parameters: BTreeMap<String, String> = described
        .items("Parameters")
        .map(|parameter| {
            let text = |name| parameter.text_of(name).to_owned();
            (text("ParameterKey"), text("ParameterValue"))
        })
        .collect();
    let deployed = Deployed::of(&arn, described.text_of("StackStatus"), parameters);
    let deployed = deployed.ok_or_else(|| call.unreadable("`StackId` names no account"))?;
    Ok(Deployed {
        resources: resources(config, name).await?,
        ..deployed
    })
}

async fn resources(config: &SdkConfig, name: &str) -> CallResult<Vec<Resource>> {
    let call = Call::new("cloudformation:ListStackResources", name);
    let pages = pages::all(
        &call,
        |page: Option<String>| query(config, "ListStackResources", name, page.as_deref()),
        |answer| match parse(&answer) {
            Err(_) => (Vec::new(), Err("the answer can't be read")),
            Ok(answer) => match answer.child("ListStackResourcesResult") {
                None => (Vec::new(), Err("`ListStackResourcesResult` is missing")),
                Some(result) => {
                    let next = token(Some(result.text_of("NextToken")));
                    let listed = result.items("StackResourceSummaries");
                    (listed.filter_map(resource).collect(), next)
                }
            },
        },
    );
    pages.await
}

/// One that was deleted, or never made, is none.
fn resource(listed: &Element) -> Option<Resource> {
    let text = |name| listed.text_of(name).to_owned();
    let is_gone = matches!(
        listed.text_of("ResourceStatus"),
        "DELETE_COMPLETE" | "DELETE_SKIPPED" | "CREATE_FAILED"
    );
    let resource = Resource {
        logical: text("LogicalResourceId"),
        kind: text("ResourceType"),
        id: text("PhysicalResourceId"),
    };
    (!is_gone && !resource.id.is_empty()).then_some(resource)
}

fn parse(answer: &str) -> Result<Element, String> {
    let mut document = Document::new(answer);
    let read = document.root_element().and_then(|mut root| {
        // What was cut on its way would hold too few.
        let end = format!("</{}>", root.start_el().local());
        if !answer.trim_end().ends_with(&end) {
            return Err(XmlDecodeError::custom("the answer is cut"));
        }
        let mut children = Vec::new();
        while let Some(child) = root.next_tag() {
            children.push(element(child)?);
        }
        Ok(Element {
            children,
            ..Element::default()
        })
    });
    read.map_err(|error| error.to_string())
}

/// The elements that hold others; all others hold text.
const HOLD_OTHERS: [&str; 9] = [
    "DescribeStacksResult",
    "Stacks",
    "member",
    "Parameters",
    "ListStackResourcesResult",
    "StackResourceSummaries",
    "Error",
    "Errors",
    "ResponseMetadata",
];

fn element(mut decoder: ScopedDecoder<'_, '_>) -> Result<Element, XmlDecodeError> {
    let mut read = Element {
        name: decoder.start_el().local().to_owned(),
        ..Element::default()
    };
    if HOLD_OTHERS.contains(&read.name.as_str()) {
        while let Some(child) = decoder.next_tag() {
            read.children.push(element(child)?);
        }
    } else if is_of_text(&read.name) {
        try_data(&mut decoder)?.trim().clone_into(&mut read.text);
    }
    Ok(read)
}

fn is_of_text(name: &str) -> bool {
    matches!(
        name,
        "StackId"
            | "StackStatus"
            | "ParameterKey"
            | "ParameterValue"
            | "LogicalResourceId"
            | "PhysicalResourceId"
            | "ResourceType"
            | "ResourceStatus"
            | "NextToken"
            | "Code"
            | "Message"
    )
}

fn error(body: &[u8]) -> ErrorMetadata {
    let mut error = ErrorMetadata::builder();
    // What is no XML, from a proxy for example, carries no code.
    let answer = std::str::from_utf8(body).ok().map(parse);
    if let Some(Ok(answer)) = answer
        && let Some(told) = answer.child("Error")
    {
        error = error
            .code(told.text_of("Code"))
            .message(told.text_of("Message"));
    }
    error.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_is_no_answer() {
        let whole = "<R><DescribeStacksResult><Stacks><member><StackStatus>CREATE_COMPLETE</StackStatus><Tags><member/></Tags>\
                     </member></Stacks></DescribeStacksResult></R>";
        let read = parse(whole).unwrap();
        let result = read.child("DescribeStacksResult").unwrap();
        let stack = result.items("Stacks").next().unwrap();
        assert_eq!(stack.text_of("StackStatus"), "CREATE_COMPLETE");
        assert!(parse(whole.strip_suffix("</R>").unwrap()).is_err());
    }

    #[test]
    fn an_error_has_its_code_and_words() {
        let read = error(
            b"<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id x does not exist</Message>\
              </Error><RequestId>r</RequestId></ErrorResponse>",
        );
        assert_eq!(read.code(), Some("ValidationError"));
        assert_eq!(read.message(), Some("Stack with id x does not exist"));
        assert_eq!(error(b"<html>").code(), None);
    }
}
