//! IAM of one account.

use aws_config::SdkConfig;
use copymend_policy::Arn;
use copymend_remediation::ports::CallResult;

use crate::accounts::{Clients, Target};
use crate::error::Call;
use crate::pages;
use crate::signed::query::{self, Form};
use crate::signed::xml::Element;
use crate::signed::{Answering, Service, send};

const SERVICE: Service = Service {
    prefix: "iam",
    id: "IAM",
    name: "AWS IAM",
};
/// The version of the API (IAM API reference, "Making query requests", documented).
const VERSION: &str = "2010-05-08";

/// IAM of one account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account<'a> {
    clients: &'a Clients<SdkConfig>,
    target: Target<'a>,
}

impl<'a> Account<'a> {
    pub(super) const fn new(clients: &'a Clients<SdkConfig>, target: Target<'a>) -> Self {
        Self { clients, target }
    }

    /// The account of a principal.
    pub(super) fn of(
        clients: &'a Clients<SdkConfig>,
        operation: &'static str,
        principal: &'a Arn,
    ) -> CallResult<Self> {
        let call = Call::new(operation, principal.as_str());
        Ok(Self::new(clients, Target::account_of(&call, principal)?))
    }

    /// What sends to the account, and the call of an operation on a resource.
    pub(super) async fn call(
        self,
        operation: &'static str,
        resource: &str,
    ) -> CallResult<(Iam, Call)> {
        let call = Call::new(operation, resource);
        let (config, call) = self.clients.of(call, self.target).await?;
        Ok((Iam { config }, call))
    }
}

/// Sends queries to IAM.
#[derive(Clone, Debug)]
pub(super) struct Iam {
    config: SdkConfig,
}

impl Iam {
    /// Sends an operation with these parameters.
    pub(super) fn ask(&self, action: &'static str, parameters: &[(&str, &str)]) -> Answering {
        self.send(action, form(action, parameters))
    }

    fn send(&self, action: &'static str, form: Form) -> Answering {
        let body = form.into_body();
        send(&self.config, SERVICE, query::PROTOCOL, action, body)
    }

    /// All pages of what a form asks for. `read` takes a page apart.
    pub(super) async fn pages<T: Send>(
        &self,
        call: &Call,
        action: &'static str,
        form: Form,
        read: fn(&Element) -> Vec<T>,
    ) -> CallResult<Vec<T>> {
        pages::of(
            call,
            |from| {
                let mut form = form.clone();
                form.set_if("Marker", from);
                self.send(action, form)
            },
            |page| {
                let page = result(call, page, action)?;
                let next = pages::marker(page.is_true("IsTruncated"), page.text("Marker"));
                Ok((read(&page), next))
            },
        )
        .await
    }
}

/// The form of an operation with these parameters.
pub(super) fn form(action: &'static str, parameters: &[(&str, &str)]) -> Form {
    let mut form = Form::new(action, VERSION);
    for (name, value) in parameters {
        form.set(name, value);
    }
    form
}

/// What an operation answers.
pub(super) fn result(call: &Call, answer: &str, action: &str) -> CallResult<Element> {
    query::result(answer, action).map_err(|detail| call.unreadable(detail))
}
