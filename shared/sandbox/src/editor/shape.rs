//! What a healthy world looks like.

/// What is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backup {
    /// A snapshot of an EBS volume, under a customer managed key.
    Ebs,
    /// A snapshot of an EBS volume that isn't encrypted.
    PlainEbs,
    /// An image with two snapshots under two customer managed keys.
    Image,
    /// A snapshot of an RDS DB instance.
    Rds,
    /// A snapshot of an Aurora cluster.
    Aurora,
    /// A backup of an FSx file system.
    Fsx,
    /// A backup of an S3 bucket, which AWS Backup manages fully.
    S3,
}

impl Backup {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Ebs,
        Self::PlainEbs,
        Self::Image,
        Self::Rds,
        Self::Aurora,
        Self::Fsx,
        Self::S3,
    ];
}

/// What kind of vault one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VaultKind {
    /// A standard one, with a customer managed key.
    Standard,
    /// A logically air-gapped one, with a key that AWS owns.
    AirGapped,
    /// A logically air-gapped one, with a customer managed key.
    AirGappedUnderCustomerKey,
}

impl VaultKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [
        Self::Standard,
        Self::AirGapped,
        Self::AirGappedUnderCustomerKey,
    ];
}

/// What a world looks like before it is broken.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a way of its own in which worlds differ"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape {
    /// What is copied.
    pub backup: Backup,
    /// Whether it goes to another account.
    pub cross_account: bool,
    /// Whether it goes to another Region.
    pub cross_region: bool,
    /// The vault that it comes from.
    pub source: VaultKind,
    /// The vault that it goes to.
    pub destination: VaultKind,
    /// Whether the source key belongs to a third account.
    pub foreign_source_key: bool,
    /// Whether the destination vault's key belongs to a third account.
    pub foreign_vault_key: bool,
    /// Whether one of the Regions is one that accounts must opt in to: the destination's where the
    /// copy goes into an air-gapped vault in another Region, else the source's.
    pub opt_in_region: bool,
}

impl Shape {
    /// A snapshot of an encrypted volume that is copied from a standard vault to one in another
    /// account and Region.
    pub const USUAL: Self = Self {
        backup: Backup::Ebs,
        cross_account: true,
        cross_region: true,
        source: VaultKind::Standard,
        destination: VaultKind::Standard,
        foreign_source_key: false,
        foreign_vault_key: false,
        opt_in_region: false,
    };

    /// Whether AWS lets such a copy pass, if nothing is broken (documented: AWS Backup developer
    /// guide, "Feature availability by resource" and "Logically air-gapped vault").
    #[must_use]
    pub fn is_possible(self) -> bool {
        let air_gapped = self.leaves_air_gapped() || self.enters_air_gapped();
        let by_type = match self.backup {
            Backup::Rds => !air_gapped,
            Backup::Aurora => !(air_gapped && self.cross_region),
            // What lies in an air-gapped vault is under the vault's key.
            Backup::Image | Backup::PlainEbs => !self.leaves_air_gapped(),
            Backup::Ebs | Backup::Fsx | Backup::S3 => true,
        };
        let key_owners = (!self.foreign_source_key || self.has_source_key())
            && (!self.foreign_vault_key || self.has_vault_key());
        by_type && key_owners
    }

    /// Every shape that is possible.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut shapes = Vec::new();
        for backup in Backup::ALL {
            for source in VaultKind::ALL {
                for destination in VaultKind::ALL {
                    for bits in 0..32_u8 {
                        let bit = |at: u8| bits & (1 << at) != 0;
                        let shape = Self {
                            backup,
                            source,
                            destination,
                            cross_account: bit(0),
                            cross_region: bit(1),
                            foreign_source_key: bit(2),
                            foreign_vault_key: bit(3),
                            opt_in_region: bit(4),
                        };
                        if shape.is_possible() {
                            shapes.push(shape);
                        }
                    }
                }
            }
        }
        shapes
    }

    pub(super) fn leaves_air_gapped(self) -> bool {
        self.source != VaultKind::Standard
    }

    pub(super) fn enters_air_gapped(self) -> bool {
        self.destination != VaultKind::Standard
    }

    pub(super) fn is_fully_managed(self) -> bool {
        self.backup == Backup::S3
    }

    /// Whether a customer managed key protects the source.
    pub(super) fn has_source_key(self) -> bool {
        self.backup != Backup::PlainEbs && self.source != VaultKind::AirGapped
    }

    /// Whether the destination vault has a customer managed key.
    pub(super) fn has_vault_key(self) -> bool {
        self.destination != VaultKind::AirGapped
    }

    /// Whether the job role uses the source key: inside one account, and into and out of air-gapped
    /// vaults.
    pub(super) fn job_role_uses_source_key(self) -> bool {
        self.has_source_key()
            && (!self.cross_account || self.enters_air_gapped() || self.leaves_air_gapped())
    }

    /// Whether the destination's service-linked role uses the source key: across accounts, and out
    /// of air-gapped vaults.
    pub(super) fn linked_role_uses_source_key(self) -> bool {
        self.has_source_key()
            && !self.enters_air_gapped()
            && (self.cross_account || self.leaves_air_gapped())
    }

    /// Whether the job role uses the destination vault's key.
    pub(super) fn job_role_uses_vault_key(self) -> bool {
        self.has_vault_key()
            && (self.enters_air_gapped() || (!self.cross_account && !self.is_fully_managed()))
    }

    /// Whether the destination's service-linked role uses the destination vault's key.
    pub(super) fn linked_role_uses_vault_key(self) -> bool {
        !self.enters_air_gapped() && self.cross_account && !self.is_fully_managed()
    }
}
