//! Wordings that several rules share. `|` stands between alternatives.

/// What says that a text may speak of another key than the source's, or of another policy than the
/// key's.
pub(crate) const ANOTHER_KEY: &str = "performance insights|key of the target|replica kms|rotation|destination vault\
     |destination backup|destination kms|destination key|destination account's|target vault\
     |target backup|target kms|vault's|for the destination|bucket| topic| secret| s3|of the vault\
     |aws managed|aws-managed|alias/aws/|aws/ebs|aws/rds";

/// How a text says that a copy goes into a vault.
pub(crate) const INTO_IT: &str = "copyintobackupvault|copy into|copies into|copying into|the copy";

/// Words of texts that tell of a success, or deny the failure.
pub(crate) const SUCCESS: &str = "completed successfully|copy completed|job completed|was successful|succeeded\
     |successfully copied|no errors|without errors|no access denied|not access denied\
     |without access denied|never access denied|no longer access denied|not denied\
     |no limit exceeded|not kms|no kms|resolved";

/// A denial that speaks of a key and says no more.
pub(crate) const KMS_DENIED: &str = "kms access denied|kms key access denied";

/// Texts that the access-denied grammar reads better.
pub(crate) const GRAMMAR: &str = "authorized to perform:|authorised to perform:";

/// How a text names the destination vault, or the action that only its policy and the job role can
/// allow.
pub(crate) const DESTINATION_VAULT: &str = "destination vault|destination backup vault|target vault|target backup vault\
     |copyintobackupvault";

/// How a text says whose access policy it speaks of: the destination vault's, in words that stand
/// together.
pub(crate) const DESTINATION_VAULT_POLICY_REFUSES: &str = "policy of the destination vault does not|policy of the destination backup vault does not\
     |policy of the target vault does not|policy of the target backup vault does not\
     |destination vault's policy does not|destination vault's access policy does not\
     |destination backup vault's policy does not\
     |destination backup vault's access policy does not|destination vault policy does not\
     |destination vault access policy does not|destination backup vault access policy does not\
     |target vault's access policy does not|target vault access policy does not";

/// The same where no statement of it allows something.
pub(crate) const NO_STATEMENT_OF_IT: &str = "no statement in the access policy of the destination\
     |no statement of the access policy of the destination\
     |no statement in the policy of the destination\
     |no statement in the destination vault's access policy\
     |no statement of the destination vault's access policy\
     |no statement in the destination vault access policy\
     |no statement in the access policy of the target";

/// How a text names another vault than the destination, or an action that no destination's policy
/// stands in the way of.
pub(crate) const NOT_THE_DESTINATION: &str = "source vault|source backup vault|copyfrombackupvault|startrestorejob|delet| topic\
     |opensearch";

/// How a text names the access policy of a vault.
pub(crate) const VAULT_POLICY: &str = "vault policy|access policy|vault's policy";

/// The service-linked role as the role that cannot be assumed. Nobody can change its trust policy,
/// so it is gone. Of roles with this name, the one in the path of the service is linked to it.
pub(crate) const SERVICE_LINKED_ROLE_NOT_ASSUMED: &str = "/backup.amazonaws.com/awsserviceroleforbackup cannot be assumed by aws backup\
     |/backup.amazonaws.com/awsserviceroleforbackup cannot be assumed by amazon backup\
     |/backup.amazonaws.com/awsserviceroleforbackup' cannot be assumed by aws backup\
     |/backup.amazonaws.com/awsserviceroleforbackup\" cannot be assumed by aws backup\
     |role awsserviceroleforbackup cannot be assumed by aws backup\
     |role awsserviceroleforbackup cannot be assumed by amazon backup";

/// How a text says that a permission is missing.
pub(crate) const MISSING_PERMISSION: &str = "not have sufficient permission|insufficient permission|not have permission\
     |not have the permission|not have the required permission|not have required permission\
     |not have the necessary permission|not have necessary permission|not have enough permission\
     |not have adequate permission|miss permission|missing permission|missing the permission\
     |missing required permission|missing the required permission|lacks permission\
     |lack permission|lacks the permission|lacks the required permission\
     |lack the required permission|lacking permission|permission is missing\
     |permissions are missing|not authorized to access|not authorized to use\
     |not authorized to call|not have access to|permission denied|no permission to";

/// What says more than that a permission is missing.
pub(crate) const NOT_ONLY_A_PERMISSION: &str = "access the storage of|vss|permission to assume|permissions to assume|authorized to perform:\
     |is not enabled or you do|not enabled, or you do";

/// How a text says that a policy type refused.
pub(crate) const BLOCKS: &str = "explicit deny|explicitly den|denied by|denied due to|denied because of|denies|blocked by\
     |blocks|prevents|prevented by|does not allow|no service control policy allows\
     |no resource control policy allows|no permissions boundary allows|no session policy allows\
     |no vpc endpoint policy allows|not allowed by|restricted by|forbids|forbidden by\
     |access denied";

/// Texts of the destination's key, which the rules of stage `First` explain.
pub(crate) const AT_DESTINATION: &str = "target kms key|destination kms key|target snapshot kms key|destination vault kms key\
     |destination vault's kms key|destination vault key|destination vault's key\
     |destination encryption key|target encryption key|kms key of the destination\
     |kms key of destination|key of the destination vault|key of the destination backup vault\
     |key of destination vault|key of destination backup vault|key specified for the destination";

/// How a text that speaks of a state names a key.
pub(crate) const KEY_NAMES: &str = "kms key|:key/|cmk|encryption key|customer managed key|key id|key '|key \"|kmsinvalidstate\
     |disabledexception|the key is|source key|keyid|alias/|customer master key";

/// How a text says that a policy lacks an Allow.
pub(crate) const NOT_ALLOWED: &str =
    "does not allow|does not grant|does not let|not permit|not admit";

/// Policies that are neither the vault's nor the key's.
pub(crate) const OTHER_POLICIES: &str = "service control polic|service-control polic|scp|scps|resource control polic|rcp|rcps\
     |identity-based polic|permissions boundar|permission boundar|session polic|endpoint polic";

/// A Deny as one of several things that KMS cannot tell apart.
pub(crate) const OR_EXPLICIT_DENY: &str = "or a resource-based policy explicitly den";
