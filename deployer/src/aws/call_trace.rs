//! Log of each call to AWS, for `--verbose`.

use crate::error;
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

/// The `tracing` target of the events.
pub(crate) const CALL_TRACE: &str = "deployer::calls";

/// When the current attempt began.
#[derive(Debug)]
struct AttemptStart(Instant);

impl Storable for AttemptStart {
    type Storer = StoreReplace<Self>;
}

/// Emits one event for each attempt, with operation, status, duration, attempt number and request id. Events never contain
/// headers or bodies.
#[derive(Clone, Debug)]
pub(super) struct CallTrace;

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for CallTrace {
    fn name(&self) -> &'static str {
        "CallTrace"
    }

    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        cfg.interceptor_state().store_put(AttemptStart(Instant::now()));
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
        let ms = cfg.load::<AttemptStart>().map_or(0, |start| start.0.elapsed().as_millis());
        let response = context.response();
        let status = response
            .map_or_else(|| "no answer".to_owned(), |response| response.status().as_u16().to_string());
        let request_id = response.and_then(error::request_id).unwrap_or("none");
        tracing::debug!(target: CALL_TRACE, "{service} {operation}: {status} in {ms} ms, attempt {attempt}, request id {request_id}");
        Ok(())
    }
}
