//! One statement of a policy.

use std::ops::Range;
use std::sync::Arc;

use compact_str::CompactString;

use crate::condition::Condition;
use crate::context::Request;
use crate::key::lower_case;
use crate::principal::PrincipalElement;
use crate::template::{Filled, Template};
use crate::truth::Truth;
use crate::wildcard::{self, Pattern};

/// What a statement does when it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies, whatever else allows.
    Deny,
}

/// What an answer depends on where a `Deny` with `NotPrincipal` names the principal but not its
/// account.
pub const NOT_PRINCIPAL_WITHOUT_ACCOUNT: &str =
    "NotPrincipal without the principal's account, role and session";

/// A list of patterns, and whether the element was the `Not…` one.
#[derive(Clone, Debug)]
pub(crate) enum Element<T> {
    Absent,
    In(Vec<T>),
    NotIn(Vec<T>),
}

/// An entry of `Action` or `NotAction`. Case does not count (documented: IAM
/// `reference_policies_elements_action`).
#[derive(Clone, Debug)]
pub(crate) struct ActionPattern {
    written: CompactString,
    lower: Pattern,
}

impl ActionPattern {
    pub(crate) fn new(written: &str) -> Self {
        Self {
            written: written.into(),
            lower: Pattern::new(&lower_case(written)),
        }
    }
}

/// One statement of a policy: its own bytes, and what they mean.
#[derive(Clone, Debug)]
pub struct Statement {
    pub(crate) source: Arc<str>,
    pub(crate) span: Range<usize>,
    pub(crate) sid: Option<CompactString>,
    pub(crate) effect: Effect,
    pub(crate) principal: PrincipalElement,
    pub(crate) actions: Element<ActionPattern>,
    pub(crate) resources: Element<Option<Template>>,
    pub(crate) conditions: Vec<Condition>,
}

impl Statement {
    /// The statement's `Sid`.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// Whether it allows or denies.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// Whether two statements mean the same to AWS, whatever their texts look like, as
    /// [`PolicyDocument::means_the_same_as`](crate::PolicyDocument::means_the_same_as) says of
    /// documents.
    #[must_use]
    pub fn means_the_same_as(&self, other: &Self) -> bool {
        crate::meaning::is_same_statement(self.as_str(), other.as_str())
    }

