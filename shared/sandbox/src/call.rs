//! Calls: who makes them, the condition keys that AWS fills in, and AWS's words when one is
//! refused.

use copymend_diagnosis::{Cause, KeyArn, RoleArn};
use copymend_policy::{AccountId, Request};
use jiff::Timestamp;

use crate::copies::CopyFailure;
use crate::denials::RefusedCall;
use crate::ids;
use crate::rules::Refusal;
use crate::world::{Key, World};

/// What a service may do with a key by the grant that it asks for to copy an encrypted snapshot
/// (inferred from the operations that Amazon EBS documents for `CopySnapshot`: KMS `services-ebs`).
const GRANT_OPERATIONS: [&str; 6] = [
    "CreateGrant",
    "Decrypt",
    "DescribeKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
];

/// Who makes a call: a session of a role, or an account's root.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The ARN of the role, or of the root.
    principal: String,
    account: AccountId,
    /// The name of the role's session.
    session: Option<String>,
    has_boundary: bool,
}

impl Caller {
    /// A session of a role.
    pub(crate) fn session(
        role: impl Into<String>,
        account: AccountId,
        session: impl Into<String>,
        has_boundary: bool,
    ) -> Self {
        Self {
            principal: role.into(),
            account,
            session: Some(session.into()),
            has_boundary,
        }
    }

    /// AWS Backup as the job role.
    pub(crate) fn job_role(world: &World, role: &RoleArn) -> Option<Self> {
        let has_boundary = world
            .role(role)
            .is_some_and(|role| role.permissions_boundary.is_some());
        let session = world.session_name(role.name());
        let account = role.account_id()?;
        Some(Self::session(role.as_str(), account, session, has_boundary))
    }

    /// AWS Backup as the service-linked role of an account.
    pub(crate) fn service_linked_role(world: &World, account: AccountId) -> Self {
        let role = world.service_linked_role_arn(account);
        let session = world.session_name(crate::world::SERVICE_LINKED_ROLE);
        Self::session(role, account, session, false)
    }

    /// An account as a whole.
    pub(crate) fn root(partition: &str, account: AccountId) -> Self {
        Self {
            principal: format!("arn:{partition}:iam::{account}:root"),
            account,
            session: None,
            has_boundary: false,
        }
    }

    /// The ARN of the role, or of the root.
    pub(crate) fn principal(&self) -> &str {
        &self.principal
    }

    pub(crate) fn partition(&self) -> &str {
        self.principal.split(':').nth(1).unwrap_or("aws")
    }

    /// The ARN by which AWS names the caller.
    fn arn(&self) -> String {
        let Some(session) = &self.session else {
            return self.principal.clone();
        };
        let name = self.principal.rsplit('/').next().unwrap_or_default();
        format!(
            "arn:{}:sts::{}:assumed-role/{name}/{session}",
            self.partition(),
            self.account
        )
    }
}

/// A caller's call on a resource.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    /// Who calls.
    pub(crate) caller: &'a Caller,
    /// The action.
    pub(crate) action: &'a str,
    /// The resource.
    pub(crate) resource: &'a str,
    /// The resource's account, if it has a real one.
    pub(crate) owner: Option<AccountId>,
    /// The Region that is called, where the resource's ARN names none.
    pub(crate) region: &'a str,
    /// When.
    pub(crate) at: Timestamp,
    /// The endpoint of the service that makes the call on the caller's behalf, such as
    /// `ec2.eu-west-1.amazonaws.com`.
    pub(crate) via_service: Option<&'a str>,
}

