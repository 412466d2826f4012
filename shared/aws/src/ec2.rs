//! Amazon EC2: which keys the snapshots of an image are under.
//!
//! Two calls of its query protocol, sent by the SDK's own runtime: signing, retries, timeouts and
//! the HTTP client are those of every other client here.

pub(crate) mod answer;
mod client;
#[cfg(feature = "proving")]
pub(crate) mod volumes;

use std::sync::Arc;

use copymend_diagnosis::KeyArn;
use copymend_policy::Arn;
use copymend_remediation::ports::{CallResult, Images, Location};

use crate::accounts::{Accounts, Clients, Target};
use crate::error::Call;
pub(crate) use client::Client;

const NO_IMAGE: &[&str] = &["InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"];

/// Amazon EC2, in the account and Region of the image.
#[derive(Debug)]
pub struct AwsImages {
    clients: Clients<Client>,
}

impl AwsImages {
    pub(crate) fn new(accounts: Arc<Accounts>) -> Self {
        Self {
            clients: Clients::new(accounts, Client::new),
        }
    }

    async fn owner(
        &self,
        operation: &'static str,
        location: &Location,
        image: &Arn,
    ) -> CallResult<(Client, Call)> {
        let target = Target {
            account: location.account,
            partition: Some(image.partition()),
            region: Some(&location.region),
        };
        self.clients
            .of(Call::new(operation, image.as_str()), target)
            .await
    }
}

impl Images for AwsImages {
    async fn image_keys(
        &self,
        location: &Location,
        image: &Arn,
    ) -> CallResult<Option<Vec<KeyArn>>> {
        let (client, call) = self.owner("ec2:DescribeImages", location, image).await?;
        let id = image.resource().strip_prefix("image/").unwrap_or_default();
        let request = client.describe("DescribeImages", "ImageId", &[id]);
        let Some(answer) = call.find(NO_IMAGE, request).await? else {
            return Ok(None);
        };
        let snapshots =
            answer::snapshots_of(&answer, id).map_err(|detail| call.unreadable(detail))?;
        let Some(snapshots) = snapshots else {
            return Ok(None);
        };
        if snapshots.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let (client, call) = self.owner("ec2:DescribeSnapshots", location, image).await?;
        let ids: Vec<&str> = snapshots.iter().map(String::as_str).collect();
        let answer = call
            .send(client.describe("DescribeSnapshots", "SnapshotId", &ids))
            .await?;
        answer::keys_of(&answer, &ids)
            .map(Some)
            .map_err(|detail| call.unreadable(detail))
    }
}
