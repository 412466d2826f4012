//! AWS IAM: the policy simulator, which moto lacks, and roles where no other endpoint is behind the
//! sandbox. All else of IAM is passed on.

mod roles;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use copymend_diagnosis::{SimulatedAction, SimulatedDecision};
use copymend_policy::Arn;
use copymend_remediation::ports::{ContextKey, ContextValues, Identities as _, Simulation};
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::error::AwsError;
use crate::forward::{forward_read, read_body};
use crate::parameters::{Parameters, numbered, other_than, parameters};
use crate::server::App;
use crate::xml::{around, element, list};

const OPERATION: &str = "SimulatePrincipalPolicy";
const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";
/// Whatever the request's id is for, nobody looks it up here.
const REQUEST_ID: &str = "00000000-0000-4000-8000-000000000000";
/// The most results of one answer (documented: IAM API reference, `SimulatePrincipalPolicy`,
/// `MaxItems`).
const MOST_ITEMS: usize = 1_000;
/// The longest name of an action or a context key (documented: the same page).
const LONGEST_NAME: usize = 256;

pub(crate) async fn answer(app: &App, request: Request) -> Response {
    let request = match read_body(request).await {
        Ok(request) => request,
        Err(error) => return refusal(&error),
    };
    let parameters = parameters(request.body());
    let answer = match parameters.get("Action").map(String::as_str) {
        Some(OPERATION) => simulate(app, request.headers(), &parameters).await,
        Some("GetRole") if app.upstream().endpoint().is_none() => {
            roles::get_role(app, request.headers(), &parameters).await
        }
        Some(_) if app.upstream().endpoint().is_none() => {
            match roles::policies(app, request.headers(), &parameters).await {
                Some(answer) => answer,
                None => return forward_read(app, request).await,
            }
        }
        Some(_) | None => return forward_read(app, request).await,
    };
    match answer {
        Ok(result) => xml(StatusCode::OK, &result),
        Err(error) => refusal(&error),
    }
}

fn xml(status: StatusCode, body: &str) -> Response {
    (status, [(CONTENT_TYPE, "text/xml")], body.to_owned()).into_response()
}

/// An error as IAM answers it.
fn refusal(error: &AwsError) -> Response {
    let (code, status) = match error.code() {
        "NoSuchEntity" => ("NoSuchEntity", StatusCode::NOT_FOUND),
        "AccessDeniedException" => ("AccessDenied", StatusCode::FORBIDDEN),
        "MissingAuthenticationTokenException" => {
            ("MissingAuthenticationToken", StatusCode::FORBIDDEN)
        }
        "ServiceUnavailableException" => ("ServiceFailure", StatusCode::INTERNAL_SERVER_ERROR),
        other => (other, StatusCode::BAD_REQUEST),
    };
    let told =
        element("Type", "Sender") + &element("Code", code) + &element("Message", error.message());
    let body = around("Error", &told) + &element("RequestId", REQUEST_ID);
    xml(
        status,
        &format!("<ErrorResponse xmlns=\"{NAMESPACE}\">{body}</ErrorResponse>"),
    )
}

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new("InvalidInput", message)
}

/// What is asked, as the wire has it.
#[derive(Debug, PartialEq, Eq)]
struct Question {
    principal: Arn,
    actions: Vec<String>,
    resources: Vec<String>,
    context: Vec<ContextKey>,
    without_boundary: bool,
    without_scps: bool,
    first: usize,
    most: usize,
}

