//! AWS CloudTrail (API reference, `DescribeTrails`, `GetTrailStatus`, `GetEventSelectors`,
//! documented).

use aws_config::{Region, SdkConfig};
use copymend_doctor::{LoggedCalls, Trail};
use copymend_remediation::ports::CallResult;
use futures_util::future::{join, join_all};
use serde::Deserialize;
use serde_json::json;

use super::json::{JsonService, read as read_answer};
use crate::error::Call;
use crate::signed::Service;

const TRAILS: JsonService = JsonService {
    service: Service {
        prefix: "cloudtrail",
        id: "CloudTrail",
        name: "AWS CloudTrail",
    },
};
const TYPE: (&str, &str) = ("content-type", "application/x-amz-json-1.1");

#[derive(Deserialize)]
struct Described {
    #[serde(rename = "trailList", default)]
    trails: Vec<DescribedTrail>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribedTrail {
    name: String,
    #[serde(rename = "TrailARN")]
    arn: String,
    #[serde(default)]
    home_region: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    is_logging: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Selectors {
    event_selectors: Option<Vec<Selector>>,
    advanced_event_selectors: Option<Vec<Advanced>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Selector {
    read_write_type: Option<String>,
    include_management_events: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Advanced {
    field_selectors: Vec<Field>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Field {
    field: String,
    equals: Option<Vec<String>>,
}

/// The trails that log this Region: its own, and those of all Regions or of the organization.
pub(super) async fn read(config: &SdkConfig) -> CallResult<Vec<Trail>> {
    const HEADERS: &[(&str, &str)] = &[
        TYPE,
        (
            "x-amz-target",
            "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.DescribeTrails",
        ),
    ];
    let call = Call::new("cloudtrail:DescribeTrails", "*");
    let body = json!({"includeShadowTrails": true});
    let answer = TRAILS.send(config, HEADERS, "DescribeTrails", &body);
    let answer = call.send(answer).await?;
    let Described { trails } = read_answer(&call, &answer)?;
    let trails = trails.into_iter().map(|trail| async move {
        // A trail of all Regions is described everywhere, and asked about where it was made.
        let home = match &trail.home_region {
            Some(home) => config
                .to_builder()
                .region(Region::new(home.clone()))
                .build(),
            None => config.clone(),
        };
        let (is_logging, logs) = join(status(&home, &trail.arn), logs(&home, &trail.arn)).await;
        Trail {
            name: trail.name,
            arn: trail.arn,
            is_logging,
            logs,
        }
    });
    Ok(join_all(trails).await)
}

async fn status(config: &SdkConfig, trail: &str) -> CallResult<bool> {
    const HEADERS: &[(&str, &str)] = &[
        TYPE,
        (
            "x-amz-target",
            "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetTrailStatus",
        ),
    ];
    let call = Call::new("cloudtrail:GetTrailStatus", trail);
    let answer = TRAILS.send(config, HEADERS, "GetTrailStatus", &json!({"Name": trail}));
    let answer = call.send(answer).await?;
    let status: Status = read_answer(&call, &answer)?;
    Ok(status.is_logging)
}

async fn logs(config: &SdkConfig, trail: &str) -> CallResult<LoggedCalls> {
    const HEADERS: &[(&str, &str)] = &[
        TYPE,
        (
            "x-amz-target",
            "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetEventSelectors",
        ),
    ];
    let call = Call::new("cloudtrail:GetEventSelectors", trail);
    let body = json!({"TrailName": trail});
    let answer = TRAILS.send(config, HEADERS, "GetEventSelectors", &body);
    let answer = call.send(answer).await?;
    Ok(logged(&read_answer(&call, &answer)?))
}

/// Which calls the selectors let through. One of reads alone counts as none: what is refused most
/// are writes, and the audit is of them.
fn logged(selectors: &Selectors) -> LoggedCalls {
    let plain = selectors.event_selectors.iter().flatten();
    let plain = plain
        .filter(|selector| selector.include_management_events.unwrap_or(true))
        .map(|selector| selector.read_write_type.as_deref().unwrap_or("All"));
    let advanced = selectors.advanced_event_selectors.iter().flatten();
    let advanced = advanced.filter_map(|selector| {
        let field = |name: &str| {
            let mut fields = selector.field_selectors.iter();
            let found = fields.find(|field| field.field == name)?;
            found.equals.as_deref()
        };
        let is = |values: Option<&[String]>, value: &str| {
            values.is_some_and(|values| values.iter().any(|one| one == value))
        };
        is(field("eventCategory"), "Management").then(|| match field("readOnly") {
            reads if is(reads, "true") => "ReadOnly",
            Some(_) => "WriteOnly",
            None => "All",
        })
    });
    let kinds: Vec<&str> = plain.chain(advanced).collect();
    let has = |kind: &str| kinds.contains(&kind);
    if has("All") || (has("ReadOnly") && has("WriteOnly")) {
        LoggedCalls::All
    } else if has("WriteOnly") {
        LoggedCalls::Writes
    } else {
        LoggedCalls::None
    }
}

#[cfg(test)]
mod tests {
    use copymend_doctor::LoggedCalls;

    use super::logged;

    #[test]
    fn selectors_of_both_kinds_are_read() {
        let category = r#"{"Field":"eventCategory","Equals":["Management"]}"#;
        for (selectors, expected) in [
            ("{}", LoggedCalls::None),
            (
                r#"{"EventSelectors":[{"ReadWriteType":"All","IncludeManagementEvents":true}]}"#,
                LoggedCalls::All,
            ),
            (
                r#"{"EventSelectors":[{"ReadWriteType":"WriteOnly","IncludeManagementEvents":true}]}"#,
                LoggedCalls::Writes,
            ),
            (
                r#"{"EventSelectors":[{"ReadWriteType":"All","IncludeManagementEvents":false}]}"#,
                LoggedCalls::None,
            ),
            (
                &format!(r#"{{"AdvancedEventSelectors":[{{"FieldSelectors":[{category}]}}]}}"#),
                LoggedCalls::All,
            ),
            (
                &format!(
                    r#"{{"AdvancedEventSelectors":[{{"FieldSelectors":[{category},{{"Field":"readOnly","Equals":["false"]}}]}}]}}"#
                ),
                LoggedCalls::Writes,
            ),
            (
                r#"{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]}]}]}"#,
                LoggedCalls::None,
            ),
        ] {
            let read = serde_json::from_str(selectors).unwrap();
            assert_eq!(logged(&read), expected, "{selectors}");
        }
    }
}
