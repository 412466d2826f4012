//! Where an event of Copymend's own asks to look: the accounts and Regions of its detail.

use copymend_diagnosis::EventError;
use copymend_policy::AccountId;
use serde_json::Value;

use crate::ports::Location;

/// Every account of `detail.accounts` in every Region of `detail.regions`, in their order.
pub fn locations_of(event: &Value) -> Result<Vec<Location>, EventError> {
    let detail = event.get("detail").unwrap_or(&Value::Null);
    let texts = |field: &str| -> Option<Vec<String>> {
        detail
            .get(field)?
            .as_array()?
            .iter()
            .map(|value| value.as_str().map(str::to_owned))
            .collect()
    };
    let accounts: Vec<AccountId> = texts("accounts")
        .ok_or(EventError::MissingField { field: "accounts" })?
        .iter()
        .map(|account| {
            account.parse().map_err(|_| EventError::MalformedField {
                field: "accounts",
                reason: "it holds something that is no account id",
            })
        })
        .collect::<Result<_, _>>()?;
    let regions = texts("regions").ok_or(EventError::MissingField { field: "regions" })?;
    Ok(accounts
        .iter()
        .flat_map(|account| regions.iter().map(|region| Location::new(*account, region)))
        .collect())
}
