//! Any policy answers any request: no panic, the same answer twice, and an unknown key never turns
//! a certain answer round.
//!
//! The first five lines of the input are the principal, the action, the resource, a condition key
//! and its values, separated by tabs; the rest is the policy.

#![no_main]

use copymend_policy::{
    Authorization, Decision, PolicyDocument, Request, Verdict, evaluate, evaluate_without_principal,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let mut parts = input.splitn(6, '\n');
    let mut next = || parts.next().unwrap_or_default();
    let (principal, action, resource, key, values, text) = (next(), next(), next(), next(), next(), next());
    let Ok(policy) = PolicyDocument::parse(text) else { return };
    let request = Request::new(principal, action, resource);
    let known = request.clone().with_context(key, values.split('\t'));
    let decision = evaluate(&policy, &known);
    assert_eq!(evaluate(&policy, &known), decision);
    if let Some(at) = decision.statement() {
        assert!(at < policy.statements().len());
    }
    let hidden = evaluate(&policy, &known.clone().with_unknown(key));
    assert!(hidden == decision || matches!(hidden, Decision::Unknown { .. }) || named_by_id(key));
    let _ = evaluate_without_principal(&policy, &known);
    let _ = evaluate(&policy, &request.with_other_keys_unknown());

    let whole = Authorization {
        request: known,
        resource_account: "111122223333".parse().expect("an account id"),
        identity: vec![policy.clone()],
        boundary: Some(vec![policy.clone()]),
        session: Some(policy.clone()),
        scps: vec![vec![policy.clone()]],
        rcps: vec![vec![policy.clone()]],
        resource_policy: Some(policy),
    }
    .decide();
    assert_eq!(whole.decision == Verdict::Allowed, whole.blocked_by.is_empty());
});

/// An unknown user id matches no unique id, by design.
fn named_by_id(key: &str) -> bool {
    key.eq_ignore_ascii_case("aws:userid")
}
