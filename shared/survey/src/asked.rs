//! Where an event of the schedule asks to look.

use copymend_diagnosis::EventError;
use copymend_remediation::ports::Location;
use copymend_remediation::scope::locations_of;
use serde_json::Value;

use crate::region::RegionCode;

/// The accounts and Regions of an event, each once, with the Region's code.
pub(crate) fn places_of(event: &Value) -> Result<Vec<(Location, RegionCode)>, EventError> {
    let mut places: Vec<(Location, RegionCode)> = Vec::new();
    for at in locations_of(event)? {
        let region = at.region.parse().map_err(|_| EventError::MalformedField {
            field: "regions",
            reason: "it holds something that is no Region",
        })?;
        if !places.iter().any(|(known, _)| *known == at) {
            places.push((at, region));
        }
    }
    Ok(places)
}