impl Call<'_> {
    /// The Region that every request names (documented: IAM `reference_policies_condition-keys`).
    /// That it is the resource's is inferred.
    fn region(&self) -> &str {
        self.resource
            .split(':')
            .nth(3)
            .filter(|region| !region.is_empty())
            .unwrap_or(self.region)
    }

    /// The request with the condition keys that AWS fills in (documented: IAM
    /// `reference_policies_condition-keys`, KMS `conditions-kms`) and the tags of the resource, for
    /// every kind of policy that is asked. Keys that only the caller's network or a person would
    /// bring are absent. That the session of a role was opened when it calls is inferred.
    pub(crate) fn request(&self, world: &World) -> Request {
        let Caller {
            principal,
            account,
            session,
            has_boundary,
        } = self.caller;
        let mut request = Request::new(self.caller.arn(), self.action, self.resource);
        if *has_boundary {
            request = request.by_principal_with_boundary();
        }
        if let Some(session) = session {
            let user_id = format!("{}:{session}", ids::role_id(principal));
            request = request
                .with_context("aws:PrincipalType", ["AssumedRole"])
                .with_context("aws:userid", [user_id])
                .with_context("aws:MultiFactorAuthPresent", ["false"])
                .with_context("aws:TokenIssueTime", [self.at.to_string()]);
        }
        let via_service = self.via_service.is_some();
        request = request
            .with_context("aws:PrincipalArn", [principal.as_str()])
            .with_context("aws:PrincipalAccount", [account.as_str()])
            .with_context("aws:PrincipalIsAWSService", ["false"])
            .with_context("aws:ViaAWSService", [via_service.to_string()])
            .with_context("aws:SecureTransport", ["true"])
            .with_context("aws:RequestedRegion", [self.region()])
            .with_context("aws:CurrentTime", [self.at.to_string()])
            .with_context("aws:EpochTime", [self.at.as_second().to_string()]);
        request = of_organization(request, "Principal", Some(*account), world);
        request = of_organization(request, "Resource", self.owner, world);
        if let Some(owner) = self.owner {
            request = request.with_context("aws:ResourceAccount", [owner.as_str()]);
        }
        for (key, value) in world.tags_of(self.resource, self.owner) {
            request = request.with_context(&format!("aws:ResourceTag/{key}"), [value.as_str()]);
        }
        if self.action.starts_with("kms:") {
            request = self.with_keys_of_kms(request, world);
        }
        request
    }

    /// The condition keys of KMS (documented: KMS `conditions-kms`). Every key of a world is
    /// symmetric, and made by KMS.
    fn with_keys_of_kms(&self, mut request: Request, world: &World) -> Request {
        let key: Option<&Key> = self
            .resource
            .parse::<KeyArn>()
            .ok()
            .and_then(|arn| world.key(&arn));
        let is_multi_region = self.resource.contains(":key/mrk-");
        request = request
            .with_context("kms:CallerAccount", [self.caller.account.as_str()])
            .with_context("kms:KeySpec", ["SYMMETRIC_DEFAULT"])
            .with_context("kms:KeyUsage", ["ENCRYPT_DECRYPT"])
            .with_context("kms:KeyOrigin", ["AWS_KMS"])
            .with_context("kms:MultiRegion", [is_multi_region.to_string()]);
        if let Some(alias) = key.and_then(|key| key.alias.as_ref()) {
            request = request.with_context("kms:ResourceAliases", [format!("alias/{alias}")]);
        }
        if let Some(endpoint) = self.via_service {
            request = request.with_context("kms:ViaService", [endpoint]);
        }
        if self.action == "kms:CreateGrant" {
            let is_for_resource = self.via_service.is_some();
            request = request
                .with_context("kms:GrantIsForAWSResource", [is_for_resource.to_string()])
                .with_context("kms:GranteePrincipal", [self.grantee()])
                .with_context("kms:GrantOperations", GRANT_OPERATIONS);
        }
        request
    }

    /// Who gets a grant: the service that asks for it, in the caller's account (inferred from the
    /// grants of Amazon EBS, which go to `aws:ec2-infrastructure`), or else the caller.
    fn grantee(&self) -> String {
        match self.via_service {
            Some(endpoint) if endpoint.starts_with("ec2.") => format!(
                "arn:{}:sts::{}:assumed-role/aws:ec2-infrastructure/{}",
                self.caller.partition(),
                self.caller.account,
                ids::short(&["grantee", self.resource])
            ),
            Some(endpoint) => endpoint.to_owned(),
            None => self.caller.principal.clone(),
        }
    }

    /// AWS's access-denied grammar (documented: IAM `troubleshoot_access-denied`).
    pub(crate) fn denied(&self, ending: &str) -> String {
        format!(
            "User: {} is not authorized to perform: {} on resource: {} {ending}",
            self.caller.arn(),
            self.action,
            self.resource
        )
    }

    /// The words for a policy type that allows nothing.
    pub(crate) fn no(&self, policy_type: &str) -> String {
        self.denied(&format!(
            "because no {policy_type} allows the {} action",
            self.action
        ))
    }

    /// The words for a policy type that denies.
    pub(crate) fn explicit(&self, policy_type: &str) -> String {
        self.denied(&format!("with an explicit deny in {policy_type}"))
    }

    /// What AWS remembers of the call once it is refused.
    pub(crate) fn to_remember(self) -> RefusedCall {
        RefusedCall {
            principal: self.caller.principal.clone(),
            action: self.action.to_owned(),
            resource: self.resource.to_owned(),
        }
    }

    /// The call is refused, which ends the copy.
    pub(crate) fn refused(
        self,
        cause: Cause,
        category: &str,
        message: impl Into<String>,
    ) -> Refusal {
        Refusal {
            failure: CopyFailure {
                message: message.into(),
                category: category.to_owned(),
                cause: Some(cause),
            },
            call: Some(Box::new(self.to_remember())),
        }
    }
}

fn of_organization(
    request: Request,
    whose: &str,
    account: Option<AccountId>,
    world: &World,
) -> Request {
    let Some((account, organization)) =
        account.and_then(|id| Some((id, world.organization_of(id)?)))
    else {
        return request;
    };
    request
        .with_context(&format!("aws:{whose}OrgID"), [organization.id.as_str()])
        .with_context(
            &format!("aws:{whose}OrgPaths"),
            organization.path_of(account),
        )
}
