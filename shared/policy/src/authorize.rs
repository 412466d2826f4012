//! The whole request: every policy that has a say, not the resource's alone.

use crate::arn::AccountId;
use crate::context::Request;
use crate::document::PolicyDocument;
use crate::identity::{Identity, arn_parts};
pub use crate::layer::Layer;
use crate::principal::Reach;
use crate::statement::{Effect, Statement};
use crate::truth::Truth;

/// A request and all policies that have a say in it.
#[derive(Clone, Debug)]
pub struct Authorization {
    /// The request.
    pub request: Request,
    /// The account the resource belongs to.
    pub resource_account: AccountId,
    /// The principal's policies.
    pub identity: Vec<PolicyDocument>,
    /// The permissions boundary, if there is one.
    pub boundary: Option<Vec<PolicyDocument>>,
    /// The session policy, if there is one.
    pub session: Option<PolicyDocument>,
    /// The service control policies over the principal's account, one list a level, root first. No
    /// level at all: the account is in no organization, or is its management account.
    pub scps: Vec<Vec<PolicyDocument>>,
    /// The resource control policies over the resource's account, in the same form.
    pub rcps: Vec<Vec<PolicyDocument>>,
    /// The resource's policy, if it has one.
    pub resource_policy: Option<PolicyDocument>,
}

/// Whether a request is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Allowed,
    /// A policy that must allow it does not.
    ImplicitlyDenied,
    /// A policy denies it.
    ExplicitlyDenied,
    /// It depends on condition keys that are unknown.
    Unknown {
        /// The keys, as the request named them, or else the policies; sorted, each once.
        keys: Vec<String>,
    },
}

impl Verdict {
    /// A stable name, the same as [`Decision::slug`](crate::Decision::slug).
    #[must_use]
    pub fn slug(&self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::ImplicitlyDenied => "implicitly-denied",
            Self::ExplicitlyDenied => "explicitly-denied",
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// The answer to an [`Authorization`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether the request is allowed.
    pub decision: Verdict,
    /// The layers in its way: those that deny it; if none does, those that would have to allow it
    /// and don't. For [`Verdict::Unknown`], those that depend on an unknown key or are in the way
    /// for sure.
    pub blocked_by: Vec<Layer>,
}

/// What one layer says.
struct Opinion {
    layer: Layer,
    denies: Truth,
    /// Whether it allows, where it has to.
    allows: Truth,
}

impl Authorization {
    /// Whether the request is allowed when all policies are taken together.
    ///
    /// Documented: IAM `reference_policies_evaluation-logic_policy-eval-denyallow` and
    /// `…-logic-cross-account`, Organizations `orgs_manage_policies_scps` and
    /// `orgs_manage_policies_rcps`, KMS `key-policy-default`:
    /// - an explicit deny anywhere wins;
    /// - across accounts both sides must allow; within one either may, but a key policy (or a
    ///   role's trust policy) must allow, itself or by delegating to the account;
    /// - every level of service control policies must allow; they don't apply to service-linked
    ///   roles, nor (inferred) to service principals and anonymous requests;
    /// - resource control policies only deny, because `RCPFullAWSAccess` is always there; only for
    ///   the services that support them (`kms` does, `backup` does not), not for `kms:RetireGrant`,
    ///   not for service-linked roles;
    /// - within one account, a resource policy that names the user or session itself, or everyone,
    ///   is not limited by what the boundary and the session policy leave out; one that names the
    ///   role is;
    /// - the root user needs no policy of its own;
    /// - a vault's policy gives other accounts nothing but `backup:CopyIntoBackupVault` (AWS Backup
    ///   `create-a-vault-access-policy`);
    /// - a `Deny` with `NotPrincipal` hits every principal with a boundary, and may hit one whose
    ///   account it doesn't name (IAM `reference_policies_elements_notprincipal`).
    #[must_use]
    pub fn decide(&self) -> Answer {
        let opinions = self.opinions();
        let denies = Truth::any(opinions.iter().map(|opinion| opinion.denies.clone()));
        let allows = Truth::all(opinions.iter().map(|opinion| opinion.allows.clone()));
        let lacking = |wanted: &dyn Fn(&Opinion) -> bool| -> Vec<Layer> {
            let mut layers: Vec<Layer> = opinions
                .iter()
                .filter(|opinion| wanted(opinion))
                .map(|opinion| opinion.layer)
                .collect();
            layers.sort_unstable();
            layers.dedup();
            layers
        };
        match (denies, allows) {
            (Truth::Yes, _) => Answer {
                decision: Verdict::ExplicitlyDenied,
                blocked_by: lacking(&|opinion| opinion.denies == Truth::Yes),
            },
            (Truth::No, Truth::Yes) => Answer {
                decision: Verdict::Allowed,
                blocked_by: Vec::new(),
            },
            (Truth::No, Truth::No) => Answer {
                decision: Verdict::ImplicitlyDenied,
                blocked_by: lacking(&|opinion| opinion.allows == Truth::No),
            },
            (denies, allows) => {
                let mut keys = Vec::new();
                for part in [denies, allows] {
                    if let Truth::Unknown(more) = part {
                        keys.extend(more);
                    }
                }
                keys.sort_unstable();
                keys.dedup();
                Answer {
                    decision: Verdict::Unknown { keys },
                    blocked_by: lacking(&|opinion| {
                        opinion.denies != Truth::No || opinion.allows != Truth::Yes
                    }),
                }
            }
        }
    }

