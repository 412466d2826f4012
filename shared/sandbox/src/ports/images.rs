//! Amazon EC2.

use copymend_diagnosis::KeyArn;
use copymend_policy::Arn;
use copymend_remediation::ports::{CallResult, Images, Location};

use crate::sandbox::Sandbox;

/// An image whose snapshots the world doesn't tell has one, under the image's own key.
impl Images for Sandbox {
    async fn image_keys(
        &self,
        location: &Location,
        image: &Arn,
    ) -> CallResult<Option<Vec<KeyArn>>> {
        let keys = self
            .calling("ec2:DescribeImages", image)
            .in_region(&location.region)
            .in_account(Some(location.account), |world| {
                let region = world
                    .account(location.account)?
                    .regions
                    .get(&location.region)?;
                let mut vaults = region.vaults.values();
                let point = vaults
                    .find_map(|vault| vault.recovery_point(image.as_str()))
                    .filter(|point| point.is_image())?;
                Some(point.keys().into_iter().cloned().collect::<Vec<_>>())
            })
            .await?;
        if keys.is_some() {
            self.calling("ec2:DescribeSnapshots", image)
                .in_region(&location.region)
                .in_account(Some(location.account), |_| ())
                .await?;
        }
        Ok(keys)
    }
}
