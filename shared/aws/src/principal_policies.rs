//! The policies of a role or user, read one by one.

use aws_sdk_iam::Client;
use copymend_diagnosis::PrincipalPolicies;
use copymend_policy::PolicyDocument;
use copymend_remediation::ports::CallResult;
use futures_util::future::try_join_all;

use crate::backup::MOST_PAGES;
use crate::copy_job::text;
use crate::error::Call;
use crate::identities::{ABSENT, policy_text};

/// A page of names or ARNs, and where the next begins.
type Page = (Vec<String>, bool, Option<String>);

/// Reads all pages of a list.
async fn all_pages<F: Future<Output = CallResult<Page>>>(
    call: &Call,
    page: impl Fn(Option<String>) -> F,
) -> CallResult<Vec<String>> {
    let mut all = Vec::new();
    let mut marker = None;
    for _ in 0..MOST_PAGES {
        let (items, is_truncated, next) = page(marker).await?;
        all.extend(items);
        if !is_truncated {
            return Ok(all);
        }
        marker = next;
        if marker.is_none() {
            return Err(call.unreadable("`IsTruncated` is true, but `Marker` is missing"));
        }
    }
    Err(call.unreadable(format!("more than {MOST_PAGES} pages")))
}

fn document(call: &Call, name: &str, encoded: &str) -> CallResult<PolicyDocument> {
    let text = policy_text(encoded)
        .ok_or_else(|| call.unreadable(format!("the policy `{name}` is no text")))?;
    PolicyDocument::parse(&text)
        .map_err(|error| call.unreadable(format!("the policy `{name}`: {error}")))
}

/// A managed policy's default version.
async fn managed(client: &Client, call: &Call, arn: &str) -> CallResult<PolicyDocument> {
    let answer = call
        .send(client.get_policy().policy_arn(arn).send())
        .await?;
    let version = answer
        .policy()
        .and_then(|policy| text(policy.default_version_id()))
        .ok_or_else(|| call.unreadable(format!("the policy `{arn}` names no default version")))?;
    let request = client
        .get_policy_version()
        .policy_arn(arn)
        .version_id(version);
    let answer = call.send(request.send()).await?;
    let encoded = answer
        .policy_version()
        .and_then(|version| version.document())
        .ok_or_else(|| call.unreadable(format!("the policy `{arn}` has no document")))?;
    document(call, arn, encoded)
}

async fn managed_ones(
    client: &Client,
    call: &Call,
    arns: Vec<String>,
) -> CallResult<Vec<PolicyDocument>> {
    try_join_all(arns.iter().map(|arn| managed(client, call, arn))).await
}

/// The ARNs in a page of attached policies.
macro_rules! attached {
    ($call:expr, $request:expr) => {
        all_pages($call, |marker| async move {
            let page = $call.send($request.set_marker(marker).send()).await?;
            let policies = page.attached_policies.unwrap_or_default();
            let arns = policies.into_iter().filter_map(|policy| policy.policy_arn);
            Ok((arns.collect(), page.is_truncated, page.marker))
        })
    };
}

/// The names in a page of inline policies.
macro_rules! inline_names {
    ($call:expr, $request:expr) => {
        all_pages($call, |marker| async move {
            let page = $call.send($request.set_marker(marker).send()).await?;
            Ok((page.policy_names, page.is_truncated, page.marker))
        })
    };
}

/// The documents of inline policies.
macro_rules! inline {
    ($call:expr, $names:expr, $name:ident => $request:expr) => {
        try_join_all($names.iter().map(|$name| async move {
            let answer = $call.send($request.send()).await?;
            document($call, $name, &answer.policy_document)
        }))
    };
}

pub(crate) async fn of_role(
    client: &Client,
    call: &Call,
    role: &str,
) -> CallResult<Option<PrincipalPolicies>> {
    let request = client.get_role().role_name(role);
    let Some(answer) = call.find(ABSENT, request.send()).await? else {
        return Ok(None);
    };
    let boundary = answer
        .role()
        .and_then(|role| role.permissions_boundary())
        .and_then(|boundary| text(boundary.permissions_boundary_arn()));
    let (names, arns) = tokio::try_join!(
        inline_names!(call, client.list_role_policies().role_name(role)),
        attached!(call, client.list_attached_role_policies().role_name(role)),
    )?;
    let (mut identity, managed, boundary) = tokio::try_join!(
        inline!(call, names, name => client.get_role_policy().role_name(role).policy_name(name)),
        managed_ones(client, call, arns),
        read_boundary(client, call, boundary),
    )?;
    identity.extend(managed);
    Ok(Some(PrincipalPolicies { identity, boundary }))
}

pub(crate) async fn of_user(
    client: &Client,
    call: &Call,
    user: &str,
) -> CallResult<Option<PrincipalPolicies>> {
    let request = client.get_user().user_name(user);
    let Some(answer) = call.find(ABSENT, request.send()).await? else {
        return Ok(None);
    };
    let boundary = answer
        .user()
        .and_then(|user| user.permissions_boundary())
        .and_then(|boundary| text(boundary.permissions_boundary_arn()));
    let (names, arns, groups) = tokio::try_join!(
        inline_names!(call, client.list_user_policies().user_name(user)),
        attached!(call, client.list_attached_user_policies().user_name(user)),
        all_pages(call, |marker| async move {
            let request = client.list_groups_for_user().user_name(user);
            let page = call.send(request.set_marker(marker).send()).await?;
            let names = page.groups.into_iter().map(|group| group.group_name);
            Ok((names.collect(), page.is_truncated, page.marker))
        }),
    )?;
    let (mut identity, managed, of_groups, boundary) = tokio::try_join!(
        inline!(call, names, name => client.get_user_policy().user_name(user).policy_name(name)),
        managed_ones(client, call, arns),
        try_join_all(groups.iter().map(|group| of_group(client, call, group))),
        read_boundary(client, call, boundary),
    )?;
    identity.extend(managed);
    identity.extend(of_groups.into_iter().flatten());
    Ok(Some(PrincipalPolicies { identity, boundary }))
}

async fn of_group(client: &Client, call: &Call, group: &str) -> CallResult<Vec<PolicyDocument>> {
    let (names, arns) = tokio::try_join!(
        inline_names!(call, client.list_group_policies().group_name(group)),
        attached!(
            call,
            client.list_attached_group_policies().group_name(group)
        ),
    )?;
    let (mut policies, managed) = tokio::try_join!(
        inline!(call, names, name => client.get_group_policy().group_name(group).policy_name(name)),
        managed_ones(client, call, arns),
    )?;
    policies.extend(managed);
    Ok(policies)
}

async fn read_boundary(
    client: &Client,
    call: &Call,
    arn: Option<String>,
) -> CallResult<Option<PolicyDocument>> {
    match arn {
        None => Ok(None),
        Some(arn) => managed(client, call, &arn).await.map(Some),
    }
}