    fn opinions(&self) -> Vec<Opinion> {
        let request = &self.request;
        let service_linked = is_service_linked(request);
        let account = request.identity().account();
        let same_account = account.is_some_and(|own| own.id == self.resource_account.as_str());
        let granted = self.resource_grants();
        let own = self.own_policies();
        let mut opinions = Vec::new();
        match account {
            Some(_) if same_account => {
                opinions.extend(self.within_account(own, &granted));
            }
            Some(_) => {
                opinions.extend(own);
                opinions.push(self.resource_opinion(self.across_accounts(&granted)));
            }
            None => opinions.push(self.resource_opinion(granted.direct.clone())),
        }
        if account.is_some() && !service_linked {
            opinions.extend(self.scps.iter().map(|level| {
                opinion(Layer::Scp, level, |statement| {
                    statement.applies_to_any_principal(request)
                })
            }));
        }
        if !service_linked && rcp_applies(request.action_lower()) {
            let statements = self.rcps.iter().flatten();
            opinions.push(Opinion {
                allows: Truth::Yes,
                ..opinion(Layer::Rcp, statements, |statement| {
                    statement.applies(request)
                })
            });
        }
        opinions
    }

    /// The policies that come with the principal.
    fn own_policies(&self) -> Vec<Opinion> {
        let request = &self.request;
        let applies = |statement: &Statement| statement.applies_to_any_principal(request);
        let mut identity = opinion(Layer::Identity, &self.identity, applies);
        if matches!(request.identity(), Identity::Root(_)) {
            identity.allows = Truth::Yes;
        }
        let mut opinions = vec![identity];
        if let Some(boundary) = &self.boundary {
            opinions.push(opinion(Layer::Boundary, boundary, applies));
        }
        if let Some(session) = &self.session {
            opinions.push(opinion(Layer::Session, [session], applies));
        }
        opinions
    }

    /// Identity and resource in one account: either may allow.
    fn within_account(&self, own: Vec<Opinion>, granted: &Grants) -> Vec<Opinion> {
        let resource_allows = if needs_resource_policy(self.request.action_lower()) {
            self.across_accounts(granted)
        } else {
            Truth::Yes
        };
        let mut opinions: Vec<Opinion> = own
            .into_iter()
            .map(|opinion| {
                let instead = match opinion.layer {
                    // A grant to the role stands in for the role's own policies, but not for what
                    // limits them.
                    Layer::Identity => Truth::any([granted.direct.clone(), granted.role.clone()]),
                    Layer::Boundary
                    | Layer::Session
                    | Layer::Scp
                    | Layer::Rcp
                    | Layer::Resource => granted.direct.clone(),
                };
                Opinion {
                    allows: Truth::any([opinion.allows, instead]),
                    ..opinion
                }
            })
            .collect();
        opinions.push(self.resource_opinion(resource_allows));
        opinions
    }

