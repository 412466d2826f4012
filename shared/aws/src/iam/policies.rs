//! The policies of a principal, read one by one.

use std::collections::BTreeSet;
use std::iter;

use copymend_diagnosis::PrincipalPolicies;
use copymend_policy::{Arn, PolicyDocument};
use copymend_remediation::ports::{CallErrorKind, CallResult};
use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::account::{Account, result};
use super::holder::{Holder, Kind};
use super::{ABSENT, document};
use crate::error::Call;
use crate::signed::xml::Element;

/// The first call for a role: an error before any call goes under its name.
pub(super) const OPERATION: &str = "iam:GetRole";
/// IAM throttles an account's calls all together, so a user in many groups must not ask for
/// everything at once.
const AT_ONCE: usize = 10;

/// Reads the policies of a role or user; `None` where there is no such principal.
pub(super) async fn read(
    iam: Account<'_>,
    principal: &Arn,
) -> CallResult<Option<PrincipalPolicies>> {
    let holder = Holder::of(principal).ok_or_else(|| {
        Call::new(OPERATION, principal.as_str()).error(
            CallErrorKind::Failed,
            "it is no role or user of IAM, so it has no policies to read",
        )
    })?;
    let (found, identity) = tokio::join!(find(iam, &holder), identity(iam, &holder));
    // Asked for its policies, IAM answers an error for a principal that doesn't exist. Its absence
    // goes first.
    let Some(found) = found? else {
        return Ok(None);
    };
    Ok(Some(PrincipalPolicies {
        identity: identity?,
        boundary: found.boundary,
    }))
}

/// A principal that exists.
struct Found {
    boundary: Option<PolicyDocument>,
}

/// Looks a principal up by its name. One with another path is another one: IAM finds both by name
/// alone.
async fn find(iam: Account<'_>, holder: &Holder) -> CallResult<Option<Found>> {
    let (operation, action, element, parameter) = match holder.kind {
        Kind::Role => ("iam:GetRole", "GetRole", "Role", "RoleName"),
        Kind::User => ("iam:GetUser", "GetUser", "User", "UserName"),
        // INVARIANT: a group is no principal, and `Holder::of` makes none.
        Kind::Group => return Ok(None),
    };
    let (client, call) = iam.call(operation, &holder.arn).await?;
    let request = client.ask(action, &[(parameter, &holder.name)]);
    let Some(answer) = call.find(&[ABSENT], request).await? else {
        return Ok(None);
    };
    let found = result(&call, &answer, action)?
        .into_child(element)
        .ok_or_else(|| call.unreadable(format!("`{element}` is missing")))?;
    let arn = found.text("Arn").unwrap_or_default();
    if arn.is_empty() {
        return Err(call.unreadable("`Arn` is missing"));
    }
    if arn != holder.arn {
        return Ok(None);
    }
    Ok(Some(Found {
        boundary: match found.child("PermissionsBoundary") {
            Some(boundary) => Some(read_boundary(iam, &call, boundary).await?),
            None => None,
        },
    }))
}

async fn read_boundary(
    iam: Account<'_>,
    call: &Call,
    boundary: &Element,
) -> CallResult<PolicyDocument> {
    let arn = boundary
        .text("PermissionsBoundaryArn")
        .filter(|arn| !arn.is_empty())
        .ok_or_else(|| call.unreadable("`PermissionsBoundaryArn` is missing"))?;
    managed_policy(iam, arn).await
}

/// All identity policies: inline ones of the principal, then of its groups, then managed ones, each
/// once.
async fn identity(iam: Account<'_>, principal: &Holder) -> CallResult<Vec<PolicyDocument>> {
    let groups = principal.groups(iam).await?;
    let holders: Vec<&Holder> = iter::once(principal).chain(&groups).collect();
    let listed = try_join_all(holders.iter().map(|holder| async move {
        tokio::try_join!(holder.inline_policies(iam), holder.attached_policies(iam))
    }))
    .await?;
    let mut inline = Vec::new();
    let mut managed = BTreeSet::new();
    for (holder, (names, attached)) in holders.into_iter().zip(listed) {
        inline.extend(names.into_iter().map(|name| Source::Inline(holder, name)));
        managed.extend(attached);
    }
    // Collected, because the compiler can't tell that a stream that makes them lazily may move
    // between threads.
    let reads: Vec<_> = inline
        .into_iter()
        .chain(managed.into_iter().map(Source::Managed))
        .map(|source| source.read(iam))
        .collect();
    stream::iter(reads).buffered(AT_ONCE).try_collect().await
}

/// Where a policy is.
enum Source<'h> {
    /// In its holder, under a name.
    Inline(&'h Holder, String),
    /// On its own, under an ARN.
    Managed(String),
}

impl Source<'_> {
    async fn read(self, iam: Account<'_>) -> CallResult<PolicyDocument> {
        match self {
            Self::Inline(holder, name) => holder.inline_policy(iam, &name).await,
            Self::Managed(arn) => managed_policy(iam, &arn).await,
        }
    }
}

/// A managed policy in its default version, the one that is in effect.
async fn managed_policy(iam: Account<'_>, arn: &str) -> CallResult<PolicyDocument> {
    let (client, call) = iam.call("iam:GetPolicy", arn).await?;
    let request = client.ask("GetPolicy", &[("PolicyArn", arn)]);
    let answer = result(&call, &call.send(request).await?, "GetPolicy")?;
    let version = answer
        .child("Policy")
        .and_then(|policy| policy.text("DefaultVersionId"))
        .filter(|version| !version.is_empty())
        .ok_or_else(|| call.unreadable("`DefaultVersionId` is missing"))?;
    let (client, call) = iam.call("iam:GetPolicyVersion", arn).await?;
    let parameters = [("PolicyArn", arn), ("VersionId", version)];
    let request = client.ask("GetPolicyVersion", &parameters);
    let answer = result(&call, &call.send(request).await?, "GetPolicyVersion")?;
    let found = answer.child("PolicyVersion");
    let text = found.and_then(|found| found.text("Document"));
    document::read(&call, arn, text)
}
