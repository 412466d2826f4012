//! Which of a copy's vaults are logically air-gapped, as far as the facts tell.

use crate::facts::{BackupVault, Facts};
use crate::job::BackupCopy;

impl Facts {
    /// Whether the destination vault is known to be logically air-gapped.
    #[must_use]
    pub fn is_into_air_gapped_vault(&self) -> bool {
        let vault = self.destination_vault.known().and_then(Option::as_ref);
        vault.is_some_and(BackupVault::is_logically_air_gapped)
    }

    /// Whether the destination vault is logically air-gapped; `None` where it wasn't read, is
    /// gone, or AWS Backup doesn't tell its type.
    #[must_use]
    pub fn enters_air_gapped_vault(&self) -> Option<bool> {
        let vault = self.destination_vault.known()?.as_ref()?;
        vault.vault_type.as_ref()?;
        Some(vault.is_logically_air_gapped())
    }

    /// Whether the backup lies in a logically air-gapped vault; `None` where that wasn't read, is
    /// gone, or AWS Backup doesn't tell the vault's type. What lies in one has an ARN of AWS Backup, whatever its type (AWS Backup, "Logically
    /// air-gapped vaults", documented).
    #[must_use]
    pub fn leaves_air_gapped_vault(&self, copy: &BackupCopy) -> Option<bool> {
        if copy.source_recovery_point.service() != "backup" {
            return Some(false);
        }
        let vault = self.source_vault.known()?.as_ref()?;
        vault.vault_type.as_ref()?;
        Some(vault.is_logically_air_gapped())
    }

    /// Whether the backup is under the key of a logically air-gapped vault that AWS owns: no copy
    /// needs anything of it that could be missing (AWS Backup, "Logically air-gapped vaults",
    /// documented).
    #[must_use]
    pub fn is_source_key_owned_by_aws(&self, copy: &BackupCopy) -> bool {
        let vault = self.source_vault.known().and_then(Option::as_ref);
        self.leaves_air_gapped_vault(copy) == Some(true)
            && vault.is_some_and(BackupVault::has_aws_owned_key)
    }
}
