//! Queues, topics and tables.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::{
    IndexStatus, PointInTimeRecoveryStatus, TableStatus, TimeToLiveStatus,
};
use aws_sdk_sqs::types::QueueAttributeName;
use copymend_doctor::{Found, Named, Queue, Resource, Subscription, Table};
use copymend_remediation::ports::CallResult;
use serde::Deserialize;

use crate::error::Call;
use crate::pages::{self, token};

pub(super) async fn queue(config: &SdkConfig, resource: &Resource) -> Named<Queue> {
    Named {
        logical: resource.logical.clone(),
        id: resource.id.clone(),
        found: attributes(config, &resource.id).await,
    }
}

async fn attributes(config: &SdkConfig, url: &str) -> Found<Queue> {
    const NOT_FOUND: &[&str] = &[
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
    ];
    let call = Call::new("sqs:GetQueueAttributes", url);
    let request = aws_sdk_sqs::Client::new(config)
        .get_queue_attributes()
        .queue_url(url)
        .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
        .attribute_names(QueueAttributeName::Policy)
        .attribute_names(QueueAttributeName::RedrivePolicy);
    let Some(answer) = call.find(NOT_FOUND, request.send()).await? else {
        return Ok(None);
    };
    let attributes = answer.attributes.unwrap_or_default();
    let waiting = attributes
        .get(&QueueAttributeName::ApproximateNumberOfMessages)
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| call.unreadable("`ApproximateNumberOfMessages` is missing"))?;
    Ok(Some(Queue {
        waiting,
        policy: attributes.get(&QueueAttributeName::Policy).cloned(),
        dead_letters: attributes
            .get(&QueueAttributeName::RedrivePolicy)
            .map(|text| redrive(&call, text))
            .transpose()?,
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Redrive {
    dead_letter_target_arn: String,
}

/// Where a queue's redrive policy sends (SQS API reference, `SetQueueAttributes`, documented).
fn redrive(call: &Call, text: &str) -> CallResult<String> {
    let read: Redrive = serde_json::from_str(text)
        .map_err(|error| call.unreadable(format!("`RedrivePolicy`: {error}")))?;
    Ok(read.dead_letter_target_arn)
}

/// A topic's policy.
pub(super) async fn topic_policy(config: &SdkConfig, topic: &str) -> Found<String> {
    const NOT_FOUND: &[&str] = &["NotFound", "NotFoundException"];
    let call = Call::new("sns:GetTopicAttributes", topic);
    let client = aws_sdk_sns::Client::new(config);
    let request = client.get_topic_attributes().topic_arn(topic);
    let Some(answer) = call.find(NOT_FOUND, request.send()).await? else {
        return Ok(None);
    };
    let policy = answer
        .attributes()
        .and_then(|attributes| attributes.get("Policy"));
    // Every topic has one.
    policy
        .cloned()
        .map(Some)
        .ok_or_else(|| call.unreadable("`Policy` is missing"))
}

pub(super) async fn topic(config: &SdkConfig, resource: &Resource) -> Named<Vec<Subscription>> {
    Named {
        logical: resource.logical.clone(),
        id: resource.id.clone(),
        found: subscriptions(config, &resource.id).await,
    }
}

async fn subscriptions(config: &SdkConfig, topic: &str) -> Found<Vec<Subscription>> {
    const NOT_FOUND: &[&str] = &["NotFound", "NotFoundException"];
    let call = Call::new("sns:ListSubscriptionsByTopic", topic);
    let client = aws_sdk_sns::Client::new(config);
    let request = client.list_subscriptions_by_topic().topic_arn(topic);
    // A topic that is gone is known by the first page.
    if call
        .find(NOT_FOUND, request.clone().send())
        .await?
        .is_none()
    {
        return Ok(None);
    }
    let listed = pages::all(
        &call,
        |page| request.clone().set_next_token(page).send(),
        |answer| {
            let next = token(answer.next_token());
            (answer.subscriptions.unwrap_or_default(), next)
        },
    )
    .await?;
    let subscriptions = listed.into_iter().map(|one| Subscription {
        // A subscription that waits has no ARN yet, but a word in its place (API reference,
        // `Subscribe`, documented).
        is_confirmed: one
            .subscription_arn()
            .is_some_and(|arn| arn.starts_with("arn:")),
        protocol: one.protocol.unwrap_or_default(),
        endpoint: one.endpoint.unwrap_or_default(),
    });
    Ok(Some(subscriptions.collect()))
}

pub(super) async fn table(config: &SdkConfig, resource: &Resource) -> Named<Table> {
    Named {
        logical: resource.logical.clone(),
        id: resource.id.clone(),
        found: describe_table(config, &resource.id).await,
    }
}

async fn describe_table(config: &SdkConfig, name: &str) -> Found<Table> {
    const NOT_FOUND: &[&str] = &["ResourceNotFoundException"];
    let call = Call::new("dynamodb:DescribeTable", name);
    let client = aws_sdk_dynamodb::Client::new(config);
    let request = client.describe_table().table_name(name);
    let Some(answer) = call.find(NOT_FOUND, request.send()).await? else {
        return Ok(None);
    };
    let table = answer
        .table()
        .ok_or_else(|| call.unreadable("`Table` is missing"))?;
    let status = table.table_status().map(TableStatus::as_str);
    Ok(Some(Table {
        status: status.unwrap_or_default().to_owned(),
        is_protected: table.deletion_protection_enabled().unwrap_or_default(),
        is_recoverable: is_recoverable(&client, name).await,
        forgets_by: forgets_by(&client, name).await,
        indexes: table
            .global_secondary_indexes()
            .iter()
            .filter(|index| index.index_status() != Some(&IndexStatus::Creating))
            .filter_map(|index| index.index_name().map(ToOwned::to_owned))
            .collect(),
    }))
}

async fn forgets_by(client: &aws_sdk_dynamodb::Client, name: &str) -> Found<String> {
    let call = Call::new("dynamodb:DescribeTimeToLive", name);
    let request = client.describe_time_to_live().table_name(name);
    let answer = call.send(request.send()).await?;
    let described = answer
        .time_to_live_description()
        .ok_or_else(|| call.unreadable("`TimeToLiveDescription` is missing"))?;
    let is_on = matches!(
        described.time_to_live_status(),
        Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)
    );
    let attribute = described.attribute_name().map(ToOwned::to_owned);
    Ok(attribute.filter(|_| is_on))
}

async fn is_recoverable(client: &aws_sdk_dynamodb::Client, name: &str) -> CallResult<bool> {
    let call = Call::new("dynamodb:DescribeContinuousBackups", name);
    let request = client.describe_continuous_backups().table_name(name);
    let answer = call.send(request.send()).await?;
    let status = answer
        .continuous_backups_description()
        .and_then(|backups| backups.point_in_time_recovery_description())
        .and_then(|recovery| recovery.point_in_time_recovery_status())
        .ok_or_else(|| call.unreadable("`PointInTimeRecoveryStatus` is missing"))?;
    Ok(*status == PointInTimeRecoveryStatus::Enabled)
}
