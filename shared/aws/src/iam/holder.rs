//! Who policies are attached to.

use copymend_diagnosis::RoleArn;
use copymend_policy::{Arn, PolicyDocument};
use copymend_remediation::ports::CallResult;

use super::account::Account;
use super::document;
use crate::pages;

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
        let request = client.list_groups_for_user().user_name(&self.name);
        let groups = pages::all(
            &call,
            |from| request.clone().set_marker(from).send(),
            |page| {
                let next = pages::marker(page.is_truncated, page.marker());
                (page.groups, next)
            },
        )
        .await?;
        Ok(groups
            .into_iter()
            .map(|group| Self {
                kind: Kind::Group,
                arn: group.arn,
                name: group.group_name,
            })
            .collect())
    }

    /// The names of the inline policies.
    pub(super) async fn inline_policies(&self, iam: Account<'_>) -> CallResult<Vec<String>> {
        match self.kind {
            Kind::Role => {
                let (client, call) = iam.call("iam:ListRolePolicies", &self.arn).await?;
                let request = client.list_role_policies().role_name(&self.name);
                pages::all(
                    &call,
                    |from| request.clone().set_marker(from).send(),
                    |page| {
                        let next = pages::marker(page.is_truncated, page.marker());
                        (page.policy_names, next)
                    },
                )
                .await
            }
            Kind::User => {
                let (client, call) = iam.call("iam:ListUserPolicies", &self.arn).await?;
                let request = client.list_user_policies().user_name(&self.name);
                pages::all(
                    &call,
                    |from| request.clone().set_marker(from).send(),
                    |page| {
                        let next = pages::marker(page.is_truncated, page.marker());
                        (page.policy_names, next)
                    },
                )
                .await
            }
            Kind::Group => {
                let (client, call) = iam.call("iam:ListGroupPolicies", &self.arn).await?;
                let request = client.list_group_policies().group_name(&self.name);
                pages::all(
                    &call,
                    |from| request.clone().set_marker(from).send(),
                    |page| {
                        let next = pages::marker(page.is_truncated, page.marker());
                        (page.policy_names, next)
                    },
                )
                .await
            }
        }
    }

    /// One inline policy.
    pub(super) async fn inline_policy(
        &self,
        iam: Account<'_>,
        name: &str,
    ) -> CallResult<PolicyDocument> {
        let (call, text) = match self.kind {
            Kind::Role => {
                let (client, call) = iam.call("iam:GetRolePolicy", &self.arn).await?;
                let request = client.get_role_policy().role_name(&self.name);
                let answer = call.send(request.policy_name(name).send()).await?;
                (call, answer.policy_document)
            }
            Kind::User => {
                let (client, call) = iam.call("iam:GetUserPolicy", &self.arn).await?;
                let request = client.get_user_policy().user_name(&self.name);
                let answer = call.send(request.policy_name(name).send()).await?;
                (call, answer.policy_document)
            }
            Kind::Group => {
                let (client, call) = iam.call("iam:GetGroupPolicy", &self.arn).await?;
                let request = client.get_group_policy().group_name(&self.name);
                let answer = call.send(request.policy_name(name).send()).await?;
                (call, answer.policy_document)
            }
        };
        document::read(&call, name, Some(&text))
    }

    /// The ARNs of the managed policies that are attached.
    pub(super) async fn attached_policies(&self, iam: Account<'_>) -> CallResult<Vec<String>> {
        let (call, attached) = match self.kind {
            Kind::Role => {
                let (client, call) = iam.call("iam:ListAttachedRolePolicies", &self.arn).await?;
                let request = client.list_attached_role_policies().role_name(&self.name);
                let attached = pages::all(
                    &call,
                    |from| request.clone().set_marker(from).send(),
                    |page| {
                        let next = pages::marker(page.is_truncated, page.marker());
                        (page.attached_policies.unwrap_or_default(), next)
                    },
                )
                .await?;
                (call, attached)
            }
            Kind::User => {
                let (client, call) = iam.call("iam:ListAttachedUserPolicies", &self.arn).await?;
                let request = client.list_attached_user_policies().user_name(&self.name);
                let attached = pages::all(
                    &call,
                    |from| request.clone().set_marker(from).send(),
                    |page| {
                        let next = pages::marker(page.is_truncated, page.marker());
                        (page.attached_policies.unwrap_or_default(), next)
                    },
                )
                .await?;
                (call, attached)
            }
            Kind::Group => {
                let (client, call) = iam.call("iam:ListAttachedGroupPolicies", &self.arn).await?;
                let request = client.list_attached_group_policies().group_name(&self.name);
                let attached = pages::all(
                    &call,
                    |from| request.clone().set_marker(from).send(),
                    |page| {
                        let next = pages::marker(page.is_truncated, page.marker());
                        (page.attached_policies.unwrap_or_default(), next)
                    },
                )
                .await?;
                (call, attached)
            }
        };
        attached
            .into_iter()
            .map(|policy| {
                policy
                    .policy_arn
                    .filter(|arn| !arn.is_empty())
                    .ok_or_else(|| call.unreadable("an attached policy has no `PolicyArn`"))
            })
            .collect()
    }
}
