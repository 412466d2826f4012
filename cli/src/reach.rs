//! Which accounts and Regions a command reads, and as whom.

use std::num::NonZeroU32;

use clap::Args;
use copymend_aws::Reach;
use copymend_policy::AccountId;
use copymend_survey::RegionCode;

/// The options of every command that reads several accounts and Regions.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Where to look")]
pub(crate) struct ReachArguments {
    /// A profile of the shared AWS configuration
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
    /// A Region; several by commas, or by giving it again [default: that of the environment or of the
    /// profile]
    #[arg(long = "region", value_name = "REGION", value_delimiter = ',')]
    pub(crate) regions: Vec<RegionCode>,
    /// An account; several by commas, or by giving it again [default: that of the credentials]
    #[arg(long = "account", value_name = "ACCOUNT", value_delimiter = ',')]
    pub(crate) accounts: Vec<AccountId>,
    /// The role to assume in other accounts: its name with its path, or an ARN with `*` as account
    /// [default: copymend/CopymendReader]
    #[arg(long, value_name = "ROLE")]
    pub(crate) reader_role: Option<String>,
    /// The external id to assume it with
    #[arg(long, value_name = "ID")]
    pub(crate) external_id: Option<String>,
    /// At most so many calls a second in each account and Region; AWS's published rates hold anyway
    #[arg(long, value_name = "NUMBER")]
    pub(crate) calls_per_second: Option<NonZeroU32>,
}

impl ReachArguments {
    /// The way that they describe.
    pub(crate) fn reach(&self) -> Reach {
        Reach {
            profile: self.profile.clone(),
            regions: self.regions.clone(),
            accounts: self.accounts.clone(),
            reader_role: self.reader_role.clone(),
            external_id: self.external_id.clone(),
            calls_per_second: self.calls_per_second,
        }
    }
}
