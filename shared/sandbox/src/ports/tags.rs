//! AWS Resource Groups Tagging API.

use std::collections::HashMap;

use copymend_diagnosis::Tags;
use copymend_policy::Arn;
use copymend_remediation::ports::{CallResult, Location, ResourceTags};
use copymend_survey::TaggedResources;

use crate::sandbox::Sandbox;
use crate::world::World;

/// The tags of a resource or recovery point. What has none isn't named.
fn tags(world: &World, at: &Location, resource: &Arn) -> Option<Tags> {
    let region = world.account(at.account)?.regions.get(&at.region)?;
    let of_point = || {
        let mut vaults = region.vaults.values();
        vaults
            .find_map(|vault| vault.recovery_point(resource.as_str()))
            .map(|point| &point.tags)
    };
    let tags = region.resource_tags.get(resource).or_else(of_point);
    tags.filter(|tags| !tags.is_empty()).cloned()
}

impl ResourceTags for Sandbox {
    async fn tags_of(&self, location: &Location, resource: &Arn) -> CallResult<Option<Tags>> {
        self.calling("tag:GetResources", resource)
            .in_region(&location.region)
            .in_account(Some(location.account), |world| {
                tags(world, location, resource)
            })
            .await
    }
}

impl TaggedResources for Sandbox {
    async fn tags_of_resources(
        &self,
        at: &Location,
        resources: &[Arn],
    ) -> CallResult<HashMap<Arn, Tags>> {
        self.calling("tag:GetResources", &at.account)
            .in_region(&at.region)
            .in_account(Some(at.account), |world| {
                let told = resources
                    .iter()
                    .filter_map(|resource| Some((resource.clone(), tags(world, at, resource)?)));
                told.collect()
            })
            .await
    }
}
