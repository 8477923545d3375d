//! AWS's answers by script, in wire text both ways: what the SDK makes of an answer, and what it sends, is tested too.

use super::wire;
use aws_sdk_iam::config::Intercept;
use aws_smithy_mocks::{Rule, RuleBuilder};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::Value;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

/// One answer of a service that speaks JSON.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// It is done; the body.
    Done(Value),
    /// AWS refuses.
    Refused { status: u16, code: &'static str, message: String, retry_after: Option<&'static str> },
}

pub(crate) fn done(body: Value) -> Answer {
    Answer::Done(body)
}

pub(crate) fn refused(status: u16, code: &'static str, message: impl Into<String>) -> Answer {
    Answer::Refused { status, code, message: message.into(), retry_after: None }
}

/// The service broke, and may have done it or not.
pub(crate) fn broken() -> Answer {
    refused(500, "InternalFailure", "")
}

impl Answer {
    /// With API Gateway's header, in seconds.
    pub(crate) fn retry_after(self, seconds: &'static str) -> Self {
        match self {
            Self::Refused { status, code, message, .. } => {
                Self::Refused { status, code, message, retry_after: Some(seconds) }
            }
            Self::Done(_) => panic!("what is done is not to be done again"),
        }
    }

    fn response(&self) -> HttpResponse {
        match self {
            Self::Done(body) => {
                HttpResponse::new(StatusCode::try_from(200).unwrap(), SdkBody::from(body.to_string()))
            }
            Self::Refused { status, code, message, retry_after } => {
                let mut response = wire::json(*status, code, message);
                if let Some(seconds) = retry_after {
                    response.headers_mut().insert("retry-after", *seconds);
                }
                response
            }
        }
    }
}

/// The answers to one operation, in order. A call more than there are answers panics.
pub(crate) fn answers<I, O, E>(
    operation: RuleBuilder<I, O, E>,
    answers: impl IntoIterator<Item = Answer>,
) -> Rule
where
    I: Debug + Send + Sync + 'static,
    O: Debug + Send + Sync + 'static,
    E: Debug + Send + Sync + std::error::Error + 'static,
{
    let script = operation.sequence();
    answers.into_iter().fold(script, |script, answer| script.http_response(move || answer.response())).build()
}

/// The same answer to every call of one operation.
pub(crate) fn always<I, O, E>(operation: RuleBuilder<I, O, E>, answer: Answer) -> Rule
where
    I: Debug + Send + Sync + 'static,
    O: Debug + Send + Sync + 'static,
    E: Debug + Send + Sync + std::error::Error + 'static,
{
    operation.then_http_response(move || answer.response())
}

/// One request as it left the SDK.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) operation: String,
    pub(crate) uri: String,
    /// Null where there is none.
    pub(crate) body: Value,
}

/// Every request, also those that the SDK itself repeats.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent(Arc<Mutex<Vec<Request>>>);

impl Sent {
    /// The requests of one operation.
    pub(crate) fn of(&self, operation: &str) -> Vec<Request> {
        let all = self.0.lock().unwrap();
        all.iter().filter(|request| request.operation == operation).cloned().collect()
    }

    /// The bodies of one operation's requests.
    pub(crate) fn bodies(&self, operation: &str) -> Vec<Value> {
        self.of(operation).into_iter().map(|request| request.body).collect()
    }
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Sent {
    fn name(&self) -> &'static str {
        "Sent"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        self.0.lock().unwrap().push(Request {
            operation: cfg.load::<Metadata>().unwrap().name().to_owned(),
            uri: request.uri().to_owned(),
            body: request
                .body()
                .bytes()
                .and_then(|text| serde_json::from_slice(text).ok())
                .unwrap_or_default(),
        });
        Ok(())
    }
}
