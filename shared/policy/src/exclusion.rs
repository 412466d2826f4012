//! Owners' exclusions: statements that would allow a request, had their author not kept it out.

use crate::condition::Condition;
use crate::context::Request;
use crate::document::PolicyDocument;
use crate::principal::PrincipalElement;
use crate::statement::{Effect, Element, Statement};
use crate::truth::Truth;

/// The `Allow` statements of a policy that keep the request out on purpose, counted from 0: a
/// negated condition of theirs names it, or it is what their `NotPrincipal`, `NotAction` or
/// `NotResource` names, or they would match it, or may, but for a negated condition that depends on
/// what isn't known.
///
/// Adding an `Allow` for such a request would overrule its owner. A statement that simply names
/// other principals, actions or resources is no exclusion.
#[must_use]
pub fn exclusions(policy: &PolicyDocument, request: &Request) -> Vec<usize> {
    places(policy, |statement| statement.excludes(request) != Truth::No)
}

/// Those of the [`exclusions`] of which it isn't known whether they mean the request, counted from 0.
#[must_use]
pub fn open_exclusions(policy: &PolicyDocument, request: &Request) -> Vec<usize> {
    places(policy, |statement| {
        matches!(statement.excludes(request), Truth::Unknown(_))
    })
}

/// The `Allow` statements of a policy that are about the request's action and resource and keep
/// somebody out, whoever it is, counted from 0; and those for its principal whose `NotAction` or
/// `NotResource` names what it asks for. A new statement for a whole account or organization may let
/// those in.
#[must_use]
pub fn exclusions_of_anyone(policy: &PolicyDocument, request: &Request) -> Vec<usize> {
    places(policy, |statement| {
        statement.effect == Effect::Allow
            && (statement.keeps_anyone_out(request) || statement.names_as_exception(request))
    })
}

fn places(policy: &PolicyDocument, is: impl Fn(&Statement) -> bool) -> Vec<usize> {
    let statements = policy.statements().iter().enumerate();
    let found = statements.filter(|(_, statement)| is(statement));
    found.map(|(place, _)| place).collect()
}

impl Statement {
    fn keeps_anyone_out(&self, request: &Request) -> bool {
        self.is_about(request)
            && self.resource_applies(request) != Truth::No
            && (matches!(self.principal, PrincipalElement::NotPrincipal(_))
                || self.conditions.iter().any(Condition::is_negated))
    }

    /// Whether the statement is for the request's principal, or may be, and its `NotAction` or
    /// `NotResource` names what the request asks for.
    fn names_as_exception(&self, request: &Request) -> bool {
        let is_action = matches!(self.actions, Element::NotIn(_)) && !self.is_about(request);
        let is_resource = matches!(self.resources, Element::NotIn(_))
            && self.resource_applies(request) == Truth::No;
        let others_its_action = matches!(self.actions, Element::In(_)) && !self.is_about(request);
        let others_its_resource =
            matches!(self.resources, Element::In(_)) && self.resource_applies(request) == Truth::No;
        (is_action || is_resource)
            && !others_its_action
            && !others_its_resource
            && self.principal.includes(request) != Truth::No
    }

    fn excludes(&self, request: &Request) -> Truth {
        if self.effect != Effect::Allow || self.applies(request) == Truth::Yes {
            return Truth::No;
        }
        // Each part: whether it lets the request in, and whether it does so by exception.
        let principal = (
            self.principal.includes(request),
            matches!(self.principal, PrincipalElement::NotPrincipal(_)),
        );
        let action = (
            Truth::from(self.is_about(request)),
            matches!(self.actions, Element::NotIn(_)),
        );
        let resource = (
            self.resource_applies(request),
            matches!(self.resources, Element::NotIn(_)),
        );
        let others_its_action = action == (Truth::No, false) || resource == (Truth::No, false);
        let conditions = self
            .conditions
            .iter()
            .map(|condition| (condition.holds(request), condition.is_negated()));
        // Who or what is named as an exception is meant, whatever else the statement asks for.
        let is_named = conditions
            .clone()
            .chain([principal.clone()])
            .any(|(holds, is_exception)| is_exception && holds == Truth::No);
        if is_named && !others_its_action || self.names_as_exception(request) {
            return Truth::Yes;
        }
        let mut is_kept_out = false;
        let mut open: Option<Vec<String>> = None;
        for (holds, is_exception) in [principal, action, resource].into_iter().chain(conditions) {
            match holds {
                Truth::No if is_exception => is_kept_out = true,
                Truth::No => return Truth::No,
                Truth::Unknown(keys) if is_exception => open.get_or_insert_default().extend(keys),
                Truth::Unknown(_) | Truth::Yes => {}
            }
        }
        match open {
            Some(keys) if !is_kept_out => Truth::Unknown(keys),
            Some(_) | None => is_kept_out.into(),
        }
    }
}
