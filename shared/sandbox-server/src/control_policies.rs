//! AWS Organizations: which control policies are attached to an account, a unit or the root, and
//! what they say. All of it is the world's.

use axum::http::HeaderMap;
use copymend_diagnosis::ControlPolicyKind;
use copymend_policy::AccountId;
use copymend_sandbox::ControlPolicy;
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::error::AwsError;
use crate::organizations::{invalid, read_input};
use crate::server::App;

/// The most of one page (Organizations API reference, `ListPoliciesForTarget`, `MaxResults`,
/// documented), and how many come where nothing is asked (inferred).
const MOST_RESULTS: usize = 20;

/// The other types of policies (Organizations API reference, `ListPoliciesForTarget`, `Filter`,
/// documented), of which a world has none to attach.
const OTHER_TYPES: [&str; 12] = [
    "AISERVICES_OPT_OUT_POLICY",
    "BACKUP_POLICY",
    "BEDROCK_POLICY",
    "CHATBOT_POLICY",
    "DECLARATIVE_POLICY_EC2",
    "GUARDDUTY_POLICY",
    "INSPECTOR_POLICY",
    "NETWORK_SECURITY_DIRECTOR_POLICY",
    "S3_POLICY",
    "SECURITYHUB_POLICY",
    "TAG_POLICY",
    "UPGRADE_ROLLOUT_POLICY",
];

/// `ListPoliciesForTarget` (documented: Organizations API reference): a page of what is attached to
/// the target itself, without what it inherits.
pub(crate) async fn list(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<Value, AwsError> {
    let caller = Caller::of(headers, app).await?;
    let input = read_input(body)?;
    let text = |name: &str| input.get(name).and_then(Value::as_str);
    let filter = text("Filter").ok_or_else(|| missing("Filter"))?;
    let kind = [ControlPolicyKind::Service, ControlPolicyKind::Resource]
        .into_iter()
        .find(|kind| kind.as_str() == filter);
    if kind.is_none() && !OTHER_TYPES.contains(&filter) {
        let words = "INVALID_ENUM_POLICY_TYPE: You specified an invalid policy type string.";
        return Err(invalid(words));
    }
    let target = text("TargetId").ok_or_else(|| missing("TargetId"))?;
    let size = match input.get("MaxResults") {
        None | Some(Value::Null) => MOST_RESULTS,
        Some(size) => size
            .as_u64()
            .and_then(|size| usize::try_from(size).ok())
            .filter(|size| (1..=MOST_RESULTS).contains(size))
            .ok_or_else(|| {
                invalid(format!(
                    "`MaxResults` must be between 1 and {MOST_RESULTS}."
                ))
            })?,
    };
    let sandbox = app.sandbox();
    // The target and the caller are judged for every type alike.
    let any = kind.unwrap_or(ControlPolicyKind::Service);
    let mut policies = sandbox
        .list_policies_for_target(caller.account(), target, any)
        .await?;
    if kind.is_none() {
        policies.clear();
    }
    let from = match text("NextToken") {
        None => 0,
        Some(token) => place_of(&policies, token).ok_or_else(|| {
            invalid(
                "INVALID_PAGINATION_TOKEN: Get the value for the NextToken parameter from the response \
                 to a previous call of the operation.",
            )
        })?,
    };
    let rest = policies.get(from..).unwrap_or_default();
    let (page, after) = rest.split_at(size.min(rest.len()));
    let partition = partition_of(app, caller.account());
    let owner = Owner::of(app, &caller, &partition)?;
    let page: Vec<Value> = page.iter().map(|policy| owner.summary(policy)).collect();
    let mut answer = json!({ "Policies": page });
    if let (Some(next), Some(members)) = (after.first(), answer.as_object_mut()) {
        members.insert("NextToken".to_owned(), token_of(next).into());
    }
    Ok(answer)
}

/// `DescribePolicy` (documented: Organizations API reference).
pub(crate) async fn describe(
    app: &App,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Value, AwsError> {
    let caller = Caller::of(headers, app).await?;
    let input = read_input(body)?;
    let id = input.get("PolicyId").and_then(Value::as_str);
    let id = id.ok_or_else(|| missing("PolicyId"))?;
    let policy = app.sandbox().describe_policy(caller.account(), id).await?;
    let partition = partition_of(app, caller.account());
    let owner = Owner::of(app, &caller, &partition)?;
    Ok(json!({"Policy": {
        "PolicySummary": owner.summary(&policy),
        "Content": policy.text,
    }}))
}

fn missing(name: &str) -> AwsError {
    invalid(format!(
        "INPUT_REQUIRED: You must include a value for all required parameters: {name}"
    ))
}

/// The token of the page that begins with a policy: its id, which stays good while others are
/// attached and detached.
fn token_of(policy: &ControlPolicy) -> String {
    format!("from-{}", policy.id)
}

fn place_of(policies: &[ControlPolicy], token: &str) -> Option<usize> {
    policies.iter().position(|policy| token_of(policy) == token)
}

fn partition_of(app: &App, account: AccountId) -> String {
    app.sandbox().with_world(|world| {
        let found = world.account(account);
        found.map_or_else(|| "aws".to_owned(), |found| found.partition.clone())
    })
}

/// Whose policies they are.
struct Owner<'a> {
    partition: &'a str,
    management: AccountId,
    organization: String,
}

impl<'a> Owner<'a> {
    fn of(app: &App, caller: &Caller, partition: &'a str) -> Result<Self, AwsError> {
        app.sandbox().with_world(|world| {
            let organization = world
                .organization_of(caller.account())
                .ok_or_else(crate::organizations::not_in_use)?;
            Ok(Self {
                partition,
                management: organization.management_account,
                organization: organization.id.clone(),
            })
        })
    }

    /// A `PolicySummary` (documented: Organizations API reference; the ARN of a policy that AWS
    /// made is seen: turbot/steampipe-plugin-aws#1783).
    fn summary(&self, policy: &ControlPolicy) -> Value {
        let kind = policy.kind.as_str();
        let (partition, id) = (self.partition, &policy.id);
        let family = kind.to_lowercase();
        let arn = if policy.is_aws_managed {
            format!("arn:{partition}:organizations::aws:policy/{family}/{id}")
        } else {
            let (management, organization) = (self.management, &self.organization);
            format!(
                "arn:{partition}:organizations::{management}:policy/{organization}/{family}/{id}"
            )
        };
        json!({
            "Id": id,
            "Arn": arn,
            "Name": policy.name,
            "Description": "",
            "Type": kind,
            "AwsManaged": policy.is_aws_managed,
        })
    }
}
