//! Receives events from Lambda's runtime API and returns the answers.

use std::{
    cell::Cell,
    mem,
    rc::Rc,
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use lambda_runtime::{
    Diagnostic, Error, LambdaEvent, LambdaInvocation, Runtime, Service, service_fn, tower::Layer,
};
use serde_json::value::RawValue;

use crate::{
    config::Config,
    failure::Failure,
    handler::{Outcome, handle},
    log,
    store::Store,
};

/// Handles events until Lambda ends the process.
///
/// # Errors
///
/// The process does not run in Lambda, or Lambda's runtime API cannot be reached. An event never ends the loop.
pub async fn run(config: &Config, store: &impl Store) -> Result<(), Error> {
    if config.runtime_api.is_none() {
        return Err("AWS_LAMBDA_RUNTIME_API is not set: only AWS Lambda can start this program".into());
    }
    let raw_events = RawEvents::default();
    let answer = |event: LambdaEvent<()>| {
        let bytes = raw_events.take();
        async move {
            let started = Instant::now();
            let Outcome { response, report } = handle(store, &bytes).await;
            log::write(config.log_level, &event.context.request_id, started.elapsed(), &report);
            // This cannot fail, because the text was serialized as JSON.
            let response = response.and_then(|text| {
                RawValue::from_string(text).map_err(|error| Failure::unserializable_answer(&error))
            });
            response.map_err(Diagnostic::from)
        }
    };
    Runtime::new(service_fn(answer)).layer(raw_events.clone()).run().await
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: failure.error_type.into_owned(), error_message: failure.message }
    }
}

/// Keeps the bytes of the event for the handler and replaces them by `null` for the runtime.
///
/// The runtime parses each event before it calls the handler. Its parser has no bounds and loses digits of numbers. Its
/// error messages name Rust types and end in a newline, so API Gateway would answer 200.
#[derive(Clone, Default)]
struct RawEvents(Rc<Cell<Bytes>>);

impl RawEvents {
    /// Takes the bytes of the current event. The runtime handles one event at a time.
    fn take(&self) -> Bytes {
        self.0.take()
    }
}

impl<S> Layer<S> for RawEvents {
    type Service = RawEventService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RawEventService { inner, raw_events: self.clone() }
    }
}

struct RawEventService<S> {
    inner: S,
    raw_events: RawEvents,
}

impl<S: Service<LambdaInvocation>> Service<LambdaInvocation> for RawEventService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut invocation: LambdaInvocation) -> Self::Future {
        self.raw_events.0.set(mem::replace(&mut invocation.body, Bytes::from_static(b"null")));
        self.inner.call(invocation)
    }
}
