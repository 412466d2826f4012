//! Amazon EC2: the images among the recovery points, and their snapshots. All else of EC2 is passed
//! on.

use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use copymend_diagnosis::KeyArn;
use copymend_policy::Arn;
use copymend_remediation::ports::{Images as _, Location};
use copymend_sandbox::{RecoveryPoint, Sandbox};

use crate::caller::Caller;
use crate::error::AwsError;
use crate::forward::{forward_read, read_body};
use crate::parameters::{Parameters, numbered, other_than, parameters};
use crate::server::App;
use crate::xml::{around, element};

const NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";
/// Whatever the request's id is for, nobody looks it up here.
const REQUEST_ID: &str = "00000000-0000-4000-8000-000000000000";

/// An operation that is answered here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    DescribeImages,
    DescribeSnapshots,
}

impl Operation {
    fn of(parameters: &Parameters) -> Option<Self> {
        match parameters.get("Action")?.as_str() {
            "DescribeImages" => Some(Self::DescribeImages),
            "DescribeSnapshots" => Some(Self::DescribeSnapshots),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::DescribeImages => "DescribeImages",
            Self::DescribeSnapshots => "DescribeSnapshots",
        }
    }

    /// The list of the answer.
    const fn set(self) -> &'static str {
        match self {
            Self::DescribeImages => "imagesSet",
            Self::DescribeSnapshots => "snapshotSet",
        }
    }

    /// The parameter that names what is described.
    const fn ids(self) -> &'static str {
        match self {
            Self::DescribeImages => "ImageId",
            Self::DescribeSnapshots => "SnapshotId",
        }
    }
}

pub(crate) async fn answer(app: &App, request: Request) -> Response {
    let request = match read_body(request).await {
        Ok(request) => request,
        Err(error) => return refusal(&error),
    };
    let parameters = parameters(request.body());
    let Some(operation) = Operation::of(&parameters) else {
        return forward_read(app, request).await;
    };
    match describe(app, request.headers(), operation, &parameters).await {
        Ok(set) => {
            let body = element("requestId", REQUEST_ID) + &set;
            let name = operation.name();
            let answer = format!("<{name}Response xmlns=\"{NAMESPACE}\">{body}</{name}Response>");
            xml(StatusCode::OK, &answer)
        }
        Err(error) => refusal(&error),
    }
}

fn xml(status: StatusCode, body: &str) -> Response {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}");
    (status, [(CONTENT_TYPE, "text/xml;charset=UTF-8")], body).into_response()
}

/// An error as EC2 answers it (documented: EC2 API reference, "Error codes").
fn refusal(error: &AwsError) -> Response {
    let (code, status) = match error.code() {
        "AccessDeniedException" => ("UnauthorizedOperation", StatusCode::FORBIDDEN),
        "MissingAuthenticationTokenException" => ("AuthFailure", StatusCode::UNAUTHORIZED),
        "ThrottlingException" => ("RequestLimitExceeded", StatusCode::SERVICE_UNAVAILABLE),
        "ServiceUnavailableException" => ("Unavailable", StatusCode::SERVICE_UNAVAILABLE),
        other => (other, StatusCode::BAD_REQUEST),
    };
    let told = element("Code", code) + &element("Message", error.message());
    let body = around("Errors", &around("Error", &told)) + &element("RequestID", REQUEST_ID);
    xml(status, &around("Response", &body))
}

/// The images or snapshots that are asked for. What the sandbox doesn't do is refused, never passed
/// over.
async fn describe(
    app: &App,
    headers: &HeaderMap,
    operation: Operation,
    parameters: &Parameters,
) -> Result<String, AwsError> {
    let caller = Caller::of(headers, app).await?;
    let known = ["Action", "Version", operation.ids()];
    if let Some(name) = other_than(parameters, &known) {
        let words = format!("the sandbox does not know the parameter `{name}`");
        return Err(AwsError::new("UnknownParameter", words));
    }
    let ids = numbered(parameters, operation.ids());
    if ids.is_empty() {
        let words = format!(
            "the sandbox describes only what `{}` names",
            operation.ids()
        );
        return Err(AwsError::new("MissingParameter", words));
    }
    let sandbox = app.sandbox();
    let mut items = String::new();
    for id in &ids {
        let item = match operation {
            Operation::DescribeImages => found_image(sandbox, &caller.0, id).await?,
            Operation::DescribeSnapshots => found_snapshot(sandbox, &caller.0, id).await?,
        };
        items += &around("item", &item);
    }
    Ok(around(operation.set(), &items))
}