impl Question {
    /// Reads the parameters. One that the sandbox doesn't simulate is refused, never passed over.
    fn of(parameters: &Parameters) -> Result<Self, AwsError> {
        const KNOWN: [&str; 10] = [
            "Action",
            "Version",
            "PolicySourceArn",
            "ActionNames",
            "ResourceArns",
            "ContextEntries",
            "PermissionsBoundaryPolicyInputList",
            "PolicyExclusionList",
            "MaxItems",
            "Marker",
        ];
        if let Some(name) = other_than(parameters, &KNOWN) {
            return Err(invalid(format!("the sandbox does not simulate `{name}`")));
        }
        let text = |name: &str| parameters.get(name).map(String::as_str);
        let number = |name: &str| match text(name).map(str::parse::<usize>) {
            None => Ok(None),
            Some(Ok(number)) => Ok(Some(number)),
            Some(Err(_)) => Err(invalid(format!("`{name}` is not a number"))),
        };
        let principal = text("PolicySourceArn").unwrap_or_default();
        let actions = members(parameters, "ActionNames");
        if actions.is_empty() {
            return Err(invalid("`ActionNames` is missing"));
        }
        let mut resources = members(parameters, "ResourceArns");
        if resources.is_empty() {
            resources.push("*".to_owned());
        }
        Ok(Self {
            principal: principal
                .parse()
                .map_err(|_| invalid(format!("`{principal}` is not an ARN")))?,
            actions,
            resources,
            context: context(parameters)?,
            without_boundary: without_boundary(parameters)?,
            without_scps: without_scps(parameters)?,
            first: number("Marker")?.unwrap_or(0),
            most: number("MaxItems")?
                .unwrap_or(MOST_ITEMS)
                .clamp(1, MOST_ITEMS),
        })
    }
}

/// The values of a list, `NAME.member.1` and so on.
fn members(parameters: &Parameters, name: &str) -> Vec<String> {
    numbered(parameters, &format!("{name}.member"))
}

/// The context.
fn context(parameters: &Parameters) -> Result<Vec<ContextKey>, AwsError> {
    let mut context = Vec::new();
    for number in 1_usize.. {
        let entry = format!("ContextEntries.member.{number}");
        let Some(name) = parameters.get(&format!("{entry}.ContextKeyName")) else {
            break;
        };
        let values = members(parameters, &format!("{entry}.ContextKeyValues"));
        let kind = parameters.get(&format!("{entry}.ContextKeyType"));
        let is_list = kind.is_some_and(|kind| kind.ends_with("List"));
        let values = match (is_list, values.as_slice()) {
            (true, _) => ContextValues::Many(values),
            (false, [value]) => ContextValues::One(value.clone()),
            (false, _) => {
                return Err(invalid(format!(
                    "`{name}` has {} values, and its type takes one",
                    values.len()
                )));
            }
        };
        context.push(ContextKey {
            name: name.clone(),
            values,
        });
    }
    Ok(context)
}

/// Whether the service control policies are left out. Nothing else can be excluded here.
fn without_scps(parameters: &Parameters) -> Result<bool, AwsError> {
    let mut excluded = parameters
        .iter()
        .filter(|(name, _)| name.starts_with("PolicyExclusionList."));
    match (excluded.next(), excluded.next()) {
        (None, _) => Ok(false),
        (Some((name, value)), None)
            if name == "PolicyExclusionList.member.1.PolicyType" && value == "scp" =>
        {
            Ok(true)
        }
        (Some(_), _) => Err(invalid(
            "the sandbox excludes no policies but the type `scp`",
        )),
    }
}

/// Whether a boundary that allows everything takes the place of the principal's own. No other is
/// simulated.
fn without_boundary(parameters: &Parameters) -> Result<bool, AwsError> {
    let everything = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let allows_everything = |policy: &String| {
        let policy: Value = serde_json::from_str(policy).unwrap_or_default();
        match policy.get("Statement") {
            Some(Value::Array(statements)) => statements.as_slice() == [everything.clone()],
            Some(statement) => *statement == everything,
            None => false,
        }
    };
    let given = members(parameters, "PermissionsBoundaryPolicyInputList");
    if given.iter().all(allows_everything) {
        Ok(!given.is_empty())
    } else {
        Err(invalid(
            "the sandbox takes no permissions boundary but one that allows everything",
        ))
    }
}

/// The simulator's port wants names that live as long as the program. Each distinct one is kept,
/// once.
fn kept(name: &str) -> Result<&'static str, AwsError> {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    if name.len() > LONGEST_NAME {
        return Err(invalid("a name is too long"));
    }
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return Ok(known);
    }
    let name: &'static str = Box::leak(name.into());
    names.insert(name);
    Ok(name)
}

