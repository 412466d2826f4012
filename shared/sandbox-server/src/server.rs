//! The server: one address, and what all requests share.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRef, Request, State};
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use copymend_remediation::ports::{Clock as _, Reads as _};
use copymend_sandbox::{Sandbox, World};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt as _;

use crate::caller::Caller;
use crate::delayed_retries::Kept;
use crate::endpoint::Endpoint;
use crate::environment::Environment;
use crate::error::{AwsError, StartError};
use crate::forward::forward;
use crate::hub::Hub;
use crate::presigned::{self, is_presigned};
use crate::rates::Speed;
use crate::scope::Scope;
use crate::upstream::Upstream;
use crate::{
    account_management, backup, bridge, control, delayed_retries, ec2, iam, kms, organizations,
    sts, tagging,
};

/// Where containers find this machine on systems without Docker's bridge: Docker Desktop leads this
/// name to the loopback addresses (documented: Docker Desktop, "Networking").
const HOST_OF_DOCKER_DESKTOP: &str = "host.docker.internal";

/// How time passes in a sandbox that other programs use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// How long a copy takes. Without it every copy has ended when it is asked about.
    pub copies_take: Option<SignedDuration>,
    /// How long a denial is remembered after the policy has changed; a minute unless said otherwise.
    pub denials_last: Option<SignedDuration>,
    /// How long every call takes; no time unless said otherwise.
    pub calls_take: Option<Duration>,
    /// Whether AWS's published rates are kept: the calls of AWS Backup that an account makes beyond
    /// them in a Region are refused.
    pub keeps_rates: bool,
}

/// A sandbox that listens.
pub struct Server {
    listener: TcpListener,
    on_bridge: Option<TcpListener>,
    address: SocketAddr,
    app: App,
    environment: Environment,
}

