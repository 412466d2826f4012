//! A request to AWS, as far as a policy can see it.

use std::collections::BTreeMap;

use crate::identity::Identity;
use crate::key::Key;

/// What the request's condition keys hold.
///
/// A key is present with its values, absent, or unknown: neither present nor absent for sure. Key
/// names are case-insensitive (documented: IAM `reference_policies_elements_condition`). A key with
/// an empty list of values counts as absent ("the key exists and its value is not null", documented
/// for `Null`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    values: BTreeMap<String, Vec<String>>,
    unknown: BTreeMap<String, String>,
}

impl Context {
    /// A context without any key.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key's values; an empty list makes it absent for sure.
    pub fn set<V: Into<String>>(&mut self, key: &str, values: impl IntoIterator<Item = V>) {
        let values = values.into_iter().map(Into::into).collect();
        self.values.insert(key.to_lowercase(), values);
    }

    /// Marks a key as unknown. This wins over values given for it.
    pub fn set_unknown(&mut self, key: &str) {
        self.unknown.insert(key.to_lowercase(), key.to_owned());
    }

    /// The values given for a key.
    #[must_use]
    pub fn values(&self, key: &str) -> Option<&[String]> {
        self.values.get(&key.to_lowercase()).map(Vec::as_slice)
    }

    /// Whether the key was marked as unknown.
    #[must_use]
    pub fn is_unknown(&self, key: &str) -> bool {
        self.unknown.contains_key(&key.to_lowercase())
    }

    /// The keys with values, in lower case, and their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.values
            .iter()
            .map(|(key, values)| (key.as_str(), values.as_slice()))
    }

    /// The unknown keys, as they were given.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        self.unknown.values().map(String::as_str)
    }
}

impl FromIterator<(String, Vec<String>)> for Context {
    fn from_iter<I: IntoIterator<Item = (String, Vec<String>)>>(pairs: I) -> Self {
        let mut context = Self::default();
        for (key, values) in pairs {
            context.set(&key, values);
        }
        context
    }
}

/// What is known of a key.
pub(crate) enum Found<'a> {
    Unknown,
    Absent,
    /// At least one value.
    Values(&'a [String]),
}

/// Who wants to do what on which resource, and in which context.
///
/// The principal is an ARN (role, user, assumed-role session, account root), a service name such as
/// `backup.amazonaws.com`, a twelve-digit account id (its root), or `*` or `anonymous` for a
/// request without credentials.
///
/// Keys that follow from the principal are there even when the context does not give them:
/// `aws:PrincipalArn` (for a session the role's ARN without a path, because a session's ARN does
/// not carry it), `aws:PrincipalAccount`, `aws:PrincipalType`, `aws:username` for a user,
/// `aws:PrincipalIsAWSService` and, for a service, `aws:PrincipalServiceName`. What the context
/// gives, or marks as unknown, wins. Documented: IAM `reference_policies_condition-keys` and
/// `reference_policies_variables`; that a service's request carries no `aws:PrincipalArn` is
/// inferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    principal: String,
    action: String,
    action_lower: String,
    resource: String,
    context: Context,
    others_unknown: bool,
    absent_under: Vec<String>,
    has_boundary: bool,
    is_careful: bool,
    identity: Identity,
    derived: Vec<(&'static str, Vec<String>)>,
}

impl Request {
    /// A request with an empty context.
    #[must_use]
    pub fn new(
        principal: impl Into<String>,
        action: impl Into<String>,
        resource: impl Into<String>,
    ) -> Self {
        let principal = principal.into();
        let action = action.into();
        let identity = Identity::new(&principal);
        Self {
            action_lower: action.to_lowercase(),
            derived: identity.derived_keys(),
            identity,
            principal,
            action,
            resource: resource.into(),
            context: Context::default(),
            others_unknown: false,
            absent_under: Vec::new(),
            has_boundary: false,
            is_careful: false,
        }
    }

    /// Makes a condition key absent for sure, also one that would follow from the principal.
    #[must_use]
    pub fn without_key(mut self, key: &str) -> Self {
        self.context.set::<String>(key, []);
        self
    }

    /// Makes every key unknown that is neither given, nor made absent, nor follows from the
    /// principal: for a request that somebody else makes, of which only a part can be known. Such a
    /// key is reported as the policy writes it.
    #[must_use]
    pub fn with_other_keys_unknown(mut self) -> Self {
        self.others_unknown = true;
        self
    }

    /// Makes every key absent for sure that begins like this and isn't given, such as
    /// `aws:ResourceTag/` where all tags of a resource are known.
    #[must_use]
    pub fn without_other_keys_under(mut self, prefix: &str) -> Self {
        self.absent_under.push(prefix.to_lowercase());
        self
    }

    /// Says that the principal has a permissions boundary: a resource's `Deny` with `NotPrincipal`
    /// always hits it (documented: IAM `reference_policies_elements_notprincipal`).
    #[must_use]
    pub fn by_principal_with_boundary(mut self) -> Self {
        self.has_boundary = true;
        self
    }

    /// Calls a `Deny` unknown where AWS doesn't say whether a condition of it matches, instead of
    /// taking it for one that doesn't: for an answer that a write rests on.
    #[must_use]
    pub fn with_unverified_denies_unknown(mut self) -> Self {
        self.is_careful = true;
        self
    }

    /// Whether a `Deny` is unknown where AWS doesn't say whether it matches.
    pub(crate) fn is_careful(&self) -> bool {
        self.is_careful
    }

    /// Sets a condition key's values.
    #[must_use]
    pub fn with_context<V: Into<String>>(
        mut self,
        key: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self.context.set(key, values);
        self
    }

    /// Marks a condition key as unknown.
    #[must_use]
    pub fn with_unknown(mut self, key: &str) -> Self {
        self.context.set_unknown(key);
        self
    }

    /// Replaces the whole context.
    #[must_use]
    pub fn in_context(mut self, context: Context) -> Self {
        self.context = context;
        self
    }

    /// The principal as given.
    #[must_use]
    pub fn principal(&self) -> &str {
        &self.principal
    }

    /// The action as given, such as `kms:Decrypt`.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.action
    }

    /// The resource's ARN as given.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The condition keys as given, without those that follow from the principal.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    pub(crate) fn has_permissions_boundary(&self) -> bool {
        self.has_boundary
    }

    pub(crate) fn action_lower(&self) -> &str {
        &self.action_lower
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What is known of a key, given in lower case.
    pub(crate) fn find(&self, key: &str) -> Found<'_> {
        if self.context.unknown.contains_key(key) {
            return Found::Unknown;
        }
        let given = self.context.values.get(key).or_else(|| {
            self.derived
                .iter()
                .find(|(name, _)| *name == key)
                .map(|(_, values)| values)
        });
        match given {
            Some(values) if !values.is_empty() => Found::Values(values),
            None if self.others_unknown && !self.is_absent(key) => Found::Unknown,
            Some(_) | None => Found::Absent,
        }
    }

    fn is_absent(&self, key: &str) -> bool {
        self.absent_under
            .iter()
            .any(|prefix| key.starts_with(prefix))
    }

    /// An unknown key the way the caller wrote it, or else the policy.
    pub(crate) fn unknown_name(&self, key: &Key) -> String {
        self.context
            .unknown
            .get(key.lower())
            .map_or_else(|| key.written().to_owned(), Clone::clone)
    }
}
