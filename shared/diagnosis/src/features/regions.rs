//! Which Regions limit copies.
//!
//! Source: AWS Backup developer guide, "Feature availability by AWS Region" with its footnotes
//! (documented); see [`super::FEATURE_TABLE_DATE`]. The Region codes are those of the AWS General
//! Reference. Where AWS's page names a Region without saying whether it is the copy's source or
//! destination, both count (inferred).

/// Regions that an account must enable first.
pub(super) const OPT_IN: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
];

/// The opt-in Regions from and to which Neptune backups can be copied.
pub(super) const NEPTUNE_ACROSS_REGIONS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-southeast-3",
    "il-central-1",
    "me-south-1",
    "me-central-1",
];

/// Middle East (Bahrain) and Middle East (UAE).
pub(super) const BAHRAIN_AND_UAE: &[&str] = &["me-south-1", "me-central-1"];

/// The Regions in China.
pub(super) const CHINA: &[&str] = &["cn-north-1", "cn-northwest-1"];

/// A set of Regions.
#[derive(Clone, Copy, Debug)]
pub(super) enum Regions {
    /// Those that need opt-in.
    OptIn,
    /// Those that need opt-in, less these.
    OptInExcept(&'static [&'static str]),
    /// These.
    These(&'static [&'static str]),
    /// Those of the AWS European Sovereign Cloud.
    Sovereign,
}

impl Regions {
    fn contains(self, region: &str) -> bool {
        match self {
            Self::OptIn => OPT_IN.contains(&region),
            Self::OptInExcept(others) => OPT_IN.contains(&region) && !others.contains(&region),
            Self::These(regions) => regions.contains(&region),
            Self::Sovereign => region.starts_with("eusc-"),
        }
    }
}

/// Which copies a limit is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Copies to another Region.
    OtherRegion,
    /// Copies to another account.
    OtherAccount,
    /// Copies to another Region, to another account, or to both.
    OtherRegionOrAccount,
    /// Copies to a logically air-gapped vault.
    LogicallyAirGapped,
    /// Copies to a logically air-gapped vault in another Region or account.
    OtherLogicallyAirGapped,
}

/// A limit of some Regions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) reach: Reach,
    pub(super) regions: Regions,
    pub(super) why: &'static str,
}

/// The limits that every type has.
pub(super) const LIMITS: &[Limit] = &[
    Limit {
        reach: Reach::OtherRegionOrAccount,
        regions: Regions::Sovereign,
        why: "the AWS European Sovereign Cloud has no copies to another Region or account",
    },
    // Footnote 1 of the table by Region. Its column for these vaults has ticks for some of them, so
    // the vaults may exist there.
    Limit {
        reach: Reach::OtherLogicallyAirGapped,
        regions: Regions::These(&[
            "ap-southeast-5",
            "ca-west-1",
            "mx-central-1",
            "ap-southeast-7",
            "ap-east-2",
            "ap-southeast-6",
            "cn-north-1",
            "cn-northwest-1",
            "us-gov-east-1",
            "us-gov-west-1",
        ]),
        why: "copies to a logically air-gapped vault in another Region or account are not available in this Region",
    },
];

/// How far a copy goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Journey<'c> {
    pub(super) from: &'c str,
    pub(super) to: &'c str,
    pub(super) other_account: bool,
    pub(super) logically_air_gapped: bool,
}

impl Journey<'_> {
    /// Whether the limit stops this copy.
    pub(super) fn is_stopped_by(&self, limit: &Limit) -> bool {
        let other_region = self.from != self.to;
        let elsewhere = other_region || self.other_account;
        let there = limit.regions.contains(self.to);
        let near = there || limit.regions.contains(self.from);
        match limit.reach {
            Reach::OtherRegion => other_region && near,
            Reach::OtherAccount => self.other_account && near,
            Reach::OtherRegionOrAccount => elsewhere && near,
            // The page speaks of copies to such a vault, so its own Region counts.
            Reach::LogicallyAirGapped => self.logically_air_gapped && there,
            Reach::OtherLogicallyAirGapped => self.logically_air_gapped && elsewhere && there,
        }
    }
}
