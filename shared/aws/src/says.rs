//! Whether an answer says something at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Whether an answer holds a member. The SDK turns an absent boolean into `false`, but "not
/// encrypted" must be said.
#[derive(Clone, Debug)]
pub(crate) struct Says {
    member: &'static [u8],
    seen: Arc<AtomicBool>,
}

impl Says {
    pub(crate) fn new(member: &'static [u8]) -> Self {
        Self {
            member,
            seen: Arc::default(),
        }
    }

    pub(crate) fn seen(&self) -> bool {
        self.seen.load(Ordering::Relaxed)
    }
}

impl Intercept for Says {
    fn name(&self) -> &'static str {
        "Says"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        let seen = body
            .windows(self.member.len())
            .any(|window| window == self.member);
        self.seen.store(seen, Ordering::Relaxed);
        Ok(())
    }
}
