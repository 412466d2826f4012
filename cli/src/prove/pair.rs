//! The two accounts of a run.

use copymend_aws::proving::{ProfileError, ProvingAccount};
use copymend_aws::{Exchange, Recorder};

use super::arguments::ProveArguments;
use super::state::Place;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Source,
    Destination,
}

impl Side {
    pub(crate) const BOTH: [Self; 2] = [Self::Destination, Self::Source];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Destination => "destination",
        }
    }
}

/// Both, and what they answered.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) source: ProvingAccount,
    pub(crate) destination: ProvingAccount,
    of_source: Recorder,
    of_destination: Recorder,
}

impl Pair {
    pub(crate) async fn of(arguments: &ProveArguments) -> Result<Self, ProfileError> {
        let (of_source, of_destination) = (Recorder::default(), Recorder::default());
        let region = arguments.source_region.as_deref();
        let source = ProvingAccount::of_profile(&arguments.source, region, &of_source).await?;
        let region = arguments.destination_region.as_deref();
        let destination =
            ProvingAccount::of_profile(&arguments.destination, region, &of_destination).await?;
        Ok(Self {
            source,
            destination,
            of_source,
            of_destination,
        })
    }

    pub(crate) const fn at(&self, side: Side) -> &ProvingAccount {
        match side {
            Side::Source => &self.source,
            Side::Destination => &self.destination,
        }
    }

    pub(crate) fn exchanges(&self) -> [(&'static str, Vec<Exchange>); 2] {
        [
            (Side::Source.name(), self.of_source.exchanges()),
            (Side::Destination.name(), self.of_destination.exchanges()),
        ]
    }
}

/// An account and Region, for people.
pub(crate) fn place(account: &ProvingAccount) -> String {
    format!("{} {}", account.account(), account.region())
}

/// The same for the state file.
pub(crate) fn place_of(account: &ProvingAccount) -> Place {
    Place {
        account: account.account().to_string(),
        region: account.region().to_owned(),
    }
}