impl Server {
    /// Listens on an address, and on Docker's bridge with the same port where there is a bridge and
    /// the address is a loopback one. `aws` has the rest of AWS: what the functions need there
    /// (topic, queue, ledger, member roles) is made if it isn't there.
    pub async fn start(
        mut world: World,
        listen: SocketAddr,
        aws: Option<Endpoint>,
        pace: Pace,
    ) -> Result<Self, StartError> {
        if let Some(time) = pace.copies_take {
            world.set_copies_take(time);
        }
        if let Some(time) = pace.denials_last {
            world.set_denials_last(time);
        }
        let hub = Hub::of(&world).ok_or(StartError::NoHub)?;
        let upstream = Upstream::new(aws);
        let listener = bind(listen).await?;
        let address = listener.local_addr().map_err(|source| StartError::Listen {
            address: listen,
            source,
        })?;
        let on_bridge = match bridge::address().filter(|_| address.ip().is_loopback()) {
            Some(ip) => Some(bind(SocketAddr::from((ip, address.port()))).await?),
            None => None,
        };
        let environment = hub
            .prepare(&world, &upstream)
            .await
            .map_err(|error| StartError::Prepare(error.message().to_owned()))?;
        Ok(Self {
            listener,
            on_bridge,
            address,
            app: App::at_pace(Sandbox::new(world), upstream, pace),
            environment,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The environment of programs on this machine.
    #[must_use]
    pub fn environment(&self) -> Environment {
        self.environment.at(&format!("http://{}", self.address))
    }

    /// The environment of programs in containers.
    #[must_use]
    pub fn environment_of_containers(&self) -> Environment {
        let on_bridge = self
            .on_bridge
            .as_ref()
            .and_then(|listener| listener.local_addr().ok());
        let url = match on_bridge {
            Some(address) => format!("http://{address}"),
            None if self.address.ip().is_loopback() => {
                format!("http://{HOST_OF_DOCKER_DESKTOP}:{}", self.address.port())
            }
            None => format!("http://{}", self.address),
        };
        self.environment.at(&url)
    }

    /// Answers requests until the process ends.
    pub async fn serve(self) -> io::Result<()> {
        let router = router(self.app);
        let main = axum::serve(self.listener, router.clone());
        match self.on_bridge {
            None => main.await,
            Some(listener) => {
                let other = axum::serve(listener, router);
                tokio::try_join!(main.into_future(), other.into_future()).map(|_| ())
            }
        }
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Listen { address, source })
}

/// What all requests share.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

struct Shared {
    sandbox: Sandbox,
    upstream: Upstream,
    writes: Mutex<Vec<Value>>,
    backup_tokens: Mutex<BTreeMap<String, String>>,
    tells_ends_late: bool,
    delayed_retries: Mutex<VecDeque<Kept>>,
    speed: Speed,
}

impl App {
    /// Where copies take a time, a copy job runs until the time at which it ends.
    pub(crate) fn at_pace(sandbox: Sandbox, upstream: Upstream, pace: Pace) -> Self {
        Self(Arc::new(Shared {
            sandbox,
            upstream,
            writes: Mutex::new(Vec::new()),
            backup_tokens: Mutex::default(),
            tells_ends_late: pace.copies_take.is_some(),
            delayed_retries: Mutex::new(VecDeque::new()),
            speed: Speed::new(pace.calls_take, pace.keeps_rates),
        }))
    }

    /// The sandbox, with its clock at the real time: other programs wait for what happens here.
    pub(crate) fn sandbox(&self) -> &Sandbox {
        let now = Timestamp::now();
        self.0.sandbox.clock().set(now);
        if self.0.tells_ends_late {
            self.0.sandbox.with_world(|world| world.tell_ends_by(now));
        }
        &self.0.sandbox
    }

    /// The real time.
    pub(crate) fn now(&self) -> Timestamp {
        self.sandbox().clock().now()
    }

    /// The backup job that was started with this token.
    pub(crate) fn backup_of(&self, token: &str) -> Option<String> {
        self.backup_tokens().get(token).cloned()
    }

    pub(crate) fn remember_backup(&self, token: String, job: &str) {
        self.backup_tokens().insert(token, job.to_owned());
    }

    fn backup_tokens(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        let tokens = self.0.backup_tokens.lock();
        tokens.unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a call take its time, and refuses one of AWS Backup that comes too soon.
    async fn wait_for(
        &self,
        service: Option<&str>,
        (headers, method, path): (&HeaderMap, &Method, &str),
    ) -> Result<(), AwsError> {
        let speed = &self.0.speed;
        if let Some(time) = speed.call_takes {
            tokio::time::sleep(time).await;
        }
        if speed.has_rates() && service == Some("backup") {
            let caller = Caller::of(headers, self).await?;
            speed.admit(&caller, method, path)?;
        }
        Ok(())
    }

    pub(crate) fn upstream(&self) -> &Upstream {
        &self.0.upstream
    }

    /// The messages of the queue of delayed retries that nobody took out, oldest first.
    pub(crate) fn delayed_retries(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        let messages = &self.0.delayed_retries;
        messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a call that writes, also when it is refused.
    pub(crate) fn record<T>(
        &self,
        caller: &Caller,
        operation: &str,
        input: &Value,
        result: &Result<T, AwsError>,
    ) {
        let mut write = json!({
            "operation": operation,
            "account": caller.account(),
            "region": caller.region(),
            "input": input,
        });
        if let (Err(error), Some(members)) = (result, write.as_object_mut()) {
            members.insert("error".to_owned(), error.code().into());
        }
        self.0
            .writes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(write);
    }

    pub(crate) fn writes(&self) -> Value {
        self.0
            .writes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .into()
    }
}

/// Where a request goes first.
#[derive(Clone)]
struct Front {
    app: App,
    backup: Router,
}

impl FromRef<Front> for App {
    fn from_ref(front: &Front) -> Self {
        front.app.clone()
    }
}

pub(crate) fn router(app: App) -> Router {
    let front = Front {
        backup: backup::router(app.clone()),
        app,
    };
    Router::new()
        .route(
            "/_sandbox/copies",
            post(control::start).get(control::copies),
        )
        .route("/_sandbox/event/{name}", get(control::event))
        .route("/_sandbox/writes", get(control::writes))
        .route(
            "/_sandbox/delayed-retries",
            get(control::delayed_retries).post(control::deliver),
        )
        .fallback(dispatch)
        .with_state(front)
}

/// Each service that is answered here, at least in part, has one row.
async fn dispatch(State(Front { app, backup }): State<Front>, request: Request) -> Response {
    if is_presigned(&request) {
        return presigned::answer(&app, request).await;
    }
    let scope = Scope::of(request.headers());
    let service = scope.as_ref().map(|scope| scope.service.as_str());
    let what = (request.headers(), request.method(), request.uri().path());
    if let Err(error) = app.wait_for(service, what).await {
        return error.into_response();
    }
    match service {
        Some("backup") => backup.oneshot(request).await.into_response(),
        Some("ec2") => ec2::answer(&app, request).await,
        Some("iam") => iam::answer(&app, request).await,
        Some("kms") => kms::answer(&app, request).await,
        Some("sts") => sts::answer(&app, request).await,
        Some("sqs") => delayed_retries::answer(&app, request).await,
        Some("tagging") => tagging::answer(&app, request).await,
        Some("account") => account_management::answer(&app, request).await,
        Some("organizations") => organizations::answer(&app, request).await,
        Some(_) | None => forward(&app, request).await,
    }
}
