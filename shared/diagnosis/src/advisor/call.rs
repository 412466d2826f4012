//! A call of AWS Backup's API as CloudTrail reports it through EventBridge.

use copymend_policy::{AccountId, Arn};
use serde_json::{Map, Value};

use super::permission_set::PermissionSet;
use crate::event::{Detail, EventError, envelope, region, shortened};
use crate::resource::{BackupVaultArn, KeyAliasArn, KeyArn, RoleArn};

/// The detail-type of API calls that CloudTrail hands to EventBridge.
pub const API_CALL_DETAIL_TYPE: &str = "AWS API Call via CloudTrail";

/// The service whose calls are looked at.
const EVENT_SOURCE_OF_BACKUP: &str = "backup.amazonaws.com";

/// Who made a call (CloudTrail user guide, "userIdentity element", documented).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// `type`, such as `AssumedRole`.
    pub kind: String,
    /// `arn`: for a role its session. Empty where CloudTrail names none.
    pub arn: String,
    /// The IAM role or user whose policies count: for a session the role that issued it, with its
    /// path.
    pub principal: Option<Arn>,
    /// `invokedBy`: the AWS service that made the call for someone.
    pub invoked_by: Option<String>,
}

/// What an event says of one API call. It is a hint, as every event is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiCallEvent {
    /// The event's id.
    pub id: String,
    /// The account that was called.
    pub account: AccountId,
    /// The Region that was called.
    pub region: String,
    /// The API operation, such as `CreateBackupVault`.
    pub operation: String,
    /// The error code; absent where the call succeeded.
    pub error_code: Option<String>,
    /// The error message; empty where there is none.
    pub error_message: String,
    /// Who called.
    pub caller: Caller,
    request: Map<String, Value>,
}

impl ApiCallEvent {
    /// Reads an event.
    pub fn from_json(event: &Value) -> Result<Self, EventError> {
        let envelope = envelope(event, API_CALL_DETAIL_TYPE)?;
        let detail = Detail(&envelope.detail);
        let source = detail.required("eventSource")?;
        if source != EVENT_SOURCE_OF_BACKUP {
            return Err(EventError::OtherEvent {
                field: "eventSource",
                found: shortened(source),
                expected: EVENT_SOURCE_OF_BACKUP,
            });
        }
        let operation = detail.required("eventName")?;
        if !operation.bytes().all(|b| b.is_ascii_alphanumeric()) || operation.len() > 64 {
            return Err(EventError::MalformedField {
                field: "eventName",
                reason: "it is not the name of an API operation",
            });
        }
        let field = "recipientAccountId";
        let account = detail
            .text(field)
            .or(envelope.account.as_deref())
            .ok_or(EventError::MissingField { field })?;
        let region = region("awsRegion", detail.required("awsRegion")?)?;
        let identity = detail.object("userIdentity");
        let identity = identity.ok_or(EventError::MissingField {
            field: "userIdentity",
        })?;
        let id = envelope.id.as_deref().or_else(|| detail.text("eventID"));
        Ok(Self {
            id: id
                .ok_or(EventError::MissingField { field: "eventID" })?
                .to_owned(),
            account: account.parse().map_err(|_| EventError::MalformedField {
                field,
                reason: "it is no account id",
            })?,
            region,
            operation: operation.to_owned(),
            error_code: detail.text("errorCode").map(str::to_owned),
            error_message: detail.text("errorMessage").unwrap_or_default().to_owned(),
            caller: Caller::read(&Detail(identity)),
            request: detail
                .object("requestParameters")
                .cloned()
                .unwrap_or_default(),
        })
    }

