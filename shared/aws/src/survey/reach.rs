//! The way into the accounts and Regions that a person names.

use std::num::NonZeroU32;
use std::sync::Arc;

use aws_config::{Region, SdkConfig};
use copymend_policy::AccountId;
use copymend_remediation::ports::{CallError, CallErrorKind, Location};
use copymend_remediation::settings::Deployment;
use copymend_survey::RegionCode;

use super::AwsLists;
use crate::access::ReadOnly;
use crate::accounts::{Accounts, MemberRole, NamedBy};
use crate::config;
use crate::environment::AwsEnvironment;
use crate::pace::Pace;

/// The role that `member.yaml` makes for people and pipelines.
const READER: &str = "copymend/CopymendReader";

/// Whose credentials are used, and where. The standard chain of credentials and Regions fills what is
/// left out.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// A profile of the shared configuration.
    pub profile: Option<String>,
    /// The Regions; the one of the environment or the profile where none is named.
    pub regions: Vec<RegionCode>,
    /// The accounts; the credentials' own where none is named.
    pub accounts: Vec<AccountId>,
    /// The role to assume in other accounts: a name with its path, or an ARN with `*` as account;
    /// `copymend/CopymendReader` where none is named.
    pub reader_role: Option<String>,
    /// The external id to assume it with.
    pub external_id: Option<String>,
    /// At most so many calls a second in an account and Region, of all services together. AWS's
    /// published rates hold anyway.
    pub calls_per_second: Option<NonZeroU32>,
}

/// Why nothing can be read at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReachError {
    /// No Region is named anywhere.
    #[error("no Region: name one with --region, or set `region` in the profile or AWS_REGION")]
    NoRegion,
    /// A Region that the credentials don't hold in.
    #[error(
        "Region {region} is in partition {of_region}, and the credentials are of partition {of_credentials}: run it with credentials of that partition"
    )]
    OtherPartition {
        /// The Region.
        region: String,
        /// Its partition.
        of_region: &'static str,
        /// That of the credentials.
        of_credentials: String,
    },
    /// AWS doesn't say whose credentials these are.
    #[error("AWS does not say whose credentials these are: {error}; {advice}", error = .0, advice = what_to_do(.0))]
    Caller(CallError),
}

const fn what_to_do(error: &CallError) -> &'static str {
    match error.kind {
        CallErrorKind::Timeout | CallErrorKind::Unavailable | CallErrorKind::Throttled => {
            "check the network, the Region and AWS_ENDPOINT_URL, and run it again"
        }
        CallErrorKind::AccessDenied
        | CallErrorKind::Unreadable
        | CallErrorKind::Rejected
        | CallErrorKind::Failed => "sign in, such as by `aws sso login`, or name another --profile",
    }
}

/// What can be read, and where.
#[derive(Debug)]
pub struct Reached {
    /// The ports that only read.
    pub environment: AwsEnvironment<ReadOnly>,
    /// AWS Backup's lists.
    pub lists: AwsLists,
    /// Every named account in every named Region, each once, in their order.
    pub places: Vec<Location>,
    /// The credentials' own account.
    pub own_account: AccountId,
    /// The partition.
    pub partition: String,
}

impl Reach {
    /// Finds the credentials and asks whose they are. `deployment` says what else may be read, such as
    /// images; its role for other accounts doesn't count.
    pub async fn enter(&self, deployment: &Deployment) -> Result<Reached, ReachError> {
        let mut loader = config::loader(config::http_client());
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = self.regions.first() {
            loader = loader.region(Region::new(region.as_str().to_owned()));
        }
        // Boxed, because it is large and done once.
        let config = Box::pin(loader.load()).await;
        self.enter_with(config, deployment).await
    }

    /// The same with an SDK configuration of your own.
    pub async fn enter_with(
        &self,
        config: SdkConfig,
        deployment: &Deployment,
    ) -> Result<Reached, ReachError> {
        let config = crate::endpoint::without_empty_endpoint(config);
        let mut regions: Vec<String> = self
            .regions
            .iter()
            .map(|region| region.as_str().to_owned())
            .collect();
        if regions.is_empty() {
            let region = config.region().ok_or(ReachError::NoRegion)?;
            regions.push(region.as_ref().to_owned());
        }
        let pace = Arc::new(Pace::new(self.calls_per_second));
        let role = MemberRole {
            setting: Some(
                self.reader_role
                    .clone()
                    .unwrap_or_else(|| READER.to_owned()),
            ),
            external_id: self.external_id.clone(),
            named_by: NamedBy::Option,
        };
        let accounts = Arc::new(Accounts::new(config, role).paced(Arc::clone(&pace)));
        let own = accounts
            .identity()
            .await
            .map_err(ReachError::Caller)?
            .clone();
        for region in &self.regions {
            if region.partition() != own.partition {
                return Err(ReachError::OtherPartition {
                    region: region.as_str().to_owned(),
                    of_region: region.partition(),
                    of_credentials: own.partition,
                });
            }
        }
        let named = match self.accounts.as_slice() {
            [] => vec![own.account],
            named => named.to_vec(),
        };
        let mut places = Vec::with_capacity(named.len() * regions.len());
        for account in named {
            for region in &regions {
                let at = Location::new(account, region);
                if !places.contains(&at) {
                    places.push(at);
                }
            }
        }
        Ok(Reached {
            environment: AwsEnvironment::in_accounts(Arc::clone(&accounts), deployment),
            lists: AwsLists::new(accounts, pace),
            places,
            own_account: own.account,
            partition: own.partition,
        })
    }
}