async fn simulate(
    app: &App,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<String, AwsError> {
    let caller = Caller::of(headers, app).await?;
    let question = Question::of(parameters)?;
    if question.principal.account() != caller.account().as_str() {
        return Err(AwsError::denied("the principal is in another account"));
    }
    if let Ok(role) = question.principal.as_str().parse() {
        app.upstream().refresh_role(app.sandbox(), &role).await?;
    }
    let actions = question.actions.iter().map(|action| kept(action));
    let mut simulation = Simulation {
        principal: question.principal.clone(),
        actions: actions.collect::<Result<_, _>>()?,
        resource: String::new(),
        context: question.context.clone(),
        without_boundary: question.without_boundary,
        without_scps: question.without_scps,
    };
    // One list of answers a resource, each in the order of the actions.
    let mut answers = Vec::new();
    for resource in &question.resources {
        simulation.resource.clone_from(resource);
        let sandbox = app.sandbox();
        let one = sandbox.simulate_principal_policy(&simulation).await;
        answers.push(one.map_err(|error| match error.detail.split_once(": ") {
            Some(("NoSuchEntity", message)) => AwsError::new("NoSuchEntity", message),
            Some(_) | None => error.into(),
        })?);
    }
    let results: Vec<String> = (0..question.actions.len())
        .filter_map(|action| {
            let of_action: Vec<&SimulatedAction> =
                answers.iter().filter_map(|one| one.get(action)).collect();
            result(&of_action)
        })
        .collect();
    let end = question.first.saturating_add(question.most);
    let mut page = element(
        "IsTruncated",
        if end < results.len() { "true" } else { "false" },
    );
    if end < results.len() {
        page += &element("Marker", &end.to_string());
    }
    let results = results.into_iter().skip(question.first).take(question.most);
    page += &list("EvaluationResults", results);
    let body = around("SimulatePrincipalPolicyResult", &page)
        + &around("ResponseMetadata", &element("RequestId", REQUEST_ID));
    Ok(format!(
        "<SimulatePrincipalPolicyResponse xmlns=\"{NAMESPACE}\">{body}</SimulatePrincipalPolicyResponse>"
    ))
}

/// One `EvaluationResult`: an action on the resources that were asked about. Each of these has an
/// entry of its own in `ResourceSpecificResults` (documented: IAM API reference,
/// `EvaluationResult`); the members beside it tell of the first one that is refused, or else of the
/// first (inferred).
fn result(of_action: &[&SimulatedAction]) -> Option<String> {
    let refused = of_action
        .iter()
        .find(|one| one.decision != SimulatedDecision::Allowed);
    let told = refused.or_else(|| of_action.first())?;
    let specific = of_action.iter().map(|one| {
        element("EvalResourceName", &one.resource)
            + &element("EvalResourceDecision", decision(one.decision))
            + &details(one)
    });
    let mut result = element("EvalActionName", &told.action)
        + &element("EvalResourceName", &told.resource)
        + &element("EvalDecision", decision(told.decision))
        + &details(told);
    if let Some(allowed) = told.allowed_by_organizations {
        let allowed = element("AllowedByOrganizations", &allowed.to_string());
        result += &around("OrganizationsDecisionDetail", &allowed);
    }
    Some(result + &list("ResourceSpecificResults", specific))
}

/// What the results of an action and of a resource share.
fn details(one: &SimulatedAction) -> String {
    // The port tells how many statements decided, not where they are.
    let statements = (1..=one.matched_statements).map(|number| {
        element("SourcePolicyId", &format!("policy-{number}"))
            + &element("SourcePolicyType", "IAM Policy")
    });
    let missing = one
        .missing_context_values
        .iter()
        .map(|key| crate::xml::escaped(key));
    let mut details =
        list("MatchedStatements", statements) + &list("MissingContextValues", missing);
    if let Some(identity) = one.identity_decision {
        let entry = element("key", "IdentityBasedPolicy") + &element("value", decision(identity));
        details += &around("EvalDecisionDetails", &around("entry", &entry));
    }
    if let Some(allowed) = one.allowed_by_permissions_boundary {
        let allowed = element("AllowedByPermissionsBoundary", &allowed.to_string());
        details += &around("PermissionsBoundaryDecisionDetail", &allowed);
    }
    details
}

const fn decision(decision: SimulatedDecision) -> &'static str {
    match decision {
        SimulatedDecision::Allowed => "allowed",
        SimulatedDecision::ExplicitDeny => "explicitDeny",
        SimulatedDecision::ImplicitDeny => "implicitDeny",
    }
}
