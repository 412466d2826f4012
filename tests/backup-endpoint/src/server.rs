//! The routes, and what all requests share.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::routing::{MethodRouter, get, post};
use copymend_remediation::ports::Environment as _;
use copymend_sandbox::Sandbox;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::control;
use crate::error::AwsError;
use crate::http::Endpoint;
use crate::keys::Keys;
use crate::operations;

/// What all requests share.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

struct Shared {
    sandbox: Sandbox,
    keys: Keys,
    writes: Mutex<Vec<Value>>,
}

impl App {
    pub(crate) fn new(sandbox: Sandbox, endpoint: Option<Endpoint>) -> Self {
        Self(Arc::new(Shared {
            sandbox,
            keys: Keys::new(endpoint),
            writes: Mutex::new(Vec::new()),
        }))
    }

    /// The sandbox, with its clock at the real time: other programs wait for what happens here.
    pub(crate) fn sandbox(&self) -> &Sandbox {
        self.0.sandbox.clock().set(Timestamp::now());
        &self.0.sandbox
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.0.keys
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

/// All routes. SDKs differ in whether they end a path with a slash.
pub(crate) fn router(app: App) -> Router {
    let policy = get(operations::get_vault_policy)
        .put(operations::put_vault_policy)
        .delete(operations::delete_vault_policy);
    let routes: [(&str, MethodRouter<App>); 11] = [
        (
            "/copy-jobs",
            get(operations::list_copy_jobs).put(operations::start_copy_job),
        ),
        ("/copy-jobs/{id}", get(operations::describe_copy_job)),
        ("/backup-vaults/{name}", get(operations::describe_vault)),
        ("/backup-vaults/{name}/access-policy", policy),
        (
            "/backup-vaults/{name}/recovery-points/{arn}",
            get(operations::describe_recovery_point),
        ),
        ("/tags/{arn}", get(operations::list_tags)),
        ("/global-settings", get(operations::global_settings)),
        ("/account-settings", get(operations::region_settings)),
        (
            "/_sandbox/copies",
            post(control::start).get(control::copies),
        ),
        ("/_sandbox/event/{id}", get(control::event)),
        ("/_sandbox/writes", get(control::writes)),
    ];
    routes
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| {
            router
                .route(path, methods.clone())
                .route(&format!("{path}/"), methods)
        })
        .fallback(|| async {
            AwsError::new(
                "UnknownOperationException",
                "this operation is not served here",
            )
        })
        .with_state(app)
}
