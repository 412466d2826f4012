//! The policy types that access-denied texts name.

use super::text;
use super::words::{Words, bare};

/// The policy type that an access-denied message names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyType {
    /// A policy of the calling user or role.
    Identity,
    /// A policy of the resource: vault access policy, key policy, bucket policy.
    Resource,
    /// The permissions boundary of the calling user or role.
    PermissionsBoundary,
    /// A service control policy of the caller's organization.
    ServiceControl,
    /// A resource control policy of the resource's organization.
    ResourceControl,
    /// A session policy.
    Session,
    /// The policy of the VPC endpoint that the call went through.
    VpcEndpoint,
    /// The trust policy of the role to assume.
    RoleTrust,
}

/// Reads `identity-based policy`, `permissions boundary` and so on, with articles before it: `none
/// of the session policies`.
pub(super) fn read(words: &mut Words<'_>) -> Option<PolicyType> {
    let mut word = words.next()?;
    for _ in 0..3 {
        if word.is_any("a|an|the|no|none|any|in|by|of|from|through|your") {
            word = words.next()?;
        }
    }
    let first = bare(word.text);
    let mut rest = *words;
    let second = rest.next().map_or("", |next| bare(next.text));
    let first_is = |known: &str| first.eq_ignore_ascii_case(known);
    let second_is = |known: &str| text::starts_with(second, known);
    let found = if first_is("identity-based") || first_is("identity") && second_is("based") {
        PolicyType::Identity
    } else if (first_is("service-control")
        || first_is("scp")
        || first_is("service") && second_is("control"))
        && !second_is("mechanism")
    {
        PolicyType::ServiceControl
    } else if first_is("resource-control")
        || first_is("rcp")
        || first_is("resource") && second_is("control")
    {
        PolicyType::ResourceControl
    } else if first_is("resource-based")
        || first_is("resource") && (second_is("based") || second_is("polic"))
        || (first_is("key") || first_is("vault") || first_is("bucket"))
            && (second_is("polic") || second_is("access"))
    {
        PolicyType::Resource
    } else if (first_is("permissions") || first_is("permission")) && second_is("boundar")
        || first_is("boundary")
    {
        PolicyType::PermissionsBoundary
    } else if (first_is("session") || first_is("sessions")) && second_is("polic") {
        PolicyType::Session
    } else if first_is("vpc-endpoint")
        || (first_is("vpc") || first_is("vpce")) && (second_is("endpoint") || second_is("polic"))
    {
        PolicyType::VpcEndpoint
    } else if (first_is("role") || first_is("assume-role")) && second_is("trust")
        || first_is("trust") && (second_is("polic") || second_is("relation"))
    {
        PolicyType::RoleTrust
    } else {
        return None;
    };
    Some(found)
}
