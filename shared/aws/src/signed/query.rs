//! The query protocol: a form as request, XML as answer (Smithy, "AWS Query protocol", documented).

use aws_smithy_types::error::ErrorMetadata;

use super::xml::Element;
use super::{Protocol, xml};
use crate::percent;

/// The protocol of AWS IAM, AWS STS and Amazon SNS.
pub(crate) const PROTOCOL: Protocol = Protocol {
    headers: &[("content-type", "application/x-www-form-urlencoded")],
    target: None,
    error,
};

/// A form that is being written.
#[derive(Clone, Debug)]
pub(crate) struct Form(String);

impl Form {
    pub(crate) fn new(action: &str, version: &str) -> Self {
        Self(format!("Action={action}&Version={version}"))
    }

    /// Adds a parameter.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.0.extend(["&", name, "=", &percent::encode(value)]);
        self
    }

    /// Adds a list: `NAME.member.1` and so on.
    pub(crate) fn list<'v>(&mut self, name: &str, values: impl IntoIterator<Item = &'v str>) {
        for (number, value) in (1_usize..).zip(values) {
            self.set(&format!("{name}.member.{number}"), value);
        }
    }

    /// Adds a parameter where there is a value.
    pub(crate) fn set_if(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.set(name, value);
        }
        self
    }

    pub(crate) fn into_body(self) -> String {
        self.0
    }
}

/// What an operation answers: the element `…Result` inside `…Response`.
pub(crate) fn result(answer: &str, action: &str) -> Result<Element, String> {
    let root = xml::parse(answer)?;
    let name = format!("{action}Result");
    let result = root.into_child(&name);
    result.ok_or_else(|| format!("`{name}` is missing"))
}

/// An error: `ErrorResponse`, `Error` with its `Code` and `Message`.
pub(crate) fn error(body: &[u8]) -> ErrorMetadata {
    let mut error = ErrorMetadata::builder();
    // What is no XML, from a proxy for example, carries no code.
    let answer = std::str::from_utf8(body).ok().map(xml::parse);
    if let Some(Ok(root)) = answer
        && let Some(told) = root.child("Error")
    {
        if let Some(code) = told.text("Code") {
            error = error.code(code);
        }
        if let Some(message) = told.text("Message") {
            error = error.message(message);
        }
    }
    error.build()
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_form_escapes_its_values_and_counts_its_lists() {
        let mut form = Form::new("Do", "2010-05-08");
        form.set("Name", "a b&c")
            .set_if("Marker", None)
            .list("Names", ["x", "*"]);
        assert_eq!(
            form.into_body(),
            "Action=Do&Version=2010-05-08&Name=a%20b%26c&Names.member.1=x&Names.member.2=%2A"
        );
    }
}