    /// Whether the call was refused for lack of a permission.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.error_code.as_deref().is_some_and(is_access_denied)
    }

    /// The partition, from the caller's ARN, which may be a root user's; `aws` where it names none.
    #[must_use]
    pub fn partition(&self) -> &str {
        match &self.caller.principal {
            Some(principal) => principal.partition(),
            None => match self.caller.arn.split(':').nth(1) {
                Some(partition) if partition.starts_with("aws-") => partition,
                Some(_) | None => "aws",
            },
        }
    }

    /// A parameter of the request that is a text.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        Detail(&self.request).text(name)
    }

    /// The ARN of something in the called account and Region.
    pub(super) fn arn(&self, service: &str, resource: &str) -> String {
        let (partition, region, account) = (self.partition(), &self.region, self.account);
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    /// The vault that the call is about, in the called account and Region.
    #[must_use]
    pub fn vault(&self) -> Option<BackupVaultArn> {
        let name = self.parameter("backupVaultName")?;
        self.arn("backup", &format!("backup-vault:{name}"))
            .parse()
            .ok()
    }

    /// The key that the call names: an ARN, or an id in the called account and Region. An alias
    /// names no key by itself: see [`Self::key_alias`].
    #[must_use]
    pub fn key(&self) -> Option<KeyArn> {
        let named = self.parameter("encryptionKeyArn")?;
        let here = || self.arn("kms", &format!("key/{named}")).parse().ok();
        let whole = named.parse().ok().or_else(here);
        // No call reaches another partition.
        whole.filter(|key: &KeyArn| key.partition() == self.partition())
    }

    /// The alias by which the call names its key: an ARN, which may be another account's, or a name
    /// in the called account and Region. A vault that is made without a key gets one that AWS
    /// Backup makes by default (`AWS::Backup::BackupVault` in AWS's template reference,
    /// documented), which is the account's `alias/aws/backup` (seen).
    #[must_use]
    pub fn key_alias(&self) -> Option<KeyAliasArn> {
        let named = match self.parameter("encryptionKeyArn") {
            Some(named) => named,
            None if self.operation == "CreateBackupVault" => "alias/aws/backup",
            None => return None,
        };
        let here = || self.arn("kms", named).parse().ok();
        let whole = named.parse().ok().or_else(here);
        whole.filter(|alias: &KeyAliasArn| alias.partition() == self.partition())
    }

    /// The role that the call passes to AWS Backup.
    #[must_use]
    pub fn passed_role(&self) -> Option<RoleArn> {
        let selection = Detail(&self.request).object("backupSelection");
        let of_selection = || selection?.get("iamRoleArn")?.as_str();
        self.parameter("iamRoleArn")
            .or_else(of_selection)?
            .parse()
            .ok()
    }
}

impl Caller {
    fn read(identity: &Detail<'_>) -> Self {
        let issuer = identity
            .object("sessionContext")
            .and_then(|context| context.get("sessionIssuer")?.get("arn")?.as_str());
        let arn = identity.text("arn").unwrap_or_default();
        let is_entity = |arn: &Arn| {
            arn.service() == "iam"
                && (arn.resource().starts_with("role/") || arn.resource().starts_with("user/"))
        };
        Self {
            kind: identity.text("type").unwrap_or_default().to_owned(),
            arn: arn.to_owned(),
            principal: issuer.unwrap_or(arn).parse().ok().filter(is_entity),
            invoked_by: identity.text("invokedBy").map(str::to_owned),
        }
    }

    /// The ARN that the request carried: a role's session, or the user itself.
    pub(super) fn acting_as(&self) -> &str {
        match &self.principal {
            Some(principal) if !self.arn.contains(":assumed-role/") => principal.as_str(),
            Some(_) | None => &self.arn,
        }
    }

    /// Whether an AWS service made the call on its own.
    #[must_use]
    pub fn is_service(&self) -> bool {
        self.kind == "AWSService" || self.invoked_by.is_some()
    }

    /// The permission set of IAM Identity Center that the caller's role was made for. A session's
    /// ARN carries no path, so the role's own ARN tells, and the name alone only where CloudTrail
    /// names no role.
    #[must_use]
    pub fn permission_set(&self) -> Option<PermissionSet<'_>> {
        match &self.principal {
            Some(principal) => PermissionSet::of_role(principal),
            None => PermissionSet::of_session(&self.arn),
        }
    }

    /// Whether it is the account's root user, which no identity policy limits.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.kind == "Root"
    }
}

