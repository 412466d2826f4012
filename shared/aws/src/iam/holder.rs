//! Who policies are attached to.

use copymend_diagnosis::RoleArn;
use copymend_policy::{Arn, PolicyDocument};
use copymend_remediation::ports::CallResult;

use super::account::{Account, form, result};
use super::document;
use crate::signed::xml::Element;

/// Who policies are attached to: a principal, or one of its groups.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    pub(super) kind: Kind,
    pub(super) arn: String,
    pub(super) name: String,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Role,
    User,
    Group,
}

impl Holder {
    /// The role or user that an ARN names; nothing where it names neither.
    pub(super) fn of(principal: &Arn) -> Option<Self> {
        let (kind, name) = if principal.resource().starts_with("role/") {
            let role: RoleArn = principal.as_str().parse().ok()?;
            (Kind::Role, role.name().to_owned())
        } else {
            let user = principal.resource().strip_prefix("user/")?;
            if principal.service() != "iam" {
                return None;
            }
            (Kind::User, user.rsplit('/').next()?.to_owned())
        };
        (!name.is_empty()).then(|| Self {
            kind,
            arn: principal.as_str().to_owned(),
            name,
        })
    }

    /// The groups that a user is in. Only users are in groups.
    pub(super) async fn groups(&self, iam: Account<'_>) -> CallResult<Vec<Self>> {
        match self.kind {
            Kind::Role | Kind::Group => return Ok(Vec::new()),
            Kind::User => {}
        }
        let (client, call) = iam.call("iam:ListGroupsForUser", &self.arn).await?;
        let action = "ListGroupsForUser";
        let form = form(action, &[("UserName", &self.name)]);
        let groups = client.pages(&call, action, form, |page| {
            let text = |group: &Element, name| group.text(name).unwrap_or_default().to_owned();
            let groups = page.members("Groups");
            groups
                .map(|group| (text(group, "Arn"), text(group, "GroupName")))
                .collect()
        });
        let groups = groups.await?;
        Ok(groups
            .into_iter()
            .map(|(arn, name)| Self {
                kind: Kind::Group,
                arn,
                name,
            })
            .collect())
    }

    /// The names of the inline policies.
    pub(super) async fn inline_policies(&self, iam: Account<'_>) -> CallResult<Vec<String>> {
        let (operation, action) = match self.kind {
            Kind::Role => ("iam:ListRolePolicies", "ListRolePolicies"),
            Kind::User => ("iam:ListUserPolicies", "ListUserPolicies"),
            Kind::Group => ("iam:ListGroupPolicies", "ListGroupPolicies"),
        };
        let (client, call) = iam.call(operation, &self.arn).await?;
        let form = form(action, &[(self.kind.parameter(), &self.name)]);
        let names = client.pages(&call, action, form, |page| {
            let names = page.members("PolicyNames");
            names.map(|name| name.own_text().to_owned()).collect()
        });
        names.await
    }

    /// One inline policy.
    pub(super) async fn inline_policy(
        &self,
        iam: Account<'_>,
        name: &str,
    ) -> CallResult<PolicyDocument> {
        let (operation, action) = match self.kind {
            Kind::Role => ("iam:GetRolePolicy", "GetRolePolicy"),
            Kind::User => ("iam:GetUserPolicy", "GetUserPolicy"),
            Kind::Group => ("iam:GetGroupPolicy", "GetGroupPolicy"),
        };
        let (client, call) = iam.call(operation, &self.arn).await?;
        let holder = (self.kind.parameter(), self.name.as_str());
        let request = client.ask(action, &[holder, ("PolicyName", name)]);
        let answer = result(&call, &call.send(request).await?, action)?;
        document::read(&call, name, answer.text("PolicyDocument"))
    }

    /// The ARNs of the managed policies that are attached.
    pub(super) async fn attached_policies(&self, iam: Account<'_>) -> CallResult<Vec<String>> {
        let (operation, action) = match self.kind {
            Kind::Role => ("iam:ListAttachedRolePolicies", "ListAttachedRolePolicies"),
            Kind::User => ("iam:ListAttachedUserPolicies", "ListAttachedUserPolicies"),
            Kind::Group => ("iam:ListAttachedGroupPolicies", "ListAttachedGroupPolicies"),
        };
        let (client, call) = iam.call(operation, &self.arn).await?;
        let form = form(action, &[(self.kind.parameter(), &self.name)]);
        let attached = client.pages(&call, action, form, |page| {
            let attached = page.members("AttachedPolicies");
            attached
                .map(|policy| policy.text("PolicyArn").unwrap_or_default().to_owned())
                .collect()
        });
        let attached = attached.await?;
        if attached.iter().any(String::is_empty) {
            return Err(call.unreadable("an attached policy has no `PolicyArn`"));
        }
        Ok(attached)
    }
}

impl Kind {
    /// The parameter that names one of this kind.
    const fn parameter(self) -> &'static str {
        match self {
            Self::Role => "RoleName",
            Self::User => "UserName",
            Self::Group => "GroupName",
        }
    }
}
