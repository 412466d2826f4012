//! The `Principal` and `NotPrincipal` elements.

use crate::context::{Found, Request};
use crate::identity::{Account, Identity, arn_parts, is_account};
use crate::truth::Truth;

/// Whom a statement is about.
#[derive(Clone, Debug)]
pub(crate) enum PrincipalElement {
    /// Neither element is there: an identity policy, or a resource policy's statement that matches no one.
    Absent,
    Principal(Vec<Grantee>),
    NotPrincipal(Vec<Grantee>),
}

/// One entry of a `Principal` element.
#[derive(Clone, Debug)]
pub(crate) enum Grantee {
    Everyone,
    /// An account's id or its root: every principal of the account. An id matches in any partition.
    Account {
        partition: Option<String>,
        id: String,
    },
    /// Any other ARN.
    Arn(String),
    /// What AWS leaves in a policy when a user or role is deleted, such as `AROA…`.
    UniqueId(String),
    /// A service, identity provider or canonical user, compared as it is.
    Name(NameKind, String),
}

/// Which of the name-like kinds an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameKind {
    Service,
    Federated,
    CanonicalUser,
}

impl Grantee {
    /// An entry under `AWS`.
    pub(crate) fn aws(text: &str) -> Self {
        if text == "*" {
            return Self::Everyone;
        }
        if is_account(text) {
            return Self::Account {
                partition: None,
                id: text.to_owned(),
            };
        }
        match arn_parts(text) {
            Some([_, partition, "iam", "", account, "root"]) => Self::Account {
                partition: Some(partition.to_owned()),
                id: account.to_owned(),
            },
            Some(_) => Self::Arn(text.to_owned()),
            None => Self::UniqueId(text.to_owned()),
        }
    }

    /// Whether this entry means the request's principal. Wildcards inside an ARN match nothing (documented: IAM
    /// `reference_policies_elements_principal`).
    fn covers(&self, request: &Request) -> Truth {
        let identity = request.identity();
        match self {
            Self::Everyone => Truth::Yes,
            Self::Account { partition, id } => {
                Truth::from(identity.account().is_some_and(|account| {
                    account.id == *id
                        && (account.partition.is_empty()
                            || partition
                                .as_ref()
                                .is_none_or(|partition| *partition == account.partition))
                }))
            }
            Self::Arn(arn) => covers_arn(arn, request),
            Self::UniqueId(id) => covers_unique_id(id, request),
            Self::Name(NameKind::Service, name) => {
                Truth::from(*identity == Identity::Service(name.clone()))
            }
            Self::Name(NameKind::Federated | NameKind::CanonicalUser, name) => {
                Truth::from(request.principal() == name)
            }
        }
    }
}

fn covers_arn(arn: &str, request: &Request) -> Truth {
    match request.identity() {
        Identity::Session {
            account,
            arn: session,
            role,
        } => {
            if arn == session {
                return Truth::Yes;
            }
            if !is_role_of(arn, account, role) {
                return Truth::No;
            }
            // The session's ARN does not carry the role's path. `aws:PrincipalArn` does, if it is this role's.
            match request.find("aws:principalarn") {
                Found::Values([given])
                    if request.context().values("aws:principalarn").is_some()
                        && is_role_of(given, account, role) =>
                {
                    Truth::from(given == arn)
                }
                Found::Values(_) | Found::Absent | Found::Unknown => Truth::Yes,
            }
        }
        // Inferred: a federated user's session has the permissions a resource policy gives the user it was made from,
        // and its ARN is "based on the original identity".
        Identity::FederatedUser {
            account,
            arn: session,
            name,
        } => Truth::from(
            arn == session
                || arn_parts(arn).is_some_and(|[_, partition, service, _, id, resource]| {
                    partition == account.partition
                        && service == "iam"
                        && id == account.id
                        && resource.strip_prefix("user/") == Some(name)
                }),
        ),
        Identity::User { arn: own, .. }
        | Identity::Role { arn: own, .. }
        | Identity::Other { text: own, .. } => Truth::from(arn == own),
        Identity::Anonymous | Identity::Service(_) | Identity::Root(_) => Truth::No,
    }
}

/// Whether `arn` is a role of that account and name, whatever its path.
fn is_role_of(arn: &str, account: &Account, name: &str) -> bool {
    arn_parts(arn).is_some_and(|[_, partition, service, _, id, resource]| {
        partition == account.partition
            && service == "iam"
            && id == account.id
            && resource
                .strip_prefix("role/")
                .and_then(|path| path.rsplit('/').next())
                == Some(name)
    })
}

/// A unique id is the part of `aws:userid` before the colon (documented: IAM `reference_policies_variables`).
fn covers_unique_id(id: &str, request: &Request) -> Truth {
    match request.find("aws:userid") {
        Found::Values(values) => Truth::from(
            values
                .iter()
                .any(|value| value.split(':').next() == Some(id)),
        ),
        // Not worth an unknown: an id is what stays behind when its owner is deleted.
        Found::Absent | Found::Unknown => Truth::No,
    }
}

impl PrincipalElement {
    /// Whether the statement is about the request's principal.
    ///
    /// `NotPrincipal`: naming any of a principal's account, role or session keeps it out of the statement. AWS documents
    /// only that a `Deny` which names a role or user without its account "might" still hit it (IAM
    /// `reference_policies_elements_notprincipal`), so this reading is unverified for such documents.
    pub(crate) fn covers(&self, request: &Request) -> Truth {
        match self {
            Self::Absent => Truth::No,
            Self::Principal(grantees) => {
                Truth::any(grantees.iter().map(|grantee| grantee.covers(request)))
            }
            Self::NotPrincipal(grantees) => {
                Truth::any(grantees.iter().map(|grantee| grantee.covers(request))).negated()
            }
        }
    }
}
