//! The EventBridge event of a copy job, as it arrives. Nothing in it is believed: see
//! [`crate::Failure`].

use std::str::FromStr;

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use copymend_policy::{Arn, ArnError};
use serde_json::{Map, Value, json};

use crate::job::{CopyJob, CopyJobState};
use crate::resource::{BackupVaultArn, RoleArn, is_region};

/// The source of AWS Backup's events.
pub const EVENT_SOURCE: &str = "aws.backup";
/// The detail-type of a copy job's events.
pub const EVENT_DETAIL_TYPE: &str = "Copy Job State Change";

/// What an event says of a copy job. It is a hint: anyone who may invoke the function can write
/// one.
///
/// Fields and traps: AWS Backup developer guide, page on EventBridge (documented).
/// `destinationRecoveryPointArn` is an empty object until it is set, sample account ids have
/// thirteen digits, vault names can hold `/`, and an on-demand job has no `createdBy` (seen).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyJobEvent {
    /// The event's id, if it has one.
    pub id: Option<String>,
    /// The account that sent the event, as written. Empty where the event names none.
    pub account: String,
    /// The Region that sent the event. Empty where the event names none.
    pub region: String,
    /// The copy job's id.
    pub copy_job_id: String,
    /// The state that the event reports.
    pub state: CopyJobState,
    /// The status message; empty where there is none.
    pub status_message: String,
    /// The role of the copy job.
    pub role: RoleArn,
    /// The vault that the copy comes from.
    pub source_vault: BackupVaultArn,
    /// The vault that the copy goes to.
    pub destination_vault: BackupVaultArn,
    /// The resource that was backed up.
    pub resource: Option<Arn>,
    /// The kind of resource, such as `EBS`.
    pub resource_type: Option<String>,
    /// The recovery point that is copied: the envelope's first resource.
    pub source_recovery_point: Option<Arn>,
}

impl CopyJobEvent {
    /// The event of a job that never came: as AWS Backup describes the job.
    #[must_use]
    pub fn of_job(id: String, job: &CopyJob) -> Self {
        Self {
            id: Some(id),
            account: job.account.to_string(),
            region: job.region.clone(),
            copy_job_id: job.id.clone(),
            state: job.state,
            status_message: job.status_message.clone(),
            role: job.role.clone(),
            source_vault: job.source_vault.clone(),
            destination_vault: job.destination_vault.clone(),
            resource: job.resource.clone(),
            resource_type: job.resource_type.clone(),
            source_recovery_point: Some(job.source_recovery_point.clone()),
        }
    }

    /// The event as EventBridge would deliver it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut event = json!({
            "source": EVENT_SOURCE,
            "detail-type": EVENT_DETAIL_TYPE,
            "account": self.account,
            "region": self.region,
            "resources": self.source_recovery_point.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "detail": {
                "copyJobId": self.copy_job_id,
                "state": self.state.as_str(),
                "statusMessage": self.status_message,
                "iamRoleArn": self.role.to_string(),
                "sourceBackupVaultArn": self.source_vault.to_string(),
                "destinationBackupVaultArn": self.destination_vault.to_string(),
            },
        });
        let optional = [
            ("/id", self.id.clone()),
            (
                "/detail/resourceArn",
                self.resource.as_ref().map(ToString::to_string),
            ),
            ("/detail/resourceType", self.resource_type.clone()),
        ];
        for (pointer, value) in optional {
            let Some(value) = value else { continue };
            let (object, member) = pointer.rsplit_once('/').unwrap_or_default();
            if let Some(object) = event.pointer_mut(object).and_then(Value::as_object_mut) {
                object.insert(member.to_owned(), Value::String(value));
            }
        }
        event
    }

    /// Reads an event.
    pub fn from_json(event: &Value) -> Result<Self, EventError> {
        let envelope: EventBridgeEvent<Map<String, Value>> = envelope(event, EVENT_DETAIL_TYPE)?;
        let detail = Detail(&envelope.detail);
        Ok(Self {
            copy_job_id: job_id("copyJobId", detail.required("copyJobId")?)?,
            state: detail
                .required("state")?
                .parse()
                .map_err(|()| EventError::MalformedField {
                    field: "state",
                    reason: "it is not the state of a copy job",
                })?,
            status_message: detail.text("statusMessage").unwrap_or_default().to_owned(),
            role: detail.arn("iamRoleArn")?,
            source_vault: detail.arn("sourceBackupVaultArn")?,
            destination_vault: detail.arn("destinationBackupVaultArn")?,
            resource: detail.optional_arn("resourceArn")?,
            resource_type: detail.text("resourceType").map(beginning),
            source_recovery_point: arn_in(
                "resources",
                envelope
                    .resources
                    .iter()
                    .flatten()
                    .next()
                    .map(String::as_str),
            )?,
            id: envelope.id.as_deref().map(beginning),
            account: beginning(&envelope.account.unwrap_or_default()),
            region: beginning(&envelope.region.unwrap_or_default()),
        })
    }
}

/// The envelope of an event of AWS Backup. Source and kind are looked at before the rest, so that
/// an event of another kind is named as such and not as a malformed one.
pub(crate) fn envelope(
    event: &Value,
    detail_type: &'static str,
) -> Result<EventBridgeEvent<Map<String, Value>>, EventError> {
    let Value::Object(members) = event else {
        return Err(EventError::NotAnEvent {
            reason: "it is not a JSON object".to_owned(),
        });
    };
    for (name, expected) in [("source", EVENT_SOURCE), ("detail-type", detail_type)] {
        match members.get(name) {
            Some(Value::String(found)) if found == expected => {}
            Some(Value::String(found)) => {
                return Err(EventError::OtherEvent {
                    field: name,
                    found: shortened(found),
                    expected,
                });
            }
            Some(_) | None => return Err(EventError::MissingField { field: name }),
        }
    }
    serde_json::from_value(event.clone()).map_err(|error| {
        let wrong = wrong_member(members).map(|(name, error)| format!("`{name}`: {error}"));
        EventError::NotAnEvent {
            reason: shortened(&wrong.unwrap_or_else(|| error.to_string())),
        }
    })
}