/// Whether an error code of CloudTrail means a missing permission. The spellings differ from
/// service to service (seen).
#[must_use]
pub fn is_access_denied(code: &str) -> bool {
    let code = code.to_ascii_lowercase();
    ["accessdenied", "unauthorized", "notauthorized"]
        .iter()
        .any(|part| code.contains(part))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event() -> Value {
        json!({
            "version": "0", "id": "e-1", "source": "aws.backup", "detail-type": API_CALL_DETAIL_TYPE,
            "account": "111122223333", "region": "eu-west-1", "time": "2026-11-01T00:00:00Z", "resources": [],
            "detail": {
                "eventVersion": "1.11",
                "userIdentity": {
                    "type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/Deployer/me",
                    "accountId": "111122223333",
                    "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/ci/Deployer"}}
                },
                "eventSource": "backup.amazonaws.com", "eventName": "CreateBackupVault", "awsRegion": "eu-west-1",
                "errorCode": "AccessDenied", "errorMessage": "nope", "eventID": "x", "recipientAccountId": "111122223333",
                "requestParameters": {"backupVaultName": "dr", "encryptionKeyArn": "1234abcd-12ab-34cd-56ef-1234567890ab"}
            }
        })
    }

    #[test]
    fn a_session_is_traced_to_its_role_and_a_key_id_to_its_arn() {
        let call = ApiCallEvent::from_json(&event()).unwrap();
        assert!(call.is_refused() && !call.caller.is_service());
        assert_eq!(
            call.caller.principal.as_ref().unwrap().as_str(),
            "arn:aws:iam::111122223333:role/ci/Deployer"
        );
        assert_eq!(
            call.vault().unwrap().as_str(),
            "arn:aws:backup:eu-west-1:111122223333:backup-vault:dr"
        );
        assert_eq!(
            call.key().unwrap().as_str(),
            "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        );
    }

    #[test]
    fn a_key_may_be_named_by_an_alias_or_not_at_all() {
        let alias = |operation: &str, parameters: Value| {
            let mut event = event();
            event["detail"]["eventName"] = json!(operation);
            event["detail"]["requestParameters"] = parameters;
            let call = ApiCallEvent::from_json(&event).unwrap();
            assert_eq!(call.key(), None);
            call.key_alias().map(|alias| alias.to_string())
        };
        let here = "arn:aws:kms:eu-west-1:111122223333:alias";
        let elsewhere = "arn:aws:kms:eu-west-1:444455556666:alias/mine";
        for (named, found) in [
            ("alias/mine", Some(format!("{here}/mine"))),
            (elsewhere, Some(elsewhere.to_owned())),
            ("alias/mi ne", None),
        ] {
            let parameters = json!({ "encryptionKeyArn": named });
            assert_eq!(alias("CreateBackupVault", parameters), found, "{named}");
        }
        assert_eq!(
            alias("CreateBackupVault", json!({"backupVaultName": "dr"})),
            Some(format!("{here}/aws/backup"))
        );
        assert_eq!(alias("CreateBackupPlan", json!({})), None);
    }

    #[test]
    fn names_that_no_vault_or_key_has_are_not_taken() {
        let mut event = event();
        event["detail"]["requestParameters"] =
            json!({"backupVaultName": "dr:*", "encryptionKeyArn": "alias/mine"});
        let call = ApiCallEvent::from_json(&event).unwrap();
        assert_eq!((call.vault(), call.key()), (None, None));
    }

    #[test]
    fn events_of_other_services_and_broken_ones_are_refused_by_name() {
        let broken = |field: &str, value: Value| {
            let mut event = event();
            event["detail"][field] = value;
            ApiCallEvent::from_json(&event).unwrap_err().error_type()
        };
        assert_eq!(
            broken("eventSource", json!("kms.amazonaws.com")),
            "OtherEvent"
        );
        assert_eq!(
            broken("eventName", json!("Create\nVault")),
            "MalformedField"
        );
        assert_eq!(broken("awsRegion", json!("eu west")), "MalformedField");
        assert_eq!(broken("recipientAccountId", json!("12")), "MalformedField");
        assert_eq!(broken("userIdentity", json!(null)), "MissingField");
        assert_eq!(
            ApiCallEvent::from_json(&json!({"source": "aws.backup", "detail-type": "x"}))
                .unwrap_err()
                .error_type(),
            "OtherEvent"
        );
    }

    #[test]
    fn error_codes_of_missing_permissions_are_told_from_others() {
        for code in [
            "AccessDenied",
            "AccessDeniedException",
            "Client.UnauthorizedOperation",
            "NotAuthorizedException",
        ] {
            assert!(is_access_denied(code), "{code}");
        }
        for code in ["ThrottlingException", "ResourceNotFoundException", ""] {
            assert!(!is_access_denied(code), "{code}");
        }
    }
}