    /// The statement's own bytes in the document, from `{` to `}`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.source.get(self.span.clone()).unwrap_or_default()
    }

    /// Where the statement stands in the document, in bytes.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The entries of `Action` or `NotAction` as written.
    pub fn actions(&self) -> impl Iterator<Item = &str> {
        let entries = match &self.actions {
            Element::Absent => [].as_slice(),
            Element::In(entries) | Element::NotIn(entries) => entries,
        };
        entries.iter().map(|entry| entry.written.as_str())
    }

    /// Whether it names whom it is about, as a resource policy's statement must.
    #[must_use]
    pub fn has_principal(&self) -> bool {
        !matches!(self.principal, PrincipalElement::Absent)
    }

    /// Whether it is about everybody but those whom its `NotPrincipal` names.
    #[must_use]
    pub fn has_not_principal(&self) -> bool {
        matches!(self.principal, PrincipalElement::NotPrincipal(_))
    }

    /// Whether it is about an action, such as `kms:PutKeyPolicy`, for somebody on some resource.
    #[must_use]
    pub fn covers(&self, action: &str) -> bool {
        self.is_about_action(&lower_case(action))
    }

    /// The unique ids that it names as principals, such as `AROA…`: what AWS leaves there of a user
    /// or role that was deleted. A policy that holds one can't be stored again (documented: IAM
    /// `reference_policies_elements_principal`).
    pub fn unique_ids(&self) -> impl Iterator<Item = &str> {
        self.principal.unique_ids()
    }

    /// Whether it has `Principal`, `Action` and `Resource`, none of them by exception.
    pub(crate) fn names_all_it_allows(&self) -> bool {
        matches!(self.principal, PrincipalElement::Principal(_))
            && matches!(self.actions, Element::In(_))
            && matches!(self.resources, Element::In(_))
    }

    /// Whether the statement applies to the request as part of a resource policy.
    pub(crate) fn applies(&self, request: &Request) -> Truth {
        if !self.is_about(request) {
            return Truth::No;
        }
        match self.is_for(request) {
            Truth::No => Truth::No,
            Truth::Yes => self.circumstances(request),
            unknown @ Truth::Unknown(_) => Truth::all([unknown, self.circumstances(request)]),
        }
    }

    /// Whether the statement is for the request's principal. A `Deny` with `NotPrincipal` always
    /// hits one that has a permissions boundary, whomever it names, and may hit one whose account
    /// it doesn't name (documented: IAM `reference_policies_elements_notprincipal`).
    fn is_for(&self, request: &Request) -> Truth {
        let denies_the_others = self.effect == Effect::Deny
            && matches!(self.principal, PrincipalElement::NotPrincipal(_));
        if denies_the_others
            && request.has_permissions_boundary()
            && request.identity().account().is_some()
        {
            return Truth::Yes;
        }
        match self.principal.includes(request) {
            Truth::No if denies_the_others && self.principal.may_still_deny(request) => {
                Truth::Unknown(vec![NOT_PRINCIPAL_WITHOUT_ACCOUNT.to_owned()])
            }
            included @ (Truth::No | Truth::Yes | Truth::Unknown(_)) => included,
        }
    }

    /// Whether the statement applies to the request, whoever makes it: for policies attached to the
    /// principal.
    pub(crate) fn applies_to_any_principal(&self, request: &Request) -> Truth {
        if !self.is_about(request) {
            return Truth::No;
        }
        self.circumstances(request)
    }

    /// Whether the statement applies to the request as part of a trust policy, which names no
    /// resource: the role it is attached to is the only one.
    pub(crate) fn applies_to_own_role(&self, request: &Request) -> Truth {
        if !self.is_about(request) || !matches!(self.resources, Element::Absent) {
            return Truth::No;
        }
        let conditions = self
            .conditions
            .iter()
            .map(|condition| condition.holds(request));
        Truth::all(std::iter::once(self.principal.includes(request)).chain(conditions))
    }

    pub(crate) fn is_about(&self, request: &Request) -> bool {
        self.is_about_action(request.action_lower())
    }

    fn is_about_action(&self, lower: &str) -> bool {
        let named =
            |entries: &[ActionPattern]| entries.iter().any(|entry| entry.lower.matches(lower));
        match &self.actions {
            Element::Absent => false,
            Element::In(patterns) => named(patterns),
            Element::NotIn(patterns) => !named(patterns),
        }
    }

    fn circumstances(&self, request: &Request) -> Truth {
        let resource = self.resource_applies(request);
        if resource == Truth::No || self.conditions.is_empty() {
            return resource;
        }
        let is_careful = self.effect == Effect::Deny && request.is_careful();
        let conditions = self.conditions.iter().map(|condition| {
            if is_careful {
                condition.may_hold(request)
            } else {
                condition.holds(request)
            }
        });
        Truth::all(std::iter::once(resource).chain(conditions))
    }

    /// A resource with a variable that has no value matches nothing (documented: IAM
    /// `reference_policies_variables`).
    pub(crate) fn resource_applies(&self, request: &Request) -> Truth {
        let one = |template: &Option<Template>| match template {
            None => Truth::No,
            Some(template) => match template.fill(request) {
                Filled::Plain(text) => Truth::from(text == request.resource()),
                Filled::Ready(atoms) => Truth::from(wildcard::matches(&atoms, request.resource())),
                Filled::Missing => Truth::No,
                Filled::Unknown(key) => Truth::Unknown(vec![key]),
            },
        };
        match &self.resources {
            Element::Absent => Truth::No,
            Element::In(templates) => Truth::any(templates.iter().map(one)),
            Element::NotIn(templates) => Truth::any(templates.iter().map(one)).negated(),
        }
    }
}
