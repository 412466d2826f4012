//! Keys of a run (AWS KMS API reference, the operations named here, documented).

use aws_sdk_kms::types::{KeyState, Tag};
use copymend_diagnosis::KeyArn;
use copymend_remediation::ports::{CallErrorKind, CallResult};

use super::{ProvingAccount, RunId, TAG};
use crate::pages;

const ABSENT: &[&str] = &["NotFoundException"];

/// The shortest waiting period that AWS KMS takes, in days.
const WAITING_DAYS: i32 = 7;

impl ProvingAccount {
    /// `CreateKey`, with AWS KMS's default policy: the account's own policies decide.
    pub async fn create_key(&self, run: &RunId) -> CallResult<KeyArn> {
        let call = self.call("kms:CreateKey", run.name());
        let tag = Tag::builder()
            .tag_key(TAG)
            .tag_value(run.as_str())
            .build()
            .map_err(|error| call.error(CallErrorKind::Failed, error.to_string()))?;
        let request = self
            .kms
            .create_key()
            .description(format!("{}, made by `copymend prove`", run.name()))
            .tags(tag);
        let answer = call.send(request.send()).await?;
        answer
            .key_metadata()
            .and_then(|key| key.arn())
            .ok_or_else(|| call.unreadable("`KeyMetadata.Arn` is missing"))?
            .parse()
            .map_err(|error| call.unreadable(format!("`KeyMetadata.Arn`: {error}")))
    }

    /// The keys here that carry the tag of a run, and aren't pending deletion: `ListKeys`, then
    /// `ListResourceTags` of each, then `DescribeKey` of what carries the tag.
    pub async fn keys_of_runs(&self) -> CallResult<Vec<(RunId, KeyArn)>> {
        let call = self.call("kms:ListKeys", "*");
        let keys = pages::all(
            &call,
            |from| self.kms.list_keys().set_marker(from).send(),
            |page| {
                let next = pages::marker(page.truncated, page.next_marker.as_deref());
                (page.keys.unwrap_or_default(), next)
            },
        )
        .await?;
        let mut found = Vec::new();
        for key in keys {
            let arn: Option<KeyArn> = key.key_arn().and_then(|arn| arn.parse().ok());
            let arn = arn.ok_or_else(|| call.unreadable("`KeyArn` is missing"))?;
            let run = match self.run_of_key(&arn).await {
                Ok(run) => run,
                // A policy can keep everybody from the tags of a key. It isn't one of a run: those
                // have the default policy.
                Err(error) if error.kind == CallErrorKind::AccessDenied => None,
                Err(error) => return Err(error),
            };
            if let Some(run) = run
                && self.is_key_in_use(&arn).await?
            {
                found.push((run, arn));
            }
        }
        Ok(found)
    }

    /// The run whose tag a key carries.
    async fn run_of_key(&self, key: &KeyArn) -> CallResult<Option<RunId>> {
        let call = self.call("kms:ListResourceTags", key.as_str());
        let tags = pages::all(
            &call,
            |from| {
                let request = self.kms.list_resource_tags().key_id(key.as_str());
                request.set_marker(from).send()
            },
            |page| {
                let next = pages::marker(page.truncated, page.next_marker.as_deref());
                (page.tags.unwrap_or_default(), next)
            },
        )
        .await?;
        let tag = tags.iter().find(|tag| tag.tag_key() == TAG);
        Ok(tag.and_then(|tag| tag.tag_value().parse().ok()))
    }

    /// Whether a key can be used: `DescribeKey`. One that was just made may not be known yet.
    pub async fn is_key_enabled(&self, key: &KeyArn) -> CallResult<bool> {
        let call = self.call("kms:DescribeKey", key.as_str());
        let request = self.kms.describe_key().key_id(key.as_str());
        let answer = call.find(ABSENT, request.send()).await?;
        let metadata = answer.and_then(|answer| answer.key_metadata);
        Ok(metadata.is_some_and(|key| key.key_state() == Some(&KeyState::Enabled)))
    }

    async fn is_key_in_use(&self, key: &KeyArn) -> CallResult<bool> {
        let call = self.call("kms:DescribeKey", key.as_str());
        let request = self.kms.describe_key().key_id(key.as_str());
        let answer = call.find(ABSENT, request.send()).await?;
        let metadata = answer.and_then(|answer| answer.key_metadata);
        Ok(metadata.is_some_and(|key| key.key_state() != Some(&KeyState::PendingDeletion)))
    }

    /// `ScheduleKeyDeletion` of a key that carries the run's tag. `false` where the key is gone or
    /// scheduled already.
    ///
    /// # Errors
    ///
    /// A key without the run's tag is left alone.
    pub async fn schedule_key_deletion(&self, run: &RunId, key: &KeyArn) -> CallResult<bool> {
        if !self.is_key_in_use(key).await? {
            return Ok(false);
        }
        let call = self.call("kms:ScheduleKeyDeletion", key.as_str());
        if self.run_of_key(key).await?.as_ref() != Some(run) {
            return Err(call.error(
                CallErrorKind::Failed,
                format!("the key doesn't carry the tag {TAG}={run}"),
            ));
        }
        let request = self
            .kms
            .schedule_key_deletion()
            .key_id(key.as_str())
            .pending_window_in_days(WAITING_DAYS);
        call.send(request.send()).await?;
        Ok(true)
    }
}
