//! AWS Resource Groups Tagging API.

use copymend_diagnosis::Tags;
use copymend_policy::Arn;
use copymend_remediation::ports::{CallResult, Location, ResourceTags};

use crate::sandbox::Sandbox;

impl ResourceTags for Sandbox {
    async fn tags_of(&self, location: &Location, resource: &Arn) -> CallResult<Option<Tags>> {
        self.calling("tag:GetResources", resource)
            .in_region(&location.region)
            .in_account(Some(location.account), |world| {
                let region = world
                    .account(location.account)?
                    .regions
                    .get(&location.region)?;
                let mut vaults = region.vaults.values();
                vaults
                    .find_map(|vault| vault.recovery_point(resource.as_str()))
                    .map(|point| point.tags.clone())
                    // What has no tags isn't named.
                    .filter(|tags| !tags.is_empty())
            })
            .await
    }
}
