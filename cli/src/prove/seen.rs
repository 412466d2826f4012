//! What a run saw.

use copymend_aws::Exchange;
use copymend_diagnosis::CopyJob;
use copymend_policy::Arn;

/// A copy that was started after the repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    /// Seconds from the denial to the start.
    pub(crate) after_denial: i64,
    pub(crate) worked: bool,
}

/// `EncryptionKeyType` in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyType {
    Unnamed,
    Named(String),
}

/// What a run saw. What it didn't get to is absent.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// What AWS Backup answered about the policy of a vault that has none.
    pub(crate) vault_without_policy: Option<String>,
    /// `EncryptionKeyType` of a vault on the default key.
    pub(crate) default_key_type: Option<KeyType>,
    /// The first failed job.
    pub(crate) failed: Option<CopyJob>,
    pub(crate) simulation_tells_identity_side: Option<bool>,
    /// What a member account answered to `DescribeGlobalSettings`.
    pub(crate) global_settings: Option<String>,
    pub(crate) vault_change_was_read_back: Option<bool>,
    pub(crate) key_was_repaired: bool,
    pub(crate) key_policy_order_changes: Option<bool>,
    pub(crate) completed_after_repair: Option<bool>,
    pub(crate) waits: Vec<Wait>,
    pub(crate) copied_arn: Option<Arn>,
    pub(crate) destination_region: String,
}

impl Seen {
    /// What the answers themselves tell. `is_member` says whether they are those of a member
    /// account.
    pub(crate) fn read(&mut self, exchanges: &[Exchange], is_member: bool) {
        for exchange in exchanges {
            match exchange.operation.as_str() {
                "SimulatePrincipalPolicy" if exchange.status == 200 => {
                    let asks_of_vault = exchange.body.contains(":backup-vault:");
                    let tells = exchange.body.contains("<EvalDecisionDetails>");
                    if asks_of_vault {
                        let before = self.simulation_tells_identity_side.unwrap_or_default();
                        self.simulation_tells_identity_side = Some(before || tells);
                    }
                }
                "DescribeGlobalSettings" if is_member => {
                    let code = exchange.error.clone();
                    let answer = code.unwrap_or_else(|| format!("HTTP {}", exchange.status));
                    self.global_settings.get_or_insert(answer);
                }
                _ => {}
            }
        }
    }
}
