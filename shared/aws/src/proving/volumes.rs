//! The volume of a run (Amazon EC2 API reference, the operations named here, documented).

use copymend_diagnosis::KeyArn;
use copymend_policy::Arn;
use copymend_remediation::ports::{CallErrorKind, CallResult};

use super::{ProvingAccount, RunId, TAG};
use crate::ec2::volumes::{Described, created, described, zones};

const ABSENT: &[&str] = &["InvalidVolume.NotFound"];

/// A volume that carries the tag of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its id.
    pub id: String,
    /// The run.
    pub run: RunId,
    /// AWS's word for its state, such as `available`.
    pub state: String,
    /// Whether it is encrypted, and with which key.
    pub encrypted: bool,
    /// The key, where AWS names one.
    pub key: Option<KeyArn>,
}

impl Volume {
    /// What carries the tag of a run.
    fn of(described: Described) -> Option<Self> {
        let (_, run) = described.tags.iter().find(|(key, _)| key == TAG)?;
        Some(Self {
            run: run.parse().ok()?,
            id: described.id,
            state: described.state,
            encrypted: described.encrypted,
            key: described.key,
        })
    }
}

impl ProvingAccount {
    /// The ARN of a volume here.
    pub fn volume_arn(&self, volume: &str) -> CallResult<Arn> {
        let text = format!(
            "arn:{}:ec2:{}:{}:volume/{volume}",
            self.partition(),
            self.region(),
            self.account()
        );
        let call = self.call("ec2:DescribeVolumes", text.as_str());
        text.parse()
            .map_err(|error| call.error(CallErrorKind::Failed, format!("{error}")))
    }

    /// The name of an Availability Zone of the Region that takes volumes: `DescribeAvailabilityZones`.
    pub async fn zone(&self) -> CallResult<String> {
        let call = self.call("ec2:DescribeAvailabilityZones", self.region());
        let parameters = [
            ("Filter.1.Name", "state"),
            ("Filter.1.Value.1", "available"),
            ("Filter.2.Name", "zone-type"),
            ("Filter.2.Value.1", "availability-zone"),
        ];
        let request = self.ec2.query("DescribeAvailabilityZones", &parameters);
        let answer = call.send(request).await?;
        zones(&answer)
            .map_err(|detail| call.unreadable(detail))?
            .into_iter()
            .next()
            .ok_or_else(|| call.error(CallErrorKind::Failed, "the Region has no zone"))
    }

    /// `CreateVolume`: 1 GiB, gp3, encrypted with a key where one is named. Answers its id.
    pub async fn create_volume(
        &self,
        run: &RunId,
        zone: &str,
        key: Option<&KeyArn>,
    ) -> CallResult<String> {
        let call = self.call("ec2:CreateVolume", run.name());
        let name = run.name();
        let mut parameters = vec![
            ("AvailabilityZone", zone),
            ("Size", "1"),
            ("VolumeType", "gp3"),
            // A repetition makes no second one.
            ("ClientToken", name.as_str()),
            ("TagSpecification.1.ResourceType", "volume"),
            ("TagSpecification.1.Tag.1.Key", TAG),
            ("TagSpecification.1.Tag.1.Value", run.as_str()),
            ("TagSpecification.1.Tag.2.Key", "Name"),
            ("TagSpecification.1.Tag.2.Value", name.as_str()),
        ];
        if let Some(key) = key {
            parameters.extend([("Encrypted", "true"), ("KmsKeyId", key.as_str())]);
        }
        let answer = call
            .send(self.ec2.query("CreateVolume", &parameters))
            .await?;
        created(&answer).map_err(|detail| call.unreadable(detail))
    }

    /// The volumes here that carry the tag of a run: `DescribeVolumes`.
    pub async fn volumes_of_runs(&self) -> CallResult<Vec<Volume>> {
        let call = self.call("ec2:DescribeVolumes", "*");
        let parameters = [("Filter.1.Name", "tag-key"), ("Filter.1.Value.1", TAG)];
        let answer = call
            .send(self.ec2.query("DescribeVolumes", &parameters))
            .await?;
        let found = described(&answer).map_err(|detail| call.unreadable(detail))?;
        Ok(found.into_iter().filter_map(Volume::of).collect())
    }

    /// One volume of a run; `None` where it is gone, or carries no tag of a run.
    pub async fn volume(&self, id: &str) -> CallResult<Option<Volume>> {
        let call = self.call("ec2:DescribeVolumes", id);
        let request = self.ec2.query("DescribeVolumes", &[("VolumeId.1", id)]);
        let Some(answer) = call.find(ABSENT, request).await? else {
            return Ok(None);
        };
        let found = described(&answer).map_err(|detail| call.unreadable(detail))?;
        let found = found.into_iter().find(|volume| volume.id == id);
        Ok(found.and_then(Volume::of))
    }

    /// `DeleteVolume` of a volume of a run; `false` where it is gone already.
    pub async fn delete_volume(&self, volume: &Volume) -> CallResult<bool> {
        let call = self.call("ec2:DeleteVolume", volume.id.as_str());
        let request = self
            .ec2
            .query("DeleteVolume", &[("VolumeId", volume.id.as_str())]);
        Ok(call.find(ABSENT, request).await?.is_some())
    }
}