    fn across_accounts(&self, granted: &Grants) -> Truth {
        let action = self.request.action_lower();
        if action.starts_with("backup:") && action != "backup:copyintobackupvault" {
            return Truth::No;
        }
        Truth::any([
            granted.direct.clone(),
            granted.role.clone(),
            granted.account.clone(),
        ])
    }

    fn resource_opinion(&self, allows: Truth) -> Opinion {
        let bounded = self
            .boundary
            .is_some()
            .then(|| self.request.clone().by_principal_with_boundary());
        let request = bounded.as_ref().unwrap_or(&self.request);
        let denies = opinion(Layer::Resource, &self.resource_policy, |statement| {
            statement.applies(request)
        });
        Opinion { allows, ..denies }
    }

    /// What the resource's policy allows, by how it names the principal.
    fn resource_grants(&self) -> Grants {
        let by = |reach: Reach| {
            let statements = self
                .resource_policy
                .iter()
                .flat_map(PolicyDocument::statements);
            Truth::any(
                statements
                    .filter(|statement| statement.effect() == Effect::Allow)
                    .filter(|statement| statement.principal.reach(&self.request) == reach)
                    .map(|statement| statement.applies(&self.request)),
            )
        };
        Grants {
            direct: by(Reach::Direct),
            role: by(Reach::Role),
            account: by(Reach::Account),
        }
    }
}

/// What a resource's policy allows.
struct Grants {
    direct: Truth,
    role: Truth,
    account: Truth,
}

fn opinion<'a>(
    layer: Layer,
    policies: impl IntoIterator<Item = &'a PolicyDocument>,
    applies: impl Fn(&Statement) -> Truth,
) -> Opinion {
    let mut denying = Vec::new();
    let mut allowing = Vec::new();
    for statement in policies.into_iter().flat_map(PolicyDocument::statements) {
        match statement.effect() {
            Effect::Deny => denying.push(applies(statement)),
            Effect::Allow => allowing.push(applies(statement)),
        }
    }
    Opinion {
        layer,
        denies: Truth::any(denying),
        allows: Truth::any(allowing),
    }
}

/// Whether the principal is a service-linked role or a session of one.
///
/// A session's ARN carries no path, `aws:PrincipalArn` in the context does; without it the role's
/// name decides (inferred: AWS gives service-linked roles names that start so).
fn is_service_linked(request: &Request) -> bool {
    let by_path = |arn: &str| {
        arn_parts(arn).is_some_and(|[.., resource]| resource.starts_with("role/aws-service-role/"))
    };
    match request.identity() {
        Identity::Role { arn, .. } => by_path(arn),
        Identity::Session { role, .. } => match request.context().values("aws:PrincipalArn") {
            Some([given]) => by_path(given),
            Some(_) | None => role.starts_with("AWSServiceRoleFor"),
        },
        Identity::Anonymous
        | Identity::Service(_)
        | Identity::Root(_)
        | Identity::User { .. }
        | Identity::FederatedUser { .. }
        | Identity::Other { .. } => false,
    }
}

/// Whether the resource's policy must allow, even within one account: key policies and trust
/// policies.
fn needs_resource_policy(action: &str) -> bool {
    action.starts_with("kms:") || action.starts_with("sts:assumerole")
}

/// The services whose actions resource control policies apply to (documented: Organizations
/// `orgs_manage_policies_rcps`, read in 2026; only those whose resources have policies that matter
/// here, or are common).
const RCP_SERVICES: [&str; 16] = [
    "aoss",
    "codeartifact",
    "cognito-identity",
    "cognito-idp",
    "dsql",
    "dynamodb",
    "ecr",
    "events",
    "firehose",
    "kms",
    "logs",
    "memorydb",
    "s3",
    "secretsmanager",
    "sqs",
    "sts",
];

fn rcp_applies(action: &str) -> bool {
    let service = action.split(':').next().unwrap_or_default();
    RCP_SERVICES.contains(&service) && action != "kms:retiregrant"
}
