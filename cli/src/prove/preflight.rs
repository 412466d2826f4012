//! What must be so before anything is made. Only reads.

use copymend_aws::{AwsEnvironment, ReadWrite};
use copymend_diagnosis::RoleArn;
use copymend_remediation::ports::{CallResult, Identities, Organizations, Reads};
use copymend_sandbox::SERVICE_LINKED_ROLE;

use super::arguments::ProveArguments;
use super::console::say;
use super::end::End;
use super::pair::{Pair, place};

/// What was found out.
#[derive(Debug)]
pub(crate) struct Preflight {
    /// Whether the source is known to be a member account, not the management account.
    pub(crate) is_source_a_member: bool,
}

/// The job role that the options name.
pub(crate) fn job_role(arguments: &ProveArguments, pair: &Pair) -> Result<RoleArn, String> {
    let role = arguments.role.as_str();
    let text = if role.starts_with("arn:") {
        role.to_owned()
    } else {
        format!(
            "arn:{}:iam::{}:role/{}",
            pair.source.partition(),
            pair.source.account(),
            role.trim_start_matches('/')
        )
    };
    let arn: RoleArn = text
        .parse()
        .map_err(|error| format!("--role: `{text}`: {error}"))?;
    if arn.account_id() == Some(pair.source.account()) {
        Ok(arn)
    } else {
        Err(format!(
            "--role: `{text}` is not of account {}, which the copy comes from",
            pair.source.account()
        ))
    }
}

/// Looks at both accounts.
pub(crate) async fn look(
    pair: &Pair,
    role: &RoleArn,
    with_key: bool,
    environment: &AwsEnvironment<ReadWrite>,
) -> Result<Preflight, End> {
    say(&format!(
        "From {} to {}.",
        place(&pair.source),
        place(&pair.destination)
    ))?;
    let partition = pair.source.partition();
    let organizations = environment.organizations();
    let of = async |account| {
        organizations
            .describe_organization(account, partition)
            .await
    };
    let (source, destination) = (
        of(pair.source.account()).await?,
        of(pair.destination.account()).await?,
    );
    let (Some(source), Some(destination)) = (source, destination) else {
        return Err(End::Failed(
            "one of the accounts is in no organization: AWS Backup copies between accounts of one organization only".to_owned(),
        ));
    };
    if source.id != destination.id {
        return Err(End::Failed(format!(
            "the accounts are in different organizations, {} and {}: AWS Backup copies within one only",
            source.id, destination.id
        )));
    }
    let exists = async |account, name: &str| -> CallResult<bool> {
        let found = environment
            .identities()
            .get_role(account, partition, name)
            .await?;
        Ok(found.is_some())
    };
    if !exists(pair.source.account(), role.name()).await? {
        return Err(End::Failed(format!(
            "there is no role {role}: name another with --role, or let AWS Backup make its default role, by a first backup in its console"
        )));
    }
    let has_service_role = exists(pair.destination.account(), SERVICE_LINKED_ROLE).await?;
    if with_key && !has_service_role {
        return Err(End::Failed(format!(
            "account {} has no role {SERVICE_LINKED_ROLE} yet, which a key's policy has to name: run `aws iam create-service-linked-role \
             --aws-service-name backup.amazonaws.com` there",
            pair.destination.account()
        )));
    }
    let management = source.management_account;
    Ok(Preflight {
        is_source_a_member: management.is_some_and(|account| account != pair.source.account()),
    })
}
