//! Owners' exclusions: statements that would allow a request, had their author not kept it out.

use crate::context::Request;
use crate::document::PolicyDocument;
use crate::principal::PrincipalElement;
use crate::statement::{Effect, Element, Statement};
use crate::truth::Truth;

/// The `Allow` statements of a policy that keep the request out on purpose, counted from 0: they
/// would match it, or may, but for a negated condition, or because it is what their `NotPrincipal`,
/// `NotAction` or `NotResource` names.
///
/// Adding an `Allow` for such a request would overrule its owner. A statement that simply names
/// other principals, actions or resources is no exclusion. Where an unknown key decides, the
/// statement counts.
#[must_use]
pub fn exclusions(policy: &PolicyDocument, request: &Request) -> Vec<usize> {
    let statements = policy.statements().iter().enumerate();
    statements
        .filter(|(_, statement)| statement.excludes(request))
        .map(|(index, _)| index)
        .collect()
}

impl Statement {
    fn excludes(&self, request: &Request) -> bool {
        if self.effect != Effect::Allow || self.applies(request) == Truth::Yes {
            return false;
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
        let conditions = self
            .conditions
            .iter()
            .map(|condition| (condition.holds(request), condition.is_negated()));
        let mut is_kept_out = false;
        for (holds, is_exception) in [principal, action, resource].into_iter().chain(conditions) {
            if holds == Truth::Yes {
                continue;
            }
            if is_exception {
                is_kept_out = true;
            } else if holds == Truth::No {
                return false;
            }
        }
        is_kept_out
    }
}