async fn found_image(sandbox: &Sandbox, location: &Location, id: &str) -> Result<String, AwsError> {
    let image = point(sandbox, location, |point| image_id(point) == Some(id));
    let Some(image) = image else {
        let words = format!("The image id '[{id}]' does not exist");
        return Err(AwsError::new("InvalidAMIID.NotFound", words));
    };
    may_read(sandbox, location, &image, Operation::DescribeImages).await?;
    let devices: String = snapshots_of(&image)
        .iter()
        .zip(1_usize..)
        .map(|(snapshot, number)| {
            let ebs = element("snapshotId", &snapshot.id)
                + &element("encrypted", &snapshot.key.is_some().to_string())
                + &element("deleteOnTermination", "true");
            let device = format!("/dev/sd{number}");
            around(
                "item",
                &(element("deviceName", &device) + &around("ebs", &ebs)),
            )
        })
        .collect();
    Ok(element("imageId", id)
        + &element("imageOwnerId", location.account.as_str())
        + &element("imageState", "available")
        + &element("rootDeviceType", "ebs")
        + &around("blockDeviceMapping", &devices))
}

async fn found_snapshot(
    sandbox: &Sandbox,
    location: &Location,
    id: &str,
) -> Result<String, AwsError> {
    let holds = |point: &RecoveryPoint| snapshots_of(point).iter().any(|one| one.id == id);
    let found = point(sandbox, location, holds);
    let snapshots = found.as_ref().map(snapshots_of).unwrap_or_default();
    let snapshot = snapshots.into_iter().find(|one| one.id == id);
    let (Some(found), Some(snapshot)) = (found, snapshot) else {
        let words = format!("The snapshot '{id}' does not exist.");
        return Err(AwsError::new("InvalidSnapshot.NotFound", words));
    };
    may_read(sandbox, location, &found, Operation::DescribeSnapshots).await?;
    let key = snapshot.key.as_ref();
    Ok(element("snapshotId", id)
        + &element("status", "completed")
        + &element("ownerId", location.account.as_str())
        + &element("encrypted", &key.is_some().to_string())
        + &key.map_or_else(String::new, |key| element("kmsKeyId", key.as_str())))
}

/// Asks what the port would answer, for its refusals. It makes both calls; the refusal of the other
/// one doesn't count.
async fn may_read(
    sandbox: &Sandbox,
    location: &Location,
    point: &RecoveryPoint,
    operation: Operation,
) -> Result<(), AwsError> {
    match sandbox.image_keys(location, &point.arn).await {
        Err(error) if error.operation.ends_with(operation.name()) => Err(error.into()),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The first recovery point of the place that fits.
fn point(
    sandbox: &Sandbox,
    location: &Location,
    fits: impl Fn(&RecoveryPoint) -> bool,
) -> Option<RecoveryPoint> {
    sandbox.with_world(|world| {
        let region = world
            .account(location.account)?
            .regions
            .get(&location.region)?;
        let mut points = region
            .vaults
            .values()
            .flat_map(|vault| &vault.recovery_points);
        points.find(|point| fits(point)).cloned()
    })
}

fn image_id(point: &RecoveryPoint) -> Option<&str> {
    point.arn.resource().strip_prefix("image/")
}

/// A snapshot of an image, or one that is a recovery point itself.
#[derive(Debug)]
struct Described {
    id: String,
    key: Option<KeyArn>,
}

/// The snapshots behind a recovery point: itself, or those of an image. An image has one under its
/// own key, unless the world tells of another that is.
fn snapshots_of(point: &RecoveryPoint) -> Vec<Described> {
    let keys = point.keys();
    let own = |key: &Option<KeyArn>| key.clone().filter(|key| keys.contains(&key));
    let of_point = own(&point.encryption_key_arn);
    if let Some(id) = snapshot_id(&point.arn) {
        return vec![Described {
            id: id.to_owned(),
            key: of_point,
        }];
    }
    let Some(image) = image_id(point).and_then(|id| id.strip_prefix("ami-")) else {
        return Vec::new();
    };
    let is_told = |key: &Option<KeyArn>| {
        let mut told = point.snapshots.iter();
        told.any(|snapshot| own(&snapshot.encryption_key_arn) == *key)
    };
    let mut snapshots = Vec::new();
    if point.snapshots.is_empty() || (of_point.is_some() && !is_told(&of_point)) {
        snapshots.push(Described {
            id: format!("snap-{image}"),
            key: of_point,
        });
    }
    for (number, told) in (1_usize..).zip(&point.snapshots) {
        let id = told.arn.as_ref().and_then(snapshot_id);
        snapshots.push(Described {
            id: id.map_or_else(|| format!("snap-{image}{number}"), ToOwned::to_owned),
            key: own(&told.encryption_key_arn),
        });
    }
    snapshots
}

fn snapshot_id(arn: &Arn) -> Option<&str> {
    arn.resource().strip_prefix("snapshot/")
}
