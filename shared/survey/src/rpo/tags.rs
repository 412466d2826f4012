//! The tags of resources, where objectives name any.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use copymend_diagnosis::Tags;
use copymend_policy::{AccountId, Arn};
use copymend_remediation::ports::{CallResult, Location};
use futures_util::StreamExt as _;
use futures_util::stream;

use super::gathered::{Gathered, NotRead, Resource, ResourceId};
use super::judge::expected;
use super::objective::Objectives;
use crate::lists::TaggedResources;

/// So many accounts and Regions are asked side by side.
const SIDE_BY_SIDE: usize = 8;

/// An account and a Region.
type At = (AccountId, String);
/// The resources that are asked about there. One ARN may be of several types.
type Asked = BTreeMap<Arn, Vec<ResourceId>>;
/// What one place was asked, and its answer.
type Read = (Location, Asked, CallResult<HashMap<Arn, Tags>>);

/// Reads the tags of all resources that have a place, if an objective names a tag. What can't be read is
/// noted: which objective holds then isn't known. A resource that isn't told of has no tag, or none any
/// more because it is gone.
pub async fn gather_tags<T: TaggedResources>(
    tagged: &T,
    gathered: &mut Gathered,
    objectives: &Objectives,
) {
    if !objectives.name_tags() {
        return;
    }
    let (asked, nowhere) = whom_to_ask(gathered);
    let read = stream::iter(asked)
        .map(async |((account, region), asked): (At, Asked)| {
            let at = Location::new(account, &region);
            let resources: Vec<Arn> = asked.keys().cloned().collect();
            let answer = tagged.tags_of_resources(&at, &resources).await;
            (at, asked, answer)
        })
        .buffer_unordered(SIDE_BY_SIDE);
    let read: Vec<Read> = Box::pin(read).collect().await;
    for resource in nowhere {
        let why = "its account and Region are not known".to_owned();
        gathered.tags.insert(resource, Err(why));
    }
    for (at, asked, answer) in read {
        match answer {
            Ok(told) => take(gathered, objectives, asked, told),
            Err(error) => {
                gathered.not_read.push(NotRead {
                    what: format!("tags of resources of {} in {}", at.account, at.region),
                    why: error.to_string(),
                });
                for resource in asked.into_values().flatten() {
                    // Another place may have told them.
                    let known = gathered.tags.get(&resource);
                    if !known.is_some_and(|known| known.as_ref().is_ok_and(|tags| !tags.is_empty()))
                    {
                        gathered.tags.insert(resource, Err(error.to_string()));
                    }
                }
            }
        }
    }
}

/// Takes what one place tells. Where several are asked, the one that has the resource decides.
fn take(
    gathered: &mut Gathered,
    objectives: &Objectives,
    asked: Asked,
    mut told: HashMap<Arn, Tags>,
) {
    for (arn, resources) in asked {
        let tags = told.remove(&arn);
        for resource in resources {
            match &tags {
                Some(tags) => {
                    let tags = objectives.named_of(tags.clone());
                    gathered.tags.insert(resource, Ok(tags));
                }
                None => {
                    let none = || Ok(Tags::new());
                    gathered.tags.entry(resource).or_insert_with(none);
                }
            }
        }
    }
}

/// Where the resources are, by their ARNs. Where an ARN names no account or no Region, such as that of a
/// bucket, it is where its backups are; those of which that isn't known either come apart.
fn whom_to_ask(gathered: &Gathered) -> (BTreeMap<At, Asked>, BTreeSet<ResourceId>) {
    let mut backups: HashMap<ResourceId, BTreeSet<At>> = HashMap::new();
    for ((resource, vault), held) in &gathered.held {
        let Some(vault) = gathered.vaults.name(*vault).filter(|_| !held.is_copied) else {
            continue;
        };
        if let Some(account) = vault.account_id() {
            let at = (account, vault.region().to_owned());
            backups.entry(*resource).or_default().insert(at);
        }
    }
    let mut asked: BTreeMap<At, Asked> = BTreeMap::new();
    let mut nowhere = BTreeSet::new();
    for (resource, _) in expected(gathered).into_keys() {
        let Some(Resource { arn, .. }) = gathered.resources.name(resource) else {
            continue;
        };
        let places: BTreeSet<At> = match (arn.account_id(), arn.region()) {
            (Some(account), region) if !region.is_empty() => {
                BTreeSet::from([(account, region.to_owned())])
            }
            (Some(_) | None, _) => backups.get(&resource).cloned().unwrap_or_default(),
        };
        if places.is_empty() {
            nowhere.insert(resource);
        }
        for at in places {
            let ids = asked.entry(at).or_default().entry(arn.clone()).or_default();
            if !ids.contains(&resource) {
                ids.push(resource);
            }
        }
    }
    (asked, nowhere)
}
