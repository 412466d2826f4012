//! How a backup is stored, which decides whose key protects it and who uses that key.

use copymend_diagnosis::KeyArn;

use super::schema::RecoveryPoint;

/// Where the data of a backup lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// With AWS Backup, which manages the type fully.
    AwsBackup,
    /// In snapshots of Amazon EBS.
    Ec2,
    /// With Amazon RDS. That DocumentDB's and Neptune's are too is inferred from their ARNs.
    Rds,
    /// With Amazon FSx.
    Fsx,
}

impl Storage {
    /// The service that calls AWS KMS, as `kms:ViaService` names it (documented: managed policy
    /// `AWSBackupServiceLinkedRolePolicyForBackup`).
    pub(crate) const fn service(self) -> &'static str {
        match self {
            Self::AwsBackup => "backup",
            Self::Ec2 => "ec2",
            Self::Rds => "rds",
            Self::Fsx => "fsx",
        }
    }
}

/// The types that AWS Backup doesn't manage fully although an ARN of AWS Backup may name one: what
/// lies in a logically air-gapped vault has such an ARN whatever its type (documented: developer
/// guide, "Logically air-gapped vault"; types: "Feature availability by resource").
const NOT_FULLY_MANAGED: [(&str, Storage); 10] = [
    ("ec2", Storage::Ec2),
    ("ebs", Storage::Ec2),
    ("windowsvss", Storage::Ec2),
    ("storagegateway", Storage::Ec2),
    ("rds", Storage::Rds),
    ("aurora", Storage::Rds),
    ("documentdb", Storage::Rds),
    ("neptune", Storage::Rds),
    ("fsx", Storage::Fsx),
    ("redshift", Storage::Ec2),
];

/// AWS writes a type with and without `Amazon` or `AWS`, spaces and hyphens.
fn letters(resource_type: &str) -> String {
    let letters: String = resource_type
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect();
    ["amazon", "aws"]
        .iter()
        .find_map(|prefix| letters.strip_prefix(prefix))
        .map_or_else(|| letters.clone(), ToOwned::to_owned)
}

impl RecoveryPoint {
    /// Whether AWS Backup manages this backup fully (documented: developer guide, "Full AWS Backup
    /// management"): its ARN is one of AWS Backup, and its type isn't one that has such an ARN only
    /// in a logically air-gapped vault.
    #[must_use]
    pub fn is_fully_managed(&self) -> bool {
        self.storage() == Storage::AwsBackup
    }

    /// Where its data lies.
    pub(crate) fn storage(&self) -> Storage {
        match self.arn.service() {
            "rds" => Storage::Rds,
            "fsx" => Storage::Fsx,
            "backup" => {
                let letters = letters(&self.resource_type);
                NOT_FULLY_MANAGED
                    .iter()
                    .find(|(name, _)| *name == letters)
                    .map_or(Storage::AwsBackup, |(_, storage)| *storage)
            }
            _ => Storage::Ec2,
        }
    }

    /// Whether it is an image, which has a snapshot for each volume.
    pub(crate) fn is_image(&self) -> bool {
        self.arn.resource().starts_with("image/")
            || matches!(letters(&self.resource_type).as_str(), "ec2" | "windowsvss")
    }

    /// Whether it is of a type whose unencrypted backups stay unencrypted (documented: developer
    /// guide, "Encryption").
    pub(crate) fn is_database_cluster(&self) -> bool {
        matches!(
            letters(&self.resource_type).as_str(),
            "aurora" | "documentdb" | "neptune"
        )
    }

    pub(crate) fn is_storage_gateway(&self) -> bool {
        letters(&self.resource_type) == "storagegateway"
    }

    /// Whether it is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        let has_key = self.encryption_key_arn.is_some()
            || self
                .snapshots
                .iter()
                .any(|snapshot| snapshot.encryption_key_arn.is_some());
        self.encrypted.unwrap_or(has_key)
    }

    /// The keys that protect it, each once: its own, and those of an image's snapshots.
    #[must_use]
    pub fn keys(&self) -> Vec<&KeyArn> {
        if !self.is_encrypted() {
            return Vec::new();
        }
        let of_snapshots = self
            .snapshots
            .iter()
            .filter_map(|snapshot| snapshot.encryption_key_arn.as_ref());
        let mut keys: Vec<&KeyArn> = Vec::new();
        for key in self.encryption_key_arn.iter().chain(of_snapshots) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }
}
