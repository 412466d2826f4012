//! Who makes a request: the principal's ARN or name, taken apart.

/// A request's principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    Anonymous,
    /// An AWS service, by its name.
    Service(String),
    /// An account's root user.
    Root(Account),
    /// `user/path/name`.
    User {
        account: Account,
        arn: String,
        name: String,
    },
    /// `role/path/name`, without a session: some session of the role.
    Role {
        account: Account,
        arn: String,
    },
    /// `assumed-role/name/session`.
    Session {
        account: Account,
        arn: String,
        role: String,
    },
    /// `federated-user/name`.
    FederatedUser {
        account: Account,
        arn: String,
        name: String,
    },
    /// Anything else: compared as it is.
    Other {
        account: Option<Account>,
        text: String,
    },
}

/// An account within its partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) partition: String,
    pub(crate) id: String,
}

/// The six parts of an ARN, not checked further.
pub(crate) fn arn_parts(text: &str) -> Option<[&str; 6]> {
    parts(text).filter(|parts| parts.first() == Some(&"arn"))
}

/// Six parts, separated by the first five colons.
pub(crate) fn parts(text: &str) -> Option<[&str; 6]> {
    let mut parts = text.splitn(6, ':');
    Some([
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
    ])
}

pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Identity {
    pub(crate) fn new(principal: &str) -> Self {
        if matches!(principal, "" | "*" | "anonymous") {
            return Self::Anonymous;
        }
        if is_account(principal) {
            return Self::Root(Account {
                partition: String::new(),
                id: principal.to_owned(),
            });
        }
        let Some([_, partition, service, _, account, resource]) = arn_parts(principal) else {
            let is_service =
                principal.contains(".amazonaws.") || principal.ends_with(".aws.internal");
            return if is_service {
                Self::Service(principal.to_owned())
            } else {
                Self::Other {
                    account: None,
                    text: principal.to_owned(),
                }
            };
        };
        let account = Account {
            partition: partition.to_owned(),
            id: account.to_owned(),
        };
        let arn = principal.to_owned();
        let (kind, rest) = resource.split_once('/').unwrap_or((resource, ""));
        let last = rest.rsplit('/').next().unwrap_or_default().to_owned();
        match (service, kind) {
            ("iam", "root") if rest.is_empty() => Self::Root(account),
            ("iam", "user") => Self::User {
                account,
                arn,
                name: last,
            },
            ("iam", "role") => Self::Role { account, arn },
            ("sts", "assumed-role") => Self::Session {
                account,
                arn,
                role: rest.split('/').next().unwrap_or_default().to_owned(),
            },
            ("sts", "federated-user") => Self::FederatedUser {
                account,
                arn,
                name: rest.to_owned(),
            },
            _ => Self::Other {
                account: Some(account),
                text: arn,
            },
        }
    }

    /// The account the principal belongs to.
    pub(crate) fn account(&self) -> Option<&Account> {
        match self {
            Self::Root(account)
            | Self::User { account, .. }
            | Self::Role { account, .. }
            | Self::Session { account, .. }
            | Self::FederatedUser { account, .. } => Some(account),
            Self::Other { account, .. } => account.as_ref(),
            Self::Anonymous | Self::Service(_) => None,
        }
    }

    /// The condition keys that follow from the principal, in lower case.
    pub(crate) fn derived_keys(&self) -> Vec<(&'static str, Vec<String>)> {
        let mut keys = Vec::new();
        let mut add = |key, value: &str| keys.push((key, vec![value.to_owned()]));
        match self {
            Self::Anonymous => {
                add("aws:principaltype", "Anonymous");
                add("aws:principalaccount", "anonymous");
                add("aws:userid", "anonymous");
                return keys;
            }
            Self::Service(name) => {
                add("aws:principalisawsservice", "true");
                add("aws:principalservicename", name);
                add("aws:principalservicenameslist", name);
                return keys;
            }
            Self::Root(account) => {
                let partition = match account.partition.as_str() {
                    "" => "aws",
                    partition => partition,
                };
                add(
                    "aws:principalarn",
                    &format!("arn:{partition}:iam::{}:root", account.id),
                );
                add("aws:principaltype", "Account");
                add("aws:userid", &account.id);
            }
            Self::User { arn, name, .. } => {
                add("aws:principalarn", arn);
                add("aws:principaltype", "User");
                add("aws:username", name);
            }
            Self::Role { arn, .. } => {
                add("aws:principalarn", arn);
                add("aws:principaltype", "AssumedRole");
            }
            Self::Session { account, role, .. } => {
                let Account { partition, id } = account;
                add(
                    "aws:principalarn",
                    &format!("arn:{partition}:iam::{id}:role/{role}"),
                );
                add("aws:principaltype", "AssumedRole");
            }
            Self::FederatedUser { arn, account, name } => {
                add("aws:principalarn", arn);
                add("aws:principaltype", "FederatedUser");
                add("aws:userid", &format!("{}:{name}", account.id));
            }
            Self::Other { text, account } => {
                if account.is_some() {
                    add("aws:principalarn", text);
                }
            }
        }
        if let Some(account) = self.account() {
            add("aws:principalisawsservice", "false");
            add("aws:principalaccount", &account.id);
        }
        keys
    }
}
