//! The `Principal` and `NotPrincipal` elements.

use compact_str::CompactString;

use crate::context::{Found, Request};
use crate::identity::{Account, Identity, arn_parts, is_account};
use crate::key::Key;
use crate::truth::Truth;

/// Whom a statement is about.
#[derive(Clone, Debug)]
pub(crate) enum PrincipalElement {
    /// Neither element is there: an identity policy, or a resource policy's statement that matches
    /// no one.
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
        partition: Option<CompactString>,
        id: CompactString,
    },
    /// Any other ARN.
    Arn(CompactString),
    /// What AWS leaves in a policy when a user or role is deleted, such as `AROA…`.
    UniqueId(CompactString),
    /// A service, identity provider or canonical user, compared as it is.
    Name(NameKind, CompactString),
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
                id: text.into(),
            };
        }
        match arn_parts(text) {
            Some([_, partition, "iam", "", account, "root"]) => Self::Account {
                partition: Some(partition.into()),
                id: account.into(),
            },
            Some(_) => Self::Arn(text.into()),
            None => Self::UniqueId(text.into()),
        }
    }

    /// How far this entry reaches to the request's principal. Wildcards inside an ARN match nothing
    /// (documented: IAM `reference_policies_elements_principal`).
    fn reach(&self, request: &Request, path: Path) -> Reach {
        let identity = request.identity();
        match self {
            Self::Everyone => Reach::Direct,
            Self::Account { partition, id } => {
                let same = identity.account().is_some_and(|account| {
                    account.id == *id
                        && (account.partition.is_empty()
                            || partition
                                .as_ref()
                                .is_none_or(|partition| *partition == account.partition))
                });
                Reach::Account.or_none(same)
            }
            Self::Arn(arn) => reach_of_arn(arn, request, path),
            Self::UniqueId(id) => reach_of_unique_id(id, request),
            Self::Name(NameKind::Service, name) => Reach::Direct
                .or_none(matches!(identity, Identity::Service(service) if service == name)),
            Self::Name(NameKind::Federated | NameKind::CanonicalUser, name) => {
                Reach::Direct.or_none(request.principal() == name)
            }
        }
    }
}

/// How a statement means a principal. It matters where a boundary or session policy limits what a
/// resource policy grants (documented: IAM
/// `reference_policies_evaluation-logic_policy-eval-denyallow`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// Not at all.
    None,
    /// Through its account: an administrator there must allow it, too.
    Account,
    /// Through its role, or the user a federated session was made from.
    Role,
    /// By its own name: a user, a session, a service, or everyone.
    Direct,
}

impl Reach {
    fn or_none(self, reached: bool) -> Self {
        if reached { self } else { Self::None }
    }
}

/// What to assume of a role's path where `aws:PrincipalArn`, which would tell it, is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Path {
    AsNamed,
    Another,
}

