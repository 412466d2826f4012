//! What people should know about the key of a call that doesn't say by itself which key it is.

use copymend_diagnosis::Fact;
use copymend_diagnosis::advisor::{AliasInUse, ApiCallEvent, CallerFacts};

/// Which key the call uses, where it names it by an alias, or by nothing. `None` where the call
/// says which key it is, or uses none.
pub(super) fn key_note(call: &ApiCallEvent, facts: &CallerFacts) -> Option<String> {
    let is_named = call.parameter("encryptionKeyArn").is_some();
    let Some(AliasInUse { alias, key }) = &facts.alias else {
        return (is_named && facts.key.is_none()).then(|| {
            "what the call names as its key is neither a key nor an alias, so no key policy was looked at".to_owned()
        });
    };
    // CloudFormation, `AWS::Backup::BackupVault` (documented); the API reference says nothing of
    // aliases.
    let by = if is_named {
        format!(
            "the call names its key by the alias `{alias}`, where AWS's documentation asks for the key's ARN"
        )
    } else {
        "the call names no key: the vault would use the account's AWS managed key aws/backup"
            .to_owned()
    };
    let and = match (key, is_named) {
        (Fact::Known(Some(key)), true) => format!("; it is the alias of `{key}`"),
        (Fact::Known(Some(key)), false) => format!(", which is `{key}`"),
        (Fact::Known(None), true) => {
            "; AWS KMS knows no such alias, so no key policy was looked at".to_owned()
        }
        (Fact::Known(None), false) => {
            ", which does not exist before it is first used, so no key policy was looked at"
                .to_owned()
        }
        (Fact::Unknown(_), true) => {
            "; its key could not be read, so no key policy was looked at".to_owned()
        }
        (Fact::Unknown(_), false) => {
            "; it could not be read, so no key policy was looked at".to_owned()
        }
    };
    Some(format!("{by}{and}"))
}
