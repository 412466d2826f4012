//! An account, by a profile of the AWS configuration files.

use aws_config::SdkConfig;
use aws_config::meta::region::ProvideRegion as _;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_types::region::Region;
use copymend_policy::AccountId;
use copymend_remediation::ports::CallError;
use copymend_remediation::settings::Deployment;

use crate::access::ReadWrite;
use crate::accounts::Identity;
use crate::endpoint::without_empty_endpoint;
use crate::environment::AwsEnvironment;
use crate::error::Call;
use crate::recording::Recorder;
use crate::sts::caller_identity;
use crate::{config, ec2};

/// Why a profile can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// Neither the profile nor an option names a Region.
    #[error("profile `{0}` has no Region: set `region` in it, or name one")]
    NoRegion(String),
    /// AWS doesn't say whose credentials these are.
    #[error("profile `{profile}` can't be used: {source}")]
    Identity {
        /// The profile.
        profile: String,
        /// What AWS, or the SDK, says.
        source: CallError,
    },
}

/// One of the two accounts of a run, in one Region, called with the credentials of a profile.
#[derive(Clone, Debug)]
pub struct ProvingAccount {
    pub(super) config: SdkConfig,
    account: AccountId,
    partition: String,
    pub(super) backup: aws_sdk_backup::Client,
    pub(super) kms: aws_sdk_kms::Client,
    pub(super) ec2: ec2::Client,
}

impl ProvingAccount {
    /// The account of a profile, in a Region or in the profile's own. Everything that the profile
    /// says counts; of the environment only where AWS's endpoints are. The answers are kept in the
    /// recorder.
    pub async fn of_profile(
        name: &str,
        region: Option<&str>,
        recorder: &Recorder,
    ) -> Result<Self, ProfileError> {
        let region = if let Some(region) = region {
            Some(Region::new(region.to_owned()))
        } else {
            let provider = ProfileFileRegionProvider::builder()
                .profile_name(name)
                .build();
            provider.region().await
        };
        let region = region.ok_or_else(|| ProfileError::NoRegion(name.to_owned()))?;
        let http_client = config::http_client();
        // The answers to these calls are credentials: they don't go through the recorder.
        let of_credentials = ProviderConfig::default()
            .with_http_client(http_client.clone())
            .with_region(Some(region.clone()));
        let credentials = ProfileFileCredentialsProvider::builder()
            .profile_name(name)
            .configure(&of_credentials)
            .build();
        let loader = config::loader(recorder.around(http_client))
            .profile_name(name)
            .region(region)
            .credentials_provider(credentials);
        let config = without_empty_endpoint(Box::pin(loader.load()).await);
        let Identity { account, partition } =
            caller_identity(&config)
                .await
                .map_err(|source| ProfileError::Identity {
                    profile: name.to_owned(),
                    source,
                })?;
        Ok(Self {
            backup: aws_sdk_backup::Client::new(&config),
            kms: aws_sdk_kms::Client::new(&config),
            ec2: ec2::Client::new(&config),
            config,
            account,
            partition,
        })
    }

    /// The account.
    #[must_use]
    pub const fn account(&self) -> AccountId {
        self.account
    }

    /// The partition.
    #[must_use]
    pub fn partition(&self) -> &str {
        &self.partition
    }

    /// The Region.
    #[must_use]
    pub fn region(&self) -> &str {
        self.config.region().map_or("", Region::as_ref)
    }

    /// What the copy remediator works with in these two accounts, and in no other: no role is
    /// assumed.
    #[must_use]
    pub fn environment_with(&self, other: &Self) -> AwsEnvironment<ReadWrite> {
        let others = [(other.account, other.config.clone())];
        AwsEnvironment::of_accounts(self.config.clone(), others, &Deployment::default())
    }

    pub(super) fn call(&self, operation: &'static str, resource: impl Into<String>) -> Call {
        Call::new(operation, resource).within(self.account, None)
    }
}