fn reach_of_arn(arn: &str, request: &Request, path: Path) -> Reach {
    match request.identity() {
        Identity::Session {
            account,
            arn: session,
            role,
        } => {
            if arn == session {
                return Reach::Direct;
            }
            if !is_role_of(arn, account, role) {
                return Reach::None;
            }
            // The session's ARN does not carry the role's path. `aws:PrincipalArn` does, if it is
            // this role's.
            match request.find("aws:principalarn") {
                Found::Values([given])
                    if request.context().values("aws:principalarn").is_some()
                        && is_role_of(given, account, role) =>
                {
                    Reach::Role.or_none(given == arn)
                }
                Found::Unknown => Reach::Role.or_none(path == Path::AsNamed),
                Found::Values(_) | Found::Absent => Reach::Role,
            }
        }
        // Inferred: a federated user's session has the permissions a resource policy gives the user
        // it was made from, and its ARN is "based on the original identity".
        Identity::FederatedUser {
            account,
            arn: session,
            name,
        } => {
            let is_user = arn_parts(arn).is_some_and(|[_, partition, service, _, id, resource]| {
                partition == account.partition
                    && service == "iam"
                    && id == account.id
                    && resource.strip_prefix("user/") == Some(name)
            });
            if arn == session {
                Reach::Direct
            } else {
                Reach::Role.or_none(is_user)
            }
        }
        // Some session of the role: one that is named by itself may be it.
        Identity::Role { arn: own, .. } => {
            Reach::Role.or_none(arn == own || (path == Path::AsNamed && is_session_of(arn, own)))
        }
        Identity::User { arn: own, .. } | Identity::Other { text: own, .. } => {
            Reach::Direct.or_none(arn == own)
        }
        Identity::Anonymous | Identity::Service(_) | Identity::Root(_) => Reach::None,
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

/// Whether `arn` is a session of this role. It doesn't carry the role's path.
fn is_session_of(arn: &str, role: &str) -> bool {
    let (Some(session), Some(role)) = (arn_parts(arn), arn_parts(role)) else {
        return false;
    };
    let [_, partition, service, _, account, resource] = session;
    let name = role[5].rsplit('/').next();
    partition == role[1]
        && service == "sts"
        && account == role[4]
        && resource
            .strip_prefix("assumed-role/")
            .and_then(|rest| rest.split('/').next())
            == name
}

/// A unique id is the part of `aws:userid` before the colon (documented: IAM
/// `reference_policies_variables`). An unknown user id is not worth an unknown answer: an id is
/// what stays behind when its owner is deleted.
fn reach_of_unique_id(id: &str, request: &Request) -> Reach {
    match request.find("aws:userid") {
        Found::Values(values) => {
            let reached = values
                .iter()
                .any(|value| value.split(':').next() == Some(id));
            let by_name = matches!(request.identity(), Identity::User { .. });
            let reach = if by_name { Reach::Direct } else { Reach::Role };
            reach.or_none(reached)
        }
        Found::Absent | Found::Unknown => Reach::None,
    }
}

impl PrincipalElement {
    /// The entries that are neither ARNs, accounts nor names.
    pub(crate) fn unique_ids(&self) -> impl Iterator<Item = &str> {
        let grantees = match self {
            Self::Absent => [].as_slice(),
            Self::Principal(grantees) | Self::NotPrincipal(grantees) => grantees,
        };
        grantees.iter().filter_map(|grantee| match grantee {
            Grantee::UniqueId(id) => Some(id.as_str()),
            Grantee::Everyone | Grantee::Account { .. } | Grantee::Arn(_) | Grantee::Name(..) => {
                None
            }
        })
    }

    /// How far the statement reaches to the request's principal.
    ///
    /// `NotPrincipal`: naming any of a principal's account, role or session keeps it out of the
    /// statement. For a `Deny` that names no account see [`Self::may_still_deny`].
    pub(crate) fn reach(&self, request: &Request) -> Reach {
        self.reach_if(request, Path::AsNamed)
    }

    /// Whether the statement is about the request's principal. It depends on `aws:PrincipalArn`
    /// where that is unknown and the policy names a role that a session may be of.
    pub(crate) fn includes(&self, request: &Request) -> Truth {
        let reach = self.reach(request);
        let is_reached = |reach| reach != Reach::None;
        if is_reached(reach) != is_reached(self.reach_if(request, Path::Another)) {
            return Truth::Unknown(vec![request.unknown_name(&Key::new("aws:PrincipalArn"))]);
        }
        Truth::from(reach != Reach::None)
    }

    /// Whether a `Deny` with this element may hit a principal that it spares. AWS may look for the
    /// account first, then for the role, then for its session, and each must be named: a
    /// `NotPrincipal` "must also specify the account ARN of the not-denied principal. Otherwise,
    /// the policy might deny access to the entire account" (documented: IAM
    /// `reference_policies_elements_notprincipal`). When it does is not documented. The sessions of
    /// a role that is asked about by itself have unknown names.
    pub(crate) fn may_still_deny(&self, request: &Request) -> bool {
        let Self::NotPrincipal(grantees) = self else {
            return false;
        };
        if grantees
            .iter()
            .any(|grantee| matches!(grantee, Grantee::Everyone))
        {
            return false;
        }
        let names = |wanted: Reach| {
            let mut reaches = grantees
                .iter()
                .map(|grantee| grantee.reach(request, Path::AsNamed));
            reaches.any(|reach| reach == wanted)
        };
        match request.identity() {
            Identity::Anonymous | Identity::Service(_) => false,
            Identity::Root(_) => !names(Reach::Account),
            Identity::Role { .. } => true,
            Identity::Session { .. } | Identity::FederatedUser { .. } => {
                !(names(Reach::Account) && names(Reach::Role) && names(Reach::Direct))
            }
            Identity::User { .. } => !(names(Reach::Account) && names(Reach::Direct)),
            Identity::Other { account, .. } => account.is_some() && !names(Reach::Account),
        }
    }

    fn reach_if(&self, request: &Request, path: Path) -> Reach {
        let furthest = |grantees: &[Grantee]| {
            grantees
                .iter()
                .map(|grantee| grantee.reach(request, path))
                .max()
                .unwrap_or(Reach::None)
        };
        match self {
            Self::Absent => Reach::None,
            Self::Principal(grantees) => furthest(grantees),
            Self::NotPrincipal(grantees) => {
                Reach::Direct.or_none(furthest(grantees) == Reach::None)
            }
        }
    }
}
