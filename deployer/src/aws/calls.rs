//! Tells of each call to AWS, for `--verbose`.

use crate::error::request_id;
use aws_sdk_sts::config::Intercept;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use std::time::Instant;

/// The target of the events.
pub(crate) const CALLS: &str = "deployer::calls";

/// When the attempt that is under way began.
#[derive(Debug)]
struct Begun(Instant);

impl Storable for Begun {
    type Storer = StoreReplace<Self>;
}

/// One event for each attempt: operation, outcome, duration, number and request id. Never what was sent or answered.
#[derive(Clone, Debug)]
pub(super) struct Calls;

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "Calls"
    }

    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        cfg.interceptor_state().store_put(Begun(Instant::now()));
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (service, operation) =
            cfg.load::<Metadata>().map_or(("?", "?"), |call| (call.service(), call.name()));
        let attempt = cfg.load::<RequestAttempts>().map_or(1, |attempts| attempts.attempts());
        let ms = cfg.load::<Begun>().map_or(0, |begun| begun.0.elapsed().as_millis());
        let response = context.response();
        let status = response.map_or_else(|| "no answer".to_owned(), |r| r.status().as_u16().to_string());
        let id = response.and_then(request_id).unwrap_or("none");
        tracing::debug!(target: CALLS, "{service} {operation}: {status} in {ms} ms, attempt {attempt}, request id {id}");
        Ok(())
    }
}