/// The member of an envelope that can't be read, and why: the error of the whole names none.
fn wrong_member(members: &Map<String, Value>) -> Option<(&'static str, serde_json::Error)> {
    const NAMES: [&str; 7] = [
        "version",
        "id",
        "account",
        "time",
        "region",
        "resources",
        "detail",
    ];
    NAMES.into_iter().find_map(|name| {
        let mut alone = Map::new();
        alone.insert("detail".to_owned(), json!({}));
        for name in ["source", "detail-type", name] {
            alone.insert(name.to_owned(), members.get(name)?.clone());
        }
        let read = serde_json::from_value::<EventBridgeEvent<Map<String, Value>>>(alone.into());
        Some((name, read.err()?))
    })
}

/// The longest name of anything that is taken from an event as it is: of a type, an account, a
/// Region, an event (inferred; AWS's are far shorter).
const LONGEST_NAME: usize = 200;
/// The longest ARN (IAM API reference, `arnType`, documented for IAM; inferred for the rest).
const LONGEST_ARN: usize = 2_048;

fn beginning(text: &str) -> String {
    text.chars().take(LONGEST_NAME).collect()
}

/// A Region code.
pub(crate) fn region(field: &'static str, text: &str) -> Result<String, EventError> {
    if is_region(text) {
        Ok(text.to_owned())
    } else {
        Err(EventError::MalformedField {
            field,
            reason: "it is not a Region code",
        })
    }
}

/// Job ids are UUIDs in every sample, but no page says so (inferred): anything that is safe in a
/// URL and a log is accepted.
pub(crate) fn job_id(field: &'static str, text: &str) -> Result<String, EventError> {
    let safe = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if text.len() <= 128 && text.bytes().all(safe) {
        Ok(text.to_owned())
    } else {
        Err(EventError::MalformedField {
            field,
            reason: "it holds a character that no job id has, or is longer than 128 characters",
        })
    }
}

fn arn_in<T: FromStr<Err = ArnError>>(
    field: &'static str,
    text: Option<&str>,
) -> Result<Option<T>, EventError> {
    if text.is_some_and(|text| text.len() > LONGEST_ARN) {
        return Err(EventError::MalformedField {
            field,
            reason: "it is longer than any ARN",
        });
    }
    text.map(str::parse)
        .transpose()
        .map_err(|source| EventError::MalformedArn { field, source })
}

pub(crate) struct Detail<'e>(pub(crate) &'e Map<String, Value>);

impl<'e> Detail<'e> {
    /// A string member that isn't empty. AWS writes `{}` where a value isn't set, which counts as
    /// absent.
    pub(crate) fn text(&self, field: &str) -> Option<&'e str> {
        self.0.get(field)?.as_str().filter(|text| !text.is_empty())
    }

    /// A member that is an object.
    pub(crate) fn object(&self, field: &str) -> Option<&'e Map<String, Value>> {
        self.0.get(field)?.as_object()
    }

    pub(crate) fn required(&self, field: &'static str) -> Result<&'e str, EventError> {
        self.text(field).ok_or(EventError::MissingField { field })
    }

    pub(crate) fn arn<T: FromStr<Err = ArnError>>(
        &self,
        field: &'static str,
    ) -> Result<T, EventError> {
        self.optional_arn(field)?
            .ok_or(EventError::MissingField { field })
    }

    pub(crate) fn optional_arn<T: FromStr<Err = ArnError>>(
        &self,
        field: &'static str,
    ) -> Result<Option<T>, EventError> {
        arn_in(field, self.text(field))
    }
}

pub(crate) fn shortened(text: &str) -> String {
    copymend_policy::text::escaped(text, 200)
}

/// Why an input is no event of a copy job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// The input isn't an EventBridge event.
    #[error(
        "the input is not an EventBridge event: {reason}; send the event as EventBridge delivers it"
    )]
    NotAnEvent {
        /// What is wrong with it.
        reason: String,
    },
    /// An event of another source or kind.
    #[error(
        "this event is of another kind: `{field}` is `{found}`, not `{expected}`; check the rule's event pattern"
    )]
    OtherEvent {
        /// The field of the envelope.
        field: &'static str,
        /// What it says.
        found: String,
        /// What it must say.
        expected: &'static str,
    },
    /// A field that every failed copy job has is missing.
    #[error("the event has no `{field}`; send the event as EventBridge delivers it")]
    MissingField {
        /// The field's name.
        field: &'static str,
    },
    /// A field holds what it can't hold.
    #[error("the event's `{field}` cannot be used: {reason}")]
    MalformedField {
        /// The field's name.
        field: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A field should hold an ARN.
    #[error("the event's `{field}` cannot be used: {source}")]
    MalformedArn {
        /// The field's name.
        field: &'static str,
        /// What is wrong with the ARN.
        source: ArnError,
    },
}

impl EventError {
    /// The stable name that the Lambda answers as `errorType`.
    #[must_use]
    pub const fn error_type(&self) -> &'static str {
        match self {
            Self::NotAnEvent { .. } => "NotAnEvent",
            Self::OtherEvent { .. } => "OtherEvent",
            Self::MissingField { .. } => "MissingField",
            Self::MalformedField { .. } => "MalformedField",
            Self::MalformedArn { .. } => "MalformedArn",
        }
    }
}
